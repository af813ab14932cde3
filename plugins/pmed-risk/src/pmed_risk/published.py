"""Inputs as published examples name them: which feature each fills, and how its value is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from pmed.errors import InputError

Kind = Literal["number", "flag", "word"]
_SHOWN: Final = {"number": "a number", "flag": "true or false", "word": "a text"}


@dataclass(frozen=True)
class Field:
    """One input.

    Attributes:
        feature: The feature it fills.
        kind: A number, or [number, unit] where `units` has that unit; true or false (also 1 or 0); a word.
        scale: Factor and offset from the number given to the unit of the feature.
        units: Unit → factor to the unit in which a bare number is given.
        values: What a flag or word means; words are compared in lower case. A flag without is itself.
    """

    feature: str
    kind: Kind = "number"
    scale: tuple[float, float] = (1.0, 0.0)
    units: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[Any, Any] = field(default_factory=dict)


def flags(feature: str, *names: str) -> dict[str, Field]:
    """True or false under several names, each enough to make the feature true."""
    return {name: Field(feature, "flag") for name in names}


def read(fields: Mapping[str, Field], item: Mapping[str, Any]) -> dict[str, Any]:
    """Features of one object of inputs; a null is not given. Of several inputs for one feature the highest counts.

    Raises:
        InputError: naming the input whose value is of the wrong type, unit or word.
    """
    found: dict[str, Any] = {}
    for name, given in item.items():
        if given is None:
            continue
        one = fields[name]
        value = _READERS[one.kind](name, one, given)
        known = found.get(one.feature)
        found[one.feature] = value if known is None else max(known, value)
    return found


def _number(name: str, one: Field, given: Any) -> float:
    value, factor = given, 1.0
    if isinstance(given, list) and len(given) == 2 and one.units:
        value, unit = given
        if unit not in one.units:
            raise InputError(f"unknown unit {unit!r}", where=name, hint=f"give it in {', '.join(one.units)}")
        factor = one.units[unit]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, one.kind, given)
    return float(value) * factor * one.scale[0] + one.scale[1]


def _flag(name: str, one: Field, given: Any) -> Any:
    if given not in (0, 1):
        raise _wrong(name, one.kind, given)
    return one.values.get(bool(given), bool(given))


def _word(name: str, one: Field, given: Any) -> Any:
    if not isinstance(given, str):
        raise _wrong(name, one.kind, given)
    if one.values and given.lower() not in one.values:
        raise InputError(f"{given!r} is not known", where=name, hint=f"one of {', '.join(map(str, one.values))}")
    return one.values.get(given.lower(), given)


def _wrong(name: str, kind: Kind, given: Any) -> InputError:
    return InputError(f"must be {_SHOWN[kind]}. Got {given!r}", where=name, hint="leave out what is not known")


_READERS: Final = {"number": _number, "flag": _flag, "word": _word}
SEX: Final = {"female": "female", "male": "male", "f": "female", "m": "male"}
YEARS: Final = {"years": 1.0}


class Published:
    """Mixin of a predictor that takes inputs, and gives its one value, by their published names (``pmed predict``).

    Attributes:
        fields: Inputs by name.
        outputs: Names of the value.
        assumed: Features that count as such where they are not given; the result names them, but for `implied`.
        implied: Assumed features that follow from asking for the score at all.
    """

    fields: ClassVar[Mapping[str, Field]]
    outputs: ClassVar[tuple[str, ...]] = ("score", "value")
    assumed: ClassVar[Mapping[str, Any]] = {}
    implied: ClassVar[tuple[str, ...]] = ()

    @property
    def accepts(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(self.fields)

    def read_input(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Features of one object of inputs.

        Raises:
            InputError: naming the input that cannot be read.
        """
        return {**self.assumed, **read(self.fields, item)}

    def result(self, item: Mapping[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
        """The value by its published names, status and reason, and what was assumed."""
        row, = rows
        given = read(self.fields, item)
        assumed = [name for name in self.assumed if name not in given and name not in self.implied]
        # Whoever asks is told what is missing, however little is known.
        status = "not-assessed" if row["status"] == "not-applicable" else row["status"]
        named = dict.fromkeys(self.outputs, row["value"])
        return {**named, "status": status, "reason": row["reason"], **({"assumed": assumed} if assumed else {})}

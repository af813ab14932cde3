"""Options are dataclass fields that carry their own meaning, unit and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, field, fields
from typing import Any, TypeVar, get_type_hints

from .errors import OptionError

T = TypeVar("T")


def option(default: Any, *, doc: str, unit: str = "", low: float | None = None, high: float | None = None,
           choices: tuple[Any, ...] = ()) -> Any:
    """Declare one option of a component.

    Args:
        default: Value used when the settings say nothing.
        doc: What it does, in one sentence.
        unit: UCUM unit of the value.
        low: Smallest value allowed.
        high: Largest value allowed.
        choices: The only values allowed.
    """
    return field(default=default, metadata={"doc": doc, "unit": unit, "low": low, "high": high, "choices": choices})


def build(cls: type[T], given: Mapping[str, Any]) -> T:
    """Make a component from its settings.

    Raises:
        OptionError: naming every unknown option and every value outside its limits.
    """
    if not given:
        return cls()
    known = {f.name: f for f in fields(cls) if f.init}  # type: ignore[arg-type]
    hints = get_type_hints(cls)
    faults = [f"unknown option {name!r}; known: {', '.join(known) or 'none'}" for name in given if name not in known]
    wrong = {name: _fault(known[name], hints[name], value) for name, value in given.items() if name in known}
    faults += [f"{name!r} must be {expected}. Got {given[name]!r}" for name, expected in wrong.items() if expected]
    if faults:
        raise OptionError("; ".join(faults), where=getattr(cls, "name", cls.__name__))
    return cls(**given)


def _fault(declared: Field[Any], kind: type, value: Any) -> str:
    """Say what `value` should have been, or return '' if it is right."""
    meta = declared.metadata
    if choices := meta.get("choices"):
        return "" if value in choices else f"one of {', '.join(map(repr, choices))}"
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or isinstance(value, bool) is not (kind is bool):
        return f"a {kind.__name__}"
    low, high = meta.get("low"), meta.get("high")
    if (low is not None and value < low) or (high is not None and value > high):
        return f"in [{low}, {high}] {meta.get('unit', '')}".strip()
    return ""

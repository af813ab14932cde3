"""Options of any component: documented, limited, and the same after a way through a settings file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Any, Final

from ..errors import OptionError
from ..options import build
from ..plugins import Component
from .subject import must

_ODD: Final = "no-such-option"


def check_options(component: Component) -> None:
    """A frozen dataclass whose fields are options with a meaning; defaults are allowed, wrong values are refused."""
    made = component.made
    must(is_dataclass(made), f"{type(made).__name__} must be a dataclass: its fields are its options")
    must(made.__dataclass_params__.frozen, f"{type(made).__name__} must be frozen: @dataclass(frozen=True)")
    options = [one for one in fields(made) if one.init]
    for one in options:
        must(one.metadata.get("doc"), f"option {one.name!r} says nothing of itself: declare it with pmed.option(doc=…)")
    given = {one.name: getattr(made, one.name) for one in options}
    must(build(type(made), _through_toml(given)) == made, "its options do not come back from a settings file")
    _must_refuse(made, {_ODD: 1}, "an option that it does not have")
    for one in options:
        for value in _wrong(one):
            _must_refuse(made, {one.name: value}, f"{one.name} = {value!r}, outside its limits")


def _through_toml(given: Mapping[str, Any]) -> Mapping[str, Any]:
    lines = [f"{name} = {_literal(value)}" for name, value in given.items() if value is not None]
    return tomllib.loads("\n".join(lines))


def _literal(value: Any) -> str:
    from json import dumps

    return dumps(value, ensure_ascii=False)


def _wrong(one: Field[Any]) -> list[Any]:
    meta = one.metadata
    wrong: list[Any] = [[_ODD]]
    wrong += [meta["high"] + 1] if meta.get("high") is not None else []
    wrong += [meta["low"] - 1] if meta.get("low") is not None else []
    return wrong + ([_ODD] if meta.get("choices") else [])


def _must_refuse(made: Any, given: Mapping[str, Any], what: str) -> None:
    try:
        build(type(made), given)
    except OptionError:
        return
    must(False, f"takes {what}")  # noqa: FBT003 - reached only where it was taken


CHECKS: Final[tuple[Callable[[Component], None], ...]] = (check_options,)

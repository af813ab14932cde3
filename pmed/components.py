"""What a component must be before a run relies on it; what is not, costs only the plugin that brought it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from difflib import get_close_matches
from typing import Any

from .errors import PluginError

KINDS = ("pharmacogenomic", "risk", "treatment-response")


def must_be_class(hook: str, made: Any) -> None:
    """Refuse an instance where a class is wanted, which the host builds with its options.

    Raises:
        PluginError: naming what was returned, and what to return.
    """
    if not isinstance(made, type):
        name = type(made).__name__
        raise PluginError(f"{hook} returned an instance of {name}, where the class is wanted",
                          hint=f"return [{name}], not [{name}()]: pmed builds it with its options")


def must_be_instance(hook: str, made: Any) -> None:
    """Refuse a class where an instance is wanted.

    Raises:
        PluginError: naming the class, and what to return.
    """
    if isinstance(made, type):
        raise PluginError(f"{hook} returned the class {made.__name__}, where an instance is wanted",
                          hint=f"return {made.__name__}(...)")


def must_be_sound(hook: str, made: Any) -> bool:
    """Check what the host reads of a component without asking: names, declarations, card, methods.

    Raises:
        PluginError: naming the first thing that is wrong.
    """
    for check in _CHECKS.get(hook, ()):
        check(made)
    return True


def _declares(*names: str) -> Callable[[Any], None]:
    def check(made: Any) -> None:
        for name in names:
            value = getattr(made, name, None)
            if not isinstance(value, tuple) or not all(isinstance(one, str) for one in value):
                raise PluginError(f"`{name}` must be a tuple of names")
            if "patient_id" in value:
                raise PluginError(f"`{name}` must not name patient_id, which every frame has")
    return check


def _can(*names: str) -> Callable[[Any], None]:
    def check(made: Any) -> None:
        for name in names:
            if not callable(getattr(made, name, None)):
                raise PluginError(f"has no method {name}()")
    return check


def _is_kind(*kinds: str) -> Callable[[Any], None]:
    def check(made: Any) -> None:
        if getattr(made, "kind", None) not in kinds:
            raise PluginError(f"`kind` must be one of {', '.join(kinds)}")
    return check


def _has_card(made: Any) -> None:
    from .types import Card

    card = getattr(made, "card", None)
    if not isinstance(card, Card):
        raise PluginError("`card` must be a pmed.Card")
    low, high = card.range
    if not low <= high:
        raise PluginError("`card.range` must be (low, high)")
    _can_be_written(asdict(card))
    _can_be_written(asdict(made))
    _modifies_inputs(made)


def _modifies_inputs(made: Any) -> None:
    """What can be changed of a patient is told from the explanation, which knows no other names."""
    declared = [*made.needs, *getattr(made, "wants", ())]
    if not isinstance(made.card.modifiable, tuple):
        raise PluginError("`card.modifiable` must be a tuple of names")
    for name in made.card.modifiable:
        if name not in declared:
            near = get_close_matches(name, declared, 1)
            raise PluginError(f"`card.modifiable` names {name!r}, which is not in `needs` or `wants`",
                              hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(declared)}")


def _wants_names(made: Any) -> None:
    if hasattr(made, "wants"):
        _declares("wants")(made)


def _has_title(made: Any) -> None:
    title = getattr(made, "title", None)
    if not isinstance(title, str) or not title.strip():
        raise PluginError("`title` must be text")


def _is_release(made: Any) -> None:
    from .tables import TABLES
    from .types import Release

    if not isinstance(made, Release):
        raise PluginError("must be a pmed.Release")
    named = [one.name for one in fields(made) if one.name != "tables"]
    if odd := [name for name in named if not isinstance(getattr(made, name), str)]:
        raise PluginError(f"`{odd[0]}` must be text")
    if not isinstance(made.tables, Mapping):
        raise PluginError("`tables` must be a mapping of frames")
    for name in {"drug_names", "drug_classes"} & {*made.tables}:
        TABLES[name].check(made.tables[name])


def _can_be_written(value: Any) -> None:
    import msgspec

    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError) as error:
        raise PluginError(f"card and options must be plain values: {error}") from error


_CHECKS: Mapping[str, tuple[Callable[[Any], None], ...]] = {
    "register_sources": (_is_kind("genome", "history", "outside-calls"), _can("matches", "read")),
    "register_features": (_declares("needs", "gives"), _can("run")),
    "register_predictors": (_is_kind(*KINDS), _declares("needs", "gives"), _wants_names, _has_card,
                            _can("predict", "reference")),
    "register_advisers": (_can("advise"),),
    "register_models": (_can("read", "train", "evaluate", "shipped"),),
    "register_scorers": (_can("score"),),
    "register_sections": (_has_title, _declares("needs"), _can("render")),
    "register_exporters": (_can("export"),),
    "register_knowledge": (_is_release,),
}

"""Order steps by what they need and give, not by when they were registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .errors import FlowError


def is_pattern(name: str) -> bool:
    """Whether more than one name may fit (``on:*``).

    >>> is_pattern("on:*"), is_pattern("on:warfarin")
    (True, False)
    """
    return any(sign in name for sign in "*?[")


def gives(step: Any, name: str) -> bool:
    """Whether a step gives `name`, by exact name or by pattern (``on:*``)."""
    return one_fits(tuple(step.gives), name)


def inputs(predictor: Any) -> list[str]:
    """Every feature a predictor declares, required ones first."""
    return list(dict.fromkeys([*predictor.needs, *getattr(predictor, "wants", ())]))


@lru_cache(maxsize=1 << 14)
def one_fits(patterns: tuple[str, ...], name: str) -> bool:
    """Whether one of the patterns is, or fits, `name`."""
    return name in patterns or any(fnmatchcase(name, pattern) for pattern in _open(patterns))


@lru_cache(maxsize=256)
def _open(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Those that more than one name may fit: most are names, and a comparison is faster than a match."""
    return tuple(filter(is_pattern, patterns))


def order(steps: Iterable[Any]) -> list[Any]:
    """Sort steps so that each runs after the steps that give what it needs; ties by name.

    Raises:
        FlowError: where steps need each other, naming them in turn.
    """
    by_name = {step.name: step for step in sorted(steps, key=lambda step: str(step.name))}
    graph = {name: _givers(step, by_name.values()) for name, step in by_name.items()}
    try:
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise FlowError(f"steps need each other: {' -> '.join(error.args[1])}") from None


def cycle(steps: Iterable[Any]) -> list[str]:
    """Names of steps that need each other in a circle; none where there is no circle."""
    by_name = {step.name: step for step in sorted(steps, key=lambda step: str(step.name))}
    try:
        TopologicalSorter({name: _givers(step, by_name.values()) for name, step in by_name.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _givers(step: Any, steps: Iterable[Any]) -> list[str]:
    return [other.name for other in steps if other is not step and any(gives(other, need) for need in step.needs)]


def upstream(steps: Sequence[Any], target: str) -> list[Any]:
    """The steps, in order, that are needed to make one table or feature.

    Raises:
        FlowError: where no step gives it.
    """
    wanted, kept = {target}, []
    for step in reversed(order(steps)):
        if any(gives(step, name) for name in wanted):
            kept.append(step)
            wanted.update(step.needs)
    if not kept:
        raise FlowError(f"no installed plugin gives {target!r}", hint="see pmed plugins")
    return kept[::-1]

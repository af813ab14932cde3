"""Not twice the same: what a pure function made of frames stands while it is given equal frames.

For parts of a step that look at fewer tables than the whole step does. A question about one patient (`whatif`) changes
a table or two; what a part made of the others is then what it would make again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import polars as pl

P = ParamSpec("P")
Made = TypeVar("Made")
FromTables = Callable[[Mapping[str, pl.DataFrame]], pl.DataFrame]
KEPT = 4  # answers: of the patient as they are, and of a few questions
MOST_ROWS = 10_000  # a cohort's frames are neither kept in memory nor compared


def unless_repeated(function: Callable[P, Made]) -> Callable[P, Made]:
    """Wrap a pure function of frames and plain values: called again with equal ones, it gives that answer again.

    The answer is a frame, a tuple of frames, or something that nobody changes.

    >>> double = unless_repeated(lambda frame: frame * 2)
    >>> double(pl.DataFrame({"a": [1]})).equals(double(pl.DataFrame({"a": [1]})))
    True
    """
    kept: list[tuple[tuple[Any, ...], Any]] = []

    @wraps(function)
    def once(*args: P.args, **kwargs: P.kwargs) -> Made:
        given = (*args, *kwargs.items())
        for before, made in kept:
            if _all_same(before, given):
                again: Made = _own(made)
                return again
        made = function(*args, **kwargs)
        small = all(one.height <= MOST_ROWS for one in given if isinstance(one, pl.DataFrame))
        if small:
            kept[:] = [(tuple(_own(one) for one in given), _own(made)), *kept[:KEPT - 1]]
        return made

    return once


def of_tables(*names: str) -> Callable[[FromTables], FromTables]:
    """`unless_repeated` for a function of tables: it is given those of these `names` that there are, and no others."""
    def wrap(function: FromTables) -> FromTables:
        @unless_repeated
        def once(*frames: pl.DataFrame | None) -> pl.DataFrame:
            return function({name: frame for name, frame in zip(names, frames, strict=True) if frame is not None})

        return wraps(function)(lambda tables: once(*(tables.get(name) for name in names)))

    return wrap


def _own(one: Any) -> Any:
    """What the caller cannot change later: a frame that shares its data, as what is changed is a copy."""
    if isinstance(one, tuple):
        return tuple(map(_own, one))
    return one.clone() if isinstance(one, pl.DataFrame) else one


def _all_same(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    return len(before) == len(now) and all(map(_same, before, now))


def _same(before: Any, now: Any) -> bool:
    if isinstance(before, pl.DataFrame) and isinstance(now, pl.DataFrame):
        # Values before types: those differ more often, and of a thousand columns the types take longer.
        return before.shape == now.shape and before.equals(now) and before.dtypes == now.dtypes
    return type(before) is type(now) and bool(before == now)

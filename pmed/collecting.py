"""The collector of cyclic garbage, out of the way of work that leaves none."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def uncollected() -> Iterator[None]:
    """No collections for as long as this lasts; also a decorator.

    Rows, frames and rules hold no cycles: to look for some among millions of objects is a tenth of a run, a fifth of
    reading a record.

    >>> with uncollected():
    ...     gc.isenabled()
    False
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def lasting() -> Iterator[None]:
    """As `uncollected`, for what is made once and lives as long as the process: modules, components, knowledge.

    All objects of now are then counted among the old ones, as they would be after some collections that find nothing.
    """
    _collected_once_at_exit()
    with uncollected():
        yield
        if not gc.get_freeze_count():  # objects that somebody froze stay frozen
            gc.freeze()
            gc.unfreeze()


def settled() -> None:
    """Let no later collection look at the objects of now, which last as long as the process.

    For a process that somebody else has collect over and over: that takes 40 ms each time, with the plugins loaded.
    """
    if not gc.get_freeze_count():
        gc.freeze()


@cache
def _collected_once_at_exit() -> None:
    """An ending interpreter collects before it takes its modules apart, and again after: only the latter frees them."""
    atexit.register(gc.disable)

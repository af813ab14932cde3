"""The collector of cyclic garbage, out of the way of work that leaves none."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
    with uncollected():
        yield
        if not gc.get_freeze_count():  # objects that somebody froze stay frozen
            gc.freeze()
            gc.unfreeze()


def uncollected_at_exit() -> None:
    """Leave the memory of this process to the system when it ends; only for a process of our own.

    Taking modules and knowledge apart, object by object, is a tenth of a report.
    """
    atexit.register(gc.freeze)

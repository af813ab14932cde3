"""The collector of cyclic garbage, out of the way of work that leaves none."""

from __future__ import annotations

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

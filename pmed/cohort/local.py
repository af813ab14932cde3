"""Tasks of a cohort by processes of this machine."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from ..errors import PmedError
from . import work
from .work import Asked

Call = tuple[Callable[..., Any], tuple[Any, ...]]
Pool = Callable[[Sequence[Call]], Iterator[Any]]


@contextmanager
def processes(asked: Asked, number: int) -> Iterator[Pool]:
    """Something that makes calls, by so many processes, and gives what they return in the order they are done."""
    # A forked process would share the locks of polars' threads.
    executor = ProcessPoolExecutor(number, multiprocessing.get_context("spawn"), work.begin, (asked,))

    def pool(calls: Sequence[Call]) -> Iterator[Any]:
        if number == 1 or len(calls) < 2:  # a process is made when it is first asked, which costs seconds
            return (function(*given) for function, given in calls)
        return (future.result() for future in as_completed([executor.submit(function, *given)
                                                            for function, given in calls]))

    try:
        yield pool
    except BrokenProcessPool as error:
        raise PmedError("a process was ended from outside, perhaps for want of memory",
                        hint="run the same again: what is done stays; --memory makes smaller chunks") from error
    finally:
        executor.shutdown(cancel_futures=True)

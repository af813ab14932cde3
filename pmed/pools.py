"""Processes that work for this one, and end when it does, however that is.

A process that is ended by a signal does not tell its workers. So each of them waits beside its work for the end of a
pipe, of which this process has the other end: that is closed when this one ends, and when it is told to.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from .errors import PmedError
from .processors import one_thread_each

Call = tuple[Callable[..., Any], tuple[Any, ...]]
Pool = Callable[[Sequence[Call]], Iterator[Any]]


@contextmanager
def processes(number: int, begin: Callable[[Any], None], asked: object, *, hint: str) -> Iterator[Pool]:
    """Something that makes calls, by so many processes, and gives what they return in the order they are done.

    SIGTERM and Ctrl-C end all of them at once, in the middle of their work; any other error when the calls that were
    begun are done.

    Args:
        number: Of processes; one works here.
        begin: What each does first, with `asked`; here it is done already.
        asked: What that is told.
        hint: What to do where a process is ended from outside.

    Raises:
        PmedError: a process is ended from outside.
    """
    theirs, mine = multiprocessing.Pipe(duplex=False)
    # A forked process would share the locks of polars' threads.
    executor = ProcessPoolExecutor(number, _Context(), _begin, (theirs, begin, asked))

    def pool(calls: Sequence[Call]) -> Iterator[Any]:
        if number == 1 or len(calls) < 2:  # a process is made when it is first asked, which costs a second
            return (function(*given) for function, given in calls)
        return (future.result() for future in as_completed([executor.submit(function, *given)
                                                            for function, given in calls]))

    try:
        with _sigterm_raised():
            yield pool
    except BrokenProcessPool as error:
        raise PmedError("a process was ended from outside, perhaps for want of memory", hint=hint) from error
    except _Terminated as error:
        mine.close()
        raise SystemExit(error.code) from None
    except (KeyboardInterrupt, SystemExit):  # nobody waits for what is being worked on
        mine.close()
        raise
    finally:
        executor.shutdown(cancel_futures=True)
        mine.close()
        theirs.close()


class _Terminated(KeyboardInterrupt):
    """SIGTERM. No plugin's failure, as any other exception is that is raised while a plugin works."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class _Process(SpawnProcess):
    """A process that does not run the script of this one again, so that a script needs no `if __name__ == ...`.

    Nor does it take from a notebook or a script, where polars is loaded, what polars set there.
    """

    def start(self) -> None:
        main = vars(sys.modules["__main__"])
        told = {name: main.get(name) for name in ("__spec__", "__file__")}
        main.update(dict.fromkeys(told))
        try:
            with one_thread_each():
                super().start()
        finally:
            main.update(told)


class _Context(SpawnContext):
    Process = _Process


def end_with(wait: Callable[[], object]) -> None:
    """End this process as soon as `wait` returns, or fails, whatever else it does then."""
    def watch() -> None:
        try:
            wait()
        finally:
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _begin(alive: Connection, begin: Callable[[Any], None], asked: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal: the first one sees to it
    end_with(lambda: alive.poll(None))
    begin(asked)


@contextmanager
def _sigterm_raised() -> Iterator[None]:
    """SIGTERM as an exception, so that what is half written is removed; the exit code is the one that shells give."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield  # whoever uses pmed as a library and handles it
        return

    def end(number: int, _frame: object) -> None:
        raise _Terminated(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

"""Work on a few patients keeps to one processor.

polars hands every operation to a pool of threads. On frames of a few rows waking a thread on another processor takes
longer than the operation: a what-if question costs less than half the time and half the CPU on one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

_TASKS, _STAT = Path("/proc/self/task"), Path("/proc/thread-self/stat")
# Polars gives memory back when it has not been used for half a second, and gets it again page by page: a tenth of the
# CPU time of a chunk of people, for 60 MB. Of several arenas, which its threads share out, each would keep what the
# others have given back: a seventh more memory, growing from chunk to chunk, and no less time.
_KEEPING = "dirty_decay_ms:20000,muzzy_decay_ms:-1,narenas:1"
_ALLOCATOR = "_RJEM_MALLOC_CONF"
# Nothing, or what polars writes there when it is loaded: once more in each process that comes of another.
_OF_POLARS = re.compile("(,?dirty_decay_ms:500,muzzy_decay_ms:1000(,thp:always,metadata_thp:always)?)*")
_lock = Lock()
_before: dict[int, set[int]] = {}
_inside = 0


def one_thread() -> None:
    """Let polars have one thread, and keep its memory; to be said before polars is loaded, here or in a new process.

    What the user set stays. What polars itself sets where it is loaded is no wish of theirs, though processes that are
    started there inherit it.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    if _OF_POLARS.fullmatch(os.environ.get(_ALLOCATOR, "")):
        os.environ[_ALLOCATOR] = _KEEPING


@contextmanager
def one_thread_each() -> Iterator[None]:
    """The same for processes that are started meanwhile, and not for this one."""
    before = {name: os.environ.get(name) for name in ("POLARS_MAX_THREADS", _ALLOCATOR)}
    one_thread()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def one_processor() -> Iterator[None]:
    """All threads of this process on one processor for as long as the outermost of these lasts; also a decorator.

    Where the system does not let threads be placed (anything but Linux) nothing changes.
    """
    global _inside  # noqa: PLW0603 - one process, one placing of its threads
    with _lock:
        _inside += 1
        if _inside == 1:
            _before.update(_placed())
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _put_back()


def _placed() -> dict[int, set[int]]:
    """Put every thread on the processor that this one runs on, and return where each might run before."""
    if not hasattr(os, "sched_setaffinity") or not _STAT.is_file():
        return {}
    # Field 39 of proc(5); the second, a name in brackets, may hold blanks.
    here = {int(_STAT.read_text("utf-8").rpartition(")")[2].split()[36])}
    found = {}
    for task in _TASKS.iterdir():
        try:
            found[int(task.name)] = os.sched_getaffinity(int(task.name))
            os.sched_setaffinity(int(task.name), here)
        except OSError:  # the thread has ended, or the system forbids it: it stays where it is
            continue
    return found


def _put_back() -> None:
    """Every thread may run where it might before; one that was started meanwhile where any of them might."""
    anywhere = set[int]().union(*_before.values())
    for task in _TASKS.iterdir() if _before else ():
        try:
            os.sched_setaffinity(int(task.name), _before.get(int(task.name), anywhere))
        except OSError:  # as above
            continue
    _before.clear()

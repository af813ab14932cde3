"""Nothing leaves the process while the guard is up: sockets, programs and writes are refused and remembered.

An audit hook cannot be taken out again, so there is one for the process, which does nothing unless a guard is up. It
sees what goes through Python; a library that opens files in native code is seen only by what it leaves in the working
folder, which is empty and must stay so.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_NETWORK: Final = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg",
                   "socket.bind")
_PROGRAMS: Final = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork")
_CHANGES: Final = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate",
                   "os.chmod", "os.chown")
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refused(PermissionError):
    """What a plugin gets that reaches out of the process."""


@dataclass
class Seen:
    """What was tried while the guard was up."""

    network: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    scratch: str = ""


_up: list[Seen] = []
_installed: list[bool] = []


@contextmanager
def guarded() -> Iterator[Seen]:
    """Run a block in an empty working folder, without network and without writing outside a temporary folder."""
    if not _installed:
        sys.addaudithook(_watch)
        _installed.append(True)
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="pmed-check-") as folder:
        work, scratch = Path(folder, "work"), Path(folder, "tmp")
        work.mkdir()
        scratch.mkdir()
        seen = Seen(scratch=str(scratch.resolve()))
        kept, tempfile.tempdir = tempfile.tempdir, str(scratch)
        os.chdir(work)
        _up.append(seen)
        try:
            yield seen
        finally:
            _up.pop()
            os.chdir(before)
            tempfile.tempdir = kept
            seen.writes += [f"{path.name} in the working folder" for path in work.iterdir()]


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if not _up:
        return
    if event in _NETWORK or event in _PROGRAMS:
        _up[-1].network.append(f"{event} {_shown(args)}")
        raise Refused(f"not allowed in a plugin's check: {event}")
    if event == "open" and _is_write(args[1], args[2]) and _is_outside(args[0]):
        _refuse_write(f"open {args[0]}")
    if event in _CHANGES and _is_outside(args[0]):
        _refuse_write(f"{event} {args[0]}")


def _refuse_write(what: str) -> None:
    _up[-1].writes.append(what)
    raise Refused(f"not allowed in a plugin's check: {what}")


def _shown(args: tuple[Any, ...]) -> str:
    return str(args[1] if len(args) > 1 and not isinstance(args[0], str) else args[0])[:80]


def _is_write(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return isinstance(flags, int) and bool(flags & _WRITES)


def _is_outside(place: Any) -> bool:
    """Whether a path is neither in the temporary folder, nor Python's own cache of bytecode, nor a device."""
    if isinstance(place, int) or place is None:
        return False  # a descriptor that is open already
    path = os.path.abspath(os.fsdecode(place))  # noqa: PTH100 - resolving links would open files within the hook
    return not (path.startswith((_up[-1].scratch + os.sep, "/dev/")) or "__pycache__" in path
                or path == _up[-1].scratch)

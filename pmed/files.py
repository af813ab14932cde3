"""Files are written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .errors import PmedError

CHUNK = 1 << 20
Data = bytes | Iterable[bytes]


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_whole(path: Path, data: Data) -> None:
    """Write one file, given whole or in pieces, by a temporary neighbour and a rename.

    Raises:
        PmedError: where the folder is missing or may not be written.
    """
    write_all({path: data})


def write_all(files: Mapping[Path, Data]) -> None:
    """Write several files, all of them or none: each beside its place first, then renamed.

    A place that is there and is no file (a pipe, ``/dev/null``) is written to: a rename would put a file in its place.

    Raises:
        PmedError: where a folder is missing or may not be written; nothing has changed then.
    """
    ready: dict[Path, Path] = {}
    place = Path()
    try:
        for place, data in files.items():
            ready[place] = _beside(place, data)
        for path, temporary in ready.items():
            place = path
            if path.exists() and not path.is_file() and not path.is_dir():
                with path.open("wb") as sink, temporary.open("rb") as source:
                    shutil.copyfileobj(source, sink)
            else:
                temporary.replace(path)
    except OSError as error:
        hint = "" if place.parent.is_dir() else "does the folder exist?"
        raise PmedError(f"cannot write: {error.strerror}", where=str(place), hint=hint) from error
    finally:
        for temporary in ready.values():
            temporary.unlink(missing_ok=True)


def _beside(path: Path, data: Data) -> Path:
    special = path.exists() and not path.is_file() and not path.is_dir()
    handle, name = tempfile.mkstemp(dir=None if special else path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
    except BaseException:
        temporary.unlink(missing_ok=True)  # half a file takes the room that a full disk lacks
        raise
    temporary.chmod(0o666 & ~_umask())
    return temporary


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which takes the place of `path` only when all went well.

    Raises:
        PmedError: where `path` is there already and is not empty.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise PmedError("is there already", where=str(path), hint="choose a new folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            path.rmdir()
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

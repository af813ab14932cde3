"""Files are written whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import PmedError

if TYPE_CHECKING:
    import polars as pl

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
        temporary.chmod(0o666 & ~_umask())
    except BaseException:  # a full disk, Ctrl-C: what is there by then is of a patient, and nobody would look for it
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame into a folder that is being filled; of a full disk polars itself makes no ``OSError``."""
    sink = io.BytesIO()
    frame.write_parquet(sink)
    path.write_bytes(sink.getbuffer())


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which takes the place of `path` only when all went well.

    Raises:
        PmedError: where `path` is there already and is not empty, or it cannot be made or filled.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise PmedError("is there already", where=str(path), hint="choose a new folder")
    temporary = _new_folder(path)
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            path.rmdir()
        temporary.replace(path)
    except OSError as error:
        # polars gives the words of the system without a number, and so without strerror
        raise PmedError(f"cannot write: {error.strerror or error}", where=str(path)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _new_folder(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise PmedError(f"cannot be made: {error.strerror}", where=str(path)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

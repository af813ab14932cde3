"""The files of a FHIR record: which there are, and their bytes, plain or gzipped."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import HistoryError

EXPORT_HINT = "export the record as a FHIR R4 bundle in JSON, or as NDJSON"
LINES = (".ndjson", ".jsonl")
_DOCUMENTS = (".json",)
_BROKEN = (OSError, EOFError, zlib.error)
_HEAD = 4096
_CHUNK = 1 << 22


def is_lines(path: Path) -> bool:
    """Whether each line of the file is a resource, by its name."""
    return _plain(path).endswith(LINES)


def is_record(path: Path, *, sure: bool = False) -> bool:
    """A JSON or NDJSON file that begins like an object; where `sure`, like a FHIR resource."""
    if not _plain(path).endswith((*LINES, *_DOCUMENTS)) or not path.is_file():
        return False
    try:
        with opened(path) as file:
            head = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    except _BROKEN:
        return True  # the reader says what is wrong with it
    return head.startswith(b"{") and (not sure or b'"resourceType"' in head)


def inside(folder: Path) -> list[Path]:
    """The JSON and NDJSON files of a folder, by name; hidden ones and those of folders in it are left alone."""
    return sorted(path for path in folder.iterdir()
                  if _plain(path).endswith((*LINES, *_DOCUMENTS)) and not path.name.startswith(".") and path.is_file())


def _plain(path: Path) -> str:
    return path.name.lower().removesuffix(".gz")


def opened(path: Path) -> BinaryIO:
    """The file, unpacked while it is read."""
    return cast("BinaryIO", gzip.open(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def content(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        HistoryError: it cannot be read, or is empty.
    """
    if not path.exists():
        raise HistoryError("no such file", where=str(path))
    try:
        with opened(path) as file:
            found = file.read()
    except _BROKEN as error:
        raise _unreadable(path, error) from error
    if not found or found.isspace():
        raise HistoryError("the file is empty", where=str(path), hint=EXPORT_HINT)
    return found


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines with something in them, from 1. Only a piece of the file is in memory.

    Raises:
        HistoryError: it cannot be read, or no more of it.
    """
    try:
        with opened(path) as file:
            yield from _lines(file)
    except _BROKEN as error:
        raise _unreadable(path, error) from error


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number, rest = 1, [b""]
    while chunk := file.read(_CHUNK):
        if chunk.isspace() and not rest[-1]:  # millions of empty lines are no lines
            number += chunk.count(b"\n")
            continue
        first, *more = chunk.split(b"\n")
        rest.append(first)
        for line in more:
            whole = b"".join(rest)
            if whole and not whole.isspace():
                yield number, whole.removeprefix(b"\xef\xbb\xbf")
            number, rest = number + 1, [line]
    whole = b"".join(rest)
    if whole and not whole.isspace():
        yield number, whole.removeprefix(b"\xef\xbb\xbf")


def _unreadable(path: Path, error: Exception) -> HistoryError:
    """One line for a file that the system or gzip will not give."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else "the gzip file is damaged or cut off"
    return HistoryError(f"cannot be read: {said}", where=str(path))

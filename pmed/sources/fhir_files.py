"""The files of a FHIR record: which there are, and their bytes, plain or gzipped."""

from __future__ import annotations

import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import HistoryError

EXPORT_HINT = "export the record as a FHIR R4 bundle in JSON, or as NDJSON"
LINES = (".ndjson", ".jsonl")
UNPACKED = ".fhir-unpacked"  # of a folder with an unpacked copy, whose name is still that of the file
_DOCUMENTS = (".json",)
_BROKEN = (OSError, EOFError, zlib.error)
_HEAD = 4096
_BUNDLE = re.compile(rb'"resourceType"\s*:\s*"Bundle"')
_CHUNK = 1 << 17  # larger ones, once decoded, are not in the cache of the processor any more when they become rows


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


def is_bundle(path: Path) -> bool:
    """Whether it is one bundle, or cannot be read at all, by its first bytes."""
    if not _plain(path).endswith(_DOCUMENTS):
        return False
    try:
        with opened(path) as file:
            head = file.read(_HEAD)
    except _BROKEN:
        return True  # the reader says what is wrong with it
    return _BUNDLE.search(head) is not None


def inside(folder: Path) -> list[Path]:
    """The JSON and NDJSON files of a folder, by name; hidden ones and those of folders in it are left alone."""
    return sorted(path for path in folder.iterdir()
                  if _plain(path).endswith((*LINES, *_DOCUMENTS)) and not path.name.startswith(".") and path.is_file())


def is_packed(path: Path) -> bool:
    """Whether it is gzipped, so that it can be read from its beginning only."""
    return path.name.lower().endswith(".gz") and path.parent.suffix != UNPACKED


def _plain(path: Path) -> str:
    return path.name.lower().removesuffix(".gz")


def opened(path: Path) -> BinaryIO:
    """The file, unpacked while it is read."""
    return cast("BinaryIO", gzip.open(path)) if is_packed(path) else path.open("rb")


def unpacked(path: Path) -> Iterator[bytes]:
    """The file's bytes, some at a time.

    Raises:
        HistoryError: it cannot be read, or no more of it.
    """
    try:
        with opened(path) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except _BROKEN as error:
        raise _unreadable(path, error) from error


def opened_as_far(path: Path, most: int) -> bytes:
    """The file's bytes as far as they can be read, at most so many."""
    found = bytearray()
    try:
        with opened(path) as file:
            while len(found) < most and (chunk := cast("io.BufferedReader", file).read1(_CHUNK)):
                found += chunk
    except _BROKEN:  # what was read before is wanted
        return bytes(found[:most])
    return bytes(found[:most])


def content(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        HistoryError: it cannot be read, or is empty.
    """
    try:
        with opened(path) as file:
            found = file.read()
    except FileNotFoundError as error:
        raise HistoryError("no such file", where=str(path)) from error
    except _BROKEN as error:
        raise _unreadable(path, error) from error
    if not found or found.isspace():
        raise HistoryError("the file is empty", where=str(path), hint=EXPORT_HINT)
    return found


@dataclass(frozen=True)
class Span:
    """Whole lines of an NDJSON file from byte `start` up to `end` (None: to its end).

    `number` is that of the first line, `lines` how many there are, once they are counted.
    """

    start: int = 0
    end: int | None = None
    number: int = 1
    lines: int = 0


WHOLE = Span()


def blocks(path: Path, span: Span = WHOLE) -> Iterator[tuple[Span, bytes]]:
    """Whole lines, some hundred kB of them at a time, and where they are. Only a piece of the file is in memory.

    Raises:
        HistoryError: it cannot be read, or no more of it.
    """
    try:
        with opened(path) as file:
            if span.start:
                file.seek(span.start)
            yield from _blocks(file, span)
    except _BROKEN as error:
        raise _unreadable(path, error) from error


def lines_before(path: Path, end: int) -> int:
    """How many lines end before a byte."""
    return sum(span.lines for span, _ in blocks(path, Span(0, end))) if end else 0


def line_after(path: Path, place: int) -> int:
    """Where the first line that begins at a byte, or after it, begins."""
    with path.open("rb") as file:
        file.seek(max(place - 1, 0))
        if place:
            file.readline()
        return file.tell()


def lines_of(number: int, block: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a block with something in them; `number` is the first's."""
    if block.isspace():  # millions of empty lines are no lines
        return
    for offset, line in enumerate(block.split(b"\n")):
        if line and not line.isspace():
            yield number + offset, line.removeprefix(b"\xef\xbb\xbf")


def _blocks(file: BinaryIO, span: Span) -> Iterator[tuple[Span, bytes]]:
    number, start, position, parts = span.number, span.start, span.start, list[bytes]()
    end = sys.maxsize if span.end is None else span.end
    while chunk := file.read(min(_CHUNK, end - position)):
        position += len(chunk)
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            block, after = b"".join((*parts, head)) if parts else head, position - len(tail)
            lines = _lines(block)
            yield Span(start, after, number, lines), block
            number, start, parts = number + lines, after, []
        if tail and (parts or not tail.isspace()):  # millions of blanks before a line are not kept
            parts.append(tail)
    if parts:
        block = b"".join(parts)
        yield Span(start, position, number, _lines(block)), block


def _lines(block: bytes) -> int:
    """How many lines a block has, the last one without its end: a quarter of the time that counting bytes takes."""
    return len(io.BytesIO(block).readlines()) + (not block or block.endswith(b"\n"))


def _unreadable(path: Path, error: Exception) -> HistoryError:
    """One line for a file that the system or gzip will not give."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else "the gzip file is damaged or cut off"
    return HistoryError(f"cannot be read: {said}", where=str(path))

"""Much NDJSON in parts of some people each, so that only the rows of one part need be in memory.

A part is a small file that says which lines of which files it is about; they stay where they are, and what is told of
them names the file and line as ever. Only gzipped files, which can be read from their beginning only, are unpacked.
Lines are handed out by whom they are about. Medicines, which many may refer to, are in every part; what is about
nobody, or cannot be read, is in the first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

import msgspec

from ..files import write_whole
from .fhir_decoded import BEGIN
from .fhir_files import UNPACKED, Span, blocks, inside, is_lines, is_packed, unpacked
from .fhir_lines import LineReading
from .fhir_resource import UNREADABLE
from .fhir_shares import kind_at_begin
from .fhir_types import Reference
from .fhir_wanted import PASSED_OVER

_SUFFIX = ".fhir-part"
_FIRST, _EVERY = 0, -1  # numbers of parts
_PACKING = 40  # so many times longer than it looks a gzipped file of lines is at the most
_APART = {"Patient", "Medication", None}


class _Line(msgspec.Struct, rename="camel", gc=False):
    """Whom a resource is about."""

    resource_type: str | None = None
    id: str | None = None
    subject: Reference | None = None
    patient: Reference | None = None


class _Run(msgspec.Struct, array_like=True, gc=False):
    """Whole lines of a file from byte `start` to `end`.

    `number` is that of the first; `first` where patients or medicines, or lines that cannot be read, are among them.
    """

    start: int
    end: int
    number: int
    first: bool


class _Lines(msgspec.Struct):
    """Of one file the lines of a part, in order."""

    path: str
    runs: list[_Run]


def is_part(path: Path) -> bool:
    """Whether the file is a part, by its name."""
    return path.suffix == _SUFFIX


def readings(part: Path) -> Iterator[LineReading]:
    """The lines of a part."""
    for file in msgspec.json.decode(part.read_bytes(), type=list[_Lines]):
        for run in file.runs:
            yield LineReading(Path(file.path), span=Span(run.start, run.end, run.number), without_first=not run.first)


def parted(paths: Iterable[Path], folder: Path, size: int) -> list[Path]:
    """Write parts of about `size` bytes into a folder; none where the files are smaller, or cannot be parted.

    Bundles are read one by one anyhow.

    Raises:
        HistoryError: a file cannot be read.
        PmedError: there is no room for a gzipped file's lines.
    """
    files = [file for path in paths for file in (inside(path) if path.is_dir() else [path])]
    if not files or not all(is_lines(file) and file.is_file() for file in files):
        return []
    if sum(file.stat().st_size * (_PACKING if is_packed(file) else 1) for file in files) <= size:
        return []
    files = [_plain(file, folder / f"{number:05}{UNPACKED}") for number, file in enumerate(files)]
    many = -(-sum(file.stat().st_size for file in files) // size)
    # A file of an export holds one type. Patients that are met elsewhere are in some part, with all that is theirs.
    people = _people([one for one in files if kind_at_begin(one) == "Patient"] or files) if many > 1 else {}
    many = min(many, len(people) // 2)  # what is wrong with a resource of nobody is told of the only patient
    if many < 2:
        return []
    place = {name: number * many // len(people) for number, name in enumerate(people)}
    runs = [_runs(file, place, many) for file in files]
    if None in runs:
        return []
    made = []
    for part in range(many):
        lines = [_Lines(str(file), mine[part]) for file, mine in zip(files, runs, strict=True) if mine and mine[part]]
        made.append(folder / f"{part:05}{_SUFFIX}")
        write_whole(made[-1], msgspec.json.encode(lines))
    return made


def _plain(file: Path, folder: Path) -> Path:
    """The file, or an unpacked copy in a new folder."""
    if not is_packed(file):
        return file
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / file.name, unpacked(file))
    return folder / file.name


def _people(files: Sequence[Path]) -> dict[str, None]:
    """The ids of all patients, in order."""
    found: dict[str, None] = {}
    for file in files:
        for span, block in blocks(file):
            if b'"Patient"' in block:
                found |= {one.id: None for one in _decoded(span, block)
                          if one and one.resource_type == "Patient" and one.id}
    return found


def _runs(file: Path, place: Mapping[str, int], many: int) -> list[list[_Run]] | None:
    """The runs of each part; None where blanks between lines hide where these begin."""
    found: list[list[_Run]] = [[] for _ in range(many)]
    for span, block in blocks(file):
        if span.end is None or not 0 <= span.end - span.start - len(block) <= 1:
            return None
        for number, run in _parts_of(span, block, place, many):
            for mine in found if number == _EVERY else (found[number],):
                if mine and (mine[-1].end, mine[-1].first) == (run.start, run.first):
                    mine[-1].end = run.end
                else:
                    mine.append(_Run(run.start, run.end, run.number, run.first))
    return found


def _parts_of(span: Span, block: bytes, place: Mapping[str, int], many: int) -> Iterator[tuple[int, _Run]]:
    """The runs of a block and the part of each; none of what no table wants."""
    if _is_passed_over(block):
        return
    lines = _decoded(span, block)
    whole = _Run(span.start, span.end or 0, span.number, first=False)
    if (one := _of_one(lines, place)) is not None:
        yield one, whole
        return
    whole.first = any(line is None or line.resource_type in _APART for line in lines)
    numbers = [_part(line, place, many) for line in lines]
    if len(set(numbers)) == 1:
        yield numbers[0], whole
        return
    starts = [*accumulate((len(line) + 1 for line in block.split(b"\n")), initial=span.start)]
    starts[-1] = span.end or 0
    for number, some in groupby(range(len(numbers)), numbers.__getitem__):
        each = [*some]
        yield number, _Run(starts[each[0]], starts[each[-1] + 1], span.number + each[0], whole.first)


def _is_passed_over(block: bytes) -> bool:
    """Whether all lines begin as resources that are passed over: claims are half of many an export."""
    return _is_unwanted(block) and all(map(_is_unwanted, block.split(b"\n")))


def _is_unwanted(line: bytes) -> bool:
    begin = BEGIN.match(line)
    return begin is not None and begin[1].decode() in PASSED_OVER


def _of_one(lines: Sequence[Any], place: Mapping[str, int]) -> int | None:
    """The part of all the lines, where they are about known patients of one part, as in nearly every block."""
    try:
        kinds, names = ({one.resource_type for one in lines},
                        {(one.subject or one.patient).reference or "" for one in lines})
    except AttributeError:  # a line that cannot be read, or is about nobody
        return None
    found = {place.get(name.rpartition("/")[2]) for name in names}
    return found.pop() if len(found) == 1 and kinds.isdisjoint(_APART) else None


def _part(line: _Line | None, place: Mapping[str, int], many: int) -> int:
    if line is None:
        return _FIRST
    if line.resource_type == "Medication":
        return _EVERY
    whose = line.subject or line.patient
    name = line.id if line.resource_type == "Patient" else whose.reference if whose else None
    if not name:
        return _FIRST
    if (known := place.get(name)) is None:
        name = name.partition("/_history/")[0].rpartition("/")[2].removeprefix("urn:uuid:")
        # Nobody that is known: wherever he is, all of his is together.
        known = place.get(name, zlib.crc32(name.encode()) % many)
    return known


def _decoded(span: Span, block: bytes) -> list[_Line | None]:
    """Each line; None where it cannot be read."""
    try:
        found: list[Any] = _decoder().decode_lines(block)
    except UNREADABLE:
        found = []
    return found if len(found) == span.lines else [_line(one) for one in block.split(b"\n")]


def _line(text: bytes) -> _Line | None:
    try:
        return _decoder().decode(text.removeprefix(b"\xef\xbb\xbf"))
    except UNREADABLE:
        return None


@cache
def _decoder() -> msgspec.json.Decoder[_Line]:
    return msgspec.json.Decoder(_Line)

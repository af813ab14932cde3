"""Much NDJSON in parts of some people each, so that only the rows of one part need be in memory.

A part is a small file that says which lines of which files it is about; they stay where they are, and what is told of
them names the file and line as ever. Only gzipped files, which can be read from their beginning only, are unpacked.
Lines are handed out by whom they are about. Medicines, which many may refer to, are in every part; what is about
nobody, or cannot be read, is in the first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import Any

import msgspec

from ..files import write_whole
from .fhir_decoded import is_passed_over
from .fhir_files import UNPACKED, Span, blocks, inside, is_lines, is_packed, line_after, unpacked
from .fhir_lines import LineReading, kind_at_begin
from .fhir_resource import UNREADABLE
from .fhir_types import Reference

_SUFFIX, _PIECE, _PLAN = ".fhir-part", ".fhir-piece", "plan.json"
_BYTES = 1 << 26  # of a piece
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


class _Plan(msgspec.Struct):
    """Files that are gone through, how many parts there are, and the part of each patient."""

    files: list[str]
    many: int
    place: dict[str, int]


class _Piece(msgspec.Struct):
    """Whole lines of a file."""

    path: str
    start: int
    end: int


class _Found(msgspec.Struct):
    """Of so many lines the runs of each part; not `known` where they cannot be told."""

    lines: int
    runs: list[list[_Run]]
    known: bool = True


def is_part(path: Path) -> bool:
    """Whether the file is a part, by its name."""
    return path.suffix == _SUFFIX


def readings(part: Path) -> Iterator[LineReading]:
    """The lines of a part."""
    for file in msgspec.json.decode(part.read_bytes(), type=list[_Lines]):
        for run in file.runs:
            yield LineReading(Path(file.path), span=Span(run.start, run.end, run.number), without_first=not run.first)


def pieces(paths: Iterable[Path], folder: Path, size: int) -> list[Path]:
    """What `parted` has to go through, in files of the folder that `go_through` takes in any order and process.

    None where nothing is to be parted. Raises as `parted`.
    """
    plan = _planned(paths, folder, size)
    made = []
    for number, file in enumerate(plan.files if plan else ()):
        for start, end in pairwise(_cuts(Path(file))):
            made.append(folder / f"{number:05}-{start:012}{_PIECE}")
            write_whole(made[-1], msgspec.json.encode(_Piece(file, start, end)))
    return made


def go_through(piece: Path) -> None:
    """Find which lines of a piece are for which part, and note it beside the piece."""
    if _found_in(piece).is_file():
        return
    one, plan = msgspec.json.decode(piece.read_bytes(), type=_Piece), _plan_of(piece.parent / _PLAN)
    found = _gone_through(Path(one.path), Span(one.start, one.end), plan)
    write_whole(_found_in(piece), msgspec.json.encode(found))


def parted(paths: Iterable[Path], folder: Path, size: int) -> list[Path]:
    """Write parts of about `size` bytes into a folder; none where the files are smaller, or cannot be parted.

    Bundles are read one by one anyhow.

    Raises:
        HistoryError: a file cannot be read.
        PmedError: there is no room for a gzipped file's lines.
    """
    found: dict[str, _Found] = {}
    given = pieces(paths, folder, size)
    for piece in given:
        go_through(piece)
        file = msgspec.json.decode(piece.read_bytes(), type=_Piece).path
        more = msgspec.json.decode(_found_in(piece).read_bytes(), type=_Found)
        found[file] = _joined(found[file], more) if file in found else more
    parts = [*zip(*([(file, runs) for runs in one.runs] for file, one in found.items()), strict=True)
             ] if all(one.known for one in found.values()) else []
    made = [folder / f"{number:05}{_SUFFIX}" for number in range(len(parts))]
    for path, part in zip(made, parts, strict=True):
        write_whole(path, msgspec.json.encode([_Lines(file, runs) for file, runs in part if runs]))
    for path in (folder / _PLAN, *given, *map(_found_in, given)):
        path.unlink(missing_ok=True)
    return made


def _planned(paths: Iterable[Path], folder: Path, size: int) -> _Plan | None:
    """Which files are gone through and who is in which part; None where nothing is to be parted."""
    if (kept := folder / _PLAN).is_file():
        return _plan_of(kept)
    files = [file for path in paths for file in (inside(path) if path.is_dir() else [path])]
    if not files or not all(is_lines(file) and file.is_file() for file in files):
        return None
    if sum(file.stat().st_size * (_PACKING if is_packed(file) else 1) for file in files) <= size:
        return None
    files = [_plain(file, folder / f"{number:05}{UNPACKED}") for number, file in enumerate(files)]
    many = -(-sum(file.stat().st_size for file in files) // size)
    # A file of an export holds one type. Patients that are met elsewhere are in some part, with all that is theirs.
    people = _people([one for one in files if kind_at_begin(one) == "Patient"] or files) if many > 1 else {}
    many = min(many, len(people) // 2)  # what is wrong with a resource of nobody is told of the only patient
    if many < 2:
        return None
    plan = _Plan([*map(str, files)], many, {name: number * many // len(people) for number, name in enumerate(people)})
    write_whole(kept, msgspec.json.encode(plan))
    return plan


def _plan_of(path: Path) -> _Plan:
    return _decoded_plan(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _decoded_plan(path: Path, _written: int) -> _Plan:
    """As a process needs it for one piece after the other: there may be a million patients."""
    return msgspec.json.decode(path.read_bytes(), type=_Plan)


def _found_in(piece: Path) -> Path:
    return piece.with_suffix(".found")


def _cuts(file: Path) -> list[int]:
    """Where the pieces of a file begin and end, all at a line's beginning."""
    size = file.stat().st_size
    return sorted({0, *(line_after(file, place) for place in range(_BYTES, size, _BYTES)), size})


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


def _gone_through(file: Path, where: Span, plan: _Plan) -> _Found:
    """The runs of each part, lines counted from where it begins; not known where blanks hide where lines begin."""
    found, lines = _Found(0, [[] for _ in range(plan.many)]), 0
    for span, block in blocks(file, where):
        if span.end is None or not 0 <= span.end - span.start - len(block) <= 1:
            return _Found(0, [], known=False)
        for number, run in _parts_of(span, block, plan.place, plan.many):
            for mine in found.runs if number == _EVERY else (found.runs[number],):
                _append(mine, run)
        lines = span.number + span.lines - where.number
    found.lines = lines
    return found


def _joined(before: _Found, after: _Found) -> _Found:
    """What was found in two pieces of a file, the one behind the other."""
    if not before.known or not after.known:
        return _Found(0, [], known=False)
    for mine, more in zip(before.runs, after.runs, strict=True):
        for run in more:
            run.number += before.lines
            _append(mine, run)
    before.lines += after.lines
    return before


def _append(runs: list[_Run], run: _Run) -> None:
    """Add a run, or make the last one longer by it."""
    if runs and (runs[-1].end, runs[-1].first) == (run.start, run.first):
        runs[-1].end = run.end
    else:
        runs.append(_Run(run.start, run.end, run.number, run.first))


def _parts_of(span: Span, block: bytes, place: Mapping[str, int], many: int) -> Iterator[tuple[int, _Run]]:
    """The runs of a block and the part of each; none of what no table wants."""
    if is_passed_over(block):
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

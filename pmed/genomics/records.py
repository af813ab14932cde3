"""The records of a VCF or BCF file that say something of the positions asked for.

With an index the regions are merged and fetched; without one the file is read once, block by block, and only the
lines that reach a wanted position are split. htslib unpacks and seeks; no ``VariantRecord`` is made of VCF text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam

from pmed.errors import GenomeError

from .alleles import with_chr
from .blocks import Block, Bools, Ints, blocks, numbers
from .calls import Calls
from .files import is_bgzf, quiet_htslib
from .header import Header
from .syntax import Fault, contig_fault, record_faults

Positions = Mapping[str, Sequence[int]]

# Regions nearer than this are fetched as one: unpacking a little more is cheaper than another seek.
_GAP = 4_000
_INDEXES = (".tbi", ".csi")
# An index so many seconds older than its file is of another file; copying a folder takes its time.
_STALE = 60
# What htslib raises through pysam where a file or an index is damaged.
_BROKEN = (OSError, ValueError, AssertionError, NotImplementedError)
_END = re.compile(r"(?:^|;)END=(\d+)")
_LENGTH = re.compile(r"(?:^|;)SVLEN=([-+\d.,]+)")
_REFERENCE = ("<NON_REF>", "<*>")
_END_TAG = np.frombuffer(b"END=", dtype=np.uint8)


@dataclass(frozen=True)
class Record:
    """One record; alleles in upper case, contig with 'chr', sample columns still as bytes or, of no text, decoded.

    `last` is the last position it says something about: the end of REF, or where END, SVLEN or LEN say so.
    """

    number: int
    where: str
    chrom: str
    pos: int
    ids: tuple[str, ...]
    ref: str
    alts: tuple[str, ...]
    filter: str | None
    format: str
    calls: bytes | Calls
    last: int

    @property
    def end(self) -> int:
        """Last position of REF, 1-based."""
        return self.pos + len(self.ref) - 1

    @property
    def is_block(self) -> bool:
        """A stretch of reference, as in a gVCF: no ALT but "any other", over more than REF."""
        return self.last > self.end and all(alt in _REFERENCE for alt in self.alts)


@dataclass
class Read:
    """What was read of one file: records in file order, every contig that has a record at all, and faults.

    `contigs` have their names with 'chr', `written` are the same as the file writes them.
    """

    records: list[Record] = field(default_factory=list)
    contigs: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def saw(self, contigs: Iterable[str]) -> None:
        """Remember contigs that have a record."""
        names = set(contigs)
        self.written |= names
        self.contigs |= {with_chr(name) for name in names}

    def leave_out(self, foreign: Set[str]) -> None:
        """Forget contigs, as the file writes them, that are another sequence than ours."""
        names = {with_chr(contig) for contig in foreign & self.written}
        self.contigs -= names
        self.records = [record for record in self.records if record.chrom not in names]


class _Line(NamedTuple):
    where: str
    number: int
    text: bytes


def read_records(header: Header, wanted: Positions) -> Read:
    """The records that reach a wanted position.

    Raises:
        GenomeError: the file breaks off, or a line there is malformed.
    """
    read = Read()
    lines = _bcf(header, wanted, read) if header.kind == "bcf" else _indexed(header.path, wanted, read)
    if lines is None:
        lines = _streamed(header, wanted, read)
    for line in lines:
        parts = line.text.split(b"\t", 9)
        record = _record(parts, line.number, f"{header.path} {line.where}", wanted)
        if record is not None:
            read.records.append(record)
            read.faults += (Fault(record.where, *found) for found in record_faults(
                record.ref, record.alts, record.filter, record.format, record.where))
    return read


def _record(parts: list[bytes], number: int, where: str, wanted: Positions) -> Record | None:
    """Parse one line's columns, or None if the record reaches nothing wanted."""
    chrom, pos, last = with_chr(_text(parts[0])), _position(parts, where), _last(parts)
    here = wanted.get(chrom, ())
    first = bisect_left(here, pos)
    if first == len(here) or here[first] > last:
        return None
    if len(parts) < 10:
        raise GenomeError(f"the record has {len(parts)} columns, where at least 10 are expected", where=where)
    ids, ref, alts, flt, form = (_text(parts[i]) for i in (2, 3, 4, 6, 8))
    if not ref or not alts:
        raise GenomeError("the record has no REF or no ALT", where=where)
    return Record(number, where, chrom, pos, tuple(ids.split(";")), ref.upper(),
                  tuple(a.upper() for a in alts.split(",")) if alts != "." else (),
                  None if flt == "." else flt, form, parts[9], last)


def _position(parts: list[bytes], where: str) -> int:
    if len(parts) < 2 or not parts[1].isdigit():
        raise GenomeError("the record's POS is not a whole number", where=where)
    return int(parts[1])


def _last(parts: list[bytes]) -> int:
    """Last position that a record with a readable POS says something about (VCF 4.5, sections 1.4.5 and 1.6.1)."""
    pos, end = int(parts[1]), 0
    last = pos + max(len(parts[3]) if len(parts) > 3 else 1, 1) - 1
    if len(parts) < 8 or not (b"<" in parts[4] or parts[4] == b"."):
        return last
    info = _text(parts[7])
    if found := _END.search(info):
        end = int(found[1])
    elif (found := _LENGTH.search(info)) and not parts[4].startswith(b"<INS"):
        end = pos + max((abs(int(n)) for n in found[1].split(",") if n.lstrip("+-").isdigit()), default=0)
    if len(parts) > 9 and b"LEN" in (keys := parts[8].split(b":")):
        cells = (cell.split(b":") for cell in parts[9].split(b"\t"))
        lengths = (cell[keys.index(b"LEN")] for cell in cells if len(cell) > keys.index(b"LEN"))
        end = max(end, pos - 1 + max((int(n) for n in lengths if n.isdigit()), default=0))
    return max(last, end)


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _streamed(header: Header, wanted: Positions, read: Read) -> Iterator[_Line]:
    """Every line that may reach a wanted position, with its place and record number."""
    places = {chrom: np.array(here, dtype=np.int64) for chrom, here in wanted.items()}
    lengths = any(row.get("ID") in ("SVLEN", "LEN") for key in ("INFO", "FORMAT") for row in header.structured(key))
    order, before = _Order(), 0
    for block in blocks(header.path):
        rank = before + np.cumsum(block.is_record)
        for contig, first, last in block.contigs():
            if block.is_record[first]:
                name = with_chr(_text(contig))
                if _text(contig) not in read.written and (text := contig_fault(_text(contig))):
                    read.faults.append(Fault(f"line {block.number + first}", "contig-malformed", text))
                read.saw([_text(contig)])
                read.faults += order.faults(name, block, first, last)
                for line in _picked(block, first, last, places.get(name), lengths=lengths):
                    yield _Line(f"line {block.number + line}", int(rank[line]), block.line(line))
        before = int(rank[-1]) if len(rank) else before
        if block.is_cut:
            read.faults.append(Fault(f"line {block.number + len(block.ends) - 1}", "no-final-newline",
                                     "the last line has no line end: the file may be cut off"))


def _picked(block: Block, first: int, last: int, places: Ints | None, *, lengths: bool) -> list[int]:
    """The lines of one contig's run that reach one of `places`, or may do so."""
    if places is None or not len(places):
        return []
    run = slice(first, last)
    pos, ends = block.pos[run], _ends(block, run, lengths=lengths)
    nearest = places[np.minimum(np.searchsorted(places, pos), len(places) - 1)]
    # A line without a readable position could be one that is needed: it is kept, and refused when parsed.
    hit = (pos < 0) | ((nearest >= pos) & (nearest <= ends))
    return [int(line) for line in first + np.flatnonzero(hit & block.is_record[run])]


def _ends(block: Block, run: slice, *, lengths: bool) -> Ints:
    """(lines,) last position that each record of a run says something about."""
    begin, end = (offsets[run] for offsets in block.column(3))
    ends: Ints = block.pos[run] + np.maximum(end - begin, 1) - 1
    open_ended = _open_ended(block, run)
    if open_ended.any():
        ends = np.maximum(ends, np.where(open_ended, _end_tags(block)[run], 0))
        if lengths:  # SVLEN and LEN are rare: read one by one
            for line in np.flatnonzero(open_ended & (block.pos[run] >= 0)):
                ends[line] = max(ends[line], _last(block.line(run.start + int(line)).split(b"\t", 9)))
    return ends


def _open_ended(block: Block, run: slice) -> Bools:
    """(lines,) records whose ALT is symbolic or missing, and which so may say something beyond their REF."""
    begin, end = (offsets[run] for offsets in block.column(4))
    missing = (end - begin == 1) & (block.data[begin] == ord("."))
    angles = np.searchsorted(block.angles, begin)
    symbolic = angles < np.searchsorted(block.angles, end)
    return np.asarray(missing | symbolic)


def _end_tags(block: Block) -> Ints:
    """(lines,) the number after ``END=`` in INFO, 0 where there is none."""
    data = block.data
    at = np.flatnonzero(data[:-4] == _END_TAG[0])
    for place in (1, 2, 3):
        at = at[data[at + place] == _END_TAG[place]]
    at = at[np.isin(data[at - 1], (ord("\t"), ord(";")))]
    line = np.searchsorted(block.starts, at, side="right") - 1
    begin, stop = block.column(7)
    inside = (at >= begin[line]) & (at < stop[line])
    at, line = at[inside] + 4, line[inside]
    found = np.zeros(len(block.starts), dtype=np.int64)
    cells = data[at[:, None] + np.arange(10)]
    width = np.logical_and.accumulate((cells >= ord("0")) & (cells <= ord("9")), axis=1).sum(axis=1)
    np.maximum.at(found, line, numbers(data, at, at + width))
    return found


class _Order:
    """Whether contigs come in one piece and positions ascend; each kind of fault is told once."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.chrom, self.pos = "", 0
        self.told: set[str] = set()

    def faults(self, chrom: str, block: Block, first: int, last: int) -> Iterator[Fault]:
        """What is wrong in one run of a contig."""
        pos = block.pos[first:last]
        back = np.flatnonzero(np.diff(pos, prepend=self.pos if chrom == self.chrom else 0) < 0)
        if chrom != self.chrom and chrom in self.seen:
            yield from self._once("contig-scattered", block.number + first, f"{chrom} comes in more than one piece")
        if len(back):
            yield from self._once("unsorted", block.number + first + int(back[0]), "positions do not ascend")
        self.seen.add(chrom)
        self.chrom, self.pos = chrom, int(pos[-1])

    def _once(self, code: str, line: int, text: str) -> Iterator[Fault]:
        if code not in self.told:
            self.told.add(code)
            yield Fault(f"line {line}", code, f"{text}: the file is not sorted; it was read all the same")


def _index_of(path: Path, read: Read) -> Path | None:
    """The file's index; None where there is none, or one that was made of an older file."""
    for suffix in _INDEXES:
        index = path.with_name(path.name + suffix)
        if index.is_file():
            if index.stat().st_mtime + _STALE >= path.stat().st_mtime:
                return index
            read.faults.append(Fault("", "index-stale", f"{index.name} is older than the file: it was not used"))
    return None


def _indexed(path: Path, wanted: Positions, read: Read) -> Iterator[_Line] | None:
    """Every line of the merged regions, or None where there is no usable index."""
    if not is_bgzf(path) or _index_of(path, read) is None:
        return None
    try:
        with quiet_htslib():
            table = pysam.TabixFile(str(path), encoding="latin-1")
    except _BROKEN:
        return None  # the index cannot be used: one pass over the file gives the same records
    read.saw(table.contigs)
    return _fetch(table, path, wanted)


def _fetch(table: pysam.TabixFile, path: Path, wanted: Positions) -> Iterator[_Line]:
    with quiet_htslib(), table:
        yield from _each_once(table, table.contigs, path, wanted)


def _each_once(file: pysam.TabixFile | pysam.VariantFile, contigs: Sequence[str], path: Path,
               wanted: Positions) -> Iterator[_Line]:
    """The records of all regions; one that reaches into the next region too was given with the one before."""
    number = 0
    for contig in contigs:
        done = 0
        for start, end in _regions(wanted.get(with_chr(contig), ())):
            for line in _region(file, path, contig, start, end):
                if int(line.split(b"\t", 2)[1]) > done:
                    number += 1
                    yield _Line(f"record {number} of those read", number, line)
            done = end


def _region(file: pysam.TabixFile | pysam.VariantFile, path: Path, contig: str, start: int,
            end: int) -> Iterator[bytes]:
    try:
        for line in file.fetch(contig, start - 1, end):
            yield str(line).rstrip("\r\n").encode("latin-1", "replace")
    except _BROKEN as error:
        raise GenomeError(f"cannot be read near {contig}:{start}", where=str(path),
                          hint="the file or its index is damaged; index it again") from error


def _regions(here: Sequence[int]) -> list[tuple[int, int]]:
    """Positions merged into regions, 1-based and with both ends."""
    merged: list[tuple[int, int]] = []
    for pos in here:
        if merged and pos - merged[-1][1] <= _GAP:
            merged[-1] = (merged[-1][0], pos)
        else:
            merged.append((pos, pos))
    return merged


def _bcf(header: Header, wanted: Positions, read: Read) -> Iterator[_Line]:
    """The records of a BCF file as VCF text: of the merged regions where there is an index, else of one pass."""
    index = _index_of(header.path, read)
    try:
        with quiet_htslib(), pysam.VariantFile(str(header.path), index_filename=str(index) if index else None) as file:
            contigs = [str(name) for name in file.header.contigs]
            if index is None or file.index is None:
                yield from _bcf_scanned(file, wanted, read)
                return
            read.saw(name for name in contigs if next(iter(file.fetch(name)), None) is not None)
            yield from _each_once(file, contigs, header.path, wanted)
    except _BROKEN as error:
        raise GenomeError("cannot be read: a damaged BCF file", where=str(header.path),
                          hint="copy or convert it again") from error


def _bcf_scanned(file: pysam.VariantFile, wanted: Positions, read: Read) -> Iterator[_Line]:
    names: dict[str, str] = {}
    for number, record in enumerate(file, 1):
        chrom = names.setdefault(record.chrom, with_chr(record.chrom))
        read.saw([record.chrom])
        here = wanted.get(chrom, ())
        first = bisect_left(here, record.pos)
        # `stop` is POS + REF or END; a LEN of VCF 4.5 would not be in it, and BCF of 4.5 is not written yet.
        if first < len(here) and here[first] <= record.stop:
            yield _Line(f"record {number}", number, str(record).rstrip("\r\n").encode("latin-1", "replace"))

"""The records of a VCF or BCF file that say something of the positions asked for.

With an index the regions are merged and fetched; without one the file is read once, block by block, and only the
lines that reach a wanted position are split. htslib unpacks and seeks; no ``VariantRecord`` is made of VCF text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pmed.errors import GenomeError

from .alleles import with_chr
from .blocks import Block, Ints, blocks, last_position, tells_end_by_length
from .calls import Alike, Calls, Packed
from .coded import Coded
from .files import is_bgzf, pieces, quiet_htslib
from .header import Header
from .order import Order
from .reaches import Ends, suspects
from .structural import Stretches, breaks, is_suspect, may_be_elsewhere, neighbourhoods, overlaps, with_mate
from .syntax import Fault, record_faults

if TYPE_CHECKING:
    import pysam

Positions = Mapping[str, Sequence[int]]

# Regions nearer than this are fetched as one: unpacking a little more is cheaper than another seek.
_GAP = 4_000
_INDEXES = (".tbi", ".csi")
# An index so many seconds older than its file is of another file; copying a folder takes its time.
_STALE = 60
# What htslib raises through pysam where a file or an index is damaged.
_BROKEN = (OSError, ValueError, AssertionError, NotImplementedError)
_MOST_DIGITS = 10
# So many BGZF blocks (of 64 kB at most) of a file are looked at before its index is trusted.
_FIRST_BLOCKS = 16
# Sample columns of more bytes than this are kept packed until they are decoded.
_PACKED_FROM = 1 << 16
ANY_OTHER = ("<NON_REF>", "<*>")
_LENGTHS = (b"SVLEN=", b"LEN")


@dataclass(frozen=True)
class Record:
    """One record; alleles in upper case, contig with 'chr', sample columns as bytes (long ones packed) or decoded.

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
    calls: bytes | Calls | Packed | Alike | Coded
    last: int

    @property
    def end(self) -> int:
        """Last position of REF, 1-based."""
        return self.pos + len(self.ref) - 1

    @property
    def is_reference(self) -> bool:
        """It has no ALT of its own, at most "any other": it speaks of reference, as in a gVCF or at all sites."""
        return self._has_no_alt and not self.is_segment

    @property
    def _has_no_alt(self) -> bool:
        return all(alt in ANY_OTHER for alt in self.alts)

    @property
    def is_segment(self) -> bool:
        """A stretch with a copy number (CN) and no ALT, as copy-number callers write it: it says nothing of bases."""
        return self.last > self.end and self._has_no_alt and "CN" in self.format.split(":")

    @property
    def is_block(self) -> bool:
        """Such a record over more than its REF."""
        return self.last > self.end and self.is_reference


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


class _Places(NamedTuple):
    """Sorted positions by contig, and the stretches around them in which structural changes are told."""

    wanted: Positions
    near: Stretches


def read_records(header: Header, positions: Positions) -> Read:
    """The records that reach a wanted position, and structural changes around them.

    Raises:
        GenomeError: the file breaks off, or a line there is malformed.
    """
    read, wanted = Read(), _Places(positions, neighbourhoods(positions))
    lines = _bcf(header, wanted, read) if header.kind == "bcf" else _indexed(header, wanted, read)
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


def _record(parts: list[bytes], number: int, where: str, places: _Places) -> Record | None:
    """Parse one line's columns, or None if the record reaches nothing wanted."""
    chrom, pos = with_chr(_text(parts[0])), _position(parts, where)
    structural = len(parts) > 8 and is_suspect(parts[4], parts[8])
    if structural:
        parts[4] = with_mate(parts[4], parts[7])
    last = last_position(parts)
    here = places.wanted.get(chrom, ())
    first = bisect_left(here, pos)
    if (first == len(here) or here[first] > last) and not (structural and overlaps(
            breaks(chrom, pos, last, _alts(parts[4]), _text(parts[8])), places.near)):
        return None
    if len(parts) < 10:
        raise GenomeError(f"the record has {len(parts)} columns, where at least 10 are expected", where=where)
    ids, ref, alts, flt, form = (_text(parts[i]) for i in (2, 3, 4, 6, 8))
    if not ref or not alts:
        raise GenomeError("the record has no REF or no ALT", where=where)
    return Record(number, where, chrom, pos, tuple(ids.split(";")), ref.upper(),
                  _alts(parts[4]), None if flt == "." else flt, form,
                  Packed.of(parts[9]) if len(parts[9]) > _PACKED_FROM else parts[9], last)


def _alts(column: bytes) -> tuple[str, ...]:
    return tuple(_text(column).upper().split(",")) if column != b"." else ()


def _position(parts: list[bytes], where: str) -> int:
    if len(parts) < 2 or not (parts[1].isdigit() and len(parts[1]) <= _MOST_DIGITS):
        raise GenomeError("the record's POS is not a whole number", where=where)
    return int(parts[1])


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _streamed(header: Header, wanted: _Places, read: Read) -> Iterator[_Line]:
    """Every line that may reach a wanted position, with its place and record number."""
    places = {chrom: np.array(here, dtype=np.int64) for chrom, here in wanted.wanted.items()}
    order, before = Order("line"), 0
    for block in blocks(header.path):
        copies = any(row.get("ID") == "CN" for row in header.structured("FORMAT"))
        lengths = _LENGTHS if _has_lengths(header) else _LENGTHS[:1]
        rank, ends, odd = before + np.cumsum(block.is_record), Ends(block, lengths), suspects(block, copies=copies)
        for contig, first, last in block.contigs():
            if block.is_record[first]:
                if block.is_cut and last == len(block.ends):
                    _must_be_whole(block, header.path)
                lines = np.arange(block.number + first, block.number + last)
                read.faults += order.look(_text(contig), block.pos[first:last], lines)
                hits = _picked(block, first, last, places.get(with_chr(_text(contig))), ends)
                for line in _both(hits, odd[(odd >= first) & (odd < last)]) if len(odd) else hits:
                    yield _Line(f"line {block.number + line}", int(rank[line]), block.line(line))
        before = int(rank[-1]) if len(rank) else before
        if block.is_cut:
            read.faults.append(Fault(f"line {block.number + len(block.ends) - 1}", "no-final-newline",
                                     "the last line has no line end: the file may be cut off"))
    read.saw(order.written)


def _must_be_whole(block: Block, path: Path) -> None:
    """A last line without an end may be cut off inside a genotype: ``0/1`` becomes ``0``, one copy of reference."""
    line = block.line(len(block.ends) - 1)
    if not re.search(rb"\d[/|]", line.rpartition(b"\t")[2]):
        raise GenomeError("the last line has no line end and no second allele: the file is cut off",
                          where=f"{path} line {block.number + len(block.ends) - 1}", hint="copy or download it again")


def _has_lengths(header: Header) -> bool:
    """Whether records may say by SVLEN or LEN, and not by END, how far they reach."""
    return any(row.get("ID") in ("SVLEN", "LEN") for key in ("INFO", "FORMAT") for row in header.structured(key))


def _ends_untold(header: Header) -> bool:
    """Whether htslib, which knows END alone, cannot tell how far records reach: LEN, or SVLEN without END (VCF 4.5)."""
    named = {(key, row.get("ID")) for key in ("INFO", "FORMAT") for row in header.structured(key)}
    version = next(iter(header.values("fileformat")), "")
    return ("FORMAT", "LEN") in named or (
        ("INFO", "SVLEN") in named and (version >= "VCFv4.5" or ("INFO", "END") not in named))


def _lengths_alone(path: Path) -> bool:
    """Whether one of the first records tells by SVLEN alone how far it reaches: older programs' indexes miss those."""
    begin = b"".join(islice(pieces(path), _FIRST_BLOCKS))
    return b"SVLEN=" in begin and any(map(tells_end_by_length, begin.split(b"\n")))


def _picked(block: Block, first: int, last: int, places: Ints | None, ends: Ends) -> list[int]:
    """The lines of one contig's run that reach one of `places`, or may do so."""
    if places is None or not len(places):
        return []
    pos = block.pos[first:last]
    nearest = places[np.minimum(np.searchsorted(places, pos), len(places) - 1)]
    # A line without a readable position could be one that is needed: it is kept, and refused when parsed.
    hit = (pos < 0) | ((nearest >= pos) & (nearest <= ends.all[first:last]))
    return [int(line) for line in first + np.flatnonzero(hit & block.is_record[first:last])]


def _both(some: list[int], more: Ints) -> list[int]:
    return sorted({*some, *more.tolist()}) if len(more) else some


def _index_of(path: Path, read: Read) -> Path | None:
    """The file's index; None where there is none, or one that was made of an older file."""
    for suffix in _INDEXES:
        index = path.with_name(path.name + suffix)
        if index.is_file():
            if index.stat().st_mtime + _STALE >= path.stat().st_mtime:
                return index
            read.faults.append(Fault("", "index-stale", f"{index.name} is older than the file: it was not used"))
    return None


def _indexed(header: Header, wanted: _Places, read: Read) -> Iterator[_Line] | None:
    """Every line of the merged regions, or None where there is no usable index."""
    path = header.path
    if not is_bgzf(path) or _ends_untold(header) or may_be_elsewhere(header.meta) \
            or (index := _index_of(path, read)) is None or _lengths_alone(path):
        return None
    import pysam

    try:
        with quiet_htslib():
            table = pysam.TabixFile(str(path), index=str(index), encoding="latin-1")
    except _BROKEN:
        return None  # the index cannot be used: one pass over the file gives the same records
    read.saw(table.contigs)
    return _fetch(table, path, wanted)


def _fetch(table: pysam.TabixFile, path: Path, wanted: _Places) -> Iterator[_Line]:
    with quiet_htslib(), table:
        yield from _each_once(table, table.contigs, path, wanted)


def _each_once(file: pysam.TabixFile | pysam.VariantFile, contigs: Sequence[str], path: Path,
               places: _Places) -> Iterator[_Line]:
    """The records of all regions; one that reaches into the next region too was given with the one before.

    Structural changes that lie between the regions come last.
    """
    number, given = 0, set[bytes]()
    for contig in contigs:
        done = 0
        for start, end in _regions(places.wanted.get(with_chr(contig), ())):
            for line in _region(file, path, contig, start, end):
                if int(line.split(b"\t", 2)[1]) > done:
                    number += 1
                    yield _Line(f"record {number} of those read", number, line)
                    if _is_suspect(line):
                        given.add(line)
            done = end
    for contig in contigs:
        for start, end in places.near.get(with_chr(contig), ()):
            for line in _region(file, path, contig, start, end, structural=True):
                if line not in given:
                    number += 1
                    given.add(line)
                    yield _Line(f"record {number} of those read", number, line)


def _region(file: pysam.TabixFile | pysam.VariantFile, path: Path, contig: str, start: int, end: int, *,
            structural: bool = False) -> Iterator[bytes]:
    try:
        for line in file.fetch(contig, start - 1, end):
            text = str(line).rstrip("\r\n").encode("latin-1", "replace")
            if not structural or _is_suspect(text):
                yield text
    except _BROKEN as error:
        raise GenomeError(f"cannot be read near {contig}:{start}", where=str(path),
                          hint="the file or its index is damaged; index it again") from error


def _is_suspect(line: bytes) -> bool:
    parts = line.split(b"\t", 9)
    return len(parts) > 8 and is_suspect(parts[4], parts[8])


def _regions(here: Sequence[int]) -> list[tuple[int, int]]:
    """Positions merged into regions, 1-based and with both ends."""
    merged: list[tuple[int, int]] = []
    for pos in here:
        if merged and pos - merged[-1][1] <= _GAP:
            merged[-1] = (merged[-1][0], pos)
        else:
            merged.append((pos, pos))
    return merged


def _bcf(header: Header, wanted: _Places, read: Read) -> Iterator[_Line]:
    """The records of a BCF file as VCF text: of the merged regions where there is an index, else of one pass."""
    import pysam

    index = None if _ends_untold(header) or may_be_elsewhere(header.meta) else _index_of(header.path, read)
    try:
        with quiet_htslib(), pysam.VariantFile(str(header.path), index_filename=str(index) if index else None) as file:
            contigs = [str(name) for name in file.header.contigs]
            if index is None or file.index is None:
                yield from _bcf_scanned(file, wanted, read, one_by_one=_has_lengths(header))
                return
            read.saw(name for name in contigs if next(iter(file.fetch(name)), None) is not None)
            yield from _each_once(file, contigs, header.path, wanted)
    except _BROKEN as error:
        raise GenomeError("cannot be read: a damaged BCF file", where=str(header.path),
                          hint="copy or convert it again") from error


def _bcf_scanned(file: pysam.VariantFile, places: _Places, read: Read, *, one_by_one: bool) -> Iterator[_Line]:
    names: dict[str, str] = {}
    for number, record in enumerate(file, 1):
        chrom = names.setdefault(record.chrom, with_chr(record.chrom))
        read.saw([record.chrom])
        here = places.wanted.get(chrom, ())
        first = bisect_left(here, record.pos)
        # `stop` is POS + REF or END; where SVLEN or LEN may say more, the record has the last word when it is parsed.
        if (first < len(here) and (here[first] <= record.stop or one_by_one)) \
                or is_suspect(",".join(record.alts or (".",)).encode(), b"CN" if "CN" in record.format else b""):
            yield _Line(f"record {number}", number, str(record).rstrip("\r\n").encode("latin-1", "replace"))

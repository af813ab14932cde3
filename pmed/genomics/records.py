"""The records of a VCF file that touch the positions asked for.

With an index the regions are merged and fetched; without one the file is read once, every line tested by
contig and position. htslib gives the lines; no ``VariantRecord`` is made.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pysam

from pmed.errors import GenomeError

from .alleles import with_chr
from .files import unpacked
from .header import Header

Positions = Mapping[str, Sequence[int]]

# Regions nearer than this are fetched as one: unpacking a little more is cheaper than another seek.
_GAP = 4_000
# How far upstream of a position an un-indexed pass looks for records that reach it: 2 ** _REACH bases.
_REACH = 12


@dataclass(frozen=True)
class Record:
    """One line of a VCF file; alleles in upper case, contig with 'chr', sample columns still as bytes."""

    number: int
    where: str
    chrom: str
    pos: int
    ids: tuple[str, ...]
    ref: str
    alts: tuple[str, ...]
    filter: str | None
    format: str
    calls: bytes

    @property
    def end(self) -> int:
        """Last position of REF, 1-based."""
        return self.pos + len(self.ref) - 1


def read_records(header: Header, wanted: Positions) -> tuple[list[Record], set[str]]:
    """The records whose REF covers a wanted position, in file order, and every contig that has a record at all.

    Raises:
        GenomeError: the file breaks off, or a line there is malformed.
    """
    contigs: set[str] = set()
    lines = _indexed(header.path, wanted, contigs)
    if lines is None:
        lines = _streamed(header.path, wanted, contigs)
    records = [record for where, number, line in lines
               if (record := _record(line, number, f"{header.path} {where}", wanted)) is not None]
    return records, contigs


def _record(line: bytes, number: int, where: str, wanted: Positions) -> Record | None:
    """Parse one line, or None if its REF covers nothing wanted."""
    parts = line.rstrip(b"\r\n").split(b"\t", 9)
    chrom, pos = with_chr(_text(parts[0])), _position(parts, where)
    span = len(parts[3]) if len(parts) > 3 else 1
    here = wanted[chrom]
    first = bisect_left(here, pos)
    if first == len(here) or here[first] >= pos + span:
        return None
    if len(parts) < 10:
        raise GenomeError(f"the record has {len(parts)} columns, where at least 10 are expected", where=where)
    ids, ref, alts, flt, form = (_text(parts[i]) for i in (2, 3, 4, 6, 8))
    if not ref or not alts:
        raise GenomeError("the record has no REF or no ALT", where=where)
    return Record(number, where, chrom, pos, tuple(ids.split(";")), ref.upper(),
                  tuple(a.upper() for a in alts.split(",")) if alts != "." else (),
                  None if flt == "." else flt, form, parts[9])


def _position(parts: list[bytes], where: str) -> int:
    if len(parts) < 2 or not parts[1].isdigit():
        raise GenomeError("the record's POS is not a whole number", where=where)
    return int(parts[1])


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _streamed(path: Path, wanted: Positions, contigs: set[str]) -> Iterator[tuple[str, int, bytes]]:
    """Every line near a wanted position, with its place and record number."""
    near = {chrom: {(pos >> _REACH) - back for pos in here for back in (0, 1)} for chrom, here in wanted.items()}
    heads: dict[bytes, set[int] | None] = {}
    meta = 0
    with unpacked(path) as lines:
        for number, line in enumerate(lines, 1):
            head = line.split(b"\t", 2)
            try:
                buckets = heads[head[0]]
            except KeyError:
                buckets = heads[head[0]] = near.get(with_chr(_text(head[0])))
            if line[:1] == b"#":
                meta += 1
            elif buckets is not None and _is_near(head, buckets):
                yield f"line {number}", number - meta, line
    contigs.update(with_chr(_text(head)) for head in heads if not head.startswith(b"#"))


def _is_near(head: list[bytes], buckets: set[int]) -> bool:
    # A line without a readable position could be one that is needed: it is kept, and refused when parsed.
    return len(head) < 2 or not head[1].isdigit() or int(head[1]) >> _REACH in buckets


def _indexed(path: Path, wanted: Positions, contigs: set[str]) -> Iterator[tuple[str, int, bytes]] | None:
    """Every line of the merged regions, or None where there is no usable index."""
    if not any(path.with_name(path.name + suffix).is_file() for suffix in (".tbi", ".csi")):
        return None
    try:
        with quiet_htslib():
            table = pysam.TabixFile(str(path), encoding="latin-1")
    except (OSError, ValueError):
        return None  # the index cannot be used: one pass over the file gives the same records
    contigs.update(map(with_chr, table.contigs))
    return _fetch(table, path, wanted)


def _fetch(table: pysam.TabixFile, path: Path, wanted: Positions) -> Iterator[tuple[str, int, bytes]]:
    number = 0
    with quiet_htslib(), table:
        for contig in table.contigs:
            done = 0
            for start, end in _regions(wanted.get(with_chr(contig), ())):
                for line in _region(table, path, contig, start, end):
                    # A long REF reaches into the next region too; it was given with the one before.
                    if int(line.split("\t", 2)[1]) > done:
                        number += 1
                        yield f"record {number} of those read", number, line.encode("latin-1")
                done = end


def _region(table: pysam.TabixFile, path: Path, contig: str, start: int, end: int) -> Iterator[str]:
    try:
        yield from table.fetch(contig, start - 1, end)
    except (OSError, ValueError) as error:
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


@contextmanager
def quiet_htslib() -> Iterator[None]:
    """Keep htslib from writing to standard error; its errors come back as exceptions."""
    before = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)

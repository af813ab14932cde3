"""What a pass over all records of one file shows of the file as a whole: its contigs, its order, its end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .alleles import with_chr
from .files import BGZF_END, is_bgzf, unpacked
from .syntax import Fault, contig_fault

_BLOCK = 1 << 16  # the most that a BGZF block takes in the file
_MAGIC = b"\x1f\x8b\x08\x04"
_SIZE_AT, _TEXT_AT, _TAIL = 16, 18, 8
_READ = 1 << 20


@dataclass
class Order:
    """Which contigs there are, whether they come in one piece and positions ascend; each kind of fault is told once.

    `what` a place is called: line, or record. `written` are the contigs as the file writes them, `contigs` with 'chr'.
    """

    what: str
    faults: list[Fault] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    contigs: set[str] = field(default_factory=set)
    _chrom: str = ""
    _pos: int = 0
    _told: set[str] = field(default_factory=set)

    def watch(self, frame: pl.DataFrame) -> None:
        """Look at the next records of a scan."""
        first = 0
        for many, contig in frame.select(pl.col("contig").rle().alias("run")).unnest("run").iter_rows():
            run = frame[first:first + many]
            self.faults += self.look(contig, run["pos"].to_numpy(), run["line"].to_numpy())
            first += many

    def look(self, contig: str, pos: NDArray[np.int64], lines: NDArray[np.int64]) -> Iterator[Fault]:
        """What is wrong with the next records, all on one contig: their positions and where they stand."""
        chrom = with_chr(contig)
        back = np.flatnonzero(np.diff(pos, prepend=self._pos if chrom == self._chrom else 0) < 0)
        if contig not in self.written and (text := contig_fault(contig)):
            yield Fault(f"{self.what} {lines[0]}", "contig-malformed", text)
        if chrom != self._chrom and chrom in self.contigs:
            yield from self._once("contig-scattered", int(lines[0]), f"{chrom} comes in more than one piece")
        if len(back):
            yield from self._once("unsorted", int(lines[back[0]]), "positions do not ascend")
        self.written.add(contig)
        self.contigs.add(chrom)
        self._chrom, self._pos = chrom, int(pos[-1])

    def _once(self, code: str, line: int, text: str) -> Iterator[Fault]:
        if code not in self._told:
            self._told.add(code)
            yield Fault(f"{self.what} {line}", code, f"{text}: the file is not sorted; it was read all the same")


def is_cut(path: Path) -> bool:
    """Whether the last line of a VCF text has no line end.

    Raises:
        GenomeError: when unpacking fails.
    """
    last = _end_of_bgzf(path) if is_bgzf(path) else b""
    if not last:
        with unpacked(path) as stream:
            while piece := stream.read(_READ):
                last = piece[-1:]
    return last != b"\n"


def _end_of_bgzf(path: Path) -> bytes:
    """The last byte of a BGZF text out of its last block alone; nothing where that is not found."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - len(BGZF_END) - _BLOCK))
        tail = file.read().removesuffix(BGZF_END)
    start = tail.rfind(_MAGIC)
    while start >= 0:
        if int.from_bytes(tail[start + _SIZE_AT:start + _TEXT_AT], "little") + 1 == len(tail) - start:
            try:
                return zlib.decompress(tail[start + _TEXT_AT:-_TAIL], -15)[-1:]
            except zlib.error:
                return b""
        start = tail.rfind(_MAGIC, 0, start)
    return b""

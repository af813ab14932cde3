"""VCF text as blocks of whole lines in numpy: where lines and columns begin, on what contig and position they are.

Nothing here makes an object for a line, so a genome of millions of records is searched at the speed it unpacks.
Positions in a block are 0-based offsets into its bytes; genome positions are 1-based.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pmed.errors import GenomeError

from .files import pieces, quiet_htslib

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

BLOCK = 1 << 24
_TAB, _NEWLINE, _HASH, _ZERO, _ANGLE = b"\t\n#0<"
_READ = 1 << 20
_ROOM, _WORD = 16, 8
_WIDE = 1 << 10  # where lines are longer, it is quicker to look for their ends one by one
_MOST_DIGITS = 10
_MOST = 2**63 - 1
_END = re.compile(rb"(?:^|;)END=(\d{1,18})")
_LENGTH = re.compile(rb"(?:^|;)SVLEN=([-+\d.,]{1,4000})")


@dataclass(frozen=True)
class Block:
    """Whole lines; `number` is the 1-based number of the first in the file.

    Each has its line end; `is_cut` where that of the file's last line was missing.
    """

    text: bytes
    number: int
    is_cut: bool = False

    @cached_property
    def raw(self) -> Bytes:
        """The bytes, looked at and not copied."""
        return np.frombuffer(self.text, dtype=np.uint8)

    @cached_property
    def data(self) -> Bytes:
        """The bytes copied, with some room behind them so that windows may reach over the end."""
        return np.frombuffer(self.text + bytes(_ROOM), dtype=np.uint8)

    @cached_property
    def ends(self) -> Ints:
        """(lines,) offset of each line's end, where its line feed is."""
        if self.text.find(b"\n") < _WIDE:
            return np.flatnonzero(self.raw == _NEWLINE)
        found, at = list[int](), -1
        while (at := self.text.find(b"\n", at + 1)) >= 0:
            found.append(at)
        return np.array(found)

    @cached_property
    def starts(self) -> Ints:
        """(lines,) offset of each line's first byte."""
        return np.concatenate([[0], self.ends[:-1] + 1]).astype(np.int64)

    @cached_property
    def _tabs(self) -> Ints:
        return np.flatnonzero(self.data == _TAB)

    @cached_property
    def _first_tab(self) -> Ints:
        """(lines + 1,) index of each line's first tab, and the number of all tabs."""
        lines, each = len(self.starts), len(self._tabs) // max(1, len(self.starts))
        if each * lines == len(self._tabs) and each:
            grid = self._tabs.reshape(lines, each)
            if (grid[:, 0] >= self.starts).all() and (grid[:, -1] < self.ends).all():
                return np.arange(lines + 1) * each
        return np.append(np.searchsorted(self._tabs, self.starts), len(self._tabs))

    def column(self, number: int) -> tuple[Ints, Ints]:
        """(lines,) first offset and end of column `number` (0 is CHROM); empty at the line's end if missing."""
        begin = self.starts if number == 0 else np.minimum(self._tab(number - 1) + 1, self.ends)
        return begin, self._tab(number)

    def _tab(self, number: int) -> Ints:
        """(lines,) offset of the tab after column `number`, or the line's end."""
        if not len(self._tabs):
            return self.ends
        at = self._first_tab[:-1] + number
        there = at < self._first_tab[1:]
        return np.where(there, self._tabs[np.minimum(at, len(self._tabs) - 1)], self.ends)

    @cached_property
    def alts(self) -> tuple[Ints, Ints]:
        """(lines,) first offset and end of ALT."""
        return self.column(4)

    @cached_property
    def angles(self) -> Ints:
        """Offsets of every ``<``: symbolic alleles have one."""
        return np.flatnonzero(self.data == _ANGLE)

    @cached_property
    def is_record(self) -> Bools:
        """(lines,) neither a header line nor empty."""
        first = self.raw[self.starts]
        return np.asarray((first != _HASH) & (first != _NEWLINE) & (first != ord("\r")))

    @cached_property
    def pos(self) -> Ints:
        """(lines,) POS, -1 where it is not a whole number."""
        return numbers(self.data, *self.column(1))

    def line(self, index: int) -> bytes:
        """One line without its line end."""
        return self.text[self.starts[index]:self.ends[index]].rstrip(b"\r")

    def contigs(self) -> list[tuple[bytes, int, int]]:
        """(contig as written, first line, line after the last) of each run of records on one contig."""
        begin, end = self.column(0)
        keys = np.stack([end - begin, _window(self.data, begin, end), _window(self.data, end - _WORD, end, begin)])
        changes = np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1
        edges = [0, *changes.tolist(), len(begin)] if len(begin) else []
        return [(self.text[begin[first]:end[first]].rstrip(b"\r"), first, last)
                for first, last in pairwise(edges)]


def blocks(path: Path, size: int = BLOCK) -> Iterator[Block]:
    """The lines of a plain, gzip or BGZF text in blocks of about `size` bytes.

    Raises:
        GenomeError: when unpacking fails.
    """
    number, parts, held = 1, list[bytes](), 0
    for piece in pieces(path, min(size, _READ)):
        cut = piece.rfind(b"\n") + 1 if held + len(piece) >= size else 0
        if not cut:
            parts.append(piece)
            held += len(piece)
            continue
        block = Block(b"".join([*parts, piece[:cut]]), number)
        yield block
        number += len(block.ends)
        parts, held = [piece[cut:]], len(piece) - cut
    if held:
        text = b"".join(parts)
        cut = not text.endswith(b"\n")
        yield Block(text + b"\n" if cut else text, number, is_cut=cut)


def bcf_blocks(path: Path, size: int = BLOCK) -> Iterator[Block]:
    """The records of a BCF file as VCF text, without a header; lines are numbered as the records are.

    Raises:
        GenomeError: the file is damaged.
    """
    number, held, lines = 1, 0, list[bytes]()
    for line in _bcf_lines(path):
        lines.append(line)
        held += len(line)
        if held >= size:
            yield Block(b"".join(lines), number)
            number, held, lines = number + len(lines), 0, []
    if lines:
        yield Block(b"".join(lines), number)


def _bcf_lines(path: Path) -> Iterator[bytes]:
    import pysam

    try:
        with quiet_htslib(), pysam.VariantFile(str(path)) as file:
            for record in file:
                yield str(record).rstrip("\r\n").encode("latin-1", "replace") + b"\n"
    except (OSError, ValueError) as error:
        raise GenomeError("cannot be read: a damaged BCF file", where=str(path),
                          hint="copy or convert it again") from error


def numbers(data: Bytes, begin: Ints, end: Ints) -> Ints:
    """Whole numbers written at [begin, end), -1 where there is something else or nothing."""
    width = end - begin
    value = np.zeros(len(begin), dtype=np.int64)
    bad = (width < 1) | (width > _MOST_DIGITS)
    for place in range(int(min(width.max(initial=0), _MOST_DIGITS))):
        inside = place < width
        digit = data[np.minimum(begin + place, len(data) - 1)].astype(np.int64) - _ZERO
        bad |= inside & ((digit < 0) | (digit > 9))
        value = np.where(inside, value * 10 + digit, value)
    return np.where(bad, -1, value)


def _window(data: Bytes, begin: Ints, end: Ints, least: Ints | None = None) -> Ints:
    """The eight bytes from `begin` as a number; those outside [least or begin, end) are zero."""
    at = np.maximum(begin, 0)
    cells = sliding_window_view(data, _WORD)[at]
    places = at[:, None] + np.arange(_WORD)
    low = at if least is None else least
    cells = np.where((places >= low[:, None]) & (places < end[:, None]), cells, 0).astype(np.uint8)
    return cells.view(np.int64).ravel()


def tells_end_by_length(line: bytes) -> bool:
    r"""Whether a record has a symbolic ALT over a stretch of which only SVLEN says how long it is.

    >>> tells_end_by_length(b"chr2\t9\t.\tA\t<DEL>\t.\t.\tSVLEN=-90")
    True
    """
    parts = line.split(b"\t", 8)
    return len(parts) > 7 and b"<" in parts[4] and not parts[4].startswith(b"<INS") \
        and _LENGTH.search(parts[7]) is not None and _END.search(parts[7]) is None


def last_position(parts: Sequence[bytes]) -> int:
    """Last position that a record with a readable POS says something about (VCF 4.5, sections 1.4.5 and 1.6.1).

    `parts` are its columns; all samples may be one. What is more than 64 bits hold is cut to that.
    """
    pos, end = int(parts[1]), 0
    last = pos + max(len(parts[3]) if len(parts) > 3 else 1, 1) - 1
    if len(parts) < 8 or not (b"<" in parts[4] or parts[4] == b"."):
        return last
    info = parts[7]
    if found := _END.search(info):
        end = int(found[1])
    elif (found := _LENGTH.search(info)) and not parts[4].startswith(b"<INS"):
        lengths = (n.lstrip(b"+-") for n in found[1].split(b","))
        end = pos + max((int(n) for n in lengths if n.isdigit()), default=0)
    if len(parts) > 9 and b"LEN" in (keys := parts[8].split(b":")):
        cells = (cell.split(b":") for cell in parts[9].split(b"\t"))
        lengths = (cell[keys.index(b"LEN")] for cell in cells if len(cell) > keys.index(b"LEN"))
        end = max(end, pos - 1 + max((int(n) for n in lengths if n.isdigit()), default=0))
    return min(max(last, end), _MOST)

"""How far the records of a block reach, and which of them may be structural changes: all lines at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .blocks import Block, Bools, Ints, last_position, numbers

_END_TAG = np.frombuffer(b"END=", dtype=np.uint8)


def suspects(block: Block, *, copies: bool = False) -> Ints:
    """The lines whose ALT may be a structural change; most files have none, and that is quickly seen.

    Where there may be numbers of `copies` (CN), lines without ALT too.
    """
    begin, end = block.alts
    one, two = (block.data[block.angles + place] for place in (1, 2))
    marks = [block.angles[(one != ord("*")) & ((one != ord("N")) | (two != ord("O")))]]
    marks += [np.flatnonzero(block.data == mark[0]) for mark in (b"[", b"]") if mark in block.text]
    single = (end - begin > 1) & ((block.data[begin] == ord(".")) | (block.data[end - 1] == ord(".")))
    if copies:
        single |= (end - begin == 1) & (block.data[begin] == ord("."))
    found = [np.searchsorted(at, begin) < np.searchsorted(at, end) for at in marks if len(at)]
    return np.flatnonzero(np.logical_or.reduce([single, *found]) & block.is_record)


@dataclass(frozen=True)
class Ends:
    """The last position that each record of a block says something about, found once for all its contigs.

    `lengths` are what records may tell it by that are read one by one; SVLEN is looked for without a header, too.
    """

    block: Block
    lengths: tuple[bytes, ...]

    @cached_property
    def all(self) -> Ints:
        """(lines,) last positions."""
        begin, end = self.block.column(3)
        ends: Ints = self.block.pos + np.maximum(end - begin, 1) - 1
        open_ended = _open_ended(self.block)
        if open_ended.any():
            ends = np.maximum(ends, np.where(open_ended, _end_tags(self.block), 0))
            if any(tag in self.block.text for tag in self.lengths):  # these are rare
                for line in np.flatnonzero(open_ended & (self.block.pos >= 0)):
                    ends[line] = max(ends[line], last_position(self.block.line(int(line)).split(b"\t", 9)))
        return ends


def _open_ended(block: Block) -> Bools:
    """(lines,) records whose ALT is symbolic or missing, and which so may say something beyond their REF."""
    begin, end = block.alts
    missing = (end - begin == 1) & (block.data[begin] == ord("."))
    symbolic = np.searchsorted(block.angles, begin) < np.searchsorted(block.angles, end)
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

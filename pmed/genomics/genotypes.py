"""The genotypes of many records at once, from the bytes of their sample columns to int8 arrays.

Two ways of numpy read what nearly all cohorts hold: `fixed_width` the records whose samples are all written as ``0|1``,
and `short` those whose samples start so, or with a haploid ``0``. Both say of each record whether it was of that form;
the others are for `pmed.genomics.calls`, with which both are tested equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .blocks import Bools, Bytes, Ints

Int8s = NDArray[np.int8]
Words = NDArray[np.uint32]

CELL = 4  # bytes of ``0|1`` and the tab behind it
UNKNOWN = -1
MOST = 127
_NO_ALLELE = -3
_TAB, _DOT, _ZERO, _SLASH, _BAR = b"\t.0/|"
# Of a cell as a little-endian number: the bytes between the alleles and behind them.
_MARKS = 0xFF00FF00
_PHASED, _UNPHASED = ((_TAB << 24) | (mark << 8) for mark in (_BAR, _SLASH))
_ZEROS, _ONES = (_ZERO << 16) | _ZERO, np.uint32(1 << 16 | 1)
_SLASH_READ, _DOT_READ = (_SLASH - _ZERO, _DOT - _ZERO)
_AT_ONCE = 1 << 19  # bytes that are read at once: with what is made of them they stay in a processor's cache
_DIGITS = range(_ZERO, _ZERO + 10)


@dataclass(frozen=True)
class Genotypes:
    """Calls of records × samples.

    Attributes:
        alleles: (records, samples, 2) index into REF, ALT…, at most 127; -1 is unknown, or not there (haploid).
        ploidy: (records, samples) alleles in the call, 0 where there is none.
        phased: (records, samples) ``|`` between the alleles.
        whole: (records,) each call is of two alleles, both known.

    What is the same for all calls may be an array that cannot be written to.
    """

    alleles: Int8s
    ploidy: Int8s
    phased: Bools
    whole: Bools

    @classmethod
    def joined(cls, parts: Sequence[Genotypes]) -> Genotypes:
        """The records of all `parts`, one after the other; at least one part."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def records(self, which: Bools | Ints) -> Genotypes:
        """Some of the records, or all in another order."""
        return Genotypes(self.alleles[which], self.ploidy[which], self.phased[which], self.whole[which])

    def people(self, which: Ints) -> Genotypes:
        """Some of the samples."""
        alleles, ploidy = self.alleles[:, which], self.ploidy[:, which]
        return Genotypes(alleles, ploidy, self.phased[:, which], self.whole | complete(alleles, ploidy))

    def highest(self) -> Int8s:
        """(records,) the highest allele."""
        return np.asarray(self.alleles.reshape(len(self.alleles), -1).max(axis=1, initial=UNKNOWN))


def complete(alleles: Int8s, ploidy: Int8s) -> Bools:
    """(records,) whether each call is of two alleles, both known."""
    return np.asarray((alleles.reshape(len(alleles), -1) >= 0).all(axis=1) & (ploidy == 2).all(axis=1))


def fixed_width(data: Bytes, begins: Ints, samples: int) -> tuple[Genotypes, Bools]:
    """Read records of cells of four bytes each; also says which records are of that form throughout.

    Args:
        data: Bytes that hold them.
        begins: (records,) where the cells of each begin; what stands behind the last cell is taken for a tab.
        samples: Cells of a record.
    """
    windows = sliding_window_view(data, CELL * samples) if len(begins) else np.empty((0, CELL * samples), np.uint8)

    def words(rows: slice | Ints) -> Words:
        cells = windows[begins[rows]]
        cells[:, -1] = _TAB
        return np.asarray(cells.view("<u4"))

    mark = _UNPHASED if len(begins) and words(slice(1))[0, 0] & _MARKS == _UNPHASED else _PHASED
    alleles, good = np.empty((len(begins), samples, 2), dtype=np.int8), np.empty(len(begins), dtype=np.bool_)
    step = max(1, _AT_ONCE // (CELL * samples))
    for some in (slice(start, start + step) for start in range(0, len(begins), step)):
        # In most records all cells have one mark, and no allele but 0 and 1: their last bits are the alleles.
        bits = words(some)
        bits ^= np.uint32(mark | _ZEROS)
        good[some] = np.bitwise_or.reduce(bits, axis=1) & ~_ONES == 0
        alleles[some] = bits.view("<u2").reshape(-1, samples, 2)
    phased: Bools = np.broadcast_to(np.bool_(mark == _PHASED), alleles.shape[:2])
    whole, others = good.copy(), np.flatnonzero(~good)
    if len(others):
        rest, good[others] = _any_marks(words(others))
        phased = phased.copy()
        alleles[others], phased[others], whole[others] = rest.alleles, rest.phased, rest.whole
    return Genotypes(alleles, np.broadcast_to(np.int8(2), alleles.shape[:2]), phased, whole), good


def _any_marks(words: Words) -> tuple[Genotypes, Bools]:
    """The same for cells of any marks, and alleles from 0 to 9 or unknown."""
    marks = words & np.uint32(_MARKS)
    phased = marks == _PHASED
    good = phased.all(axis=1)
    if not good.all():
        good = (phased | (marks == _UNPHASED)).all(axis=1)
    # Two bytes cut down to the first of them leave the alleles.
    alleles = words.view("<u2").astype(np.uint8).view(np.int8)
    alleles -= np.int8(_ZERO)
    least, most = alleles.min(axis=1), alleles.max(axis=1)
    good &= (most <= 9) & (least >= _DOT_READ)
    if (least < 0).any():
        good &= ~(alleles == _SLASH_READ).any(axis=1)
        np.maximum(alleles, UNKNOWN, out=alleles)
    two = np.broadcast_to(np.int8(2), words.shape)
    return Genotypes(alleles.reshape(*words.shape, 2), two, phased, least >= 0), good


def short(data: Bytes, begins: Ints) -> tuple[Genotypes, Bools]:
    """Read cells that start with one or two one-digit alleles; also says which records have no others.

    Args:
        data: Bytes with at least three more behind the start of the last cell.
        begins: (records, samples) offset of each cell, which must start with its GT.
    """
    cells = sliding_window_view(data, CELL)[begins]
    mark = cells[..., 1]
    first, second = _ALLELES[cells[..., 0]], _ALLELES[cells[..., 2]]
    phased, haploid = mark == _BAR, _ENDS[mark]
    diploid = (phased | (mark == _SLASH)) & (second != _NO_ALLELE) & _ENDS[cells[..., 3]]
    good = ((first != _NO_ALLELE) & (haploid | diploid)).all(axis=1)
    ploidy = np.where(haploid, (first != UNKNOWN).astype(np.int8), np.int8(2))
    alleles = np.stack([first, np.where(haploid, np.int8(UNKNOWN), second)], axis=-1)
    return Genotypes(alleles, ploidy, phased, complete(alleles, ploidy)), good


def _allele_table() -> Int8s:
    """The allele that a byte stands for."""
    table = np.full(256, _NO_ALLELE, dtype=np.int8)
    table[_DIGITS] = range(10)
    table[_DOT] = UNKNOWN
    return table


def _end_table() -> Bools:
    """Whether a GT ends before a byte."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(b"\t:\n")] = True
    return table


_ALLELES, _ENDS = _allele_table(), _end_table()

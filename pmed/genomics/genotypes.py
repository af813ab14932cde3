"""The genotypes of many records at once, from the bytes of their sample columns to int8 arrays.

Two ways of numpy read what nearly all cohorts hold: `fixed_width` the records whose samples are all written as ``0|1``,
and `short` those whose samples start so, or with a haploid ``0``. Both say of each record whether it was of that form;
the others are for `pmed.genomics.calls`, with which both are tested equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
_SLASH_READ, _DOT_READ = (_SLASH - _ZERO, _DOT - _ZERO)
_DIGITS = range(_ZERO, _ZERO + 10)


@dataclass(frozen=True)
class Genotypes:
    """Calls of records × samples.

    Attributes:
        alleles: (records, samples, 2) index into REF, ALT…, at most 127; -1 is unknown, or not there (haploid).
        ploidy: (records, samples) alleles in the call, 0 where there is none.
        phased: (records, samples) ``|`` between the alleles.
    """

    alleles: Int8s
    ploidy: Int8s
    phased: Bools

    @classmethod
    def joined(cls, parts: Sequence[Genotypes]) -> Genotypes:
        """The records of all `parts`, one after the other; at least one part."""
        if len(parts) == 1:
            return parts[0]
        return cls(np.concatenate([part.alleles for part in parts]), np.concatenate([part.ploidy for part in parts]),
                   np.concatenate([part.phased for part in parts]))

    def records(self, which: Bools | Ints) -> Genotypes:
        """Some of the records, or all in another order."""
        return Genotypes(self.alleles[which], self.ploidy[which], self.phased[which])

    def people(self, which: Ints) -> Genotypes:
        """Some of the samples."""
        return Genotypes(self.alleles[:, which], self.ploidy[:, which], self.phased[:, which])

    def highest(self) -> Int8s:
        """(records,) the highest allele."""
        return np.asarray(self.alleles.reshape(len(self.alleles), -1).max(axis=1, initial=UNKNOWN))


def fixed_width(words: Words) -> tuple[Genotypes, Bools]:
    """Read (records, samples) cells of four bytes each; also says which records are of that form throughout.

    Args:
        words: The cells as little-endian numbers, each with the tab behind it; contiguous.
    """
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
    return Genotypes(alleles.reshape(*words.shape, 2), np.full(words.shape, 2, dtype=np.int8), phased), good


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
    return Genotypes(np.stack([first, np.where(haploid, np.int8(UNKNOWN), second)], axis=-1), ploidy, phased), good


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

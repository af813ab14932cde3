"""Genotypes that fit into a byte each: nearly all of a cohort are of one or two alleles of low number, no more.

=========  ======================================================
bits       meaning
=========  ======================================================
1, 2, 4    the first allele and one; 0 is unknown
8, 16, 32  the second allele and one; 0 is unknown, or not there
64         phased
128        one allele, or none at all: not two
=========  ======================================================

A record has few of the 256, however many people: what is worked out of them is worked out once each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

UNKNOWN = -1
_MOST = 6  # the highest allele
_SECOND, _PHASED, _FEW = 8, 64, 128
_BAD = 256
_CELL = 4  # bytes of ``0|1`` and the tab behind it


def _meanings() -> dict[str, NDArray[Any]]:
    """What each code says, as the columns of samples that `table` has."""
    code = np.arange(256)
    first, second, few = code % _SECOND - 1, code // _SECOND % _SECOND - 1, code >= _FEW
    copies = np.where(few, (first >= 0).astype(np.int8), 2)
    return {"allele_1": first.astype(np.int8), "allele_2": second.astype(np.int8), "ploidy": copies.astype(np.int8),
            "phased": code // _PHASED % 2 == 1}


MEANINGS = _meanings()
# Both alleles as one number, for tables of very many.
PAIRS = np.ascontiguousarray(np.stack([MEANINGS["allele_1"], MEANINGS["allele_2"]], axis=-1)).view(np.int16).ravel()


def coded(allele_1: NDArray[Any], allele_2: NDArray[Any], ploidy: NDArray[Any], phased: Bools) -> tuple[Codes, Bools]:
    """The codes of calls (records, samples), and of which records every call is what its code says."""
    first, second = (np.clip(one, UNKNOWN, _MOST) + 1 for one in (allele_1, allele_2))
    codes = (first + second * _SECOND + phased * _PHASED + (ploidy != 2) * _FEW).astype(np.uint8)
    good = np.logical_and.reduce([(MEANINGS[name][codes] == one).all(axis=1) for name, one in (
        ("allele_1", allele_1), ("allele_2", allele_2), ("ploidy", ploidy), ("phased", phased))])
    return codes, np.asarray(good)


def _letters() -> dict[int, NDArray[np.uint16]]:
    """What each letter of a cell ``0|1`` and its tab adds to the code, by its place; `_BAD` where it cannot stand."""
    found = {place: np.full(256, _BAD, dtype=np.uint16) for place in range(_CELL)}
    for place, factor in ((0, 1), (2, _SECOND)):
        found[place][ord(".")] = 0
        found[place][ord("0"):ord("0") + _MOST + 1] = np.arange(1, _MOST + 2) * factor
    found[1][[ord("|"), ord("/")]] = _PHASED, 0
    found[3][ord("\t")] = 0
    return found


_LETTERS = _letters()


@dataclass(frozen=True)
class Coded:
    """The calls of one record, a byte a sample."""

    codes: Codes

    @classmethod
    def of_text(cls, text: bytes, samples: int, form: str) -> Coded | None:
        """Sample columns of which each is like ``0|1``; None where a single one, or FORMAT, is of another form."""
        if form != "GT" or len(text) != _CELL * samples - 1:
            return None
        cells = np.frombuffer(text + b"\t", dtype=np.uint8).reshape(samples, _CELL)
        codes = _LETTERS[0][cells[:, 0]]
        for place in range(1, _CELL):
            codes = codes + _LETTERS[place][cells[:, place]]
        return None if (codes >= _BAD).any() else cls(codes.astype(np.uint8))

    @property
    def samples(self) -> int:
        """How many there are."""
        return len(self.codes)

    def at(self, samples: NDArray[np.int64]) -> Coded:
        """The calls of the samples at those places."""
        return Coded(self.codes[samples])

    def parts(self) -> tuple[Codes, Codes]:
        """The codes that occur, and which of these each sample has."""
        found = np.flatnonzero(np.bincount(self.codes, minlength=256)).astype(np.uint8)
        place = np.zeros(256, dtype=np.uint8)
        place[found] = np.arange(len(found))
        return found, place[self.codes]

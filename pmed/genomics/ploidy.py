"""How many copies of a position a person has: two, or one on X, Y and the mitochondrion, by sex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from .contigs import MITOCHONDRION, chromosome

Copies = Literal["diploid", "x", "y", "mt"]
Region = tuple[int, int]

# Pseudo-autosomal regions 1 and 2, first and last base, 1-based. Source: Genome Reference Consortium, "Human genome
# overview", assemblies GRCh38 and GRCh37; the chrY ones of GRCh38 are also those its analysis set masks (hm: tag).
PAR: Mapping[str, Mapping[str, tuple[Region, Region]]] = {
    "GRCh38": {"chrX": ((10_001, 2_781_479), (155_701_383, 156_030_895)),
               "chrY": ((10_001, 2_781_479), (56_887_903, 57_217_415))},
    "GRCh37": {"chrX": ((60_001, 2_699_520), (154_931_044, 155_260_560)),
               "chrY": ((10_001, 2_649_520), (59_034_050, 59_363_566))},
}
_KINDS: Mapping[str, Copies] = {"chrX": "x", "chrY": "y", MITOCHONDRION: "mt"}


def copies(build: str, chrom: str, pos: int) -> Copies:
    """Who has how many copies of a position (1-based on `build`).

    ``diploid``: everybody two, the pseudo-autosomal regions of X and Y among them. ``x``: females two, males one.
    ``y``: males one. ``mt``: everybody the one mitochondrial sequence, whatever the number of its copies.

    Raises:
        KeyError: a build other than GRCh37 and GRCh38.

    >>> [copies("GRCh38", "X", pos) for pos in (2_781_479, 2_781_480)]
    ['diploid', 'x']
    """
    name = chromosome(chrom)
    shared = PAR[build].get(name, ())
    return "diploid" if any(first <= pos <= last for first, last in shared) else _KINDS.get(name, "diploid")


def copies_of(build: str, chroms: Sequence[str], positions: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    """`copies` of many positions: one contig name and one 1-based position each.

    Raises:
        KeyError: a build other than GRCh37 and GRCh38.
    """
    names = np.array([*map(chromosome, chroms)], dtype=np.str_)
    found = np.full(len(names), "diploid")
    for name, kind in _KINDS.items():
        inside = np.zeros(len(names), dtype=bool)
        for first, last in PAR[build].get(name, ()):
            inside |= (positions >= first) & (positions <= last)
        found[(names == name) & ~inside] = kind
    return found

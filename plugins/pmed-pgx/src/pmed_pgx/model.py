"""What is known of one gene: its sites, its named alleles, and the rules from functions to phenotype."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

NORMAL, NO_FUNCTION = "Normal function", "No function"
# How functions begin that are as good as the reference's.
UNHARMED = ("Normal", "Class IV", "Favorable", "ivacaftor non-responsive")

Bools = npt.NDArray[np.bool_]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Site:
    """One defining position; ``alleles`` are REF and ALTs on GRCh38, forward strand.

    ``pos37`` and ``ref37`` are position and REF on GRCh37, None where they are not published. ``role`` is "defining",
    "required" (without it the gene is not called) or "extra" (part of no allele, but read by advice).
    """

    name: str
    pos: int
    alleles: tuple[str, ...]
    pos37: int | None
    ref37: str | None
    role: str = "defining"

    def rows(self, build: str) -> list[tuple[int, str, str]]:
        """(position, REF, ALT) of each ALT on `build`; none where the position is not known there."""
        if build == "GRCh38":
            return [(self.pos, self.alleles[0], alt) for alt in self.alleles[1:]]
        if self.pos37 is None or self.ref37 is None:
            return []
        # REF and ALT may be swapped between the builds (rs3758581, rs776746): the bases stay, their roles do not.
        return [(self.pos37, self.ref37, base) for base in self.alleles if base != self.ref37]


@dataclass(frozen=True)
class Gene:
    """One gene: its sites, its named alleles and the rules from allele functions to phenotype.

    ``allowed[a, p, c]`` says whether allele `a` may carry base `c` of site `p`; ``defined[a, p]`` whether the
    definition of `a` names site `p` at all. ``kind`` is "diplotype" (pairs of named alleles), "variants" (lists of
    them, with the phenotype of the lowest function on each strand) or "status" (known from outside calls only, no
    sites). ``ploidy`` is "autosome", "X" or "MT". ``undocumented`` says what a base that no definition knows does to
    the call: "refuse" it or count as "reference". ``extras`` are sites beside the gene's alleles that advice reads.
    ``priorities`` are the sets of unphased diplotypes that a published order decides, with the one to take.
    """

    name: str
    chrom: str
    sites: tuple[Site, ...]
    alleles: tuple[str, ...]
    allowed: Bools
    defined: Bools
    core: Mapping[str, str]
    functions: Mapping[str, str]
    activities: Mapping[str, float]
    by: str
    rules: Mapping[Pair, tuple[str, float | None]]
    key_sites: Mapping[int, tuple[str, ...]]
    source: str
    ploidy: str = "autosome"
    kind: str = "diplotype"
    undocumented: str = "refuse"
    extras: tuple[Site, ...] = ()
    priorities: Mapping[frozenset[str], str] = field(default_factory=dict)
    wobble: Bools = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wobble", self.defined & (self.allowed.sum(axis=2) > 1))


@cache
def natural(name: str) -> tuple[object, ...]:
    """Sort key: numbers by value, ``Reference`` before everything."""
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
    return (name != "Reference", *parts)

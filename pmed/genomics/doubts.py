"""Calls that cannot be relied on: made unknown, or used and told; how many of a file there are of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .calls import NONE, Shared


@dataclass
class Doubts:
    """Calls of one file, counted: below a threshold, without evidence, contradicted by their reads, unlike them."""

    weak: int = 0
    unfounded: int = 0
    against: int = 0
    uneven: int = 0
    unlikely: int = 0
    filled: int = 0

    def taken(self, mine: Shared, *, min_dp: int, min_gq: int, filters: bool, mixture: bool,
              may_be_filled: bool = False) -> Shared:
        """The calls with those unknown that cannot be relied on; failed filters (FT) count where `filters` says so.

        Of a `mixture` (mitochondrial DNA) reads of REF do not contradict a change. Where missing calls `may_be_filled`
        as reference, one of reference that has neither depth nor quality is such.
        """
        calls = mine.calls
        weak, unfounded, nobody = calls.weak(min_dp, min_gq), calls.unfounded(), np.zeros(len(calls.ploidy), dtype=bool)
        against = (nobody if calls.against is None else calls.against) & ~unfounded
        if mixture:
            against = against & (calls.alleles <= 0).all(axis=1)
        uneven = (nobody if calls.uneven is None else calls.uneven) & ~against & ~unfounded & ~weak
        unlikely = (nobody if calls.unlikely is None else calls.unlikely) & ~unfounded & ~against
        uneven = uneven & ~unlikely
        self.unlikely += mine.number(unlikely)
        bare = (calls.dp == NONE) & (calls.gq == NONE)
        filled = np.asarray(may_be_filled & bare & (calls.alleles[:, 0] == 0) & (calls.alleles[:, 1] <= 0))
        self.filled += mine.number(filled)
        self.weak += mine.number(weak & ~against & ~unlikely)
        self.unfounded += mine.number(unfounded)
        self.against += mine.number(against)
        self.uneven += mine.number(uneven)
        lost = unfounded | against | unlikely | filled
        return replace(mine, calls=calls.without(lost, calls.failed & filters | weak))

    def told(self) -> Iterator[tuple[str, str]]:
        """Code and text of an issue for each kind that there is."""
        if self.weak:
            yield "low-quality", (f"{self.weak} calls at known sites are below the DP or GQ asked for, or without it: "
                                  "read as unknown")
        if self.unfounded:
            yield "no-evidence", (f"{self.unfounded} calls at known sites rest on no reads, on one for two copies, or "
                                  "on GQ 3 or less: read as no call")
        if self.against:
            yield "reads-contradict", (f"{self.against} calls at known sites are contradicted by their reads (AD: less "
                                       "than a tenth for one of two alleles, or a third for another): read as no call")
        if self.filled:
            yield "missing-as-reference", (f"{self.filled} calls at known sites are 0/0 without depth and quality, and "
                                           "the header tells that missing calls were written so: read as no call")
        if self.unlikely:
            yield "likelihoods-contradict", (f"{self.unlikely} calls at known sites are contradicted by their own "
                                             "likelihoods (PL, GL, GP, DS: another genotype is likelier): read as no "
                                             "call")
        if self.uneven:
            yield "reads-disagree", (f"{self.uneven} calls at known sites do not fit their reads (AD: less than a "
                                     "fifth for an allele, or a fifth for another): they are used and may be wrong")

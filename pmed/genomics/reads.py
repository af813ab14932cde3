"""Whether a call fits the reads (AD) that it was made of.

There are two bounds. Beyond the first a call is used and told: an allele of it has less than a fifth of the reads
(gnomAD's bound for heterozygotes, Karczewski 2020, PMID:32461654), or others have a fifth or more. Beyond the second
the reads show another genotype, and there is no call: of one allele, or two alike, others have a third of the reads or
more, as one changed copy of three would; of two that differ, one has less than a tenth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = -1
_FIFTH, _TENTH, _THIRD = 5, 10, 3  # one of so many
_ENOUGH = 10  # reads of which a share says something
_SEVERAL = 3  # reads of another allele are more than errors of sequencing


class Reads(NamedTuple):
    """(calls,) reads of the call's first and second allele, of all alleles of AD, and DP; -1 is not given."""

    first: Ints
    second: Ints
    total: Ints
    depth: Ints


def judged(alleles: Ints, ploidy: Ints, reads: Reads) -> tuple[Bools, Bools]:
    """(calls,) those that do not fit their reads, and those that their reads contradict; only whole calls are judged.

    A 0 beside a change says "not this change" where several records share a site: all other reads are its own, of which
    AD has REF's alone. Without DP their number is not known, and nothing contradicts it.

    Args:
        alleles: (calls, 2) as in `Calls`.
        ploidy: (calls,) alleles in the call.
        reads: What AD and DP say.
    """
    one, two = alleles.T
    single = (ploidy == 1) | ((ploidy == 2) & (one == two))
    known = (one >= 0) & (reads.first >= 0) & (single | (ploidy == 2) & (two >= 0) & (reads.second >= 0))
    enough = known & (reads.total >= _ENOUGH)
    others = reads.total - reads.first - np.where(single, 0, reads.second)
    unfit, against = enough & (others * _FIFTH >= reads.total), known & (others * _THIRD >= reads.total)
    against &= np.where(single, others >= _SEVERAL, enough)
    unfit |= enough & single & (reads.first * _FIFTH < reads.total)
    for allele, mine, other in ((one, reads.first, reads.second), (two, reads.second, reads.first)):
        by_depth = (allele == 0) & (reads.depth != NONE)
        whole = np.where(by_depth, np.maximum(reads.depth, reads.total), reads.total)
        share = np.where(by_depth, whole - other, mine)
        unfit |= enough & ~single & (share * _FIFTH < whole)
        against |= enough & ~single & (share * _TENTH < whole) & (by_depth | (allele > 0))
    return unfit | against, against

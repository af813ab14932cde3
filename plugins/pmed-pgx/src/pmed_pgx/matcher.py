"""Which pairs of named alleles explain one genotype pattern.

Behaviour follows the rules that PharmCAT 3.1.1 documents by its tests: the score of an allele is the number of its
defining sites that the sample has, only the best pairs are kept, and both strands must be explained at every site.
Pairs are found without listing permutations: phase groups flip independently, so a pair fits when every group has
one orientation in which each allele explains one strand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .knowledge import Bools, Gene, Pair, natural

Codes = npt.NDArray[np.int8]
Groups = npt.NDArray[np.int64]

# What a genotype code below zero means; codes from zero count the site's alleles, REF first.
ABSENT, NO_CALL, FILTERED, HALF_CALL, HAPLOID, OTHER = -1, -2, -3, -4, -5, -6
UNKNOWN = (ABSENT, NO_CALL, FILTERED)
HOMOZYGOUS, UNPHASED, ONE_SET = 0, -1, -2


@dataclass(frozen=True)
class Match:
    """Outcome for one pattern: the pairs in order, and which alleles fit at least one strand."""

    pairs: tuple[Pair, ...]
    fits: Bools
    phased: bool


def match(gene: Gene, codes: Codes, groups: Groups, *, all_matches: bool = False) -> Match:
    """Find the diplotypes of one pattern.

    Args:
        gene: Its definitions.
        codes: (sites, 2) allele codes of the two strands; negative where unknown.
        groups: (sites,) phase group: 0 homozygous, -1 unphased, -2 phased in one set, else the phase set.
        all_matches: Keep every pair that fits, not just those with the best score.
    """
    present: Bools = np.asarray(np.isin(codes, UNKNOWN, invert=True).all(axis=1))
    forward, reverse = _strand_fits(gene, codes, present, groups)
    fits: Bools = np.asarray((forward | reverse).all(axis=1))
    # An allele with none of its sites left says nothing (rule 4).
    candidates = np.flatnonzero(fits & gene.defined[:, present].any(axis=1))
    valid = _valid_pairs(forward[candidates], reverse[candidates])
    parts = _groups_of(present, groups)
    scores = _scores(gene, codes, gene.defined & present, (forward, reverse), parts)[candidates]
    first, second = np.nonzero(np.triu(valid))
    totals = scores[first] + scores[second]
    keep = slice(None) if all_matches or not totals.size else totals == totals.max()
    pairs = _named(gene, candidates[first][keep], candidates[second][keep], totals[keep])
    return Match(pairs, fits, phased=forward.shape[1] <= 2)


def _groups_of(present: Bools, groups: Groups) -> list[npt.NDArray[np.int64]]:
    """Indices of the sites that flip together: all homozygous ones first, then each phase group."""
    unphased = np.flatnonzero(present & (groups == UNPHASED))
    sets = [one for one in np.unique(groups[present]) if one not in (HOMOZYGOUS, UNPHASED)]
    together = [np.flatnonzero(present & (groups == one)) for one in sets]
    return [np.flatnonzero(present & (groups == HOMOZYGOUS)), *together, *unphased.reshape(-1, 1)]


def _strand_fits(gene: Gene, codes: Codes, present: Bools, groups: Groups) -> tuple[Bools, Bools]:
    """(alleles, groups): does the allele explain strand one, and strand two, of the group."""
    parts = _groups_of(present, groups)
    strands = [np.stack([gene.allowed[:, part, codes[part, strand]].all(axis=1) for part in parts], axis=1)
               for strand in (0, 1)]
    return strands[0], strands[1]


def _valid_pairs(forward: Bools, reverse: Bools) -> Bools:
    """(alleles, alleles): every group has an orientation in which the two explain both strands."""
    one_way = forward[:, None, :] & reverse[None, :, :]
    valid: Bools = np.asarray((one_way | one_way.transpose(1, 0, 2)).all(axis=2))
    return valid


def _scores(gene: Gene, codes: Codes, earned: Bools, strands: tuple[Bools, Bools],
            parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Defining sites that the sample has; a wobble that is REF in all matching strands earns none (rule 5)."""
    forward, reverse = strands
    for number, part in enumerate(parts):
        one = forward[:, number, None] & (codes[part, 0] != 0)
        two = reverse[:, number, None] & (codes[part, 1] != 0)
        earned[:, part] &= ~gene.wobble[:, part] | one | two
    return np.asarray(earned.sum(axis=1))


def _named(gene: Gene, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64],
           totals: npt.NDArray[np.int64]) -> tuple[Pair, ...]:
    """Pairs under their published names, best score first, then by name; suballeles under their core."""
    best: dict[Pair, int] = {}
    for a, b, total in zip(first.tolist(), second.tolist(), totals.tolist(), strict=True):
        one, two = sorted((gene.core[gene.alleles[a]], gene.core[gene.alleles[b]]), key=natural)
        best[one, two] = max(total, best.get((one, two), 0))
    return tuple(sorted(best, key=lambda pair: (-best[pair], natural(pair[0]), natural(pair[1]))))

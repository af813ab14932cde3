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

from .knowledge import Bools, Gene, natural

Codes = npt.NDArray[np.int8]
Groups = npt.NDArray[np.int64]
Alleles = tuple[str, ...]

# What a genotype code below zero means; codes from zero count the site's alleles, REF first. SINGLE is no fault: the
# second strand of a gene on one chromosome X or on mitochondrial DNA. MIXED: more than one base in mitochondrial DNA.
# Those of a strand of which nothing is known come first: a site with one of them is not present.
ABSENT, NO_CALL, FILTERED, HALF_CALL, HAPLOID, OTHER, SINGLE, MIXED = range(-1, -9, -1)
HOMOZYGOUS, UNPHASED, ONE_SET = 0, -1, -2


@dataclass(frozen=True)
class Match:
    """What fits one pattern: the calls in order (pairs; single alleles where haploid), their scores, and if phased."""

    calls: tuple[Alleles, ...]
    scores: tuple[int, ...]
    phased: bool


def is_present(codes: Codes) -> Bools:
    """(sites,) whether the site has a call on every strand."""
    return np.asarray(~((codes <= ABSENT) & (codes >= FILTERED)).any(axis=1))


def match(gene: Gene, codes: Codes, groups: Groups, *, all_matches: bool = False) -> Match:
    """Find the diplotypes of one pattern.

    Args:
        gene: Its definitions.
        codes: (sites, 2) allele codes of the two strands; negative where unknown.
        groups: (sites,) phase group: 0 homozygous, -1 unphased, -2 phased in one set, else the phase set.
        all_matches: Keep every pair that fits, not just those with the best score.
    """
    present = is_present(codes)
    if (codes[:, 1] == SINGLE).any():
        return _match_single(gene, codes[:, 0], present, all_matches=all_matches)
    parts = groups_of(present, groups)
    forward, reverse = _strand_fits(gene, codes, parts)
    # An allele with none of its sites left says nothing (rule 4).
    fits: Bools = np.asarray((forward | reverse).all(axis=1))
    candidates = np.flatnonzero(fits & gene.defined[:, present].any(axis=1))
    first, second = np.nonzero(_valid_pairs(forward[candidates], reverse[candidates]))
    first, second = first[first <= second], second[first <= second]
    wobbling = gene.wobble[candidates] & present
    scores = (gene.defined[candidates] & present & ~wobbling).sum(axis=1)
    totals = scores[first] + scores[second]
    if wobbling.any():
        strands = forward[candidates], reverse[candidates]
        totals = totals + _wobbles(gene, codes, parts, candidates, strands)[first, second]
    keep = slice(None) if all_matches or not totals.size else totals == totals.max()
    names: list[Alleles] = [(gene.alleles[candidates[a]], gene.alleles[candidates[b]]) for a, b in
                            zip(first[keep].tolist(), second[keep].tolist(), strict=True)]
    return Match(*_ordered(gene, names, totals[keep]), phased=forward.shape[1] <= 2)


def _match_single(gene: Gene, codes: npt.NDArray[np.int8], present: Bools, *, all_matches: bool) -> Match:
    """One strand: every allele that explains it, the best score first."""
    sites = np.flatnonzero(present)
    fits = gene.allowed[:, sites, codes[sites]].all(axis=1) & gene.defined[:, present].any(axis=1)
    found = np.flatnonzero(fits)
    totals = gene.defined[found][:, present].sum(axis=1)
    keep = slice(None) if all_matches or not totals.size else totals == totals.max()
    return Match(*_ordered(gene, [(gene.alleles[a],) for a in found[keep].tolist()], totals[keep]), phased=True)


def groups_of(present: Bools, groups: Groups) -> list[npt.NDArray[np.int64]]:
    """Indices of the sites that flip together: all homozygous ones first, then each phase group."""
    unphased = np.flatnonzero(present & (groups == UNPHASED))
    sets = [one for one in np.unique(groups[present]) if one not in (HOMOZYGOUS, UNPHASED)]
    together = [np.flatnonzero(present & (groups == one)) for one in sets]
    return [np.flatnonzero(present & (groups == HOMOZYGOUS)), *together, *unphased.reshape(-1, 1)]


def _strand_fits(gene: Gene, codes: Codes, parts: list[npt.NDArray[np.int64]]) -> tuple[Bools, Bools]:
    """(alleles, groups): does the allele explain strand one, and strand two, of the group."""
    strands = [np.stack([gene.allowed[:, part, codes[part, strand]].all(axis=1) for part in parts], axis=1)
               for strand in (0, 1)]
    return strands[0], strands[1]


def _valid_pairs(forward: Bools, reverse: Bools) -> Bools:
    """(alleles, alleles): every group has an orientation in which the two explain both strands."""
    one_way = forward[:, None, :] & reverse[None, :, :]
    valid: Bools = np.asarray((one_way | one_way.transpose(1, 0, 2)).all(axis=2))
    return valid


def _wobbles(gene: Gene, codes: Codes, parts: list[npt.NDArray[np.int64]], candidates: npt.NDArray[np.intp],
             strands: tuple[Bools, Bools]) -> npt.NDArray[np.int64]:
    """(candidates, candidates): points of a pair for sites where its definitions allow several bases (rule 5).

    Such a site earns a point only on a strand that does not have REF there, in the orientation that earns most.
    """
    forward, reverse = strands
    earned = np.zeros((len(candidates), len(candidates)), dtype=np.int64)
    for number, part in enumerate(parts):
        wobbling = gene.wobble[np.ix_(candidates, part)].astype(np.int64)
        one, two = (wobbling @ (codes[part, strand] != 0) for strand in (0, 1))
        straight = forward[:, None, number] & reverse[None, :, number]
        points = np.where(straight, one[:, None] + two[None, :], 0)
        earned += np.maximum(points, np.where(straight.T, two[:, None] + one[None, :], 0))
    return earned


def _ordered(gene: Gene, calls: list[Alleles],
             totals: npt.NDArray[np.int64]) -> tuple[tuple[Alleles, ...], tuple[int, ...]]:
    """Calls under their published names with scores, best first, then by name; suballeles under their core."""
    best: dict[Alleles, int] = {}
    for alleles, total in zip(calls, totals.tolist(), strict=True):
        named = tuple(sorted((gene.core[allele] for allele in alleles), key=natural))
        best[named] = max(total, best.get(named, 0))
    ordered = tuple(sorted(best, key=lambda call: (-best[call], *map(natural, call))))
    return ordered, tuple(best[call] for call in ordered)

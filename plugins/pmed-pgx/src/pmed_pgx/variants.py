"""Genes that are called as lists of variants (DPYD, RYR1): what each strand carries, and which two decide.

Where the phase is known, or one heterozygous site is all there is to phase, the call is a pair of strands such as
``[c.498G>A + c.2582A>G]/Reference``, one for each way in which the phase sets can lie to each other. Else it is the
list of variants. The phenotype is looked up with the variant of least function on each strand, or with the two of least
function where the phase is unknown (notes: rules 9 and 10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from . import phenotype
from .knowledge import Gene, natural
from .matcher import HALF_CALL, UNPHASED, Codes, Groups, groups_of, is_present

REFERENCE = "Reference"
MOST_SETS = 10
MOST_WAYS = 64
Strand = tuple[str, ...]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Listed:
    """One call: labels to show, pairs to look the phenotype up with (worst first), and what a reader must know."""

    labels: tuple[str, ...]
    lookups: tuple[Pair, ...]
    phased: bool
    notes: tuple[str, ...]
    homozygous: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compound:
    """An allele of two sites, of which `main` alone is an allele too, and `other` alone is none (HapB3)."""

    main: int
    other: int
    both: str
    alone: str


def completed(gene: Gene, codes: Codes) -> list[Codes]:
    """Every way in which the alleles that were not read of half-called sites may be; too many ways are none."""
    unread = np.argwhere(codes == HALF_CALL).tolist()
    ways = [range(len(gene.sites[p].alleles)) for p, _ in unread]
    found = []
    for chosen in product(*ways) if prod(map(len, ways)) <= MOST_WAYS else ():
        whole = codes.copy()
        for (p, strand), code in zip(unread, chosen, strict=True):
            whole[p, strand] = code
        found.append(whole)
    return found


def match_variants(gene: Gene, codes: Codes, groups: Groups) -> Listed:
    """Call one pattern; sites without a call are left out, whatever they hide (see ``doubts``)."""
    present = is_present(codes)
    known = np.where(codes < 0, 0, codes)
    parts = groups_of(present, np.where(codes[:, 0] == codes[:, 1], 0, groups))
    flips = parts[1:]
    if len(flips) > MOST_SETS or (len(flips) > 1 and any((groups[part] == UNPHASED).any() for part in flips)):
        return _as_list(gene, known, present)
    pairs = list(_pairs(gene, known, present, flips))
    ordered = list(dict.fromkeys(sorted((pair[0] for pair in pairs), key=lambda pair: tuple(map(_order, pair)))))
    lookups = [(_least(gene, one), _least(gene, two)) for one, two in ordered]
    lookups.sort(key=lambda pair: sum(phenotype.rank(gene, allele) for allele in pair))
    labels = tuple(f"{_label(one)}/{_label(two)}" for one, two in ordered)
    notes = tuple(dict.fromkeys(note for pair in pairs for note in pair[1]))
    return Listed(labels, tuple(lookups[:1]), phased=True, notes=notes)


def _pairs(gene: Gene, codes: Codes, present: npt.NDArray[np.bool_],
           flips: list[npt.NDArray[np.int64]]) -> Iterator[tuple[tuple[Strand, Strand], list[str]]]:
    """Both strands for each way in which the groups can lie; the first group need not be turned."""
    for turns in product((False, True), repeat=max(len(flips) - 1, 0)):
        lying = codes.copy()
        for part, turn in zip(flips[1:], turns, strict=True):
            if turn:
                lying[part] = lying[part][:, ::-1]
        one, two = (_strand(gene, lying[:, strand], present) for strand in (0, 1))
        strands = sorted((one[0], two[0]), key=_order)
        yield (strands[0], strands[1]), one[1] + two[1]


def _strand(gene: Gene, bases: npt.NDArray[np.int8], present: npt.NDArray[np.bool_]) -> tuple[Strand, list[str]]:
    """Names of the variants on one strand, in order, and notes about compounds."""
    carried, notes = dict(_carried(gene, bases, present)), []
    for one in compounds(gene):
        main, other = carried.pop(one.main, None), carried.pop(one.other, None)
        if main and other:
            carried[one.main] = one.both
        elif main:
            carried[one.main] = one.alone
        elif other and not present[one.main]:
            carried[one.other] = one.both
            notes.append("compound-by-proxy")
        elif other:
            notes.append("compound-mismatch")
    return tuple(sorted(carried.values(), key=natural)), notes


def _carried(gene: Gene, bases: npt.NDArray[np.int8], present: npt.NDArray[np.bool_]) -> Iterator[tuple[int, str]]:
    """(site, allele) of each base other than the reference's; a compound's site may bear the name of the whole."""
    named = _by_base(gene.name)
    reference = gene.alleles.index(REFERENCE)
    for p in np.flatnonzero(present & ~gene.allowed[reference, np.arange(len(bases)), bases]).tolist():
        yield p, named[p, int(bases[p])]


def _as_list(gene: Gene, codes: Codes, present: npt.NDArray[np.bool_]) -> Listed:
    """Every variant once, and the two of least function, a homozygous one counted twice."""
    counted, notes = _counted(gene, codes, present)
    listed = sorted(counted, key=natural)
    if "compound-mismatch" in notes and not any(counted[one.both] + counted[one.alone] for one in compounds(gene)):
        listed = [REFERENCE, *listed]
    twice = [allele for allele in listed for _ in range(counted[allele])]
    worst = [*phenotype.lowest(gene, twice), REFERENCE, REFERENCE][:2]
    pair = sorted(worst, key=natural)
    labels = listed if len(listed) > 1 or len(twice) > 1 else ["/".join(pair)]
    return Listed(tuple(labels), ((pair[0], pair[1]),), phased=False, notes=tuple(notes),
                  homozygous=tuple(allele for allele in listed if counted[allele] == 2))


def _counted(gene: Gene, codes: Codes, present: npt.NDArray[np.bool_]) -> tuple[Counter[str], list[str]]:
    """How often each variant is carried; both sites of a compound lie on one strand as far as the numbers allow."""
    sites = Counter(carried for strand in (0, 1) for carried in _carried(gene, codes[:, strand], present))
    notes = []
    for one in compounds(gene):
        keys = {p: key for key in sites for p in (one.main, one.other) if key[0] == p}
        main, other = (sites.pop(keys[p]) if p in keys else 0 for p in (one.main, one.other))
        both = min(main, other) if present[one.main] else other
        sites += Counter({(one.main, one.both): both, (one.main, one.alone): max(main - both, 0)})
        if other > both:
            notes.append("compound-mismatch")
        if other and not present[one.main]:
            notes.append("compound-by-proxy")
    counted: Counter[str] = Counter()
    for (_, allele), n in sites.items():
        counted[allele] += n
    return counted, notes


@cache
def _by_base(gene: str) -> dict[tuple[int, int], str]:
    """(site, base) → allele that it alone defines; a base that only a compound has bears the compound's name."""
    from .knowledge import genes

    known = genes()[gene]
    reference = known.allowed[known.alleles.index(REFERENCE)]
    found: dict[tuple[int, int], str] = {}
    for a in np.argsort(known.defined.sum(axis=1), kind="stable").tolist():
        for p, base in zip(*np.nonzero(known.allowed[a] & ~reference), strict=True):
            if known.defined[a, p]:
                found.setdefault((int(p), int(base)), known.alleles[a])
    return found


def compounds(gene: Gene) -> tuple[Compound, ...]:
    """The alleles of two sites; none in most genes."""
    return _compounds(gene.name)


@cache
def _compounds(gene: str) -> tuple[Compound, ...]:
    from .knowledge import genes

    known = genes()[gene]
    found = []
    for a, name in enumerate(known.alleles):
        sites = np.flatnonzero(known.defined[a]).tolist()
        if name == REFERENCE or len(sites) != 2:
            continue
        alone = {p: one for p in sites for one in _alone(known, p)}
        main = next(p for p in sites if p in alone)
        other = next(p for p in sites if p != main)
        found.append(Compound(main, other, name, alone[main]))
    return tuple(found)


def _alone(gene: Gene, site: int) -> list[str]:
    only = (gene.defined.sum(axis=1) == 1) & gene.defined[:, site]
    return [gene.alleles[a] for a in np.flatnonzero(only).tolist() if gene.alleles[a] != REFERENCE]


def _least(gene: Gene, strand: Strand) -> str:
    return phenotype.lowest(gene, strand)[0] if strand else REFERENCE


def _label(strand: Strand) -> str:
    if not strand:
        return REFERENCE
    return strand[0] if len(strand) == 1 else f"[{' + '.join(strand)}]"


def _order(strand: Strand) -> tuple[object, ...]:
    """Reference first, then by the number of variants, then by name."""
    return len(strand), tuple(natural(name) for name in strand)

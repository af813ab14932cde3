"""Haplotypes that no single allele explains: combinations of named alleles and single variants (rule 8).

Offered on request as a call, and used without being asked for to say what can still be concluded of a gene that is not
called. A strand is written ``[*2 + *5]`` (two named alleles), ``[*17 + g.94781859G>A]`` (a named allele and a variant),
``g.40991381A>T`` (the reference allele and a variant).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from . import phenotype
from .knowledge import NO_FUNCTION, Gene, genes, natural
from .matcher import OTHER, Codes, Groups, groups_of, is_present

MOST_GROUPS, MOST_READINGS = 8, 64
Strand = tuple[str, ...]


@dataclass(frozen=True)
class Conclusion:
    """What is known of a gene that is not called: words, and the phenotypes that stay possible (empty: unknown)."""

    text: str
    phenotypes: tuple[str, ...]


def diplotypes(gene: Gene, codes: Codes, groups: Groups) -> list[tuple[str, str]]:
    """Every pair of combined strands that explains the genotypes, in name order."""
    found = {tuple(sorted((label(one), label(two)), key=_order)): None
             for first, second in _strands(codes, groups)
             for one, two in product(readings(gene, first, codes), readings(gene, second, codes))}
    return sorted(((one, two) for one, two in found), key=lambda pair: (_order(pair[0]), _order(pair[1])))


def conclude(gene: Gene, codes: Codes, groups: Groups) -> Conclusion:
    """The variants that were read, and the phenotypes that every combination allows."""
    pairs = [(one, two) for first, second in _strands(codes, groups)
             for one, two in product(readings(gene, first, codes), readings(gene, second, codes))]
    carried = ", ".join(_carried(gene, codes)) or "none"
    text = f"no pair of named alleles explains the genotypes; variants read: {carried}"
    if not pairs:
        return Conclusion(text, ())
    shown = sorted({"/".join(sorted((label(one), label(two)), key=_order)) for one, two in pairs}, key=_order)
    outcomes = {_phenotype(gene, one, two) for one, two in pairs}
    known = tuple(sorted(one for one in outcomes if one is not None))
    return Conclusion(f"{text}; explained only as {' or '.join(shown[:3])}", known if None not in outcomes else ())


def _phenotype(gene: Gene, one: Strand, two: Strand) -> str | None:
    """Phenotype of two strands: a strand with an allele of no function has none, whatever else it carries."""
    alleles = tuple(_worth(gene, strand) for strand in (one, two))
    return phenotype.phenotype(gene, alleles)[0] if "" not in alleles else None


def _worth(gene: Gene, strand: Strand) -> str:
    """The named allele that stands for a strand's function; empty where nobody knows it."""
    lost = [part for part in strand if gene.functions.get(part) == NO_FUNCTION]
    return lost[0] if lost else strand[0] if len(strand) == 1 and strand[0] in gene.alleles else ""


def _strands(codes: Codes, groups: Groups) -> Iterator[tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]]:
    """Both strands for each way in which the phase groups can lie; none where there are too many."""
    parts = groups_of(is_present(codes), np.where(codes[:, 0] == codes[:, 1], 0, groups))[1:]
    if len(parts) > MOST_GROUPS:
        return
    for turns in product((False, True), repeat=max(len(parts) - 1, 0)):
        lying = codes.copy()
        for part, turn in zip(parts[1:], turns, strict=True):
            if turn:
                lying[part] = lying[part][:, ::-1]
        yield lying[:, 0], lying[:, 1]


def readings(gene: Gene, strand: npt.NDArray[np.int8], codes: Codes) -> list[Strand]:
    """Ways to write one strand: named alleles that together have its variants, and the variants that are left."""
    present = is_present(codes)
    reference = _reference(gene)
    sites = np.flatnonzero(present)
    differs = {int(p) for p in sites
               if strand[p] == OTHER or (strand[p] >= 0 and not gene.allowed[reference, p, strand[p]])}
    if not differs:
        return [(gene.core[gene.alleles[reference]],)]
    blocks = _blocks(gene, strand, differs, sites)
    named = {p for some, _ in blocks for p in some}
    left = [_variant(gene, p, int(strand[p])) for p in sorted(differs - named)]
    chosen = list(product(*(names for _, names in blocks)))[:MOST_READINGS]
    return [(*sorted(dict.fromkeys(one), key=natural), *left) for one in chosen]


def _blocks(gene: Gene, strand: npt.NDArray[np.int8], differs: set[int],
            sites: npt.NDArray[np.intp]) -> list[tuple[frozenset[int], list[str]]]:
    """Largest sets of the strand's variants that named alleles have, with the alleles that have just that set."""
    there = set(sites.tolist())
    sets: dict[frozenset[int], list[str]] = {}
    for a, changed in _changes(gene.name):
        own = changed & there
        if own and differs.issuperset(own) and all(strand[p] >= 0 and gene.allowed[a, p, strand[p]] for p in own):
            sets.setdefault(own, []).append(gene.core[gene.alleles[a]])
    largest = [one for one in sets if not any(one < other for other in sets)]
    return [(one, sorted(dict.fromkeys(sets[one]), key=natural)) for one in sorted(largest, key=sorted)]


@cache
def _changes(gene_name: str) -> list[tuple[int, frozenset[int]]]:
    """Each allele's number, and the sites where it has no base of the reference allele."""
    gene = genes()[gene_name]
    changed = gene.defined & ~(gene.allowed & gene.allowed[_reference(gene)]).any(axis=2)
    return [(a, frozenset(np.flatnonzero(changed[a]).tolist())) for a in range(len(gene.alleles))]


def _reference(gene: Gene) -> int:
    return int(gene.defined.sum(axis=1).argmax())


def _variant(gene: Gene, site: int, code: int) -> str:
    """HGVS-like name on the chromosome of GRCh38."""
    one = gene.sites[site]
    return f"g.{one.pos}{one.alleles[0]}>{one.alleles[code] if code >= 0 else '?'}"


def _carried(gene: Gene, codes: Codes) -> list[str]:
    reference = _reference(gene)
    found = []
    for p in np.flatnonzero(is_present(codes)).tolist():
        kinds = sorted({code for code in codes[p].tolist() if code >= 0 and not gene.allowed[reference, p, code]})
        zygosity = "homozygous" if codes[p, 0] == codes[p, 1] else "heterozygous"
        found += [f"{gene.sites[p].name} {gene.sites[p].alleles[0]}>{gene.sites[p].alleles[code]} ({zygosity})"
                  for code in kinds]
    return found


def label(strand: Strand) -> str:
    """``*2`` or ``[*2 + *5]``."""
    return strand[0] if len(strand) == 1 else f"[{' + '.join(strand)}]"


def _order(name: str) -> tuple[object, ...]:
    return natural(name)

"""What the sites that nobody looked at may hide: the alleles that stay possible, and the calls they would lead to.

The reference tool calls from the sites that are there. pmed shows that call too, but a phenotype is relied on only
where every allele that a missing key site may hide leads to the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from math import prod

import numpy as np

from . import phenotype
from .knowledge import Gene, natural
from .matcher import ABSENT, FILTERED, Alleles, Codes, is_present

MOST = 64
_STATE_WORDS = {ABSENT: "absent from the file", FILTERED: "filtered out"}
Hidden = tuple[tuple[int, str], ...]


def hidden(gene: Gene, codes: Codes) -> Hidden:
    """(site, allele) for each allele that a key site without a call may hide."""
    missing = ~is_present(codes)
    return tuple((p, allele) for p, alleles in gene.key_sites.items() if missing[p] for allele in alleles)


def in_words(gene: Gene, codes: Codes, found: Hidden) -> list[str]:
    """One sentence a missing key site: which alleles cannot be excluded."""
    texts = []
    for p in dict.fromkeys(p for p, _ in found):
        names = ", ".join(gene.core.get(allele, allele) for site, allele in found if site == p)
        state = _STATE_WORDS.get(int(codes[p].min()), "not called")
        texts.append(f"{gene.sites[p].name} is {state}: {names} cannot be excluded")
    return texts


def options(gene: Gene, codes: Codes, calls: Sequence[Alleles], found: Hidden) -> list[list[tuple[str, ...]]]:
    """For each call and each of its strands: the allele called, and those that the missing key sites may make of it."""
    present = tuple(np.flatnonzero(is_present(codes)).tolist())
    return [[(allele, *_instead(gene.name, allele, found, present)) for allele in call] for call in calls]


def diplotypes(calls: Sequence[Alleles], strands: Sequence[Sequence[tuple[str, ...]]]) -> list[Alleles]:
    """The calls and every other one that stays possible; the calls alone where that would be more than `MOST`."""
    if sum(prod(map(len, one)) for one in strands) > MOST:
        return list(calls)
    more = [tuple(sorted(chosen, key=natural)) for one in strands for chosen in product(*one)]
    return list(dict.fromkeys([*calls, *more]))


@cache
def _instead(gene_name: str, allele: str, found: Hidden, present: tuple[int, ...]) -> tuple[str, ...]:
    """Alleles that a strand called `allele` may be in truth, given the sites that are present."""
    from .knowledge import genes

    gene = genes()[gene_name]
    if gene.kind == "variants" or allele not in gene.alleles:
        return tuple(dict.fromkeys(other for _, other in found))
    others = dict.fromkeys(name for p, other in found for name in _with(gene, allele, p, other, list(present)))
    return tuple(name for name in others if name != gene.core[allele])


def _with(gene: Gene, allele: str, site: int, other: str, present: list[int]) -> Iterable[str]:
    """What `allele` becomes if it has the base of `other` at the missing site.

    `other` itself where all its present sites agree; where they do not, the named allele that has just that base more.
    If there is none, `other` is kept: a haplotype that nobody has described is not the safe assumption.
    """
    a, b = gene.alleles.index(allele), gene.alleles.index(other)
    if (gene.allowed[a, present] & gene.allowed[b, present]).any(axis=1).all():
        return [gene.core[other]]
    changed = gene.allowed[a].copy()
    changed[site] = gene.allowed[b, site]
    named = (gene.allowed & changed).any(axis=2).all(axis=1)
    return [gene.core[gene.alleles[n]] for n in np.flatnonzero(named).tolist()] or [gene.core[other]]


def phenotypes(gene: Gene, lookups: Sequence[Alleles], strands: Sequence[Sequence[tuple[str, ...]]]) -> list[str]:
    """Every phenotype that stays possible; empty where one of the possible calls has none.

    Alleles of one function lead to one phenotype, so one of them stands for all.
    """
    if gene.kind == "variants":
        strands = [[tuple(phenotype.lowest(gene, [allele, other])[0] for other in one)
                    for allele, one in zip(pair, chosen, strict=True)] for pair, chosen in zip(lookups, strands, strict=True)]
    distinct = [[phenotype.representatives(gene, one) for one in call] for call in strands]
    return phenotype.allowed(gene, dict.fromkeys(chosen for call in distinct for chosen in product(*call)))

"""What the sites that nobody looked at may hide: the alleles that stay possible, and the calls they would lead to.

The reference tool calls from the sites that are there. pmed shows that call too, but a phenotype is relied on only
where every allele that a missing key site may hide leads to the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from . import phenotype
from .knowledge import Gene, natural
from .matcher import ABSENT, FILTERED, Alleles, Codes, is_present

MOST, SHOWN = 64, 3
_STATE_WORDS = {ABSENT: "absent from the file", FILTERED: "filtered out"}
Hidden = tuple[tuple[int, str], ...]


def hidden(gene: Gene, codes: Codes) -> Hidden:
    """(site, allele) for each allele that a key site without a call may hide."""
    missing = ~is_present(codes)
    return tuple((p, allele) for p, alleles in gene.key_sites.items() if missing[p] for allele in alleles)


def in_words(gene: Gene, codes: Codes, found: Hidden) -> list[str]:
    """Which alleles cannot be excluded: a sentence a missing key site, or one for all where there are many."""
    sites = list(dict.fromkeys(p for p, _ in found))
    if len(sites) > SHOWN:
        names = list(dict.fromkeys(gene.core.get(allele, allele) for _, allele in found))
        places = _several([gene.sites[p].name for p in sites])
        return [f"{len(sites)} of {len(gene.key_sites)} key sites have no call ({places}): "
                f"{_several(names)} cannot be excluded"]
    texts = []
    for p in sites:
        names = list(dict.fromkeys(gene.core.get(allele, allele) for site, allele in found if site == p))
        state = _STATE_WORDS.get(int(codes[p].min()), "not called")
        texts.append(f"{gene.sites[p].name} is {state}: {', '.join(names)} cannot be excluded")
    return texts


def _several(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def plain(gene: Gene, codes: Codes, calls: Sequence[Alleles]) -> tuple[list[Alleles], list[str]]:
    """Calls without rare alleles that differ from another one only where nobody looked; and those alleles.

    A rare allele whose one site was not read is not assumed (as an allele that vanishes altogether is not, rule 4). Key
    alleles stay: what they would mean is weighed.
    """
    if len(calls) < 2 or gene.kind == "variants":
        return list(calls), []
    present = tuple(np.flatnonzero(is_present(codes)).tolist())
    names = frozenset(allele for call in calls for allele in call)
    rare = _rare(gene.name, names, present)
    kept = [call for call in calls if not rare.intersection(call)]
    return (kept, sorted(rare, key=natural)) if kept else (list(calls), [])


@cache
def _rare(gene_name: str, names: frozenset[str], present: tuple[int, ...]) -> frozenset[str]:
    """Alleles that are no key and alike another one of `names` but for more changes at sites that were not read."""
    from .knowledge import genes

    gene = genes()[gene_name]
    key = {gene.core[allele] for alleles in gene.key_sites.values() for allele in alleles}
    known = sorted(names.intersection(gene.alleles))
    rows = _bits(gene_name)[[gene.alleles.index(name) for name in known]]
    unread = np.ones(rows.shape[1], dtype=bool)
    unread[list(present)] = False
    changes = (rows[:, unread] & 1 == 0).sum(axis=1)
    read = rows[:, ~unread]
    # Of each allele (rows) and each other one (columns): alike where it was read, and less changed elsewhere.
    alike = ((read[:, None] & read[None]) != 0).all(axis=2)
    outdone = (alike & (changes[None] < changes[:, None])).any(axis=1)
    return frozenset(name for name, rare in zip(known, outdone.tolist(), strict=True) if rare and name not in key)


def options(gene: Gene, codes: Codes, calls: Sequence[Alleles], found: Hidden) -> list[list[tuple[str, ...]]]:
    """For each call and each of its strands: the allele called, and those that the missing key sites may make of it."""
    present = tuple(np.flatnonzero(is_present(codes)).tolist())
    return [[(allele, *_instead(gene.name, allele, found, present)) for allele in call] for call in calls]


def can_be_listed(strands: Sequence[Sequence[tuple[str, ...]]]) -> bool:
    """Whether the diplotypes that stay possible are no more than `MOST`."""
    return sum(prod(map(len, one)) for one in strands) <= MOST


def diplotypes(calls: Sequence[Alleles], strands: Sequence[Sequence[tuple[str, ...]]]) -> list[Alleles]:
    """The calls and every other one that stays possible; the calls alone where that would be more than `MOST`."""
    if not can_be_listed(strands):
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
    others = _with(gene, allele, found, list(present))
    return tuple(name for name in dict.fromkeys(others) if name != gene.core[allele])


def _with(gene: Gene, allele: str, found: Hidden, present: list[int]) -> list[str]:
    """What `allele` becomes if it has the base of another allele at a missing site, for each of those in `found`.

    The other allele itself where all its present sites agree; else the named allele that has just that base more. If
    there is none, the other alleles whose own changes the strand has as far as they were read; if there is none of
    these either, all of that site: a haplotype that nobody has described is not the safe assumption.
    """
    bits, own = _bits(gene.name), gene.alleles.index(allele)
    differ = bits & bits[own] == 0
    # Of each allele: alike at all present sites; and at least where it is changed from REF.
    alike = ~differ[:, present].any(axis=1)
    has_changes = ~(differ[:, present] & (bits[:, present] & 1 == 0)).any(axis=1)
    count = differ.sum(axis=1)
    near = np.flatnonzero(count <= 1).tolist()
    names: list[str] = []
    for site, others in _by_site(gene.name, found).items():
        elsewhere = [one for one in near if count[one] == differ[one, site]]
        agree = [n for n in others if alike[n]]
        named = [one for n in others if not alike[n] for one in elsewhere if bits[one, site] & bits[n, site]]
        partly = [n for n in others if has_changes[n]]
        names += [gene.core[gene.alleles[one]] for one in [*agree, *named] or partly or others]
    return names


@cache
def _by_site(gene_name: str, found: Hidden) -> dict[int, list[int]]:
    """Site → the numbers of the alleles that it may hide."""
    from .knowledge import genes

    gene = genes()[gene_name]
    number = {name: a for a, name in enumerate(gene.alleles)}
    places: dict[int, list[int]] = {}
    for site, allele in found:
        places.setdefault(site, []).append(number[allele])
    return places


@cache
def _bits(gene_name: str) -> npt.NDArray[np.int64]:
    """(alleles, sites): the allowed bases as bits of a number."""
    from .knowledge import genes

    allowed = genes()[gene_name].allowed
    return np.asarray((allowed << np.arange(allowed.shape[2])).sum(axis=2))


def phenotypes(gene: Gene, lookups: Sequence[Alleles], strands: Sequence[Sequence[tuple[str, ...]]]) -> list[str]:
    """Every phenotype that stays possible; empty where one of the possible calls has none.

    Alleles of one function lead to one phenotype, so one of them stands for all.
    """
    if gene.kind == "variants":
        strands = [[_least(gene.name, allele, one) for allele, one in zip(pair, chosen, strict=True)]
                   for pair, chosen in zip(lookups, strands, strict=True)]
    distinct = [[phenotype.representatives(gene, one) for one in call] for call in strands]
    return phenotype.allowed(gene, dict.fromkeys(chosen for call in distinct for chosen in product(*call)))


@cache
def _least(gene_name: str, allele: str, others: tuple[str, ...]) -> tuple[str, ...]:
    """Of a strand called `allele` that may carry each of `others` too: the one of less function."""
    from .knowledge import genes

    return tuple(phenotype.lowest(genes()[gene_name], [allele, other])[0] for other in others)

"""How features of genes are written: which there are, and what they say, where somebody else gives them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pmed.errors import InputError

from .knowledge import genes, natural
from .outside.hla import NEGATIVE, POSITIVE, STATUS, asked

GENOTYPE, DIPLOTYPE = "genotype:", "diplotype:"
_OF_GENES = ("diplotype", "phenotype", "phenotypes", "activity-score")


def names() -> Iterator[str]:
    """Every feature that the caller gives: of each gene, of each site of the release, of each HLA allele asked for."""
    yield from (f"{kind}:{gene}" for kind in _OF_GENES for gene in genes())
    yield from (f"{GENOTYPE}{site}" for site in _sites())
    yield from (f"{STATUS}{gene}{allele}" for gene in genes() for allele in asked(gene))


def written(name: str, value: Any) -> Any:
    """The value as the caller writes it: of two alleles REF, or the lower number, first.

    Raises:
        InputError: where it never says that.

    >>> written("genotype:rs9923231", "T/C"), written("diplotype:CYP2C9", "*3/*1"), written("phenotype:CYP2C9", "any")
    ('C/T', '*1/*3', 'any')
    """
    kind, _, rest = name.partition(":")
    if f"{kind}:" == GENOTYPE and rest in _sites():
        return _genotype(name, value, _sites()[rest])
    if f"{kind}:" == DIPLOTYPE and rest in genes():
        return _diplotype(value, genes()[rest].alleles)
    if f"{kind}:" == STATUS and value not in {POSITIVE, NEGATIVE}:
        raise InputError(f"must be {POSITIVE} or {NEGATIVE}. Got {value!r}", where=name)
    return value


@cache
def _sites() -> dict[str, tuple[str, ...]]:
    """Alleles of each site, REF first."""
    return {site.name: site.alleles for gene in genes().values() for site in (*gene.sites, *gene.extras)}


def _genotype(name: str, value: Any, alleles: tuple[str, ...]) -> str:
    pair = str(value).split("/")
    if len(pair) != 2 or not set(pair) <= set(alleles):
        raise InputError(f"must be two of the alleles {', '.join(alleles)}. Got {value!r}", where=name,
                         hint=f"such as {alleles[0]}/{alleles[1]}; leave out what is not known")
    return "/".join(sorted(pair, key=alleles.index))


def _diplotype(value: Any, alleles: Any) -> Any:
    """In the order of the caller; a name that it does not know (a combination, a duplication) is left as it is."""
    pair = str(value).split("/")
    return "/".join(sorted(pair, key=natural)) if set(pair) <= set(alleles) else value

"""From one or two alleles to function, activity score and phenotype, by the published rules of the gene."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from .knowledge import Gene

Alleles = tuple[str, ...]
Outcome = tuple[str | None, float | None]


def function(gene: Gene, allele: str) -> str | None:
    """Function of an allele as published; None where the release knows none."""
    return gene.functions.get(allele)


def phenotype(gene: Gene, alleles: Alleles) -> Outcome:
    """Phenotype and activity score of a diplotype, or of the one allele of a haploid gene; None where no rule says.

    An allele of unknown function leaves the phenotype unknown, unless the other one alone decides it (a variant
    associated with malignant hyperthermia).

    >>> from pmed_pgx.knowledge import genes
    >>> phenotype(genes()["CYP2C9"], ("*1", "*3"))
    ('Intermediate Metabolizer', 1.0)
    """
    keys = [_key(gene, allele) for allele in alleles]
    known = [key for key in keys if key is not None]
    if len(known) < len(keys):
        return (_decided(gene.name, known[0]) if known else None), None
    first, second = sorted([*known, ""][:2])
    return gene.rules.get((first, second), (None, None))


def agreed(gene: Gene, calls: Sequence[Alleles]) -> Outcome:
    """Phenotype and activity score where every call gives the same, each on its own; else None."""
    outcomes = [phenotype(gene, alleles) for alleles in calls]
    phenotypes, scores = {one for one, _ in outcomes}, {score for _, score in outcomes}
    return (phenotypes.pop() if len(phenotypes) == 1 else None), (scores.pop() if len(scores) == 1 else None)


def allowed(gene: Gene, calls: Iterable[Alleles]) -> list[str]:
    """Every phenotype that the calls allow, in order of first appearance; empty where one of them has none."""
    outcomes = dict.fromkeys(phenotype(gene, alleles)[0] for alleles in calls)
    return [] if None in outcomes else [one for one in outcomes if one is not None]


def representatives(gene: Gene, alleles: Iterable[str]) -> list[str]:
    """One allele for each function (or activity value) among them."""
    return list({_key(gene, allele): allele for allele in alleles}.values())


def lowest(gene: Gene, alleles: Iterable[str]) -> list[str]:
    """Alleles of a list gene, those of least function first, in the given order where they are alike."""
    return sorted(alleles, key=lambda allele: rank(gene, allele))


def rank(gene: Gene, allele: str) -> float:
    """Activity value; where the gene has none, 0 for what the gene's advice is about and 1 for everything else."""
    if gene.by == "activity":
        return gene.activities.get(allele, 1.0)
    return 0.0 if (gene.functions.get(allele) or "").endswith("Associated") else 1.0


@cache
def _decided(gene: str, key: str) -> str | None:
    """The phenotype that a function leads to whatever the other allele is, if there is one."""
    from .knowledge import genes

    led = {said for pair, (said, _) in genes()[gene].rules.items() if key in pair and "" not in pair}
    return led.pop() if len(led) == 1 else None


def _key(gene: Gene, allele: str) -> str | None:
    known = gene.functions.get(allele)
    if known is None or gene.by == "function":
        return known
    activity = gene.activities.get(allele)
    return "n/a" if activity is None else f"{activity:g}"

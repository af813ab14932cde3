"""From two alleles to function, activity score and phenotype, by the published rules of the gene."""

from __future__ import annotations

from collections.abc import Sequence

from .knowledge import Gene, Pair


def function(gene: Gene, allele: str) -> str | None:
    """Function of an allele as published; None where the release knows none."""
    return gene.functions.get(allele)


def phenotype(gene: Gene, diplotype: Pair) -> tuple[str | None, float | None]:
    """Phenotype and activity score of a diplotype; None where no rule covers it.

    >>> from pmed_pgx.knowledge import genes
    >>> phenotype(genes()["CYP2C9"], ("*1", "*3"))
    ('Intermediate Metabolizer', 1.0)
    """
    keys = [_key(gene, allele) for allele in diplotype]
    if None in keys:
        return None, None
    first, second = sorted(key for key in keys if key is not None)
    return gene.rules.get((first, second), (None, None))


def agreed(gene: Gene, diplotypes: Sequence[Pair]) -> tuple[str | None, float | None]:
    """Phenotype and activity score where every diplotype gives the same, each on its own; else None."""
    outcomes = [phenotype(gene, diplotype) for diplotype in diplotypes]
    phenotypes, scores = {one for one, _ in outcomes}, {score for _, score in outcomes}
    return (phenotypes.pop() if len(phenotypes) == 1 else None), (scores.pop() if len(scores) == 1 else None)


def _key(gene: Gene, allele: str) -> str | None:
    known = gene.functions.get(allele)
    if known is None or gene.by == "function":
        return known
    activity = gene.activities.get(allele)
    return "n/a" if activity is None else f"{activity:g}"

"""How probable the phenotypes of an ambiguous gene are, by published allele frequencies, if nothing else is known.

The chance of a diplotype is the product of its alleles' frequencies (twice that where they differ), by Hardy-Weinberg;
each population whose frequencies the release has for all alleles concerned gets its own distribution. It is a label on
doubt, never a result: advice does not read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from . import phenotype
from .knowledge import Gene, frequency, table
from .matcher import Alleles

_LEAST = 0.01  # below it, and this near to 1, a rounded share would read as never or always


@cache
def populations(gene: str) -> tuple[str, ...]:
    """Populations for which the release has frequencies of the gene's alleles."""
    return tuple(table("frequencies").filter(gene=gene)["population"].unique(maintain_order=True))


def weighed(gene: Gene, diplotypes: Sequence[Alleles]) -> list[dict[str, Any]]:
    """Rows (population, phenotype, probability) over the possible `diplotypes`; none where numbers are missing."""
    rows: list[dict[str, Any]] = []
    for population in populations(gene.name):
        shares = {allele: frequency(gene.name, allele, population) for pair in diplotypes for allele in pair}
        if None in shares.values() or not any(shares.values()):
            continue
        chances: dict[str, float] = {}
        for pair in dict.fromkeys(diplotypes):
            said = phenotype.phenotype(gene, pair)[0] or "unknown"
            product = 1.0
            for allele in pair:
                product *= shares[allele] or 0.0
            chances[said] = chances.get(said, 0.0) + product * len(set(pair))
        total = sum(chances.values())
        if total:
            rows += [{"population": population, "phenotype": said, "probability": chance / total}
                     for said, chance in chances.items()]
    return rows


def in_words(rows: Sequence[dict[str, Any]]) -> str:
    """``European: Normal Metabolizer 84%, Rapid Metabolizer 15%``; several populations after each other."""
    said: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: -row["probability"]):
        said.setdefault(row["population"], []).append(f"{row['phenotype']} {_percent(row['probability'])}")
    return "; ".join(f"{population}: {', '.join(shares)}" for population, shares in sorted(said.items()))


def _percent(probability: float) -> str:
    """What is rare is not excluded, and what is likely is not sure.

    >>> _percent(0.123), _percent(0.0001), _percent(0.9996)
    ('12%', '<1%', '>99%')
    """
    if 0 < probability < _LEAST:
        return "<1%"
    return ">99%" if 1 - _LEAST < probability < 1 else f"{probability:.0%}"

"""Status of the HLA alleles that guidelines ask for: positive, negative or unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

import polars as pl

from ..guidelines import drugs
from ..knowledge import proxies

STATUS, POSITIVE, NEGATIVE = "status:", "positive", "negative"
_SAID = re.compile(r"\*(\d{2,3}:\d{2,4})\s+(positive|negative)\b", re.IGNORECASE)
_BOTH = 2
Statuses = dict[str, str | None]


@cache
def asked(gene: str) -> tuple[str, ...]:
    """The alleles of a gene that guideline rows ask for, or that the release knows a proxy of.

    >>> asked("HLA-A")
    ('*31:01',)
    """
    inputs = {name.removeprefix(STATUS) for drug in drugs().values() for name in drug.reference}
    found = {name.removeprefix(gene) for name in inputs | set(proxies()["allele"]) if name.startswith(f"{gene}*")}
    return tuple(sorted(found))


def from_alleles(gene: str, alleles: Sequence[str]) -> Statuses:
    """Status by the alleles of both chromosomes; an allele known by its first field only (``*57``) may be any of it.

    >>> from_alleles("HLA-B", ["*15:02", "*57"])
    {'*15:02': 'positive', '*57:01': None, '*58:01': 'negative'}
    """
    return {wanted: _status([_is(allele, wanted) for allele in alleles]) for wanted in asked(gene)}


def _is(allele: str, wanted: str) -> bool | None:
    """Whether an allele is the wanted one; a null allele (N) is not expressed, and may or may not be meant."""
    if allele == wanted:
        return True
    return None if allele in (f"{wanted}N", wanted.partition(":")[0]) else False


def _status(found: Sequence[bool | None]) -> str | None:
    if True in found:
        return POSITIVE
    return NEGATIVE if len(found) == _BOTH and None not in found else None


def from_text(gene: str, text: str) -> Statuses:
    """Status as a tool or laboratory says it; what is not said is unknown.

    >>> from_text("HLA-B", "HLA-B*57:01 Positive")
    {'*15:02': None, '*57:01': 'positive', '*58:01': None}
    """
    said: dict[str, set[str]] = {}
    for allele, status in _SAID.findall(text):
        said.setdefault(f"*{allele}", set()).add(status.lower())
    return {wanted: only(said.get(wanted, ())) for wanted in asked(gene)}


def only(values: Iterable[str | None]) -> str | None:
    """The one value that all have; None where they differ or there is none."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None


def in_words(statuses: Statuses) -> str | None:
    """What is known, as one text; None where nothing is.

    >>> in_words({"*15:02": "negative", "*57:01": "positive", "*58:01": None})
    '*15:02 negative; *57:01 positive'
    """
    return "; ".join(f"{allele} {status}" for allele, status in statuses.items() if status) or None


def statuses(results: pl.DataFrame, wanted: Iterable[str]) -> pl.DataFrame:
    """patient_id, and for each ``status:HLA-B*57:01`` wanted "positive", "negative" or null, from ``gene_results``."""
    wide = results.select("patient_id").unique(maintain_order=True)
    for name in wanted:
        gene, _, allele = name.removeprefix(STATUS).partition("*")
        said = pl.col("phenotype").str.extract(rf"\*{re.escape(allele)} ({POSITIVE}|{NEGATIVE})").alias(name)
        found = results.filter((pl.col("gene") == gene) & (pl.col("status") == "outside")).select("patient_id", said)
        wide = wide.join(found, on="patient_id", how="left", maintain_order="left")
    return wide

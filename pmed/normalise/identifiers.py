"""Identifiers of genes and medicines, for exports whose readers want codes and not only names.

A table like the vocabulary of medicines: HGNC ids of genes, RxNorm codes of ingredients, and the ATC codes that the
vocabulary has for a medicine alone. What is not in the table has no code; none is made up.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def _identifiers() -> dict[tuple[str, str], str]:
    text = (files(__package__) / "data" / "identifiers.tsv").read_text("utf-8")
    return {(row["kind"], row["name"]): row["code"] for row in csv.DictReader(text.splitlines(), delimiter="\t")}


@cache
def _atc() -> dict[str, tuple[str, ...]]:
    text = (files(__package__) / "data" / "drugs.tsv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {row["ingredient"]: tuple(row["atc"].split(";")) for row in rows if row["atc"]}


def hgnc(symbol: str) -> str | None:
    """HGNC id of a gene with its prefix (``HGNC:…``); None where the table does not have it."""
    return _identifiers().get(("gene", symbol))


def rxnorm(ingredient: str) -> str | None:
    """RxNorm code of an ingredient (RxNorm name in lower case); None where the table does not have it."""
    return _identifiers().get(("drug", ingredient))


def atc(ingredient: str) -> tuple[str, ...]:
    """ATC codes of a medicine for it alone; several where it is used in several ways, none where unknown."""
    return _atc().get(ingredient, ())

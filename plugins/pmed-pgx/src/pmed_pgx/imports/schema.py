"""The tables of a knowledge release: their columns in order, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pmed.files import write_whole

Row = tuple[object, ...]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "genes": ("gene", "chrom", "ploidy", "kind", "undocumented", "reference_allele", "source"),
    "sites": ("gene", "site", "role", "pos", "ref", "alts", "pos37", "ref37", "source"),
    "alleles": ("gene", "allele", "core", "function", "activity", "tier1", "source"),
    "definitions": ("gene", "allele", "site", "bases"),
    "phenotypes": ("gene", "by", "first", "second", "phenotype", "activity_score", "source"),
    "priorities": ("gene", "among", "pick", "source"),
}
# What the columns that name a kind may hold.
PLOIDIES = ("autosome", "X", "MT")
KINDS = ("diplotype", "variants", "status")  # pairs of named alleles; lists of variants; outside calls only
ROLES = ("defining", "required", "extra")  # extra: read for advice, part of no allele
UNDOCUMENTED = ("refuse", "reference")


def empty() -> dict[str, list[Row]]:
    """No rows yet, for every table."""
    return {name: [] for name in COLUMNS}


def write(folder: Path, tables: Mapping[str, Iterable[Row]]) -> None:
    """Write every table as tab-separated text; None is an empty field."""
    for name, columns in COLUMNS.items():
        lines = ["\t".join(columns), *("\t".join(map(_text, row)) for row in tables[name])]
        write_whole(folder / f"{name}.tsv", ("\n".join(lines) + "\n").encode())


def _text(value: object) -> str:
    return "" if value is None else str(value)

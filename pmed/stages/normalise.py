"""Recorded drugs become ingredients, by the vocabularies that the knowledge releases bring."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..normalise.drugs import add_ingredients
from ..tables import TABLES, Tables
from ..types import Release


def vocabulary(releases: Sequence[Release]) -> pl.DataFrame:
    """All releases' ``drug_names`` as one table, each row once."""
    table = TABLES["drug_names"]
    parts = [table.check(one.tables[table.name], where=one.name) for one in releases if table.name in one.tables]
    return pl.concat([table.empty(), *(part.select(table.names) for part in parts)]).unique(
        table.key, keep="first", maintain_order=True)


def understand_drugs(tables: Tables, names: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The same tables with ingredients filled in; what could not be settled is in ``issues``."""
    out = dict(tables)
    for name in ("medications", "allergies"):
        out[name], found = add_ingredients(out[name], names)
        out["issues"] = pl.concat([out["issues"], found.select(out["issues"].columns)])
    return out

"""Medicines that are over since nobody knows when, of those after which labels ask for days without any.

An order that is over and has no end is common, and of most nobody need know when that was.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from pmed.plans import as_written
from pmed.repeats import of_tables
from pmed.tables import Tables

from .knowledge import table
from .medicines import each_drug, with_coming
from .phenoconversion import RECENT

_OVER = ("stopped", "completed", "ended", "inactive")


@of_tables("medications", "patients")
def ended(tables: Tables) -> pl.DataFrame:
    """patient_id, gone: drugs with a wash-out that are over since nobody knows when, and not taken now."""
    rows = with_coming(tables)
    if not rows["status"].is_in(_OVER).any():
        return pl.DataFrame(schema={"patient_id": pl.String(), "gone": pl.String()})
    each = each_drug(rows, "status", "end").filter(pl.col("drug").is_in(_washed_out()))
    over = (pl.col("state") == RECENT) & pl.col("end").is_null() & pl.col("status").is_in(_OVER)
    return each.group_by("patient_id", gone="drug").agg(
        over=over.any(), now=(pl.col("state") != RECENT).any()).filter("over", ~pl.col("now")).select(
        "patient_id", "gone").sort("patient_id", "gone").pipe(as_written)


@cache
def _washed_out() -> list[str]:
    return table("washouts")["drug"].unique().to_list()

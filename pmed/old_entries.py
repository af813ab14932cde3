"""Medicines that count as taken on the word of an entry that nothing has confirmed for years.

Orders without an end are often left active. Such a medicine still counts, because an interaction that is overlooked is
worse than one that is asked about; how old the entry is goes with it wherever it counts.
"""

from __future__ import annotations

import polars as pl

YEARS = 2  # without an entry about it, from which on it is told
SINCE = "years_since_entry"
CODE = "old-entry"  # of an issue, and of a caution
_YEAR = 365.25


def with_years(medications: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """``medications`` with `years_since_entry`: whole years of what counts as taken, is old and has no end; else null.

    The last entry is that of any row of the same ingredients (of the same text where they are unknown): a start, or the
    day it was recorded. An entry without a day has no age.
    """
    days = patients.select("patient_id", "index_date")
    known = [name for name in ("start", "recorded") if name in medications.columns]
    told = pl.max_horizontal(pl.when(pl.col(name) <= pl.col("index_date")).then(name) for name in known)
    rows = medications.select("patient_id", "ingredients", "display", "code", "active", "end", *known).join(
        days, on="patient_id", how="left", maintain_order="left").select(
        "patient_id", "active", "end", _age=(pl.col("index_date") - told).dt.total_days(), _what=_what())
    long, taken = pl.col("_age") >= YEARS * _YEAR, pl.col("active") & pl.col("end").is_null()
    old = (long & taken).fill_null(value=False)
    if not rows.select(old.any()).item():  # most records are of today
        return medications.with_columns(pl.lit(None, pl.Int64()).alias(SINCE))
    least = pl.col("_age").min().over("patient_id", "_what")
    years = pl.when(old & (least >= YEARS * _YEAR)).then((least / _YEAR).floor().cast(pl.Int64()))
    return medications.with_columns(rows.select(years.alias(SINCE)).to_series())


def _what() -> pl.Expr:
    """What rows of one medicine have in common; an entry that says that none is taken is none."""
    listed = pl.when(pl.col("ingredients").list.len() > 0).then(pl.col("ingredients").list.join("+"))
    return pl.coalesce(listed, pl.when(pl.col("ingredients").is_null()).then(pl.coalesce("display", "code")))


def doubt(drug: str) -> pl.Expr:
    """A caution (code, text) about the medicine in column `drug`; of the rows of `old_drugs`."""
    text = pl.format("Nothing was recorded about {} for {} years: ask whether it is still taken.", drug, "years")
    return pl.struct(code=pl.lit(CODE), text=text)


def old_drugs(medications: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """patient_id, drug, years: ingredients that only old entries have as taken; years of the latest of them."""
    marked = with_years(medications, patients)
    if marked[SINCE].null_count() == marked.height:
        return pl.DataFrame(schema={"patient_id": pl.String(), "drug": pl.String(), "years": pl.Int64()})
    each = marked.filter("active").select("patient_id", SINCE, drug="ingredients").explode(
        "drug", empty_as_null=True, keep_nulls=True).drop_nulls("drug")
    return each.group_by("patient_id", "drug", maintain_order=True).agg(
        pl.col(SINCE).is_not_null().all().alias("_old"), years=pl.col(SINCE).min()).filter("_old").drop("_old")

"""Allergies to medicines that are taken and that no row or check of the release is about.

Of a drug that is covered an allergy is a check like any other (`checks.allergy_rows`). The vocabulary knows more: those
that only act on an enzyme, and those of which nothing else is known here (metamizole).
"""

from __future__ import annotations

import polars as pl

from pmed.plans import as_written
from pmed.repeats import of_tables
from pmed.tables import TABLES, Tables

from .checks import allergy_rows, covered
from .guidelines import CONCERN

KEY = ["patient_id", "drug"]


@of_tables("allergies")
def _allergic(tables: Tables) -> pl.DataFrame:
    """patient_id, drug: ingredients that an allergy is on record to, of those that are not covered."""
    rows = tables.get("allergies", TABLES["allergies"].empty()).lazy().filter(pl.col("active").fill_null(value=True))
    each = rows.select("patient_id", drug="ingredients").explode("drug", empty_as_null=True, keep_nulls=True)
    return each.drop_nulls("drug").filter(~pl.col("drug").is_in([*covered()])).unique().pipe(as_written)


def allergies_to_others(taken: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Suggestions, without ``adviser``, of drugs `taken` (patient_id, drug, `unclear`: cautions) and not covered."""
    found = taken.join(_allergic(tables), on=KEY, how="semi").sort(KEY)
    columns = {name: column.dtype for name, column in TABLES["suggestions"].columns.items() if name != "adviser"}
    if found.is_empty():
        return pl.DataFrame(schema=columns)
    row = allergy_rows("{}")[0]
    text, why = pl.format(row.text, "drug"), pl.format(f"{row.because[:1].upper()}{row.because[1:]} ({{}}).", "drug")
    nothing = pl.lit([])
    made = found.with_columns(
        action=pl.lit(row.action), urgency=pl.lit("today"), strength=pl.lit(row.strength),
        concern=pl.lit(CONCERN[row.action]), text=text, why=why, dose_factor=None, population=None,
        evidence=pl.concat_list(pl.struct([pl.lit(value).alias(name) for name, value in (row.evidence or {}).items()])),
        alternatives=nothing, cautions=pl.col("unclear").fill_null(nothing), unknown=nothing, explained_by=nothing)
    return made.select(pl.col(name).cast(dtype) for name, dtype in columns.items())

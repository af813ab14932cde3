"""Who takes a medicine now."""

from __future__ import annotations

import polars as pl

from pmed.plans import as_written


def takers(medications: pl.DataFrame, drug: str) -> tuple[str, ...]:
    """The patients of whom the record says that they take a drug, or may, in alphabetical order."""
    takes = pl.col("active").fill_null(value=True) & pl.col("ingredients").list.contains(drug)
    who = medications.lazy().filter(takes).select("patient_id").pipe(as_written)
    return tuple(sorted({patient for (patient,) in who.iter_rows()}))

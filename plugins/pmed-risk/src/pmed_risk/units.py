"""Measurements in one unit (UCUM)."""

from __future__ import annotations

from typing import Final

import polars as pl

# (LOINC code, unit as recorded) → factor. Cholesterol: 38.67 mg/dL are 1 mmol/L (molar mass 386.65 g/mol).
_FACTORS: Final = {"mg/dL": {"mg/dL": 1.0, "mmol/L": 38.67}, "mm[Hg]": {"mm[Hg]": 1.0, "mmHg": 1.0, "kPa": 7.50062}}


def in_unit(rows: pl.DataFrame) -> pl.Series:
    """`value` in the unit of column `canonical`, from `unit`; null where the unit is missing or another kind."""
    table = pl.DataFrame(
        [(to, given, factor) for to, one in _FACTORS.items() for given, factor in one.items()],
        schema={"canonical": pl.String, "unit": pl.String, "factor": pl.Float64}, orient="row")
    joined = rows.join(table, on=["canonical", "unit"], how="left", maintain_order="left")
    return joined.select(pl.col("value") * pl.col("factor")).to_series()

"""How long a measurement tells of today, and how old the last one is.

What changes within days (INR, potassium, the level of a drug) is not what it was months ago: an older value is unknown,
neither a cause for alarm nor a sign that all is well. The limits are ours; none is of a guideline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import polars as pl

from .features.history import people_of, table_of, usable
from .tables import Tables

A_YEAR = 365.0
# LOINC → days. INR: the longest usual time between two checks is four weeks; lithium: three months; QTc: half a year.
DAYS: Mapping[str, float] = {
    "6301-6": 30, "34714-6": 30,  # INR, of whole blood
    "2823-3": 90, "6298-4": 90, "2951-2": 90, "2947-0": 90, "19123-9": 90,  # potassium, sodium, magnesium
    "14334-7": 90,  # level of lithium
    "777-3": 90,  # platelets
    "8636-3": 180, "8634-8": 180,  # QTc, QT
    "8867-4": 30,  # heart rate
}
# LOINC → codes of the same measurement in whole blood: where one of them is the latest, it counts.
BLOOD: Mapping[str, tuple[str, ...]] = {"6301-6": ("34714-6",), "2160-0": ("38483-4",), "2823-3": ("6298-4",)}


def same(code: str) -> tuple[str, ...]:
    """A measurement's codes: its own, and that of whole blood."""
    return (code, *BLOOD.get(code, ()))


def days_of(code: str, others: float = A_YEAR) -> float:
    """How many days a value of the measurement tells of today; `others` of those that `DAYS` does not name."""
    return DAYS.get(code, others)


def recent(code: str, others: float = A_YEAR) -> pl.Expr:
    """Whether a row of `usable` is young enough."""
    return pl.col("start") >= pl.col("index_date") - timedelta(days=days_of(code, others))


def outdated(tables: Tables, codes: Iterable[str]) -> pl.DataFrame:
    """patient_id, code, value, ago: the latest measurement where it is too old, in its canonical unit, and days."""
    asked = tuple(dict.fromkeys(codes))
    of = pl.DataFrame([(one, code, days_of(code)) for code in asked for one in same(code)], orient="row",
                      schema={"canonical_code": pl.String(), "code": pl.String(), "limit": pl.Float64()})
    rows = usable(people_of(tables), table_of(tables, "observations"), tuple(of["canonical_code"]))
    ago = (pl.col("index_date") - pl.col("start")).dt.total_days()
    last = rows.join(of, on="canonical_code", maintain_order="left").group_by("patient_id", "code", maintain_order=True
                                                                              ).last()
    return last.with_columns(ago=ago).filter(pl.col("ago") > pl.col("limit"), pl.col("value").is_not_null()).select(
        "patient_id", "code", "value", "ago")

"""Medicines that one entry of a record has as taken and a later statement as not taken.

Orders are often left active when a patient has stopped. Who is right is not known: such a medicine is perhaps taken.
"""

from __future__ import annotations

import polars as pl

from ..plans import as_written
from ..tables import TABLES

_DENIED = ("stopped", "not-taken")


def weigh(medications: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``medications`` with ingredients; `active` is null where a later statement denies it. Also the ``issues`` met.

    What is said of the same ingredients counts. A medicine that was begun after the statement is taken again.
    """
    said = pl.col("kind").eq_missing("statement") & pl.col("status").is_in(_DENIED)
    if not medications.select((said & ~pl.col("active") & pl.col("ingredients").is_not_null()).any()).item():
        return medications, TABLES["issues"].empty()
    key = ["patient_id", "ingredients"]
    denied = medications.lazy().filter(said, ~pl.col("active"), pl.col("ingredients").list.len() > 0)
    denials = denied.group_by(key).agg(_said=pl.max_horizontal("start", "end").max())
    rows = medications.lazy().join(denials, on=key, how="left", maintain_order="left").with_columns(
        _against=(pl.col("active") & ~(pl.col("start") > pl.col("_said")).fill_null(value=False)
                  & pl.col("_said").is_not_null()).fill_null(value=False)).pipe(as_written)
    found = rows.filter("_against")
    weighed = rows.with_columns(active=pl.when(~pl.col("_against")).then("active"))
    return weighed.select(medications.columns), _issues(found)


def _issues(rows: pl.DataFrame) -> pl.DataFrame:
    origin = pl.col("source").fill_null("unknown").str.splitn("#", 2).struct
    text = pl.format("'{}' is recorded as taken, and a later statement says that it is not: whether it is taken stays "
                     "unknown", pl.coalesce("display", pl.col("ingredients").list.join(", ")))
    return rows.select(
        file=origin.field("field_0"), place=origin.field("field_1"), severity=pl.lit("warning"),
        code=pl.lit("taken-and-not-taken"), text=text, patient_id="patient_id").cast(
            {name: column.dtype for name, column in TABLES["issues"].columns.items()})

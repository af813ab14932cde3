"""Cautions about a medicine that ended on a day nobody recorded, beside what was begun after it, perhaps too soon.

Only where days should lie between the two (table ``washouts``, and a check that says to avoid the other): an order that
is over and has no end is common, and of most nobody need know when that was.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from pmed.plans import as_written
from pmed.repeats import of_tables
from pmed.tables import TABLES, Tables

from .cases import Cases
from .knowledge import table
from .medicines import days_taken, each_drug, with_coming
from .phenoconversion import RECENT
from .switching import apart, span

KEY = ["patient_id", "drug"]
END_UNKNOWN = "end-unknown"
_OVER = ("stopped", "completed", "ended", "inactive")
_CAUTIONS = TABLES["suggestions"].columns["cautions"].dtype
_NONE = pl.DataFrame(schema={**dict.fromkeys(KEY, pl.String()), "cautions": _CAUTIONS})


def undated(taken: pl.DataFrame, cases: Cases, tables: Tables) -> pl.DataFrame:
    """patient_id, drug, cautions: of those `taken` (patient_id, drug) that may have been begun too soon after another.

    Who has taken a medicine for longer than the days that should lie between is told nothing.
    """
    gone = _gone(tables)
    if gone.is_empty():
        return _NONE
    both = cases.placed(taken.select(KEY).join(gone, on="patient_id"))
    # A medicine and what is over are a few kinds of pairs, however many people have them.
    pairs = both.select("case", "gone").unique(maintain_order=True)
    least = [apart(cases.outcomes[case], name) for case, name in pairs.iter_rows()]
    waiting = pairs.with_columns(least=pl.Series(least, dtype=pl.Float64)).drop_nulls("least")
    lately = both.join(waiting, on=["case", "gone"]).join(days_taken(tables), on=KEY, how="left").filter(
        pl.col("days").is_null() | (pl.col("days") < pl.col("least")))
    text = pl.format("When {} ended is not on record: {} should lie between its last dose and the first of {}.", "gone",
                     pl.col("least").replace_strict({one: span(one) for one in least if one}, return_dtype=pl.String),
                     "drug")
    told = pl.struct(code=pl.lit(END_UNKNOWN), text=text)
    return lately.sort(*KEY, "gone").group_by(KEY, maintain_order=True).agg(cautions=told).cast({"cautions": _CAUTIONS})


@of_tables("medications", "patients")
def _gone(tables: Tables) -> pl.DataFrame:
    """patient_id, gone: drugs with a wash-out that are over since nobody knows when, and not taken now."""
    rows = with_coming(tables)
    if not rows["status"].is_in(_OVER).any():
        return pl.DataFrame(schema={"patient_id": pl.String(), "gone": pl.String()})
    each = each_drug(rows, "status", "end").filter(pl.col("drug").is_in(_washed_out()))
    over = (pl.col("state") == RECENT) & pl.col("end").is_null() & pl.col("status").is_in(_OVER)
    return each.group_by("patient_id", gone="drug").agg(
        over=over.any(), now=(pl.col("state") != RECENT).any()).filter("over", ~pl.col("now")).select(
        "patient_id", "gone").pipe(as_written)


@cache
def _washed_out() -> list[str]:
    return table("washouts")["drug"].unique().to_list()

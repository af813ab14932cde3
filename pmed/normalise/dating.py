"""The day of the question where nobody says it: the last entry of a record."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from ..tables import Tables

TAKEN = "no index date was asked for; the last entry of the record, {}, is used"
NONE = "no index date was asked for and the record has no dated entry; age stays unknown"


def last_entries(frames: Tables) -> pl.DataFrame:
    """The latest dated entry of each patient up to today. A medicine's end is a plan, not an entry."""
    # A date to come is a slip of the pen or a plan: the patient is not that old yet.
    today = datetime.now(UTC).date()
    # One after the other: polars 1.44 makes one row of several columns that hold nothing.
    entries = [frame.filter(pl.col(column) <= today).select("patient_id", index_date=column)
               for name, frame in frames.items() if name != "patients" for column in ("start", "end", "recorded")
               if column in frame.columns and (name, column) != ("medications", "end")]
    return pl.concat(entries).group_by("patient_id").agg(pl.col("index_date").max())

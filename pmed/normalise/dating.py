"""The day of the question where nobody says it: the last entry of a record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from ..tables import Tables

TAKEN = "no index date was asked for; the last entry of the record, {}, is used"
NONE = "no index date was asked for and the record has no dated entry; age stays unknown"


def last_entries(frames: Tables) -> pl.DataFrame:
    """The latest dated entry of each patient up to today. A medicine's end is a plan, not an entry."""
    # A date to come is a slip of the pen or a plan: the patient is not that old yet.
    today = datetime.now(UTC).date()
    entries = [_entries(frame, [column for column in ("start", "end", "recorded")
                                if column in frame.columns and (name, column) != ("medications", "end")], today)
               for name, frame in frames.items() if name != "patients"]
    return pl.concat(entries).group_by("patient_id").agg(pl.col("index_date").max()).collect()


def _entries(frame: pl.DataFrame, columns: Sequence[str], today: date) -> pl.LazyFrame:
    """patient_id and index_date: the latest day up to today of each row, null where there is none."""
    days = [pl.when(pl.col(name) <= today).then(name) for name in columns]
    return frame.lazy().select("patient_id", index_date=pl.max_horizontal(days))

"""The day of the question where nobody says it: the latest entry up to today."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pmed.normalise.dating import last_entries

TODAY = datetime.now(UTC).date()
DAYS = st.none() | st.dates(date(1990, 1, 1), TODAY) | st.dates(TODAY + timedelta(days=2), date(2999, 1, 1))
ROWS = st.lists(st.tuples(st.sampled_from("abc"), DAYS, DAYS), max_size=6)


def frame(rows: list[tuple[str, date | None, date | None]], *columns: str) -> pl.DataFrame:
    return pl.DataFrame(rows, {"patient_id": pl.String, **dict.fromkeys(columns, pl.Date)}, orient="row")


@given(ROWS, ROWS)
def test_the_latest_entry_of_each_patient_but_for_days_to_come_and_planned_ends(
        conditions: list[tuple[str, date | None, date | None]],
        medications: list[tuple[str, date | None, date | None]]) -> None:
    entries = [(name, day) for name, *days in conditions for day in days] + [
        (name, start) for name, start, _end in medications]
    expected = {name: max((day for whose, day in entries if whose == name and day and day <= TODAY), default=None)
                for name, _ in entries}

    found = last_entries({"patients": frame([], "birth_date"), "conditions": frame(conditions, "start", "end"),
                          "medications": frame(medications, "start", "end")})

    assert dict(found.select("patient_id", "index_date").iter_rows()) == expected

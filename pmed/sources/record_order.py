"""Measurements of one day in the order of their times: which is the latest must not hang on the order of a file.

Servers send the newest first as often as the oldest. Tables keep the day only, and a later row of a day is the later
measurement.
"""

from __future__ import annotations

import polars as pl

_WHOLE_DAY = len("YYYY-MM-DD")
_ZONE = len("+00:00")
_SAME = ("patient_id", "system", "code", "_day")
_TIME = r"T(\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?"
_OFFSET = r"([+-])(\d{2}):?(\d{2})$"


def in_time(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as recorded (`start` still text), those of one patient, code and day in the order of their times.

    Rows of other days stay where they are, and so does, before the others, what has a day without a time.
    """
    whose = _perhaps_out_of_order(rows["patient_id"], rows["start"])
    if whose.is_empty():
        return rows
    day = pl.col("start").str.head(_WHOLE_DAY)
    theirs = rows.select("patient_id", "system", "code", "start").with_row_index("_at").filter(
        pl.col("patient_id").is_in(whose.to_list())).with_columns(_day=day)
    # Few rows have another of their day: the hash finds these, and perhaps one more, before anything is sorted.
    alike = theirs.select(pl.col("patient_id").hash(1) ^ pl.col("code").hash(2) ^ pl.col("_day").hash(3)).to_series()
    several = theirs.filter(_is_repeated(alike), pl.col("code").is_not_null(),
                            pl.col("_day").str.len_bytes() == _WHOLE_DAY)
    ordered = several.sort(_instant(), "_at", nulls_last=False)
    moved = ordered.select("_at", _to=pl.col("_at").sort().over(_SAME)).filter(pl.col("_at") != pl.col("_to"))
    if moved.is_empty():
        return rows
    order = pl.Series("_at", range(rows.height), pl.UInt32).scatter(moved["_to"], moved["_at"])
    return rows[order]


def _perhaps_out_of_order(patient: pl.Series, start: pl.Series) -> pl.Series:
    """The patients of whom any row may be of an earlier time than one before it.

    In one time zone texts are in the order of their times. Where the rows of a patient stand apart, it may be anybody.
    """
    pairs = pl.DataFrame({"patient": patient, "start": start})
    same = (pl.col("patient") == pl.col("patient").shift()).fill_null(value=False)
    first = pairs.filter(~same)["patient"]
    if first.is_duplicated().any():
        return first.unique()
    text, zone = pl.col("start"), pl.col("start").str.tail(_ZONE)
    earlier, moved = pairs.select(earlier=same & (text < text.shift()), moved=same & (zone != zone.shift()))
    if moved.any():
        utc, day = text.str.ends_with("Z"), text.str.head(_WHOLE_DAY)
        earlier |= moved & pairs.select(~(utc & utc.shift()) & (day == day.shift())).to_series()
    return patient.filter(earlier).unique()


def _is_repeated(numbers: pl.Series) -> pl.Series:
    """As `is_duplicated`, in half the time where few are."""
    ordered = numbers.sort()
    return numbers.is_in(ordered.filter(ordered == ordered.shift()).implode())


def _instant() -> pl.Expr:
    """Seconds since the beginning of the written day, in UTC; null without a time."""
    text = pl.col("start")
    hours, minutes, seconds = (text.str.extract(_TIME, part).cast(pl.Float64) for part in (1, 2, 3))
    sign, *offset = (text.str.extract(_OFFSET, part) for part in (1, 2, 3))
    away = offset[0].cast(pl.Float64) * 3600 + offset[1].cast(pl.Float64) * 60
    east = pl.when(sign == "-").then(-away).otherwise(away).fill_null(0)
    return hours * 3600 + minutes * 60 + seconds.fill_null(0) - east

"""Rows as recorded → text cleaned, dates as days, and without what was entered in error; each is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import polars as pl

from .record_dates import first_day, is_bad, is_partial, last_day
from .record_states import ODD, STATES, plain

_TEXTS = ("system", "code", "display", "unit", "dose_unit", "route", "sig", "value_text", "value_code", "ancestry",
          "class", "relationship", "interpretation", "reason", "also")
_DATES = ("birth_date", "start", "end", "recorded")
_INVISIBLE = r"[\p{Cc}\p{Cf}]"
_BLANK = r"[\s\p{Zs}]+"
# What cleaning would change: an odd blank, two of them, one at an end, an invisible character, or nothing at all.
_UNTIDY = r"[\p{Cc}\p{Cf}]|[[\s\p{Zs}]--[ ]]|  |^ | $|^$"
_ERROR = "entered-in-error"
_WHOLE_DAY = len("YYYY-MM-DD")
_MANY = 10_000  # rows, of which fewer are as soon read one by one
_NO_END = 1900
#: Which rows are told of, and what `report` says of them: severity, code, text, and path where there is one.
Look = tuple[Any, ...]
# What may be wrong, in which columns, and how it is seen.
_LOOKS: tuple[tuple[str, Sequence[str], Callable[[pl.Expr], pl.Expr]], ...] = (
    ("untidy", _TEXTS, lambda text: text.drop_nulls().unique().str.contains(_UNTIDY)),
    ("odd", STATES, lambda text: text.unique().str.contains(ODD)),
    ("wrong", STATES, lambda text: text == _ERROR),
    ("short", _DATES, lambda text: text.str.len_bytes() < _WHOLE_DAY))


def report(frame: pl.DataFrame, severity: str, code: str, text: str | pl.Expr, path: str = "") -> pl.DataFrame:
    """One ``issues`` row for each row of `frame`."""
    return frame.select(
        "file", place=pl.col("place") + (f" {path}" if path else ""), severity=pl.lit(severity), code=pl.lit(code),
        text=pl.lit(text) if isinstance(text, str) else text, patient_id="patient_id")


def told(frame: pl.DataFrame, looks: Sequence[Look]) -> list[pl.DataFrame]:
    """What `report` says of the rows that are so, for each of `looks`: one look at the frame tells which of them is."""
    hits = frame.select(look.any().alias(str(number)) for number, (look, *_) in enumerate(looks)).row(0)
    return [report(frame.filter(look), *said) for (look, *said), hit in zip(looks, hits, strict=True) if hit]


def read(frame: pl.DataFrame, found: list[pl.DataFrame]) -> pl.DataFrame:
    """Clean the text, drop what was entered in error and read the dates, adding what is told to `found`.

    Nearly all is as it should be, so that one look at a frame tells what need not be done.
    """
    dates = [name for name in _DATES if name in frame.columns]
    if frame.is_empty():
        return frame.cast(dict.fromkeys(dates, pl.Date()))
    hits = _looked(frame)
    if untidy := [name for what, name in hits if what == "untidy"]:
        frame = _clean(frame, untidy, found)
    kinds = {what for what, _ in hits}
    if "odd" in kinds:
        frame = plain(frame)
    if kinds & {"odd", "wrong"}:
        frame = _without_errors(frame, found)
    return _dated(frame, dates, {name for what, name in hits if what == "short"}, found)


def _looked(frame: pl.DataFrame) -> list[tuple[str, str]]:
    """What may be wrong in which columns."""
    looks = {(what, name): says(pl.col(name)).any().alias(f"{what} {name}")
             for what, names, says in _LOOKS for name in names if name in frame.columns}
    hits = frame.select(looks.values()).row(0)
    return [look for look, hit in zip(looks, hits, strict=True) if hit]


def _clean(frame: pl.DataFrame, names: Sequence[str], found: list[pl.DataFrame]) -> pl.DataFrame:
    """Strip zero-width and control characters, which make equal names differ; name each text once a patient."""
    untidy = {name: _untidy(frame[name]) for name in names}
    for name, wrong in untidy.items():
        if odd := wrong.filter(wrong.str.contains(_INVISIBLE)).to_list():
            hidden = frame.filter(pl.col(name).is_in(odd)).unique(["patient_id", name], maintain_order=True)
            found.append(report(hidden, "info", "invisible-characters",
                                "zero-width or control characters were taken out", name))
    return frame.with_columns(_tidied(frame[name], wrong) for name, wrong in untidy.items())


def _untidy(text: pl.Series) -> pl.Series:
    """The distinct texts that cleaning changes."""
    distinct = text.drop_nulls().unique()
    return distinct.filter(distinct.str.contains(_UNTIDY))


def _tidied(text: pl.Series, wrong: pl.Series) -> pl.Series:
    # A tab or line break parts words; a zero-width character does not.
    tidy = wrong.str.replace_all(_BLANK, " ").str.replace_all(_INVISIBLE, "").str.strip_chars()
    return text.replace(wrong, tidy.replace("", None))


def _without_errors(frame: pl.DataFrame, found: list[pl.DataFrame]) -> pl.DataFrame:
    states = [name for name in STATES if name in frame.columns]
    wrong = frame.select(pl.any_horizontal(pl.col(name).eq_missing(_ERROR) for name in states)).to_series()
    if not wrong.any():
        return frame
    found.append(report(frame.filter(wrong), "info", _ERROR, "marked as entered in error; the row was left out"))
    return frame.filter(~wrong)


def _dated(frame: pl.DataFrame, names: Sequence[str], short: Collection[str],
           found: list[pl.DataFrame]) -> pl.DataFrame:
    """Text → days; partial and impossible dates are reported. In `short` columns a text is shorter than a day."""
    dated = frame.with_columns(_day(name) if frame.height < _MANY else _days(frame[name]) for name in names)
    for name in names:
        # Nearly all dates are whole: nothing is lost, and none is as short as a year or a month.
        if name not in short and dated[name].null_count() == frame[name].null_count():
            continue
        bad, partial = frame.filter(is_bad(pl.col(name))), frame.filter(is_partial(pl.col(name)))
        end = "last" if name == "end" else "first"
        found += [report(bad, "warning", "bad-date", "no date of the form YYYY-MM-DD; it stays unknown", name),
                  report(partial, "info", "partial-date", f"a date without its day; the {end} day it may mean is used",
                         name)]
    return _ended(dated, found) if {"start", "end"} <= {*names} else dated


def _ended(frame: pl.DataFrame, found: list[pl.DataFrame]) -> pl.DataFrame:
    """An end before the start, or where databases put one that there is not (1900-01-01), ends nothing."""
    if frame["end"].null_count() == frame.height:
        return frame
    before = (pl.col("end") < pl.col("start")).fill_null(value=False)
    wrong = before | (pl.col("end").dt.year() <= _NO_END).fill_null(value=False)
    if not frame.select(wrong.any()).item():
        return frame
    told = pl.when(before).then(pl.lit("the end is before the start; the end stays unknown")).otherwise(
        pl.lit("an end in 1900 or before stands for none; the end stays unknown"))
    found.append(report(frame.filter(wrong), "warning", "end-before-start", told))
    return frame.with_columns(end=pl.when(~wrong).then("end"))


def _day(name: str) -> pl.Expr:
    return (last_day if name == "end" else first_day)(pl.col(name))


def _days(text: pl.Series) -> pl.Series:
    """The day of each text, every distinct one read once: many are of one visit."""
    distinct = text.drop_nulls().unique()
    days = distinct.to_frame().select(_day(text.name))
    return text.replace_strict(distinct, days.to_series(), default=None, return_dtype=pl.Date())

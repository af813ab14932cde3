"""Dates of plain tables: by the form that the mapping says, and never by one that would fit as well."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl

from .record_dates import is_bad
from .tabular_mapping import SHORT_YEAR, FileMap

_YEAR = 1000  # the first with four figures
_EXCEL = 1900  # an empty cell that Excel shows as a date is the last day before that year
_PLANNED = timedelta(days=365 * 20)  # after today: an end may be so far away
#: Days since 1900 or 1904: from 1927 on they have five figures.
_SERIAL = r"^\d{5}(\.\d+)?$"
_POINTS = r"^\d{1,2}\.\d{1,2}\.\d{4}$"


def as_dates(cells: pl.DataFrame, mapped: FileMap, column: str) -> FileMap:
    """The mapping without its form of dates for a column whose cells are dates already."""
    return msgspec.structs.replace(mapped, date_format="") if cells.schema[column].is_temporal() else mapped


def day_cell(value: pl.Expr) -> pl.Expr:
    """A cell that is a date already, as ISO text."""
    none = pl.when(value.is_not_null()).then(pl.lit("before 1900"))
    return pl.when(value.dt.year() >= _EXCEL).then(value.dt.strftime("%Y-%m-%d")).otherwise(none)


def day(name: str, mapped: FileMap) -> pl.Expr:
    """ISO text of any precision; by the file's own format where it has one."""
    text = pl.col(name)
    if not mapped.date_format:
        # "2024-05-01 10:00:00" is how databases write what ISO writes with a T.
        iso = text.str.replace(r"^(\d{4}-\d{2}-\d{2}) ", "${1}T")
        return pl.when(is_bad(iso).not_()).then(iso)
    timed = "%H" in mapped.date_format
    read = (text.str.to_datetime if timed else text.str.to_date)(mapped.date_format, strict=False)
    # %Y takes "24" for the year 24: a medicine to be taken until then would be over.
    sure = read.dt.year() >= _YEAR
    if not re.search(r"[^%\w]", mapped.date_format):
        # Figures without marks between them: of "010123" a spreadsheet leaves 10123, which reads as 10.12.3.
        sure &= read.dt.strftime(mapped.date_format) == text
    if SHORT_YEAR in mapped.date_format:
        sure &= read.cast(pl.Date) <= datetime.now(UTC).date() + (_PLANNED if name == "end" else timedelta())
    return pl.when(sure).then(read.dt.strftime("%Y-%m-%dT%H:%M:%S" if timed else "%Y-%m-%d"))


def why_not(name: str, mapped: FileMap) -> pl.Expr:
    """What is told of a cell that is no date, and what to do."""
    text, form = pl.col(name), mapped.date_format or "YYYY-MM-DD"
    century = ", or its century cannot be told" if SHORT_YEAR in mapped.date_format else ""
    days = pl.when(text.str.contains(_SERIAL)).then(pl.lit(
        "a number of days, as Excel keeps dates, which does not say since when; it stays unknown: show the column as "
        "a date, or as text, in Excel"))
    points = pl.when(text.str.contains(_POINTS), pl.lit(not mapped.date_format)).then(pl.lit(
        "not a date of the form YYYY-MM-DD; it stays unknown: if the day comes first, say date_format = "
        "\"%d.%m.%Y\" for this file in the mapping"))
    return pl.coalesce(days, points, pl.lit(f"not a date of the form {form}{century}; it stays unknown"))

"""The day that is asked about, and FHIR dates in frames.

They are YYYY, YYYY-MM, YYYY-MM-DD or an instant (https://hl7.org/fhir/R4/datatypes.html#dateTime). The day is the one
written: time zones are not converted.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import polars as pl

from ..errors import OptionError

_AHEAD = timedelta(days=366)
_SHAPE = r"^\d{4}(-\d{2}(-\d{2}(T.*)?)?)?$"


def asked_day(text: str) -> date | None:
    """The index date that a request asks for ("" for none).

    Raises:
        OptionError: the text is no date, or one so far ahead that the record says nothing of that day.
    """
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        raise OptionError(f"index date must be YYYY-MM-DD. Got {text!r}") from None
    if found and found > datetime.now(UTC).date() + _AHEAD:
        raise OptionError(f"index date {text} is more than a year from now", hint="give the day of the question")
    return found


def is_date(text: str) -> bool:
    """Whether one text is a FHIR date."""
    try:
        return bool(re.match(_SHAPE, text) and date.fromisoformat((text[:10] + "-01-01")[:10]))
    except ValueError:
        return False


def first_day(text: pl.Expr) -> pl.Expr:
    """The first day that a FHIR date may mean; null where the text is no FHIR date."""
    whole = (text.str.slice(0, 10) + "-01-01").str.slice(0, 10)
    # Polars knows a year 0, FHIR and Python do not.
    fits = text.str.contains(_SHAPE) & ~text.str.starts_with("0000")
    return pl.when(fits).then(whole).str.to_date("%Y-%m-%d", strict=False)


def last_day(text: pl.Expr) -> pl.Expr:
    """The last day that a FHIR date may mean: nothing has ended before it."""
    day, length = first_day(text), text.str.len_chars()
    return pl.when(length == 4).then(day.dt.offset_by("12mo").dt.offset_by("-1d")).when(length == 7).then(
        day.dt.month_end()).otherwise(day)


def is_partial(text: pl.Expr) -> pl.Expr:
    """A date without its day, or without its month and day."""
    return text.str.len_chars().is_in([4, 7]) & first_day(text).is_not_null()


def is_bad(text: pl.Expr) -> pl.Expr:
    """A text where a date should be, and which is none."""
    return text.is_not_null() & first_day(text).is_null()

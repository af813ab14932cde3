"""What a report says, in the reader's language; English needs no catalogue, its texts are the messages themselves."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import date

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "unknown"
language: ContextVar[str] = ContextVar("language", default="en")


def gettext(text: str) -> str:
    """`text` in the reader's language."""
    return text


def ngettext(one: str, many: str, n: int) -> str:
    """The form that fits the count `n`; the text still holds its placeholders."""
    return one if n == 1 else many


def decimals(values: list[float]) -> int:
    """Digits after the point that show all `values`: as few as lose nothing, fewer for large numbers."""
    largest = max((abs(value) for value in values), default=0.0)
    cap = 0 if largest >= 1000 else 1 if largest >= 10 else 2 if largest >= 0.1 else 4
    exact = (n for n in range(cap) if all(abs(round(value, n) - value) < 1e-9 for value in values))
    return next(exact, cap)


def number(value: float | None, digits: int | None = None) -> str:
    """A number with a true minus sign; unknown stays the word.

    >>> number(-0.5), number(12.34), number(None)
    ('−0.5', '12.3', 'unknown')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN is the one number unlike itself
        return gettext(UNKNOWN)
    text = f"{value:.{decimals([value]) if digits is None else digits}f}"
    # "-0.0" is nothing but noise
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def day(value: date | None) -> str:
    """A date (ISO 8601 in English); unknown is the word."""
    return gettext(UNKNOWN) if value is None else value.isoformat()

"""What a report says, in the reader's language: catalogues of messages (gettext), numbers and dates (Babel).

The language holds for one rendering (`speaking`), so that renderings in several threads do not disturb each other.
English needs no catalogue and no Babel: its texts are the messages themselves.
"""

from __future__ import annotations

import gettext as catalogues
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "pmed"
ENGLISH = "en"
MINUS = "\N{MINUS SIGN}"
_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def languages() -> tuple[str, ...]:
    """The languages there are, English first."""
    return (ENGLISH, *sorted(path.parent.parent.name for path in LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")))


def language() -> str:
    """The language of this rendering."""
    return _language.get()


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """All messages, numbers and dates inside are in the language `name`, one of `languages`."""
    before = _language.set(name)
    try:
        yield
    finally:
        _language.reset(before)


def gettext(text: str) -> str:
    """`text` in the reader's language.

    >>> gettext("unknown")
    'unknown'
    """
    # gettext keeps its header under the empty text
    return text if not text or language() == ENGLISH else _catalogue(language()).gettext(text)


def marked(text: str) -> str:
    """`text` as it is: it stands in a table and is translated where it is shown (``gettext(TABLE[key])``)."""
    return text


UNKNOWN = marked("unknown")


def listed(names: Iterable[str]) -> str:
    """Names as in running text.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = names
    return gettext("%(first)s and %(last)s") % {"first": ", ".join(first), "last": last} if first else last


def ngettext(one: str, many: str, n: int) -> str:
    """The form that fits the count `n`; the text still holds its placeholders.

    >>> ngettext("%(n)s site", "%(n)s sites", 2)
    '%(n)s sites'
    """
    if language() == ENGLISH:
        return one if n == 1 else many
    return _catalogue(language()).ngettext(one, many, n)


def number(value: float | None, digits: int | None = None) -> str:
    """A number as the reader writes it, with a true minus sign; unknown is the word.

    >>> number(-0.5), number(12.34), number(3), number(None)
    ('−0.5', '12.3', '3', 'unknown')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN is the one number unlike itself
        return gettext(UNKNOWN)
    text = f"{value:.{decimals([value]) if digits is None else digits}f}"
    # "-0.0" is nothing but noise
    plain = text if float(text) else text.lstrip("-")
    return (plain if language() == ENGLISH else _localised(plain)).replace("-", MINUS)


def decimals(values: list[float]) -> int:
    """Digits after the point that show all `values`: as few as lose nothing, fewer for large numbers."""
    largest = max((abs(value) for value in values), default=0.0)
    cap = 0 if largest >= 1000 else 1 if largest >= 10 else 2 if largest >= 0.1 else 4
    exact = (n for n in range(cap) if all(abs(round(value, n) - value) < 1e-9 for value in values))
    return next(exact, cap)


def day(value: date | None) -> str:
    """A date as the reader writes it (ISO 8601 in English); unknown is the word.

    >>> day(date(2026, 5, 1))
    '2026-05-01'
    """
    if value is None:
        return gettext(UNKNOWN)
    if language() == ENGLISH:
        return value.isoformat()
    from babel.dates import format_date

    return format_date(value, format="medium", locale=language())


def long_day(value: date) -> str:
    """A date with its month in letters, in English, too.

    >>> long_day(date(2026, 5, 1))
    '1 May 2026'
    """
    from babel.dates import format_date

    return format_date(value, format="long", locale="en_GB" if language() == ENGLISH else language())


def _localised(plain: str) -> str:
    """The same digits with the language's decimal mark; four digits and fewer are not grouped."""
    from babel.numbers import format_decimal

    whole, _, rest = plain.lstrip("-").partition(".")
    pattern = ("#,##0" if len(whole) > 4 else "0") + (f".{'0' * len(rest)}" if rest else "")
    return format_decimal(Decimal(plain), format=pattern, locale=language())


@cache
def _catalogue(name: str) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, LOCALE, [name])

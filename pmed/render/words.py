"""Feature names, numbers and links as a reader wants them. Nothing here knows a gene, a drug or a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "unknown"
PATTERNS = {
    "on": "taking {}",
    "phenotype": "{} phenotype",
    "diplotype": "{} diplotype",
    "activity-score": "{} activity score",
    "genotype": "{} genotype",
    "status": "{} status",
    "finding": "{} on record",
    "observation": "{}",
    "allergy": "allergy to {}",
    "condition": "{} on record",
    "latest": "latest {}",
    "daily-dose": "daily dose of {} (mg)",
    "days-taken": "days on {}",
}
SHOWN = {"egfr": "kidney function (eGFR)", "egfr-trend": "change of eGFR a year",
         "breastfeeding": "breast-feeding", "creatinine-clearance": "kidney function (creatinine clearance)",
         "child-pugh": "liver function (Child-Pugh)", "bmi": "BMI"}
SPELT = ("condition", "finding")
NAMED = re.compile(rf"\b({'|'.join(PATTERNS)}):([^\s,;]+)")
SENTENCE = re.compile(r"(?<=[\w)%]{2}[.!?])\s+(?=[A-Z(])")
FEW_WORDS = 30
Displays = Mapping[str, str]


def feature(name: str, displays: Displays | None = None) -> str:
    """A feature's name in words: ``on:x`` → "taking x"; `displays` names observation codes.

    >>> feature("phenotype:ABC1"), feature("systolic-bp")
    ('ABC1 phenotype', 'systolic bp')
    """
    kind, _, rest = name.partition(":")
    if name in SHOWN:
        return SHOWN[name]
    if not rest or kind not in PATTERNS:
        return name.replace("-", " ").replace("_", " ")
    shown = (displays or {}).get(rest, f"LOINC {rest}") if kind in {"observation", "latest"} else rest
    return PATTERNS[kind].format(shown.replace("-", " ") if kind in SPELT else shown)


def reason(text: str, displays: Displays | None = None) -> str:
    """A reason with the feature names inside it in words.

    >>> reason("needs diplotype:ABC1, age")
    'needs ABC1 diplotype, age'
    """
    return NAMED.sub(lambda found: feature(found.group(0), displays), text)


def label(name: str) -> str:
    """A machine's name as the start of a line.

    >>> label("total-dose")
    'Total dose'
    """
    words = name.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


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
        return UNKNOWN
    text = f"{value:.{decimals([value]) if digits is None else digits}f}"
    # "-0.0" is nothing but noise
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def signed(value: float, digits: int) -> str:
    """A contribution: always with its sign."""
    text = number(value, digits)
    return text if text.startswith(MINUS) or not float(text) else f"+{text}"


def quantity(value: float | None, unit: str) -> str:
    r"""A number with its unit (UCUM or plain), held together by a no-break space.

    >>> quantity(7.5, "%"), quantity(3.0, "1")
    ('7.5\xa0%', '3')
    """
    shown = number(value)
    return shown if shown == UNKNOWN or unit in {"", "1"} else f"{shown}\N{NO-BREAK SPACE}{unit}"


def first_sentence(text: str) -> str:
    """The first sentence of some advice, and the next one where the first is only a few words."""
    sentences = SENTENCE.split(text.strip())
    return " ".join(sentences[:2]) if len(sentences[0]) < FEW_WORDS else sentences[0]


def web_link(url: Any) -> str:
    """The address if it is one a report may link to (http or https), else ''."""
    text = str(url or "").strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and parts.netloc else ""

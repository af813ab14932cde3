"""What every format is read into."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class OutsideCall:
    """One line about one gene; without diplotype, phenotype and activity score it is a tool's no-call.

    ``line`` counts from 1; ``note`` holds what was changed while reading, one remark a line.
    """

    sample: str | None
    gene: str
    diplotype: str | None
    phenotype: str | None
    activity_score: float | None
    tool: str
    line: int
    note: str = ""


@dataclass(frozen=True)
class Format:
    """One file format: `matches` knows it by its text (and name), `read` gives the calls or raises an InputError."""

    name: str
    matches: Callable[[Path, str], bool]
    read: Callable[[Path, str], list[OutsideCall]]


def from_name(path: Path, *endings: str) -> str | None:
    """The sample that a file is named after, of files that name none inside; None where only a date stands there.

    >>> [from_name(Path(name), "_result.tsv") for name in ("out/ann_result.tsv", "2024_01_31_10_20_30_result.tsv")]
    ['ann', None]
    """
    stem = next((path.name.removesuffix(end) for end in endings if path.name.endswith(end)), "")
    return None if not stem or re.fullmatch(r"[0-9_-]+", stem) else stem


# What tools write where they know nothing.
_NOTHING = {"", "-", ".", "./.", "?", "?/?", "none", "null", "na", "n/a", "nan", "no call", "no_call", "no-call",
            "nocall", "not typed", "unknown", "unknown/unknown", "indeterminate", "not available"}


def said(text: str | None) -> str | None:
    """The text without blanks around it; None where it says that nothing is known.

    >>> said(" *1/*2 "), said("./."), said("Indeterminate")
    ('*1/*2', None, None)
    """
    plain = " ".join((text or "").split())
    return None if plain.lower() in _NOTHING else plain


def number(text: str | None) -> float | None:
    """A finite number, or None."""
    try:
        value = float(said(text) or "nan")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None

"""When an order of HL7 v2 is given: how often, from when, until when (chapter 4: TQ, TQ1; table 0335)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ..normalise.sigs import read_sig
from .hl7v2_fields import day, per_day
from .hl7v2_message import Segment
from .record_dates import is_date

# Where each has pattern, duration, start, end, and how often in all.
_PATTERN, _DURATION, _START, _END, _MANY = range(5)
_PLACES = {"TQ1": ((3, 1), (6, 1), (7, 1), (8, 1), (14, 1)), "RXE": tuple((1, part) for part in (2, 3, 4, 5, 12)),
           "ORC": tuple((7, part) for part in (2, 3, 4, 5, 12))}
_SINGLE = re.compile(r"(?:1 ?X ?)?ONCE(?: ONLY)?|ONE[ -]?TIME(?: ONLY)?|STAT(?: ONCE)?|ONCE STAT"
                     r"|EINMALIG|EINMALGABE")
_CODED = re.compile(r"([DWL])(\d{1,3})")
_COUNTED = re.compile(r"(\d{1,3}) ?([A-Z]*)")
# Seconds, minutes and hours may be how long each infusion runs; INDEF, T and X name no day.
_DAYS = {**dict.fromkeys(("D", "DAY", "DAYS"), 1), **dict.fromkeys(("W", "WK", "WKS", "WEEK", "WEEKS"), 7),
         **dict.fromkeys(("L", "MO", "MONTH", "MONTHS"), 31)}
_FOR_EVER = "INDEF"
_LENGTH = len("YYYY-MM-DD")
_MORE = re.compile(r"\b(?:daily|every|each|twice|then|per day|a day|t\u00e4glich|jede[ns]?|dann)\b")


@dataclass(frozen=True)
class Timing:
    """What one or several timings of an order say; None where they do not, or not without doubt.

    Attributes:
        often: Times a day.
        start: As `end`, in HL7's words.
        end: As it is written.
        until: The last day by the duration or of a single dose.
        once: A single dose: what follows `until` is known, too.
        said: The order has a timing.
    """

    often: float | None = None
    start: str | None = None
    end: str | None = None
    until: str | None = None
    once: bool = False
    said: bool = False


@dataclass(frozen=True)
class Course:
    """What else of an order tells how long it is given.

    Attributes:
        placed: The day on which it was ordered: it starts then, where its timing has no start.
        words: Directions.
        refills: It may be filled again.
        needed: It is given as needed, or on a condition.
    """

    placed: str | None
    words: str | None
    refills: bool
    needed: bool


def timing_of(parts: Mapping[str, Segment], more: Sequence[Segment], course: Course) -> Timing:
    """The timing of an order: from TQ1 (of several `more` are the later ones), else from the older RXE-1 or ORC-7."""
    if more and "TQ1" in parts:
        more[0].report("info", "timing-not-read", "several timings of one order; how often stays unknown")
        starts, ends = ([one.text(at) for one in (parts["TQ1"], *more)] for at in (7, 8))
        return Timing(None, *_span(starts, ends), said=True)
    pattern, start, end = (_source(parts, which) for which in (_PATTERN, _START, _END))
    used = pattern or start or end or _source(parts, _DURATION)
    if used is None:
        return Timing()
    if used.repetitions(at := _PLACES[used.name][_PATTERN][0]) > 1:
        used.report("info", "timing-not-read", "several timings of one order; how often stays unknown", at)
        starts, ends = ([used.text(*_PLACES[used.name][which], one) for one in range(1, used.repetitions(at) + 1)]
                        for which in (_START, _END))
        return Timing(None, *_span(starts, ends), said=True)
    first_day, last_day = _text(parts, _START), _text(parts, _END)
    until, once = _until(parts, first_day or course.placed, last_day, course)
    return Timing(_often(parts), first_day, last_day, until, once, said=True)


def _source(parts: Mapping[str, Segment], which: int) -> Segment | None:
    """The first segment that has a field of the timing: what one leaves out another may say."""
    return next((one for name, places in _PLACES.items() if (one := parts.get(name)) and one.text(*places[which])),
                None)


def _text(parts: Mapping[str, Segment], which: int) -> str | None:
    one = _source(parts, which)
    return one.text(*_PLACES[one.name][which]) if one else None


def _often(parts: Mapping[str, Segment]) -> float | None:
    one = _source(parts, _PATTERN)
    return per_day(one, *_PLACES[one.name][_PATTERN]) if one else None


def _span(starts: Sequence[str | None], ends: Sequence[str | None]) -> tuple[str | None, str | None]:
    """From the first day to the last of several timings; without a last one where any has no end."""
    return (min(filter(None, starts)) if all(starts) else starts[0], max(filter(None, ends)) if all(ends) else None)


def _until(parts: Mapping[str, Segment], start: str | None, end: str | None,
           course: Course) -> tuple[str | None, bool]:
    """The last day, and whether it is that of a single dose; nothing where something else speaks against it."""
    begun = _whole_day(start)
    if begun is None or course.refills:
        return None, False
    days, many, often = _duration(parts), _text(parts, _MANY), _often(parts)
    if _is_single(parts) and not course.needed and not _goes_on(course.words or ""):
        over = _whole_day(end) if end else begun
        alone = many in {None, "1"} and days in {None, 1} and _text(parts, _DURATION) != _FOR_EVER
        near = over is not None and 0 <= (over - begun).days <= 1
        return (str(over), True) if alone and near else (None, False)
    if days is None or end or many or (often is not None and often * days < 1) or days > (date.max - begun).days:
        return None, False
    return str(begun + timedelta(days=days)), False


def _whole_day(text: str | None) -> date | None:
    found = (day(text) or "")[:_LENGTH]
    return date.fromisoformat(found) if len(found) == _LENGTH and is_date(found) else None


def _is_single(parts: Mapping[str, Segment]) -> bool:
    """Whether every pattern that the order has is one of a single dose."""
    patterns = [one.text(*places[_PATTERN]) for name, places in _PLACES.items() if (one := parts.get(name))]
    said = [pattern.upper() for pattern in patterns if pattern]
    return bool(said) and all(map(_SINGLE.fullmatch, said))


def _goes_on(words: str) -> bool:
    """Whether directions speak of more than one dose, whatever the pattern says."""
    return read_sig(words).per_day is not None or bool(_MORE.search(words.lower()))


def _duration(parts: Mapping[str, Segment]) -> int | None:
    """Days of "D7" or "W2", or of "7^d" of TQ1-6."""
    one, text = _source(parts, _DURATION), (_text(parts, _DURATION) or "").upper()
    if found := _CODED.fullmatch(text):
        return int(found[2]) * _DAYS[found[1]] or None
    unit = one.text(_PLACES["TQ1"][_DURATION][0], 2) if one and one.name == "TQ1" else None
    found = _COUNTED.fullmatch(f"{text} {unit or ''}".strip().upper())
    return int(found[1]) * _DAYS[found[2]] or None if found and found[2] in _DAYS else None

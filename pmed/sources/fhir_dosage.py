"""What FHIR's dosages say: how much, how often, by what route, until when (https://hl7.org/fhir/R4/dosage.html).

How much a day is told only where one dosage says it without doubt: "up to four times", "every 4 to 6 hours", "as
needed" and several dosages of one order leave it unknown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from ..masses import MILLIGRAMS
from ..normalise.pieces import PIECE_UNIT
from ..normalise.sigs import PIECE, UNKNOWN, read_sig, says_less_than_daily
from .fhir_rows import prefer, unit_of
from .fhir_types import CodeableConcept, Dosage, Repeat
from .record_dates import is_date
from .recorded import Row

_DAYS = {"h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.4375}
_BOUND_DAYS = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7, "mo": 31, "month": 31, "months": 31}
_ABBREVIATIONS = {"QD": 1.0, "BID": 2.0, "TID": 3.0, "QID": 4.0, "QOD": 0.5, "AM": 1.0, "PM": 1.0, "BED": 1.0,
                  "Q1H": 24.0, "Q2H": 12.0, "Q3H": 8.0, "Q4H": 6.0, "Q6H": 4.0, "Q8H": 3.0, "WK": 1 / 7}
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WHOLE_DAY = 10
_PERIODS = {"h": 1 / 24, "hour": 1 / 24, "hours": 1 / 24, **_BOUND_DAYS}
_ROUNDING = 1.01


def dose_of(dosages: Sequence[Dosage]) -> Row:
    """Amount, unit, times a day, route and words; of several dosages what they agree in, and never how often."""
    if not dosages:
        return None, None, None, None, None
    amounts, routes = {_amount(one) for one in dosages}, {route_of(one.route) for one in dosages}
    amount = amounts.pop() if len(amounts) == 1 else (None, None)
    route = routes.pop() if len(routes) == 1 else None
    return *amount, *(_timed(dosages[0], route) if len(dosages) == 1 else (None, route, None))


def is_more_than_allowed(dosage: Dosage) -> bool:
    """Whether it says more a day than the most it says for a period, or the two cannot be compared."""
    if dosage.max_dose_per_period is None:
        return False
    daily = _daily(dosage)
    limits = dosage.max_dose_per_period if isinstance(dosage.max_dose_per_period, list) else [
        dosage.max_dose_per_period]
    return daily is not None and not all(_is_within(*daily, limit) for limit in limits)


def route_of(route: CodeableConcept | None) -> str | None:
    """The words for a route."""
    return (route.text or prefer(route, "").display) if route else None


def last_day_of(dosages: Sequence[Dosage], start: str | None) -> str | None:
    """The day to which it is to be taken, the latest of all dosages; None where any of them has no end."""
    ends = [_end(one.timing.repeat, start) if one.timing and one.timing.repeat else None for one in dosages]
    known = [one for one in ends if one and is_date(one)]
    return max(known) if known and len(known) == len(ends) else None


def _amount(dosage: Dosage) -> tuple[float | None, str | None]:
    found = next((one.dose_quantity for one in dosage.dose_and_rate if one.dose_quantity), None)
    return (found.value, unit_of(found)) if found else (None, None)


def _daily(dosage: Dosage) -> tuple[float, str] | None:
    """How much a day by fields and words together, with its unit."""
    often, _, said = _as_said(dosage, None)
    sig, (amount, unit) = read_sig(said or ""), _amount(dosage)
    if amount is None:
        amount, unit = sig.amount, sig.unit
    times = sig.per_day if often is None else often
    if amount is not None and times is not None:
        return amount * times, unit or ""
    return (sig.daily, sig.unit or "") if sig.daily is not None else None


def _is_within(amount: float, unit: str, limit: Any) -> bool:
    """Whether an amount a day is no more than a ratio allows; never where they are of different kinds."""
    ratio = limit if isinstance(limit, dict) else {}
    upper, lower = ratio.get("numerator"), ratio.get("denominator")
    if not isinstance(upper, dict) or not isinstance(lower, dict):
        return False
    most, per = upper.get("value"), lower.get("value", 1)
    days = _PERIODS.get(str(lower.get("code") or lower.get("unit")))
    if not (_is_positive(most) and _is_positive(per)) or days is None:
        return False
    kind, daily = _in_kind(amount, unit)
    of, allowed = _in_kind(most / (per * days), str(upper.get("code") or upper.get("unit") or ""))
    return kind == of and daily <= allowed * _ROUNDING


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _in_kind(amount: float, unit: str) -> tuple[str, float]:
    """Masses in milligrams; pieces by whatever word; others by their unit."""
    if factor := MILLIGRAMS.get(unit.lower()):
        return "mg", amount * factor
    return PIECE if re.search(PIECE_UNIT, unit) else unit.lower(), amount


def _timed(dosage: Dosage, route: str | None) -> Row:
    """Times a day, route, and the words; neither of how much where that is more than it allows."""
    return (None, route, None) if is_more_than_allowed(dosage) else _as_said(dosage, route)


def _as_said(dosage: Dosage, route: str | None) -> Row:
    """Times a day, route, and the words, which count where fields leave nothing open."""
    if any((dosage.as_needed_boolean, dosage.as_needed_codeable_concept, dosage.as_needed, dosage.as_needed_for)):
        return None, route, None
    often, timing = _often(dosage), dosage.timing
    open_fields = often is None and timing is not None and (
        (timing.repeat is not None and _says_how_often(timing.repeat)) or _codings(timing.code))
    ranged = any(one.dose_range is not None for one in dosage.dose_and_rate)
    return often, route, None if open_fields or ranged else _words(dosage)


def _words(dosage: Dosage) -> str | None:
    """The one direction in words; of several the only one that is understood, unless another speaks of weeks."""
    more = dosage.additional_instruction
    notes = [one.get("text") for one in more if isinstance(one, dict)] if isinstance(more, list) else []
    said = [*dict.fromkeys(one for one in (dosage.text, dosage.patient_instruction, *notes)
                           if isinstance(one, str) and one.strip())]
    code = dosage.timing.code if dosage.timing else None
    if not said and isinstance(code, dict) and code.get("text"):
        return str(code["text"])
    clear = [one for one in said if read_sig(one) != UNKNOWN]
    same = len({read_sig(one) for one in clear}) == 1
    if same and not any(says_less_than_daily(one) for one in said if one not in clear):
        return clear[0]
    return "; ".join(said) or None


def _often(dosage: Dosage) -> float | None:
    """How many times a day."""
    timing = dosage.timing
    if timing is None or (timing.repeat and _says_how_often(timing.repeat)):
        return _per_day(timing.repeat) if timing and timing.repeat else None
    return _abbreviated(timing.code)


def _says_how_often(repeat: Repeat) -> bool:
    """Whether a timing holds more than its bounds."""
    return any(one is not None for one in (repeat.frequency, repeat.period, repeat.day_of_week, repeat.time_of_day,
                                           repeat.when))


def _abbreviated(code: Any) -> float | None:
    """How many times a day by an abbreviation of HL7 (v3 GTSAbbreviation)."""
    found = {_ABBREVIATIONS.get(str(one.get("code"))) for one in _codings(code) if isinstance(one, dict)}
    return found.pop() if len(found) == 1 else None


def _codings(code: Any) -> list[Any]:
    codings = code.get("coding") if isinstance(code, dict) else None
    return codings if isinstance(codings, list) else []


def _per_day(repeat: Repeat) -> float | None:
    """How many times a day, where the timing says so in hours, days, weeks or months."""
    days, times = _DAYS.get(repeat.period_unit or ""), repeat.frequency or 1
    if days is None or not repeat.period or _is_open(repeat, times):
        return None
    often = times / (repeat.period * days)
    return _on_days(repeat, often, times) if repeat.day_of_week else often


def _is_open(repeat: Repeat, times: int) -> bool:
    """Whether it is from so often to so often, or names other times of the day than it counts."""
    named = max(_count(repeat.time_of_day), _count(repeat.when))
    return (repeat.frequency_max not in (None, repeat.frequency) or repeat.period_max not in (None, repeat.period)
            or (named > 1 and named != times))


def _on_days(repeat: Repeat, often: float, times: int) -> float | None:
    """Tell that "once a day on Mondays", and "once a week on Mondays", are once a week."""
    said = repeat.day_of_week
    on = [day for day in _WEEK if day in said] if isinstance(said, list) else []
    if not on or len(on) != len(said):
        return None
    if repeat.period_unit == "d" and repeat.period == 1:
        return often * len(on) / len(_WEEK)
    return often if repeat.period_unit == "wk" and len(on) == times else None


def _count(events: Any) -> int:
    return len(events) if isinstance(events, list) else 0


def _end(repeat: Repeat, start: str | None) -> str | None:
    """The last day by the bounds of a timing: as said, or the first day and so many more."""
    bounds = repeat.bounds_period if isinstance(repeat.bounds_period, dict) else {}
    if isinstance(end := bounds.get("end"), str):
        return end
    days = _lasting(repeat)
    if days is None or not start or len(start) < _WHOLE_DAY or not is_date(start):
        return None
    try:
        return str(date.fromisoformat(start[:_WHOLE_DAY]) + timedelta(days=days))
    except (OverflowError, ValueError):
        return None


def _lasting(repeat: Repeat) -> float | None:
    """For how many days at most it is to be taken: as said, or until it was taken so often."""
    most = repeat.bounds_range.get("high") if isinstance(repeat.bounds_range, dict) else repeat.bounds_duration
    lasts = most if isinstance(most, dict) else {}
    days, number = _BOUND_DAYS.get(str(lasts.get("code") or lasts.get("unit"))), lasts.get("value")
    if isinstance(number, int | float) and days is not None and not lasts.get("comparator"):
        return number * days
    often = _per_day(repeat)
    return repeat.count / often if isinstance(repeat.count, int) and repeat.count > 0 and often else None

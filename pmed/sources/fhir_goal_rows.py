"""Goals → rows of observations under codes of their own: what a measurement is meant to become, not what it is."""

from __future__ import annotations

from ..normalise.loinc import LOINC
from ..normalise.units import GOAL, GOALS
from .fhir_resource import Note
from .fhir_rows import prefer, unit_of
from .fhir_types import Quantity
from .fhir_wanted import Goal, Range, Target
from .recorded import Row

Aim = tuple[float | None, str | None, str | None]

# A goal that is proposed, on hold, over or given up does not say what is aimed at now.
_PURSUED = ("planned", "accepted", "active")


def goal_rows(found: Goal, notes: list[Note]) -> list[Row]:
    """A row for each target that is measured by a LOINC code; its value is the middle of the range.

    A target with one end only, and each of a goal that is not pursued, is kept as text. What a goal says in words only
    is not guessed at.
    """
    rows: list[Row] = []
    for index, target in enumerate(found.target):
        measure = prefer(target.measure, LOINC)
        if measure.system != LOINC or not measure.code:
            continue
        value, unit, text = _aim(target)
        if _is_odd(target.detail_range):
            notes.append(Note("warning", "bad-range", "a range whose ends are in different units, or the lower one "
                              "above the other; it is kept as text", f"$.target[{index}].detailRange", personal=True))
        if found.lifecycle_status not in _PURSUED:
            value, text = None, text or (None if value is None else f"{value:g}")
        display = measure.display or (target.measure and target.measure.text) or measure.code
        rows.append((GOALS, f"{GOAL}{measure.code}", f"Goal: {display}", found.start_date or found.status_date,
                     found.status_date, found.lifecycle_status, value, unit, text, None, None))
    return rows


def _aim(target: Target) -> Aim:
    """Number, unit and text; the number of a range is its middle."""
    if target.detail_range:
        return _middle(target.detail_range)
    wanted = target.detail_quantity
    if wanted is None or wanted.value is None:
        return None, None, None
    if wanted.comparator:
        return None, unit_of(wanted), f"{wanted.comparator} {wanted.value:g}"
    return wanted.value, unit_of(wanted), None


def _middle(span: Range) -> Aim:
    low, high = _end(span.low), _end(span.high)
    text = f"{'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}".strip()
    unit = next((unit_of(end) for end in (span.low, span.high) if end), None)
    value = (low + high) / 2 if low is not None and high is not None and not _is_odd(span) else None
    return value, unit, text


def _is_odd(span: Range | None) -> bool:
    """Whether both ends are there and do not go together."""
    if span is None or span.low is None or span.high is None:
        return False
    low, high = _end(span.low), _end(span.high)
    return unit_of(span.low) != unit_of(span.high) or (low is not None and high is not None and low > high)


def _end(end: Quantity | None) -> float | None:
    return end.value if end else None

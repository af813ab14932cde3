"""A risk in per cent as 100 people, and what those of its inputs add that could be changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .messages import gettext as _
from .messages import number
from .words import Displays, feature, term

PER_CENT, SIDE, STEP = "%", 10, 10
SMALLEST = 0.1  # percentage points: less is lost in rounding


def icons(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """100 people as paths of dots: those meant, those that the interval adds, and the others; null if not per cent.

    Whole people only: below a half of one person of 100 nobody is drawn, and the words say so.
    """
    value = row["value"]
    if not _is_share(row) or value is None or not 0 <= value <= 100:
        return None
    low, high = row["interval"] or (value, value)
    few, many = (min(max(round(one), 0), 100) for one in (low, high))
    shown = round(value)
    count = str(shown) if shown or not value else _("fewer than 1")
    text = _("%(count)s of 100 people like this patient") % {"count": count}
    if row["interval"]:
        text += " " + _("(interval %(low)s to %(high)s)") % {"low": few, "high": many}
    return {"text": text, "sure": dots(0, min(few, shown)), "perhaps": dots(min(few, shown), max(many, shown)),
            "others": dots(max(many, shown), 100), "unsure": few != many}


def dots(start: int, end: int) -> str:
    """The SVG path of the dots `start` to `end` of a 10 x 10 array, row by row.

    >>> dots(9, 11)
    'M95 5h0M5 15h0'
    """
    return "".join(f"M{at % SIDE * STEP + 5} {at // SIDE * STEP + 5}h0" for at in range(start, end))


def lowering(row: Mapping[str, Any], modifiable: Collection[str], displays: Displays) -> list[str]:
    """What can be changed, by the predictor's card, and adds to this risk; largest first."""
    if not _is_share(row) or not row["explanation"]:
        return []
    found = [one for one in row["explanation"]["contributions"]
             if one["feature"] in modifiable and one["contribution"] >= SMALLEST]
    return [_("%(name)s %(value)s instead of %(reference)s adds %(points)s percentage points") % {
        "name": feature(one["feature"], displays), "value": term(one["value"]), "reference": term(one["reference"]),
        "points": number(one["contribution"], 1)} for one in sorted(found, key=lambda one: -one["contribution"])]


def _is_share(row: Mapping[str, Any]) -> bool:
    return bool(row["kind"] == "risk" and row["unit"] == PER_CENT)

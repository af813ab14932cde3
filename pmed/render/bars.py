"""An explanation as a horizontal waterfall: baseline, one signed bar a contribution, prediction.

Bars are in per cent of the chart's width; the numbers beside them carry the meaning, the bars show the proportion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .messages import UNKNOWN, decimals, number
from .messages import gettext as _
from .words import Displays, feature, reason, signed, term

MOST_BARS = 12
THINNEST = 0.8
NOTHING = 1e-9
_GENETIC, _OR = ("phenotype", "activity-score", "diplotype"), " or "

Bar = dict[str, Any]


def waterfall(explanation: Mapping[str, Any], displays: Displays | None = None) -> dict[str, Any]:
    """Bars in order of size, with inputs that made no difference named apart, and so those of which nobody can say.

    Keys: `unit`, `method`, `bars` (name, value, reference, text, sign, x, width), `zero` (x of the value 0),
    `without_effect` and `open`: inputs that are unknown, or of which several values are possible.
    """
    moved = sorted((one for one in explanation["contributions"] if abs(one["contribution"]) > NOTHING),
                   key=lambda one: -abs(one["contribution"]))
    still = [one for one in explanation["contributions"] if one not in moved]
    unknown = [one for one in still if _is_open(one)]
    start, end = explanation["baseline"], explanation["prediction"]
    steps = [*moved[:MOST_BARS], *_rest(moved[MOST_BARS:])]
    edges = _running(start, steps)
    low, span = _range([0.0, start, end, *edges])
    digits = decimals([start, end, *(one["contribution"] for one in steps)])

    def bar(one: float, other: float, sign: str, **words: str) -> Bar:
        x, width = (min(one, other) - low) / span * 100, max(abs(one - other) / span * 100, THINNEST)
        return {"x": round(min(x, 100 - THINNEST), 2), "width": round(width, 2), "sign": sign, **words}

    changes = [bar(edges[i], edges[i + 1], "up" if one["contribution"] > 0 else "down",
                   text=signed(one["contribution"], digits), name=feature(one["feature"], displays),
                   value=reason(term(one["value"]), displays), reference=term(one["reference"]))
               for i, one in enumerate(steps)]
    whole = {"value": "", "reference": ""}
    bars = [bar(0.0, start, "total", name=_("Reference patient"), text=number(start, digits), **whole), *changes,
            bar(0.0, end, "total", name=_("This patient"), text=number(end, digits), **whole)]
    return {"unit": explanation["unit"], "method": explanation["method"], "bars": bars,
            "open": _named(unknown, displays),
            "without_effect": _named([one for one in still if one not in unknown], displays),
            "zero": round(-low / span * 100, 2)}


def _named(inputs: list[Mapping[str, Any]], displays: Displays | None) -> list[str]:
    return [feature(one["feature"], displays) for one in inputs]


def _is_open(one: Mapping[str, Any]) -> bool:
    """Whether an input is unknown, or may be one thing or the other."""
    value, genetic = one["value"], one["feature"].partition(":")[0] in _GENETIC
    return value in {None, UNKNOWN} or bool(genetic and _OR in value)


def _rest(small: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Contributions too many to draw, as one."""
    if not small:
        return []
    total = sum(one["contribution"] for one in small)
    name = _("%(n)s smaller inputs") % {"n": len(small)}
    return [{"feature": name, "value": _("various"), "reference": _("various"), "contribution": total}]


def _running(start: float, steps: list[Mapping[str, Any]]) -> list[float]:
    edges = [start]
    for one in steps:
        edges.append(edges[-1] + one["contribution"])
    return edges


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return low, (high - low) or 1.0

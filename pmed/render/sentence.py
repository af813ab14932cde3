"""An explanation in one sentence: which shares of the difference come from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from .messages import gettext, listed, marked, ngettext

# Shares that have a name, and how they are said.
SHARES = {Fraction(1): marked("all"), Fraction(9, 10): marked("nine tenths"), Fraction(4, 5): marked("four fifths"),
          Fraction(3, 4): marked("three quarters"), Fraction(2, 3): marked("two thirds"),
          Fraction(3, 5): marked("three fifths"), Fraction(1, 2): marked("half"),
          Fraction(2, 5): marked("two fifths"), Fraction(1, 3): marked("one third"),
          Fraction(1, 4): marked("one quarter"), Fraction(1, 5): marked("one fifth"),
          Fraction(1, 10): marked("one tenth")}
SMALLEST = 0.05
WHAT = {"concern level": marked("the concern")}
OTHERWISE = marked("the difference from the reference patient")


def sentence(explanation: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The shares of what pulls the prediction its way, largest first; what pulls the other way is named after them.

    Args:
        explanation: baseline, prediction, unit and contributions (feature, contribution).
        names: How to call a feature.

    >>> sentence({"baseline": 0.0, "prediction": 4.0, "unit": "concern level", "contributions": [
    ...     {"feature": "on:x", "contribution": 3.0}, {"feature": "gene", "contribution": 1.0}]},
    ...     {"on:x": "paroxetine", "gene": "CYP2D6 *1/*4"})
    'Three quarters of the concern comes from paroxetine, one quarter from CYP2D6 *1/*4.'
    """
    change = explanation["prediction"] - explanation["baseline"]
    moved = [one for one in explanation["contributions"] if abs(one["contribution"]) > 1e-9]
    along = sorted((one for one in moved if one["contribution"] * change > 0),
                   key=lambda one: -abs(one["contribution"]))
    if not along:
        return ""
    total = sum(one["contribution"] for one in along)
    parts = [(one["contribution"] / total, names.get(one["feature"], one["feature"])) for one in along]
    said = _shares([part for part in parts if part[0] >= SMALLEST], WHAT.get(explanation["unit"], OTHERWISE))
    small = [name for share, name in parts if share < SMALLEST]
    against = [names.get(one["feature"], one["feature"]) for one in moved if one["contribution"] * change < 0]
    little = gettext("; a little from %(names)s") % {"names": listed(small)} if small else ""
    other = ngettext("; %(names)s pulls the other way", "; %(names)s pull the other way", len(against)) % {
        "names": listed(against)} if against else ""
    return f"{said}{little}{other}."


def _shares(parts: Sequence[tuple[float, str]], what: str) -> str:
    first, *rest = [(_word(share), name) for share, name in parts]
    start = gettext("%(share)s of %(what)s comes from %(name)s") % {
        "share": f"{first[0][:1].upper()}{first[0][1:]}", "what": gettext(what), "name": first[1]}
    return ", ".join([start, *(gettext("%(share)s from %(name)s") % {"share": word, "name": name}
                               for word, name in rest)])


def _word(share: float) -> str:
    return gettext(SHARES[min(SHARES, key=lambda one: abs(float(one) - share))])

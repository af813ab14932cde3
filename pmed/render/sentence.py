"""An explanation in one sentence: which shares of the difference come from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

# Shares that have a name, and how they are said.
SHARES = {Fraction(1): "all", Fraction(9, 10): "nine tenths", Fraction(4, 5): "four fifths", Fraction(3, 4):
          "three quarters", Fraction(2, 3): "two thirds", Fraction(3, 5): "three fifths", Fraction(1, 2): "half",
          Fraction(2, 5): "two fifths", Fraction(1, 3): "one third", Fraction(1, 4): "one quarter",
          Fraction(1, 5): "one fifth", Fraction(1, 10): "one tenth"}
SMALLEST = 0.05
WHAT = {"concern level": "concern"}
OTHERWISE = "difference from the reference patient"


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
    return said + (f"; a little from {_joined(small)}" if small else "") + (
        f"; {_joined(against)} {'pulls' if len(against) == 1 else 'pull'} the other way" if against else "") + "."


def _shares(parts: Sequence[tuple[float, str]], what: str) -> str:
    first, *rest = [(_word(share), name) for share, name in parts]
    start = f"{first[0][:1].upper()}{first[0][1:]} of the {what} comes from {first[1]}"
    return ", ".join([start, *(f"{word} from {name}" for word, name in rest)])


def _word(share: float) -> str:
    return SHARES[min(SHARES, key=lambda one: abs(float(one) - share))]


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))

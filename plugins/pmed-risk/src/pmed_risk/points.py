"""Scores that are sums of points: HAS-BLED, CHA2DS2-VA, FINDRISC, LACE, NEWS2.

All functions take arrays of one length (or scalars); a missing (NaN) input gives NaN. Flags are 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Inputs = Mapping[str, Any]

_ONE_POINT: Final = ("uncontrolled-hypertension", "abnormal-kidney", "abnormal-liver", "stroke-history",
                     "bleeding-history", "labile-inr", "bleeding-medicine")
_CHADS_VA: Final = {"heart-failure": 1, "hypertension": 1, "diabetes": 1, "stroke-or-tia": 2, "vascular-disease": 1}


def has_bled(features: Inputs) -> Floats:
    """HAS-BLED points, 0 to 9: age over 65, eight drinks a week or more, seven findings. PMID 20299623."""
    age, drinks, *findings = _arrays(features, "age", "drinks-per-week", *_ONE_POINT)
    return sum(findings, np.where(np.isnan(age), np.nan, 1.0 * (age > 65)) + _over(drinks, (8.0,)))


def cha2ds2_va(features: Inputs) -> Floats:
    """CHA2DS2-VA points, 0 to 8: CHA2DS2-VASc without sex. ESC 2024, PMID 39210723."""
    age, *findings = _arrays(features, "age", *_CHADS_VA)
    weighed = (weight * found for weight, found in zip(_CHADS_VA.values(), findings, strict=True))
    return sum(weighed, _over(age, (65.0, 75.0)))


def findrisc(features: Inputs) -> Floats:
    """FINDRISC points, 0 to 26: ten-year risk of type 2 diabetes. PMID 12610029, with age over 64 and relatives.

    Waist in cm, BMI in kg/m2; `diabetes-relatives` 0 none, 1 grandparent, aunt, uncle or cousin, 2 parent, sibling or
    child.
    """
    age, bmi, waist, female, active, fruit, treated, glucose, family = _arrays(
        features, "age", "bmi", "waist", "female", "daily-activity", "daily-vegetables", "bp-treated",
        "high-glucose-ever", "diabetes-relatives")
    girth = np.where(female == 1, _over(waist, (80.0,), 3) + _over(waist, (88.0001,)),
                     _over(waist, (94.0,), 3) + _over(waist, (102.0001,)))
    weight = _over(bmi, (25.0,)) + _over(bmi, (30.0001,), 2)
    habits = 2 * (1 - active) + (1 - fruit)
    relatives = np.where(family == 2, 5.0, np.where(family == 1, 3.0, 0.0))
    return _over(age, (45.0,), 2) + _over(age, (55.0, 65.0)) + weight + girth + habits + 2 * treated + 5 * glucose + (
        relatives)


def lace(features: Inputs) -> Floats:
    """LACE points, 0 to 19: death or readmission within 30 days of discharge. PMID 20194559.

    Length of stay in days; `charlson` in points; emergency visits in the six months before.
    """
    days, acute, charlson, visits = _arrays(
        features, "length-of-stay", "acute-admission", "charlson-points", "emergency-visits")
    stay = _over(days, (1.0, 2.0, 3.0, 4.0)) + _over(days, (7.0,)) + _over(days, (14.0,), 2)
    illness = np.where(np.isnan(charlson), np.nan, np.where(charlson >= 4, 5.0, charlson))
    return stay + 3 * acute + illness + np.where(np.isnan(visits), np.nan, np.minimum(visits, 4.0))


def news2(features: Inputs) -> Floats:
    """NEWS2 points, 0 to 20. Royal College of Physicians, National Early Warning Score 2, 2017.

    Breaths and beats a minute, saturation in %, pressure in mm[Hg], temperature in °C to one decimal; `hypercapnia`
    chooses the second saturation scale (88 to 92 %), `confused` is any state but alert.
    """
    breaths, saturation, oxygen, hypercapnia, pressure, pulse, confused, heat = _arrays(
        features, "respiratory-rate", "oxygen-saturation", "oxygen", "hypercapnia", "systolic-bp", "heart-rate",
        "confused", "temperature")
    heat = np.round(heat, 1)
    one = _banded(saturation, (92, 94, 96), (3, 2, 1, 0))
    two = np.where(oxygen == 1, _banded(saturation, (84, 86, 88, 93, 95, 97), (3, 2, 1, 0, 1, 2, 3)),
                   _banded(saturation, (84, 86, 88), (3, 2, 1, 0)))
    total: Floats = (
        _banded(breaths, (9, 12, 21, 25), (3, 1, 0, 2, 3)) + np.where(hypercapnia == 1, two, one) + 2 * oxygen
        + _banded(pressure, (91, 101, 111, 220), (3, 2, 1, 0, 3))
        + _banded(pulse, (41, 51, 91, 111, 131), (3, 1, 0, 1, 2, 3)) + 3 * confused
        + _banded(heat, (35.1, 36.1, 38.1, 39.1), (3, 1, 0, 1, 2)))
    return total


def _arrays(features: Inputs, *names: str) -> list[Floats]:
    return [np.asarray(features[name], dtype=np.float64) for name in names]


def _over(values: Floats, starts: Sequence[float], points: int = 1) -> Floats:
    """`points` for each of `starts` that is reached."""
    reached = sum((values >= start).astype(np.float64) for start in starts)
    return np.where(np.isnan(values), np.nan, points * reached)


def _banded(values: Floats, starts: Sequence[float], points: Sequence[int]) -> Floats:
    """`points[n]` for a value of the band that begins at ``starts[n - 1]``; the first band has no beginning."""
    band = np.searchsorted(np.asarray(starts, dtype=np.float64), values, side="right")
    return np.where(np.isnan(values), np.nan, np.asarray(points, dtype=np.float64)[np.minimum(band, len(starts))])

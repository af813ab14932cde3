"""Ten-year risk of cardiovascular disease in Europe and Asia-Pacific: the SCORE2 family.

- SCORE2: Eur Heart J 2021;42:2439-54, PMID 34120177 (supplementary methods, table 2 and calibration).
- SCORE2-OP: Eur Heart J 2021;42:2455-67, PMID 34120185.
- SCORE2-Diabetes: Eur Heart J 2023;44:2544-56, PMID 37247330.
- SCORE2 Asia-Pacific: SCORE2 recalibrated, Eur Heart J 2025;46:702-15, doi 10.1093/eurheartj/ehae609.

All functions take arrays of one length (or scalars): age in years, cholesterols in mmol/L, pressure in mm[Hg]. Ranges
are not checked here; a missing (NaN) input gives NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
REGIONS: Final = ("low", "moderate", "high", "very high")


class Model(NamedTuple):
    """Log hazard ratios of the sexes, and how the risk is set to the level of each region.

    Each of `men` and `women` has the terms in the order in which the function lists them; `scales` has two numbers
    for each region of `REGIONS`.
    """

    men: tuple[float, ...]
    women: tuple[float, ...]
    survival: tuple[float, float]
    mean: tuple[float, float]
    men_scales: tuple[tuple[float, float], ...]
    women_scales: tuple[tuple[float, float], ...]


# Terms: age, smoker, pressure, diabetes, total cholesterol, HDL, and age times each of the last five.
_MEN: Final = (0.3742, 0.6012, 0.2777, 0.6457, 0.1458, -0.2698, -0.0755, -0.0255, -0.0983, -0.0281, 0.0426)
_WOMEN: Final = (0.4648, 0.7744, 0.3131, 0.8096, 0.1002, -0.2606, -0.1088, -0.0277, -0.1272, -0.0226, 0.0613)
_SURVIVAL: Final = (0.9605, 0.9776)
_MEN_SCALES: Final = ((-0.5699, 0.7476), (-0.1565, 0.8009), (0.3207, 0.9360), (0.5836, 0.8294))
_WOMEN_SCALES: Final = ((-0.7380, 0.7019), (-0.3143, 0.7701), (0.5710, 0.9369), (0.9412, 0.8329))
SCORE2: Final = Model(_MEN, _WOMEN, _SURVIVAL, (0.0, 0.0), _MEN_SCALES, _WOMEN_SCALES)
ASIA_PACIFIC: Final = Model(
    _MEN, _WOMEN, _SURVIVAL, (0.0, 0.0),
    ((-0.375229965, 0.62020875), (0.284885676, 0.778128607), (0.778231091, 0.844985356), (0.608975204, 0.679014197)),
    ((-0.986572446, 0.536743779), (0.08278687, 0.718980326), (0.611474287, 0.703624072), (0.502751798, 0.555577072)))
OLDER: Final = Model(
    (0.0634, 0.3524, 0.0094, 0.4245, 0.0850, -0.3564, -0.0247, -0.0005, -0.0174, 0.0073, 0.0091),
    (0.0789, 0.4921, 0.0102, 0.6010, 0.0605, -0.3040, -0.0255, -0.0004, -0.0107, -0.0009, 0.0154),
    (0.7576, 0.8082), (0.0929, 0.2290),
    ((-0.34, 1.19), (0.01, 1.25), (0.08, 1.15), (0.05, 0.70)),
    ((-0.52, 1.01), (-0.10, 1.10), (0.38, 1.09), (0.38, 0.69)))
# The same, then: age at diagnosis, HbA1c, ln eGFR, its square, age × HbA1c, age × ln eGFR.
DIABETES: Final = Model(
    (0.5368, 0.4774, 0.1322, 0.6457, 0.1102, -0.1087, -0.0672, -0.0268, -0.0983, -0.0181, 0.0095,
     -0.0998, 0.0955, -0.0591, 0.0058, -0.0134, 0.0115),
    (0.6624, 0.6139, 0.1421, 0.8096, 0.1127, -0.1568, -0.1122, -0.0167, -0.1272, -0.0200, 0.0186,
     -0.1180, 0.1173, -0.0640, 0.0062, -0.0196, 0.0169),
    _SURVIVAL, (0.0, 0.0), _MEN_SCALES, _WOMEN_SCALES)


def score2(features: Mapping[str, Any], model: Model = SCORE2) -> Floats:
    """Risk (%) by SCORE2 or its Asia-Pacific calibration; 40 to 69 years. PMID 34120177."""
    return _risk(features, model, _scaled(features))


def score2_op(features: Mapping[str, Any]) -> Floats:
    """Risk (%) by SCORE2-OP; 70 to 89 years. PMID 34120185."""
    get = {name: np.asarray(values, dtype=np.float64) for name, values in features.items() if name in _NUMBERS}
    terms = _crossed(get["age"] - 73, get["smoker"], get["systolic-bp"] - 150, get["diabetes"],
                     get["total-cholesterol"] - 6, get["hdl-cholesterol"] - 1.4)
    return _risk(features, OLDER, terms)


def score2_diabetes(features: Mapping[str, Any]) -> Floats:
    """Risk (%) by SCORE2-Diabetes; 40 to 69 years, type 2 diabetes. HbA1c in mmol/mol. PMID 37247330."""
    age = (np.asarray(features["age"], dtype=np.float64) - 60) / 5
    hba1c = (np.asarray(features["hba1c"], dtype=np.float64) - 31) / 9.34
    kidney = (np.log(np.asarray(features["egfr"], dtype=np.float64)) - 4.5) / 0.15
    since = (np.asarray(features["age-at-diabetes"], dtype=np.float64) - 50) / 5
    extra = (since, hba1c, kidney, kidney ** 2, age * hba1c, age * kidney)
    return _risk(features, DIABETES, (*_scaled(features), *extra))


_NUMBERS: Final = ("age", "smoker", "systolic-bp", "diabetes", "total-cholesterol", "hdl-cholesterol")


def _scaled(features: Mapping[str, Any]) -> tuple[Floats, ...]:
    """The terms of SCORE2, per 5 years, 20 mm[Hg], 1 mmol/L and 0.5 mmol/L."""
    age, smoker, pressure, diabetes, total, hdl = (np.asarray(features[name], dtype=np.float64) for name in _NUMBERS)
    return _crossed((age - 60) / 5, smoker, (pressure - 120) / 20, diabetes, total - 6, (hdl - 1.3) / 0.5)


def _crossed(age: Floats, *others: Floats) -> tuple[Floats, ...]:
    return (age, *others, *(age * other for other in others))


def _risk(features: Mapping[str, Any], model: Model, terms: tuple[Floats, ...]) -> Floats:
    female = np.asarray(features["female"], dtype=np.int64)
    region = np.asarray(features["risk-region"], dtype=np.int64)
    weights = np.array([model.men, model.women])[female]
    total = np.zeros(np.shape(female))
    for number, term in enumerate(terms):
        total = total + weights[..., number] * term
    survival, mean = np.array(model.survival)[female], np.array(model.mean)[female]
    scales = np.array([model.men_scales, model.women_scales])[female, region]
    uncalibrated = -np.log(survival) * np.exp(total - mean)
    risk: Floats = 100 * (1 - np.exp(-np.exp(scales[..., 0] + scales[..., 1] * np.log(uncalibrated))))
    return risk

"""Ten-year risk of atherosclerotic cardiovascular disease: the Pooled Cohort Equations of 2013.

Goff DC et al., Circulation 2014;129(25 Suppl 2):S49-73, PMID 24222018 (table A of the appendix).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CITATION: Final = "PMID:24222018"
TERMS: Final = (
    "ln age", "ln age squared", "ln total cholesterol", "ln age × ln total cholesterol", "ln HDL", "ln age × ln HDL",
    "ln treated pressure", "ln age × ln treated pressure", "ln untreated pressure", "ln age × ln untreated pressure",
    "smoker", "ln age × smoker", "diabetes",
)


class Equation(NamedTuple):
    """One of the four equations: coefficients in the order of `TERMS`, mean sum, ten-year survival at that mean."""

    coefficients: tuple[float, ...]
    mean: float
    survival: float


# In the order of 2 × female + black.
EQUATIONS: Final = {
    "white men": Equation(
        (12.344, 0.0, 11.853, -2.664, -7.990, 1.769, 1.797, 0.0, 1.764, 0.0, 7.837, -1.795, 0.658), 61.18, 0.9144),
    "black men": Equation(
        (2.469, 0.0, 0.302, 0.0, -0.307, 0.0, 1.916, 0.0, 1.809, 0.0, 0.549, 0.0, 0.645), 19.54, 0.8954),
    "white women": Equation(
        (-29.799, 4.884, 13.540, -3.114, -13.578, 3.149, 2.019, 0.0, 1.957, 0.0, 7.574, -1.665, 0.661), -29.18, 0.9665),
    "black women": Equation(
        (17.114, 0.0, 0.940, 0.0, -18.920, 4.475, 29.291, -6.432, 27.820, -6.087, 0.691, 0.0, 0.874), 86.61, 0.9533),
}


class Risk(NamedTuple):
    """Ten-year risk (%), and on the way to it: number of the equation, sum of its terms, its mean and survival."""

    percent: Floats
    equation: npt.NDArray[np.int64]
    total: Floats
    mean: Floats
    survival: Floats


def ascvd_10y_risk(*, age: Any, female: Any, black: Any, total_cholesterol: Any, hdl: Any, systolic: Any,
                   treated: Any, smoker: Any, diabetes: Any) -> Risk:
    """Risk of a first heart attack, coronary death or stroke within ten years, one value a person.

    All arguments are arrays of one length (or scalars): age in years, cholesterols in mg/dL, systolic blood pressure
    in mm[Hg], the rest true or false. Valid for 40 to 79 years; ranges are not checked here, and a missing (NaN)
    measurement gives NaN. PMID 24222018.
    """
    ln_age, ln_tc, ln_hdl, ln_bp = (_log(values) for values in (age, total_cholesterol, hdl, systolic))
    on, smokes, diabetic = (np.asarray(flag, dtype=np.float64) for flag in (treated, smoker, diabetes))
    equation = 2 * np.asarray(female, dtype=np.int64) + np.asarray(black, dtype=np.int64)
    terms = (ln_age, ln_age ** 2, ln_tc, ln_age * ln_tc, ln_hdl, ln_age * ln_hdl,
             on * ln_bp, on * ln_age * ln_bp, (1 - on) * ln_bp, (1 - on) * ln_age * ln_bp,
             smokes, ln_age * smokes, diabetic)
    rows = list(EQUATIONS.values())
    weights = np.array([row.coefficients for row in rows])[equation]
    mean, survival = (np.array([row[part] for row in rows])[equation] for part in (1, 2))
    # Summed term by term, so that a person's number does not depend on who else is in the array.
    total = np.zeros(np.shape(equation))
    for number, term in enumerate(terms):
        total = total + weights[..., number] * term
    return Risk(100 * (1 - survival ** np.exp(total - mean)), equation, total, mean, survival)


def _log(values: Any) -> Floats:
    """Natural logarithm; NaN where there is none."""
    given = np.asarray(values, dtype=np.float64)
    return np.log(np.where(given > 0, given, np.nan))

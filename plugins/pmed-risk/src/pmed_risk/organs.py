"""Kidney and liver: filtration rates, MELD and its relatives, Child-Pugh, FIB-4.

All functions take arrays of one length (or scalars); ranges are not checked here, and a missing (NaN) input gives NaN.
Flags are 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Inputs = Mapping[str, Any]


def ckd_epi_2021(features: Inputs) -> Floats:
    """Estimated GFR (mL/min/1.73 m2) from creatinine (mg/dL), age, sex, without race. PMID 34554658."""
    age, creatinine, female = _arrays(features, "age", "creatinine", "female")
    ratio = creatinine / np.where(female, 0.7, 0.9)
    low = np.minimum(ratio, 1) ** np.where(female, -0.241, -0.302)
    rate: Floats = 142 * low * np.maximum(ratio, 1) ** -1.200 * 0.9938 ** age * np.where(female, 1.012, 1.0)
    return rate


def ckd_epi_2009(features: Inputs) -> Floats:
    """Estimated GFR by the 2009 equation, which has a factor for black people. PMID 19414839."""
    age, creatinine, female, black = _arrays(features, "age", "creatinine", "female", "black")
    ratio = creatinine / np.where(female, 0.7, 0.9)
    low = np.minimum(ratio, 1) ** np.where(female, -0.329, -0.411)
    factor = np.where(female, 1.018, 1.0) * np.where(black, 1.159, 1.0)
    rate: Floats = 141 * low * np.maximum(ratio, 1) ** -1.209 * 0.993 ** age * factor
    return rate


def cockcroft_gault(features: Inputs) -> Floats:
    """Creatinine clearance (mL/min) from creatinine (mg/dL), age, weight (kg), sex. PMID 1244564."""
    age, creatinine, weight, female = _arrays(features, "age", "creatinine", "weight", "female")
    clearance: Floats = (140 - age) * weight / (72 * creatinine) * np.where(female, 0.85, 1.0)
    return clearance


def meld(features: Inputs) -> Floats:
    """MELD, not rounded: bilirubin and creatinine (mg/dL) from 1, creatinine up to 4 or on dialysis. PMID 11172350."""
    bilirubin, inr, creatinine, dialysis = _arrays(features, "bilirubin", "inr", "creatinine", "dialysis")
    kidney = np.where(dialysis, 4.0, np.clip(creatinine, 1, 4))
    score: Floats = (3.78 * np.log(np.maximum(bilirubin, 1)) + 11.2 * np.log(np.maximum(inr, 1))
                     + 9.57 * np.log(kidney) + 6.43)
    return score


def meld_na(features: Inputs) -> Floats:
    """MELD with sodium (mmol/L, 125 to 140), not rounded. PMID 18768945."""
    base, sodium = meld(features), np.clip(_arrays(features, "sodium")[0], 125, 140)
    score: Floats = base - sodium - 0.025 * base * (140 - sodium) + 140
    return score


def meld_3(features: Inputs) -> Floats:
    """MELD 3.0, a whole number from 6 to 40. PMID 34481845."""
    bilirubin, inr, creatinine, sodium, albumin, female, dialysis = _arrays(
        features, "bilirubin", "inr", "creatinine", "sodium", "albumin", "female", "dialysis")
    kidney = np.log(np.where(dialysis, 3.0, np.clip(creatinine, 1, 3)))
    salt, protein = 137 - np.clip(sodium, 125, 137), 3.5 - np.clip(albumin, 1.5, 3.5)
    bile = np.log(np.maximum(bilirubin, 1))
    score = (1.33 * female + 4.56 * bile + 0.82 * salt - 0.24 * salt * bile + 9.09 * np.log(np.maximum(inr, 1))
             + 11.14 * kidney + 1.85 * protein - 1.83 * protein * kidney + 6)
    return np.clip(np.floor(score + 0.5), 6, 40)


def ukeld(features: Inputs) -> Floats:
    """UKELD from INR, creatinine and bilirubin (µmol/L here), sodium (mmol/L). PMID 21478812."""
    inr, creatinine, bilirubin, sodium = _arrays(features, "inr", "creatinine-umol", "bilirubin-umol", "sodium")
    score: Floats = (5.395 * np.log(inr) + 1.485 * np.log(creatinine) + 3.13 * np.log(bilirubin)
                     - 81.565 * np.log(sodium) + 435)
    return score


def child_pugh(features: Inputs) -> Floats:
    """Child-Pugh points, 5 to 15; ascites and encephalopathy as points (1 to 3). PMID 4541913."""
    bilirubin, albumin, inr, ascites, brain = _arrays(
        features, "bilirubin", "albumin", "inr", "ascites-points", "encephalopathy-points")
    points = (_steps(bilirubin < 2, bilirubin <= 3), _steps(albumin > 3.5, albumin >= 2.8),
              _steps(inr < 1.7, inr <= 2.3))
    score: Floats = sum(points, ascites + brain)
    return np.where(np.isnan(bilirubin + albumin + inr), np.nan, score)


def _steps(one: Any, two: Any) -> Floats:
    return np.where(one, 1.0, np.where(two, 2.0, 3.0))


def fib_4(features: Inputs) -> Floats:
    """FIB-4 index: age × AST / (platelets × √ALT); enzymes in U/L, platelets in 10⁹/L. PMID 16729309."""
    age, ast, alt, platelets = _arrays(features, "age", "ast", "alt", "platelets")
    index: Floats = age * ast / (platelets * np.sqrt(alt))
    return index


def _arrays(features: Inputs, *names: str) -> list[Floats]:
    return [np.asarray(features[name], dtype=np.float64) for name in names]

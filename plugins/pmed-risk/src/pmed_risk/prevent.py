"""Risk of cardiovascular disease within ten and thirty years: the PREVENT equations of 2023.

Khan SS et al., Circulation 2024;149:430-49, PMID 37947085 (supplemental tables S12A to S12J). The coefficients are in
``data/prevent.csv``; those for coronary disease and stroke are held of the base and the HbA1c model only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from .knowledge import facts

Floats = npt.NDArray[np.float64]
MODELS: Final = ("base", "hba1c", "uacr", "sdi", "full")
OUTCOMES: Final = ("total_cvd", "ascvd", "heart_failure", "chd", "stroke")
YEARS: Final = (10, 30)
#: mmol/L of one mg/dL of cholesterol, as the authors compute with it.
_MMOL: Final = 0.02586


def risks(given: Mapping[str, Floats], wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Floats]:
    """Risks from 0 to 1, one value a person; NaN where an input is, or where the coefficients are not held.

    Args:
        given: Arrays by feature: age (years), female, total-cholesterol, hdl-cholesterol (mg/dL), systolic-bp
            (mm[Hg]), bp-treated, statin, diabetes, smoker (0 or 1), bmi (kg/m2), egfr (mL/min/1.73 m2); hba1c (%),
            uacr (mg/g) and sdi (decile) where known, else NaN; prevent-model: the place in `MODELS`.
        wanted: Pairs of years (10 or 30) and one of `OUTCOMES`.
    """
    terms, kind = _terms(given), 2 * given["prevent-model"].astype(np.int64) + given["female"].astype(np.int64)
    total = {one: np.full(kind.shape, np.nan) for one in wanted}
    for number in np.unique(kind):
        here, model, sex = kind == number, MODELS[number // 2], ("male", "female")[number % 2]
        mine = {term: values[here] for term, values in terms.items()}
        for years, outcome in wanted:
            if weights := _weights(model, years, f"{sex}_{outcome}"):
                total[years, outcome][here] = _sum(mine, weights)
    return {one: 1 / (1 + np.exp(-values)) for one, values in total.items()}


def best_model(hba1c: Floats, uacr: Floats, sdi: Floats) -> Floats:
    """The model for what is known, as a place in `MODELS`: base, the one addition, or the full one for several."""
    known = np.array([~np.isnan(values) for values in (hba1c, uacr, sdi)])
    count = known.sum(axis=0)
    return np.where(count > 1, 4.0, np.where(count == 1, 1.0 + known.argmax(axis=0), 0.0))


def _sum(terms: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    total = np.zeros(len(terms["age"]))
    for term, weight in weights.items():
        total = total + weight * terms[term]
    return total


@cache
def _weights(model: str, years: int, column: str) -> dict[str, float]:
    """Coefficient by term; empty where this outcome is not held."""
    rows = facts("prevent").filter(model=model, years=str(years)).select("term", column).drop_nulls()
    return {term: float(value) for term, value in rows.iter_rows()}


def _terms(given: Mapping[str, Floats]) -> dict[str, Floats]:
    """Every term of every model, centred and scaled as published."""
    age, hdl, pressure = (given["age"] - 55) / 10, given["hdl-cholesterol"], given["systolic-bp"]
    core = {
        "age": age, "non-hdl": (given["total-cholesterol"] - hdl) * _MMOL - 3.5, "hdl": (hdl * _MMOL - 1.3) / 0.3,
        "sbp-low": (np.minimum(pressure, 110) - 110) / 20, "sbp-high": (np.maximum(pressure, 110) - 130) / 20,
        "bmi-low": (np.minimum(given["bmi"], 30) - 25) / 5, "bmi-high": (np.maximum(given["bmi"], 30) - 30) / 5,
        "egfr-low": (np.minimum(given["egfr"], 60) - 60) / -15,
        "egfr-high": (np.maximum(given["egfr"], 60) - 90) / -15,
        **{name: given[name] for name in ("diabetes", "smoker", "bp-treated", "statin")},
    }
    crossed = {f"age-{name}": age * core[name] for name in (
        "non-hdl", "hdl", "sbp-high", "diabetes", "smoker", "bmi-high", "egfr-low")}
    return {**core, **crossed, **_added(given), "age-squared": age ** 2, "constant": np.ones_like(age),
            "treated-sbp-high": core["bp-treated"] * core["sbp-high"],
            "statin-non-hdl": core["statin"] * core["non-hdl"]}


def _added(given: Mapping[str, Floats]) -> dict[str, Floats]:
    """The terms of the additions, with one for each that is not known."""
    hba1c, uacr, sdi, diabetes = (given[name] for name in ("hba1c", "uacr", "sdi", "diabetes"))
    none = {name: np.isnan(values).astype(np.float64) for name, values in (
        ("hba1c-missing", hba1c), ("uacr-missing", uacr), ("sdi-missing", sdi))}
    sugar = np.nan_to_num(hba1c - 5.3)
    return {**none, "hba1c-diabetes": sugar * diabetes, "hba1c-none": sugar * (1 - diabetes),
            "ln-uacr": np.log(np.where(np.isnan(uacr), 1.0, np.maximum(uacr, 0.1))),
            "sdi-mid": ((sdi >= 4) & (sdi <= 6)).astype(np.float64), "sdi-high": (sdi >= 7).astype(np.float64)}

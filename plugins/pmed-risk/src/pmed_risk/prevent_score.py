"""Predictor: the PREVENT equations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from pmed import Card

from . import prevent
from .knowledge import facts
from .published import SEX, Field, flags
from .score import Equation, Floats, Score, arrays

_LIMITS: Final = {
    "age": (30, 79, "years"), "total-cholesterol": (130, 320, "mg/dL"), "hdl-cholesterol": (20, 100, "mg/dL"),
    "systolic-bp": (90, 200, "mm[Hg]"), "bmi": (18.5, 39.9, "kg/m2"), "egfr": (15, 150, "mL/min/1.73 m2"),
    "hba1c": (3, 15, "%"), "uacr": (0.1, 25000, "mg/g"), "sdi": (1, 10, ""),
}
#: The risk within thirty years is for people up to this age.
OLDEST_FOR_30_YEARS: Final = 59
_FIELDS: Final = {
    "age": Field("age"), "sex": Field("sex", "word", values=SEX), "sbp_mmhg": Field("systolic-bp"),
    **flags("bp-treated", "bp_tx"), "total_c_mg_dl": Field("total-cholesterol"),
    "hdl_c_mg_dl": Field("hdl-cholesterol"),
    **flags("statin", "statin"), **flags("diabetes", "dm"), **flags("smoker", "smoking"), "egfr": Field("egfr"),
    "bmi": Field("bmi"), "hba1c_pct": Field("hba1c"), "uacr_mg_g": Field("uacr"), "sdi": Field("sdi"),
    "zip": Field("zip", "word"),
    "model": Field("prevent-model", "word", values={name: name for name in prevent.MODELS}),
}


def _with_model(given: Mapping[str, Floats], stated: Floats) -> dict[str, Floats]:
    best = prevent.best_model(given["hba1c"], given["uacr"], given["sdi"])
    return {**given, "prevent-model": np.where(stated, given["prevent-model"], best)}


def _total_10y(given: Mapping[str, Floats]) -> Floats:
    wanted = (10, "total_cvd")
    return 100 * prevent.risks(given, [wanted])[wanted]


def _lacks(name: str) -> pl.Expr:
    return pl.when((pl.col("prevent-model") == name) & pl.col(name).is_null()).then(
        pl.lit(f"needs {name}, which the model asks for"))


class Prevent(Score):
    """PREVENT: risk of cardiovascular disease within ten and thirty years, without race."""

    name: ClassVar[str] = "prevent-2023"
    equation: ClassVar[Equation] = Equation(
        "prevent-10y-cvd-risk", _total_10y,
        {"age": 50.0, "sex": "male", "total-cholesterol": 170.0, "hdl-cholesterol": 50.0, "systolic-bp": 110.0,
         "bp-treated": False, "statin": False, "diabetes": False, "smoker": False, "egfr": 90.0, "bmi": 24.0},
        ("total-cholesterol", "hdl-cholesterol"), _FIELDS, outputs=(), limits=_LIMITS,
        words={"prevent-model": prevent.MODELS}, told={"ascvd-history": False, "heart-failure": False},
        maybe={"hba1c": 5.3, "uacr": 10.0, "sdi": 1.0, "prevent-model": "base"},
        refused={"ascvd-history": "cardiovascular disease is on record: the equations are for a first event",
                 "heart-failure": "heart failure is on record: the equations are for a first event"},
        assumed={"ascvd-history": False, "heart-failure": False},
        reasons=tuple(_lacks(name) for name in ("hba1c", "uacr", "sdi")))
    card: ClassVar[Card] = Card(
        version="2023", summary="PREVENT: ten-year risk of a first heart attack, stroke or heart failure.",
        intended_use="People of 30 to 79 years without cardiovascular disease. Reference patient: man of 50, "
                     "cholesterol 170 and HDL 50 mg/dL, 110 mm[Hg], eGFR 90, BMI 24, no other risk factor.",
        populations="25 cohorts of the United States; without race.", references=("PMID:37947085",), unit="%",
        range=(0, 100), modifiable=("smoker", "systolic-bp", "total-cholesterol", "bmi"),
        limits="HbA1c, urine albumin and deprivation (decile of the Social Deprivation Index) choose the model where "
               "known; what is explained are the other inputs. Coronary disease and stroke alone are given by the base "
               "and the HbA1c model only. ZIP codes are not looked up but for those of data/sdi.csv.")

    def read_input(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Features of one object of inputs; a ZIP code is its decile, where that is known.

        Raises:
            InputError: naming the input that cannot be read.
        """
        found = super().read_input(item)
        code = found.pop("zip", None)
        decile = _deciles().get(code)
        return {**found, "sdi": decile} if decile and "sdi" not in found else found

    def result(self, item: Mapping[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Risks (0 to 1) by horizon and outcome; null where not assessed, not held, or too old for thirty years."""
        made = super().result(item, rows)
        silent: dict[str, None] = dict.fromkeys(prevent.OUTCOMES)
        if made["status"] != "assessed":
            return {**{f"{years}y": silent for years in prevent.YEARS}, **made}
        given = self._given(self._typed(pl.DataFrame([{"patient_id": "", **self.read_input(item)}])))
        found = prevent.risks(given, [(years, one) for years in prevent.YEARS for one in prevent.OUTCOMES])
        risks = {f"{years}y": {one: _or_none(found[years, one][0]) for one in prevent.OUTCOMES}
                 for years in prevent.YEARS}
        too_old = {"30y": silent} if given["age"][0] > OLDEST_FOR_30_YEARS else {}
        return {**risks, **too_old, "model": prevent.MODELS[int(given["prevent-model"][0])], **made}

    def _given(self, frame: pl.DataFrame) -> Mapping[str, Floats]:
        stated = frame["prevent-model"].is_not_null().to_numpy()
        return _with_model(arrays(frame, self.equation), stated)


@cache
def _deciles() -> dict[str, float]:
    return {code: float(decile) for code, decile in facts("sdi").select("zip", "decile").iter_rows()}


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

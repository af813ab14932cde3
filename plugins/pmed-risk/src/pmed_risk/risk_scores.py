"""Predictors of the SCORE2 family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import polars as pl

from pmed import Card, option

from . import score2
from .published import SEX, Field
from .score import Equation, Floats, Score

#: mg/dL of one mmol/L of cholesterol.
CHOLESTEROL: Final = 38.665
#: HbA1c in per cent: factor and offset to mmol/mol (NGSP and IFCC).
_HBA1C: Final = (0.09148, 2.152)
_REGION: Final = Field("risk-region", "word", values={name: name for name in score2.REGIONS})
_FIELDS: Final = {
    "risk_region": _REGION, "age": Field("age"), "gender": Field("sex", "word", values=SEX),
    "is_current_smoker": Field("smoker", "flag"), "systolic_bp": Field("systolic-bp"),
    "have_diabetes": Field("diabetes", "flag"),
    "total_chol_mmol_L": Field("total-cholesterol", scale=(CHOLESTEROL, 0.0)),
    "total_hdl_mmol_L": Field("hdl-cholesterol", scale=(CHOLESTEROL, 0.0)),
}
_PERSON: Final[Mapping[str, Any]] = {
    "age": 50.0, "sex": "male", "smoker": False, "systolic-bp": 120.0, "diabetes": False,
    "total-cholesterol": 190.0, "hdl-cholesterol": 50.0}
_TOLD: Final = {"risk-region": "low", "ascvd-history": False}
_FIRST: Final = {"ascvd-history": "cardiovascular disease is on record: the equation is for a first event"}
_WITHOUT_DIABETES: Final = {**_FIRST, "diabetes": "diabetes is on record: SCORE2-Diabetes is the equation for it"}
#: HDL cholesterol is no target of a treatment.
_MODIFIABLE: Final = ("smoker", "systolic-bp", "total-cholesterol")
_RANGES: Final = {"systolic-bp": (60, 250, "mm[Hg]"), "total-cholesterol": (60, 500, "mg/dL"),
                  "hdl-cholesterol": (10, 200, "mg/dL")}
_LIMITS: Final = {"age": (40, 69, "years"), **_RANGES}
_WORDS: Final = {"risk-region": score2.REGIONS}
_POPULATION: Final = "European cohorts, set to the event rates of four groups of countries."


def _converted(compute: Callable[..., Floats]) -> Callable[[Mapping[str, Floats]], Floats]:
    """The equation on cholesterols in mg/dL and HbA1c in %, as records give them."""
    def run(given: Mapping[str, Floats]) -> Floats:
        factor, offset = _HBA1C
        molar = {name: given[name] / CHOLESTEROL for name in ("total-cholesterol", "hdl-cholesterol")}
        hba1c = {"hba1c": (given["hba1c"] - offset) / factor} if "hba1c" in given else {}
        return compute({**given, **molar, **hba1c})
    return run


def _equation(target: str, compute: Callable[..., Floats], *, limits: Mapping[str, tuple[float, float, str]],
              **more: Any) -> Equation:
    about: dict[str, Any] = {
        "reference": _PERSON, "topic": ("risk-region",), "fields": _FIELDS, "outputs": ("risk_10y_pct",),
        "told": _TOLD, "words": _WORDS, "refused": _WITHOUT_DIABETES,
        "assumed": {"ascvd-history": False}, **more}
    return Equation(target=target, compute=_converted(compute), limits=limits, **about)


@dataclass(frozen=True)
class _ByRegion(Score):
    """A score whose level depends on where the person lives, which no record says: an option."""

    equation: ClassVar[Equation] = _equation("", score2.score2, limits={})
    risk_region: str = option("", doc="Risk region of the country (for Europe: ESC 2021): low, moderate, high, very "
                              "high; none: the score is left out.", choices=("", *score2.REGIONS))

    def _typed(self, features: pl.DataFrame) -> pl.DataFrame:
        return super()._typed(features).with_columns(
            pl.col("risk-region").fill_null(pl.lit(self.risk_region or None)))


class Score2(_ByRegion):
    """SCORE2: ten-year risk of cardiovascular disease in Europe."""

    name: ClassVar[str] = "score2"
    equation: ClassVar[Equation] = _equation("score2-10y-risk", score2.score2, limits=_LIMITS)
    card: ClassVar[Card] = Card(
        version="2021", summary="SCORE2: ten-year risk of a heart attack, stroke or cardiovascular death in Europe.",
        intended_use="People of 40 to 69 years without cardiovascular disease and diabetes. Reference patient: man of "
                     "50, no smoker, 120 mm[Hg], cholesterol 190 and HDL 50 mg/dL.",
        populations=_POPULATION, references=("PMID:34120177",), unit="%", range=(0, 100),
        modifiable=_MODIFIABLE)


class Score2Op(_ByRegion):
    """SCORE2-OP: ten-year risk of cardiovascular disease of older people in Europe."""

    name: ClassVar[str] = "score2-op"
    equation: ClassVar[Equation] = _equation(
        "score2-op-10y-risk", score2.score2_op, limits={"age": (70, 89, "years"), **_RANGES},
        reference={**_PERSON, "age": 75.0}, refused=_FIRST)
    card: ClassVar[Card] = Card(
        version="2021", summary="SCORE2-OP: ten-year risk of a heart attack, stroke or cardiovascular death of older "
                                "people in Europe.",
        intended_use="People of 70 to 89 years without cardiovascular disease. Reference patient: man of 75, no "
                     "smoker, 120 mm[Hg], cholesterol 190 and HDL 50 mg/dL.",
        populations=_POPULATION, references=("PMID:34120185",), unit="%", range=(0, 100),
        modifiable=_MODIFIABLE)


class Score2Diabetes(_ByRegion):
    """SCORE2-Diabetes: ten-year risk of cardiovascular disease in type 2 diabetes in Europe."""

    name: ClassVar[str] = "score2-diabetes"
    equation: ClassVar[Equation] = _equation(
        "score2-diabetes-10y-risk", score2.score2_diabetes,
        limits={**_LIMITS, "age-at-diabetes": (0, 90, "years"), "hba1c": (3, 20, "%"), "egfr": (5, 250, "mL/min")},
        reference={**_PERSON, "diabetes": True, "age-at-diabetes": 50.0, "hba1c": 6.5, "egfr": 90.0}, refused=_FIRST,
        only={"diabetes": "no diabetes on record"},
        fields={**_FIELDS, "diabetes_age": Field("age-at-diabetes"), "hba1c_mmol_mol": Field("hba1c", scale=_HBA1C),
                "eGFR_mL_min_1_73_m2": Field("egfr")})
    card: ClassVar[Card] = Card(
        version="2023", summary="SCORE2-Diabetes: ten-year risk of a heart attack, stroke or cardiovascular death in "
                                "type 2 diabetes in Europe.",
        intended_use="People of 40 to 69 years with type 2 diabetes, without cardiovascular disease. Reference "
                     "patient: man of 50, diabetes since 50, HbA1c 6.5 %, eGFR 90, otherwise as for SCORE2.",
        populations=_POPULATION, references=("PMID:37247330",), unit="%", range=(0, 100),
        modifiable=(*_MODIFIABLE, "hba1c"), limits="The type of diabetes is not checked.")


class Score2AsiaPacific(_ByRegion):
    """SCORE2 Asia-Pacific: SCORE2 set to the event rates of that part of the world."""

    name: ClassVar[str] = "score2-asia-pacific"
    equation: ClassVar[Equation] = _equation(
        "score2-asia-pacific-10y-risk", lambda given: score2.score2(given, score2.ASIA_PACIFIC), limits=_LIMITS)
    card: ClassVar[Card] = Card(
        version="2024", summary="SCORE2 Asia-Pacific: ten-year risk of a heart attack, stroke or cardiovascular death.",
        intended_use="People of 40 to 69 years in Asia and Oceania without cardiovascular disease and diabetes. "
                     "Reference patient: man of 50, no smoker, 120 mm[Hg], cholesterol 190 and HDL 50 mg/dL.",
        populations="SCORE2 set to the event rates of four groups of countries of Asia and Oceania.",
        references=("doi:10.1093/eurheartj/ehae609",), unit="%", range=(0, 100),
        modifiable=_MODIFIABLE)


SCORES: Final = (Score2, Score2Op, Score2Diabetes, Score2AsiaPacific)

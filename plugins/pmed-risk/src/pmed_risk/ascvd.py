"""Predictor: ten-year risk of atherosclerotic cardiovascular disease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed import Card
from pmed.verdicts import all_reasons, inputs, needs, number, outside, predictions, steps

from . import pce
from .findings import UNREAD, as_step, assumed, mention, unsettled, with_assumed, yes_or_absent
from .published import SEX, Field, Published, flags

TARGET: Final = "ascvd-10y-risk"
REFERENCE: Final[Mapping[str, Any]] = {
    "age": 55.0, "sex": "male", "pce-race": "white", "total-cholesterol": 170.0, "hdl-cholesterol": 50.0,
    "systolic-bp": 110.0, "bp-treated": False, "smoker": False, "diabetes": False, "ascvd-history": False,
}
#: Inputs with limits: low, high, unit (Goff 2013).
LIMITS: Final = {
    "age": (40, 79, "years"), "total-cholesterol": (130, 320, "mg/dL"), "hdl-cholesterol": (20, 100, "mg/dL"),
    "systolic-bp": (90, 200, "mm[Hg]"),
}
#: Findings that a diagnosis may leave unsettled; the reason says which.
_UNSETTLED: Final = ("diabetes", "ascvd-history")
_FOUND: Final = tuple(f"{name}-found" for name in REFERENCE if name not in {"age", "sex"})
#: Risk groups of the 2019 ACC/AHA guideline on primary prevention (PMID 30879355): from that many per cent.
GROUPS: Final = ((20.0, "high risk"), (7.5, "intermediate risk"), (5.0, "borderline risk"), (0.0, "low risk"))
#: Inputs by the names of published examples.
FIELDS: Final = {
    "age": Field("age"), "sex": Field("sex", "word", values=SEX),
    "race": Field("pce-race", "word", values={name: name for name in ("white", "black", "other")}),
    "total_chol_mg_dl": Field("total-cholesterol"), "hdl_mg_dl": Field("hdl-cholesterol"),
    "sbp_mmhg": Field("systolic-bp"), **flags("bp-treated", "bp_treated"), **flags("smoker", "smoker"),
    **flags("diabetes", "diabetes"),
}


@dataclass(frozen=True)
class AscvdRisk(Published):
    """Ten-year risk (%) of a first heart attack, coronary death or stroke, by the Pooled Cohort Equations."""

    name: ClassVar[str] = "ascvd-pce-2013"
    kind: ClassVar[Any] = "risk"
    needs: ClassVar[tuple[str, ...]] = tuple(REFERENCE)
    wants: ClassVar[tuple[str, ...]] = (*_FOUND, UNREAD)
    gives: ClassVar[tuple[str, ...]] = (TARGET,)
    fields: ClassVar[Mapping[str, Field]] = FIELDS
    outputs: ClassVar[tuple[str, ...]] = ("risk_10y_pct",)
    assumed: ClassVar[Mapping[str, Any]] = {"ascvd-history": False}
    card: ClassVar[Card] = Card(
        version="2013",
        summary="Pooled Cohort Equations: ten-year risk of a first heart attack, coronary death or stroke.",
        intended_use="Adults of 40 to 79 years without atherosclerotic cardiovascular disease, to talk about "
                     "prevention. Compared with a reference patient: white man of 55, total cholesterol 170 mg/dL, "
                     "HDL 50 mg/dL, systolic pressure 110 mm[Hg] untreated, non-smoker, no diabetes.",
        populations="Fitted on white and African American people in US cohorts who had no heart failure and no atrial "
                    "fibrillation; for anybody else the equation for white people is used, and the trace says so.",
        references=("PMID:24222018", "PMID:30879355"),
        unit="%",
        range=(0, 100),
        modifiable=("smoker", "systolic-bp", "total-cholesterol"),
        limits="Overestimates in many present-day populations. Total cholesterol 130 to 320 mg/dL, HDL 20 to 100 "
               "mg/dL, systolic pressure 90 to 200 mm[Hg]; outside these, after a cardiovascular event, or without "
               "a recorded ancestry, not assessed. Any active blood-pressure medicine counts as treated pressure, "
               "whatever it is taken for. A diagnosis that the record never mentions counts as absent.",
    )

    def reference(self, target: str) -> Mapping[str, Any]:
        """White man of 55 with optimal risk factors; every input of the equations."""
        return REFERENCE if target == TARGET else {}

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient: risk in %, or why it was not assessed."""
        label = pl.coalesce(pl.when(pl.col("value") >= low).then(pl.lit(words)) for low, words in GROUPS)
        frame = _scored(features)
        rows = predictions(frame, target=TARGET, value=pl.col("value"), unit="%", reason=pl.col("reason"), label=label)
        return with_assumed(rows, assumed(frame, REFERENCE))

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """From the record to the percentage, in steps."""
        wanted = predictions.filter((pl.col("target") == TARGET) & (pl.col("status") == "assessed"))
        frame = _scored(features).drop("reason").join(wanted.select("patient_id", "reason"), on="patient_id",
                                                      maintain_order="left")
        return steps(frame, target=TARGET, texts=_texts())


def _scored(features: pl.DataFrame) -> pl.DataFrame:
    """Inputs (age in completed years) with reason, value, and the equation's sum, mean and survival."""
    typed = inputs(features, {**REFERENCE, **dict.fromkeys((*_FOUND, UNREAD), "")})
    frame = typed.with_columns(pl.col("age").floor()).with_columns(reason=_reason())
    risk = pce.ascvd_10y_risk(
        age=frame["age"].to_numpy(), female=_flag(frame, pl.col("sex") == "female"),
        black=_flag(frame, pl.col("pce-race") == "black"), total_cholesterol=frame["total-cholesterol"].to_numpy(),
        hdl=frame["hdl-cholesterol"].to_numpy(), systolic=frame["systolic-bp"].to_numpy(),
        treated=_flag(frame, pl.col("bp-treated")), smoker=_flag(frame, pl.col("smoker")),
        diabetes=_flag(frame, pl.col("diabetes")))
    names = np.array(list(pce.EQUATIONS))[risk.equation]
    return frame.with_columns(
        value=pl.Series(risk.percent, dtype=pl.Float64), equation=pl.Series(names, dtype=pl.String),
        total=pl.Series(risk.total, dtype=pl.Float64), mean=pl.Series(risk.mean, dtype=pl.Float64),
        survival=pl.Series(risk.survival, dtype=pl.Float64))


def _flag(frame: pl.DataFrame, truth: pl.Expr) -> npt.NDArray[np.int64]:
    """True as 1; false and unknown as 0 (a row with an unknown input has a reason, and no value)."""
    flags: npt.NDArray[np.int64] = frame.select(truth.fill_null(value=False).cast(pl.Int64)).to_series().to_numpy()
    return flags


def _reason() -> pl.Expr:
    sex = pl.when(~pl.col("sex").is_in(["female", "male"])).then(
        pl.format("sex is recorded as {}: there are equations for female and male only", "sex"))
    known = pl.when("ascvd-history").then(
        pl.lit("cardiovascular disease is on record: the equations are for a first event"))
    limits = [outside(name, *limit) for name, limit in LIMITS.items()]
    missing = needs(list(REFERENCE), {"pce-race": "ancestry"})
    return all_reasons(missing, *map(unsettled, _UNSETTLED), sex, known, *limits)


def _texts() -> list[pl.Expr]:
    other = pl.when(pl.col("pce-race") == "other").then(pl.format(
        "Ancestry is recorded as {}: there are equations for white and African American people only, and the one for "
        "white people is used.", pl.col("pce-race-found").fill_null("other")))
    exponent = pl.format("exp({} − {})", number(pl.col("total"), 3), number(pl.col("mean"), 2))
    return [
        pl.format("Age {} years: equation for {} (Goff 2013, PMID 24222018).", number(pl.col("age")), "equation"),
        other,
        *[_measured(name, words) for name, words in (
            ("total-cholesterol", "Total cholesterol {} mg/dL"), ("hdl-cholesterol", "HDL cholesterol {} mg/dL"),
            ("systolic-bp", "Systolic blood pressure {} mm[Hg]"))],
        yes_or_absent("bp-treated", "Blood-pressure medicine"),
        as_step(),
        pl.format("Smoker now: {}{}.", pl.when("smoker").then(pl.lit("yes")).otherwise(pl.lit("no")),
                  mention("smoker")),
        yes_or_absent("diabetes", "Diabetes"),
        yes_or_absent("ascvd-history", "Earlier heart attack, stroke or arterial disease"),
        pl.format("Sum of the terms {}, mean of the group {}, ten-year survival at the mean {}.",
                  number(pl.col("total"), 3), number(pl.col("mean"), 2), number(pl.col("survival"), 4)),
        pl.format("Risk = 100 × (1 − {}^{}) = {} % in ten years.", number(pl.col("survival"), 4), exponent,
                  number(pl.col("value"), 1)),
    ]


def _measured(name: str, words: str) -> pl.Expr:
    return pl.format(f"{words}{{}}.", number(pl.col(name)), mention(name))

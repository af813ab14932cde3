"""Predictor: CHA2DS2-VASc points of people with atrial fibrillation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import polars as pl

from pmed import Card
from pmed.verdicts import all_reasons, inputs, needs, number, predictions, steps

from .chads import POINTS, age_points, cha2ds2_vasc, sex_points
from .findings import mention, unsettled
from .published import SEX, YEARS, Field, Published, flags

TARGET: Final = "cha2ds2-vasc-score"
REFERENCE: Final[Mapping[str, Any]] = {
    "atrial-fibrillation": True, "age": 55.0, "sex": "male", **dict.fromkeys(POINTS, False),
}
FINDINGS: Final = ("atrial-fibrillation", *POINTS)
_FOUND: Final = tuple(f"{name}-found" for name in FINDINGS)
_WORDS: Final = {
    "heart-failure": "Heart failure", "hypertension": "High blood pressure", "diabetes": "Diabetes",
    "stroke-or-tia": "Stroke, transient ischaemic attack or embolism",
    "vascular-disease": "Heart attack, peripheral arterial disease or aortic plaque",
}
#: Inputs by the names of published examples, of which there are two sets.
FIELDS: Final = {
    "age": Field("age", units=YEARS), "sex": Field("sex", "word", values=SEX),
    "female_sex": Field("sex", "flag", values={True: "female", False: "male"}),
    "age_gte_75": Field("age", "flag", values={True: 75.0, False: 64.0}),
    "age_65_to_74": Field("age", "flag", values={True: 65.0, False: 64.0}),
    **flags("heart-failure", "Congestive Heart Faliure", "chf_or_lvef_lte_40"),
    **flags("hypertension", "Hypertension history", "hypertension"),
    **flags("diabetes", "Diabetes history", "diabetes"),
    **flags("stroke-or-tia", "Stroke", "Transient Ischemic Attacks History", "Thromboembolism history",
            "stroke_tia_or_te_history"),
    **flags("vascular-disease", "Vascular disease history", "vascular_disease"),
}


@dataclass(frozen=True)
class StrokeRisk(Published):
    """CHA2DS2-VASc: 0 to 9 points for the risk of stroke in atrial fibrillation."""

    name: ClassVar[str] = "cha2ds2-vasc"
    kind: ClassVar[Any] = "risk"
    needs: ClassVar[tuple[str, ...]] = tuple(REFERENCE)
    wants: ClassVar[tuple[str, ...]] = _FOUND
    gives: ClassVar[tuple[str, ...]] = (TARGET,)
    fields: ClassVar[Mapping[str, Field]] = FIELDS
    assumed: ClassVar[Mapping[str, Any]] = {"atrial-fibrillation": True, **dict.fromkeys(POINTS, False)}
    implied: ClassVar[tuple[str, ...]] = ("atrial-fibrillation",)
    card: ClassVar[Card] = Card(
        version="2010",
        summary="CHA2DS2-VASc: points for the risk of stroke in atrial fibrillation.",
        intended_use="Adults with atrial fibrillation or flutter, when anticoagulation is considered. Compared with a "
                     "reference patient: man of 55 with atrial fibrillation and none of the other findings.",
        populations="Euro Heart Survey: adults with non-valvular atrial fibrillation.",
        references=("PMID:19762550",),
        unit="points",
        range=(0, 9),
        limits="Not for atrial fibrillation with a mechanical valve or mitral stenosis, which is not checked. Points, "
               "not a rate: yearly stroke rates differ between populations. Coronary disease without a heart attack "
               "does not score, as in the original.",
    )

    def reference(self, target: str) -> Mapping[str, Any]:
        """Man of 55 with atrial fibrillation and nothing else: 0 points."""
        return REFERENCE if target == TARGET else {}

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient: points, or why it was not assessed."""
        score = cha2ds2_vasc(pl.col("age"), pl.col("sex"), {name: pl.col(name) for name in POINTS})
        frame = _typed(features)
        rows = predictions(frame, target=TARGET, value=score, unit="points", reason=_reason())
        without = (~frame["atrial-fibrillation"]).fill_null(value=False)
        return rows.with_columns(status=pl.when(without).then(pl.lit("not-applicable")).otherwise("status"))

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """The points one by one."""
        wanted = predictions.filter((pl.col("target") == TARGET) & (pl.col("status") == "assessed"))
        frame = _typed(features).join(wanted.select("patient_id", "value"), on="patient_id", maintain_order="left")
        return steps(frame, target=TARGET, texts=_texts())


def _typed(features: pl.DataFrame) -> pl.DataFrame:
    return inputs(features, {**REFERENCE, **dict.fromkeys(_FOUND, "")})


def _reason() -> pl.Expr:
    sex = pl.when(~pl.col("sex").is_in(["female", "male"])).then(
        pl.format("sex is recorded as {}: the score knows female and male only", "sex"))
    without = pl.when(~pl.col("atrial-fibrillation")).then(pl.lit("no atrial fibrillation on record"))
    age = pl.when(pl.col("age") < 18).then(pl.lit("age is below 18 years"))
    return pl.coalesce(without, all_reasons(needs(list(REFERENCE)), *map(unsettled, FINDINGS), sex, age))


def _texts() -> list[pl.Expr]:
    return [
        pl.format("Atrial fibrillation or flutter is on record{}: the score applies (Lip 2010, PMID 19762550).",
                  mention("atrial-fibrillation")),
        pl.format("Age {} years: {} (65 to 74: 1, from 75: 2).", number(pl.col("age").floor()),
                  age_points(pl.col("age"))),
        pl.format("Sex {}: {}.", "sex", sex_points(pl.col("sex"))),
        *[_finding(name, points) for name, points in POINTS.items()],
        pl.format("Sum: {} points.", number(pl.col("value"))),
    ]


def _finding(name: str, points: int) -> pl.Expr:
    there = pl.format(f"{_WORDS[name]}: {points}{{}}.", mention(name))
    return pl.when(name).then(there).otherwise(pl.lit(f"{_WORDS[name]}: 0 (not in the record, counted as absent)."))

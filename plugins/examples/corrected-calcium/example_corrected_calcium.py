"""A rule on laboratory values: calcium corrected for albumin, and a caution beside medicines where it is high."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from pmed import Card, Tables, hookimpl, option, verdicts

CALCIUM, ALBUMIN = "observation:17861-6", "observation:1751-7"  # LOINC; pmed gives mg/dL and g/dL
REFERENCE = {CALCIUM: 9.5, ALBUMIN: 4.0}
LIMITS = {CALCIUM: (2, 25, "mg/dL"), ALBUMIN: (0.5, 8, "g/dL")}
NAMES = {CALCIUM: "calcium", ALBUMIN: "albumin"}
NAME = "corrected-calcium"
#: What calcium would be at an albumin of 4 g/dL: 0.8 mg/dL more for each g/dL that is missing.
FACTOR = 0.8


@dataclass(frozen=True)
class CorrectedCalcium:
    """Calcium corrected for albumin (mg/dL): calcium + 0.8 × (4 − albumin in g/dL)."""

    name: ClassVar[str] = NAME
    kind: ClassVar[str] = "risk"
    needs: ClassVar[tuple[str, ...]] = tuple(REFERENCE)
    wants: ClassVar[tuple[str, ...]] = ()
    gives: ClassVar[tuple[str, ...]] = (NAME,)
    card: ClassVar[Card] = Card(
        version="1.0",
        summary="Serum calcium, corrected for albumin.",
        intended_use="Adults whose ionised calcium was not measured.",
        populations="200 adults of one hospital laboratory.",
        references=("Payne and others, BMJ 1973;4:643-646",),
        unit="mg/dL",
        range=(0.0, 40.0),
        limits="Misleads in the critically ill and in kidney failure: measure ionised calcium there.")
    high: float = option(10.5, doc="Above this the label says high.", unit="mg/dL", low=9, high=15)

    def reference(self, target: str) -> Mapping[str, Any]:
        """Values in the middle of the normal range."""
        return REFERENCE

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient; not assessed without both values, or with an impossible one."""
        frame = verdicts.inputs(features, REFERENCE).with_columns(
            corrected=pl.col(CALCIUM) + FACTOR * (4.0 - pl.col(ALBUMIN)))
        reason = verdicts.all_reasons(
            verdicts.needs(self.needs, NAMES), *[verdicts.outside(name, *limits) for name, limits in LIMITS.items()])
        label = pl.when(pl.col("corrected") > self.high).then(pl.lit("high")).otherwise(pl.lit("not high"))
        return verdicts.predictions(frame, target=NAME, value=pl.col("corrected"), unit="mg/dL", reason=reason,
                                    label=label)

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """The two values and the result."""
        assessed = predictions.filter(status="assessed").select("patient_id", "value")
        frame = verdicts.inputs(features, REFERENCE).join(assessed, on="patient_id", maintain_order="left")
        calcium, albumin, value = (verdicts.number(pl.col(name)) for name in (CALCIUM, ALBUMIN, "value"))
        return verdicts.steps(frame, target=NAME, texts=[
            pl.format("Calcium {} mg/dL, albumin {} g/dL.", calcium, albumin),
            pl.format("Calcium + 0.8 × (4 − albumin): {} mg/dL.", value)])


@hookimpl
def register_predictors() -> list[type[CorrectedCalcium]]:
    """The corrected value."""
    return [CorrectedCalcium]


@hookimpl
def check_suggestions(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """A caution beside current medicines of patients whose calcium is high: some of them may be the cause."""
    high = tables["predictions"].filter(predictor=NAME, label="high").select("patient_id", "value")
    found = suggestions.filter(pl.col("current")).join(high, on="patient_id")
    text = pl.format("Corrected calcium is high ({} mg/dL): is this medicine a cause?", pl.col("value").round(1))
    return found.select("patient_id", "drug", code=pl.lit(NAME), text=text)

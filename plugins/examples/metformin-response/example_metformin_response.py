"""A scikit-learn model with an explainer of its own: fall of HbA1c on metformin. It shows how; it is not for patients.

The model is fitted when it is first asked, on invented people made by a fixed seed: no pickle is shipped or read. Its
explainer knows that the model is linear, so one product a feature takes the place of 2^n predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pmed import Card, Explainer, Predictor, hookimpl, verdicts

NAME = "metformin-response"
HBA1C = "observation:4548-4"  # LOINC; %
REFERENCE = {"age": 60.0, "bmi": 30.0, "egfr": 80.0, HBA1C: 8.0}
LIMITS = {"age": (18, 100, "years"), "bmi": (15, 70, "kg/m2"), "egfr": (30, 150, "mL/min"), HBA1C: (6.5, 14, "%")}
MOST = 6.0


@lru_cache(maxsize=1)
def fitted() -> tuple[np.ndarray, float]:
    """Weights of a ridge regression, in the order of `REFERENCE`, and its intercept."""
    from sklearn.linear_model import Ridge

    people = np.random.default_rng(11).normal(list(REFERENCE.values()), [12, 5, 15, 1.2], size=(500, 4))
    noise = np.random.default_rng(12).normal(0, 0.3, 500)
    fall = 1.1 + 0.45 * (people[:, 3] - 8) - 0.004 * (people[:, 0] - 60) + noise
    model = Ridge(alpha=1.0).fit(people, fall)
    return np.asarray(model.coef_), float(model.intercept_)


def terms(frame: pl.DataFrame) -> np.ndarray:
    """What each input adds to the reference patient's fall (people × inputs)."""
    values = frame.select(list(REFERENCE)).cast(pl.Float64).to_numpy()
    return (values - np.array(list(REFERENCE.values()))) * fitted()[0]


def baseline() -> float:
    """The fall of the reference patient, percentage points of HbA1c."""
    weights, intercept = fitted()
    return float(np.sum(weights * list(REFERENCE.values())) + intercept)


@dataclass(frozen=True)
class MetforminResponse:
    """Fall of HbA1c (percentage points) in half a year of metformin, by ridge regression on invented people."""

    name: ClassVar[str] = NAME
    kind: ClassVar[str] = "treatment-response"
    needs: ClassVar[tuple[str, ...]] = tuple(REFERENCE)
    wants: ClassVar[tuple[str, ...]] = ()
    gives: ClassVar[tuple[str, ...]] = (NAME,)
    card: ClassVar[Card] = Card(
        version="1.0", summary="Fall of HbA1c on metformin; an example on invented data.",
        intended_use="To show how a scikit-learn model is brought. Not for patients.",
        populations="500 invented people.", references=("No publication: the data are invented",),
        unit="percentage points", range=(-MOST, MOST), limits="Knows nothing of real people.")

    def reference(self, target: str) -> Mapping[str, Any]:
        """60 years, 30 kg/m2, 80 mL/min, 8 %."""
        return REFERENCE

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient; outside the range of the training data there is no answer."""
        frame = verdicts.inputs(features, REFERENCE)
        # Summed along rows of its own, so that a patient gets the same to the last bit in any batch.
        value = pl.Series("fall", [baseline() + sum(row) for row in terms(frame).tolist()], dtype=pl.Float64)
        reason = verdicts.all_reasons(
            verdicts.needs(self.needs), *[verdicts.outside(name, *limits) for name, limits in LIMITS.items()])
        return verdicts.predictions(frame.with_columns(value), target=NAME, value=pl.col("fall"),
                                    unit="percentage points", reason=reason)


@dataclass(frozen=True)
class LinearExplainer:
    """Weight × distance from the reference patient: for a linear model, its exact Shapley values."""

    name: ClassVar[str] = "example-linear"

    def explain(self, predictor: Predictor, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """One row for each assessed patient and input."""
        said = predictions.select("patient_id", "target", "unit", prediction="value")
        frame = said.join(verdicts.inputs(features, REFERENCE), on="patient_id", how="left", maintain_order="left")
        parts = terms(frame)
        return pl.concat(frame.select(
            "patient_id", "target", "unit", "prediction", feature=pl.lit(name), value=verdicts.number(pl.col(name), 2),
            reference=pl.lit(f"{start:g}"), contribution=pl.Series(parts[:, rank]), baseline=pl.lit(baseline()),
            method=pl.lit("weights of a linear model")) for rank, (name, start) in enumerate(REFERENCE.items()))


@hookimpl
def register_predictors() -> list[type[MetforminResponse]]:
    """The model."""
    return [MetforminResponse]


@hookimpl
def choose_explainer(predictor: Predictor) -> Explainer | None:
    """The linear explainer for the model above, and for nothing else."""
    return LinearExplainer() if predictor.name == NAME else None

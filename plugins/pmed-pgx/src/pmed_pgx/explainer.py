"""Explainer: exact Shapley values of the concern level, also where some inputs are unknown or several are possible.

The value of a coalition is the concern that is certain for a hybrid: the patient's own inputs (unknown ones too) inside
the coalition, the reference patient's outside. A hybrid that the rows leave open counts as no concern, so an unknown
input never explains any. (Shapley 1953; the baseline form of Sundararajan & Najmi 2020, arXiv:1908.08474.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed.types import Predictor

from .cases import Cases, column
from .guidelines import AGE, Drug, drugs
from .outcomes import Outcome, certain

METHOD = "exact Shapley values against a stated reference patient; what is unknown adds no concern"
_TOLD = {"case": pl.Int64(), "feature": pl.String(), "value": pl.String(), "reference": pl.String(),
         "contribution": pl.Float64(), "baseline": pl.Float64(), "prediction": pl.Float64()}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GuidelineExplainer:
    """Exact Shapley values over the inputs of a drug's rows, worked out once for each distinct case."""

    name: ClassVar[str] = "guideline-shapley"

    def explain(self, predictor: Predictor, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """``explanations`` rows (without ``predictor``) for every row of `predictions`."""
        asked = [drugs()[name] for name in predictions["target"].unique(maintain_order=True)]
        cases = Cases.read(features, asked)
        rows = cases.rows().rename({"drug": "target"}).join(
            predictions.select("patient_id", "target", "unit"), on=["patient_id", "target"], maintain_order="left")
        told = [one for case in rows["case"].unique().to_list() for one in _told(case, cases.outcomes[case], predictor)]
        made = rows.join(pl.DataFrame(told, schema=_TOLD, orient="row"), on="case", maintain_order="left_right").join(
            _age(features), on="patient_id", how="left", maintain_order="left")
        value = pl.when(pl.col("feature") == AGE).then("_age").otherwise("value")
        return made.drop("case").with_columns(value=value, method=pl.lit(METHOD)).drop("_age")


def attributed(drug: Drug, one: Outcome, reference: Any) -> tuple[float, Floats]:
    """Concern of the reference patient, and what each input adds to it, in the order of the drug's inputs."""
    # An input that is as in the reference patient adds nothing: only the others take part.
    own = [name for name in drug.inputs if one.known[name] != reference[name]]
    inside = [[name for rank, name in enumerate(own) if mixed >> rank & 1] for mixed in range(1 << len(own))]
    worth = [certain(drug, {**reference, **{name: one.known[name] for name in names}}) for names in inside]
    added = dict(zip(own, weights(len(own)) @ np.array(worth), strict=True))
    return worth[0], np.array([added.get(name, 0.0) for name in drug.inputs])


@lru_cache(maxsize=16)
def weights(n: int) -> Floats:
    """Matrix (n × 2^n): row i times the coalition values is input i's Shapley value; bit i of a column is input i.

    >>> weights(1).tolist()
    [[-1.0, 1.0]]
    """
    coalitions = np.arange(1 << n)
    size = np.array([int(one).bit_count() for one in coalitions])
    gain = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)] + [0.0])
    inside = (coalitions[None, :] >> np.arange(n)[:, None]) & 1
    return np.asarray(np.where(inside == 1, gain[size - 1], -gain[size]), dtype=np.float64)


def _told(case: int, one: Outcome, predictor: Predictor) -> list[tuple[Any, ...]]:
    """One row an input of one case."""
    reference = predictor.reference(one.drug.name)
    baseline, added = attributed(one.drug, one, reference)
    total = certain(one.drug, one.known)
    return [(case, name, as_text(one.known[name]), as_text(reference[name]), worth, baseline, total)
            for name, worth in zip(one.drug.inputs, added.tolist(), strict=True)]


def as_text(value: Any) -> str | None:
    """An input's value as a person would write it.

    >>> as_text(True), as_text(1.0), as_text("Poor Metabolizer"), as_text(None)
    ('yes', '1', 'Poor Metabolizer', None)
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else value


def _age(features: pl.DataFrame) -> pl.DataFrame:
    """The patient's own age, where the cases know only between which bounds it lies."""
    years = column(features, AGE).cast(pl.Float64).round(1)
    return pl.DataFrame([features["patient_id"], years.cast(pl.String).str.strip_suffix(".0").alias("_age")])

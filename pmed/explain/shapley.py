"""Exact Shapley values for any predictor that depends on a few inputs.

The value of a coalition is the prediction for a hybrid: the patient's value for the inputs inside the coalition, the
reference patient's for the others. All 2^n hybrids of all distinct patients are one frame and one call of
``predict``. (Shapley 1953; the baseline form of Sundararajan & Najmi 2020, arXiv:1908.08474.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import TableError
from ..types import Predictor

MOST_INPUTS = 12
METHOD = "exact Shapley values against a stated reference patient"


@dataclass(frozen=True)
class ExactShapley:
    """Exact Shapley values over the inputs of ``predictor.reference(target)``, at most 12 of them."""

    name: ClassVar[str] = "exact-shapley"

    def explain(self, predictor: Predictor, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """``explanations`` rows (without ``predictor``) for every row of `predictions`.

        Raises:
            TableError: for a target with too many inputs, or whose hybrids the predictor does not assess.
        """
        targets = predictions["target"].unique(maintain_order=True)
        return pl.concat([_explain_target(predictor, target, features, predictions.filter(pl.col("target") == target))
                          for target in targets])


@lru_cache(maxsize=MOST_INPUTS)
def weights(n: int) -> NDArray[np.float64]:
    """Matrix (n × 2^n): row i times the coalition values is player i's Shapley value; bit i of a column is player i."""
    coalitions = np.arange(1 << n)
    size = np.array([int(c).bit_count() for c in coalitions])
    gain = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)] + [0.0])
    inside = (coalitions[None, :] >> np.arange(n)[:, None]) & 1
    return np.asarray(np.where(inside == 1, gain[size - 1], -gain[size]), dtype=np.float64)


def shapley(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shapley values (cases × n) from coalition values (cases × 2^n)."""
    n = values.shape[1].bit_length() - 1
    # einsum, not @: a BLAS product rounds differently with the batch, and a batch must equal its parts to the bit
    return np.asarray(np.einsum("cv,nv->cn", values, weights(n)), dtype=np.float64)


def _explain_target(predictor: Predictor, target: str, features: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    reference = dict(predictor.reference(target))
    names = list(reference)
    if not 0 < len(names) <= MOST_INPUTS:
        raise TableError(f"{target} depends on {len(names)} inputs; exact values need 1 to {MOST_INPUTS}")
    asked = rows.select("patient_id").join(features, on="patient_id", how="left", maintain_order="left")
    distinct = asked.unique(names, maintain_order=True).with_row_index("_case")
    values = _coalition_values(predictor, target, distinct, reference)
    wide = distinct.select("_case", *names).with_columns(
        _baseline=pl.Series(values[:, 0]), _prediction=pl.Series(values[:, -1]),
        _contributions=pl.Series(shapley(values), dtype=pl.Array(pl.Float64, len(names))))
    per_patient = asked.select("patient_id", *names).join(
        wide, on=names, how="left", nulls_equal=True, maintain_order="left")
    said = {"target": pl.lit(target), "unit": pl.lit(rows["unit"][0]), "method": pl.lit(METHOD)}
    parts = [_rows(per_patient, name, rank, reference[name]) for rank, name in enumerate(names)]
    return pl.concat(parts).with_columns(**said)


def _coalition_values(predictor: Predictor, target: str, distinct: pl.DataFrame,
                      reference: dict[str, Any]) -> NDArray[np.float64]:
    """Predictions (cases × 2^n) for every hybrid."""
    count = 1 << len(reference)
    hybrids = distinct.drop("_case").select(pl.all().repeat_by(count).explode(empty_as_null=False))
    coalition = np.tile(np.arange(count), distinct.height)
    masks = {name: pl.Series((coalition >> rank) & 1 == 1) for rank, name in enumerate(reference)}
    own = [pl.when(masks[name]).then(pl.col(name)).otherwise(pl.lit(value, dtype=distinct.schema[name])).alias(name)
           for name, value in reference.items()]
    mixed = hybrids.with_columns(own).with_columns(patient_id=pl.int_range(pl.len()).cast(pl.String))
    out = predictor.predict(mixed).filter(pl.col("target") == target)
    if out.height != mixed.height or out["value"].null_count():
        reason = out.filter(pl.col("value").is_null())["reason"]
        raise TableError(f"{target}: a hybrid with the reference patient is not assessed: {next(iter(reason), '?')}")
    return out["value"].to_numpy().reshape(distinct.height, count)


def _rows(wide: pl.DataFrame, name: str, rank: int, reference: Any) -> pl.DataFrame:
    dtype = wide.schema[name]
    return wide.select(
        "patient_id", feature=pl.lit(name), value=as_text(pl.col(name), dtype),
        reference=as_text(pl.lit(reference, dtype=dtype), dtype), baseline=pl.col("_baseline"),
        contribution=pl.col("_contributions").arr.get(rank), prediction=pl.col("_prediction"))


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A feature value as a person would write it: yes/no, at most two decimals."""
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("yes")).when(~column).then(pl.lit("no"))
    if dtype.is_float():
        return column.round(2).cast(pl.String).str.strip_suffix(".0")
    return column.cast(pl.String)

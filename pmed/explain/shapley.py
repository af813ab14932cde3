"""Exact Shapley values for any predictor that depends on a few inputs.

The value of a coalition is the prediction for a hybrid: the patient's value for the inputs inside the coalition, the
reference patient's for the others. All 2^n hybrids of all distinct patients and targets are one frame and one call
of ``predict``. (Shapley 1953; the baseline form of Sundararajan & Najmi 2020, arXiv:1908.08474.)

Where a predictor does not assess one of a patient's hybrids, the inputs cannot be told apart: they share one bar, which
says why, and nothing else is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import TableError
from ..tables import TOGETHER
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
            TableError: for a target with too many inputs, or whose reference patient is not assessed.
        """
        targets = predictions["target"].unique(maintain_order=True).to_list()
        cases = [_cases(predictor, target, features, predictions.filter(pl.col("target") == target))
                 for target in targets]
        return pl.concat([_attributed(case, values, why) for case, (values, why) in zip(
            cases, _coalition_values(predictor, cases), strict=True)])


def undecided(predictor: Predictor, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Patients, each distinct one once, of whom a hybrid is not assessed: patient_id, reason.

    Args:
        predictor: Whose.
        features: What it is asked with.
        predictions: Assessed rows of one target, one at least.

    Raises:
        TableError: as `ExactShapley.explain`.
    """
    case = _cases(predictor, predictions["target"][0], features, predictions)
    ((_, why),) = _coalition_values(predictor, [case])
    return case.distinct.select("patient_id", reason=why).drop_nulls("reason")


@dataclass(frozen=True)
class Cases:
    """One target's patients and the distinct inputs among them."""

    target: str
    unit: str
    reference: Mapping[str, Any]
    asked: pl.DataFrame
    distinct: pl.DataFrame

    @property
    def coalitions(self) -> int:
        """How many hybrids each distinct patient makes."""
        return 1 << len(self.reference)


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


def _cases(predictor: Predictor, target: str, features: pl.DataFrame, rows: pl.DataFrame) -> Cases:
    reference = dict(predictor.reference(target))
    if not 0 < len(reference) <= MOST_INPUTS:
        raise TableError(f"{target} depends on {len(reference)} inputs; exact values need 1 to {MOST_INPUTS}")
    asked = rows.select("patient_id").join(features, on="patient_id", how="left", maintain_order="left")
    return Cases(target, rows["unit"][0], reference, asked, asked.unique(list(reference), maintain_order=True))


def _hybrids(case: Cases, block: int) -> pl.DataFrame:
    """Every mixture (cases × 2^n rows) of a patient and the reference patient, under ids of their own."""
    every = case.distinct[np.repeat(np.arange(case.distinct.height), case.coalitions)]
    coalition = np.tile(np.arange(case.coalitions), case.distinct.height)
    own = [pl.when(pl.Series((coalition >> rank) & 1 == 1)).then(pl.col(name))
           .otherwise(pl.lit(value, dtype=every.schema[name])).alias(name)
           for rank, (name, value) in enumerate(case.reference.items())]
    return every.with_columns(*own, patient_id=pl.format("{}/{}", pl.lit(block), pl.int_range(pl.len())))


def _coalition_values(predictor: Predictor, cases: Sequence[Cases]) -> list[tuple[NDArray[np.float64], pl.Series]]:
    """Predictions (cases × 2^n, NaN where undecided) for every hybrid of every target, by one call of ``predict``.

    Beside them for each case why a hybrid is undecided, null where none is.
    """
    hybrids = [_hybrids(case, block) for block, case in enumerate(cases)]
    out = predictor.predict(pl.concat(hybrids)).select("patient_id", "target", "value", "reason")
    return [_values(case, mixed, out) for case, mixed in zip(cases, hybrids, strict=True)]


def _values(case: Cases, mixed: pl.DataFrame, out: pl.DataFrame) -> tuple[NDArray[np.float64], pl.Series]:
    mine = out.filter(pl.col("target") == case.target)
    if not mine["patient_id"].equals(mixed["patient_id"]):
        mine = mixed.select("patient_id").join(mine, on="patient_id", how="left", maintain_order="left")
    if mine.height != mixed.height:
        raise TableError(f"{case.target}: {mine.height} rows for {mixed.height} hybrids with the reference patient")
    why = _why(case, mine)
    values = mine["value"].cast(pl.Float64).to_numpy().reshape(case.distinct.height, case.coalitions)
    if np.isnan(values[:, 0]).any():
        raise TableError(f"{case.target}: the reference patient is not assessed: {why.drop_nulls()[0]}")
    return values, why


def _why(case: Cases, mine: pl.DataFrame) -> pl.Series:
    """For each distinct patient why one of the hybrids has no value; null where all have one."""
    if not mine["value"].null_count():
        return pl.Series("reason", [None] * case.distinct.height, dtype=pl.String)
    number = pl.int_range(pl.len()) // case.coalitions
    reason = pl.col("reason").fill_null("no reason given").filter(pl.col("value").is_null()).first()
    return mine.group_by(number.alias("case"), maintain_order=True).agg(reason)["reason"]


def _attributed(case: Cases, values: NDArray[np.float64], why: pl.Series) -> pl.DataFrame:
    names = list(case.reference)
    wide = case.distinct.select(names).with_columns(
        _baseline=pl.Series(values[:, 0]), _prediction=pl.Series(values[:, -1]), _why=why,
        _contributions=pl.Series(shapley(values), dtype=pl.Array(pl.Float64, len(names))))
    per_patient = case.asked.select("patient_id", *names).join(
        wide, on=names, how="left", nulls_equal=True, maintain_order="left")
    said = {"target": pl.lit(case.target), "unit": pl.lit(case.unit), "method": pl.lit(METHOD)}
    apart = per_patient.filter(pl.col("_why").is_null())
    parts = [_rows(apart, case.reference), _whole(per_patient.filter(pl.col("_why").is_not_null()))]
    return pl.concat([one for one in parts if one.height] or parts).with_columns(**said)


def _whole(wide: pl.DataFrame) -> pl.DataFrame:
    """One row for all inputs of those whose hybrids are not all assessed, with the reason."""
    return wide.select(
        "patient_id", feature=pl.lit(TOGETHER),
        value=pl.format("cannot be told apart, as a mixture with the reference patient is not assessed: {}", "_why"),
        reference=pl.lit("reference patient"), baseline=pl.col("_baseline"),
        contribution=pl.col("_prediction") - pl.col("_baseline"), prediction=pl.col("_prediction"))


def _rows(wide: pl.DataFrame, reference: Mapping[str, Any]) -> pl.DataFrame:
    """A row for each input and patient, input by input."""
    names, types = list(reference), wide.schema
    texts = wide.select(as_text(pl.col(name), types[name]).alias(name) for name in names)
    usual = pl.select(as_text(pl.lit(value, dtype=types[name]), types[name]).alias(name)
                      for name, value in reference.items()).row(0)
    place = np.repeat(np.arange(len(names)), wide.height)
    each = wide["_contributions"].to_numpy().reshape(wide.height, len(names))
    return pl.DataFrame([
        pl.concat([wide["patient_id"]] * len(names)), pl.Series("feature", names).gather(place),
        pl.concat([one.alias("value") for one in texts]), pl.Series("reference", usual, dtype=pl.String).gather(place),
        pl.concat([wide["_baseline"].alias("baseline")] * len(names)),
        pl.Series("contribution", each.T.ravel(), dtype=pl.Float64),
        pl.concat([wide["_prediction"].alias("prediction")] * len(names))])


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A feature value as a person would write it: yes/no, at most two decimals."""
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("yes")).when(~column).then(pl.lit("no"))
    if dtype.is_float():
        return column.round(2).cast(pl.String).str.strip_suffix(".0")
    return column.cast(pl.String)

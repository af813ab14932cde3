"""Exact Shapley values of the dose, in mg/week, over what differs from the reference patient.

An input that is as in the reference patient adds nothing to any coalition, so only the others are enumerated: exact,
and 2 to the power of those few. (Shapley 1953; the baseline form of Sundararajan & Najmi 2020, arXiv:1908.08474.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from math import factorial
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from pmed.tables import FEW
from pmed.verdicts import inputs, number

from .dose_inputs import FEATURES
from .kernel import Floats
from .warfarin import GENE, INR, REFERENCE, SITE, TARGET, UNIT, dose_inputs, weekly

METHOD: Final = "exact Shapley values against a stated reference patient"
#: Input of the model → name under which it is shown; those of the equation are shown even where they add nothing.
SHOWN: Final[Mapping[str, str]] = {
    "vkorc1": SITE, "cyp2c9": GENE, "race": "ancestry", "amiodarone": "on:amiodarone", "inducer": "enzyme inducer",
    "azole": "azole antifungal", "smoker": "smoking", "diabetes": "condition:diabetes",
    "heart_failure": "condition:heart-failure", "vein_thrombosis": "condition:venous-thromboembolism",
    "atrial_fibrillation": "condition:atrial-fibrillation", "heart_valve": "condition:heart-valve-replacement",
    "aspirin": "on:aspirin", "target_inr": INR}
ALWAYS: Final = ("age", "height", "weight", "race", "vkorc1", "cyp2c9", "amiodarone", "inducer")


@dataclass(frozen=True)
class DoseExplainer:
    """Bars in mg/week that add up from the reference patient's dose to the patient's."""

    name: ClassVar[str] = "warfarin-dose-shapley"

    def explain(self, predictor: Any, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """``explanations`` rows (without ``predictor``) for every row of `predictions`."""
        asked = predictions.select("patient_id").join(inputs(features, REFERENCE), on="patient_id", how="left",
                                                      maintain_order="left")
        told = dose_inputs(asked)
        values, start, end = attributed(told)
        return _rows(told, told.with_columns(race=asked["ancestry"]).select(_texts()), values, start, end)


@lru_cache(maxsize=1)
def reference() -> pl.DataFrame:
    """The reference patient's inputs of the model, one row."""
    return dose_inputs(inputs(pl.DataFrame([{"patient_id": "", **REFERENCE}]), REFERENCE))


@lru_cache(maxsize=1)
def usual_dose() -> float:
    """The reference patient's dose."""
    return float(weekly(reference())[0])


def attributed(told: pl.DataFrame) -> tuple[Floats, float, Floats]:
    """Shapley values (rows × FEATURES), the reference patient's dose, and each row's own."""
    usual, differs = reference(), _differing(told)
    many = differs.sum(axis=1)
    values, ends = np.zeros(differs.shape), np.zeros(told.height)
    for players in sorted(set(many.tolist())):
        mine = np.flatnonzero(many == players)
        places = np.stack([np.flatnonzero(row) for row in differs[mine]]).astype(np.int64)
        worth = weekly(_hybrids(told[mine], usual, places)).reshape(len(mine), 1 << players)
        ends[mine] = worth[:, -1]
        # einsum, not @: a BLAS product rounds differently with the batch, and a batch must equal its parts
        values[mine[:, None], places] = np.einsum("cv,nv->cn", worth, weights(players))
    return values, usual_dose(), ends


def _differing(told: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows × FEATURES: which are not as in the reference patient."""
    usual = reference()
    if told.height <= FEW:
        (own,) = usual[list(FEATURES)].rows()
        return np.array([[one != other for one, other in zip(row, own, strict=True)]
                         for row in told[list(FEATURES)].rows()], dtype=bool).reshape(-1, len(FEATURES))
    return np.column_stack([told[name].ne_missing(usual[name][0]).to_numpy() for name in FEATURES])


@lru_cache(maxsize=len(FEATURES) + 1)
def weights(n: int) -> Floats:
    """Matrix (n × 2^n): row i times the coalition values is player i's Shapley value; bit i of a column is player i."""
    coalitions = np.arange(1 << n)
    size = np.array([int(c).bit_count() for c in coalitions])
    gain = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)] + [0.0])
    inside = (coalitions[None, :] >> np.arange(n)[:, None]) & 1
    return np.asarray(np.where(inside == 1, gain[size - 1], -gain[size]), dtype=np.float64)


def _hybrids(told: pl.DataFrame, usual: pl.DataFrame, places: np.ndarray[Any, np.dtype[np.int64]]) -> pl.DataFrame:
    """Every mixture of each patient (all differ in as many inputs, at `places`) and the reference patient."""
    players = places.shape[1]
    coalition = np.arange(1 << players)
    own = np.zeros((told.height, len(coalition), len(FEATURES)), dtype=bool)
    for bit in range(players):
        own[np.arange(told.height), :, places[:, bit]] = ((coalition >> bit) & 1 == 1)[None, :]
    every = told[np.repeat(np.arange(told.height), len(coalition))]
    flat = own.reshape(-1, len(FEATURES))
    other = {name: pl.lit(usual[name][0], dtype=every.schema[name]) for name in FEATURES}
    return every.with_columns(pl.when(pl.Series(flat[:, place])).then(pl.col(name)).otherwise(other[name]).alias(name)
                              for place, name in enumerate(FEATURES))


def _rows(told: pl.DataFrame, texts: pl.DataFrame, values: Floats, start: float, ends: Floats) -> pl.DataFrame:
    """The bars of everybody, input by input: those always shown, and what differs from the reference patient."""
    many, inputs_shown = told.height, len(FEATURES)
    place = np.repeat(np.arange(inputs_shown), many)
    kept = (_differing(told) | np.isin(FEATURES, ALWAYS)).T.ravel()
    rows = pl.DataFrame([
        pl.concat([told["patient_id"]] * inputs_shown), _named().gather(place),
        pl.concat([texts[name].alias("value") for name in FEATURES]), _usual_texts().gather(place),
        pl.Series("baseline", np.full(len(place), start)), pl.Series("contribution", values.T.ravel()),
        pl.Series("prediction", np.tile(ends, inputs_shown))])
    return rows.filter(kept).with_columns(target=pl.lit(TARGET), unit=pl.lit(UNIT), method=pl.lit(METHOD))


@cache
def _named() -> pl.Series:
    return pl.Series("feature", [SHOWN.get(name, name) for name in FEATURES])


@cache
def _usual_texts() -> pl.Series:
    """The reference patient's inputs, as `_texts` writes them."""
    texts = reference().with_columns(race=pl.lit(REFERENCE["ancestry"])).select(_texts()).row(0)
    return pl.Series("reference", texts, dtype=pl.String)


@cache
def _texts() -> list[pl.Expr]:
    """Every input in words, by its name; the types are those of the reference patient's."""
    return [_text(reference().schema[name], name).alias(name) for name in FEATURES]


def _text(dtype: pl.DataType, name: str) -> pl.Expr:
    if dtype == pl.Boolean:
        return pl.when(name).then(pl.lit("yes")).otherwise(pl.lit("no"))
    return number(pl.col(name), 2) if dtype.is_float() else pl.col(name).cast(pl.String)

"""Readmission within 30 days: the learned model, how it is trained and judged, and the predictor that uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from pmed.files import sha256
from pmed.modelling import (
    MAIN,
    Cohort,
    Model,
    ModelCard,
    Recipe,
    Split,
    Trees,
    by_patient,
    by_time,
    fit,
    judge_binary,
    learn_platt,
    made_with,
    metrics,
)

from .admissions import ENCOUNTER, HISTORY, PATIENT, read_admissions

NAME: Final = "readmission-30d"
SHIPPED: Final = Path(__file__).parent / "models" / NAME
FOLDS: Final = 5
#: Found by a few cross-validated trials on the same rows; small trees and much shrinkage, as the signal is weak.
RECIPE: Final = Recipe(
    "binary", rounds=300, patience=0, learning_rate=0.045, leaves=12, smallest_leaf=100, columns=0.3, rows=0.7, l2=10.0,
    fewest=50, more={"cat_smooth": 50, "cat_l2": 30, "min_data_per_group": 100})
#: Share of the training rows whose earlier admissions are hidden: elsewhere nobody may know of them.
HIDDEN: Final = 0.2
_LIMITS: Final = (
    "People with diabetes in US hospitals, 1999 to 2008: practice has changed since, and other countries differ.",
    "Readmission to any of these hospitals only; deaths after discharge are not known.",
    "The model tells people apart poorly (AUROC about 0.67). It is no ground to withhold or end care.",
    "Payer and specialty of the doctor are among the inputs and stand for place and circumstances, not for causes.",
    "For people of whom there is no earlier admission it is worse: see first admissions and new patients.")


@dataclass(frozen=True)
class ReadmissionModel:
    """Readmission within 30 days of discharge, from what a hospital knows when somebody with diabetes leaves."""

    name: ClassVar[str] = NAME
    learns_from_features: ClassVar[bool] = True

    def read(self, path: Path) -> Cohort:
        """The admissions of a file in the layout of the UCI data set."""
        return read_admissions(path)

    def train(self, cohort: Cohort) -> Model:
        """Trees on all rows, calibrated by Platt on cross-fitted ones; the card has cross-validated figures only."""
        folds = by_patient(cohort, FOLDS, RECIPE.seed)
        raw = _cross_fitted(cohort, folds)
        honest = np.empty_like(raw)
        for one in folds:  # each fold is calibrated by the others, so that the card's calibration is of unseen rows too
            honest[one.test] = learn_platt(cohort.y[one.train], raw[one.train]).apply(raw[one.test])
        found = {"held-out patients (cross-validated)": _judged(cohort, honest),
                 "new patients of the last fifth": _later(cohort)}
        return Model(NAME, "binary", {MAIN: _grown(cohort)}, _card(cohort, found), learn_platt(cohort.y, raw),
                     extra={"data_sha256": sha256(Path(cohort.source))})

    def evaluate(self, model: Model, cohort: Cohort) -> dict[str, Any]:
        """Metrics on a cohort, and beside them the card's figure for later, new patients."""
        found = _judged(cohort, model.predict(cohort.inputs))
        if sha256(Path(cohort.source)) == model.extra["data_sha256"]:
            found["warnings"] = ["these are the rows that the model learned from", *found["warnings"]]
        later = model.card.metrics["new patients of the last fifth"]
        return {**found, "temporal_new_patients": {"of": "cross-validation in the card", **later}}

    def shipped(self) -> Path | None:
        """The folder in this package."""
        return SHIPPED if SHIPPED.is_dir() else None


def _grown(cohort: Cohort) -> Trees:
    """Trees that also know rows of whose earlier admissions nothing is known."""
    hidden = pl.Series(np.random.default_rng(RECIPE.seed).random(len(cohort)) < HIDDEN)
    frame = cohort.frame.with_columns(pl.when(~hidden).then(pl.col(name)).alias(name) for name in HISTORY)
    return fit(replace(cohort, frame=frame), RECIPE)


def _cross_fitted(cohort: Cohort, folds: Sequence[Split]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Log odds of each row by trees that never saw its patient."""
    raw = np.empty(len(cohort))
    for one in folds:
        raw[one.test] = _grown(cohort.rows(one.train)).raw(cohort.rows(one.test).inputs)
    return raw


def _judged(cohort: Cohort, p: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    age = cohort.frame["age"]
    band = pl.select(pl.when(age < 50).then(pl.lit("under 50")).when(age < 70).then(pl.lit("50 to 69"))
                     .when(age >= 70).then(pl.lit("70 and over"))).to_series()
    groups = {"sex": cohort.groups("gender"), "age": band.to_numpy(), "ancestry": cohort.groups("race")}
    first = first_admissions(cohort)
    return {**judge_binary(cohort.y, p, cohort.groups(PATIENT), groups),
            "first_admissions_n": len(first), "first_admissions_auroc": metrics.auroc(cohort.y[first], p[first])}


def first_admissions(cohort: Cohort) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Places of each patient's first row, by the number of the encounter, which rises with time."""
    order = np.argsort(cohort.groups(ENCOUNTER), kind="stable")
    _, first = np.unique(cohort.groups(PATIENT)[order], return_index=True)
    return np.asarray(np.sort(order[first]), dtype=np.int64)


def _later(cohort: Cohort) -> dict[str, Any]:
    """Learned from the first four fifths, tested on patients of the last who were never seen before."""
    split = by_time(cohort, 0.2)
    early, late = cohort.rows(split.train), cohort.rows(split.test)
    inner = _cross_fitted(early, by_patient(early, FOLDS, RECIPE.seed))
    p = learn_platt(early.y, inner).apply(_grown(early).raw(late.inputs))
    return judge_binary(late.y, p, late.groups(PATIENT))


def _card(cohort: Cohort, found: Mapping[str, Mapping[str, Any]]) -> ModelCard:
    judged = found["held-out patients (cross-validated)"]
    return ModelCard(
        NAME, "1.1", "Chance of a readmission, planned or not, within 30 days of discharge, for people with diabetes.",
        "Planning of follow-up at discharge; research. Not for people who died or left for a hospice.",
        "readmitted within 30 days, probability",
        "UCI Diabetes 130-US hospitals for years 1999-2008, doi:10.24432/C5230J",
        "CC BY 4.0", len(cohort), judged["patients"], "1999 to 2008", RECIPE.seed,
        f"Gradient-boosted trees (LightGBM, {RECIPE.rounds} trees of {RECIPE.leaves} leaves), Platt-calibrated on "
        f"cross-fitted predictions; {FOLDS} folds by patient. Deaths and hospice were left out. Earlier admissions are "
        f"those of the same file; they were hidden in {HIDDEN:.0%} of the training rows. Intervals: patients "
        "drawn with all their rows; auroc_delong takes rows as independent. By chance alone a perfectly calibrated "
        f"model has a mean ECE of {judged['ece_by_chance']:.4f} on these rows, "
        f"{judged['ece_by_chance'] * FOLDS ** 0.5:.4f} on one fold.",
        found, _LIMITS, ("doi:10.1155/2014/781670",), made_with(), tuple(judged["warnings"]))

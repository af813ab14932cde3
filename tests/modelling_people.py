"""Invented people to learn from, and a model of them as a stranger's plugin would register it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pmed.modelling import (
    MAIN,
    Cohort,
    Model,
    ModelCard,
    Recipe,
    by_patient,
    cross_fit,
    judge_binary,
    learn_platt,
    made_with,
    stop_early,
)

FEATURES = ("x", "kind", "seldom")
RECIPE = Recipe("binary", rounds=60, patience=10, leaves=7)


def people(n: int = 1200, seed: int = 1) -> pl.DataFrame:
    """Two rows a patient; the risk rises with `x` and is higher for kind ``a``."""
    rng = np.random.default_rng(seed)
    x, kind = rng.normal(size=n), rng.choice(["a", "b", "c"], n)
    seldom = np.where(rng.random(n) < 0.7, np.nan, rng.normal(size=n))
    risk = 1 / (1 + np.exp(1.5 - x - (kind == "a")))
    time = rng.exponential(np.exp(-x))
    return pl.DataFrame({
        "patient_id": np.arange(n) // 2, "x": x, "kind": kind, "seldom": pl.Series(seldom).fill_nan(None),
        "y": (rng.random(n) < risk).astype(int), "dose": 30 + 5 * x + rng.normal(size=n) * 3, "time": time,
        "event": (rng.random(n) < 0.7).astype(int), "site": np.arange(n) // 2 % 3, "day": np.arange(n)})


def cohort(frame: pl.DataFrame | None = None, **changes: Any) -> Cohort:
    """These people with a binary outcome."""
    given = {"features": FEATURES, "outcome": "y", "task": "binary", "site": "site", "time": "day"}
    return Cohort(people() if frame is None else frame, **(given | changes))


@dataclass(frozen=True)
class ToyModel:
    """A model of a stranger's."""

    name: ClassVar[str] = "toy-model"
    learns_from_features: ClassVar[bool] = True

    def read(self, path: Path) -> Cohort:
        return cohort(pl.read_csv(path), source=str(path))

    def train(self, cohort: Cohort) -> Model:
        raw = cross_fit(cohort, RECIPE, by_patient(cohort, 3)).raw
        calibration = learn_platt(cohort.y, raw)
        found = judge_binary(cohort.y, calibration.apply(raw), cohort.groups("patient_id"), draws=5)
        card = ModelCard("toy-model", "1.0", "Invented risk.", "Tests.", "y, 0 or 1", "invented", "CC0-1.0",
                         len(cohort), found["patients"], "never", 0, "boosted trees", {"cross-validated": found},
                         made_with=made_with())
        return Model("toy-model", "binary", {MAIN: stop_early(cohort, RECIPE)}, card, calibration)

    def evaluate(self, model: Model, cohort: Cohort) -> dict[str, Any]:
        return judge_binary(cohort.y, model.predict(cohort.inputs), cohort.groups("patient_id"), draws=5)

    def shipped(self) -> Path | None:
        return None

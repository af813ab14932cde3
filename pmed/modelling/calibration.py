"""Calibration: from the sum of the trees to a probability, learned on rows that the trees never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .cohort import Floats
from .metrics import calibration_line, expit


@dataclass(frozen=True)
class Platt:
    """Logistic recalibration (Platt 1999): the probability has the log odds ``slope * raw + intercept``."""

    slope: float
    intercept: float

    def apply(self, raw: Floats) -> Floats:
        """Probabilities."""
        return expit(self.slope * raw + self.intercept)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"kind": "platt", **asdict(self)}


@dataclass(frozen=True)
class Isotonic:
    """A rising step function, linear between its knots (Zadrozny & Elkan 2002)."""

    raw: tuple[float, ...]
    probability: tuple[float, ...]

    def apply(self, raw: Floats) -> Floats:
        """Probabilities."""
        return np.asarray(np.interp(raw, self.raw, self.probability), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"kind": "isotonic", "raw": list(self.raw), "probability": list(self.probability)}


Calibration = Platt | Isotonic


def learn_platt(y: Floats, raw: Floats) -> Platt:
    """From outcomes and held-out sums of the trees (log odds)."""
    return Platt(*calibration_line(y, expit(raw)))


def learn_isotonic(y: Floats, raw: Floats) -> Isotonic:
    """From outcomes and held-out sums of the trees."""
    from sklearn.isotonic import IsotonicRegression

    found = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, y)
    return Isotonic(tuple(found.X_thresholds_.tolist()), tuple(found.y_thresholds_.tolist()))


def calibration_from(plain: Mapping[str, Any] | None) -> Calibration | None:
    """The calibration that `to_json` wrote."""
    if plain is None:
        return None
    if plain["kind"] == "platt":
        return Platt(plain["slope"], plain["intercept"])
    return Isotonic(tuple(plain["raw"]), tuple(plain["probability"]))

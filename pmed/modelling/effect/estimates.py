"""Means with intervals, of arms and of policies, from doubly robust scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..cohort import Floats, Rows
from .scores import Scores

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval (normal; the standard error is that of the scores, its influence function).

    Attributes:
        value: The mean.
        se: Its standard error.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    se: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """As plain values."""
        return {"value": self.value, "se": self.se, "low": self.low, "high": self.high}


def estimate(scores: Floats, level: float = LEVEL) -> Estimate:
    """The mean of one score a patient. Scores that are all the same have an interval without width."""
    return with_interval(float(np.mean(scores)), float(np.std(scores, ddof=1) / np.sqrt(len(scores))), level)


def with_interval(value: float, se: float, level: float = LEVEL) -> Estimate:
    """The interval that reaches so many standard errors to either side as the level asks for."""
    reach = NormalDist().inv_cdf((1 + level) / 2) * se
    return Estimate(value, se, value - reach, value + reach)


def chosen(scores: Floats, places: Rows) -> Floats:
    """Each row's score of the arm that was chosen for it."""
    return np.asarray(scores[np.arange(len(scores)), places], dtype=np.float64)


def policy_value(scores: Scores, policy: Rows, level: float = LEVEL) -> Estimate:
    """Mean outcome if everybody were given the arm that a policy chooses for them (Athey 2021, doi:10.3982/ECTA15732).

    Args:
        scores: By models that did not see the rows.
        policy: Place of the arm for each row, chosen without its outcome.
        level: Of the interval.
    """
    return estimate(chosen(scores.values, policy), level)


def policy_gain(scores: Scores, policy: Rows, best: Rows, level: float = LEVEL) -> Estimate:
    """What a policy gains over a single arm for all, by pairs: rows that both treat alike add nothing, nor noise.

    Args:
        scores: By models that did not see the rows.
        policy: Place of the arm for each row, chosen without its outcome.
        best: Place of the single arm, chosen without the row's outcome either (else it looks better than it is).
        level: Of the interval.
    """
    return estimate(chosen(scores.values, policy) - chosen(scores.values, best), level)


def average_effects(scores: Scores, arms: Sequence[str], level: float = LEVEL) -> list[dict[str, Any]]:
    """Average effect of each arm but the first, compared with that, in the unit of the outcome."""
    return [{"arm": arm, "versus": arms[0], **estimate(scores.values[:, place] - scores.values[:, 0], level).to_json()}
            for place, arm in enumerate(arms) if place]


def compare_arms(scores: Scores, arms: Sequence[str], level: float = LEVEL) -> list[dict[str, Any]]:
    """Mean outcome of each arm, and how far it is behind the best one (paired; intervals widened for all at once).

    The best arm was found by looking at all, so that it seems better than it is; the comparison is with as many
    intervals as there are other arms (Bonferroni). An arm whose interval reaches 0 may be as good.
    """
    best = int(scores.values.mean(axis=0).argmax())
    wide = 1 - (1 - level) / (len(arms) - 1)
    made = []
    for place, arm in enumerate(arms):
        behind = estimate(scores.values[:, best] - scores.values[:, place], wide)
        made.append({"arm": arm, "n": int(np.sum(scores.given == place)),
                     **estimate(scores.values[:, place], level).to_json(), "behind_best": behind.value,
                     "behind_low": behind.low, "behind_high": behind.high})
    return made


def heterogeneity(difference: Floats, predicted: Floats, level: float = LEVEL) -> Mapping[str, Estimate] | None:
    """Calibration of predicted effects: best linear predictor (Chernozhukov 2018, arXiv:1712.04802).

    The scores' difference is regressed on the predicted effect less its mean. ``average`` is the average effect.
    ``slope`` is 1 where predicted differences between patients are the true ones, 0 where they are noise; only if its
    interval lies above 0 do the predictions tell patients apart. Standard errors are robust (HC3).

    Args:
        difference: Doubly robust score of the arm less that of the first, one a row.
        predicted: Effect predicted by a model that did not see the row.
        level: Of the intervals.

    Returns:
        ``average`` and ``slope``, or None where the same is predicted for everybody.
    """
    moved = predicted - predicted.mean()
    if np.abs(moved).max() < 1e-12 * max(1.0, float(np.abs(predicted).max())):
        return None
    x = np.column_stack([np.ones(len(moved)), moved])
    inverse = np.linalg.inv(x.T @ x)
    found = inverse @ (x.T @ difference)
    leverage = np.einsum("ni,ij,nj->n", x, inverse, x)
    left = (difference - x @ found) / (1 - leverage)
    spread = np.sqrt(np.diag(inverse @ ((x * left[:, None] ** 2).T @ x) @ inverse))
    return {name: with_interval(float(found[place]), float(spread[place]), level)
            for place, name in enumerate(("average", "slope"))}

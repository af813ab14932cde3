"""Do patients differ enough for a treatment by prediction? The honesty gate, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from ...errors import InputError
from ..cohort import Floats, Rows
from ..training import Recipe
from .estimates import (
    LEVEL,
    Estimate,
    average_effects,
    compare_arms,
    estimate,
    heterogeneity,
    policy_gain,
    policy_value,
)
from .learners import EffectModel, Learner, choice, learn_effects
from .overlap import SMALL, Overlap, check_overlap
from .scores import Scores, cross_fitted_scores, outcome_models, parts, scored
from .trial import Trial

NOTHING_FOUND = "No reliable difference between patients was found"
#: Folds of the scores from which a fold's own effects and best arm are learned; fewer, as they are many times as many.
_INNER = 3


@dataclass(frozen=True)
class EffectReport:
    """What is known of a treatment's effects, and whether patients can be told apart by it.

    Attributes:
        n: Rows that were compared.
        arms: Each arm's mean outcome, and how far it is behind the best (`compare_arms`).
        average: Average effect of each arm but the first (`average_effects`).
        policy: Mean outcome of treatment by predicted effect.
        gain: What that gains over the best single arm, paired; of all single arms the one that leaves the least.
        best: The best single arm.
        shares: Arm → share of the rows for which the prediction chooses it.
        calibration: For each arm but the first, average and slope of the best linear predictor (`heterogeneity`).
        best_gain: Average effect of the best arm, compared with the first; where that is the best, with the next.
        versus: The arm with which `best_gain` compares.
        overlap: Whom the comparison leaves out.
        how: Learner, folds, seed, level of the intervals.
    """

    n: int
    arms: Sequence[Mapping[str, Any]]
    average: Sequence[Mapping[str, Any]]
    policy: Estimate
    gain: Estimate
    best: str
    shares: Mapping[str, float]
    calibration: Sequence[Mapping[str, Any]]
    best_gain: Estimate
    versus: str
    overlap: Mapping[str, float] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """The honesty gate: whether the lower end of the gain's interval is above zero."""
        return self.gain.low > 0

    def sentence(self, unit: str = "") -> str:
        """What the gate says, in words; `unit` is that of the outcome."""
        gain = f"{_signed(self.gain, unit)} over {self.best} for everybody"
        if self.open:
            return f"Patients differ: treatment by predicted effect gains {gain}."
        chance = "" if self.best_gain.low > 0 else ", which may be chance"
        return (f"{NOTHING_FOUND}: treatment by predicted effect gains {gain}. On average {self.best} gains "
                f"{_signed(self.best_gain, unit)} over {self.versus}{chance}.")

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"n": self.n, "gate": "open" if self.open else "closed", "best_arm": self.best,
                "policy_gain": self.gain.to_json(), "policy_value": self.policy.to_json(),
                "average_effect": {"arm": self.best, "versus": self.versus, **self.best_gain.to_json()},
                "arms": [dict(one) for one in self.arms], "average_effects": [dict(one) for one in self.average],
                "calibration": [dict(one) for one in self.calibration], "policy_shares": dict(self.shares),
                "overlap": dict(self.overlap), **self.how}


def judge_effects(trial: Trial, learner: Learner = "x", recipe: Recipe = SMALL, *, folds: int = 5, seed: int = 0,
                  level: float = LEVEL, overlap: Overlap | None = None) -> EffectReport:
    """Judge treatment by predicted effect on patients whom neither prediction nor best arm was learned from.

    In each fold the effects, the best single arm and the models of the scores are learned from the other folds alone.
    The same data, seed and versions give the same numbers.

    Args:
        trial: Who was given what, and how it ended.
        learner: How effects are learned (`learn_effects`).
        recipe: Of all trees.
        folds: Parts of which each is judged by what was learned from the others.
        seed: Of the folds.
        level: Of all intervals.
        overlap: From `check_overlap`; else its defaults are asked for. Rows without overlap are left out.

    Raises:
        InputError: where the arms hardly overlap.
    """
    found = overlap or check_overlap(trial, folds=folds, seed=seed)
    kept = trial.rows(found.kept)
    shape = (len(kept), len(kept.arms))
    values, effects = np.empty(shape), np.empty((shape[0], shape[1] - 1))
    policy, best = np.empty(shape[0], dtype=np.int64), np.empty(shape[0], dtype=np.int64)
    moved = np.empty_like(effects)
    for train, test in parts(kept, folds, seed):
        made = _fold(kept.rows(train), kept.rows(test), learner, recipe, seed)
        values[test], effects[test], best[test] = made
        policy[test], moved[test] = choice(effects[test]), effects[test] - effects[test].mean(axis=0)
    scores = Scores(values, values, values, kept.given)
    return _report(kept, scores, moved, policy, best, level=level, overlap=found,
                   how={"learner": learner, "folds": folds, "seed": seed, "level": level})


def judge_model(model: EffectModel, best: str, trial: Trial, recipe: Recipe = SMALL, *, folds: int = 5, seed: int = 0,
                level: float = LEVEL) -> EffectReport:
    """Judge a model, and the single arm that was best where it was learned, on other people.

    Raises:
        InputError: where the arms differ from the model's, or hardly overlap.
    """
    if trial.arms != model.arms:
        raise InputError(f"has the arms {', '.join(trial.arms)}, the model {', '.join(model.arms)}",
                         where=trial.cohort.source)
    found = check_overlap(trial, folds=folds, seed=seed)
    kept = trial.rows(found.kept)
    scores, effects = cross_fitted_scores(kept, recipe, folds, seed), model.effects(kept.inputs)
    alike = np.full(len(kept), model.arms.index(best))
    return _report(kept, scores, effects, choice(effects), alike, level=level, overlap=found, best_arm=best,
                   how={"learner": model.learner, "folds": folds, "seed": seed, "level": level})


def recommend(model: EffectModel, report: EffectReport, frame: pl.DataFrame) -> pl.DataFrame:
    """What to give each row: by its predicted effect where the gate is open, else the best single arm.

    Returns:
        ``arm``; ``effect`` of it compared with `EffectReport.versus` (gate closed: the average, with its interval in
        ``low`` and ``high``) or with the first arm (open: predicted, without interval); ``personalised``.
    """
    if not report.open:
        same = report.best_gain
        return frame.select(arm=pl.repeat(report.best, pl.len()), effect=pl.lit(same.value), low=pl.lit(same.low),
                            high=pl.lit(same.high), personalised=pl.lit(value=False))
    effects = model.effects(frame)
    best = choice(effects)
    gained = np.column_stack([np.zeros(len(effects)), effects])[np.arange(len(best)), best]
    return pl.DataFrame({"arm": [model.arms[place] for place in best], "effect": gained,
                         "low": pl.Series([None] * len(best), dtype=pl.Float64),
                         "high": pl.Series([None] * len(best), dtype=pl.Float64), "personalised": [True] * len(best)})


def _fold(train: Trial, test: Trial, learner: Learner, recipe: Recipe, seed: int) -> tuple[Floats, Floats, int]:
    """Scores and predicted effects of the test rows, and the best single arm of the training rows."""
    inner = cross_fitted_scores(train, recipe, _INNER, seed)
    model = learn_effects(train, learner, recipe, scores=inner)
    models = [model.trees[f"outcome-{place}"] for place in range(len(train.arms))] if learner == "t" else \
        outcome_models(train, recipe)
    made = scored(train, test, recipe, models)
    return made.values, model.effects(test.inputs), int(inner.values.mean(axis=0).argmax())


def _report(trial: Trial, scores: Scores, effects: Floats, policy: Rows, best: Rows, *, level: float, overlap: Overlap,
            how: Mapping[str, Any], best_arm: str = "") -> EffectReport:
    arms, means = trial.arms, scores.values.mean(axis=0)
    first = arms.index(best_arm) if best_arm else int(means.argmax())
    other = 0 if first else int(means[1:].argmax()) + 1
    shares = np.bincount(policy, minlength=len(arms)) / len(policy)
    return EffectReport(
        len(trial), compare_arms(scores, arms, level), average_effects(scores, arms, level),
        policy_value(scores, policy, level), _least_gain(scores, policy, best, level), arms[first],
        dict(zip(arms, map(float, shares), strict=True)),
        [_calibrated(scores, effects, place, arms, level) for place in range(1, len(arms))],
        estimate(scores.values[:, first] - scores.values[:, other], level), arms[other],
        {"trimmed": overlap.trimmed, "smallest_chance": overlap.smallest}, how)


def _least_gain(scores: Scores, policy: Rows, best: Rows, level: float) -> Estimate:
    """Gain over the folds' best arms or over any single arm, whichever has the lowest lower end.

    Where arms are alike, the arm that was best in the other folds is by chance the worse one in this: a policy that
    beats it need not beat any arm. To beat the best arm is to beat each.
    """
    singles = [np.full(len(policy), place) for place in range(scores.values.shape[1])]
    return min((policy_gain(scores, policy, one, level) for one in (best, *singles)), key=lambda one: one.low)


def _calibrated(scores: Scores, effects: Floats, place: int, arms: Sequence[str], level: float) -> dict[str, Any]:
    found = heterogeneity(scores.values[:, place] - scores.values[:, 0], effects[:, place - 1], level)
    plain = {name: one.to_json() for name, one in found.items()} if found else {}
    flat = {f"{name}_{part}": value for name, one in plain.items() for part, value in one.items()}
    return {"arm": arms[place], "versus": arms[0], **flat}


def _signed(one: Estimate, unit: str) -> str:
    return f"{one.value:+.3g}{' ' * bool(unit)}{unit} ({one.low:+.3g} to {one.high:+.3g})"

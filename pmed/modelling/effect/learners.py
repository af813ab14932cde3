"""What a treatment does to each: T-, X- and DR-learner over boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from ..cohort import Floats, Rows
from ..training import Recipe, Trees, grow
from .overlap import SMALL, chances_by, choice_models
from .scores import Scores, cross_fitted_scores, expected_outcomes, outcome_models
from .trial import Trial

Learner = Literal["t", "x", "dr"]


@dataclass(frozen=True)
class EffectModel:
    """Trees whose weighted sums are the effects of the arms, compared with the first.

    Attributes:
        learner: ``t``, ``x`` or ``dr``.
        arms: As in the trial; the first is what the others are compared with.
        trees: By name. ``outcome-N`` of arm N (T); ``treated-N`` and ``control-N``, the effect of arm N as its own rows
            and those of the first arm tell it (X); ``effect-N`` (DR); ``choice-N``, log odds of being given an
            arm (X on data that were observed).
        chances: Known chance of each arm, empty for observational data.
    """

    learner: Learner
    arms: tuple[str, ...]
    trees: Mapping[str, Trees] = field(repr=False)
    chances: tuple[float, ...] = ()

    def effects(self, frame: pl.DataFrame) -> Floats:
        """Effect of each arm but the first (rows × arms - 1), in the unit of the outcome."""
        made = [sum((weight * trees.raw(frame) for trees, weight in self.terms(place, frame)), np.zeros(frame.height))
                for place in range(1, len(self.arms))]
        return np.column_stack(made)

    def best(self, frame: pl.DataFrame) -> Rows:
        """Place of the arm with the largest predicted outcome in each row."""
        return choice(self.effects(frame))

    def terms(self, place: int, frame: pl.DataFrame) -> list[tuple[Trees, Floats]]:
        """Trees and their weight in each row, whose weighted sum is the effect of the arm at `place` (1 or more)."""
        one = np.ones(frame.height)
        if self.learner == "dr":
            return [(self.trees[f"effect-{place}"], one)]
        if self.learner == "t":
            return [(self.trees[f"outcome-{place}"], one), (self.trees["outcome-0"], -one)]
        treated = self._treated(place, frame)
        return [(self.trees[f"control-{place}"], treated), (self.trees[f"treated-{place}"], 1 - treated)]

    def _treated(self, place: int, frame: pl.DataFrame) -> Floats:
        """Chance of the arm among those who were given it or the first."""
        if self.chances:
            chances = np.tile(self.chances, (frame.height, 1))
        else:
            chances = chances_by([trees for name, trees in self.trees.items() if name.startswith("choice-")], frame)
        return np.asarray(chances[:, place] / (chances[:, place] + chances[:, 0]), dtype=np.float64)


def choice(effects: Floats) -> Rows:
    """Place of the arm with the largest effect; 0 where none is above zero."""
    return np.asarray(np.column_stack([np.zeros(len(effects)), effects]).argmax(axis=1), dtype=np.int64)


def learn_effects(trial: Trial, learner: Learner = "x", recipe: Recipe = SMALL, *, folds: int = 5, seed: int = 0,
                  scores: Scores | None = None) -> EffectModel:
    """Learn what each arm does, compared with the first.

    T: a model of the outcome for each arm. X: models of the effects that these impute, weighted by the chance of
    treatment (Künzel 2019, doi:10.1073/pnas.1804597116). DR: a model of the doubly robust scores' differences
    (Kennedy 2023, doi:10.1214/23-EJS2157).

    Args:
        trial: Who was given what, and how it ended.
        learner: Which of them.
        recipe: Of all trees.
        folds: Of the scores (DR).
        seed: Of the folds.
        scores: Cross-fitted scores of the same rows, where they are there already (DR).
    """
    known = () if trial.chances is None else tuple(trial.chances[name] for name in trial.arms)
    if learner == "t":
        trees = _named("outcome", outcome_models(trial, recipe), 0)
    elif learner == "x":
        trees = _crossed(trial, recipe)
    else:
        values = (scores or cross_fitted_scores(trial, recipe, folds, seed)).values
        trees = _named("effect", [grow(trial.about(values[:, place] - values[:, 0]), recipe)
                                  for place in range(1, len(trial.arms))], 1)
    return EffectModel(learner, trial.arms, trees, known)


def _crossed(trial: Trial, recipe: Recipe) -> dict[str, Trees]:
    models = outcome_models(trial, recipe)
    expected, given, y = expected_outcomes(models, trial.inputs), trial.given, trial.y
    control = np.flatnonzero(given == 0)
    made = {} if trial.chances is not None else _named("choice", choice_models(trial), 0)
    for place in range(1, len(trial.arms)):
        mine = np.flatnonzero(given == place)
        made[f"treated-{place}"] = grow(trial.about(y[mine] - expected[mine, 0], mine), recipe)
        made[f"control-{place}"] = grow(trial.about(expected[control, place] - y[control], control), recipe)
    return made


def _named(kind: str, trees: list[Trees], first: int) -> dict[str, Trees]:
    return {f"{kind}-{place}": one for place, one in enumerate(trees, first)}

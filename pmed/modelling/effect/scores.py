"""Doubly robust scores: what each row says of each arm, whichever it was given (AIPW).

Robins 1994, doi:10.1080/01621459.1994.10476818.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ..cohort import Floats, Rows
from ..training import Recipe, Trees, grow
from .overlap import SMALL, chances_by, choice_models, known_chances
from .trial import Trial, split_by_arm


@dataclass(frozen=True)
class Scores:
    """Rows × arms, in the unit of the outcome; the mean of a column is what would come of giving everybody that arm.

    Attributes:
        values: ``m + (y - m) / e`` where the arm was given, else ``m``.
        expected: ``m``, the outcome that a model expects of the arm; the model did not see the row.
        chances: ``e``, the chance of being given the arm.
        given: Place of the arm that was given.
    """

    values: Floats = field(repr=False)
    expected: Floats = field(repr=False)
    chances: Floats = field(repr=False)
    given: Rows = field(repr=False)


def outcome_models(trial: Trial, recipe: Recipe = SMALL) -> list[Trees]:
    """Trees of the outcome under each arm, learned from its own rows."""
    given, y = trial.given, trial.y
    places = [np.flatnonzero(given == place) for place in range(len(trial.arms))]
    return [grow(trial.about(y[mine], mine), recipe) for mine in places]


def expected_outcomes(models: Sequence[Trees], frame: pl.DataFrame) -> Floats:
    """Outcome expected under each arm, rows × arms."""
    return np.column_stack([one.raw(frame) for one in models])


def cross_fitted_scores(trial: Trial, recipe: Recipe = SMALL, folds: int = 5, seed: int = 0) -> Scores:
    """Scores by models that did not see the row (cross-fitting; Chernozhukov 2018, doi:10.1111/ectj.12097).

    Args:
        trial: Who was given what, and how it ended.
        recipe: Of the trees of the outcome.
        folds: Parts of which each is scored by models of the others.
        seed: Of the folds.
    """
    shape = (len(trial), len(trial.arms))
    values, expected, chances = np.empty(shape), np.empty(shape), np.empty(shape)
    for train, test in parts(trial, folds, seed):
        made = scored(trial.rows(train), trial.rows(test), recipe)
        values[test], expected[test], chances[test] = made.values, made.expected, made.chances
    return Scores(values, expected, chances, trial.given)


def scored(train: Trial, test: Trial, recipe: Recipe = SMALL, models: Sequence[Trees] = ()) -> Scores:
    """Scores of the rows of `test` by what was learned from those of `train`: `models` of the outcome, or new ones."""
    expected = expected_outcomes(models or outcome_models(train, recipe), test.inputs)
    chances = known_chances(test, len(test)) if test.chances is not None else \
        chances_by(choice_models(train), test.inputs)
    return Scores(augmented(test.y, test.given, expected, chances), expected, chances, test.given)


def augmented(y: Floats, given: Rows, expected: Floats, chances: Floats) -> Floats:
    """The formula: rows × arms from outcomes, arms given, expected outcomes and chances."""
    made, each = expected.copy(), np.arange(len(y))
    made[each, given] += (y - expected[each, given]) / chances[each, given]
    return made


def parts(trial: Trial, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Rows to learn from and rows to test on, of each fold."""
    fold = split_by_arm(trial, folds, seed)
    return ((np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(folds))

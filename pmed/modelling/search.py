"""A small search for a better recipe, by optuna; the same seed gives the same recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from .cohort import Cohort, Floats
from .splits import Split
from .training import Recipe, cross_fit


def search(cohort: Cohort, recipe: Recipe, splits: Sequence[Split], loss: Callable[[Floats, Floats], float],
           trials: int = 20) -> tuple[Recipe, float]:
    """The recipe with the least loss of cross-fitted predictions, and that loss, which is optimistic: judge it anew.

    Args:
        cohort: Rows to learn from.
        recipe: Where to start; its objective, constraints and seed are kept.
        splits: Must not leak.
        loss: Of outcomes and sums of trees.
        trials: Recipes to try, the given one first.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=recipe.seed))
    study.enqueue_trial({"leaves": recipe.leaves, "smallest_leaf": recipe.smallest_leaf, "columns": recipe.columns,
                         "l2": max(recipe.l2, 1e-3), "learning_rate": recipe.learning_rate})

    def tried(trial: Any) -> float:
        return loss(cohort.y, cross_fit(cohort, _drawn(trial, recipe), splits).raw)

    study.optimize(tried, n_trials=trials)
    return replace(recipe, **study.best_params), float(study.best_value)


def _drawn(trial: Any, recipe: Recipe) -> Recipe:
    return replace(
        recipe, leaves=trial.suggest_int("leaves", 4, 63, log=True),
        smallest_leaf=trial.suggest_int("smallest_leaf", 5, 500, log=True),
        columns=trial.suggest_float("columns", 0.2, 1.0), l2=trial.suggest_float("l2", 1e-3, 100.0, log=True),
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.2, log=True))

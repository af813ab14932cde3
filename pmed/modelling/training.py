"""Training: gradient-boosted trees (LightGBM) by a recipe, the same bytes for the same data and seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from ..compatibility import install_extra
from ..errors import InputError, OptionError, PmedError
from .cohort import Cohort, Floats, must_be_trainable
from .encoding import Encoding, learn_encoding
from .splits import Split, by_patient, check_splits
from .survival import cox_gradient, cox_loss

if TYPE_CHECKING:
    import lightgbm

Objective = Literal["binary", "regression", "regression_l1", "huber", "quantile", "cox"]
_TASKS: Mapping[str, tuple[str, ...]] = {
    "binary": ("binary",), "survival": ("cox",), "regression": ("regression", "regression_l1", "huber", "quantile")}


@dataclass(frozen=True)
class Recipe:
    """How to grow trees.

    Attributes:
        objective: What they minimise; ``cox`` is the partial likelihood of survival.
        rounds: Number of trees, at most.
        patience: Rounds without progress on the validation rows after which growing ends; 0: never.
        learning_rate: Weight of each tree.
        leaves: Leaves of a tree, at most.
        smallest_leaf: Rows in a leaf, at least.
        l2: Ridge penalty of leaf values.
        columns: Share of the features that each tree may use.
        rows: Share of the rows that each tree sees.
        quantile: Of objective ``quantile``.
        monotone: Feature → 1 where the prediction may only rise with it, -1 where it may only fall.
        fewest: Rows that a category needs to have a level of its own.
        seed: Of all random choices.
        bags: Forests, each of another seed, whose sums are averaged; worth it where `rows` or `columns` is below 1.
        threads: Fixed, as the order of sums depends on it.
        more: Further LightGBM parameters.
    """

    objective: Objective
    rounds: int = 1000
    patience: int = 50
    learning_rate: float = 0.05
    leaves: int = 31
    smallest_leaf: int = 20
    l2: float = 0.0
    columns: float = 1.0
    rows: float = 1.0
    quantile: float = 0.5
    monotone: Mapping[str, int] = field(default_factory=dict)
    fewest: int = 1
    seed: int = 0
    bags: int = 1
    threads: int = 1
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trees:
    """Grown trees: LightGBM's text, and how features become its matrix.

    Attributes:
        text: Of the (first) forest.
        encoding: How features become numbers.
        rounds: Trees in each forest.
        more: Texts of further forests; the sums of all are averaged.
    """

    text: str = field(repr=False)
    encoding: Encoding = field(repr=False)
    rounds: int = 0
    more: tuple[str, ...] = field(default=(), repr=False)

    @property
    def texts(self) -> tuple[str, ...]:
        """Of all forests."""
        return (self.text, *self.more)

    def raw(self, frame: pl.DataFrame) -> Floats:
        """Sum of the trees for each row: log odds, a value, or a log hazard ratio."""
        if frame.is_empty():
            return np.empty(0)
        return self._mean(frame, raw_score=True)

    def contributions(self, frame: pl.DataFrame) -> Floats:
        """TreeSHAP values: rows × (features, then the baseline), which add up to `raw`."""
        if frame.is_empty():
            return np.empty((0, len(self.encoding.columns) + 1))
        return self._mean(frame, pred_contrib=True)

    def _mean(self, frame: pl.DataFrame, **what: bool) -> Floats:
        matrix = self.encoding.matrix(frame)
        made = [np.asarray(booster(text).predict(matrix, num_threads=1, **what)) for text in self.texts]
        return made[0] if len(made) == 1 else np.asarray(np.mean(made, axis=0), dtype=np.float64)


def fit(cohort: Cohort, recipe: Recipe, valid: Cohort | None = None,
        weight: Floats | None = None) -> Trees:
    """Grow trees on a cohort; with `valid` (other patients) growing ends where these gain no more.

    Raises:
        InputError: where nothing can be learned, or a patient of `valid` is in `cohort`.
        OptionError: where recipe and task do not go together.
    """
    must_be_trainable(cohort)
    if valid is not None:
        _must_be_others(cohort, valid)
    return grow(cohort, recipe, valid, weight)


@dataclass(frozen=True)
class CrossFit:
    """Every row's prediction by trees that never saw its patient.

    Attributes:
        raw: Predictions; NaN where a row is in no test side.
        rounds: Trees of each fold.
    """

    raw: Floats
    rounds: tuple[int, ...]


def cross_fit(cohort: Cohort, recipe: Recipe, splits: Sequence[Split],
              weight: Callable[[Cohort], Floats] | None = None) -> CrossFit:
    """Predict each test side by trees of its training side; early stopping looks at a part of the training patients.

    Raises:
        InputError: where a split leaks, or nothing can be learned.
    """
    must_be_trainable(cohort)
    check_splits(cohort, splits)
    raw, rounds = np.full(len(cohort), np.nan), []
    for split, trees in _each(cohort, recipe, splits, weight):
        raw[split.test] = trees.raw(cohort.rows(split.test).inputs)
        rounds.append(trees.rounds)
    return CrossFit(raw, tuple(rounds))


def stop_early(cohort: Cohort, recipe: Recipe, weight: Callable[[Cohort], Floats] | None = None) -> Trees:
    """Find the number of trees on a tenth of the patients, then grow that many on all."""
    inner = by_patient(cohort, 10, recipe.seed)[0]
    train, valid = cohort.rows(inner.train), cohort.rows(inner.test)
    found = grow(train, replace(recipe, bags=1), valid, weight(train) if weight else None)
    whole = replace(recipe, rounds=max(1, found.rounds), patience=0)
    return grow(cohort, whole, None, weight(cohort) if weight else None)


def _each(cohort: Cohort, recipe: Recipe, splits: Sequence[Split],
          weight: Callable[[Cohort], Floats] | None) -> Iterator[tuple[Split, Trees]]:
    for split in splits:
        train = cohort.rows(split.train)
        if recipe.patience:
            yield split, stop_early(train, recipe, weight)
        else:
            yield split, grow(train, recipe, None, weight(train) if weight else None)


def _must_be_others(cohort: Cohort, valid: Cohort) -> None:
    both = np.intersect1d(cohort.groups(cohort.patient), valid.groups(valid.patient))
    if len(both):
        raise InputError(f"{len(both)} patients are also among the validation rows: it leaks", where=cohort.source,
                         hint="split by patient")


def grow(cohort: Cohort, recipe: Recipe, valid: Cohort | None = None, weight: Floats | None = None) -> Trees:
    """`fit` without asking whether there is something to learn: an arm may have a feature that never changes."""
    first = _grow(cohort, recipe, valid, weight)
    seeds = range(recipe.seed + 1, recipe.seed + recipe.bags)
    others = [_grow(cohort, replace(recipe, seed=seed), valid, weight) for seed in seeds]
    return replace(first, more=tuple(one.text for one in others))


def _grow(cohort: Cohort, recipe: Recipe, valid: Cohort | None, weight: Floats | None) -> Trees:
    lgb = lightgbm_module()
    encoding = learn_encoding(cohort.inputs, recipe.fewest)
    data = _dataset(cohort, encoding, weight)
    params = _params(cohort, recipe, encoding)
    if recipe.objective == "cox":
        params["objective"] = lambda raw, _: cox_gradient(raw, cohort.y, cohort.events)
    checks = [] if valid is None else [_dataset(valid, encoding, None, data)]
    calls = [lgb.early_stopping(recipe.patience, verbose=False)] if valid is not None and recipe.patience else []
    feval = (lambda raw, _: ("cox", cox_loss(raw, valid.y, valid.events), False)) \
        if valid is not None and recipe.objective == "cox" else None
    grown = lgb.train(params, data, num_boost_round=recipe.rounds, valid_sets=checks, callbacks=calls, feval=feval)
    rounds = grown.best_iteration if grown.best_iteration > 0 else grown.current_iteration()
    return Trees(grown.model_to_string(num_iteration=rounds), encoding, rounds)


def _dataset(cohort: Cohort, encoding: Encoding, weight: Floats | None, like: Any = None) -> Any:
    return lightgbm_module().Dataset(
        encoding.matrix(cohort.inputs), cohort.y, weight=weight, reference=like, feature_name=_plain(encoding),
        categorical_feature=encoding.categorical, params={"verbose": -1}, free_raw_data=True)


def _plain(encoding: Encoding) -> list[str]:
    """Names for LightGBM's text, which cannot hold the marks of JSON; the manifest has the true ones."""
    return [f"f{place}" for place in range(len(encoding.columns))]


def _params(cohort: Cohort, recipe: Recipe, encoding: Encoding) -> dict[str, Any]:
    if recipe.objective not in _TASKS[cohort.task]:
        raise OptionError(f"objective {recipe.objective!r} is not for a {cohort.task} outcome", where=cohort.source,
                          hint=f"use {' or '.join(_TASKS[cohort.task])}")
    if strange := set(recipe.monotone) - set(encoding.names):
        raise OptionError(f"monotone names {sorted(strange)[0]!r}, which is no feature", where=cohort.source)
    if recipe.monotone and recipe.objective in ("regression_l1", "quantile"):
        raise OptionError(f"LightGBM has no monotone constraints with {recipe.objective}", where=cohort.source,
                          hint="use regression or huber")
    params = {"objective": recipe.objective, "learning_rate": recipe.learning_rate, "num_leaves": recipe.leaves,
              "min_data_in_leaf": recipe.smallest_leaf, "lambda_l2": recipe.l2, "feature_fraction": recipe.columns,
              "bagging_fraction": recipe.rows, "bagging_freq": int(recipe.rows < 1), "alpha": recipe.quantile,
              "seed": recipe.seed, "num_threads": recipe.threads, "deterministic": True, "force_row_wise": True,
              "verbose": -1, **recipe.more}
    if recipe.monotone:
        params["monotone_constraints"] = [recipe.monotone.get(name, 0) for name in encoding.names]
    return params


@lru_cache(maxsize=16)
def booster(text: str) -> lightgbm.Booster:
    """The trees of LightGBM's text."""
    made: lightgbm.Booster = lightgbm_module().Booster(model_str=text)
    return made


def lightgbm_module() -> Any:
    """LightGBM, imported where it is used.

    Raises:
        PmedError: where it is not installed.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise PmedError("lightgbm is not installed",
                        hint=install_extra("models")) from error
    return lightgbm

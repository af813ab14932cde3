"""What may give a dose: the published equation, kernels, lines and trees, each learned from one cohort for another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
import polars as pl

from pmed.modelling import Cohort, Recipe, Split, fit

from .dose_inputs import (
    FINDINGS,
    INDICATIONS,
    MASKED,
    USUAL_INR,
    Sizes,
    cyp2c9_copies,
    design,
    fill_sizes,
    learn_sizes,
    masked,
    published,
)
from .kernel import Floats, Kernel, kernel_from, learn_kernel

Member = Callable[[Cohort, Cohort], Floats]

SEED: Final = 0
#: Share of the known values of `MASKED` that is hidden, and how often each row is given so, besides as it is.
RATE, COPIES = 0.1, 3
#: mg/week; the lowest that the kernel may say: its sum is a square root, and a square hides a negative one.
_LEAST: Final = 1.5**2
_TREES: Final = Recipe("regression", rounds=400, patience=0, learning_rate=0.03, leaves=7, smallest_leaf=25,
                       columns=0.6, rows=0.7, l2=5.0, seed=SEED)
#: Where the dose may only rise, or only fall: age slows the clearance, mass and surface raise it; VKORC1 T (-1639A) and
#: CYP2C9 variants need less; inhibitors and congestion of the liver need less, inducers (smoke is one of CYP1A2) more.
MONOTONE: Final[Mapping[str, int]] = {
    "age": -1, "height": 1, "weight": 1, "surface": 1, "vkorc1": -1, "two": -1, "three": -1, "other": -1,
    "amiodarone": -1, "azole": -1, "sulfonamide": -1, "statin": -1, "heart_failure": -1, "inducer": 1, "smoker": 1,
    "target_inr": 1}


def learn(cohort: Cohort, rate: float = RATE, names: Sequence[str] = MASKED) -> tuple[Sizes, Kernel]:
    """What stands in for unknown body sizes, and the kernel; a large site counts less than its rows.

    Args:
        cohort: To learn from.
        rate: Share of the values of `names` that is hidden in each of `COPIES` of every row; 0: rows as they are.
        names: Columns that are masked.
    """
    sizes, weight = learn_sizes(cohort), site_weights(cohort)
    copies = [cohort.frame, *(masked(cohort.frame, names, rate, SEED + copy) for copy in range(COPIES if rate else 0))]
    terms = [design(fill_sizes(frame, sizes)) for frame in copies]
    kernel = learn_kernel(terms[0], np.sqrt(cohort.y), weight, many=300, penalty=0.5, seed=SEED, more=terms[1:])
    return sizes, kernel


def site_weights(cohort: Cohort) -> Floats:
    """One over the root of the size of the row's site; 1 on average."""
    _, where, size = np.unique(cohort.groups(cohort.site), return_inverse=True, return_counts=True)
    weight = size[where] ** -0.5
    return np.asarray(weight / weight.mean(), dtype=np.float64)


def learned(kernel: Mapping[str, Any] | Kernel, frame: pl.DataFrame) -> Floats:
    """The kernel's dose, mg/week."""
    made = kernel if isinstance(kernel, Kernel) else kernel_from(kernel)
    return _squared(made.predict(design(frame)))


def ensemble(train: Cohort, test: Cohort) -> Floats:
    """What is shipped: the mean of equation and kernel."""
    return (equation(train, test) + kernel_alone(train, test)) / 2


def equation(train: Cohort, test: Cohort) -> Floats:
    """The published equation."""
    return published(fill_sizes(test.frame, learn_sizes(train)))


def kernel_alone(train: Cohort, test: Cohort, rate: float = RATE, names: Sequence[str] = MASKED) -> Floats:
    """The kernel without the equation; see `learn`."""
    sizes, kernel = learn(train, rate, names)
    return learned(kernel, fill_sizes(test.frame, sizes))


def kernel_without(train: Cohort, test: Cohort, names: Sequence[str]) -> Floats:
    """The same, of nobody of whom `names` are known."""
    unknown = [pl.lit(None, dtype=pl.Boolean).alias(name) for name in names]
    blind = [replace(one, frame=one.frame.with_columns(unknown)) for one in (train, test)]
    return kernel_alone(blind[0], blind[1])


def linear(train: Cohort, test: Cohort) -> Floats:
    """Ridge regression of the square root of the dose on the same terms."""
    sizes = learn_sizes(train)
    x, new = (design(fill_sizes(one.frame, sizes)) for one in (train, test))
    mean, sd = x.mean(axis=0), x.std(axis=0) + 1e-6
    x, new = (x - mean) / sd, (new - mean) / sd
    root = np.sqrt(train.y)
    weights = np.linalg.solve(x.T @ x + 3 * np.eye(x.shape[1]), x.T @ (root - root.mean()))
    return _squared(root.mean() + new @ weights)


def trees(train: Cohort, test: Cohort, residual: bool = False) -> Floats:
    """LightGBM on the same terms, square root of the dose; `residual`: on what the equation leaves of it."""
    return _boosted(train, test, _numbered, _TREES, residual=residual)


def monotone_trees(train: Cohort, test: Cohort, residual: bool = False, rate: float = 0.0) -> Floats:
    """LightGBM that keeps to `MONOTONE`, rows weighted as the kernel's; with `rate`, on masked rows.

    Of the residual the same directions are asked: with the equation's own, the sum keeps to them.
    """
    frame = pl.concat([masked(train.frame, MASKED, rate, SEED + copy) for copy in range(COPIES)]) if rate else \
        train.frame
    recipe = replace(_TREES, smallest_leaf=_TREES.smallest_leaf * (frame.height // train.frame.height))
    return _boosted(replace(train, frame=frame), test, plain_terms, recipe, residual=residual, monotone=MONOTONE)


def predicted(cohort: Cohort, splits: Sequence[Split], member: Member) -> Floats:
    """Every row by what was learned from the training side of the split that tests it."""
    made = np.full(len(cohort), np.nan)
    for one in splits:
        made[one.test] = member(cohort.rows(one.train), cohort.rows(one.test))
    return made


def plain_terms(frame: pl.DataFrame) -> pl.DataFrame:
    """Terms each of which has one direction: copies of alleles, no products; an unknown genotype stays unknown."""
    copies = pl.DataFrame(cyp2c9_copies(frame["cyp2c9"]), schema=["two", "three", "_unknown", "_both", "_twice",
                                                                "other"])
    known = [pl.when(pl.col("_unknown") == 0).then(name).alias(name) for name in ("two", "three", "other")]
    variants = frame["vkorc1"].replace_strict({"C/C": 0.0, "C/T": 1.0, "T/T": 2.0}, default=None,
                                              return_dtype=pl.Float64)
    return frame.select(
        (pl.col("age") / 10).floor().alias("age"), "height", "weight",
        (pl.col("height") * pl.col("weight") / 3600).sqrt().alias("surface"),
        (pl.col("sex") == "male").cast(pl.Float64).alias("male"),
        *[(pl.col("race") == race).cast(pl.Float64).alias(race) for race in ("Asian", "Black", "missing or mixed")],
        *[pl.col(name).cast(pl.Float64).fill_null(0.0) for name in FINDINGS],
        pl.col("target_inr").fill_null(USUAL_INR)).hstack(copies.select(known)).with_columns(vkorc1=variants)


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    made = design(frame)
    return pl.DataFrame(made, schema=[f"x{n}" for n in range(made.shape[1])])


def _boosted(train: Cohort, test: Cohort, terms: Callable[[pl.DataFrame], pl.DataFrame], recipe: Recipe, *,
             residual: bool, monotone: Mapping[str, int] | None = None) -> Floats:
    sizes = learn_sizes(train)
    filled = [fill_sizes(one.frame, sizes) for one in (train, test)]
    frames = [terms(frame) for frame in filled]
    start = [np.sqrt(published(frame)) if residual else np.zeros(frame.height) for frame in filled]
    moving = [name for name in frames[0].columns if frames[0][name].n_unique() > 1]
    rows = frames[0].with_columns(root=pl.Series(np.sqrt(train.y) - start[0]), patient_id=train.frame["patient_id"])
    kept = {name: way for name, way in (monotone or {}).items() if name in moving}
    grown = fit(Cohort(rows, tuple(moving), "root", "regression"), replace(recipe, monotone=kept),
                weight=site_weights(train) if monotone else None)
    return _squared(grown.raw(frames[1]) + start[1])


def _squared(root: Floats) -> Floats:
    return np.asarray(np.maximum(root, _LEAST**0.5) ** 2, dtype=np.float64)


MEMBERS: Final[Mapping[str, Member]] = {
    "published equation": equation, "ridge": linear, "LightGBM": trees,
    "LightGBM on the equation's residual": partial(trees, residual=True),
    "monotone LightGBM": monotone_trees,
    "monotone LightGBM on the equation's residual": partial(monotone_trees, residual=True),
    f"monotone LightGBM, {RATE:.0%} masked": partial(monotone_trees, rate=RATE),
    "kernel, nothing masked": partial(kernel_alone, rate=0.0),
    f"kernel, {RATE:.0%} masked": kernel_alone,
    **{f"kernel, {rate:.0%} masked": partial(kernel_alone, rate=rate) for rate in (0.2, 0.3, 0.5)},
    f"kernel, {RATE:.0%} of body size, race and genotypes masked, too": partial(
        kernel_alone, names=(*MASKED, "height", "weight", "sex", "race", "vkorc1", "cyp2c9")),
    f"kernel without indication, {RATE:.0%} masked": partial(kernel_without, names=INDICATIONS)}

"""SHAP of trees, by LightGBM's own TreeSHAP (``pred_contrib``; Lundberg 2020, PMID:32607472)."""

from __future__ import annotations

import numpy as np
import polars as pl

from ..errors import PmedError
from .cohort import Floats
from .training import Trees, booster

_TOLERANCE = 1e-6


def contributions(trees: Trees, frame: pl.DataFrame) -> tuple[Floats, Floats]:
    """TreeSHAP values (rows × features) and baselines (rows), in the unit of the trees' sum.

    Raises:
        PmedError: where they do not add up to the prediction.
    """
    both = trees.contributions(frame)
    off = np.abs(both.sum(axis=1) - trees.raw(frame))
    if len(off) and off.max() > _TOLERANCE:
        raise PmedError(f"contributions miss the prediction by {off.max():.2g} in row {int(off.argmax()) + 1}",
                        where="TreeSHAP")
    return both[:, :-1], both[:, -1]


def shap_summary(trees: Trees, frame: pl.DataFrame) -> pl.DataFrame:
    """Features by their mean absolute contribution, with the largest on either side; the most important first."""
    values, _ = contributions(trees, frame)
    return pl.DataFrame({
        "feature": trees.encoding.names, "mean_abs": np.abs(values).mean(axis=0), "lowest": values.min(axis=0),
        "highest": values.max(axis=0)}).sort("mean_abs", "feature", descending=[True, False])


def shap_dependence(trees: Trees, frame: pl.DataFrame, feature: str) -> pl.DataFrame:
    """Value and contribution of one feature in each row."""
    values, _ = contributions(trees, frame)
    return pl.DataFrame({"value": frame[feature], "contribution": values[:, trees.encoding.names.index(feature)]})


def shap_interactions(trees: Trees, frame: pl.DataFrame) -> Floats:
    """SHAP interaction values (rows × features × features), which sum over the last axis to `contributions`.

    Raises:
        PmedError: where the trees split categories, which shap's algorithm cannot follow, or the sums differ.
    """
    import shap

    matrix = trees.encoding.matrix(frame)
    if trees.encoding.categorical:
        raise PmedError("interactions cannot be worked out for trees with categories", where="SHAP interactions",
                        hint="train a model on numbers, or look at the dependence of two features")
    each = [shap.TreeExplainer(booster(text)).shap_interaction_values(matrix) for text in trees.texts]
    made = np.asarray(np.mean(each, axis=0), dtype=np.float64)
    values, _ = contributions(trees, frame)
    if np.abs(made.sum(axis=2) - values).max() > 1e-4:
        raise PmedError("interactions do not add up to the contributions", where="SHAP interactions")
    return made

"""SHAP of an effect: what makes a treatment do more for one patient than for another."""

from __future__ import annotations

import numpy as np
import polars as pl

from ...errors import PmedError
from ..attribution import contributions
from ..cohort import Floats
from .learners import EffectModel

_TOLERANCE = 1e-6


def effect_contributions(model: EffectModel, frame: pl.DataFrame, arm: str) -> tuple[Floats, Floats]:
    """TreeSHAP values of the effect of an arm (rows × features) and baselines (rows), in the unit of the outcome.

    An effect is a weighted sum of trees, and SHAP values add up likewise: those of a T-learner are the differences
    between its two models' (Lundberg 2020, PMID:32607472). The weights of an X-learner on observational data, which are
    chances of treatment, are held at each row's own.

    Raises:
        PmedError: where `arm` has no effect of its own, or the values do not add up to the effect.
    """
    if arm not in model.arms[1:]:
        raise PmedError(f"no effect of {arm!r} compared with {model.arms[0]!r}", where="SHAP of an effect",
                        hint=f"there are: {', '.join(model.arms[1:])}")
    place = model.arms.index(arm)
    parts = [(weight, *contributions(trees, frame)) for trees, weight in model.terms(place, frame)]
    values = np.sum([weight[:, None] * part for weight, part, _ in parts], axis=0)
    baselines = np.sum([weight * start for weight, _, start in parts], axis=0)
    off = np.abs(values.sum(axis=1) + baselines - model.effects(frame)[:, place - 1])
    if len(off) and off.max() > _TOLERANCE:
        raise PmedError(f"contributions miss the effect by {off.max():.2g} in row {int(off.argmax()) + 1}",
                        where="SHAP of an effect")
    return values, baselines

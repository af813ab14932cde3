"""Trials whose true effects are known, to see whether what is found is true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import polars as pl

from ...errors import OptionError
from ..cohort import Cohort, Floats
from .trial import Trial

Kind = Literal["none", "linear", "threshold"]
#: Of people who carry the allele that decides, in trials with a threshold.
CARRIERS = 0.3
_MEAN_ABOVE_ZERO = float(1 / np.sqrt(2 * np.pi))  # of the positive part of a standard normal variable


@dataclass(frozen=True)
class Simulated:
    """A randomised trial of two arms, and the truth.

    Attributes:
        trial: Arms ``usual`` and ``new``, features ``age``, ``weight``, ``marker``, ``genotype``; the outcome is ``y``.
        effect: True effect of ``new`` on each patient.
        gain: What the best choice for each patient gains over the best single arm, on average over all people.
        se: Standard error of the average effect, if nothing but chance were unknown.
    """

    trial: Trial = field(repr=False)
    effect: Floats = field(repr=False)
    gain: float
    se: float


def simulate(kind: Kind, n: int = 600, *, times_se: float = 2.0, average: float = 0.0, seed: int = 0) -> Simulated:
    """Draw a trial, one to one.

    Args:
        kind: ``none``: the effect is the same for everybody. ``linear``: it grows with ``marker``. ``threshold``: it is
            good for carriers of a genotype (three in ten) and bad for all others. The last two average to zero, so
            that either arm is as good for everybody, and only a choice can gain.
        n: Patients.
        times_se: True gain of the best choice over the best single arm, in standard errors of the average effect.
        average: Added to every effect, in the same; it makes one arm better, and the gain smaller than `times_se`.
        seed: Of all draws.

    Raises:
        OptionError: where there is no such kind.
    """
    if kind not in get_args(Kind):
        raise OptionError(f"no kind {kind!r} of trials", hint=f"there are: {', '.join(get_args(Kind))}")
    rng = np.random.default_rng(seed)
    people = pl.DataFrame({
        "patient_id": np.arange(n), "age": rng.normal(60, 10, n).round(), "weight": rng.normal(80, 14, n).round(),
        "marker": rng.normal(size=n), "genotype": rng.binomial(2, 1 - np.sqrt(1 - CARRIERS), n)})
    se = 2 / np.sqrt(n)  # the noise has a standard deviation of 1, and either arm is half of the rows
    effect = _effect(kind, people, times_se * se) + average * se
    new = rng.permutation(n) % 2
    usual = 0.03 * (people["age"].to_numpy() - 60) + 0.3 * people["marker"].to_numpy()
    frame = people.with_columns(arm=pl.Series(new).replace_strict({0: "usual", 1: "new"}),
                                y=pl.Series(usual + new * effect + rng.normal(size=n)))
    cohort = Cohort(frame, ("age", "weight", "marker", "genotype"), "y", "regression", source="simulated trial")
    trial = Trial(cohort, "arm", ("usual", "new"), {"usual": 0.5, "new": 0.5})
    return Simulated(trial, effect, _gain(kind, times_se * se, average * se), se)


def _effect(kind: Kind, people: pl.DataFrame, gain: float) -> Floats:
    if kind == "linear":
        return np.asarray(gain / _MEAN_ABOVE_ZERO * people["marker"].to_numpy(), dtype=np.float64)
    if kind == "threshold":
        carries = people["genotype"].to_numpy() > 0
        return np.where(carries, gain / CARRIERS, -gain / (1 - CARRIERS))
    return np.zeros(people.height)


def _gain(kind: Kind, gain: float, average: float) -> float:
    """Mean of what is above zero, less what the better arm gives everybody."""
    if kind == "none" or not gain:
        return 0.0
    if kind == "threshold":
        good, bad = gain / CARRIERS + average, -gain / (1 - CARRIERS) + average
        above = CARRIERS * max(good, 0) + (1 - CARRIERS) * max(bad, 0)
    else:
        from statistics import NormalDist

        sd, normal = gain / _MEAN_ABOVE_ZERO, NormalDist()
        above = average * normal.cdf(average / sd) + sd * normal.pdf(average / sd)
    return above - max(average, 0.0)

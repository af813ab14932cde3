"""Trials whose true effects are known, to see whether what is found is true."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
import polars as pl

from ...errors import OptionError
from ..cohort import Cohort, Floats
from .trial import Trial

Kind = Literal["none", "linear", "threshold"]
#: Share of patients for whom the arm that is better on average is the worse one.
HARMED = 0.3


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


def simulate(kind: Kind, n: int = 600, *, times_se: float = 2.0, seed: int = 0) -> Simulated:
    """Draw a trial, one to one.

    Args:
        kind: ``none``: the effect is the same for everybody. ``linear``: it falls with ``marker``, from good to bad.
            ``threshold``: it is bad for carriers of a genotype and as good for all others. In both three in ten are
            harmed by the arm that is better on average.
        n: Patients.
        times_se: In standard errors of the average effect: how much the best choice for each patient gains over the
            best single arm; where the effect is the same for everybody, that effect.
        seed: Of all draws.

    Raises:
        OptionError: where there is no such kind.
    """
    if kind not in get_args(Kind):
        raise OptionError(f"no kind {kind!r} of trials", hint=f"there are: {', '.join(get_args(Kind))}")
    rng = np.random.default_rng(seed)
    people = pl.DataFrame({
        "patient_id": np.arange(n), "age": rng.normal(60, 10, n).round(), "weight": rng.normal(80, 14, n).round(),
        "marker": rng.normal(size=n), "genotype": rng.binomial(2, 1 - np.sqrt(1 - HARMED), n)})
    se = float(2 / np.sqrt(n))  # the noise has a standard deviation of 1, and either arm is half of the rows
    effect, new = _effect(kind, people, times_se * se), rng.permutation(n) % 2
    usual = 0.03 * (people["age"].to_numpy() - 60) + 0.3 * people["marker"].to_numpy()
    frame = people.with_columns(arm=pl.Series(new).replace_strict({0: "usual", 1: "new"}),
                                y=pl.Series(usual + new * effect + rng.normal(size=n)))
    cohort = Cohort(frame, ("age", "weight", "marker", "genotype"), "y", "regression", source="simulated trial")
    trial = Trial(cohort, "arm", ("usual", "new"), {"usual": 0.5, "new": 0.5})
    return Simulated(trial, effect, 0.0 if kind == "none" else times_se * se, se)


def _effect(kind: Kind, people: pl.DataFrame, size: float) -> Floats:
    """Effect on each patient; what those who are harmed lose is `size` on average over everybody."""
    if kind == "linear":
        normal = NormalDist()
        edge = normal.inv_cdf(1 - HARMED)
        slope = size / (normal.pdf(edge) - edge * HARMED)  # mean of what lies beyond the edge
        return np.asarray(slope * (edge - people["marker"].to_numpy()), dtype=np.float64)
    if kind == "threshold":
        return np.where(people["genotype"].to_numpy() > 0, -size / HARMED, size / HARMED)
    return np.full(people.height, size)

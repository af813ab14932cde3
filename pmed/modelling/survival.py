"""Survival: the Cox partial likelihood as a training objective, and time in periods as a binary outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from .cohort import Cohort, Floats


def cox_gradient(raw: Floats, time: Floats, event: Floats) -> tuple[Floats, Floats]:
    """Gradient and (diagonal) Hessian of the negative log partial likelihood, Breslow's for ties (Cox 1972).

    Args:
        raw: Log hazard ratio of each row.
        time: Time of event or censoring.
        event: 1 where the event was seen.
    """
    risk = np.exp(raw - raw.max())
    order = np.argsort(-time, kind="stable")
    at_risk = _last_of_ties(np.cumsum(risk[order]), time[order])
    # each event adds 1/at_risk to everybody whose time is at or after it
    share, square = event[order] / at_risk, event[order] / at_risk**2
    passed = np.empty_like(raw)
    passed_square = np.empty_like(raw)
    passed[order] = _from_end(share, time[order])
    passed_square[order] = _from_end(square, time[order])
    gradient = risk * passed - event
    return gradient, np.maximum(risk * passed - risk**2 * passed_square, 1e-6)


def cox_loss(raw: Floats, time: Floats, event: Floats) -> float:
    """Mean negative log partial likelihood of an event."""
    order = np.argsort(-time, kind="stable")
    top = raw.max()
    at_risk = _last_of_ties(np.cumsum(np.exp(raw[order] - top)), time[order])
    return float(-np.sum(event[order] * (raw[order] - top - np.log(at_risk))) / max(1.0, event.sum()))


def person_periods(cohort: Cohort, cuts: tuple[float, ...]) -> Cohort:
    """A survival cohort as a binary one: a row for each period that a person entered, 1 where the event fell into it.

    Periods end at `cuts`. A period in which a row was censored is left out, as its outcome is unknown. Features gain
    ``period``, from 0; the hazard of a period is then what a binary model predicts (Singer & Willett 1993).
    """
    ends = np.array(cuts)
    period = np.searchsorted(ends, cohort.y, side="left")
    seen = np.minimum(period + (cohort.events > 0) * (period < len(ends)), len(ends))
    whose = np.repeat(np.arange(len(cohort)), seen)
    number = np.concatenate([np.arange(one) for one in seen]) if len(seen) else np.array([], dtype=int)
    happened = (cohort.events[whose] > 0) & (number == period[whose])
    frame = cohort.frame[whose].with_columns(
        pl.Series("period", number, dtype=pl.Int64), pl.Series("event in period", happened.astype(int)))
    return replace(cohort, frame=frame, features=(*cohort.features, "period"), outcome="event in period",
                   task="binary", event="")


def survival_curve(hazards: Floats) -> Floats:
    """Chance to be free of the event after each period, from hazards (rows × periods)."""
    return np.asarray(np.cumprod(1 - hazards, axis=1), dtype=np.float64)


def _last_of_ties(sums: Floats, time: Floats) -> Floats:
    """Rows of one time have the same risk set, which ends with the last of them (times fall)."""
    last = np.searchsorted(-time, -time, side="right") - 1
    return np.asarray(sums[last], dtype=np.float64)


def _from_end(values: Floats, time: Floats) -> Floats:
    """For each row the sum over rows of the same or an earlier time (times fall)."""
    sums = np.cumsum(values[::-1])[::-1]
    first = np.searchsorted(-time, -time, side="left")
    return np.asarray(sums[first], dtype=np.float64)

"""Time without event up to a horizon, where some people were not followed as long."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..cohort import Floats


def restricted_mean(time: Floats, event: Floats, horizon: float) -> float:
    """Mean time without event up to `horizon`: the area under the Kaplan-Meier curve (doi:10.1186/1471-2288-13-152).

    Args:
        time: Of the event or of the end of follow-up.
        event: 1 where the event was seen, 0 where follow-up ended first.
        horizon: In the unit of `time`.

    Raises:
        InputError: where nobody was followed so long, and not all had the event before.
    """
    at, events, risk = _steps(time, event, horizon)
    return float(_area(at, events[None, :], risk[None, :], horizon)[0])


def pseudo_observations(time: Floats, event: Floats, horizon: float,
                        groups: NDArray[Any] | None = None) -> Floats:
    """One number for each person, whose means are restricted mean times; for who was followed nearly their time.

    A person's is ``n`` times the mean of all less ``n - 1`` times that of all the others (Andersen 2003,
    doi:10.1093/biomet/90.1.15). So follow-up that ended early needs no further thought, as long as
    it ended for reasons that have nothing to do with the event.

    Args:
        time: Of the event or of the end of follow-up.
        event: 1 where the event was seen, 0 where follow-up ended first.
        horizon: In the unit of `time`.
        groups: Worked out within each, as where arms were followed for different times; None: all are one.

    Raises:
        InputError: where nobody of a group was followed to the horizon, and not all had the event before.
    """
    made = np.empty(len(time))
    names = np.zeros(len(time), dtype=np.int64) if groups is None else groups
    for name in np.unique(names):
        mine = np.flatnonzero(names == name)
        made[mine] = _of_group(time[mine], event[mine], horizon)
    return made


def _of_group(time: Floats, event: Floats, horizon: float) -> Floats:
    at, events, risk = _steps(time, event, horizon)
    n = len(time)
    whole = _area(at, events[None, :], risk[None, :], horizon)[0]
    left = np.empty(n)
    for rows in np.array_split(np.arange(n), max(1, n * len(at) // 2_000_000)):  # a few megabytes at a time
        own = (time[rows, None] == at) & (event[rows, None] == 1)
        left[rows] = _area(at, events - own, risk - (time[rows, None] >= at), horizon)
    return np.asarray(n * whole - (n - 1) * left, dtype=np.float64)


def _steps(time: Floats, event: Floats, horizon: float) -> tuple[Floats, Floats, Floats]:
    """Times of events before the horizon, how many had one then, how many were at risk."""
    longest = float(time.max()) if len(time) else 0.0
    if longest < horizon and not np.all(event[time == longest] == 1):
        raise InputError(f"nobody was followed to {horizon:g}; the longest was {longest:g}", where="time without event",
                         hint="choose an earlier horizon")
    at = np.unique(time[(event == 1) & (time < horizon)])
    ordered = np.sort(time)
    risk = len(time) - np.searchsorted(ordered, at, side="left")
    events = np.array([np.sum((time == one) & (event == 1)) for one in at], dtype=np.float64)
    return at, events, risk.astype(np.float64)


def _area(at: Floats, events: Floats, risk: Floats, horizon: float) -> Floats:
    """Area under the curve of each row of counts."""
    staying = 1 - np.divide(events, risk, out=np.zeros(np.broadcast_shapes(events.shape, risk.shape)),
                            where=risk > 0)
    curve = np.column_stack([np.ones(len(staying)), np.cumprod(staying, axis=1)])
    return np.asarray(curve @ np.diff(np.concatenate([[0.0], at, [horizon]])), dtype=np.float64)

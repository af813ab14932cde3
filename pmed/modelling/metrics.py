"""How good predictions are: pure functions of arrays, each with its source."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .cohort import Floats

_EDGE = 1e-12


def auroc(y: Floats, score: Floats) -> float:
    """Chance that a row with the outcome has a higher score than one without; ties count half.

    Raises:
        InputError: where there is one class only.
    """
    positive = _both_classes(y)
    count = int(positive.sum())
    ranks = midranks(score)
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(y) - count)))


def auroc_error(y: Floats, score: Floats) -> float:
    """Standard error of `auroc` (DeLong 1988, by midranks as in Sun & Xu 2014, doi:10.1109/LSP.2014.2337313)."""
    positive = _both_classes(y)
    ranks, count, rest = midranks(score), int(positive.sum()), int((~positive).sum())
    above = (ranks[positive] - midranks(score[positive])) / rest
    below = 1 - (ranks[~positive] - midranks(score[~positive])) / count
    return float(np.sqrt(_variance(above) / count + _variance(below) / rest))


def average_precision(y: Floats, score: Floats) -> float:
    """Area under precision over recall, as a sum of steps; rows of one score are one step."""
    positive = _both_classes(y)
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    found = np.diff(hits[last], prepend=0)
    return float(np.sum(hits[last] / (last + 1) * found) / hits[-1])


def brier(y: Floats, p: Floats) -> float:
    """Mean squared error of probabilities."""
    return float(np.mean((p - y) ** 2))


def brier_null(y: Floats) -> float:
    """`brier` of somebody who tells everyone the mean."""
    return float(np.mean(y) * (1 - np.mean(y)))


def ece(y: Floats, p: Floats, bins: int = 10) -> float:
    """Expected calibration error: |observed - predicted| by bins of equal width, weighted by rows (Guo 2017)."""
    place = np.minimum((p * bins).astype(int), bins - 1)
    return _gap(y, p, place, bins)


def ece_by_chance(p: Floats, bins: int = 10) -> float:
    """The mean `ece` of a model whose probabilities are all true: it is not 0 where rows are finite.

    What is observed in a bin is then about normal around what is predicted, with the variance of its rows' outcomes.
    """
    place = np.minimum((p * bins).astype(int), bins - 1)
    spread = np.sqrt(np.bincount(place, p * (1 - p), bins))
    return float(np.sqrt(2 / np.pi) * spread.sum() / len(p))


def ece_equal_count(y: Floats, p: Floats, bins: int = 10) -> float:
    """The same by bins of equal count; by chance alone about 0.8 sqrt(r (1 - r) bins / n) for an outcome of rate r."""
    place = np.empty(len(p), dtype=int)
    place[np.argsort(p, kind="stable")] = np.arange(len(p)) * bins // len(p)
    return _gap(y, p, place, bins)


def calibration_line(y: Floats, p: Floats) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of the outcome on the predicted log odds; ideal are 1 and 0."""
    _both_classes(y)
    x = np.column_stack([np.ones_like(p), logit(p)])
    beta = np.array([logit(np.array([y.mean()]))[0], 0.0])
    for _ in range(50):
        step = _newton(x, y, x @ beta)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[1]), float(beta[0])


def calibration_in_the_large(y: Floats, p: Floats) -> float:
    """Intercept where the slope is held at 1: above 0, risks are underestimated (log odds)."""
    _both_classes(y)
    shift = 0.0
    for _ in range(50):
        step = float(_newton(np.ones((len(y), 1)), y, logit(p) + shift)[0])
        shift += step
        if abs(step) < 1e-10:
            break
    return shift


def net_benefit(y: Floats, p: Floats, threshold: float) -> float:
    """Net benefit of acting on those at or above a threshold (Vickers & Elkin 2006, PMID:17099194)."""
    act = p >= threshold
    return float(np.mean(act & (y > 0)) - np.mean(act & (y == 0)) * threshold / (1 - threshold))


def net_benefit_all(y: Floats, threshold: float) -> float:
    """Net benefit of acting on everybody."""
    return net_benefit(y, np.ones_like(y), threshold)


def c_index(time: Floats, event: Floats, score: Floats) -> float:
    """Harrell's concordance: of pairs whose order is known, the share in which the higher score came first."""
    agreed, pairs = 0.0, 0
    for one in np.flatnonzero(event > 0):
        later = (time > time[one]) | ((time == time[one]) & (event == 0))
        pairs += int(later.sum())
        agreed += float(np.sum(score[later] < score[one]) + 0.5 * np.sum(score[later] == score[one]))
    if not pairs:
        raise InputError("no pair of rows has a known order", where="C-index")
    return agreed / pairs


def mae(y: Floats, predicted: Floats) -> float:
    """Mean absolute error, in the outcome's unit."""
    return float(np.mean(np.abs(predicted - y)))


def r2(y: Floats, predicted: Floats) -> float:
    """Share of the variance explained; below 0 where the mean would do better."""
    spread = float(np.sum((y - y.mean()) ** 2))
    if not spread:
        raise InputError("all outcomes are the same: R² is not defined", where="R²")
    return 1 - float(np.sum((y - predicted) ** 2)) / spread


def pw20(y: Floats, predicted: Floats) -> float:
    """Percentage of rows predicted within 20 % of the truth, the border excluded (as for warfarin, PMID:19228618)."""
    return 100 * float(np.mean(np.abs(predicted - y) < 0.2 * y))


def coverage(y: Floats, low: Floats, high: Floats) -> float:
    """Share of rows within their interval, both ends included."""
    return float(np.mean((y >= low) & (y <= high)))


def logit(p: Floats) -> Floats:
    """Log odds; 0 and 1 are taken as just inside."""
    inside = np.clip(p, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def expit(x: Floats) -> Floats:
    """Probability from log odds."""
    return np.asarray(0.5 * (1 + np.tanh(x / 2)), dtype=np.float64)


def midranks(values: Floats) -> Floats:
    """Ranks from 1; tied values share their mean rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place], dtype=np.float64)


def _newton(x: Floats, y: Floats, eta: Floats) -> Floats:
    p = expit(eta)
    weight = np.maximum(p * (1 - p), _EDGE)
    return np.asarray(np.linalg.solve(x.T @ (x * weight[:, None]), x.T @ (y - p)), dtype=np.float64)


def _gap(y: Floats, p: Floats, place: np.ndarray[tuple[int, ...], np.dtype[np.int_]], bins: int) -> float:
    difference = np.bincount(place, weights=y - p, minlength=bins)
    return float(np.abs(difference).sum() / len(y))


def _variance(values: Floats) -> float:
    return float(np.var(values, ddof=1)) if len(values) > 1 else 0.0


def _both_classes(y: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    positive = y > 0
    if positive.all() or not positive.any():
        raise InputError(f"the outcome is {int(bool(positive.all()))} in every row: it cannot be judged",
                         where="outcome", hint="give rows with and without it")
    return positive

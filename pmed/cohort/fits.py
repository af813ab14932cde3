"""Effect of one column on an outcome beside covariates: linear, logistic, by Firth's penalised likelihood.

The covariates enter as an orthonormal basis of what they and an intercept span: so their units, collinear ones among
them and the number of parameters cost no precision, and the effect is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Z95, CHI95 = 1.959963984540054, 3.841458820694124  # two-sided 95 % of the normal, 95 % of χ² with one degree of freedom
SPARSE = 10  # people in a cell, below which Firth's likelihood is used
SAME_OUTCOME, COLLINEAR = "all have one outcome", "told by the covariates"  # as the method of what cannot be told
OUTCOME_TOLD, TOO_FEW = "the covariates tell the outcome", "fewer people than parameters"
_STEPS, _NEAR, _LONGEST, _HALVINGS, _DOUBLINGS = 100, 1e-9, 5.0, 10, 30
_NOTHING = 1e-6      # of the length of a column
_SEPARATED = 30.0    # log odds that nobody has but where a covariate separates the outcomes


class Fit(NamedTuple):
    """An effect with its standard error, 95 % interval and p; null where it cannot be told, and `method` says why."""

    effect: float | None
    error: float | None
    low: float | None
    high: float | None
    p: float | None
    method: str


def untold(why: str) -> Fit:
    """No effect, and why."""
    return Fit(None, None, None, None, None, why)


def linear(x: Numbers, covariates: Numbers, y: Numbers) -> Fit:
    """Least squares with an intercept; interval and p by the t distribution.

    Args:
        x: (people,), whose effect it is.
        covariates: (people, terms), without the intercept.
        y: (people,), the outcome.
    """
    from scipy.special import stdtr, stdtrit

    basis = _basis(covariates)
    if why := _why_untold(x, basis, y):
        return untold(why)
    left, outcome = _apart(x, basis), _apart(y, basis)
    if np.linalg.norm(outcome) < _NOTHING * np.linalg.norm(y - y.mean()):
        return untold(OUTCOME_TOLD)
    free = len(y) - basis.shape[1] - 1
    if free < 1:
        return untold(TOO_FEW)
    square = float(left @ left)
    effect = float(left @ outcome) / square
    error = float(np.sqrt(((outcome - effect * left) ** 2).sum() / free / square))
    p = 2 * float(stdtr(free, -abs(effect) / error)) if error > 0 else 0.0
    half = float(stdtrit(free, 0.975)) * error
    return Fit(effect, error, effect - half, effect + half, p, "linear")


def logistic(x: Numbers, covariates: Numbers, y: Numbers) -> Fit:
    """Log odds ratio of `x` (0 or 1) with an intercept: Wald's interval and p; by `firth` where that is not to be had.

    That is where a cell of `x` × outcome has fewer than 10 people, or the covariates separate the outcomes.

    Args:
        x: (people,), whose effect it is.
        covariates: (people, terms), without the intercept.
        y: (people,), 0 or 1.
    """
    from scipy.special import ndtr

    basis = _basis(covariates)
    if why := _why_untold(x, basis, y):
        return untold(why)
    cells = [int(((x == one) & (y == two)).sum()) for one in (0, 1) for two in (0, 1)]
    usual = _fitted(np.column_stack([x, basis]), y, penalised=False) if min(cells) >= SPARSE else None
    if usual is None or not usual.reached or usual.furthest > _SEPARATED:
        return firth(x, covariates, y)
    effect, error = float(usual.beta[0]), usual.error
    return Fit(effect, error, effect - Z95 * error, effect + Z95 * error, 2 * float(ndtr(-abs(effect) / error)),
               "logistic")


def firth(x: Numbers, covariates: Numbers, y: Numbers) -> Fit:
    """Log odds ratio by penalised likelihood; interval by its profile, p by its ratio, with the full model's penalty.

    Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27-38 (doi:10.1093/biomet/80.1.27);
    Heinze G, Schemper M. Stat Med 2002;21:2409-19 (doi:10.1002/sim.1047), as R's logistf.

    Args:
        x: (people,), whose effect it is, for one more of it.
        covariates: (people, terms), without the intercept.
        y: (people,), 0 or 1.
    """
    from scipy.special import chdtrc

    basis = _basis(covariates)
    if why := _why_untold(x, basis, y):
        return untold(why)
    terms = np.column_stack([x, basis])
    full = _fitted(terms, y, penalised=True)
    effect = float(full.beta[0])

    def lost(at: float) -> float:
        """Twice the log likelihood that holding the effect there costs."""
        held = np.concatenate([[at], full.beta[1:]])
        return 2 * (full.likelihood - _fitted(terms, y, penalised=True, start=held, fixed=1).likelihood)

    low, high = (_where(lost, effect, side * Z95 * full.error) for side in (-1, 1))
    return Fit(effect, full.error, low, high, float(chdtrc(1, max(lost(0.0), 0.0))), "firth")


def _where(lost: Callable[[float], float], effect: float, first: float) -> float | None:
    """Where the profile has lost what an interval's end has; null where it never does."""
    from scipy.optimize import brentq

    inside, step = effect, first
    for _ in range(_DOUBLINGS):
        if lost(inside + step) >= CHI95:
            return float(brentq(lambda at: lost(at) - CHI95, inside, inside + step, xtol=1e-7))
        inside, step = inside + step, 2 * step
    return None


class _Fitted(NamedTuple):
    """Coefficients, the first one's standard error, log likelihood, the largest log odds, and whether steps ended."""

    beta: Numbers
    error: float
    likelihood: float
    furthest: float
    reached: bool


def _fitted(x: Numbers, y: Numbers, *, penalised: bool, start: Numbers | None = None, fixed: int = 0) -> _Fitted:
    """Newton's steps, halved where they lose likelihood; the first `fixed` coefficients stay as they are."""
    beta = np.zeros(x.shape[1]) if start is None else start.copy()
    likelihood, chance, information = _at(x, y, beta, penalised=penalised)
    reached = False
    for _ in range(_STEPS):
        weight = chance * (1 - chance)
        pull = y - chance
        if penalised:
            leverage = weight * ((x @ np.linalg.pinv(information, hermitian=True)) * x).sum(axis=1)
            pull += leverage * (0.5 - chance)
        step = np.linalg.pinv(information[fixed:, fixed:], hermitian=True) @ (x[:, fixed:].T @ pull)
        longest = float(np.abs(step).max(initial=0.0))
        if reached := longest < _NEAR:
            break
        step *= min(1.0, _LONGEST / longest)
        for _ in range(_HALVINGS):
            tried = np.concatenate([beta[:fixed], beta[fixed:] + step])
            new = _at(x, y, tried, penalised=penalised)
            if new[0] >= likelihood - _NEAR:
                break
            step /= 2
        beta, (likelihood, chance, information) = tried, new
    error = float(np.sqrt(max(np.linalg.pinv(information, hermitian=True)[0, 0], 0.0)))
    return _Fitted(beta, error, likelihood, float(np.abs(x @ beta).max()), reached)


def _at(x: Numbers, y: Numbers, beta: Numbers, *, penalised: bool) -> tuple[float, Numbers, Numbers]:
    """Log likelihood, each one's chance, and the information."""
    from scipy.special import expit

    line = x @ beta
    chance = expit(line)
    information = (x * (chance * (1 - chance))[:, None]).T @ x
    likelihood = float((y * line - np.logaddexp(0, line)).sum())
    return likelihood + (0.5 * float(np.linalg.slogdet(information)[1]) if penalised else 0.0), chance, information


def _basis(covariates: Numbers) -> Numbers:
    """Orthogonal columns of mean square 1 that span an intercept and the covariates."""
    people = len(covariates)
    centred = covariates - covariates.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    varying = length > _NEAR * np.linalg.norm(covariates, axis=0)
    columns, sizes, _ = np.linalg.svd(centred[:, varying] / length[varying], full_matrices=False)
    return np.column_stack([np.ones(people), columns[:, sizes > _NOTHING] * np.sqrt(people)])


def _apart(column: Numbers, basis: Numbers) -> Numbers:
    """What the basis does not tell of a column; twice, as the first leaves the rounding of large numbers."""
    for _ in range(2):
        column = column - basis @ (basis.T @ column) / len(column)
    return column


def _why_untold(x: Numbers, basis: Numbers, y: Numbers) -> str:
    """Why the effect cannot be told; "" where it can."""
    if (y == y[0]).all():
        return SAME_OUTCOME
    return COLLINEAR if np.linalg.norm(_apart(x, basis)) < _NOTHING * np.linalg.norm(x) or not x.any() else ""

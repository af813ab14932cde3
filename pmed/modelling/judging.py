"""A table of metrics with confidence intervals, overall and by subgroup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import metrics
from .cohort import Floats

Metric = Callable[[Floats, Floats], float]
_Z = 1.959963984540054
BINARY: Mapping[str, Metric] = {
    "auroc": metrics.auroc, "auprc": metrics.average_precision, "brier": metrics.brier, "ece": metrics.ece,
    "calibration_slope": lambda y, p: metrics.calibration_line(y, p)[0],
    "calibration_intercept": metrics.calibration_in_the_large}
#: The ECE of a drawn sample is biased upwards, so it has no interval of this kind.
_DRAWN = {name: measure for name, measure in BINARY.items() if name != "ece"}
REGRESSION: Mapping[str, Metric] = {"mae": metrics.mae, "r2": metrics.r2, "pw20": metrics.pw20}
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3)
#: A group of fewer rows, or with fewer of either outcome, is counted and not judged.
FEWEST = 50
FEWEST_EVENTS = 10


def judge_binary(y: Floats, p: Floats, patients: NDArray[Any], groups: Mapping[str, NDArray[Any]] | None = None,
                 *, draws: int = 200, seed: int = 0) -> dict[str, Any]:
    """All metrics of probabilities; intervals are 95 %, DeLong's for AUROC, else by drawing patients.

    Args:
        y: 0 or 1.
        p: Probabilities.
        patients: Whose row it is.
        groups: Name of a grouping (sex, age band, ancestry, site) → group of each row.
        draws: Bootstrap draws.
        seed: Of the draws.
    """
    error = metrics.auroc_error(y, p)
    found = {name: measure(y, p) for name, measure in BINARY.items()}
    low, high = found["auroc"] - _Z * error, found["auroc"] + _Z * error
    return {"n": len(y), "patients": len(np.unique(patients)), "events": int(y.sum()), "rate": float(y.mean()), **found,
            "brier_null": metrics.brier_null(y), "ece_by_chance": metrics.ece_by_chance(p),
            "ece_equal_count": metrics.ece_equal_count(y, p),
            "ci": {**bootstrap(_DRAWN, y, p, patients, draws=draws, seed=seed), "auroc_delong": [low, high]},
            "net_benefit": [{"threshold": one, "model": metrics.net_benefit(y, p, one),
                             "all": metrics.net_benefit_all(y, one)} for one in THRESHOLDS],
            **_by_group(groups or {}, lambda rows: _group_binary(y[rows], p[rows], found["auroc"]))}


def judge_regression(y: Floats, predicted: Floats, patients: NDArray[Any],
                     groups: Mapping[str, NDArray[Any]] | None = None, *, draws: int = 200,
                     seed: int = 0) -> dict[str, Any]:
    """MAE, R² and PW20 of predicted values, with 95 % intervals by drawing patients."""
    found = {name: measure(y, predicted) for name, measure in REGRESSION.items()}
    return {"n": len(y), "patients": len(np.unique(patients)), **found, "bias": float(np.mean(predicted - y)),
            "ci": bootstrap(REGRESSION, y, predicted, patients, draws=draws, seed=seed),
            **_by_group(groups or {}, lambda rows: _group_regression(y[rows], predicted[rows], found["mae"]))}


def judge_survival(time: Floats, event: Floats, score: Floats) -> dict[str, Any]:
    """Harrell's C of a risk score."""
    return {"n": len(time), "events": int(event.sum()), "c_index": metrics.c_index(time, event, score)}


def bootstrap(measures: Mapping[str, Metric], y: Floats, predicted: Floats, patients: NDArray[Any],
              *, draws: int = 200, seed: int = 0) -> dict[str, list[float]]:
    """95 % percentile intervals; patients are drawn with all their rows, as these are not independent."""
    if draws < 1:
        return {}
    _, whose = np.unique(patients, return_inverse=True)
    order = np.argsort(whose, kind="stable")
    size = np.bincount(whose)
    first = np.cumsum(size) - size
    rng = np.random.default_rng(seed)
    made: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(draws):
        rows = _rows_of(rng.integers(len(size), size=len(size)), order, first, size)
        if np.ptp(y[rows]) > 0:
            for name, measure in measures.items():
                made[name].append(measure(y[rows], predicted[rows]))
    return {name: np.percentile(values, [2.5, 97.5]).tolist() for name, values in made.items() if values}


def _rows_of(drawn: NDArray[np.int64], order: NDArray[np.int64], first: NDArray[np.int64],
             size: NDArray[np.int64]) -> NDArray[np.int64]:
    """All rows of the drawn patients."""
    many = size[drawn]
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    return np.asarray(order[np.repeat(first[drawn], many) + within], dtype=np.int64)


def _by_group(groups: Mapping[str, NDArray[Any]], judge: Callable[[NDArray[Any]], dict[str, Any]]) -> dict[str, Any]:
    made, warnings = [], []
    for name, column in groups.items():
        labels = np.array(["unknown" if one is None else str(one) for one in column.tolist()])
        for label in sorted(set(labels.tolist())):
            one = {"group": name, "value": label, **judge(labels == label)}
            made.append(one)
            if warning := one.get("warning"):
                warnings.append(f"{name} {label}: {warning}")
    return {"subgroups": made, "warnings": warnings}


def _group_binary(y: Floats, p: Floats, overall: float) -> dict[str, Any]:
    events = int(y.sum())
    told: dict[str, Any] = {"n": len(y), "events": events}
    if len(y) < FEWEST or min(events, len(y) - events) < FEWEST_EVENTS:
        return {**told, "note": "too few to judge"}
    value, error = metrics.auroc(y, p), metrics.auroc_error(y, p)
    told |= {"auroc": value, "auroc_ci": [value - _Z * error, value + _Z * error], "observed": float(y.mean()),
             "predicted": float(p.mean())}
    if value < overall - 0.03 and value + _Z * error < overall:
        told["warning"] = f"AUROC {value:.3f}, {overall:.3f} overall"
    return told


def _group_regression(y: Floats, predicted: Floats, overall: float) -> dict[str, Any]:
    told: dict[str, Any] = {"n": len(y)}
    if len(y) < FEWEST:
        return {**told, "note": "too few to judge"}
    wrong = np.abs(predicted - y)
    value, error = float(wrong.mean()), float(wrong.std(ddof=1) / np.sqrt(len(y)))
    told |= {"mae": value, "mae_ci": [value - _Z * error, value + _Z * error], "pw20": metrics.pw20(y, predicted),
             "bias": float(np.mean(predicted - y))}
    if value > 1.1 * overall and value - _Z * error > overall:
        told["warning"] = f"MAE {value:.2f}, {overall:.2f} overall"
    return told

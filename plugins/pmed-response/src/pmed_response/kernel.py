"""A compact kernel machine: ridge regression on Gaussian bumps around averages of patients; numpy and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Terms are cut off here, in standard deviations, so that a rare finding does not put a patient off the map.
FARTHEST: Final = 4.0
#: A bump stands for at least so many patients: no single patient is in the model.
FEWEST: Final = 3
_ROWS: Final = 2000  # predicted at once


@dataclass(frozen=True)
class Kernel:
    """f(x) = start + sum of weights × exp(−width × squared distance of x to a centre), in standardised terms.

    Attributes:
        mean: Of each term in training.
        sd: Likewise.
        centres: Bumps × terms.
        weights: One for each bump.
        start: The value far from all bumps.
        width: Of the bumps.
    """

    mean: Floats = field(repr=False)
    sd: Floats = field(repr=False)
    centres: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    start: float
    width: float

    def predict(self, terms: Floats) -> Floats:
        """One value a row; the same to the bit whichever rows it is among."""
        parts = [self._block(terms[first:first + _ROWS]) for first in range(0, len(terms), _ROWS)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _block(self, terms: Floats) -> Floats:
        near = bumps(standardised(terms, self.mean, self.sd), self.centres, self.width)
        return np.asarray(self.start + np.einsum("nm,m->n", near, self.weights), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"mean": self.mean.tolist(), "sd": self.sd.tolist(), "centres": self.centres.tolist(),
                "weights": self.weights.tolist(), "start": self.start, "width": self.width}


def kernel_from(plain: Mapping[str, Any]) -> Kernel:
    """The kernel that `to_json` wrote."""
    arrays = {name: np.array(plain[name], dtype=np.float64) for name in ("mean", "sd", "centres", "weights")}
    return Kernel(**arrays, start=plain["start"], width=plain["width"])


def learn_kernel(terms: Floats, y: Floats, weight: Floats, *, many: int, penalty: float, seed: int,
                 more: Sequence[Floats] = ()) -> Kernel:
    """Weighted ridge regression on bumps around the averages of `many` clusters of rows.

    Args:
        terms: Rows × terms.
        y: One value a row.
        weight: Of each row.
        many: Clusters.
        penalty: Ridge penalty, on the norm of the function (not on `start`).
        seed: Of the clusters' first centres.
        more: The same rows seen otherwise (masked); each counts as much. The clusters are of `terms` alone, so that a
            bump stands for patients, not for copies of them.
    """
    every, times = np.concatenate([terms, *more]), 1 + len(more)
    y, weight = np.tile(y, times), np.tile(weight, times) / times
    mean: Floats = every.mean(axis=0).round(6)
    sd: Floats = (every.std(axis=0) + 1e-6).round(6)
    x = standardised(every, mean, sd)
    centres, width = cluster(x[:len(terms)], many, seed).round(2), round(1 / terms.shape[1], 6)
    basis = np.column_stack([bumps(x, centres, width), np.ones(len(x))])
    norm = np.zeros((len(centres) + 1,) * 2)
    norm[:-1, :-1] = penalty * (bumps(centres, centres, width) + 1e-6 * np.eye(len(centres)))
    solved = np.linalg.solve(basis.T @ (basis * weight[:, None]) + norm, basis.T @ (weight * y)).round(6)
    return Kernel(mean, sd, centres, np.asarray(solved[:-1], dtype=np.float64), float(solved[-1]), width)


def standardised(terms: Floats, mean: Floats, sd: Floats) -> Floats:
    """In standard deviations from the mean, at most `FARTHEST`."""
    return np.clip((terms - mean) / sd, -FARTHEST, FARTHEST)


def bumps(x: Floats, centres: Floats, width: float) -> Floats:
    """Rows × centres. No BLAS: its sums depend on how many rows there are, and a batch must equal its parts."""
    squares = np.einsum("nd,nd->n", x, x)[:, None] + np.einsum("md,md->m", centres, centres)
    away = squares - 2 * np.einsum("nd,md->nm", x, centres)
    return np.asarray(np.exp(-width * np.maximum(away, 0.0)), dtype=np.float64)


def cluster(x: Floats, many: int, seed: int, rounds: int = 8) -> Floats:
    """Averages of clusters of at least `FEWEST` rows (Lloyd 1982)."""
    centres = x[np.random.default_rng(seed).permutation(len(x))[:many]]
    size = np.ones(len(centres), dtype=np.int64)
    for _ in range(rounds):
        nearest = (np.einsum("md,md->m", centres, centres) - 2 * x @ centres.T).argmin(axis=1)
        size = np.bincount(nearest, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, x)
        centres = np.where(size[:, None] > 0, sums / np.maximum(size, 1)[:, None], centres)
    return np.asarray(centres[size >= FEWEST], dtype=np.float64)

"""A score beside those of a reference panel, with what ancestry alone explains taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS, _CLOSE = 200, 1e-10


@dataclass(frozen=True)
class Normal:
    """A normal distribution whose mean, and logarithm of the variance, are linear in the components.

    Attributes:
        mean, log_variance: (1 + components,) coefficients, intercept first.
    """

    mean: Floats
    log_variance: Floats

    @classmethod
    def of_mean(cls, components: Floats, scores: Floats) -> Normal:
        """One variance for all (Khera et al., Circulation 2019;139:1593, doi:10.1161/CIRCULATIONAHA.118.035658).

        Args:
            components: (people, components), standardised.
            scores: (people,).
        """
        design = _design(components)
        mean = np.linalg.lstsq(design, scores, rcond=None)[0]
        residual = scores - design @ mean
        return cls(np.asarray(mean, dtype=np.float64), np.append(np.log(residual.var()), np.zeros(components.shape[1])))

    @classmethod
    def of_mean_and_variance(cls, components: Floats, scores: Floats) -> Normal:
        """Both by maximum likelihood (Khan et al., Nat Med 2022;28:1412, doi:10.1038/s41591-022-01869-1).

        By Fisher's scoring, in which mean and variance part: weighted least squares for the one, a gamma regression
        with a logarithmic link for the other.
        """
        design, fit = _design(components), cls.of_mean(components, scores)
        for _ in range(_ROUNDS):
            weight = np.exp(-(design @ fit.log_variance))
            mean = np.linalg.solve(design.T @ (design * weight[:, None]), design.T @ (weight * scores))
            excess = (scores - design @ mean) ** 2 * weight - 1
            step = np.linalg.lstsq(design, excess, rcond=None)[0]
            last, fit = fit, cls(np.asarray(mean, dtype=np.float64), fit.log_variance + step)
            if np.abs(step).max() < _CLOSE and np.abs(fit.mean - last.mean).max() < _CLOSE * scores.std():
                break
        return fit

    def z(self, components: Floats, scores: Floats) -> Floats:
        """(people,) standard deviations from the mean that is expected of people with such components."""
        design = _design(components)
        return np.asarray((scores - design @ self.mean) / self.spread(components))

    def spread(self, components: Floats) -> Floats:
        """(people,) standard deviation that is expected of people with such components."""
        return np.asarray(np.exp(_design(components) @ self.log_variance / 2))


def _design(components: Floats) -> Floats:
    return np.column_stack([np.ones(len(components)), components])


def distances(components: Floats, population: Floats) -> Floats:
    """Squared Mahalanobis distance of people (people, components) to the middle of a population."""
    middle = population.mean(axis=0)
    inverse = np.linalg.inv(np.cov(population, rowvar=False, ddof=0))
    apart = components - middle
    return np.asarray(np.einsum("pi,ij,pj->p", apart, inverse, apart))


def percentiles(scores: Floats, reference: Floats) -> Floats:
    """Per cent of the reference below each score; the mean rank where some are equal."""
    ordered = np.sort(reference)
    low, high = (np.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
    return np.asarray((low + high + (low < high)) * 50.0 / len(ordered))


def wilson(percent: Floats, people: int) -> tuple[Floats, Floats]:
    """95 % interval of a percentile that was read off a reference of so many people (Wilson, 1927)."""
    z, share = 1.959963984540054, percent / 100
    middle = (share + z * z / (2 * people)) / (1 + z * z / people)
    half = z / (1 + z * z / people) * np.sqrt(share * (1 - share) / people + z * z / (4 * people * people))
    # At 0 and 100 the ends are the percentile itself, but for rounding.
    return np.clip(100 * (middle - half), 0, percent), np.clip(100 * (middle + half), percent, 100)

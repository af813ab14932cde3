"""Conformal intervals: as wide as held-out errors say they must be, for everybody or group by group.

Split conformal (Vovk 2005; Lei 2018), conformalised quantile regression (Romano 2019, arXiv:1905.03222) and their
Mondrian form, in which each group has a margin of its own. All three are one thing: a margin around a lower and an
upper curve, which coincide for split conformal. The tests compare the margins with those of MAPIE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cohort import Floats

EVERYBODY = ""


@dataclass(frozen=True)
class Conformal:
    """Margins to put around predictions.

    Attributes:
        level: Share of new rows, like those it was learned from, that the interval holds.
        margins: Group → margin in the outcome's unit; the group "" is everybody.
    """

    level: float
    margins: Mapping[str, float]

    def interval(self, low: Floats, high: Floats, groups: NDArray[Any] | None = None) -> tuple[Floats, Floats]:
        """Lower and upper ends around two curves; give the prediction twice for split conformal.

        A group without a margin of its own has that of everybody.
        """
        everybody = self.margins[EVERYBODY]
        margin = np.full(len(low), everybody) if groups is None else \
            np.array([self.margins.get(str(one), everybody) for one in groups.tolist()])
        return low - margin, high + margin

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def learn_conformal(y: Floats, low: Floats, high: Floats, level: float,
                    groups: NDArray[Any] | None = None) -> Conformal:
    """Margins from held-out rows; a group has one of its own if it has rows enough for the level.

    Raises:
        InputError: where there are too few rows for the level at all.
    """
    scores = np.maximum(low - y, y - high)
    margins = {EVERYBODY: margin(scores, level)}
    if not np.isfinite(margins[EVERYBODY]):
        raise InputError(f"{len(y)} rows are too few for {level:.0%} intervals", where="conformal")
    if groups is not None:
        labels = np.array([str(one) for one in groups.tolist()])
        own = {label: margin(scores[labels == label], level) for label in sorted(set(labels.tolist()))}
        margins |= {label: value for label, value in own.items() if np.isfinite(value)}
    return Conformal(level, margins)


def margin(scores: Floats, level: float) -> float:
    """The ceil((n + 1) level)-th smallest score; infinite where n is too small."""
    rank = int(np.ceil((len(scores) + 1) * level - 1e-9))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else float("inf")


def conformal_from(plain: Mapping[str, Any]) -> Conformal:
    """The margins that `to_json` wrote."""
    return Conformal(plain["level"], dict(plain["margins"]))

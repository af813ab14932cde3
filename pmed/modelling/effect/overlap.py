"""How likely each treatment was, and whether everybody could have been given any."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from ...errors import InputError
from ..cohort import Cohort, Floats, Rows
from ..training import Recipe, Trees, grow
from .trial import Trial, split_by_arm

#: Few and small trees: arms of a trial have hundreds of rows, and differences between patients are hard to see.
SMALL = Recipe("regression", rounds=50, patience=0, learning_rate=0.05, leaves=3, smallest_leaf=30, l2=1.0)
_CHOICE = Recipe("binary", rounds=60, patience=0, learning_rate=0.05, leaves=5, smallest_leaf=20, l2=1.0)


@dataclass(frozen=True)
class Overlap:
    """Whom a comparison is about.

    Attributes:
        kept: Places of the rows for whom every arm was likely enough.
        least: The smallest chance of an arm that counts as likely enough.
        smallest: The smallest chance that anybody had of an arm.
        trimmed: Share of rows that were left out, 0 to 1.
    """

    kept: Rows = field(repr=False)
    least: float
    smallest: float
    trimmed: float


def chances_of(trial: Trial, folds: int = 5, seed: int = 0) -> Floats:
    """Chance of each arm (rows × arms): the known ones, else by trees that did not see the row (cross-fitted)."""
    if trial.chances is not None:
        return known_chances(trial, len(trial))
    fold, made = split_by_arm(trial, folds, seed), np.empty((len(trial), len(trial.arms)))
    for one in range(folds):
        models = choice_models(trial.rows(np.flatnonzero(fold != one)))
        made[fold == one] = chances_by(models, trial.inputs.filter(pl.Series(fold == one)))
    return made


def known_chances(trial: Trial, many: int) -> Floats:
    """The chances of a randomised trial, as so many equal rows."""
    known = trial.chances or {}
    return np.tile([known[name] for name in trial.arms], (many, 1))


def choice_models(trial: Trial) -> list[Trees]:
    """Trees (log odds) of being given each arm; of two arms only the second has any."""
    places = [1] if len(trial.arms) == 2 else range(len(trial.arms))
    return [grow(_asked(trial, place), _CHOICE) for place in places]


def chances_by(models: list[Trees], frame: pl.DataFrame) -> Floats:
    """Chance of each arm (rows × arms) by these trees; they add up to 1."""
    raw = np.column_stack([one.raw(frame) for one in models])
    chance = 1 / (1 + np.exp(-raw))
    every = np.column_stack([1 - chance, chance]) if len(models) == 1 else chance
    return np.asarray(every / every.sum(axis=1, keepdims=True), dtype=np.float64)


def check_overlap(trial: Trial, *, least: float = 0.05, most_trimmed: float = 0.2, folds: int = 5,
                  seed: int = 0) -> Overlap:
    """Leave out rows for whom some arm was hardly ever chosen; nothing can be said of them (Crump 2009).

    Args:
        trial: Who was given what.
        least: Rows with a smaller chance of any arm are left out (after doi:10.1093/biomet/asn055).
        most_trimmed: Share of rows that may be left out before the comparison is refused.
        folds: For the chances of observational data.
        seed: Of the folds.

    Raises:
        InputError: where more would have to be left out; it says how many and which arm.
    """
    chances = chances_of(trial, folds, seed)
    enough = chances.min(axis=1) >= least
    found = Overlap(np.flatnonzero(enough), least, float(chances.min()), float(1 - enough.mean()))
    if found.trimmed > most_trimmed:
        rare = trial.arms[int(np.bincount(chances.argmin(axis=1)[~enough]).argmax())]
        raise InputError(f"the arms hardly overlap: {found.trimmed:.0%} of the rows had a chance below {least:g} of "
                         f"some arm, mostly {rare!r}; at most {most_trimmed:.0%} may be left out",
                         where=trial.cohort.source, hint="compare people who could have been given either")
    return found


def _asked(trial: Trial, place: int) -> Cohort:
    asked = trial.about((trial.given == place).astype(np.float64))
    return replace(asked, task="binary")

"""Who got which treatment, by chance or by choice, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from ...errors import InputError
from ..cohort import Cohort, Floats, Rows

#: Of an arm; with fewer no model of its outcome is worth its name.
FEWEST = 30
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Trial:
    """A cohort whose rows were given one of several treatments.

    A trial that was made is sound: one row a patient, every arm is known and has rows enough, and no feature is the arm
    under another name, the outcome, or was measured after the treatment began (`Cohort.after`).

    Attributes:
        cohort: Rows, features and outcome (task ``binary`` or ``regression``). More of the outcome is better: turn the
            sign of one that is not.
        arm: Column of the treatment.
        arms: Its values as text; effects are differences from the first.
        chances: Arm → probability of being given it, where that was decided by chance (a randomised trial). None: it
            was chosen (observational data), and is estimated from the features (`chances_of`).
    """

    cohort: Cohort
    arm: str
    arms: tuple[str, ...]
    chances: Mapping[str, float] | None = field(default=None)

    def __post_init__(self) -> None:
        _must_compare(self)
        _must_know_arms(self)
        _must_not_tell_the_arm(self)

    def __len__(self) -> int:
        return len(self.cohort)

    @property
    def y(self) -> Floats:
        """The outcomes."""
        return self.cohort.y

    @property
    def given(self) -> Rows:
        """Place in `arms` of the treatment of each row."""
        places = {name: place for place, name in enumerate(self.arms)}
        said = self.cohort.frame[self.arm].cast(pl.String)
        return said.replace_strict(places, return_dtype=pl.Int64).to_numpy()

    @property
    def inputs(self) -> pl.DataFrame:
        """The features alone."""
        return self.cohort.inputs

    def rows(self, chosen: Rows) -> Trial:
        """The trial of these rows."""
        part = object.__new__(Trial)  # of a sound trial every part is sound but for the number of its rows
        for name, value in (("cohort", self.cohort.rows(chosen)), ("arm", self.arm), ("arms", self.arms),
                            ("chances", self.chances)):
            object.__setattr__(part, name, value)
        return part

    def about(self, outcome: Floats, chosen: Rows | None = None) -> Cohort:
        """The cohort (of the `chosen` rows) with another outcome, for a model of it."""
        part = self.cohort if chosen is None else self.cohort.rows(chosen)
        frame = part.inputs.with_columns(part.frame[part.patient].alias(part.patient), _wanted=pl.Series(outcome))
        return replace(part, frame=frame, outcome="_wanted", task="regression", site="", time="", recorded={})


def split_by_arm(trial: Trial, folds: int, seed: int) -> Rows:
    """Fold of each row, 0 to `folds` - 1, drawn within each arm so that all folds have their share of all arms."""
    fold, rng, given = np.empty(len(trial), dtype=np.int64), np.random.default_rng(seed), trial.given
    for place in range(len(trial.arms)):
        mine = np.flatnonzero(given == place)
        fold[mine] = rng.permutation(len(mine)) % folds
    return fold


def _must_compare(trial: Trial) -> None:
    cohort = trial.cohort
    if cohort.task == "survival":
        raise InputError("effects on survival need an outcome that is a number", where=cohort.source,
                         hint="use pseudo_observations of the time without event")
    if len(trial.arms) < 2 or len(set(trial.arms)) < len(trial.arms):
        raise InputError(f"needs two or more different arms. Got {', '.join(trial.arms) or 'none'}",
                         where=cohort.source)
    if trial.arm not in cohort.frame.columns:
        raise InputError(f"has no column {trial.arm!r} of arms", where=cohort.source)
    if cohort.frame[cohort.patient].n_unique() < len(cohort):
        raise InputError(f"has patients with several rows ({cohort.patient})", where=cohort.source,
                         hint="give one row a patient, as of the day of treatment")
    if (known := trial.chances) is not None:
        sound = set(known) == set(trial.arms) and all(one > 0 for one in known.values())
        if not sound or abs(sum(known.values()) - 1) > _TOLERANCE:
            raise InputError("chances must name every arm, each above 0, and add up to 1", where=cohort.source)


def _must_know_arms(trial: Trial) -> None:
    counts = dict(trial.cohort.frame[trial.arm].cast(pl.String).value_counts().iter_rows())
    strange = sorted(str(name) for name in counts if name not in trial.arms)
    if strange:
        raise InputError(f"{trial.arm} is {strange[0]!r} in some rows, which is none of the arms "
                         f"{', '.join(trial.arms)}", where=trial.cohort.source, hint="leave these rows out")
    for name in trial.arms:
        if counts.get(name, 0) < FEWEST:
            raise InputError(f"arm {name!r} has {counts.get(name, 0)} rows: too few, {FEWEST} are needed",
                             where=trial.cohort.source)


def _must_not_tell_the_arm(trial: Trial) -> None:
    """A feature with a value that all of one arm have, and nobody else, is that arm under another name."""
    frame, given = trial.cohort.frame, trial.given
    if trial.arm in trial.cohort.features:
        raise InputError(f"{trial.arm} must not be a feature: it is the treatment", where=trial.cohort.source)
    for name in trial.cohort.features:
        values = frame[name].cast(pl.String).fill_null("")
        for place, arm in enumerate(trial.arms):
            mine = values.filter(pl.Series(given == place))
            if mine.n_unique() == 1 and not (values.filter(pl.Series(given != place)) == mine[0]).any():
                raise InputError(f"{name} tells who was in arm {arm!r}: it must not be a feature",
                                 where=trial.cohort.source, hint="use what was known before the treatment was given")

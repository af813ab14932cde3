"""A cohort: rows to learn from, which columns are features, and what was known when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import InputError

Task = Literal["binary", "regression", "survival"]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
#: Who or what a row belongs to may not be learned from by mistake.
_SHOWN = 5


@dataclass(frozen=True)
class Cohort:
    """One row an example, with its outcome.

    A cohort that was made is sound: its columns are there, no outcome is unknown, and no feature was recorded after the
    row's index date or is known only after the outcome.

    Attributes:
        frame: The rows. Text columns are categories, null is unknown.
        features: Columns to learn from.
        outcome: Column of the outcome: 0 or 1, a number, or (survival) the time of event or censoring.
        task: What kind of outcome it is.
        patient: Column that says whose row it is; rows of one patient are never on both sides of a split.
        site: Column of the hospital or project, "" where there is none.
        time: Column of the index date (or of anything that orders the rows in time), "" where there is none.
        event: Survival only: column that is 1 where the event was seen, 0 where the row was censored.
        recorded: Feature → column of the date on which it was recorded, compared with `time`.
        after: Columns that are known only after the outcome or the treatment; refused as features.
        source: File or other place that messages name.
    """

    frame: pl.DataFrame = field(repr=False)
    features: tuple[str, ...]
    outcome: str
    task: Task
    patient: str = "patient_id"
    site: str = ""
    time: str = ""
    event: str = ""
    recorded: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    source: str = "cohort"

    def __post_init__(self) -> None:
        _must_have_columns(self)
        _must_be_before(self)
        _must_know_outcomes(self)

    def __len__(self) -> int:
        return self.frame.height

    @property
    def y(self) -> Floats:
        """The outcomes."""
        return self.frame[self.outcome].cast(pl.Float64).to_numpy()

    @property
    def events(self) -> Floats:
        """Survival: 1 where the event was seen."""
        return self.frame[self.event].cast(pl.Float64).to_numpy()

    @property
    def inputs(self) -> pl.DataFrame:
        """The features alone."""
        return self.frame.select(self.features)

    def rows(self, chosen: Rows) -> Cohort:
        """The cohort of these rows."""
        return replace(self, frame=self.frame[chosen])

    def without(self, names: Collection[str]) -> Cohort:
        """The same rows; nothing is learned from these features, whose columns stay for what else they are used for.

        Raises:
            InputError: for a name that is no feature, and where no feature is left.
        """
        for name in names:
            if name not in self.features:
                near = get_close_matches(name, self.features, 1)
                raise InputError(f"has no feature {name!r} to leave out", where=self.source,
                                 hint=f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(self.features)}")
        return replace(self, features=tuple(name for name in self.features if name not in names))

    def groups(self, column: str) -> NDArray[Any]:
        """A column as an array, to group rows by."""
        return self.frame[column].to_numpy()


def must_be_trainable(cohort: Cohort) -> None:
    """Refuse what nothing can be learned from.

    Raises:
        InputError: where all outcomes are the same, or features never change.
    """
    seen = cohort.frame[cohort.event if cohort.task == "survival" else cohort.outcome]
    if seen.n_unique() < 2:
        raise InputError(f"{seen.name} is {seen[0] if len(seen) else 'empty'} in every row: there is nothing to learn",
                         where=cohort.source, hint="give rows with and without the outcome")
    constant = [name for name in cohort.features if cohort.frame[name].n_unique() < 2]
    if constant:
        raise InputError(f"{_listed(constant)} never changes", where=cohort.source,
                         hint="leave it out of the features: pmed model train --without COLUMN")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _must_have_columns(cohort: Cohort) -> None:
    if not cohort.features:
        raise InputError("has no features", where=cohort.source, hint="name the columns to learn from")
    if cohort.task == "survival" and not cohort.event:
        raise InputError("survival needs the column of events", where=cohort.source)
    roles = (cohort.outcome, cohort.patient, cohort.site, cohort.time, cohort.event, *cohort.recorded.values())
    for name in (*cohort.features, *filter(None, roles)):
        if name not in cohort.frame.columns:
            near = get_close_matches(name, cohort.frame.columns, 1)
            raise InputError(f"has no column {name!r}", where=cohort.source,
                             hint=f"did you mean {near[0]!r}?" if near else "")
    if not cohort.frame.height:
        raise InputError("has no rows", where=cohort.source)
    if cohort.frame[cohort.patient].null_count():
        raise InputError(f"{cohort.patient} is unknown in some rows", where=cohort.source,
                         hint="every row must say whose it is")


def _must_be_before(cohort: Cohort) -> None:
    own = [name for name in (cohort.outcome, cohort.event, cohort.patient) if name in cohort.features]
    late = [name for name in cohort.features if name in cohort.after]
    if own:
        raise InputError(f"{own[0]} must not be a feature: it is the outcome or says whose row it is",
                         where=cohort.source)
    if late:
        raise InputError(f"{_listed(late)} is known only after the outcome or treatment: it leaks", where=cohort.source,
                         hint="leave it out of the features")
    if cohort.recorded and not cohort.time:
        raise InputError("dates of features need the column of index dates", where=cohort.source)
    for name, dated in cohort.recorded.items():
        if name in cohort.features and (rows := cohort.frame.filter(pl.col(dated) > pl.col(cohort.time)).height):
            raise InputError(f"{name} was recorded after the index date in {rows} rows: it leaks", where=cohort.source,
                             hint="use values up to the index date only")


def _must_know_outcomes(cohort: Cohort) -> None:
    for name in filter(None, (cohort.outcome, cohort.event)):
        column = cohort.frame[name]
        if not column.dtype.is_numeric() and column.dtype != pl.Boolean:
            raise InputError(f"{name} must be numbers. Got {column.dtype}", where=cohort.source)
        unknown = (~column.cast(pl.Float64).is_finite().fill_null(value=False)).arg_true()
        if len(unknown):
            raise InputError(f"{name} is unknown in {len(unknown)} rows, first in row {unknown[0] + 1}",
                             where=cohort.source, hint="leave rows without outcome out")
    flag = cohort.event if cohort.task == "survival" else cohort.outcome if cohort.task == "binary" else ""
    if flag and not set(cohort.frame[flag].cast(pl.Float64).unique()) <= {0.0, 1.0}:
        raise InputError(f"{flag} must be 0 or 1", where=cohort.source)

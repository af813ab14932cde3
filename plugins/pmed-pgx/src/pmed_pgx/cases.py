"""Patients with the same inputs of a drug as one case, so that rows are read once for each distinct case."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import repeat
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from .checks import covered, is_list, reads
from .guidelines import AGE, SCORE, Drug, Range
from .outcomes import Outcome, outcome

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_ROOM = 1 << 62  # combinations that a number has room for
_MANY = 1 << 12  # rows, from which on polars sorts their numbers sooner than numpy does
_SPARSE = 4  # numbers that may be for each one that there is, up to which a table of them is small
FEW = 32  # patients; up to so many are read one by one, which takes a hundredth of the time
RECENT = 4  # patients, or questions about one, whose outcomes the next one's are compared with
REMEMBERED = 1 << 14  # outcomes; a patient has about 450, some thousand patients have as many distinct ones


@dataclass(frozen=True)
class Coded:
    """One feature: ``values[codes[i]]`` is patient i's; None where unknown."""

    codes: Ints
    values: Sequence[Any]

    @cached_property
    def size(self) -> int:
        """One more than the highest code; 1 where all patients are alike."""
        return int(self.codes.max(initial=0)) + 1

    def of(self, rows: Ints) -> Iterable[Any]:
        """The values of some patients, without an end where all are alike."""
        return repeat(self.values[0]) if self.size == 1 else map(self.values.__getitem__, self.codes[rows].tolist())


@dataclass(frozen=True)
class Cases:
    """Every distinct outcome, and ``of[patient, drug]``, the number of the one that a patient has for a drug."""

    patients: pl.Series
    outcomes: list[Outcome]
    of: Ints

    @classmethod
    def read(cls, features: pl.DataFrame, asked: Sequence[Drug] | None = None) -> Cases:
        """The cases of all drugs, or of those `asked` for; a feature without a column is unknown to everybody."""
        wanted = tuple(covered().values()) if asked is None else tuple(asked)
        if features.height <= FEW:
            names = features.columns  # to make named rows asks for the type of every column
            # Of all drugs at once: who predicts, explains, traces and advises asks for others, of the same patient.
            every = tuple(dict.fromkeys((*covered().values(), *wanted)))
            few = [one for row in features.rows()
                   for one in _picked(wanted, every, dict(zip(names, row, strict=True)))]
            return cls(features["patient_id"], few, np.arange(len(few)).reshape(features.height, len(wanted)))
        return _of_many(features["patient_id"], wanted, [*columns(features, inputs(wanted)).values()])

    def rows(self) -> pl.DataFrame:
        """patient_id, drug and case: every patient, in order, with every drug."""
        drug = [one.drug.name for one in self.outcomes]
        case = pl.Series("case", self.of.ravel(), dtype=pl.Int64)
        return pl.DataFrame([self.patients.gather(self.numbers()).alias("patient_id"),
                             pl.Series("drug", drug, dtype=pl.String).gather(case), case])

    def numbers(self) -> pl.Series:
        """The number of each row's patient."""
        return pl.Series("number", np.repeat(np.arange(len(self.patients)), self.of.shape[1]), dtype=pl.Int64)

    @cached_property
    def places(self) -> Ints:
        """The place of each outcome's drug among those covered."""
        places = {name: place for place, name in enumerate(covered())}
        return np.array([places[one.drug.name] for one in self.outcomes], dtype=np.int64)

    def within(self, rows: pl.DataFrame, *others: pl.DataFrame) -> Bools:
        """Which of the `rows` (number, case) are of a patient and drug that one of the others (patient_id, drug) has.

        By a table of all patients and drugs: to join by their names takes ten times as long.
        """
        there = np.zeros((len(self.patients), len(covered())), dtype=np.bool_)
        for one in others:
            number, place = self.cells(one)
            known = (number >= 0) & (place >= 0)
            there[number[known], place[known]] = True
        found: Bools = there[rows["number"].to_numpy(), self.places[rows["case"].to_numpy()]]
        return found

    def within_rows(self, one: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """`one` (patient_id, drug) with the `row` of that patient and drug among `rows` (number, case), where it is."""
        at = np.full((len(self.patients) + 1, len(covered()) + 1), -1, dtype=np.int64)
        at[rows["number"].to_numpy(), self.places[rows["case"].to_numpy()]] = np.arange(rows.height)
        return one.with_columns(pl.Series("row", at[self.cells(one)])).filter(pl.col("row") >= 0)

    def placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Those `rows` (patient_id, drug) that are of somebody and something known, with `number` and `case`."""
        number, place = self.cells(rows)
        return rows.with_columns(pl.Series("number", number), pl.Series("case", self.of[number, place])).filter(
            pl.Series((number >= 0) & (place >= 0)))

    def cells(self, rows: pl.DataFrame) -> tuple[Ints, Ints]:
        """The number of each row's patient, and the place of its drug; -1 where there is none."""
        return numbered(rows["patient_id"], self.patients.to_list()), numbered(rows["drug"], covered())


@dataclass(frozen=True)
class _Last:
    """What was read last, and of what."""

    patients: pl.Series
    asked: tuple[Drug, ...]
    columns: Sequence[pl.Series]
    cases: Cases

    def is_of(self, patients: pl.Series, asked: tuple[Drug, ...], columns: Sequence[pl.Series]) -> bool:
        """Whether this would be read again."""
        return asked == self.asked and patients.equals(self.patients) and all(
            one.dtype == before.dtype and one.equals(before) for one, before in zip(columns, self.columns, strict=True))


_last: list[_Last] = []
# Drugs, the values of their inputs, and the outcomes, of those read last; replaced as a whole.
_recent: list[tuple[tuple[Drug, ...], tuple[Any, ...], tuple[Outcome, ...]]] = []


def _of_many(patients: pl.Series, asked: tuple[Drug, ...], given: Sequence[pl.Series]) -> Cases:
    """Cases of what is `given` for all `inputs`; of the same patients they are read twice, to predict and to advise."""
    if _last and _last[0].is_of(patients, asked, given):
        return _last[0].cases
    coded = _coded(given, asked)
    outcomes: list[Outcome] = []
    of = np.empty((len(patients), len(asked)), dtype=np.int64)
    for number, drug in enumerate(asked):
        mine = [coded[name] for name in reads(drug)]
        where, first = distinct([one.codes for one in mine], len(patients), [one.size for one in mine])
        of[:, number] = where + len(outcomes)
        outcomes += [remembered(drug, *values) for _, *values in zip(first, *(one.of(first) for one in mine),
                                                                     strict=False)]
    cases = Cases(patients, outcomes, of)
    _last[:] = [_Last(patients, asked, given, cases)]
    return cases


# Predicting, explaining, tracing and advising read the same cases, and so does the next question about a patient.
# Typed: 1 and True are equal, but not the same in words.
@lru_cache(maxsize=REMEMBERED, typed=True)
def remembered(drug: Drug, *values: Any) -> Outcome:
    """The outcome for the values of what the drug `reads`, in that order."""
    return outcome(drug, dict(zip(reads(drug), values, strict=True)))


def numbered(names: pl.Series, known: Iterable[str]) -> Ints:
    """The place of each name among those known, -1 where it is none of them."""
    places = {name: place for place, name in enumerate(known)}
    return np.array([places.get(name, -1) for name in names.to_list()], dtype=np.int64)


def distinct(columns: Sequence[Ints], height: int, sizes: Sequence[int] | None = None) -> tuple[Ints, Ints]:
    """For each row the number of its combination, and for each combination its first row.

    `sizes` are one more than the highest number of each column, if they are known.
    """
    combined, many = np.zeros(height, dtype=np.int64), 1
    for codes, size in zip(columns, sizes or [int(codes.max(initial=0)) + 1 for codes in columns], strict=True):
        if size == 1:  # all alike: mostly what nobody knows
            continue
        if many * size > _ROOM:
            combined, kept = _numbered(combined, many)
            many = len(kept)
        combined, many = combined * size + codes, many * size
    return _numbered(combined, many)


def _numbered(numbers: Ints, many: int) -> tuple[Ints, Ints]:
    """`distinct` of numbers below `many`, in their order."""
    sparse = many > _SPARSE * len(numbers)
    if sparse and len(numbers) <= _MANY:
        _, first, where = np.unique(numbers, return_index=True, return_inverse=True)
        return where.astype(np.int64), first.astype(np.int64)
    if sparse:
        numbers, many = pl.Series(numbers).rank("dense").to_numpy().astype(np.int64), len(numbers) + 1
    # By a table of all numbers there may be: to sort those that there are takes longer.
    rows = np.zeros(many, dtype=np.int32)
    rows[numbers[::-1]] = np.arange(len(numbers), 0, -1, dtype=np.int32)
    there = np.flatnonzero(rows)
    first = rows[there].astype(np.int64) - 1
    rows[there] = np.arange(len(there), dtype=np.int32)
    return rows[numbers].astype(np.int64), first


@lru_cache(maxsize=64)
def inputs(asked: tuple[Drug, ...]) -> tuple[str, ...]:
    """Every feature that the rows and checks of those drugs look at."""
    return tuple(dict.fromkeys(name for drug in asked for name in reads(drug)))


def several(feature: str) -> str:
    """The feature that lists the possible values of a phenotype: ``phenotypes:X`` for ``phenotype:X``, else itself."""
    return f"phenotypes:{feature.partition(':')[2]}" if feature.startswith("phenotype:") else feature


def columns(features: pl.DataFrame, names: Iterable[str]) -> dict[str, pl.Series]:
    """Inputs; for a phenotype that is not certain, the possible ones as ``A or B``. NaN is unknown."""
    known = set(features.columns)  # listed once: there may be a thousand
    return {name: _column([features[one] for one in dict.fromkeys((name, several(name))) if one in known],
                          name, features.height) for name in names}


def _column(known: list[pl.Series], name: str, height: int) -> pl.Series:
    filled = [one for one in known if one.dtype != pl.Null()]
    if not filled:
        return pl.Series(name, [None] * height, dtype=pl.Null())
    first = filled[0].fill_nan(None) if filled[0].dtype.is_float() else filled[0]
    return (first if len(filled) == 1 or not first.null_count() else first.fill_null(filled[1])).alias(name)


def _coded(given: Sequence[pl.Series], asked: tuple[Drug, ...]) -> dict[str, Coded]:
    bounds = _bounds(asked)
    return {name: _binned(values, bounds[name]) if name in bounds else _code(values)
            for name, values in zip(inputs(asked), given, strict=True)}


def _alone(known: dict[str, Any], asked: tuple[Drug, ...]) -> list[Any]:
    """The `inputs` of one patient, without a column for each, which is what takes the time there."""
    bounds = _bounds(asked)
    own = {name: value_of(known, name) for name in inputs(asked)}
    return [_bin(value, bounds[name]) if name in bounds else value for name, value in own.items()]


def _picked(wanted: tuple[Drug, ...], every: tuple[Drug, ...], known: dict[str, Any]) -> Iterable[Outcome]:
    """One patient's outcomes of the drugs that are `wanted`, of those of `every` drug."""
    found = _outcomes(every, *_alone(known, every))
    if wanted == every:
        return found
    place = {drug: number for number, drug in enumerate(every)}
    return [found[place[drug]] for drug in wanted]


# Typed, as is `remembered`.
@lru_cache(maxsize=64, typed=True)
def _outcomes(asked: tuple[Drug, ...], *values: Any) -> tuple[Outcome, ...]:
    """One patient's outcome of each drug, for the values of the `inputs`; most are those of a patient like this one."""
    given = dict(zip(inputs(asked), values, strict=True))
    anew, like = _nearest(asked, values)
    found = dict(enumerate(like))
    for number in anew:
        found[number] = remembered(asked[number], *(given[name] for name in reads(asked[number])))
    made = tuple(found[number] for number in range(len(asked)))
    _recent[:] = [(asked, values, made), *_recent[:RECENT - 1]]
    return made


def _nearest(asked: tuple[Drug, ...], values: tuple[Any, ...]) -> tuple[Sequence[int], tuple[Outcome, ...]]:
    """Which drugs look at a value that differs from those of the most like among the recent patients, and its outcomes.

    A question about a patient changes a few values: the drugs that look at none of them are as before.
    """
    least: tuple[Sequence[int], tuple[Outcome, ...]] = range(len(asked)), ()
    for before, then, made in _recent:
        if before == asked:
            differing = [place for place, (old, new) in enumerate(zip(then, values, strict=True))
                         if old is not new and (old != new or type(old) is not type(new))]
            readers = _readers(asked)
            anew = {number for place in differing for number in readers[place]}
            least = min(least, (sorted(anew), made), key=lambda one: len(one[0]))
    return least


@lru_cache(maxsize=4)
def _readers(asked: tuple[Drug, ...]) -> tuple[tuple[int, ...], ...]:
    """For each of the `inputs` the numbers of the drugs that look at it."""
    found: dict[str, list[int]] = {name: [] for name in inputs(asked)}
    for number, drug in enumerate(asked):
        for name in reads(drug):
            found[name].append(number)
    return tuple(map(tuple, found.values()))


def value_of(known: Mapping[str, Any], name: str) -> Any:
    """The value of its column in `columns`."""
    value = known.get(name)
    if value is None:
        return known.get(several(name))
    return None if isinstance(value, float) and isnan(value) else value


def _bin(value: Any, bounds: Sequence[float]) -> float | None:
    """The value of `_binned`."""
    if value is None:
        return None
    place = bisect_right(bounds, float(value))
    return bounds[place - 1] if place else min(0.0, bounds[0] - 1.0)


@lru_cache(maxsize=64)
def _bounds(asked: tuple[Drug, ...]) -> dict[str, list[float]]:
    """For each number that rows or checks compare with bounds: the bounds, in order."""
    ranges = [(AGE, row.ages) for drug in asked for row in drug.rows if row.ages]
    ranges += [(name, one) for drug in asked for row in (*drug.rows, *drug.checks) for name, each in row.when.items()
               for one in each if isinstance(one, Range) and not is_list(name) and not name.startswith(SCORE)]
    found: dict[str, set[float]] = {}
    for name, one in ranges:
        found.setdefault(name, set()).update((one.low, one.high))
    return {name: sorted(bound for bound in bounds if np.isfinite(bound)) for name, bounds in found.items()}


def _code(values: pl.Series) -> Coded:
    if values.null_count() == values.len():
        return Coded(np.zeros(values.len(), dtype=np.int64), [None])
    places: dict[Any, int] = {}
    codes = [places.setdefault(value, len(places)) for value in values.to_list()]
    return Coded(np.array(codes, dtype=np.int64), list(places) or [None])


def _binned(values: pl.Series, bounds: Sequence[float]) -> Coded:
    """Numbers between the same bounds are alike; the lower bound stands for them, and one less for the lowest."""
    numbers = values.cast(pl.Float64).to_numpy()
    codes = np.where(np.isnan(numbers), len(bounds) + 1, np.searchsorted(bounds, numbers, side="right"))
    return Coded(codes.astype(np.int64), [min(0.0, bounds[0] - 1.0), *bounds, None])

"""Patients with the same inputs of a drug as one case, so that rows are read once for each distinct case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from .guidelines import AGE, Drug, drugs
from .outcomes import Outcome, outcome

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """One feature: ``values[codes[i]]`` is patient i's; None where unknown."""

    codes: Ints
    values: Sequence[Any]


@dataclass(frozen=True)
class Cases:
    """Every distinct outcome, and ``of[patient, drug]``, the number of the one that a patient has for a drug."""

    patients: pl.Series
    outcomes: list[Outcome]
    of: Ints

    @classmethod
    def read(cls, features: pl.DataFrame, asked: Sequence[Drug] | None = None) -> Cases:
        """The cases of all drugs, or of those `asked` for; a feature without a column is unknown to everybody."""
        wanted = list(drugs().values()) if asked is None else asked
        coded = _coded(features, wanted)
        outcomes: list[Outcome] = []
        of = np.empty((features.height, len(wanted)), dtype=np.int64)
        for number, drug in enumerate(wanted):
            where, first = distinct([coded[name].codes for name in drug.inputs], features.height)
            of[:, number] = where + len(outcomes)
            outcomes += [outcome(drug, {name: coded[name].values[coded[name].codes[row]] for name in drug.inputs})
                         for row in first.tolist()]
        return cls(features["patient_id"], outcomes, of)

    def rows(self) -> pl.DataFrame:
        """patient_id, drug and case: every patient, in order, with every drug."""
        drug = [one.drug.name for one in self.outcomes]
        case = pl.Series("case", self.of.ravel(), dtype=pl.Int64)
        patient = np.repeat(np.arange(len(self.patients)), self.of.shape[1])
        return pl.DataFrame([self.patients.gather(patient).alias("patient_id"),
                             pl.Series("drug", drug, dtype=pl.String).gather(case), case])


def distinct(columns: Sequence[Ints], height: int) -> tuple[Ints, Ints]:
    """For each row the number of its combination, and for each combination its first row."""
    combined = np.zeros(height, dtype=np.int64)
    for codes in columns:
        combined = np.unique(combined * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1].astype(np.int64)
    _, first, where = np.unique(combined, return_index=True, return_inverse=True)
    return where.astype(np.int64), first.astype(np.int64)


def inputs(asked: Sequence[Drug]) -> tuple[str, ...]:
    """Every feature that the rows of those drugs look at."""
    return tuple(dict.fromkeys(name for drug in asked for name in drug.inputs))


def several(feature: str) -> str:
    """The feature that lists the possible values of a phenotype: ``phenotypes:X`` for ``phenotype:X``, else itself."""
    return f"phenotypes:{feature.partition(':')[2]}" if feature.startswith("phenotype:") else feature


def column(features: pl.DataFrame, name: str) -> pl.Series:
    """An input; for a phenotype that is not certain, the possible ones as ``A or B``. NaN is unknown."""
    known = [features[one] for one in dict.fromkeys((name, several(name))) if one in features.columns]
    filled = [one for one in known if one.dtype != pl.Null()]
    if not filled:
        return pl.Series(name, [None] * features.height, dtype=pl.Null())
    first = filled[0].fill_nan(None) if filled[0].dtype.is_float() else filled[0]
    return (first if len(filled) == 1 else first.fill_null(filled[1])).alias(name)


def _coded(features: pl.DataFrame, asked: Sequence[Drug]) -> dict[str, Coded]:
    return {name: _ages(column(features, name), asked) if name == AGE else _code(column(features, name))
            for name in inputs(asked)}


def _code(values: pl.Series) -> Coded:
    distinct_values = values.unique(maintain_order=True)
    if values.len() == 0 or values.dtype == pl.Null():
        return Coded(np.zeros(values.len(), dtype=np.int64), [None])
    numbered = pl.DataFrame([distinct_values, pl.int_range(distinct_values.len(), eager=True).alias("code")])
    codes = values.to_frame().join(numbered, on=values.name, how="left", nulls_equal=True, maintain_order="left")
    return Coded(codes["code"].to_numpy().astype(np.int64), distinct_values.to_list())


def _ages(values: pl.Series, asked: Sequence[Drug]) -> Coded:
    """Ages between the same bounds of the rows are alike; the lower bound stands for them."""
    spans = {row.ages for drug in asked for row in drug.rows if row.ages}
    bounds = sorted({bound for span in spans for bound in (span.low, span.high)})
    ages = values.cast(pl.Float64).to_numpy()
    codes = np.where(np.isnan(ages), len(bounds) + 1, np.searchsorted(bounds, ages, side="right"))
    return Coded(codes.astype(np.int64), [min([0.0, *bounds]), *bounds, None])

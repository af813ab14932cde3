"""Predictor: the concern level of each guideline drug from the patient's gene results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from pmed import Card

from . import trace as steps
from .guidelines import CONCERN, Drug, drugs

UNIT = "concern level"
COLUMNS = ("patient_id", "target", "value", "unit", "low", "high", "label", "status", "reason")


def inputs() -> tuple[str, ...]:
    """Every feature the rows look at."""
    return tuple(dict.fromkeys(name for drug in drugs().values() for name in drug.reference))


@dataclass(frozen=True)
class GuidelinePredictor:
    """Concern level of each covered drug by the guideline row that fits the patient's phenotypes.

    0 standard, 1 monitor, 2 adjust, 3 alternative, 4 avoid. A drug with an unknown input, or with a result that the
    guideline makes no recommendation for, is not assessed: never "standard".
    """

    name: ClassVar[str] = "cpic"
    kind: ClassVar[Any] = "pharmacogenomic"
    needs: ClassVar[tuple[str, ...]] = ()
    wants: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys((*inputs(), *steps.wants())))
    gives: ClassVar[tuple[str, ...]] = tuple(drugs())
    card: ClassVar[Card] = Card(
        version="1.0",
        summary="Concern level of a drug by the row of the CPIC guideline that fits the patient's gene results.",
        intended_use="Decision support for prescribers; a look-up, not a model.",
        populations="As each guideline row states.",
        references=tuple(dict.fromkeys(one["citation"] for drug in drugs().values() for one in drug.evidence)),
        unit=UNIT,
        range=(0.0, max(CONCERN.values())),
        limits="Genes and drugs of the embedded release only; interactions between medicines are not part of it.")

    def reference(self, target: str) -> Mapping[str, Any]:
        """The inputs of `target`, with the values for which it is used as labelled."""
        return dict(drugs()[target].reference)

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient and drug, patients in input order, drugs in alphabetical order."""
        numbered = features.with_row_index("_patient")
        parts = [_assess(numbered, drug) for drug in drugs().values()]
        return pl.concat(parts).sort("_patient", maintain_order=True).select(COLUMNS)

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """The steps from the sites to the guideline row, numbered from 1: patient_id, target, step, text."""
        return steps.trace(features, predictions)


def _assess(features: pl.DataFrame, drug: Drug) -> pl.DataFrame:
    unknown = pl.any_horizontal(pl.col(name).is_null() for name in drug.reference)
    number: Any = pl.when(unknown).then(None)  # a chain of when/then changes its type with every link
    for rank, row in enumerate(drug.rows):
        number = number.when(row.fits()).then(pl.lit(rank, dtype=pl.Int64))
    found = features.select("_patient", "patient_id", _row=number.otherwise(None).cast(pl.Int64), reason=_reason(drug))
    said = pl.DataFrame({"_row": range(len(drug.rows)), "value": [row.concern for row in drug.rows],
                         "label": [row.key for row in drug.rows]},
                        schema={"_row": pl.Int64, "value": pl.Float64, "label": pl.String})
    empty = pl.lit(None, dtype=pl.Float64)
    assessed = pl.col("label").is_not_null()
    return found.join(said, on="_row", how="left", maintain_order="left").select(
        "_patient", "patient_id", "value", "label", target=pl.lit(drug.name), unit=pl.lit(UNIT), low=empty, high=empty,
        status=pl.when(assessed).then(pl.lit("assessed")).otherwise(pl.lit("not-assessed")),
        reason=pl.when(~assessed).then("reason"))


def _reason(drug: Drug) -> pl.Expr:
    """Why no row fits: the unknown inputs, or else what the guideline is silent about."""
    missing = pl.concat_str([pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in drug.reference],
                            separator=", ", ignore_nulls=True)
    values = pl.concat_str([pl.lit(name.partition(":")[2] + " ") + pl.col(name).cast(pl.String)
                            for name in drug.reference], separator=", ", ignore_nulls=True)
    silent = pl.lit("no guideline row for ") + values
    return pl.when(missing != "").then(pl.lit("needs ") + missing).otherwise(silent)

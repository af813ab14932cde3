"""Predictor: the concern level of each guideline drug from the patient's gene results, age and indications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import polars as pl

from pmed import Card

from . import trace as steps
from .cases import REMEMBERED, Cases, inputs, several
from .checks import covered
from .guidelines import CONCERN, drugs
from .medicines import UNREAD
from .outcomes import Outcome
from .wording import reason, silence

UNIT = "concern level"
COLUMNS = ("patient_id", "target", "value", "unit", "low", "high", "label", "status", "reason")
_NUMBER = pl.lit(None, dtype=pl.Float64)


def wants() -> tuple[str, ...]:
    """Every feature that the rows, the trace or a caution look at."""
    read = inputs(tuple(covered().values()))
    return tuple(dict.fromkeys((*read, *map(several, read), *steps.wants(), UNREAD)))


@dataclass(frozen=True)
class GuidelinePredictor:
    """Concern level of each covered drug by the guideline row that leads for the patient.

    0 standard, 1 monitor, 2 adjust, 3 alternative, 4 avoid. A drug of which an unknown input leaves a more concerned
    row open, or with a result that the guideline makes no recommendation for, is not assessed: never "standard". A drug
    that only checks are about, of which none holds, is "not-applicable".
    """

    name: ClassVar[str] = "pgx-guidelines"
    kind: ClassVar[Any] = "pharmacogenomic"
    needs: ClassVar[tuple[str, ...]] = ()
    wants: ClassVar[tuple[str, ...]] = wants()
    gives: ClassVar[tuple[str, ...]] = tuple(covered())
    card: ClassVar[Card] = Card(
        version="2.0",
        summary="Concern level of a drug by the guideline row and the checks that fit the patient.",
        intended_use="Decision support for prescribers; a look-up, not a model.",
        populations="As each guideline row states.",
        references=tuple(dict.fromkeys(one["citation"] for drug in drugs().values() for one in drug.evidence)),
        unit=UNIT,
        range=(0.0, max(CONCERN.values())),
        limits="Genes, drugs and checks of the embedded release only: what it does not name is not looked at.")

    def reference(self, target: str) -> Mapping[str, Any]:
        """The inputs of `target`, with the values for which it is used as labelled; no finding is on record (None)."""
        return dict(covered()[target].inputs)

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient and drug, patients in input order, drugs in alphabetical order."""
        cases = Cases.read(features)
        said = pl.DataFrame([_said(one) for one in cases.outcomes], orient="row", schema={
            "value": pl.Float64(), "label": pl.String(), "status": pl.String(), "reason": pl.String()})
        rows = cases.rows().rename({"drug": "target"})
        return rows.hstack(said[rows["case"]]).select(
            pl.lit(UNIT).alias(one) if one == "unit" else _NUMBER.alias(one) if one in {"low", "high"} else one
            for one in COLUMNS)

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """The steps from the sites to the guideline row, numbered from 1: patient_id, target, step, text."""
        return steps.trace(features, predictions)


@lru_cache(maxsize=REMEMBERED)
def _said(one: Outcome) -> tuple[float | None, str | None, str, str | None]:
    if one.lead:
        return one.lead.concern, one.lead.key, "assessed", None
    if not one.drug.rows:
        return None, None, "not-applicable", silence(one)
    return None, None, "not-assessed", reason(one)

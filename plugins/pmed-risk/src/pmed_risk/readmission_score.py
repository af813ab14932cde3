"""The predictor ``readmission-30d`` and its explanation, by the model that this package ships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from pmed import Card
from pmed.errors import InputError
from pmed.modelling import MAIN, Model, load_model, tree_explanations
from pmed.verdicts import all_reasons, inputs, needs, number, outside, predictions, steps

from .admissions import DIAGNOSES, GONE, HISTORY, NUMBERS, TOLD, features
from .readmission import NAME, SHIPPED

_PREFIX: Final = "admission:"
_UNIT: Final = "%"
_MUST: Final = ("age", "time_in_hospital", "number_inpatient", "number_diagnoses", "discharge_disposition_id")
_NUMERIC: Final = ("age", *NUMBERS, *HISTORY)
#: The commonest admission of the training rows; it only says the type of each input.
_TYPICAL: Final[Mapping[str, Any]] = {
    "age": 75.0, "time_in_hospital": 3.0, "num_lab_procedures": 43.0, "num_procedures": 0.0, "num_medications": 13.0,
    "number_outpatient": 0.0, "number_emergency": 0.0, "number_inpatient": 0.0, "number_diagnoses": 9.0,
    "earlier_admissions": 0.0, "earlier_returns": 0.0, "soon_after_last": 0.0,
    "race": "Caucasian", "gender": "Female", "admission_type_id": "1", "discharge_disposition_id": "1",
    "admission_source_id": "7", "payer_code": "MC", "medical_specialty": "InternalMedicine", "max_glu_serum": "None",
    "A1Cresult": "None", "change": "No", "diabetesMed": "Yes", "metformin": "No", "repaglinide": "No",
    "glimepiride": "No", "glipizide": "No", "glyburide": "No", "pioglitazone": "No", "rosiglitazone": "No",
    "insulin": "No", "diag_1": "428", "diag_2": "276", "diag_3": "250"}


@dataclass(frozen=True)
class Readmission:
    """Chance (%) of a readmission within 30 days of discharge, for people with diabetes."""

    name: ClassVar[str] = NAME
    kind: ClassVar[Any] = "risk"
    needs: ClassVar[tuple[str, ...]] = tuple(_PREFIX + name for name in _MUST)
    wants: ClassVar[tuple[str, ...]] = tuple(_PREFIX + name for name in TOLD if name not in _MUST)
    gives: ClassVar[tuple[str, ...]] = ("readmission-30d-risk",)
    card: ClassVar[Card] = Card(
        version="1.1",
        summary="Chance of a readmission within 30 days of discharge, learned from US hospitals.",
        intended_use="Planning of follow-up for people with diabetes who leave hospital.",
        populations="Admissions of people with diabetes to 130 US hospitals, 1999 to 2008.",
        references=("doi:10.1155/2014/781670", "doi:10.24432/C5230J"),
        unit=_UNIT,
        range=(0.0, 100.0),
        limits="Tells people apart poorly; `pmed model card readmission-30d` says how well and in whom.")

    @property
    def accepts(self) -> tuple[str, ...]:
        """Inputs by the names of the data set."""
        return TOLD

    def read_input(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Features of one object of inputs; a code may come as a number, age as years or as a band ``[70-80)``.

        Raises:
            InputError: naming the input whose value is of the wrong type.
        """
        return {_PREFIX + name: _read(name, value) for name, value in item.items() if value not in (None, "?")}

    def reference(self, target: str) -> Mapping[str, Any]:  # noqa: ARG002 - there is one target
        """A common admission."""
        return {_PREFIX + name: value for name, value in _TYPICAL.items()}

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient: the chance in per cent, or why there is none."""
        frame = _told(features)
        apart = frame.select(apart=_apart()).to_series()
        reason = frame.select(reason=all_reasons(*_reasons(known=bool(apart.is_null().any())))).to_series()
        asked = (apart.is_null() & reason.is_null()).to_numpy()
        value = np.full(frame.height, np.nan)
        if asked.any():
            value[asked] = 100 * model().predict(_inputs(frame.filter(asked)))
        given = frame.with_columns(pl.Series("value", value).fill_nan(None), pl.coalesce(apart, reason).alias("reason"))
        rows = predictions(given, target=self.gives[0], value=pl.col("value"), unit=_UNIT, reason=pl.col("reason"))
        return rows.with_columns(
            status=pl.when(apart.is_not_null()).then(pl.lit("not-applicable")).otherwise("status"))

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """What was known of the admission, and the result."""
        wanted = predictions.filter(pl.col("status") == "assessed").select("patient_id", "value")
        frame = _told(features).join(wanted, on="patient_id", maintain_order="left")
        shown = {name: number(pl.col(name)) if name in _NUMERIC else pl.col(name) for name in TOLD}
        texts = [pl.format(f"{name}: {{}}.", text) for name, text in shown.items()]
        last = pl.format(f"Readmission within 30 days: {{}} % (model of {model().card.n} admissions, version "
                         f"{model().card.version}).", number(pl.col("value"), 1))
        return steps(frame, target=self.gives[0], texts=[*texts, last])


@dataclass(frozen=True)
class ReadmissionExplainer:
    """TreeSHAP of the readmission model, in percentage points."""

    name: ClassVar[str] = "readmission-tree-shap"

    def explain(self, predictor: Any, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """A row for each input that was told; all that follows from the diagnoses is one."""
        asked = predictions.select("patient_id").join(_told(features), on="patient_id", how="left",
                                                      maintain_order="left")
        codes = pl.concat_str(DIAGNOSES, separator=", ", ignore_nulls=True)
        frame = _inputs(asked.with_columns(codes.alias(_PREFIX + "diagnoses")))
        shown = {name: _shown(name) for name in model().trees[MAIN].encoding.names}
        told = {_PREFIX + name: name for name in TOLD}
        made = tree_explanations(model(), frame, shown, scale=100.0, told=told)
        return made.with_columns(target=pl.lit(predictor.gives[0]), unit=pl.lit(_UNIT))


@lru_cache(maxsize=1)
def model() -> Model:
    """The model of this package, read once."""
    return load_model(SHIPPED)


def _told(features: pl.DataFrame) -> pl.DataFrame:
    typed = inputs(features, {_PREFIX + name: value for name, value in _TYPICAL.items()})
    return typed.rename({_PREFIX + name: name for name in TOLD})


def _inputs(told: pl.DataFrame) -> pl.DataFrame:
    return features(told)


def _shown(name: str) -> str:
    """Chapters and codes are made of the diagnoses."""
    return _PREFIX + ("diagnoses" if name.startswith(("diag_", "icd9_")) else name)


def _apart() -> pl.Expr:
    """Why the model has nothing to say of a patient."""
    nothing = pl.all_horizontal(pl.col(name).is_null() for name in TOLD)
    return pl.coalesce(
        pl.when(nothing).then(pl.lit("needs an admission to hospital: none is known")),
        pl.when(pl.col("discharge_disposition_id").is_in(GONE)).then(pl.lit("died, or left for a hospice")))


def _reasons(*, known: bool) -> list[pl.Expr]:
    """What keeps the chance from being given; the model is asked for its ranges only where somebody was in hospital."""
    missing = needs(_MUST)
    if not known:
        return [missing]
    ranges = {one.name: one for one in model().trees[MAIN].encoding.columns if one.name in _NUMERIC}
    where = "(the range of the training rows)"
    return [missing, *(outside(name, one.low, one.high, where) for name, one in ranges.items())]


def _read(name: str, value: Any) -> Any:
    if name == "age" and isinstance(value, str):
        band = pl.Series([value]).str.extract(r"^\[(\d+)-\d+\)$")[0]
        if band is None:
            raise InputError(f"must be years or a band like [70-80). Got {value!r}", where=name)
        return float(band) + 5
    if name in _NUMERIC:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"must be a number. Got {value!r}", where=name, hint="leave out what is not known")
        return float(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"must be a text or code. Got {value!r}", where=name, hint="leave out what is not known")
    return str(value)

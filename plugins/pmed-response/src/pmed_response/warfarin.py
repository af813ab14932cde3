"""Predictor: the warfarin dose that keeps a patient at the target INR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from pmed import Card
from pmed.modelling import Model, load_model
from pmed.plans import as_written
from pmed.repeats import unless_repeated
from pmed.verdicts import all_reasons, inputs, needs, number, outside, predictions, signed, steps

from . import iwpc
from .dose_inputs import AZOLES, STATINS, SULFONAMIDES, USUAL_INR, published
from .dose_members import learned
from .dose_model import NAME, SHIPPED, interval
from .kernel import Kernel, kernel_from

TARGET: Final = "warfarin-weekly-dose"
UNIT: Final = "mg/week"
GENE: Final = "diplotype:CYP2C9"
SITE: Final = "genotype:rs9923231"
INR: Final = "target-inr"
LEVEL: Final = 0.9
#: Inputs with limits: low, high, unit.
LIMITS: Final = {"age": (18, 100, "years"), "height": (130, 220, "cm"), "weight": (30, 250, "kg"), INR: (1.5, 4, "INR")}
#: Medicines that the equation asks for: unknown is not "no".
DRUGS: Final = tuple(f"on:{drug}" for drug in ("amiodarone", *iwpc.INDUCERS))
#: Medicines and findings that count only where they are on record, as in the data.
RECORDED: Final = (*(f"on:{drug}" for drug in ("aspirin", *STATINS, *AZOLES, *SULFONAMIDES)), "condition:diabetes",
                   "condition:heart-failure", "condition:venous-thromboembolism", "condition:atrial-fibrillation",
                   "condition:heart-valve-replacement")
REFERENCE: Final[Mapping[str, Any]] = {
    "age": 65.0, "height": 170.0, "weight": 80.0, GENE: "*1/*1", SITE: "C/C", "ancestry": "White",
    **dict.fromkeys(DRUGS, False), "sex": "male", "smoking-status": "never", INR: USUAL_INR,
    **dict.fromkeys(RECORDED, False),
}
_NEEDS: Final = ("age", "height", "weight", GENE, SITE, *DRUGS)
#: The terms of the equation, in the order of the trace.
_PARTS: Final = ("start", "age", "height", "weight", "vkorc1", "cyp2c9", "race", "inducer", "amiodarone")


@dataclass(frozen=True)
class WarfarinDose:
    """Stable weekly warfarin dose (mg/week) from CYP2C9, VKORC1 and clinical factors, with a 90 % interval."""

    name: ClassVar[str] = NAME
    kind: ClassVar[Any] = "treatment-response"
    needs: ClassVar[tuple[str, ...]] = _NEEDS
    wants: ClassVar[tuple[str, ...]] = tuple(name for name in REFERENCE if name not in _NEEDS)
    gives: ClassVar[tuple[str, ...]] = (TARGET,)
    card: ClassVar[Card] = Card(
        version="1.1",
        summary="Stable weekly warfarin dose: mean of the IWPC pharmacogenetic equation and a learned model.",
        intended_use="Adults who start warfarin or whose dose is set anew, target INR 2 to 3. Compared with a "
                     "reference patient: White man, 65 years, 170 cm, 80 kg, CYP2C9 *1/*1, rs9923231 C/C, target INR "
                     "2.5, no smoker, none of the medicines and diseases.",
        populations="Equation: 4,043 patients of 21 sites in 9 countries; learned model: 4,292 patients of 18 of these "
                    "sites. White, Asian and Black; other and mixed ancestry shares one term with ancestry that is "
                    "not recorded.",
        references=("PMID:19228618",),
        unit=UNIT,
        range=(0, 150),
        limits="Fewer than half of patients end within 20 % of this dose; the interval holds 90 %. `pmed model card "
               "warfarin-dose` says how good it is in whom. Without both genotypes there is no estimate, nor where a "
               "record does not settle whether amiodarone or an enzyme inducer is taken; other medicines, smoking, "
               "diabetes, heart failure and why warfarin is taken count where they are on record. CYP2C9 alleles other "
               "than *1, *2 and *3, which matter most in people of African ancestry, are outside it. Diet, liver "
               "disease and other interacting medicines are not in it.",
    )

    def reference(self, target: str) -> Mapping[str, Any]:
        """White man, 65 years, 170 cm, 80 kg, no variant, no medicine and no disease; every input."""
        return REFERENCE if target == TARGET else {}

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient: mg a week with its 90 % interval, or why it was not assessed."""
        frame = inputs(features, REFERENCE).with_columns(_reason=_reason())
        asked = frame["_reason"].is_null().to_numpy()
        made = np.full((frame.height, 3), np.nan)
        if asked.any():
            made[asked] = _doses(dose_inputs(frame.filter(asked)))
        frame = frame.with_columns(pl.Series(name, made[:, place]).fill_nan(None)
                                   for place, name in enumerate(("_value", "_low", "_high")))
        rows = predictions(frame, target=TARGET, value=pl.col("_value"), unit=UNIT, reason=pl.col("_reason"))
        return rows.with_columns(frame["_low"].alias("low"), frame["_high"].alias("high"))

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """The equation term by term, the learned model, and their mean."""
        wanted = predictions.filter((pl.col("target") == TARGET) & (pl.col("status") == "assessed"))
        frame = _terms(inputs(features, REFERENCE).join(
            wanted.select("patient_id", "value", "low", "high"), on="patient_id", maintain_order="right"))
        return steps(frame.hstack(halves(dose_inputs(frame))), target=TARGET, texts=_texts())


@lru_cache(maxsize=1)
def model() -> Model:
    """The model of this package, read once."""
    return load_model(SHIPPED)


@lru_cache(maxsize=1)
def kernel() -> Kernel:
    """Its kernel."""
    return kernel_from(model().extra["kernel"])


def dose_inputs(frame: pl.DataFrame) -> pl.DataFrame:
    """The inputs by the names of the model (`dose_inputs.FEATURES`); what is not on record counts as absent."""
    return _dose_inputs(frame[["patient_id", *REFERENCE]])


@unless_repeated
def _dose_inputs(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(_told())


@cache
def _told() -> list[pl.Expr]:
    def any_of(*drugs: str) -> pl.Expr:
        return pl.any_horizontal(pl.col(f"on:{drug}").fill_null(value=False) for drug in drugs)

    made = {
        "race": iwpc.race_group(pl.col("ancestry")), "vkorc1": pl.col(SITE), "cyp2c9": pl.col(GENE),
        "amiodarone": pl.col("on:amiodarone"), "inducer": any_of(*iwpc.INDUCERS), "statin": any_of(*STATINS),
        "azole": any_of(*AZOLES), "sulfonamide": any_of(*SULFONAMIDES), "aspirin": any_of("aspirin"),
        "smoker": (pl.col("smoking-status") == "current").fill_null(value=False),
        "diabetes": pl.col("condition:diabetes").fill_null(value=False),
        "heart_failure": pl.col("condition:heart-failure").fill_null(value=False),
        "vein_thrombosis": pl.col("condition:venous-thromboembolism").fill_null(value=False),
        "atrial_fibrillation": pl.col("condition:atrial-fibrillation").fill_null(value=False),
        "heart_valve": pl.col("condition:heart-valve-replacement").fill_null(value=False),
        "target_inr": pl.col(INR).fill_null(USUAL_INR)}
    return [*map(pl.col, ("patient_id", "age", "height", "weight", "sex")),
            *(expression.alias(name) for name, expression in made.items())]


@unless_repeated  # to predict, to explain and to trace ask for the same rows, and so does many a question
def halves(told: pl.DataFrame) -> pl.DataFrame:
    """mg/week for rows of the model's inputs, by the equation and by the learned model: _equation, _learned."""
    none = np.zeros(0)
    equation, model = (published(told), learned(kernel(), told)) if told.height else (none, none)
    return pl.DataFrame([pl.Series("_equation", equation, dtype=pl.Float64),
                         pl.Series("_learned", model, dtype=pl.Float64)])


def weekly(told: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """mg/week for rows of the model's inputs; processors differ in the digits that are left out."""
    both = halves(told)
    return np.asarray(((both["_equation"].to_numpy() + both["_learned"].to_numpy()) / 2).round(9), dtype=np.float64)


def _doses(told: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows × (dose, low, high)."""
    dose = weekly(told)
    return np.column_stack([dose, *interval(model(), told, dose, LEVEL)])


def _terms(frame: pl.DataFrame) -> pl.DataFrame:
    """Inputs with `race`, and each term of the equation as ``+term``."""
    groups, parts = _parts()
    return frame.lazy().with_columns(groups).with_columns(parts).pipe(as_written)


@cache
def _parts() -> tuple[list[pl.Expr], list[pl.Expr]]:
    groups = [iwpc.race_group(pl.col("ancestry")).alias("race"),
              pl.any_horizontal(f"on:{drug}" for drug in iwpc.INDUCERS).alias("inducer")]
    parts = iwpc.terms(
        age=pl.col("age"), height=pl.col("height"), weight=pl.col("weight"), vkorc1=pl.col(SITE), cyp2c9=pl.col(GENE),
        race=pl.col("race"), inducer=pl.col("inducer"), amiodarone=pl.col("on:amiodarone"))
    return groups, [part.alias(f"+{name}") for name, part in parts.items()]


@cache
def _reason() -> pl.Expr:
    return all_reasons(needs(_NEEDS), *[outside(name, *limit) for name, limit in LIMITS.items()],
                        _strange(GENE, "CYP2C9", iwpc.CYP2C9, "*1, *2 and *3"),
                        _strange(SITE, "rs9923231", iwpc.VKORC1, "C and T"))


def _strange(column: str, name: str, table: Mapping[str, float], known: str) -> pl.Expr:
    """Says that a genotype is not one of the equation's; null where it is, or is null."""
    text = pl.format(f"{name} {{}} is outside the equation, which knows {known} only", column)
    return pl.when(~pl.col(column).is_in(list(table))).then(text)


@cache
def _texts() -> list[pl.Expr]:
    total = pl.sum_horizontal(f"+{name}" for name in _PARTS)
    return [
        pl.lit(f"Start of the equation: {iwpc.START} (IWPC 2009, PMID 19228618; the sum is the square root of mg a "
               "week)."),
        pl.format("Age {} years, {} completed decades × −0.2614: {}.", number(pl.col("age").floor()),
                  number(iwpc.decades(pl.col("age"))), signed(pl.col("+age"))),
        pl.format("Height {} cm × 0.0087: {}.", number(pl.col("height")), signed(pl.col("+height"))),
        pl.format("Weight {} kg × 0.0128: {}.", number(pl.col("weight")), signed(pl.col("+weight"))),
        pl.format("VKORC1 rs9923231 {}: {}.", SITE, signed(pl.col("+vkorc1"))),
        pl.format("CYP2C9 {}: {}.", GENE, signed(pl.col("+cyp2c9"))),
        pl.format("Ancestry {}, term for {}: {}.", pl.format("recorded as {}", "ancestry").fill_null("not recorded"),
                  "race", signed(pl.col("+race"))),
        pl.format("Enzyme inducer {}: {}.", _taken(iwpc.INDUCERS), signed(pl.col("+inducer"))),
        pl.format("Amiodarone {}: {}.", _taken(("amiodarone",)), signed(pl.col("+amiodarone"))),
        pl.format("Sum {}; squared: {} mg a week by the published equation.", number(total, 4),
                  number(pl.col("_equation"))),
        pl.format(f"Learned from {model().card.n} patients (version {model().card.version}), from these inputs and "
                  "sex, smoking {}, target INR {}, {}: {} mg a week.",
                  pl.col("smoking-status").fill_null("not recorded"),
                  number(pl.col(INR)).fill_null(f"{USUAL_INR:g} (not on record)"), _taken_or_had(),
                  number(pl.col("_learned"))),
        pl.format("Mean of both: {} mg a week, about {} mg a day; nine in ten people like this one need {} to {} mg a "
                  "week.", number(pl.col("value")), number(pl.col("value") / 7), number(pl.col("low"), 0),
                  number(pl.col("high"), 0)),
    ]


def _taken(drugs: tuple[str, ...]) -> pl.Expr:
    """Which of the drugs are taken, in brackets; or that none is."""
    names = pl.concat_str([pl.when(f"on:{drug}").then(pl.lit(drug)) for drug in drugs], separator=", ",
                          ignore_nulls=True)
    return pl.when(names == "").then(pl.lit(f"(none active: {', '.join(drugs)})")).otherwise(
        pl.format("(active: {})", names))


def _taken_or_had() -> pl.Expr:
    """What counts only where it is on record, and is."""
    names = pl.concat_str([pl.when(pl.col(name).fill_null(value=False)).then(pl.lit(name.partition(":")[2]))
                           for name in RECORDED], separator=", ", ignore_nulls=True)
    return pl.when(names == "").then(pl.lit("no other finding on record")).otherwise(names)

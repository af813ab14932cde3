"""Predictor: the warfarin dose that keeps a patient at the target INR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import polars as pl

from pmed import Card
from pmed.verdicts import all_reasons, inputs, needs, number, outside, predictions, signed, steps

from . import iwpc

NAME: Final = "warfarin-dose"
TARGET: Final = "warfarin-weekly-dose"
UNIT: Final = "mg/week"
GENE: Final = "diplotype:CYP2C9"
SITE: Final = "genotype:rs9923231"
#: Inputs with limits: low, high, unit.
LIMITS: Final = {"age": (18, 100, "years"), "height": (130, 220, "cm"), "weight": (30, 250, "kg")}
DRUGS: Final = tuple(f"on:{drug}" for drug in ("amiodarone", *iwpc.INDUCERS))
REFERENCE: Final[Mapping[str, Any]] = {
    "age": 65.0, "height": 170.0, "weight": 80.0, GENE: "*1/*1", SITE: "C/C", "ancestry": "White",
    **dict.fromkeys(DRUGS, False),
}
_NEEDS: Final = tuple(name for name in REFERENCE if name != "ancestry")
#: The terms of the equation, in the order of the trace.
_PARTS: Final = ("start", "age", "height", "weight", "vkorc1", "cyp2c9", "race", "inducer", "amiodarone")


@dataclass(frozen=True)
class WarfarinDose:
    """Stable weekly warfarin dose (mg/week) from CYP2C9, VKORC1 and clinical factors, by the IWPC equation."""

    name: ClassVar[str] = NAME
    kind: ClassVar[Any] = "treatment-response"
    needs: ClassVar[tuple[str, ...]] = _NEEDS
    wants: ClassVar[tuple[str, ...]] = ("ancestry",)
    gives: ClassVar[tuple[str, ...]] = (TARGET,)
    card: ClassVar[Card] = Card(
        version="2009",
        summary="IWPC pharmacogenetic equation: stable weekly warfarin dose.",
        intended_use="Adults who start warfarin or whose dose is set anew, target INR 2 to 3. Compared with a "
                     "reference patient: White, 65 years, 170 cm, 80 kg, CYP2C9 *1/*1, rs9923231 C/C, no amiodarone "
                     "and no enzyme inducer.",
        populations="Fitted on 4,043 patients of 21 sites in 9 countries: White, Asian and Black; other and mixed "
                    "ancestry shares one term with ancestry that is not recorded.",
        references=("PMID:19228618",),
        unit=UNIT,
        range=(0, 150),
        limits="46 % of patients end within 20 % of this dose, and no interval is published. The equation has terms "
               "for genotypes that are not known; they are not used here: without both genotypes there is no estimate, "
               "nor where a record does not settle whether an interacting medicine is taken. CYP2C9 alleles other "
               "than *1, *2 and *3, which matter most in people of African ancestry, are outside the equation. "
               "Smoking, diet, liver disease and other interacting medicines are not in it.",
    )

    def reference(self, target: str) -> Mapping[str, Any]:
        """White, 65 years, 170 cm, 80 kg, no variant and no interacting medicine; every input of the equation."""
        return REFERENCE if target == TARGET else {}

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        """One row a patient: mg a week, or why it was not assessed."""
        dose = iwpc.weekly_dose({name: pl.col(f"+{name}") for name in _PARTS})
        return predictions(_terms(features), target=TARGET, value=dose, unit=UNIT, reason=_reason())

    def trace(self, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """The equation term by term, from the inputs to mg a week."""
        wanted = predictions.filter((pl.col("target") == TARGET) & (pl.col("status") == "assessed"))
        frame = _terms(features).join(wanted.select("patient_id", "value"), on="patient_id", maintain_order="left")
        return steps(frame, target=TARGET, texts=_texts())


def _terms(features: pl.DataFrame) -> pl.DataFrame:
    """Inputs with `race`, and each term of the equation as ``+term``."""
    frame = inputs(features, REFERENCE).with_columns(
        race=iwpc.race_group(pl.col("ancestry")), inducer=pl.any_horizontal(f"on:{drug}" for drug in iwpc.INDUCERS))
    parts = iwpc.terms(
        age=pl.col("age"), height=pl.col("height"), weight=pl.col("weight"), vkorc1=pl.col(SITE), cyp2c9=pl.col(GENE),
        race=pl.col("race"), inducer=pl.col("inducer"), amiodarone=pl.col("on:amiodarone"))
    return frame.with_columns(**{f"+{name}": part for name, part in parts.items()})


def _reason() -> pl.Expr:
    return all_reasons(needs(_NEEDS), *[outside(name, *limit) for name, limit in LIMITS.items()],
                        _strange(GENE, "CYP2C9", iwpc.CYP2C9, "*1, *2 and *3"),
                        _strange(SITE, "rs9923231", iwpc.VKORC1, "C and T"))


def _strange(column: str, name: str, table: Mapping[str, float], known: str) -> pl.Expr:
    """Says that a genotype is not one of the equation's; null where it is, or is null."""
    text = pl.format(f"{name} {{}} is outside the equation, which knows {known} only", column)
    return pl.when(~pl.col(column).is_in(list(table))).then(text)


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
        pl.format("Sum {}; squared: {} mg a week, about {} mg a day.", number(total, 4), number(pl.col("value")),
                  number(pl.col("value") / 7)),
    ]


def _taken(drugs: tuple[str, ...]) -> pl.Expr:
    """Which of the drugs are taken, in brackets; or that none is."""
    names = pl.concat_str([pl.when(f"on:{drug}").then(pl.lit(drug)) for drug in drugs], separator=", ",
                          ignore_nulls=True)
    return pl.when(names == "").then(pl.lit(f"(none active: {', '.join(drugs)})")).otherwise(
        pl.format("(active: {})", names))

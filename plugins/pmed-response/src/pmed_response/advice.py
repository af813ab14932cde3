"""Adviser: what the estimated warfarin dose means for the patient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final

import polars as pl

from pmed import TABLES, Tables
from pmed.plans import as_written
from pmed.repeats import unless_repeated
from pmed.verdicts import inputs, number

from . import iwpc
from .current import takers
from .dose_model import NAME
from .warfarin import GENE, REFERENCE, SITE, TARGET, dose_inputs, halves

DRUG: Final = "warfarin"
#: mg/week; the lowest maintenance that the FDA label's table names is 0.5 mg a day. An estimate below, or one
#: of the published equation alone, is no advice: there the learned half has nobody to learn from.
LOWEST_ADVISED: Final = 3.5
#: Half a milligram: what tablets of 1 mg give when they are halved.
TABLET: Final = 0.5
#: Share of the published equation's dose beyond which the two are said to disagree.
FAR_APART: Final = 1 / 3
POPULATION: Final = "adults who start or re-titrate warfarin, target INR 2 to 3"
EVIDENCE: Final = {"source": "IWPC", "level": "cohort of 21 sites, validated in 1,009 patients; and a model learned "
                   "from 18 of these sites", "citation": iwpc.CITATION,
                   "url": "https://pubmed.ncbi.nlm.nih.gov/19228618/"}

_GIVEN: Final = ((pl.col("target") == TARGET) & (pl.col("status") == "assessed")
                 & (pl.col("value") >= LOWEST_ADVISED))
_NOTHING: Final = TABLES["suggestions"].empty().drop("adviser")


@dataclass(frozen=True)
class WarfarinAdvice:
    """Start dose of warfarin where the estimate differs from the usual one by more than a fifth."""

    name: ClassVar[str] = NAME
    needs: ClassVar[tuple[str, ...]] = ("predictions", "medications", "features")

    def advise(self, tables: Tables) -> pl.DataFrame:
        """One suggestion for each patient whose dose was assessed and is one that is given at all."""
        # One after the other: nearly all rows are of other predictors.
        mine = tables["predictions"].lazy().filter(pl.col("predictor") == NAME)
        doses = mine.filter(_GIVEN).select("patient_id", "low", "high", dose="value").pipe(as_written)
        if doses.is_empty():
            return _NOTHING
        return _advised(doses, takers(tables["medications"], DRUG), inputs(tables["features"], REFERENCE))


# Most questions about a patient change none of the three.
@unless_repeated
def _advised(doses: pl.DataFrame, takes: tuple[str, ...], rested_on: pl.DataFrame) -> pl.DataFrame:
    """The suggestions for assessed `doses`, by who takes warfarin now and the inputs that the doses rest on."""
    return _assessed(doses, takes, rested_on).select(_suggestion())


def _assessed(doses: pl.DataFrame, takes: tuple[str, ...], rested_on: pl.DataFrame) -> pl.DataFrame:
    """Assessed doses with the inputs they rest on and whether warfarin is taken now."""
    rows = doses.join(rested_on, on="patient_id", how="left", maintain_order="left")
    equation = halves(dose_inputs(rows))["_equation"].alias("equation")
    return rows.lazy().with_columns(
        equation, current=pl.col("patient_id").is_in(pl.Series(takes, dtype=pl.String).implode()),
        # polars divides long columns otherwise than short ones, in the last bit: a batch must say what one by one says.
        factor=(pl.col("dose") / iwpc.USUAL_DOSE).round(9)).with_columns(
        differs=(pl.col("factor") - 1).abs() > iwpc.RELEVANT,
        apart=(pl.col("dose") / pl.col("equation") - 1).abs() > FAR_APART).filter(
            pl.col("equation") >= LOWEST_ADVISED).pipe(as_written)


@cache
def _suggestion() -> list[pl.Expr]:
    """Every column of ``suggestions`` but adviser, in its order."""
    made = {"patient_id": pl.col("patient_id"), **_columns()}
    return [made[name].cast(column.dtype).alias(name) for name, column in TABLES["suggestions"].columns.items()
            if name != "adviser"]


def _columns() -> dict[str, pl.Expr]:
    """Every column of ``suggestions`` but patient_id and adviser."""
    differs = pl.col("differs")
    return {
        "drug": pl.lit(DRUG),
        "current": pl.col("current"),
        "action": pl.when(differs).then(pl.lit("adjust")).otherwise(pl.lit("standard")),
        "urgency": pl.when(differs & pl.col("current")).then(pl.lit("soon")).otherwise(pl.lit("routine")),
        "strength": pl.lit("moderate"),
        "concern": pl.when(differs).then(2.0).otherwise(0.0),
        "text": _text(),
        "why": _why(),
        "dose_factor": pl.when(differs).then("factor"),
        "population": pl.lit(POPULATION),
        "evidence": _one(EVIDENCE),
        "alternatives": pl.lit([]),
        "cautions": _cautions(),
        "unknown": pl.when(pl.col("ancestry").is_null()).then(pl.lit(["ancestry"])).otherwise(pl.lit([])),
        "explained_by": _one({"predictor": NAME, "target": TARGET}),
    }


def _text() -> pl.Expr:
    tablets = (pl.col("dose") / 7 / TABLET).round() * TABLET
    estimate = pl.format("Estimated stable dose {} mg a week (about {} mg a day, in tablets {} mg)",
                         number(pl.col("dose"), 0), number(pl.col("dose") / 7), number(tablets))
    percent = number((pl.col("factor") - 1).abs() * 100, 0)
    way = pl.when(pl.col("factor") < 1).then(pl.lit("below")).otherwise(pl.lit("above"))
    usual = f"{iwpc.USUAL_DOSE:g} mg a week"
    adjust = pl.format(f"{{}}, {{}} % {{}} the usual {usual}: plan the dose from this estimate and titrate by INR.",
                       estimate, percent, way)
    standard = pl.format(f"{{}}, within a fifth of the usual {usual}: start as usual and titrate by INR.", estimate)
    ends = [number(pl.col(name), 0) for name in ("low", "high", "equation")]
    told = pl.format(" Nine in ten people like this one need {} to {} mg a week. The published equation, which CPIC "
                     "advises to dose by, gives {} mg.", *ends)
    started = pl.lit(" This is for starting or re-titrating; where the INR has been stable, the dose that keeps it so "
                     "comes first.")
    return pl.concat_str([pl.when("differs").then(adjust).otherwise(standard), told, pl.when("current").then(started)],
                         ignore_nulls=True)


def _cautions() -> pl.Expr:
    """Loud where the estimate and the published equation are more than a third apart."""
    text = pl.format("The estimate ({} mg a week) and the published equation ({} mg) differ by more than a third: "
                     "neither is to be relied on; check the inputs and let early INRs decide.",
                     number(pl.col("dose"), 0), number(pl.col("equation"), 0))
    loud = pl.concat_list(pl.struct(code=pl.lit("disagreement"), text=text))
    return pl.when("apart").then(loud).otherwise(pl.lit([], dtype=_messages()))


def _messages() -> pl.List:
    """The type of cautions."""
    return pl.List(pl.Struct({"code": pl.String, "text": pl.String}))


def _why() -> pl.Expr:
    drugs = pl.concat_str([pl.when(name).then(pl.lit(", " + name.removeprefix("on:"))) for name in REFERENCE
                           if name.startswith("on:")], ignore_nulls=True)
    return pl.format("From CYP2C9 {}, VKORC1 rs9923231 {}, {} years, {} cm, {} kg{}.", GENE, SITE,
                     number(pl.col("age").floor()), number(pl.col("height")), number(pl.col("weight")), drugs)


def _one(record: dict[str, Any]) -> pl.Expr:
    """A list of one record, the same in every row."""
    return pl.concat_list(pl.struct(pl.lit(value).alias(name) for name, value in record.items()))

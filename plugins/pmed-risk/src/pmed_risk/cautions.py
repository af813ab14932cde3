"""What the scores mean for medicines that let bleed: cautions beside suggestions that are finished.

HAS-BLED (Pisters 2010, PMID:20299623) is read as a lower bound: what is on record counts, what is not adds nothing and
is named. From three points on it asks for closer watch and for what can be mended, not for less anticoagulation (ESC
2024, PMID:39210723). MELD 3.0 (PMID:34481845) from 15 points on, where a liver is failing (AASLD 2014, PMID:24716201).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import polars as pl

from pmed import Tables
from pmed.verdicts import inputs, number, oral_anticoagulants

from .knowledge import facts

HIGH, FAILING = 3, 15.0
LETS_BLEED: Final = ("bleeding", "heparin")
_AF, _LIVER, _BLED = "atrial-fibrillation", "condition:liver-cirrhosis", "condition:gi-bleeding"
_READ: Final[dict[str, Any]] = {
    _AF: True, "age": 1.0, "systolic-bp": 1.0, "creatinine": 1.0, _LIVER: True, "stroke-or-tia": True, _BLED: True,
    "bleeding-medicine": True, "labile-inr": True, "drinks-per-week": 1.0}


@dataclass(frozen=True)
class Point:
    """One point of HAS-BLED: what gives it, in words of this patient, what it is called, and whether it can go."""

    given: pl.Expr
    words: pl.Expr
    about: str
    mendable: bool = False


def _number(name: str, unit: str) -> pl.Expr:
    return pl.format(f"{{}} {unit}", number(pl.col(name)))


POINTS: Final = (
    Point(pl.col("age").floor() > 65, pl.lit("age over 65"), "age"),  # in completed years, as the score has it
    Point(pl.col("systolic-bp") > 160, pl.lit("systolic pressure ") + _number("systolic-bp", "mm[Hg]"),
          "blood pressure", mendable=True),
    Point(pl.col("creatinine") > 2.26, pl.lit("creatinine ") + _number("creatinine", "mg/dL"), "creatinine"),
    Point(pl.col(_LIVER), pl.lit("cirrhosis"), "cirrhosis"),
    Point(pl.col("stroke-or-tia"), pl.lit("stroke or TIA"), "stroke"),
    Point(pl.col(_BLED), pl.lit("bleeding before"), "bleeding before"),
    Point(pl.col("bleeding-medicine"), pl.col("names").fill_null("a medicine that lets bleed"), "medicines",
          mendable=True),
    Point(pl.col("labile-inr"), pl.lit("INR that swings"), "swings of the INR", mendable=True),
    Point(pl.col("drinks-per-week") >= 8, _number("drinks-per-week", "drinks a week"), "alcohol", mendable=True))


def cautions(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """patient_id, drug, code, text: for the medicines taken that let bleed, where a score is high."""
    # The columns first: to leave rows out of the lists of suggestions takes longer than all else here.
    current = suggestions["patient_id", "drug", "current"].filter("current").drop("current")
    taken = current.join(_groups(), on="drug", maintain_order="left")
    both = pl.concat([_bleeding(taken, tables["features"]), _failing(tables["predictions"])])
    if taken.is_empty() or both.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(("patient_id", "drug", "code", "text"), pl.String()))
    return taken.join(both, on="patient_id", maintain_order="left").select("patient_id", "drug", "code", "text")


@cache
def _groups() -> pl.DataFrame:
    """Medicines that let bleed: group, drug."""
    listed = facts("drugs").filter(pl.col("group").is_in(LETS_BLEED)).select("group", drug="ingredient")
    oral = pl.DataFrame({"drug": oral_anticoagulants()}).select(pl.lit("oral-anticoagulant").alias("group"), "drug")
    return pl.concat([listed, oral])


def _bleeding(taken: pl.DataFrame, features: pl.DataFrame) -> pl.DataFrame:
    """patient_id, code, text for people with atrial fibrillation, of whom the score was made."""
    if not inputs(features, {_AF: True})[_AF].any():
        return pl.DataFrame(schema=dict.fromkeys(("patient_id", "code", "text"), pl.String()))
    names = taken.filter(group="bleeding").group_by("patient_id").agg(names=pl.col("drug").sort().str.join(", "))
    people = inputs(features, _READ).join(names, on="patient_id", how="left", maintain_order="left")
    least = pl.sum_horizontal(one.given.fill_null(value=False).cast(pl.Int64) for one in POINTS)
    scored = people.filter(_AF).with_columns(
        least=least, found=_listed(POINTS), mend=_listed([one for one in POINTS if one.mendable]),
        unknown=pl.concat_str([pl.when(one.given.is_null()).then(pl.lit(one.about)) for one in POINTS],
                              separator=", ", ignore_nulls=True))
    open_ = pl.col("unknown") != ""
    text = pl.concat_str(
        pl.when(open_).then(pl.lit("HAS-BLED is at least ")).otherwise(pl.lit("HAS-BLED is ")),
        pl.format("{} ({}): a high risk of major bleeding", "least", "found"),
        pl.when(open_).then(pl.format("; not on record, and could add to it: {}", "unknown")).otherwise(pl.lit("")),
        pl.when(pl.col("mend") != "").then(pl.format(". What can be mended: {}", "mend")).otherwise(pl.lit("")),
        pl.lit(". It asks for closer watch, not for less anticoagulation (PMID:20299623, PMID:39210723)"))
    return scored.filter(pl.col("least") >= HIGH).select("patient_id", code=pl.lit("bleeding-risk"), text=text)


def _listed(points: Any) -> pl.Expr:
    """The words of the points that are given, with commas."""
    return pl.concat_str([pl.when(one.given).then(one.words) for one in points], separator=", ", ignore_nulls=True)


def _failing(predictions: pl.DataFrame) -> pl.DataFrame:
    """patient_id, code, text for people whose cirrhosis is severe."""
    high = predictions.filter((predictions["target"] == "meld-3-0-score") & (predictions["value"] >= FAILING))
    return high.select("patient_id", code=pl.lit("liver-failing"), text=pl.format(
        "MELD 3.0 is {}, severe disease of the liver: bleeding and kidney failure are likelier on this drug; ask a "
        "liver specialist (PMID:34481845, PMID:24716201)", number(pl.col("value"))))

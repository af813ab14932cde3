"""What follows from the record at its index date: body mass, kidney, liver, pregnancy, trends, groups of diagnoses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from ..normalise.codes import SYSTEMS, grouped, groups
from ..tables import Tables
from . import formulas
from .history import HistoryFeatures, everyone, table, usable

CONDITION, TREND = "condition:", "trend:"
# LOINC
CREATININE, BILIRUBIN, ALBUMIN, INR = "2160-0", "1975-2", "1751-7", "6301-6"
PACK_YEARS, PREGNANCY = "8664-5", "82810-3"
_PREGNANT, _NOT_PREGNANT = "LA15173-0", "LA26683-5"
_LAST_DAYS = 300       # a pregnancy recorded longer ago is over, whatever the record says
_TREND_DAYS = 2 * 365
_FERTILE = (10.0, 60.0)
_RULED_OUT = ("refuted", "entered-in-error")
_LOST = r"\bCondition\b"

_FROM: Mapping[str, tuple[str, ...]] = {
    "bmi": ("weight", "height"),
    "egfr": (f"observation:{CREATININE}", "age", "sex"),
    "creatinine-clearance": (f"observation:{CREATININE}", "age", "sex", "weight"),
    "child-pugh-at-least": (f"observation:{BILIRUBIN}", f"observation:{ALBUMIN}", f"observation:{INR}"),
    "pregnant": ("age", "sex"),
    "pack-years": (f"observation:{PACK_YEARS}",),
}


@dataclass(frozen=True)
class DerivedHistory:
    """Features by published formulas (``pmed.features.formulas``) and value sets; null where an input is unknown.

    - ``bmi`` (kg/m²); of adults ``egfr`` (CKD-EPI 2021, mL/min/1.73 m²) and ``creatinine-clearance`` (Cockcroft-Gault,
      mL/min): of the newest plausible values.
    - ``child-pugh-at-least`` (points): only with cirrhosis on record; what the record does not mention counts 1 point.
    - ``pregnant``: true by an active diagnosis or an answer (LOINC 82810-3) of the last 300 days; false for men, below
      10 and from 60 years, and by a recent answer; else unknown.
    - ``pack-years`` as recorded; ``trend:<LOINC>``: change a year in pmed's unit over the last two years, of three
      values or more.
    - ``condition:<group>``: a code of the group was recorded up to the index date and not ruled out; false only where
      all diagnoses of the record have a code that the groups could know.
    """

    name: ClassVar[str] = "derived-history"
    needs: ClassVar[tuple[str, ...]] = ("patients", "conditions", "observations")
    gives: ClassVar[tuple[str, ...]] = (*_FROM, "trend:*", *(f"{CONDITION}{group}" for group in groups()))

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """One row a patient of ``samples`` and ``patients``, with the wanted features."""
        names = [one for one in dict.fromkeys(wanted) if one in _FROM]
        base = HistoryFeatures().run(tables, tuple({part for name in names for part in _FROM[name]}))["features"]
        frame = base.join(_diagnoses(tables), on="patient_id", how="left", maintain_order="left")
        for part in (_pregnancies(tables), *_trends(tables, [one for one in wanted if one.startswith(TREND)])):
            frame = frame.join(part, on="patient_id", how="left", maintain_order="left")
        made = frame.with_columns(_derived(name).alias(name) for name in names)
        return {"features": made.select("patient_id", *dict.fromkeys(wanted))}


def _derived(name: str) -> pl.Expr:
    """One feature of `_FROM`."""
    inputs = [pl.col(part) for part in _FROM[name]]
    made: Mapping[str, Callable[..., pl.Expr]] = {
        "bmi": formulas.bmi, "egfr": formulas.egfr, "creatinine-clearance": formulas.creatinine_clearance,
        "child-pugh-at-least": _child_pugh, "pregnant": _pregnant, "pack-years": lambda recorded: recorded}
    return made[name](*inputs)


def _child_pugh(bilirubin: pl.Expr, albumin: pl.Expr, inr: pl.Expr) -> pl.Expr:
    ascites, encephalopathy, cirrhosis = (
        pl.col(f"{CONDITION}{one}") for one in ("ascites", "hepatic-encephalopathy", "cirrhosis"))
    return pl.when(cirrhosis).then(formulas.child_pugh(bilirubin, albumin, inr, ascites, encephalopathy))


def _pregnant(age: pl.Expr, sex: pl.Expr) -> pl.Expr:
    cannot = (sex == "male") | ~age.is_between(*_FERTILE, closed="left")
    answer = pl.col("_answer")
    return (pl.when(cannot).then(pl.lit(value=False))
            .when(pl.col("_expecting").fill_null(value=False) | (answer == _PREGNANT)).then(pl.lit(value=True))
            .when(answer == _NOT_PREGNANT).then(pl.lit(value=False)))


def _pregnancies(tables: Tables) -> pl.DataFrame:
    """For each patient whether an active pregnancy is on record, and the newest answer to the question."""
    days = everyone(tables).select("patient_id", "index_date")
    recent = (pl.col("index_date") - pl.col("start")).dt.total_days().is_between(0, _LAST_DAYS)
    conditions = table(tables, "conditions")
    coded = grouped(conditions).filter(group="pregnancy").join(conditions, on=["patient_id", "row"])
    now = coded.join(days, on="patient_id").filter(pl.col("active"), recent)
    expecting = now.select("patient_id", _expecting=pl.lit(value=True)).unique()
    answers = table(tables, "observations").filter(code=PREGNANCY).join(days, on="patient_id").filter(recent).sort(
        "start", "row").group_by("patient_id").agg(_answer=pl.col("value_code").last())
    return days.select("patient_id").join(expecting, on="patient_id", how="left").join(
        answers, on="patient_id", how="left")


def _diagnoses(tables: Tables) -> pl.DataFrame:
    """One column a group: true, false, or null where the record does not tell."""
    rows = table(tables, "conditions").join(everyone(tables).select("patient_id", "index_date"), on="patient_id")
    known = rows.filter(pl.col("verification").is_in(_RULED_OUT).fill_null(value=False).not_(),
                        (pl.col("start") <= pl.col("index_date")).fill_null(value=True))
    hits = grouped(known).select("patient_id", "group").unique()
    system = pl.col("system").str.to_lowercase().is_in(list(SYSTEMS)).fill_null(value=False)
    # A code of another system, or none, may mean anything; but a diagnosis has a row for each of its codes.
    read = known.group_by("patient_id", "source").agg(read=(system & pl.col("code").is_not_null()).any())
    dark = read.filter(~pl.col("read"))
    errors = table(tables, "issues").filter(pl.col("severity") == "error", pl.col("place").str.contains(_LOST))
    unclear = pl.concat([dark["patient_id"], errors["patient_id"].drop_nulls()]).unique()
    wide = everyone(tables).select("patient_id", _told=pl.col("has_record").fill_null(value=False)
                                 & ~pl.col("patient_id").is_in(unclear.implode()))
    for group in groups():
        has = hits.filter(group=group)["patient_id"].implode()
        wide = wide.with_columns(pl.when(pl.col("patient_id").is_in(has)).then(pl.lit(value=True))
                                 .when("_told").then(pl.lit(value=False)).alias(f"{CONDITION}{group}"))
    return wide.drop("_told")


def _trends(tables: Tables, wanted: Sequence[str]) -> list[pl.DataFrame]:
    if not wanted:
        return []
    dated = usable(everyone(tables), table(tables, "observations")).with_columns(
        days=(pl.col("start") - pl.col("index_date")).dt.total_days())
    recent = dated.filter(pl.col("days") >= -_TREND_DAYS)
    return [recent.filter(canonical_code=name.removeprefix(TREND)).group_by("patient_id").agg(
        formulas.slope(pl.col("value"), pl.col("days")).alias(name)) for name in wanted]

"""From the patient record to the inputs of the risk equations.

What is not there is judged by kind: a diagnosis or medicine that a record never mentions counts as absent (false),
a measurement that was never recorded stays unknown (null), and without a record everything stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Final

import polars as pl

from pmed import Tables

from .knowledge import facts
from .units import in_unit

CONDITIONS: Final = ("atrial-fibrillation", "heart-failure", "hypertension", "diabetes", "stroke-or-tia", "vascular-disease",
                     "coronary-disease")
MEASUREMENTS: Final = ("total-cholesterol", "hdl-cholesterol", "systolic-bp")
#: Cardiovascular disease that is there already: the risk equations are for a first event.
FIRST_EVENT: Final = ("stroke-or-tia", "vascular-disease", "coronary-disease")
FEATURES: Final = (*CONDITIONS, "ascvd-history", *MEASUREMENTS, "smoker", "bp-treated", "pce-race")
_WRONG: Final = ("refuted", "entered-in-error", "cancelled")
_BLACK: Final = r"black|african[ -]american|2054-5"
_WHITE: Final = r"white|caucasian|2106-3"
_NOT_SAID: Final = r"^\s*$|unknown|asked|declined|refused|not (given|stated|recorded)|^unk$|^asku$"


@dataclass(frozen=True)
class RiskHistory:
    """Diagnoses, measurements, smoking and blood-pressure medicines up to the index date, as features.

    Each feature ``x`` has a companion ``x-found``: the code or value and its date, for the trace.
    """

    name: ClassVar[str] = "risk-history"
    needs: ClassVar[tuple[str, ...]] = ("patients", "conditions", "medications", "observations")
    gives: ClassVar[tuple[str, ...]] = (*FEATURES, *(f"{name}-found" for name in FEATURES))

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """One row for each patient with a record; others have no row, hence nulls."""
        parts = (race(tables), conditions(tables), measurements(tables), smoking(tables), treatment(tables))
        wide = reduce(lambda left, right: left.join(right, on="patient_id", how="left", maintain_order="left"), parts)
        return {"features": wide.select("patient_id", *wanted)}


def race(tables: Tables) -> pl.DataFrame:
    """`pce-race` ("white", "black", "other") from the ancestry as recorded; null where nothing was said."""
    said = pl.col("ancestry").str.to_lowercase()
    black, white = said.str.contains(_BLACK), said.str.contains(_WHITE)
    group = (pl.when(said.is_null() | said.str.contains(_NOT_SAID)).then(None)
             .when(black & ~white).then(pl.lit("black")).when(white & ~black).then(pl.lit("white"))
             .otherwise(pl.lit("other")))
    return tables["patients"].select("patient_id", group.alias("pce-race"), pl.col("ancestry").alias("pce-race-found"))


def conditions(tables: Tables) -> pl.DataFrame:
    """True where a diagnosis of the code set was ever recorded up to the index date, else false.

    A resolved diagnosis counts (the scores ask for a history of it); one refuted or entered in error does not.
    """
    hits = _first_hits(_diagnoses(tables).join(facts("codes"), on=["system", "code"]))
    wide = tables["patients"].select("patient_id").join(hits, on="patient_id", how="left", maintain_order="left")
    both = wide.with_columns(pl.coalesce(f"{name}-found" for name in FIRST_EVENT).alias("ascvd-history-found"))
    names = (*CONDITIONS, "ascvd-history")
    return both.with_columns(pl.col(f"{name}-found").is_not_null().alias(name) for name in names)


def _first_hits(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a patient; a column for each concept with the earliest row that shows it."""
    said = pl.format("{} {}{}", "system", "recorded", pl.format(", {}", "start").fill_null(""))
    ordered = rows.with_columns(said=said).sort("patient_id", "start", "row", nulls_last=True)
    return ordered.group_by("patient_id").agg(
        pl.col("said").filter(pl.col("concept") == name).first().alias(f"{name}-found") for name in CONDITIONS)


def _diagnoses(tables: Tables) -> pl.DataFrame:
    """Diagnoses with every code they can be looked up by: the code itself, or each beginning of an ICD-10 code."""
    rows = up_to_index(tables, "conditions").with_columns(
        recorded=pl.col("code"), system=_system(pl.col("system")), code=pl.col("code").str.strip_chars())
    bare = pl.col("code").str.to_uppercase().str.replace_all(".", "", literal=True)
    beginnings = pl.concat_list(bare.str.head(length) for length in range(3, 8)).list.unique()
    icd = rows.filter(pl.col("system") == "icd-10").with_columns(code=beginnings).explode("code")
    return pl.concat([rows.filter(pl.col("system") == "snomed"), icd])


def _system(uri: pl.Expr) -> pl.Expr:
    """Short name of a code system; null for one that the code sets do not cover."""
    text = uri.str.to_lowercase()
    return (pl.when(text.str.contains(r"snomed|2\.16\.840\.1\.113883\.6\.96$")).then(pl.lit("snomed"))
            .when(text.str.contains(r"icd-?10|2\.16\.840\.1\.113883\.6\.(3|90)$")).then(pl.lit("icd-10")))


def measurements(tables: Tables) -> pl.DataFrame:
    """The latest dated value of each measurement in its unit; a value whose unit cannot be converted is no value."""
    codes = facts("measurements").select("feature", "code", canonical="unit")
    rows = _dated_observations(tables).join(codes, on="code")
    found = rows.with_columns(value=in_unit(rows)).filter(pl.col("value") > 0).sort("start", "row")
    latest = [pl.col("value").filter(pl.col("feature") == name).last().alias(name) for name in MEASUREMENTS]
    days = [pl.col("start").filter(pl.col("feature") == name).last().cast(pl.String).alias(f"{name}-found")
            for name in MEASUREMENTS]
    return found.group_by("patient_id").agg(*latest, *days)


def smoking(tables: Tables) -> pl.DataFrame:
    """Whether the person smokes now, by the latest answer or diagnosis that says; never a guess."""
    answers = _dated_observations(tables).filter(pl.col("code") == "72166-2").select(
        "patient_id", "start", "row", code="value_code", rank=pl.lit(1))
    diagnoses = up_to_index(tables, "conditions").filter("active").select(
        "patient_id", "start", "row", "code", rank=pl.lit(0))
    known = facts("smoking").select("code", smoker=pl.col("smoker") == "true")
    rows = pl.concat([answers, diagnoses]).join(known, on="code").sort("start", "rank", "row")
    said = pl.format("{}{}", "code", pl.format(", {}", "start").fill_null(""))
    return rows.group_by("patient_id").agg(pl.col("smoker").last(), said.last().alias("smoker-found"))


def treatment(tables: Tables) -> pl.DataFrame:
    """Whether a blood-pressure medicine is active; null where one is recorded but not whether it is still taken."""
    group = facts("drugs").filter(pl.col("group") == "antihypertensive").select(ingredients="ingredient")
    rows = tables["medications"].select("patient_id", "active", "ingredients").explode("ingredients").join(group, on="ingredients")
    taken = rows.group_by("patient_id").agg(
        pl.col("active").any(ignore_nulls=False),
        pl.col("ingredients").filter("active").unique().sort().str.join(", ").alias("bp-treated-found"))
    wide = tables["patients"].select("patient_id").join(taken, on="patient_id", how="left", maintain_order="left")
    mentioned = pl.col("patient_id").is_in(rows["patient_id"].unique().implode())
    return wide.select("patient_id", "bp-treated-found",
                       pl.when(mentioned).then("active").otherwise(pl.lit(value=False)).alias("bp-treated"))


def up_to_index(tables: Tables, name: str) -> pl.DataFrame:
    """Rows of a table that belong to a record, are not withdrawn, and do not start after the index date."""
    dates = tables["patients"].select("patient_id", "index_date")
    after = (pl.col("start") > pl.col("index_date")).fill_null(value=False)
    wrong = pl.col("status").str.to_lowercase().is_in(_WRONG).fill_null(value=False)
    return tables[name].join(dates, on="patient_id").filter(~after & ~wrong)


def _dated_observations(tables: Tables) -> pl.DataFrame:
    """Observations with a date: an undated one may be from any time, also after the index date."""
    return up_to_index(tables, "observations").drop_nulls("start")

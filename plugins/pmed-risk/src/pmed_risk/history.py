"""From the patient record to the inputs of the risk equations.

What is not there is judged by kind: a diagnosis that a record never mentions counts as absent (false), and so does a
medicine where the record lists medicines, or says that none is taken; a measurement that was never recorded, or not of
late, stays unknown (null), and without a record everything stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import ClassVar, Final

import polars as pl

from pmed import Tables
from pmed.plans import as_written
from pmed.repeats import of_tables
from pmed.verdicts import under_anticoagulants

from .diagnoses import CONDITIONS, conditions
from .knowledge import facts
from .records import dated_observations, left_out, listing, people, up_to_index

MEASUREMENTS: Final = ("total-cholesterol", "hdl-cholesterol", "systolic-bp", "creatinine", "bilirubin", "albumin",
                       "inr", "sodium", "alt", "ast", "platelets", "hba1c")
#: Feature → group of medicines of which it says whether one is taken.
MEDICINES: Final = {"bp-treated": "antihypertensive", "statin": "statin", "bleeding-medicine": "bleeding"}
FEATURES: Final = (*CONDITIONS, "ascvd-history", *MEASUREMENTS, "smoker", *MEDICINES, "pce-race")
ANSWER: Final = "72166-2"  # LOINC: whether one smokes
_ORDER: Final = "Medication(Request|Statement|Administration|Dispense)"
_BLACK: Final = r"black|african[ -]american|2054-5"
_WHITE: Final = r"white|caucasian|2106-3"
# "non-white" and "not black" name a group by what it is not
_NOT: Final = r"\b(non|not)\b"
# ethnicity beside race ("Black, not Hispanic or Latino") says nothing of the race
_ETHNICITY: Final = r"[\s,;/(-]*\b(non|not)[ -]*(hispanic|latino)( or latino)?\b\)?"
_NOT_SAID: Final = r"^\s*$|unknown|asked|declined|refused|not (given|stated|recorded)|^unk$|^asku$"


@dataclass(frozen=True)
class RiskHistory:
    """Diagnoses, measurements, smoking and blood-pressure medicines up to the index date, as features.

    Each feature ``x`` has a companion ``x-found``: the code or value and its date, for the trace; where an entry leaves
    it unknown, which one.
    """

    name: ClassVar[str] = "risk-history"
    needs: ClassVar[tuple[str, ...]] = ("patients", "conditions", "medications", "observations")
    gives: ClassVar[tuple[str, ...]] = (*FEATURES, *(f"{name}-found" for name in FEATURES))
    of_medicines: ClassVar[tuple[str, ...]] = tuple(MEDICINES)

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """One row for each patient with a record; others have no row, hence nulls."""
        parts = (race(tables), conditions(tables), _of_the_liver(measurements(tables), tables), smoking(tables),
                 treatments(tables))
        wide = reduce(lambda left, right: left.join(right, on="patient_id", how="left", maintain_order="left"),
                      [one.lazy() for one in parts])
        return {"features": wide.pipe(as_written)[["patient_id", *wanted]]}


@of_tables("patients")
def race(tables: Tables) -> pl.DataFrame:
    """`pce-race` ("white", "black", "other") from the ancestry as recorded; null where nothing was said."""
    said = pl.col("ancestry").str.to_lowercase().str.replace_all(_ETHNICITY, "")
    negated = said.str.contains(_NOT)
    black, white = said.str.contains(_BLACK) & ~negated, said.str.contains(_WHITE) & ~negated
    group = (pl.when(said.is_null() | said.str.contains(_NOT_SAID)).then(None)
             .when(black & ~white).then(pl.lit("black")).when(white & ~black).then(pl.lit("white"))
             .otherwise(pl.lit("other")))
    return tables["patients"].select("patient_id", group.alias("pce-race"), pl.col("ancestry").alias("pce-race-found"))


def measurements(tables: Tables) -> pl.DataFrame:
    """The latest dated value of each measurement; one not in the unit of the feature, or too old, is no value."""
    by = _code(tables)
    asked = tables["observations"].filter(pl.col(by).is_in(facts("measurements")["code"].to_list()))
    return _measurements({**tables, "observations": asked})


def _of_the_liver(measured: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """`measured` without an INR that tells of an oral anticoagulant."""
    days = measured.lazy().select("patient_id", day=pl.col("inr-found").str.to_date(strict=False))
    others = under_anticoagulants(days, tables["medications"]).pipe(as_written)
    found = measured.join(others, on="patient_id", how="left", maintain_order="left")
    open_by = pl.format("an oral anticoagulant that is or may be taken: {}", "drugs")
    return found.with_columns(pl.when(pl.col("drugs").is_null()).then("inr").alias("inr"),
                              pl.coalesce(open_by, "inr-found").alias("inr-found")).drop("drugs")


@of_tables("patients", "observations")
def _measurements(tables: Tables) -> pl.DataFrame:
    """The same of observations of what is measured, as for `_smoking`."""
    by = _code(tables)
    asked = facts("measurements").rename({"code": by, "unit": "unit-asked"})
    oldest = pl.col("index_date") - pl.duration(days=pl.col("days").cast(pl.Int64))
    rows = dated_observations(tables, asked[by].to_list(), by).join(asked.lazy(), on=by).filter(
        (pl.col("start") >= oldest).fill_null(value=True))
    # A canonical code without a value is a limit, or has no known unit: where it is the latest, that is unknown.
    limit = pl.col("value").is_null() if by != "code" else pl.lit(value=False)
    usable = (pl.col("value") > 0) & (pl.col("unit") == pl.col("unit-asked"))
    found = rows.filter(usable.fill_null(value=False) | limit).sort("start", "row")
    latest = [pl.col("value").filter(pl.col("feature") == name).last().alias(name) for name in MEASUREMENTS]
    # Of a value that cannot be used, what was recorded instead.
    day = pl.when(pl.col("value").is_not_null()).then(pl.col("start").cast(pl.String)).otherwise(
        pl.format("a latest value that cannot be used: {}, {}", "value_text", "start"))
    days = [day.filter(pl.col("feature") == name).last().alias(f"{name}-found") for name in MEASUREMENTS]
    return found.group_by("patient_id").agg(*latest, *days).pipe(as_written)


def _code(tables: Tables) -> str:
    """The column that says under which LOINC code a value is in its canonical unit; made by the normalise stage."""
    return "canonical_code" if "canonical_code" in tables["observations"].columns else "code"


def smoking(tables: Tables) -> pl.DataFrame:
    """Whether the person smokes now, by the latest answer or diagnosis that says; never a guess."""
    return _smoking({**tables, "observations": tables["observations"].filter(pl.col("code") == ANSWER)})


@of_tables("patients", "observations", "conditions")
def _smoking(tables: Tables) -> pl.DataFrame:
    """The same of observations that are answers: a question that changes others changes nothing here."""
    answers = dated_observations(tables, [ANSWER]).select(
        "patient_id", "start", "row", code="value_code", rank=pl.lit(1))
    diagnoses = up_to_index(tables, "conditions").filter("active").select(
        "patient_id", "start", "row", "code", rank=pl.lit(0))
    known = facts("smoking").select("code", smoker=pl.col("smoker") == "true")
    rows = pl.concat([answers, diagnoses]).join(known.lazy(), on="code").sort("start", "rank", "row")
    said = pl.format("{}{}", "code", pl.format(", {}", "start").fill_null(""))
    return rows.group_by("patient_id").agg(
        pl.col("smoker").last(), said.last().alias("smoker-found")).pipe(as_written)


@of_tables("patients", "medications", "issues")
def treatments(tables: Tables) -> pl.DataFrame:
    """For each of `MEDICINES` whether a medicine of its group is active, and which; one row for each record.

    "No" needs a record that lists medicines, or says that none is taken, and in which none could be of the group. One
    that was not recognised counts as another, as a risk would else be lost for a vitamin; the scores name it.
    """
    rows = _current(tables["medications"]).group_by("patient_id").agg(
        one for name in MEDICINES for one in _of_group(name))
    unlisted, gone = ~listing(tables), left_out(tables, _ORDER)
    return people(tables).lazy().join(rows, on="patient_id", how="left", maintain_order="left").select(
        "patient_id", *(one for name in MEDICINES for one in (
            pl.col(f"{name}-found"), _answer(name, unlisted | gone)))).pipe(as_written)


def _current(drugs: pl.DataFrame) -> pl.LazyFrame:
    """Medicines not known to be over: for each group those `-sure` in each, or whether it `-perhaps` is one."""
    possible = pl.col("possible_ingredients") if "possible_ingredients" in drugs.columns else pl.lit(None)
    rows = drugs.lazy().filter(pl.col("active").fill_null(value=True)).with_columns(
        possible=possible.cast(pl.List(pl.String())))
    nameless = pl.all_horizontal(pl.col("ingredients", "possible", "display").is_null())
    return rows.select("patient_id", *(one for name in MEDICINES for one in _in_group(name, nameless)))


def _in_group(name: str, nameless: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    members = _members(MEDICINES[name])
    known = pl.col("ingredients").list.set_intersection(members).fill_null([])
    could_be = pl.col("possible").list.set_intersection(members).list.len().fill_null(0) > 0
    undecided = pl.col("active").is_null() & (known.list.len() > 0)
    return (pl.when("active").then(known).alias(f"{name}-sure"),
            (nameless | could_be | undecided).alias(f"{name}-perhaps"))


@cache
def _members(group: str) -> list[str]:
    return facts("drugs").filter(pl.col("group") == group)["ingredient"].to_list()


def _of_group(name: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    sure = pl.col(f"{name}-sure")
    names = sure.list.explode(empty_as_null=False).drop_nulls().unique().sort()
    return (names.str.join(", ").alias(f"{name}-found"), sure.list.len().fill_null(0).sum().alias(f"{name}-count"),
            pl.col(f"{name}-perhaps").any())


def _answer(name: str, unsettled: pl.Expr) -> pl.Expr:
    unknown = unsettled | pl.col(f"{name}-perhaps").fill_null(value=False)
    return pl.when(pl.col(f"{name}-count") > 0).then(pl.lit(value=True)).when(~unknown).then(
        pl.lit(value=False)).alias(name)

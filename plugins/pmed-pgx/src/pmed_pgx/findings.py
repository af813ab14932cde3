"""Feature step: what a patient's record says of the indications and contraindications that guidelines name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from pmed.repeats import of_tables
from pmed.tables import TABLES, Tables

from .guidelines import FINDING, drugs
from .knowledge import table

ICD_DIGITS = (1, 3, 4, 5)  # of chapter, category and subcategories
_GONE = ("resolved", "inactive", "remission")
_FALSE, _DOUBTED = ("refuted", "entered-in-error"), ("unconfirmed", "provisional", "differential")


@dataclass(frozen=True)
class FindingFeatures:
    """``finding:<key>`` of ``findings.tsv``: true where the record holds it as confirmed, else unknown.

    A record proves that something is there; that it names nothing proves nothing. It is what a medicine may be taken
    for: where another indication of the same medicine is recorded without being confirmed, it stays open which it is.
    """

    name: ClassVar[str] = "pgx-findings"
    needs: ClassVar[tuple[str, ...]] = ("patients", "samples", "conditions")
    gives: ClassVar[tuple[str, ...]] = (f"{FINDING}*",)

    def names(self) -> dict[str, str]:
        """Every finding of the release."""
        return {name: name for name in (f"{FINDING}{key}" for key in table("findings")["finding"].unique())}

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """One row a patient of ``samples`` and ``patients``, with the wanted findings."""
        people = pl.concat([tables.get(name, TABLES[name].empty()).select("patient_id")
                            for name in ("patients", "samples")]).unique(maintain_order=True)
        found = on_record(tables)
        doubted, sure = found.filter("doubted"), found.filter(~pl.col("doubted"))
        columns = []
        for name in dict.fromkeys(wanted):
            key = name.removeprefix(FINDING)
            held = sure.filter(pl.col("finding") == key)["patient_id"]
            open_ = doubted.filter(pl.col("finding").is_in(_beside(key)))["patient_id"]
            here = pl.col("patient_id").is_in(held.implode()) & ~pl.col("patient_id").is_in(open_.implode())
            columns.append(pl.when(here).then(pl.lit(value=True)).alias(name))
        return {"features": people.select("patient_id", *columns)}


def _beside(key: str) -> list[str]:
    """The other indications of the medicines that have rows for this one."""
    each = [{row.indication for row in drug.rows if row.indication} for drug in drugs().values()]
    return sorted({other for mine in each if key in mine for other in mine} - {key})


@of_tables("conditions")
def on_record(tables: Tables) -> pl.DataFrame:
    """patient_id, finding, words, doubted: findings of the code list that a record holds, each once.

    ICD codes of the list stand for all codes that begin with them; SNOMED CT codes stand for themselves. A finding
    that counts "now" must not be over; one that counts "ever" may be. One that no entry confirms says so in `words`:
    it speaks against a medicine all the same.
    """
    conditions = tables.get("conditions", TABLES["conditions"].empty()).filter(
        ~pl.col("status").is_in(_FALSE).fill_null(value=False),
        ~pl.col("verification").is_in(_FALSE).fill_null(value=False))
    over = ~pl.col("active").fill_null(value=True) | pl.col("status").is_in(_GONE).fill_null(value=False)
    doubted = pl.col("verification").is_in(_DOUBTED).fill_null(value=False)
    coded = conditions.select("patient_id", over=over, doubted=doubted, system=_system(), code=_codes()).explode(
        "code", empty_as_null=True, keep_nulls=True).unique()
    listed = table("findings").with_columns(code=pl.col("code").str.replace_all(".", "", literal=True))
    found = coded.join(listed, on=["system", "code"]).filter((pl.col("counts") == "ever") | ~pl.col("over"))
    words = pl.when("doubted").then(pl.format("{} (not confirmed)", "words")).otherwise("words")
    return found.sort("doubted", maintain_order=True).select("patient_id", "finding", "doubted", words=words).unique(
        ["patient_id", "finding"], keep="first", maintain_order=True)


def _system() -> pl.Expr:
    named = pl.col("system").fill_null("").str.to_lowercase()
    return (pl.when(named.str.contains("icd-?9")).then(pl.lit("icd-9")).when(named.str.contains("icd"))
            .then(pl.lit("icd-10")).otherwise(pl.lit("snomed")))


def _codes() -> pl.Expr:
    """The code, and for ICD the codes above it, without the dot."""
    bare = pl.col("code").str.replace_all(".", "", literal=True).str.to_uppercase()
    above = pl.concat_list([bare, *(bare.str.slice(0, digits) for digits in ICD_DIGITS)])
    return pl.when(_system() == "snomed").then(pl.concat_list("code")).otherwise(above)

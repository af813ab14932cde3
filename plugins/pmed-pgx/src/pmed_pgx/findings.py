"""Feature step: what a patient's record says of the indications and contraindications that guidelines name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from pmed.repeats import of_tables
from pmed.tables import TABLES, Tables

from .guidelines import FINDING
from .knowledge import table

ICD_DIGITS = (1, 3, 4, 5)  # of chapter, category and subcategories
_GONE = ("resolved", "inactive", "remission")
_FALSE = ("refuted", "entered-in-error")


@dataclass(frozen=True)
class FindingFeatures:
    """``finding:<key>`` of ``findings.tsv``: true where the record holds it, else unknown.

    A record proves that something is there; that it names nothing proves nothing.
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
        columns = []
        for name in dict.fromkeys(wanted):
            held = found.filter(pl.col("finding") == name.removeprefix(FINDING))["patient_id"]
            here = pl.col("patient_id").is_in(held.implode())
            columns.append(pl.when(here).then(pl.lit(value=True)).alias(name))
        return {"features": people.select("patient_id", *columns)}


@of_tables("conditions")
def on_record(tables: Tables) -> pl.DataFrame:
    """patient_id, finding, words: findings of the code list that a record holds, each once.

    ICD codes of the list stand for all codes that begin with them; SNOMED CT codes stand for themselves. A finding
    that counts "now" must not be over; one that counts "ever" may be.
    """
    conditions = tables.get("conditions", TABLES["conditions"].empty()).filter(
        ~pl.col("status").is_in(_FALSE).fill_null(value=False),
        ~pl.col("verification").is_in(_FALSE).fill_null(value=False))
    over = ~pl.col("active").fill_null(value=True) | pl.col("status").is_in(_GONE).fill_null(value=False)
    coded = conditions.select("patient_id", over=over, system=_system(), code=_codes()).explode(
        "code", empty_as_null=True, keep_nulls=True).unique()
    listed = table("findings").with_columns(code=pl.col("code").str.replace_all(".", "", literal=True))
    found = coded.join(listed, on=["system", "code"]).filter((pl.col("counts") == "ever") | ~pl.col("over"))
    return found.select("patient_id", "finding", "words").unique(["patient_id", "finding"], maintain_order=True)


def _system() -> pl.Expr:
    named = pl.col("system").fill_null("").str.to_lowercase()
    return (pl.when(named.str.contains("icd-?9")).then(pl.lit("icd-9")).when(named.str.contains("icd"))
            .then(pl.lit("icd-10")).otherwise(pl.lit("snomed")))


def _codes() -> pl.Expr:
    """The code, and for ICD the codes above it, without the dot."""
    bare = pl.col("code").str.replace_all(".", "", literal=True).str.to_uppercase()
    above = pl.concat_list([bare, *(bare.str.slice(0, digits) for digits in ICD_DIGITS)])
    return pl.when(_system() == "snomed").then(pl.concat_list("code")).otherwise(above)

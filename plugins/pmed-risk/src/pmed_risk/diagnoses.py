"""Diagnoses on record as findings: there, absent, or unknown.

A finding is there where a code of its set was ever recorded up to the index date. It is unknown where the text of a
diagnosis that no code set knows speaks of it (another code system, an unlisted code, free text), or where a
diagnosis of this patient could not be read at all, has a code that no set knows and no text, or is not confirmed.
Otherwise it counts as absent.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pmed import Tables
from pmed.plans import as_written
from pmed.repeats import of_tables

from .knowledge import facts
from .records import WRONG, code_system, left_out, people, up_to_index

CONDITIONS: Final = ("atrial-fibrillation", "heart-failure", "hypertension", "diabetes", "stroke-or-tia",
                     "vascular-disease", "coronary-disease", "haemorrhagic-stroke")
#: Cardiovascular disease that is there already: the risk equations are for a first event.
FIRST_EVENT: Final = ("stroke-or-tia", "vascular-disease", "coronary-disease", "haemorrhagic-stroke")
_DOUBTED: Final = ("unconfirmed", "provisional", "differential")
_OVER: Final = ("resolved", "inactive", "remission")


@of_tables("patients", "conditions", "issues")
def conditions(tables: Tables) -> pl.DataFrame:
    """True, false or null for each of `CONDITIONS` and ``ascvd-history``, with ``-found`` texts.

    A resolved diagnosis counts (the scores ask for a history of it); one refuted or entered in error does not, and one
    that is not confirmed leaves it open.
    """
    rows = _on_record(tables)
    hits = _expanded(rows).join(facts("codes"), on=["system", "code"])
    doubted = pl.col("verification").is_in(_DOUBTED).fill_null(value=False)
    unclear = pl.concat([_unclear(rows, hits), _doubted(hits.filter(doubted))], how="diagonal")
    wide = people(tables)
    for part in (_first(hits.filter(~doubted), "-sure"), _first(unclear, "-unclear")):
        wide = wide.join(part, on="patient_id", how="left", maintain_order="left")
    open_ = left_out(tables, "Condition") | pl.col("patient_id").is_in(_mute(rows, hits))
    judged = wide.with_columns(open_.alias("lost")).with_columns(
        *map(_judged, CONDITIONS), *map(_found, CONDITIONS))
    earlier = pl.any_horizontal(FIRST_EVENT)
    return judged.with_columns(
        earlier.alias("ascvd-history"),
        pl.coalesce(*(f"{name}{end}" for end in ("-sure", "-unclear") for name in FIRST_EVENT)).alias(
            "ascvd-history-found"))


def _judged(name: str) -> pl.Expr:
    unknown = pl.col(f"{name}-unclear").is_not_null() | pl.col("lost")
    return (pl.when(pl.col(f"{name}-sure").is_not_null()).then(pl.lit(value=True))
            .when(~unknown).then(pl.lit(value=False)).alias(name))


def _found(name: str) -> pl.Expr:
    return pl.coalesce(f"{name}-sure", f"{name}-unclear").alias(f"{name}-found")


def _on_record(tables: Tables) -> pl.DataFrame:
    """Diagnoses up to the index date that were not ruled out, with the short name of their code system."""
    rows = up_to_index(tables, "conditions").filter(~_ruled_out())
    return rows.with_columns(recorded=pl.col("code"), system=code_system(pl.col("system")),
                             code=pl.col("code").str.strip_chars()).pipe(as_written)


def _ruled_out() -> pl.Expr:
    """Refuted or entered in error; where verification was not recorded: not active, yet neither ended nor over."""
    over = pl.col("status").str.to_lowercase().is_in(_OVER).fill_null(value=False) | pl.col("end").is_not_null()
    silent = ~pl.col("active").fill_null(value=True) & ~over
    return pl.col("verification").is_in(WRONG).fill_null(silent)


def _expanded(rows: pl.DataFrame) -> pl.DataFrame:
    """Every code a diagnosis can be looked up by: the code itself, or each beginning of an ICD-10 code."""
    bare = pl.col("code").str.to_uppercase().str.replace_all(".", "", literal=True)
    beginnings = pl.concat_list(bare.str.head(length) for length in range(3, 8)).list.unique()
    icd = rows.filter(pl.col("system") == "icd-10").with_columns(code=beginnings).explode("code", empty_as_null=False)
    return pl.concat([rows.filter(pl.col("system") == "snomed"), icd])


def _first(rows: pl.DataFrame, end: str) -> pl.DataFrame:
    """One row a patient; a column for each concept with the earliest row that speaks of it."""
    words = pl.coalesce(pl.format("{} {}", "system", "recorded"), "display")
    said = words + pl.format(", {}", "start").fill_null("")
    ordered = rows.with_columns(said=said).sort("patient_id", "start", "row", nulls_last=True)
    return ordered.group_by("patient_id").agg(
        pl.col("said").filter(pl.col("concept") == name).first().alias(f"{name}{end}") for name in CONDITIONS)


def _doubted(hits: pl.DataFrame) -> pl.DataFrame:
    """Diagnoses of a code set that are not confirmed."""
    said = pl.format("a diagnosis that is not confirmed: {} {}", "system", "recorded")
    return hits.with_columns(display=said, system=pl.lit(None, dtype=pl.String))


def _mute(rows: pl.DataFrame, hits: pl.DataFrame) -> list[str]:
    """Patients with a diagnosis that may be any: no text, and a code that is in no set. ICD-10 is known as a whole."""
    silent = pl.col("display").str.strip_chars().fill_null("") == ""
    other = rows.filter(silent, pl.col("system").ne_missing("icd-10") | pl.col("code").is_null())
    return other.join(hits, on=["patient_id", "row"], how="anti")["patient_id"].unique().to_list()


def _unclear(rows: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """Diagnoses that no code set knows, with each concept that their text speaks of."""
    unknown = rows.join(hits, on=["patient_id", "row"], how="anti", maintain_order="left")
    text = pl.col("display").str.to_lowercase()
    said = pl.lit("a diagnosis that no code set knows: ") + pl.col("display")
    parts = [unknown.filter(text.str.contains(words), ~text.str.contains(but)).with_columns(
        concept=pl.lit(concept), display=said, system=pl.lit(None, dtype=pl.String))
        for concept, words, but in facts("words").iter_rows()]
    return pl.concat(parts)

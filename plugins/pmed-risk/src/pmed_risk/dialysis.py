"""Whether somebody is on dialysis, which MELD and MELD 3.0 count as the highest creatinine.

Yes: dependence on dialysis is on record as a diagnosis that is not over, or a dialysis of the last seven days as a
procedure. Unknown: an earlier one within a year, failing kidneys (stage 5), a text that speaks of it under another
code, a diagnosis that is not confirmed, an entry that could not be read or has neither a known code system nor a text.
Otherwise no, as with diagnoses that a record does not mention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from pmed import TABLES, Tables
from pmed.plans import as_written
from pmed.repeats import of_tables

from .knowledge import facts
from .records import WRONG, code_system, left_out, people, up_to_index

_DAYS: Final = 7  # MELD asks for two dialyses within the last week; a record that has one need not have all
_YEAR: Final = 366
_WORDS: Final = r"dialys|ha?emofiltration|hämofiltration|ha?emodiafiltration|hämodiafiltration"
_DOUBTED: Final = ("unconfirmed", "provisional", "differential")
_NOT_DONE: Final = ("not-done", "preparation", "on-hold")
_NOW, _OPEN = "now", "open"
_COLUMNS: Final = ("patient_id", "system", "code", "display", "says", "start")


@dataclass(frozen=True)
class Dialysis:
    """``dialysis``, and ``dialysis-found``: the entry that says so, or that leaves it open."""

    name: ClassVar[str] = "risk-dialysis"
    needs: ClassVar[tuple[str, ...]] = ("patients", "conditions", "procedures")
    gives: ClassVar[tuple[str, ...]] = ("dialysis", "dialysis-found")

    def run(self, tables: Tables, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
        """One row for each patient with a record; others have no row, hence nulls."""
        return {"features": dialysis(tables)[["patient_id", *wanted]]}


@of_tables("patients", "conditions", "procedures", "issues")
def dialysis(tables: Tables) -> pl.DataFrame:
    """patient_id, dialysis, dialysis-found of everybody with a record."""
    given = {name: tables.get(name, TABLES[name].empty()) for name in ("patients", "conditions", "procedures")}
    rows = pl.concat([_of_diagnoses(given), _of_procedures(given)])
    words = pl.coalesce("display", pl.format("{} {}", "system", "code"))
    said = pl.format("{}{}", words, pl.format(", {}", "start").fill_null(""))
    found = rows.sort("start", nulls_last=True).group_by("patient_id").agg(
        now=said.filter(pl.col("says") == _NOW).last(), open=said.filter(pl.col("says") == _OPEN).last())
    gone = left_out(tables, "Condition|Procedure")
    unknown = pl.col("open").is_not_null() | gone
    answer = (pl.when(pl.col("now").is_not_null()).then(pl.lit(value=True))
              .when(~unknown).then(pl.lit(value=False)))
    told = pl.coalesce("now", pl.format("an entry that may mean it: {}", "open"))
    return people(given).lazy().join(found, on="patient_id", how="left", maintain_order="left").select(
        "patient_id", dialysis=answer, **{"dialysis-found": told}).pipe(as_written)


def _of_diagnoses(tables: Tables) -> pl.LazyFrame:
    """What diagnoses say: those that are over say nothing."""
    wrong = pl.col("verification").is_in(WRONG).fill_null(value=False)
    rows = _coded(up_to_index(tables, "conditions").filter(pl.col("active").fill_null(value=True), ~wrong))
    doubted = pl.col("verification").is_in(_DOUBTED).fill_null(value=False)
    return rows.with_columns(says=pl.when(doubted).then(pl.lit(_OPEN)).otherwise("says")).select(_COLUMNS)


def _of_procedures(tables: Tables) -> pl.LazyFrame:
    """What procedures say: of the last days, or of a year; an undated one may be of any day."""
    done = ~pl.col("status").is_in(_NOT_DONE).fill_null(value=False)
    rows = _coded(up_to_index(tables, "procedures").filter(done))
    ago = (pl.col("index_date") - pl.coalesce("end", "start")).dt.total_days()
    recent = (ago <= _DAYS).fill_null(value=False)
    return rows.filter(ago.fill_null(0) <= _YEAR).with_columns(
        says=pl.when(recent).then("says").otherwise(pl.lit(_OPEN))).select(_COLUMNS)


def _coded(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows that speak of dialysis by code, by text or, having neither, perhaps; with what each `says`.

    Each kind of entry is looked at once: those of a cohort are mostly the same few hundred.
    """
    what, each = ("system", "code", "display"), as_written(rows)
    return each.lazy().join(_saying(each.lazy().select(what).unique()), on=what, nulls_equal=True,
                            maintain_order="left")


def _saying(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The kinds of entries (system, code, display) that speak of it, or may, with what each `says`."""
    uri, text = pl.col("system").str.to_lowercase(), pl.col("display").str.to_lowercase()
    system = pl.coalesce(code_system(pl.col("system")), pl.when(uri.str.contains(r"\bops\b")).then(pl.lit("ops")))
    bare = pl.col("code").str.strip_chars().str.to_uppercase().str.replace_all(r"[.-]", "")
    by_code = pl.coalesce(pl.when(system == name, _matches(bare, code, match)).then(pl.lit(says))
                          for says, name, match, code, _ in facts("dialysis").iter_rows())
    spoken = text.str.contains(_WORDS).fill_null(value=False)
    mute = (text.str.strip_chars().fill_null("") == "") & system.ne_missing("icd-10")
    return rows.with_columns(says=by_code).with_columns(
        says=pl.when(pl.col("says").is_null() & (spoken | mute)).then(pl.lit(_OPEN)).otherwise("says")).drop_nulls(
        "says")


def _matches(bare: pl.Expr, code: str, match: str) -> pl.Expr:
    return bare.str.starts_with(code) if match == "prefix" else bare == code

"""Statuses as FHIR writes them, whatever the case; of a medicine one that it does not know says nothing."""

from __future__ import annotations

from itertools import compress

import polars as pl

from ..normalise.units import GOALS

STATES = ("status", "verification")
UNKNOWN = "unknown"
# Of requests, statements, administrations and dispenses, in STU3, R4 and R5.
_OF_MEDICINES = ("accepted", "active", "cancelled", "completed", "declined", "draft", "ended", "entered-in-error",
                 "in-progress", "inactive", "intended", "not-done", "not-taken", "on-hold", "preparation", "recorded",
                 "stopped", UNKNOWN)
# Of conditions, STU3 to R5; "unknown" is a certainty of STU3 and says that nobody is sure.
_OF_DIAGNOSES = ("active", "recurrence", "relapse", "inactive", "remission", "resolved", "entered-in-error", UNKNOWN)
_CERTAINTIES = ("unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error")
_OF_RESULTS = ("registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled",
               "entered-in-error", "specimen-in-process", UNKNOWN)
ODD = r"[\p{Lu}\s_]"


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """"ACTIVE" and "Entered_In_Error" as "active" and "entered-in-error"."""
    names = [name for name in STATES if name in frame.columns]
    # They are few, and nearly all are as they should be.
    hits = frame.select(pl.col(name).unique().str.contains(ODD).any() for name in names).row(0) if names else ()
    odd = [*compress(names, hits)]
    word = pl.col(odd).str.strip_chars().str.to_lowercase().str.replace_all(r"[\s_]+", "-")
    return frame.with_columns(word) if odd else frame


def without_strange(drugs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of medicines, strange statuses as unknown, and those that had one: "current" is not "not taken"."""
    strange = drugs["status"].is_in(_OF_MEDICINES).not_().fill_null(value=False)
    if not strange.any():
        return drugs, drugs.clear()
    return drugs.with_columns(status=pl.when(strange).then(pl.lit(UNKNOWN)).otherwise("status")), drugs.filter(strange)


def without_strange_diagnoses(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[pl.DataFrame, str]]]:
    """Conditions, a strange status as unknown and a strange certainty as unconfirmed; and the rows that had one."""
    strange = rows.select(status=pl.col("status").is_in(_OF_DIAGNOSES).not_().fill_null(value=False),
                          verification=pl.col("verification").is_in(_CERTAINTIES).not_().fill_null(value=False))
    status, certainty = strange["status"], strange["verification"]
    if not (status.any() or certainty.any()):
        return rows, []
    told = [(rows.filter(status), "a status that FHIR does not know: whether the diagnosis still holds stays unknown"),
            (rows.filter(certainty), "a certainty that FHIR does not know: the diagnosis counts as unconfirmed")]
    return rows.with_columns(
        status=pl.when(status).then(pl.lit(UNKNOWN)).otherwise("status"),
        verification=pl.when(certainty).then(pl.lit("unconfirmed")).otherwise("verification")), [
        (some, text) for some, text in told if some.height]


def without_strange_results(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Observations without the values of a strange status ("storniert"), and one row for each patient and such word.

    The text keeps what it was: it was measured, so that an older value is not the latest.
    """
    met = rows["status"].drop_nulls().unique()
    odd = met.filter(~met.is_in(_OF_RESULTS))
    if odd.is_empty():
        return rows, rows.clear()
    of_results = pl.col("system").ne_missing(GOALS)  # goals have statuses of their own
    strange = pl.col("status").is_in(odd.implode()).fill_null(value=False) & of_results
    number = pl.concat_str(pl.col("value").cast(pl.String), "unit", separator=" ", ignore_nulls=True)
    was = pl.when(pl.col("value").is_null()).then("value_text").otherwise(number)
    changed = rows.with_columns(
        value=pl.when(~strange).then("value"), value_code=pl.when(~strange).then("value_code"),
        value_text=pl.when(strange).then(pl.format("{} ({})", was, "status")).otherwise("value_text"))
    return changed, rows.filter(strange).unique(["patient_id", "status"], keep="first", maintain_order=True)

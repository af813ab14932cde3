"""Statuses as FHIR writes them, whatever the case; of a medicine one that it does not know says nothing."""

from __future__ import annotations

from itertools import compress

import polars as pl

STATES = ("status", "verification")
UNKNOWN = "unknown"
# Of requests, statements, administrations and dispenses, in STU3, R4 and R5.
_OF_MEDICINES = ("accepted", "active", "cancelled", "completed", "declined", "draft", "ended", "entered-in-error",
                 "in-progress", "inactive", "intended", "not-done", "not-taken", "on-hold", "preparation", "recorded",
                 "stopped", UNKNOWN)
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

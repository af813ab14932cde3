"""Recorded drugs become ingredients, by the vocabularies of the knowledge releases; measurements get one unit."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..normalise.contradictions import weigh
from ..normalise.drugs import Vocabulary, add_ingredients
from ..normalise.local_codes import unused
from ..normalise.units import canonical_units
from ..old_entries import CODE, SINCE, with_years
from ..repeats import unless_repeated
from ..tables import TABLES, Tables
from ..types import Release


def vocabulary(releases: Sequence[Release], name: str = "drug_names") -> pl.DataFrame:
    """All releases' ``drug_names`` (or ``drug_classes``) as one table, each row once."""
    table = TABLES[name]
    parts = [table.check(one.tables[table.name], where=one.name) for one in releases if table.name in one.tables]
    return pl.concat([table.empty(), *(part[table.names] for part in parts)]).unique(
        table.key, keep="first", maintain_order=True)


def normalise(tables: Tables, names: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The same tables with ingredients filled in and units converted; what could not be settled is in ``issues``.

    Adds ``possible_ingredients`` (medications, allergies) and ``canonical_code`` (observations).
    """
    out = dict(tables)
    known = _vocabulary(names)
    recognised, unclear_drugs = add_ingredients(out["medications"], known)
    out["medications"], contradicted = weigh(recognised)
    old = _old_entries(with_years(out["medications"], out.get("patients", TABLES["patients"].empty())))
    out["allergies"], unclear_allergens = add_ingredients(out["allergies"], known)
    out["observations"], unclear_units = canonical_units(out["observations"])
    found = [frame[out["issues"].columns] for frame in (unclear_drugs, contradicted, old, unclear_allergens,
                                                         unclear_units, unused(out["observations"]))]
    out["issues"] = pl.concat([out["issues"], *(untold(frame, out["issues"]) for frame in found)])
    return out


# A cohort is read chunk by chunk.
@unless_repeated
def _vocabulary(names: pl.DataFrame) -> Vocabulary:
    return Vocabulary.of(names)


def untold(found: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """The ``issues`` of `found` that were not told when the records became tables (the source `history-tables`)."""
    if found.is_empty() or told.is_empty():
        return found
    return found.join(told, on=told.columns, how="anti", nulls_equal=True, maintain_order="left")


def _old_entries(medications: pl.DataFrame) -> pl.DataFrame:
    """``issues``, one a patient and medicine, of what counts as taken on the word of an old entry."""
    old = medications.filter(pl.col(SINCE).is_not_null()).unique(
        ["patient_id", "ingredients", "display"], keep="first", maintain_order=True)
    origin = pl.col("source").fill_null("unknown").str.splitn("#", 2).struct
    text = pl.format("nothing was recorded about '{}' for {} years, and it is listed as taken: please ask whether it "
                     "still is", pl.coalesce("display", "code", pl.lit("(no name)")), SINCE)
    return old.select(
        file=origin.field("field_0"), place=origin.field("field_1"), severity=pl.lit("warning"),
        code=pl.lit(CODE), text=text, patient_id="patient_id").cast(
            {name: column.dtype for name, column in TABLES["issues"].columns.items()})

"""What to use instead of a drug, and what of it the record rules out."""

from __future__ import annotations

from functools import cache

import polars as pl

from pmed.tables import TABLES, Tables

from .findings import on_record
from .guidelines import drugs

KEY = ["patient_id", "drug"]
OUT = "ruled-out"
_ROW = ("drug", "label", "other", "status", "reason", "finding")


def alternatives(rows: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """For patient, drug and label of guideline row: the ``alternatives`` list, in the guideline's order.

    A finding on record or an allergy rules a drug out. That nothing is on record proves nothing: "fits" speaks of
    the genes and of what the record holds.
    """
    offered = rows.join(_offers(), on=["drug", "label"], maintain_order="left")
    judged = offered.join(on_record(tables), on=["patient_id", "finding"], how="left", maintain_order="left").join(
        _allergies(tables), on=["patient_id", "other"], how="left", maintain_order="left")
    against = pl.coalesce("allergy", "words")
    told = judged.select(*KEY, pl.struct(
        drug="other", status=pl.when(against.is_not_null()).then(pl.lit(OUT)).otherwise("status"),
        reason=pl.coalesce(against, "reason")).alias("alternatives"))
    return told.group_by(KEY, maintain_order=True).agg("alternatives")


@cache
def _offers() -> pl.DataFrame:
    rows = [(drug.name, key, one.drug, one.status, one.reason, one.ruled_out_by or None)
            for drug in drugs().values() for one in drug.alternatives for key in one.rows]
    return pl.DataFrame(rows, schema=dict.fromkeys(_ROW, pl.String), orient="row")


def _allergies(tables: Tables) -> pl.DataFrame:
    allergies = tables.get("allergies", TABLES["allergies"].empty())
    rows = allergies.filter(pl.col("active").fill_null(value=True)).select("patient_id", other="ingredients")
    named = rows.explode("other", empty_as_null=True, keep_nulls=True).drop_nulls("other").unique()
    return named.with_columns(allergy=pl.lit("allergy or intolerance on record"))

"""Which rows of a record count at the index date, and whose record has lost some."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from pmed import TABLES, Tables
from pmed.verdicts import lists_medicines, lost

WRONG: Final = ("refuted", "entered-in-error", "cancelled", "registered")


def up_to_index(tables: Tables, name: str) -> pl.LazyFrame:
    """Rows of a table that belong to a record, are not withdrawn, and do not start after the index date."""
    dates = tables["patients"].lazy().select("patient_id", "index_date")
    after = (pl.col("start") > pl.col("index_date")).fill_null(value=False)
    wrong = pl.col("status").str.to_lowercase().is_in(WRONG).fill_null(value=False)
    return tables[name].lazy().join(dates, on="patient_id", maintain_order="left").filter(~after & ~wrong)


def code_system(uri: pl.Expr) -> pl.Expr:
    """Short name of a code system; null for one that the code sets do not cover."""
    text = uri.str.to_lowercase()
    return (pl.when(text.str.contains(r"snomed|2\.16\.840\.1\.113883\.6\.96$")).then(pl.lit("snomed"))
            .when(text.str.contains(r"icd-?10|2\.16\.840\.1\.113883\.6\.(3|90)$")).then(pl.lit("icd-10")))


def dated_observations(tables: Tables, codes: Collection[str], by: str = "code") -> pl.LazyFrame:
    """Observations of these codes with a date: an undated one may be from any time, also after the index date."""
    asked = tables["observations"].filter(pl.col(by).is_in(codes))  # first: a record has hundreds of others
    return up_to_index({**tables, "observations": asked}, "observations").drop_nulls("start")


def left_out(tables: Tables, resource: str) -> pl.Expr:
    """Patients of whom a resource of that kind (a regular expression) was left out while reading, or may have been."""
    return lost(tables.get("issues", TABLES["issues"].empty()), resource)


def listing(tables: Tables) -> pl.Expr:
    """Patients whose record lists medicines, or says that none is taken now; that it once said so is no list."""
    return pl.col("patient_id").is_in(tables["medications"].filter(lists_medicines())["patient_id"].unique().to_list())


def people(tables: Tables) -> pl.DataFrame:
    """Everyone with a record."""
    return tables["patients"].select("patient_id")

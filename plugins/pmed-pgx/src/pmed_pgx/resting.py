"""Cautions beside what rests on a medicine that is perhaps not taken: an entry of years ago, or one that ended."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pmed.old_entries import doubt, old_drugs
from pmed.plans import as_written
from pmed.tables import TABLES, Tables

from .cases import Cases, numbered
from .explainer import medicines_of
from .medicines import lasting

LASTING = "still-counts"
_CAUTIONS = TABLES["suggestions"].columns["cautions"].dtype


def resting(rows: pl.DataFrame, cases: Cases, tables: Tables) -> Iterator[pl.DataFrame]:
    """Frames of row and cautions, of those `rows` (number, case, status) that rest on such a medicine.

    First where only entries of years ago have it as taken, then where it ended and still counts.
    """
    patients = tables.get("patients", TABLES["patients"].empty())
    for found, caution in ((old_drugs(tables["medications"], patients), doubt("drug")), (lasting(tables), _ended())):
        if found.height:
            yield _beside(rows, cases, found, caution)


def _ended() -> pl.Expr:
    lasts = pl.when(pl.col("days") < 2).then(pl.format("{} hours", (pl.col("days") * 24).cast(pl.Int64))).otherwise(
        pl.format("{} days", pl.col("days").cast(pl.Int64)))
    ago = pl.when(pl.col("since") == 0).then(pl.lit("today")).when(pl.col("since") == 1).then(
        pl.lit("yesterday")).otherwise(pl.format("{} days ago", "since"))
    text = pl.format("{} ended {} and counts as taken for {}.", "drug", ago, lasts)
    return pl.struct(code=pl.lit(LASTING), text=text)


def _beside(rows: pl.DataFrame, cases: Cases, found: pl.DataFrame, caution: pl.Expr) -> pl.DataFrame:
    """The cautions of the rows that rest on what was `found` (patient_id, drug and what the caution says)."""
    mine = found.lazy().with_columns(pl.Series("number", numbered(found["patient_id"], cases.patients.to_list())))
    theirs = rows.lazy().with_row_index("row").filter(pl.col("status") == "assessed").select(
        "row", "number", "case").join(mine, on="number", how="semi").pipe(as_written)
    counts = pl.DataFrame([(case, name) for case in theirs["case"].unique().to_list()
                           for name in medicines_of(cases.outcomes[case])],
                          schema={"case": pl.Int64(), "drug": pl.String()}, orient="row")
    hits = theirs.lazy().join(counts.lazy(), on="case").join(mine, on=["number", "drug"]).sort("row", "drug")
    told = hits.group_by("row", maintain_order=True).agg(cautions=caution).pipe(as_written)
    return told.cast({"row": pl.Int64(), "cautions": _CAUTIONS})

"""Variants that often come with an HLA allele: told as a hint to test, never as a call or a status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from pmed.tables import TABLES

from .knowledge import proxies

_MESSAGES = TABLES["gene_results"].columns["messages"].dtype
Bases = Callable[[dict[str, Any]], Sequence[str | None]]


def hints(patients: pl.Series, bases: Bases) -> pl.DataFrame:
    """patient_id, gene, code and text, for every patient who carries the tagging base of a proxy.

    Args:
        patients: (patients,) their ids.
        bases: Genotypes in bases of one proxy's site (a row of ``proxies``), for each patient.
    """
    parts = [pl.DataFrame(schema=dict.fromkeys(("patient_id", "gene", "code", "text"), pl.String()))]
    for row in proxies().iter_rows(named=True):
        text = (f"{row['site']} {row['tagged']} often comes with {row['allele']} ({row['population']}: {row['note']}; "
                f"{row['source']}): low evidence, not a typing; type {row['gene']} before relying on it")
        carried = pl.Series("bases", bases(row), dtype=pl.String).str.contains(row["tagged"], literal=True)
        found = patients.filter(carried.fill_null(value=False))
        parts.append(pl.DataFrame({"patient_id": found}).with_columns(
            gene=pl.lit(row["gene"]), code=pl.lit("hint"), text=pl.lit(text)))
    return pl.concat(parts)


def told(results: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """``gene_results`` with what was found among the messages of genes whose status is not known from elsewhere."""
    if found.is_empty():
        return results
    each = found.group_by("patient_id", "gene", maintain_order=True).agg(
        _hints=pl.struct("code", "text")).with_columns(pl.col("_hints").cast(_MESSAGES))
    joined = results.join(each, on=["patient_id", "gene"], how="left", maintain_order="left")
    more = pl.when(pl.col("status") != "outside").then("_hints").fill_null([])
    return joined.with_columns(messages=pl.concat_list(pl.col("messages").fill_null([]), more)).drop("_hints")

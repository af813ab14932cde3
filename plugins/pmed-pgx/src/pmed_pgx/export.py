"""Gene results as bytes: JSON (``pmed/gene-results/1``), TSV, Parquet."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import polars as pl

from pmed import TABLES, Result

FORMAT = "pmed/gene-results/1"
KEYS = ("status", "diplotypes", "functions", "phenotype", "activity_score", "complete", "phased", "missing_sites",
        "messages")


def by_sample(result: Result) -> pl.DataFrame:
    """``gene_results`` with the sample in front, samples in file order and genes in alphabetical order."""
    samples = result.tables["samples"].select("sample", "patient_id")
    genes = result.tables.get("gene_results", TABLES["gene_results"].empty())
    return samples.join(genes, on="patient_id", how="left", maintain_order="left_right")


def to_json(result: Result) -> bytes:
    """All samples with their genes, and what the results rest on."""
    samples: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in by_sample(result).select("sample", "gene", *KEYS).iter_rows(named=True):
        gene = samples[row.pop("sample")]
        if (name := row.pop("gene")) is not None:
            gene[name] = row
    said = {"format": FORMAT, "samples": [{"sample": name, "genes": found} for name, found in samples.items()],
            "provenance": result.provenance, "failures": [str(failure) for failure in result.failures]}
    return msgspec.json.format(msgspec.json.encode(said, enc_hook=str), indent=1) + b"\n"


def to_tsv(result: Result) -> bytes:
    """One line a sample and gene; lists are joined by '; ', unknown is empty."""
    rows = by_sample(result).drop_nulls("gene")
    code, text = (pl.element().struct.field(name) for name in ("code", "text"))
    texts = pl.col("messages").list.eval(code + pl.lit(": ") + text)
    joined = [pl.col(name).list.join("; ") for name in ("diplotypes", "functions", "missing_sites")]
    return rows.select("sample", "gene", *KEYS).with_columns(*joined, messages=texts.list.join("; ")).write_csv(
        separator="\t").encode()


def to_parquet(result: Result) -> bytes:
    """The table with all its columns."""
    buffer = io.BytesIO()
    by_sample(result).drop_nulls("gene").write_parquet(buffer)
    return buffer.getvalue()


FORMATS: Mapping[str, Callable[[Result], bytes]] = {"json": to_json, "tsv": to_tsv, "parquet": to_parquet}

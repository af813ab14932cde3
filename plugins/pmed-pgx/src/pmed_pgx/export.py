"""Gene results, of some people after the other, as bytes in pieces: JSON (``pmed/gene-results/1``), TSV, Parquet."""

from __future__ import annotations

import io
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from pmed import TABLES, Result
from pmed.files import CHUNK

FORMAT = "pmed/gene-results/1"
PEOPLE = 1000
KEYS = ("status", "diplotypes", "functions", "phenotype", "activity_score", "complete", "phased", "missing_sites",
        "messages", "possible_diplotypes", "possible_phenotypes", "lookup_diplotypes")


def by_sample(result: Result) -> pl.DataFrame:
    """``gene_results`` with the sample in front, samples in file order and genes in alphabetical order."""
    return _joined(result.tables["samples"], _genes(result))


def _genes(result: Result) -> pl.DataFrame:
    return result.tables.get("gene_results", TABLES["gene_results"].empty())


def _joined(samples: pl.DataFrame, genes: pl.DataFrame) -> pl.DataFrame:
    return samples.select("sample", "patient_id").join(genes, on="patient_id", how="left", maintain_order="left_right")


def _slices(result: Result, genes: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The genes by sample, some people at a time, so that the text of a cohort is never whole in memory."""
    for samples in result.tables["samples"].iter_slices(PEOPLE):
        yield _joined(samples, genes)


def to_json(results: Iterable[Result]) -> Iterator[bytes]:
    """All samples with their genes, and what the results rest on."""
    yield b'{\n "format": ' + msgspec.json.encode(FORMAT) + b',\n "samples": ['
    comma, rest = b"", {}
    for result in results:
        for rows in _slices(result, _genes(result)):
            samples: dict[str, dict[str, Any]] = defaultdict(dict)
            for row in rows.select("sample", "gene", *KEYS, "probabilities").iter_rows(named=True):
                gene = samples[row.pop("sample")]
                if (name := row.pop("gene")) is not None:
                    gene[name] = row
            some = [{"sample": name, "genes": found} for name, found in samples.items()]
            yield (comma if some else b"") + _pretty(some)[1:-2]
            comma = b"," if some else comma
        rest = {"provenance": result.provenance, "failures": [str(failure) for failure in result.failures]}
    yield b"\n ]," + _pretty(rest)[1:] + b"\n"


def _pretty(said: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(said, enc_hook=str), indent=1)


def to_tsv(results: Iterable[Result]) -> Iterator[bytes]:
    """One line a sample and gene; lists are joined by '; ', unknown is empty."""
    yield "\t".join(("sample", "gene", *KEYS)).encode() + b"\n"
    for result in results:
        for rows in _slices(result, _flat(_genes(result))):
            lines = io.BytesIO()
            rows.drop_nulls("gene").select("sample", "gene", *KEYS).write_csv(
                lines, separator="\t", include_header=False)
            yield lines.getvalue()


def _flat(genes: pl.DataFrame) -> pl.DataFrame:
    """Lists as text, before rows are looked up: texts are, lists of lists are not, gathered at no cost."""
    code, text = (pl.element().struct.field(name) for name in ("code", "text"))
    texts = pl.col("messages").list.eval(code + pl.lit(": ") + text)
    lists = ("diplotypes", "functions", "missing_sites", "possible_diplotypes", "possible_phenotypes",
             "lookup_diplotypes")
    return genes.select("patient_id", "gene", *KEYS).with_columns(
        *(pl.col(name).list.join("; ") for name in lists), messages=texts.list.join("; "))


def to_parquet(results: Iterable[Result]) -> Iterator[bytes]:
    """The table with all its columns; parts are laid down in a folder that is removed, then written as one."""
    with tempfile.TemporaryDirectory() as folder:
        for number, result in enumerate(results):
            by_sample(result).drop_nulls("gene").write_parquet(Path(folder) / f"{number:06}.part")
        whole = Path(folder) / "whole"
        pl.scan_parquet(Path(folder) / "*.part", glob=True).sink_parquet(whole)
        with whole.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


FORMATS: Mapping[str, Callable[[Iterable[Result]], Iterator[bytes]]] = {
    "json": to_json, "tsv": to_tsv, "parquet": to_parquet}

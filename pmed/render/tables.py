"""Every table of a result as files of one folder: CSV, TSV or Parquet, and the provenance beside them.

Parquet holds the tables as they are. CSV and TSV hold lists and structs as JSON, and text that a spreadsheet would run
as a formula (or that begins with an apostrophe) with an apostrophe in front; `plain_cell` takes it off again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
import polars as pl

from ..result import Result

PROVENANCE = "provenance.json"
# What Excel, LibreOffice and Sheets take for the beginning of a formula; the apostrophe keeps the way back unambiguous.
RISKY = r"^[=+\-@\t\r\n']"


@dataclass(frozen=True)
class CsvTables:
    """A folder with every table as CSV (UTF-8, lists as JSON, no cell that a spreadsheet would run)."""

    name: ClassVar[str] = "csv"
    suffix: ClassVar[str] = ""

    def export(self, result: Result) -> dict[str, bytes]:
        """File name → content."""
        return _folder(result, ".csv", lambda frame: delimited(frame, ","))


@dataclass(frozen=True)
class TsvTables:
    """A folder with every table as TSV (as CSV, with tabs)."""

    name: ClassVar[str] = "tsv"
    suffix: ClassVar[str] = ""

    def export(self, result: Result) -> dict[str, bytes]:
        """File name → content."""
        return _folder(result, ".tsv", lambda frame: delimited(frame, "\t"))


@dataclass(frozen=True)
class ParquetTables:
    """A folder with every table as Parquet, types and lists as they are."""

    name: ClassVar[str] = "parquet"
    suffix: ClassVar[str] = ""

    def export(self, result: Result) -> dict[str, bytes]:
        """File name → content."""
        return _folder(result, ".parquet", _parquet)


def delimited(frame: pl.DataFrame, separator: str) -> bytes:
    """A table as text: null is an empty cell, an empty text is ``""``."""
    flat = frame.with_columns(_as_json(frame[name]) for name, dtype in frame.schema.items()
                              if isinstance(dtype, pl.List | pl.Struct))
    return flat.with_columns(_safe(name) for name, dtype in flat.schema.items() if dtype == pl.String()).write_csv(
        separator=separator).encode()


def plain_cell(text: str) -> str:
    """A cell's text as it was before it was made safe for a spreadsheet."""
    return text.removeprefix("'")


def _folder(result: Result, suffix: str, write: Any) -> dict[str, bytes]:
    tables = {f"{name}{suffix}": write(frame) for name, frame in sorted(result.tables.items())}
    return {**tables, PROVENANCE: _indented(result.provenance)}


def _indented(provenance: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(dict(provenance)), indent=2) + b"\n"


def _as_json(column: pl.Series) -> pl.Series:
    texts = [None if value is None else msgspec.json.encode(value).decode() for value in column.to_list()]
    return pl.Series(column.name, texts, pl.String())


def _safe(name: str) -> pl.Expr:
    text = pl.col(name)
    return pl.when(text.str.contains(RISKY)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).alias(name)


def _parquet(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.write_parquet(sink)
    return sink.getvalue()

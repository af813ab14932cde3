"""An OMOP CDM kept as a folder of CSV or Parquet files, one a table."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..errors import HistoryError
from .omop_cdm import LAYOUTS, Keep

_ENDS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet")
_NULLS = ["", "NULL", "\\N"]


def table_files(folder: Path) -> dict[str, Path]:
    """The files of a folder that are CDM tables, by table name in lower case.

    Raises:
        HistoryError: two files for one table.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name, dot, end = path.name.lower().partition(".")
        if name not in LAYOUTS or f"{dot}{end}" not in _ENDS or not path.is_file():
            continue
        if name in found:
            raise HistoryError(f"two files for table {name}: {found[name].name} and {path.name}", where=str(folder),
                               hint="which is meant cannot be told; take one away")
        found[name] = path
    return found


@dataclass(frozen=True)
class Folder:
    """A folder of table files."""

    where: str
    files: dict[str, Path]

    @classmethod
    def of(cls, folder: Path) -> Folder:
        """The CDM in a folder."""
        return cls(str(folder), table_files(folder))

    def place(self, table: str) -> str:
        """The file of a table."""
        return str(self.files.get(table, self.where))

    def columns(self, table: str) -> list[str] | None:
        """The columns of a table in lower case; None where there is no file."""
        return list(_names(self.files[table])) if table in self.files else None

    def read(self, table: str, columns: Sequence[str], keep: Keep | None = None) -> pl.DataFrame:
        """The columns of one file, as text (CSV) or as they are (Parquet)."""
        path = self.files[table]
        names = _names(path)
        wanted = _scan(path).select(pl.col(names[name]).alias(name) for name in columns)
        if keep is not None:
            ids = pl.Series(keep[1], dtype=pl.Int64)
            wanted = wanted.filter(pl.col(keep[0]).cast(pl.Int64, strict=False).is_in(ids.implode()))
        try:
            return wanted.collect()
        except (pl.exceptions.PolarsError, OSError) as error:  # its text may quote the record
            raise HistoryError(f"table {table} cannot be read: {type(error).__name__}", where=str(path),
                               hint="is a line longer than the header, or the file cut off?") from None


def _names(path: Path) -> dict[str, str]:
    """The columns of a file as written, by their names in lower case."""
    try:
        written = _scan(path).collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        fault = "is empty: not even a header" if not path.stat().st_size else f"cannot be read: {type(error).__name__}"
        raise HistoryError(fault, where=str(path)) from None
    return {name.strip().strip('"').lower(): name for name in written}


def _scan(path: Path) -> pl.LazyFrame:
    if path.suffix.lower() == ".parquet":
        return pl.scan_parquet(path)
    tabs = _header(path).count("\t") > 0
    # Vocabulary files come with tabs and unpaired quotes in names: there a quote is a letter.
    quote = None if tabs and path.name.lower().startswith("concept") else '"'
    return pl.scan_csv(path, separator="\t" if tabs else ",", quote_char=quote, infer_schema=False,
                       null_values=_NULLS, encoding="utf8-lossy")


def _header(path: Path) -> str:
    opened = gzip.open if path.suffix.lower() == ".gz" else Path.open
    with opened(path, "rb") as file:
        return file.readline(1 << 16).decode("utf-8", "replace")

"""Files of plain tables → frames: CSV, TSV, Excel and Parquet. Cells of CSV stay text, the place of a row is kept."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl

from ..compatibility import install_extra
from ..errors import HistoryError
from .recorded import Issue
from .tabular_mapping import FileMap

EXCEL = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
PLACE = "place\0"  # no column of a file is called so
_TEXT_ENDS = (".csv", ".tsv", ".tab", ".txt", ".csv.gz", ".tsv.gz")


def read_cells(path: Path, mapped: FileMap, issues: list[Issue]) -> pl.DataFrame:
    """The cells of one file and, in `PLACE`, where each row is.

    Raises:
        HistoryError: no such file, or not a table.
    """
    name = path.name.lower()
    if not path.is_file():
        raise HistoryError("no such file", where=str(path), hint="paths are relative to the mapping file")
    if name.endswith(EXCEL):
        return _numbered(_excel(path, mapped.sheet), "row", 2)
    if name.endswith((".parquet", ".pq")):
        return _numbered(_attempt(path, lambda: pl.read_parquet(path)), "row", 1)
    if not name.endswith(_TEXT_ENDS):
        raise HistoryError("not a kind of file that is read", where=str(path),
                           hint="CSV, TSV, Excel (.xlsx, .xls, .ods) or Parquet")
    with path.open("rb") as file:
        if file.read(2) in {b"\xff\xfe", b"\xfe\xff"}:
            raise HistoryError("text in UTF-16 is not read", where=str(path), hint="save it as UTF-8")
    separator = mapped.separator or ("\t" if ".tsv" in name or name.endswith(".tab") else ",")
    return _text(path, separator, issues)


def _attempt(path: Path, read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    try:
        return read()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        what = str(error).splitlines()[0] if isinstance(error, OSError) else type(error).__name__
        raise HistoryError(f"cannot be read as a table: {what}", where=str(path)) from error


def _excel(path: Path, sheet: str) -> pl.DataFrame:
    try:
        import fastexcel
    except ImportError as error:
        raise HistoryError("Excel files need fastexcel, which is not installed", where=str(path),
                           hint=install_extra("records")
                           ) from error
    try:
        frame = pl.read_excel(path, sheet_name=sheet or None, raise_if_empty=False)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        raise HistoryError(f"cannot be read as an Excel file{f', sheet {sheet!r}' if sheet else ''}",
                           where=str(path), hint="is the sheet named rightly?" if sheet else "") from error
    return frame


def _numbered(frame: pl.DataFrame, what: str, first: int) -> pl.DataFrame:
    places = pl.format(f"{what} {{}}", pl.int_range(first, pl.len() + first))
    return frame.with_columns(places.alias(PLACE)).filter(~_blank(frame))


def _text(path: Path, separator: str, issues: list[Issue]) -> pl.DataFrame:
    """A well-formed file at polars' speed; else row by row, so that only the bad rows are lost."""
    try:
        frame = pl.read_csv(path, separator=separator, infer_schema=False)
    except pl.exceptions.NoDataError as error:
        raise HistoryError("the file is empty", where=str(path)) from error
    except (pl.exceptions.PolarsError, OSError):
        return _row_by_row(path, separator, issues)
    if frame.width and frame.to_series(-1).null_count() and _has_short_lines(path, separator, frame.width):
        return _row_by_row(path, separator, issues)
    # A quoted cell may hold line breaks: rows and lines then differ.
    breaks = frame.select(pl.sum_horizontal(pl.lit(0), pl.all().str.count_matches("\n")).cum_sum().shift(
        1, fill_value=0)).to_series()
    lines = pl.int_range(2, pl.len() + 2) + breaks
    return frame.with_columns(pl.format("line {}", lines).alias(PLACE)).filter(~_blank(frame))


def _blank(frame: pl.DataFrame) -> pl.Expr:
    return pl.all_horizontal(pl.col(frame.columns).is_null())


def _has_short_lines(path: Path, separator: str, width: int) -> bool:
    """Whether a line may have cells too few: polars fills these up, and what is missing may be in the middle."""
    lines = pl.scan_csv(path, separator="\0", quote_char=None, has_header=False, infer_schema=False,
                        new_columns=["line"]).select(pl.col("line").str.count_matches(separator, literal=True))
    return bool(lines.select((pl.col("line") < width - 1).any()).collect().item())


def _row_by_row(path: Path, separator: str, issues: list[Issue]) -> pl.DataFrame:
    # Strict, for a quote that is never closed would swallow rows.
    reader = csv.reader(io.StringIO(_decoded(path, issues), newline=""), delimiter=separator, strict=True)
    rows: list[tuple[str, ...]] = []
    header, before = [], 0
    try:
        header = next(reader, [])
        before = reader.line_num
        for row in reader:
            place, before = f"line {before + 1}", reader.line_num
            if len(row) == len(header):
                rows.append((*row, place))
            elif row:
                issues.append(_issue(path, place, "error", "bad-row", f"{len(row)} cells where the header has "
                                     f"{len(header)}; the row was left out"))
    except csv.Error as error:
        issues.append(_issue(path, f"line {before + 1}", "error", "bad-row",
                             f"{error}; this row and what follows was left out"))
    if len(set(header)) < len(header):
        raise HistoryError("two columns of one name", where=str(path))
    return pl.DataFrame(rows, schema=dict.fromkeys([*header, PLACE], pl.String()), orient="row")


def _decoded(path: Path, issues: list[Issue]) -> str:
    content = _bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        issues.append(_issue(path, "", "warning", "character-set", "text that is not UTF-8 was read as Latin-1; names "
                             "may be wrong"))
        return content.decode("latin-1")


def _bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (OSError, EOFError, zlib.error) as error:
        raise HistoryError("cannot be read: not a whole file", where=str(path)) from error


def _issue(path: Path, place: str, severity: str, code: str, text: str) -> Issue:
    return {"file": path.name, "place": place, "severity": severity, "code": code, "text": text, "patient_id": None}

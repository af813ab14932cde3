"""Files of plain tables → frames: CSV, TSV, Excel and Parquet. Cells of CSV stay text, the place of a row is kept."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import polars as pl

from ..errors import HistoryError
from .lost_rows import ANYBODY, named_in
from .recorded import Issue
from .row_parts import AT_ONCE, batches_of
from .tabular_excel import merged_cells, read_sheet
from .tabular_mapping import FileMap

EXCEL = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
PLACE = "place\0"  # no column of a file is called so
IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_TEXT_ENDS = (".csv", ".tsv", ".tab", ".txt", ".csv.gz", ".tsv.gz")
_PARQUET = (".parquet", ".pq")
_CHUNK = 1 << 20
_SHOWN = 3
_LINE = 2  # the first one below the header
_Made = TypeVar("_Made")


def read_cells(path: Path, mapped: FileMap, issues: list[Issue]) -> pl.DataFrame:
    """The cells of one file and, in `PLACE`, where each row is.

    Raises:
        HistoryError: no such file, or not a table.
    """
    name = path.name.lower()
    if not path.is_file():
        raise HistoryError("no such file", where=str(path), hint="paths are relative to the mapping file")
    if name.endswith(EXCEL):
        return _excel_cells(path, mapped, issues)
    if name.endswith(_PARQUET):
        return _numbered(_attempt(path, lambda: pl.read_parquet(path)), 1)
    return _text(path, _separator(path, mapped), mapped, issues)


def about_rows(path: Path) -> int:
    """How many rows a file has, or about so many; 0 for a file that is read at once anyhow."""
    if path.name.lower().endswith(_PARQUET):
        return int(_attempt(path, lambda: pl.scan_parquet(path).select(pl.len()).collect()).item())
    return 0 if path.name.lower().endswith(EXCEL) else _attempt(path, lambda: _line_ends(path))


def cells_through(path: Path, mapped: FileMap, issues: list[Issue],
                  take: Callable[[Iterator[pl.DataFrame]], _Made]) -> _Made:
    """What `take` makes of the cells of one file, as `read_cells` gives them but some rows at a time.

    It is called once more where a file turns out not to be well-formed.

    Raises:
        HistoryError: no such file, or not a table.
    """
    name = path.name.lower()
    if not path.is_file() or name.endswith(EXCEL):
        return take(iter([read_cells(path, mapped, issues)]))
    if name.endswith(_PARQUET):
        return _attempt(path, lambda: take(_all_numbered(batches_of(pl.scan_parquet(path)))))
    separator, gaps = _separator(path, mapped), list[int]()
    if _has_odd_header(path):
        return take(_row_by_row(path, separator, mapped, issues))
    try:
        made = take(_lines_numbered(batches_of(pl.scan_csv(path, separator=separator, infer_schema=False)), gaps))
    except (pl.exceptions.PolarsError, OSError):
        return take(_row_by_row(path, separator, mapped, issues))
    if gaps and _has_short_lines(path, separator, gaps[0]):
        return take(_row_by_row(path, separator, mapped, issues))
    return made


def _separator(path: Path, mapped: FileMap) -> str:
    """What parts the cells of a text file.

    Raises:
        HistoryError: it is none.
    """
    name = path.name.lower()
    if not name.endswith(_TEXT_ENDS):
        raise HistoryError("not a kind of file that is read", where=str(path),
                           hint="CSV, TSV, Excel (.xlsx, .xls, .ods) or Parquet")
    with path.open("rb") as file:
        if file.read(2) in {b"\xff\xfe", b"\xfe\xff"}:
            raise HistoryError("text in UTF-16 is not read", where=str(path), hint="save it as UTF-8")
    return mapped.separator or ("\t" if ".tsv" in name or name.endswith(".tab") else ",")


def _attempt(path: Path, read: Callable[[], _Made]) -> _Made:
    try:
        return read()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        what = str(error).splitlines()[0] if isinstance(error, OSError) else type(error).__name__
        raise HistoryError(f"cannot be read as a table: {what}", where=str(path)) from error


def _numbered(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    places = pl.format("row {}", pl.int_range(first, pl.len() + first))
    return frame.with_columns(places.alias(PLACE)).filter(~_blank(frame))


def _excel_cells(path: Path, mapped: FileMap, issues: list[Issue]) -> pl.DataFrame:
    """The cells of one sheet of a workbook; that it has others is told.

    Raises:
        HistoryError: it cannot be read, or has no such sheet.
    """
    frame, header, others = read_sheet(path, mapped.sheet)
    if others:
        issues.append(_issue(path, "", "info", "other-sheets", f"the first sheet was read, and not "
                             f"{', '.join(others)}: to read another, name it in the mapping (sheet = …)"))
    if merged := merged_cells(path, mapped.sheet, header):
        more = f" and {len(merged) - _SHOWN} more" if len(merged) > _SHOWN else ""
        issues.append(_issue(path, "", "warning", "merged-cells", f"{', '.join(merged[:_SHOWN])}{more}: of merged "
                             "cells only the first has the value, the others were read as empty; take the cells apart "
                             "and fill them"))
    return _numbered(frame, header + 1)


def _all_numbered(batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    first = 1
    for batch in batches:
        yield _numbered(batch, first)
        first += batch.height


def _text(path: Path, separator: str, mapped: FileMap, issues: list[Issue]) -> pl.DataFrame:
    """A well-formed file at polars' speed; else row by row, so that only the bad rows are lost."""
    try:
        frame = pl.read_csv(path, separator=separator, infer_schema=False)
    except pl.exceptions.NoDataError as error:
        raise HistoryError("the file is empty", where=str(path)) from error
    except (pl.exceptions.PolarsError, OSError):
        return pl.concat(_row_by_row(path, separator, mapped, issues), rechunk=True)
    if _has_odd_header(path) or (_has_gap(frame) and _has_short_lines(path, separator, frame.width)):
        return pl.concat(_row_by_row(path, separator, mapped, issues), rechunk=True)
    return next(_lines_numbered(iter([frame]), []))


def _has_odd_header(path: Path) -> bool:
    """Whether the names of the columns are not UTF-8: of these polars makes others, and says nothing."""
    try:
        with _opened(path) as file:
            file.readline().decode("utf-8")
    except UnicodeDecodeError:
        return True
    except (OSError, EOFError, zlib.error):  # who reads the rows says so
        return False
    return False


def _has_gap(frame: pl.DataFrame) -> bool:
    """Whether the last cell of any row is empty, or is not there."""
    return bool(frame.width and frame.to_series(-1).null_count())


def _lines_numbered(batches: Iterator[pl.DataFrame], gaps: list[int]) -> Iterator[pl.DataFrame]:
    """Rows with their lines; `gaps` gets the number of columns where the last cell of a row may be missing."""
    first = _LINE
    for batch in batches:
        if _has_gap(batch):
            gaps.append(batch.width)
        # A quoted cell may hold line breaks: rows and lines then differ.
        breaks = batch.select(pl.sum_horizontal(pl.lit(0), pl.all().str.count_matches("\n"))).to_series()
        lines = pl.int_range(first, pl.len() + first) + breaks.cum_sum().shift(1, fill_value=0)
        yield batch.with_columns(pl.format("line {}", lines).alias(PLACE)).filter(~_blank(batch))
        first += batch.height + int(breaks.sum())


def _blank(frame: pl.DataFrame) -> pl.Expr:
    return pl.all_horizontal(pl.col(frame.columns).is_null())


def _has_short_lines(path: Path, separator: str, width: int) -> bool:
    """Whether a line may have cells too few: polars fills these up, and what is missing may be in the middle."""
    lines = pl.scan_csv(path, separator="\0", quote_char=None, has_header=False, infer_schema=False,
                        new_columns=["line"]).select(pl.col("line").str.count_matches(separator, literal=True))
    return bool(lines.select((pl.col("line") < width - 1).any()).collect(engine="streaming").item())


def _row_by_row(path: Path, separator: str, mapped: FileMap, issues: list[Issue]) -> Iterator[pl.DataFrame]:
    """Rows of as many cells as the header has, some at a time; first none, for the columns."""
    encoding = _encoding(path, issues)
    with _opened(path) as file:
        # Strict, for a quote that is never closed would swallow rows.
        reader = csv.reader(io.TextIOWrapper(file, encoding, newline=""), delimiter=separator, strict=True)
        try:
            header = next(reader, [])
        except csv.Error as error:
            issues.append(_not_closed(path, 1, error))
            header = []
        if len(set(header)) < len(header):
            raise HistoryError("two columns of one name", where=str(path))
        rows = _good_rows(path, reader, header, mapped, issues)
        for some in chain([[]], iter(lambda: list(islice(rows, AT_ONCE)), [])):
            yield pl.DataFrame(some, schema=dict.fromkeys([*header, PLACE], pl.String()), orient="row")


def _good_rows(path: Path, reader: Any, header: list[str], mapped: FileMap,
               issues: list[Issue]) -> Iterator[tuple[str, ...]]:
    before = reader.line_num
    try:
        for row in reader:
            place, before = f"line {before + 1}", reader.line_num
            if len(row) == len(header):
                yield (*row, place)
            elif row:
                issues += _left_out(path, place, row, header, mapped)
    except csv.Error as error:
        issues.append(_not_closed(path, before + 1, error))


def _left_out(path: Path, place: str, row: list[str], header: list[str], mapped: FileMap) -> list[Issue]:
    """What is told of a row of the wrong width: once for each patient who may be meant.

    Who has no row in the table of patients is not there, or all that it would say is unknown.
    """
    text = f"{len(row)} cells where the header has {len(header)}; the row was left out"
    column = mapped.columns["patient_id"]
    if mapped.table == "patients" or column not in header:
        return [_issue(path, place, "error", "bad-row", text)]
    names = [one for one in named_in(row, header.index(column), len(header)) if re.search(IDENTIFIER, one)]
    return [_issue(path, place, "error", "bad-row", text) | {"patient_id": one} for one in names] or [
        _issue(path, place, "error", ANYBODY, text)]


def _not_closed(path: Path, line: int, error: csv.Error) -> Issue:
    return _issue(path, f"line {line}", "error", "cut-off", f"{error}; this row and what follows was left out")


def _encoding(path: Path, issues: list[Issue]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        issues.append(_issue(path, "", "warning", "character-set", "text that is not UTF-8 was read as Latin-1; names "
                             "may be wrong"))
        return "latin-1"
    return "utf-8-sig"


def _line_ends(path: Path) -> int:
    return sum(chunk.count(b"\n") for chunk in _chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    with _opened(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            with cast("BinaryIO", gzip.open(plain)) if packed else plain as file:
                yield file
    except (OSError, EOFError, zlib.error) as error:
        raise HistoryError("cannot be read: not a whole file", where=str(path)) from error


def _issue(path: Path, place: str, severity: str, code: str, text: str) -> Issue:
    return {"file": path.name, "place": place, "severity": severity, "code": code, "text": text, "patient_id": None}

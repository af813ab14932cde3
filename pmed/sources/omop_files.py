"""An OMOP CDM kept as a folder of CSV or Parquet files, one a table."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO, TypeVar, cast

import polars as pl

from ..errors import HistoryError
from .lost_rows import ANYBODY, named_in
from .omop_cdm import CLINICAL, LAYOUTS, Keep, Take, said
from .row_parts import batches_of

_ENDS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet")
_LINE = 1 << 16
_BROKEN = (pl.exceptions.PolarsError, OSError, EOFError, zlib.error)
_PERSON_ID = "person_id"
_OF_PEOPLE = {"person", "death", *CLINICAL}
_ROW = 50  # bytes, of a short row
_Made = TypeVar("_Made")
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
    issues: list[pl.DataFrame] = field(default_factory=list)
    whole: bool = True

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
        lines = io.StringIO()
        return self._made(table, columns, lambda scan: scan.collect(), lines, keep)

    def height(self, table: str) -> int:
        """The rows of a file; of one that is not as it should be, about as many as its bytes could be."""
        path = self.files[table]
        try:
            return int(_scan(path).select(pl.len()).collect().item())
        except _BROKEN:
            return path.stat().st_size // _ROW

    def through(self, table: str, columns: Sequence[str], take: Take[_Made], scratch: Path) -> _Made:
        """What `take` makes of the rows, as `read` gives them, some at a time."""
        with tempfile.NamedTemporaryFile("w+", dir=scratch, prefix=f".{table}.", encoding="utf-8", newline="") as lines:
            return self._made(table, columns, lambda scan: take(batches_of(scan)), cast("TextIO", lines))

    def _made(self, table: str, columns: Sequence[str], make: Callable[[pl.LazyFrame], _Made], lines: TextIO,
              keep: Keep | None = None) -> _Made:
        """What is made of a file: as it is, else of its whole lines."""
        path = self.files[table]
        names = _names(path)
        try:
            if not _is_cut_off(path) and not (table in _OF_PEOPLE and _has_short_lines(path)):
                return make(_wanted(_scan(path), names, columns, keep))
        except _BROKEN as error:  # its text may quote the record
            if path.suffix.lower() == ".parquet":
                raise HistoryError(f"table {table} cannot be read: {type(error).__name__}", where=str(path)) from None
        return make(_wanted(self._whole_lines(path, lines), names, columns, keep))

    def _whole_lines(self, path: Path, kept: TextIO) -> pl.LazyFrame:
        """The lines with as many fields as the header, one by one: slow, and only where a file has others."""
        bad: dict[tuple[str, ...], list[int]] = {}
        person: int | None = None
        before = 0  # the last line of the last row that was read
        try:
            with _opened(path) as file:
                rows = csv.reader(file, delimiter=_separator(path), quoting=_quoting(path), strict=True)
                header = next(rows)
                before = rows.line_num
                person = _person_column(path, header)
                csv.writer(kept).writerow(header)
                for row in rows:
                    if len(row) == len(header):
                        csv.writer(kept).writerow(row)
                    elif row:
                        names = named_in(row, person, len(header)) if person is not None else []
                        whose = tuple(str(int(one)) for one in names if one.isdecimal())
                        bad.setdefault(whose, []).append(rows.line_num)
                    before = rows.line_num
        except csv.Error as error:
            fault = f"line {before + 1}: {error}"
            if not before:
                raise HistoryError(f"{fault}: the header cannot be read", where=str(path), hint=_QUOTE) from None
            self.issues.append(said(str(path), "error", "cut-off", f"{error}; this row and what follows was left out",
                                    f"line {before + 1}"))
        except _BROKEN as error:
            raise HistoryError(f"cannot be read: {type(error).__name__}", where=str(path)) from None
        self.issues.extend(_left_out(path, whose, lines, of_people=person is not None) for whose, lines in bad.items())
        kept.flush()
        source = io.BytesIO(kept.getvalue().encode()) if isinstance(kept, io.StringIO) else Path(kept.name)
        return pl.scan_csv(source, infer_schema=False, null_values=_NULLS)


_QUOTE = "close the quote that is open there"


def _person_column(path: Path, header: Sequence[str]) -> int | None:
    """The place of the person in rows that are about one; who has no row in ``person`` is not there at all."""
    names = [name.strip().lower() for name in header]
    return names.index(_PERSON_ID) if _PERSON_ID in names and not path.name.lower().startswith("person.") else None


def _left_out(path: Path, whose: Sequence[str], lines: Sequence[int], *, of_people: bool) -> pl.DataFrame:
    """What is told of lines of the wrong width: once for each person who may be meant."""
    more = f" ({len(lines)} lines; the first is named)" if len(lines) > 1 else ""
    text, place = f"not as many fields as the header; the line was left out{more}", f"line {lines[0]}"
    code = ANYBODY if of_people and not whose else "bad-line"
    told = said(str(path), "error", code, text, place)
    return pl.concat([told.with_columns(patient_id=pl.lit(one)) for one in whose]) if whose else told


def _wanted(scan: pl.LazyFrame, names: dict[str, str], columns: Sequence[str], keep: Keep | None) -> pl.LazyFrame:
    """The columns by their lower-case names, and the rows to keep."""
    wanted = scan.select(pl.col(names[name]).alias(name) for name in columns)
    if keep is None:
        return wanted
    ids = pl.Series(keep[1], dtype=pl.Int64)
    return wanted.filter(pl.col(keep[0]).cast(pl.Int64, strict=False).is_in(ids.implode()))


def _names(path: Path) -> dict[str, str]:
    """The columns of a file as written, by their names in lower case."""
    try:
        written = _scan(path).collect_schema().names()
    except _BROKEN as error:
        fault = "is empty: not even a header" if not path.stat().st_size else f"cannot be read: {type(error).__name__}"
        raise HistoryError(fault, where=str(path)) from None
    return {name.strip().strip('"').lower(): name for name in written}


def _scan(path: Path) -> pl.LazyFrame:
    if path.suffix.lower() == ".parquet":
        return pl.scan_parquet(path)
    return pl.scan_csv(path, separator=_separator(path), infer_schema=False, null_values=_NULLS,
                       encoding="utf8-lossy", quote_char='"' if _quoting(path) == csv.QUOTE_MINIMAL else None)


def _opened(path: Path) -> TextIO:
    opened: Any = gzip.open if path.suffix.lower() == ".gz" else open
    return cast("TextIO", opened(path, "rt", encoding="utf-8-sig", errors="replace", newline=""))


def _separator(path: Path) -> str:
    with _opened(path) as file:
        return "\t" if "\t" in file.readline(1 << 16) else ","


def _quoting(path: Path) -> Literal[0, 3]:
    """Vocabulary files come with tabs and unpaired quotes in names: there a quote is a letter."""
    vocabulary = path.name.lower().startswith("concept") and _separator(path) == "\t"
    return csv.QUOTE_NONE if vocabulary else csv.QUOTE_MINIMAL


def _is_cut_off(path: Path) -> bool:
    """A last line without its end and with fewer fields than the header: its last field may be part of one."""
    if path.suffix.lower() in {".gz", ".parquet"}:
        return False
    with path.open("rb") as file:
        header = file.readline(_LINE)
        file.seek(max(0, path.stat().st_size - _LINE))
        last = file.read().rpartition(b"\n")[2]
    separator = _separator(path).encode()
    return bool(last) and last.count(separator) < header.count(separator)


def _has_short_lines(path: Path) -> bool:
    """Whether a line has fewer fields than the header: polars fills these up, though any of them may be missing."""
    if path.suffix.lower() == ".parquet":
        return False
    separator, least, fields, quotes = _separator(path).encode(), -1, 0, 0
    opened: Any = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rb") as file:
        for line in file:
            fields, quotes = fields + line.count(separator), quotes + line.count(b'"')
            if quotes % 2:  # the line ends in the middle of a quoted field
                continue
            least = fields if least < 0 else least
            if fields < least and line.strip():
                return True
            fields = quotes = 0
    return False

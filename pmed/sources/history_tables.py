"""The source for the tables that ``pmed history`` wrote: records are read once, and then used as often as one likes.

What a record says on a day is worked out when the tables are written, so they are of that day. Every table that the
summary names must be there with all its rows: one that is not there would be read as nothing recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import msgspec
import polars as pl

from ..errors import HistoryError
from ..files import write_whole
from ..tables import TABLES, Tables
from ..types import ReadRequest, SourceKind
from .record_dates import asked_day
from .row_parts import ROW_BYTES, many_parts

#: What a summary says that it is; another number where the tables mean something else.
FORMAT = "pmed/history/1"
SUMMARY = "summary.json"
_PART = ".history-part"
_AT_ONCE = 1 << 20  # rows whose patients are looked at at a time
_AGAIN = "write the tables again with pmed history"


class _Summary(msgspec.Struct, frozen=True):
    """What is read of a summary."""

    rows: dict[str, int]
    format: str = ""


class _Part(msgspec.Struct, frozen=True):
    """Some people of a folder with tables: the first row of each table that is theirs, and how many are."""

    folder: str
    rows: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class HistoryTablesSource:
    """A folder of ``pmed history`` → the same tables."""

    name: ClassVar[str] = "history-tables"
    kind: ClassVar[SourceKind] = "history"
    folders: ClassVar[bool] = True

    def matches(self, path: Path) -> bool:
        """A folder whose summary says what it is, or a part that `parted` made."""
        if not path.is_dir():
            return path.name.endswith(_PART)
        summary = _summary(path)
        return summary is not None and summary.format.startswith("pmed/history/")

    def parted(self, paths: Sequence[Path], folder: Path, size: int) -> list[Path]:
        """Parts of tables whose rows are more than `size` bytes of NDJSON; none where they are less, or in disorder."""
        whole = [_whole(path) for path in paths]
        rows = sum(height for one in whole for _, height in one.rows.values())
        if rows * ROW_BYTES <= size:
            return []
        made = []
        for one in whole:
            mine = sum(height for _, height in one.rows.values())
            parts = _in_parts(one, min(many_parts(mine, size), one.rows["patients"][1]))
            if not parts:
                return []
            made += parts
        places = [folder / f"{number:05}{_PART}" for number in range(len(made))]
        for place, part in zip(places, made, strict=True):
            write_whole(place, msgspec.json.encode(part))
        return places

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Every table of all folders, as it was written.

        Raises:
            HistoryError: a table that is missing, damaged, cut short or of another version, a patient in two folders,
                tables of another day than `request.index_date`.
            OptionError: `request.index_date` is not a date.
        """
        day = asked_day(request.index_date)
        parts = [_part(path) if path.name.endswith(_PART) else _whole(path) for path in paths]
        made = [{name: _table(part, name) for name in part.rows} for part in parts]
        tables = {name: pl.concat([one[name] for one in made if name in one])
                  for name in dict.fromkeys(name for one in made for name in one)}
        _must_differ(tables["patients"], paths)
        if day is not None:
            _must_be_of(tables["patients"], day, paths)
        return tables


def in_order(tables: Tables) -> Iterator[tuple[str, pl.DataFrame]]:
    """The tables of a record with the rows of each patient together, patients as in their table, nobody's rows first.

    So they can be read some people at a time.
    """
    order = _order(tables["patients"]["patient_id"])
    for name, frame in tables.items():
        if "patient_id" not in frame.columns or _numbers(frame["patient_id"], order).is_sorted():
            yield name, frame
        else:
            yield name, frame.sort(_numbers(frame["patient_id"], order), maintain_order=True)


def _summary(folder: Path) -> _Summary | None:
    try:
        return msgspec.json.decode((folder / SUMMARY).read_bytes(), type=_Summary)
    except (OSError, msgspec.MsgspecError):  # somebody else's, or none
        return None


def _part(path: Path) -> _Part:
    return msgspec.json.decode(path.read_bytes(), type=_Part)


def _whole(folder: Path) -> _Part:
    """All people of a folder.

    Raises:
        HistoryError: a table that the summary names is not there, or not whole.
    """
    said = _summary(folder)
    if said is None or said.format != FORMAT:
        raise HistoryError(f"tables of {said.format if said else 'no version'}, where this pmed reads {FORMAT}",
                           where=str(folder), hint=_AGAIN)
    rows = {name: (0, height) for name, height in said.rows.items() if name in TABLES}
    for name, (_, height) in rows.items():
        there = _height(folder, name)
        if there != height:
            raise HistoryError(f"{there:,} rows, where the summary says {height:,}: not the whole table",
                               where=str(_file(folder, name)), hint=_AGAIN)
    return _Part(str(folder), rows)


def _file(folder: Path | str, name: str) -> Path:
    return Path(folder) / f"{name}.parquet"


def _height(folder: Path, name: str) -> int:
    path = _file(folder, name)
    if not path.is_file():
        csv = path.with_suffix(".csv").is_file()
        raise HistoryError("is not there, and the summary names it: without it a record would look empty",
                           where=str(path), hint="CSV loses lists: write the tables without --format csv" if csv
                           else _AGAIN)
    try:
        return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from error


def _table(part: _Part, name: str) -> pl.DataFrame:
    path, (first, many) = _file(part.folder, name), part.rows[name]
    try:
        frame = pl.scan_parquet(path, glob=False).slice(first, many).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from error
    return TABLES[name].check(frame, where=str(path), rows=False)[TABLES[name].names]


def _damaged(path: Path, error: Exception) -> HistoryError:
    said = str(error).strip().splitlines()
    return HistoryError(f"cannot be read as Parquet: {said[0] if said else type(error).__name__}", where=str(path),
                        hint=_AGAIN)


def _in_parts(whole: _Part, many: int) -> list[_Part]:
    """`whole` in so many parts of people, in order; none where somebody's rows are not together."""
    people = _column(whole, "patients", 0, whole.rows["patients"][1])
    order = _order(people)
    ends = [len(people) * part // many for part in range(1, many + 1)]  # 1-based number of a part's last patient
    rows: list[dict[str, tuple[int, int]]] = [{} for _ in range(many)]
    for name, (_, height) in whole.rows.items():
        cuts = [0]
        last = 0
        for start in range(0, height, _AT_ONCE):
            numbers = _numbers(_column(whole, name, start, min(_AT_ONCE, height - start)), order)
            if not numbers.is_sorted() or int(numbers[0]) < last:
                return []
            last = int(numbers[-1])
            while len(cuts) <= many and (last > ends[len(cuts) - 1]):
                cuts.append(start + int(numbers.search_sorted(ends[len(cuts) - 1], "right")))
        cuts += [height] * (many + 1 - len(cuts))
        for mine, first, end in zip(rows, cuts, cuts[1:], strict=False):
            mine[name] = (first, end - first)
    return [_Part(whole.folder, mine) for mine in rows if mine["patients"][1]]


def _column(whole: _Part, name: str, first: int, many: int) -> pl.Series:
    """The patients of some rows."""
    path = _file(whole.folder, name)
    try:
        return pl.scan_parquet(path, glob=False).slice(first, many).select("patient_id").collect().to_series()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from error


def _order(patients: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"patient_id": patients, "number": pl.int_range(1, len(patients) + 1, eager=True)})


def _numbers(patients: pl.Series, order: pl.DataFrame) -> pl.Series:
    """The place of each row's patient among the patients, from 1; 0 for nobody and strangers."""
    return patients.to_frame().join(order, on="patient_id", how="left", maintain_order="left")["number"].fill_null(0)


def _must_differ(patients: pl.DataFrame, paths: Sequence[Path]) -> None:
    double = patients.filter(pl.col("patient_id").is_duplicated())
    if double.height:
        raise HistoryError(f"patient {double['patient_id'][0]} is in more than one folder",
                           where=", ".join(map(str, paths)), hint="read both records at once: pmed history ONE OTHER")


def _must_be_of(patients: pl.DataFrame, day: date, paths: Sequence[Path]) -> None:
    other = patients.filter(pl.col("index_date").ne_missing(pl.lit(day)))
    if other.height:
        patient, found = other.select("patient_id", "index_date").row(0)
        raise HistoryError(f"the tables are of {found or 'no day'} (patient {patient}), not of {day}: what is taken is "
                           "worked out for one day", where=", ".join(map(str, paths)),
                           hint=f"write them with pmed history … --index-date {day}")

"""Plain tables in parts of some people each: the cells that a mapping names, and where each row was.

Who is in the tables of patients is in a part with those beside him, everybody else in one by his identifier, rows that
name nobody in the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from ..errors import HistoryError
from ..tables import TABLES
from .recorded import Issue
from .row_parts import PART, ROW_BYTES, Rows, Run, many_parts, new_rows, read_part, rows_of, write_part
from .tabular_cells import PLACE, about_rows, cells_through
from .tabular_fields import patient_of
from .tabular_mapping import FileMap, missing_columns

Mapped = tuple[Path, FileMap]
_ISSUES = "issues"


class _About(msgspec.Struct, frozen=True):
    """The files, and whether the part tells what is wrong with them."""

    files: list[tuple[str, FileMap]]
    first: bool


def cells_of(part: Path, found: list[pl.DataFrame]) -> Iterator[tuple[Path, FileMap, pl.DataFrame]]:
    """Each file, and the part's rows of it; problems of whole files go to `found`."""
    kept = read_part(part)
    about = msgspec.json.decode(kept.about, type=_About)
    if about.first:
        found.append(rows_of(part, kept, _ISSUES))
    for number, (path, mapped) in enumerate(about.files):
        yield Path(path), mapped, rows_of(part, kept, str(number))


def parted(files: Sequence[Mapped], folder: Path, size: int, suffix: str) -> list[Path]:
    """Write parts of people with about `size` bytes, as NDJSON would have; none where there are not so many rows.

    Raises:
        HistoryError: a file that cannot be read, as reading it would say.
        PmedError: there is no room for the rows.
    """
    # Of a column a test, each cell becomes a row.
    height = sum(about_rows(path) * max(1, len(mapped.measurements)) for path, mapped in files)
    if height * ROW_BYTES <= size:
        return []
    spreading = _Spreading(many_parts(height, size))
    spreading.know(files)
    with new_rows(folder / "tables.rows") as rows:
        runs = [spreading.spread(rows, path, mapped) for path, mapped in files]
        issues = [rows.put(TABLES["issues"].frame(spreading.issues))]
    if len(spreading.met) < 2:
        return []
    chosen = sorted({0, *spreading.met})  # the first has what is of nobody, though nobody may be in it
    about = [(str(path), mapped) for path, mapped in files]
    return [write_part(folder / f"{part:05}{suffix}", folder / "tables.rows",
                       {_ISSUES: issues, **{str(number): mine[part] for number, mine in enumerate(runs)}},
                       _About(about, first=not part)) for part in chosen]


@dataclass
class _Spreading:
    """What is learnt while the tables are gone through.

    Attributes:
        many: Parts.
        known: `patient_id` and `PART` of who is in the tables of patients.
        met: Parts that somebody is in.
        issues: What is wrong with whole files.
    """

    many: int
    known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"patient_id": pl.String, PART: pl.Int64}))
    met: set[int] = field(default_factory=set)
    issues: list[Issue] = field(default_factory=list)

    def know(self, files: Sequence[Mapped]) -> None:
        """Place who is in the tables of patients."""
        met = [pl.Series("patient_id", dtype=pl.String)]
        for path, mapped in files:
            if mapped.table == "patients":
                met += cells_through(path, mapped, [], lambda batches, mapped=mapped: [  # type: ignore[misc]
                    cells.select(patient_of(cells, mapped).unique(maintain_order=True)).to_series()
                    for cells in _with_columns(batches, mapped)])
        names = pl.concat(met).drop_nulls().unique(maintain_order=True)
        part = pl.int_range(len(names), eager=True) * self.many // max(1, len(names))
        self.known = pl.DataFrame({"patient_id": names, PART: part})

    def spread(self, rows: Rows, path: Path, mapped: FileMap) -> list[list[Run]]:
        """Put each part's rows of a file into the file of rows."""
        wanted = [*dict.fromkeys([*mapped.columns.values(), *mapped.measurements]), PLACE]

        met: set[int] = set()

        def take(batches: Iterator[pl.DataFrame]) -> list[list[Run]]:
            met.clear()
            return rows.spread((cells.select(wanted).with_columns(self._place(cells, mapped, met))
                                for cells in _with_columns(batches, mapped)), self.many)

        runs = cells_through(path, mapped, self.issues, take)
        self.met |= met
        return runs

    def _place(self, cells: pl.DataFrame, mapped: FileMap, met: set[int]) -> pl.Series:
        """The part of each row; to `met` go those that somebody is in."""
        name = pl.col("patient_id")
        known = cells.select(patient_of(cells, mapped)).join(self.known, on="patient_id", how="left",
                                                             maintain_order="left")
        other = pl.when(name.is_not_null()).then((name.hash() % self.many).cast(pl.Int64))
        placed = known.select(name, pl.coalesce(PART, other).alias(PART))
        met |= {*placed[PART].drop_nulls().unique()}
        return placed[PART].fill_null(0)


def _with_columns(batches: Iterator[pl.DataFrame], mapped: FileMap) -> Iterator[pl.DataFrame]:
    """The batches of a file that has what the mapping names.

    Raises:
        HistoryError: it has not.
    """
    for cells in batches:
        if faults := missing_columns(mapped, cells.columns):
            raise HistoryError("; ".join(faults), where=mapped.path)
        yield cells

"""The rows of a read while they become many.

Where a row is from is kept in parts and put together when all are there: of the parts, only the id is a text of its
own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import polars as pl

from .recorded import Row, frame_of, kinds, undecided

PACKED = 1 << 12  # rows; as cells they take ten times the memory of a frame, and more are out of the cache by then
# In place of `place` and `source`, the id and what is before it: of a row that is told otherwise the place, None and
# the source.
_PARTS = ("spot", "resource", "id")
_TOLD = ("place", "source")


class Kept:
    """The rows of one table: cell after cell while they are few, packed into frames as they become many."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._schema: dict[str, pl.DataType] = kinds(name)
        first, file, *_ = self._schema
        self._kinds = {first: pl.String(), file: pl.String(), **dict.fromkeys(_PARTS, pl.String()), **self._schema}
        for told in _TOLD:
            del self._kinds[told]
        self._width = len(self._kinds)
        self._most = PACKED * self._width
        self._cells: list[Any] = []
        self._frames: list[pl.DataFrame] = []
        self._ends: list[int] = []  # of each frame: how many rows there are up to its last
        self._doubted: list[int] = []  # rows of resources that are given in versions which differ
        self.height = 0  # rows, all in all

    def __len__(self) -> int:
        return self.height

    def add(self, rows: Sequence[Row]) -> None:
        """Keep the rows of one resource, each with all columns."""
        cells: list[Any] = []
        for name, file, place, source, *said in rows:
            cells += (name, file, place, None, source, *said)
        self.add_cells(cells, len(rows))

    def add_said(self, where: Row, said: Sequence[Row]) -> None:
        """Keep the rows of one resource, all of which are from `where`: patient, file, spot, type and id."""
        cells = self._cells
        for row in said:
            cells += where
            cells += row
        self.height += len(said)
        if len(cells) >= self._most:
            self._pack()

    def add_cells(self, cells: Sequence[Any], rows: int) -> None:
        """Keep rows given cell after cell, of each first where it is from, as in `add_said`."""
        self._cells += cells
        self.height += rows
        if len(self._cells) >= self._most:
            self._pack()

    def add_frame(self, frame: pl.DataFrame) -> None:
        """Keep rows that are in a frame already."""
        if self._cells:
            self._pack()
        self.height += frame.height
        self._keep(frame)

    def _pack(self) -> None:
        width = self._width
        self._keep(pl.DataFrame([_series(name, self._cells[column::width], kind)
                                 for column, (name, kind) in enumerate(self._kinds.items())]))
        self._cells = []

    def _keep(self, frame: pl.DataFrame) -> None:
        self._frames.append(frame)
        self._ends.append(self.height)

    def some(self, start: int, count: int) -> Sequence[Row]:
        """So many rows from one of them on, or what there is."""
        found: list[Row] = []
        number = bisect_right(self._ends, start)
        while len(found) < count and number < len(self._frames):
            frame = self._frames[number]
            before = self._ends[number] - frame.height
            rows = frame.slice(max(start - before, 0), count - len(found)).rows()
            found += rows if _is_told(frame) else [_whole(*row) for row in rows]
            number += 1
        at = max(start - (self._ends[-1] if self._ends else 0), 0) * self._width
        while len(found) < count and at < len(self._cells):
            found.append(_whole(*self._cells[at:at + self._width]))
            at += self._width
        return found

    def doubt(self, start: int, many: int) -> None:
        """Note that so many rows from one on are not what all versions of their resource say."""
        self._doubted += range(start, start + many)

    def frame(self) -> pl.DataFrame:
        """All of them, in order; of doubted ones what may differ is unknown."""
        if self._cells:
            self._pack()
        if not self._frames:
            return frame_of(self.name, ())
        runs = [(told, pl.concat(run)) for told, run in groupby(self._frames, _is_told)]
        whole = pl.concat([run if told else self._told(run) for told, run in runs], rechunk=True)
        return undecided(self.name, whole, self._doubted) if self._doubted else whole

    def _told(self, parts: pl.DataFrame) -> pl.DataFrame:
        """With place and source put together."""
        whole = parts["resource"].null_count()
        place, source = pl.col("spot"), pl.col("id")  # of a row that is told otherwise
        if whole < parts.height:
            place, source = pl.format("{} {}/{}", "spot", "resource", "id"), pl.format(
                "{}#{}/{}", "file", "resource", "id")
            if whole:
                place, source = pl.coalesce(place, "spot"), pl.coalesce(source, "id")
        told = {"place": place, "source": source}
        return parts.select(told[name].alias(name) if name in told else name for name in self._schema)


def _is_told(frame: pl.DataFrame) -> bool:
    """Whether place and source are put together already."""
    return frame.columns[2] == _TOLD[0]


def _series(name: str, cells: list[Any], kind: pl.DataType) -> pl.Series:
    """A column; many have one object in all rows (the file, the code system, None), which is sooner counted."""
    first = cells[0]
    if first is cells[-1] and first is cells[len(cells) // 2] and cells.count(first) == len(cells):
        return pl.Series(name, [first], dtype=kind).new_from_index(0, len(cells))
    return pl.Series(name, cells, dtype=kind)


def _whole(name: str, file: str, spot: str, kind: str | None, number: str, *said: Any) -> Row:
    """A row with place and source put together."""
    if kind is None:
        return name, file, spot, number, *said
    return name, file, f"{spot} {kind}/{number}", f"{file}#{kind}/{number}", *said

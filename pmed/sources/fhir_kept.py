"""The rows of a read while they become many."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import polars as pl

from .recorded import COLUMNS, Row, frame_of_columns

PACKED = 1 << 16  # rows; as cells they take ten times the memory of a frame


class Kept:
    """The rows of one table: cell after cell while they are few, packed into frames as they become many."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._width = len(COLUMNS[name])
        self._most = PACKED * self._width
        self._cells: list[Any] = []
        self._frames: list[pl.DataFrame] = []
        self._ends: list[int] = []  # of each frame: how many rows there are up to its last
        self.height = 0  # rows, all in all

    def __len__(self) -> int:
        return self.height

    def add(self, rows: Sequence[Row]) -> None:
        """Keep the rows of one resource, each with all columns."""
        cells = self._cells
        for row in rows:
            cells += row
        self.height += len(rows)
        if len(cells) >= self._most:
            self._pack()

    def add_said(self, where: Row, said: Sequence[Row]) -> None:
        """Keep the rows of one resource, all of which begin with `where`."""
        cells = self._cells
        for row in said:
            cells += where
            cells += row
        self.height += len(said)
        if len(cells) >= self._most:
            self._pack()

    def add_frame(self, frame: pl.DataFrame) -> None:
        """Keep rows that are in a frame already."""
        if self._cells:
            self._pack()
        self.height += frame.height
        self._keep(frame)

    def _pack(self) -> None:
        columns = [self._cells[column::self._width] for column in range(self._width)]
        self._keep(frame_of_columns(self.name, columns))
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
            found += frame.slice(max(start - before, 0), count - len(found)).rows()
            number += 1
        at = max(start - (self._ends[-1] if self._ends else 0), 0) * self._width
        while len(found) < count and at < len(self._cells):
            found.append(tuple(self._cells[at:at + self._width]))
            at += self._width
        return found

    def frame(self) -> pl.DataFrame:
        """All of them, in order."""
        if self._cells or not self._frames:
            self._pack()
        return pl.concat(self._frames)

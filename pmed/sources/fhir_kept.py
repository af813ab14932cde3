"""The rows of a read while they become many."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .recorded import Row, frame_of

PACKED = 1 << 16  # rows; as tuples they take ten times the memory of a frame


class Kept:
    """The rows of one table: tuples while they are few, packed into frames as they become many."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rows: list[Row] = []
        self._frames: list[pl.DataFrame] = []
        self._packed = 0
        self.height = 0  # rows, all in all

    def __len__(self) -> int:
        return self.height

    def add(self, rows: Sequence[Row]) -> None:
        """Keep the rows of one resource."""
        self._rows += rows
        self.height += len(rows)
        if len(self._rows) >= PACKED:
            self._pack()

    def add_frame(self, frame: pl.DataFrame) -> None:
        """Keep rows that are in a frame already."""
        if self._rows:
            self._pack()
        self._frames.append(frame)
        self._packed += frame.height
        self.height += frame.height

    def _pack(self) -> None:
        self._frames.append(frame_of(self.name, self._rows))
        self._packed += len(self._rows)
        self._rows = []

    def some(self, start: int, count: int) -> Sequence[Row]:
        """So many rows from one of them on, or what there is."""
        if start >= self._packed:
            return self._rows[start - self._packed:start - self._packed + count]
        rows = pl.concat(self._frames, rechunk=False).slice(start, count).rows()
        return rows + self._rows[:count - len(rows)]

    def frame(self) -> pl.DataFrame:
        """All of them, in order."""
        if self._rows or not self._frames:
            self._pack()
        return pl.concat(self._frames)

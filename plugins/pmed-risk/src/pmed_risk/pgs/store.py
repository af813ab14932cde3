"""Rows of scoring files in a folder, so that what is held in memory does not grow with them.

They are read a part of a file at a time, written in the order of the genome, and read again a window of the genome at a
time, of all files together; `Matches` does the same with what became of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from pmed.errors import InputError, PmedError

from .scorefile import ScoreFile
from .seen import TWICE, fault
from .wanted import Ints, Wanted, key_of

_WINDOW_ROWS = 400_000  # of all scores together; at about 150 bytes each
_BIN = 16  # windows begin at a multiple of so many bits
_GROUP_ROWS = 1 << 15
_ROOM = "set TMPDIR to a folder with room for the rows of the scoring files"
_SAME = ("chrom", "pos", "effect", "other", "kind")


@dataclass(frozen=True)
class Part:
    """Consecutive rows of one score, in a file: the first and the last, and the first and the last key, if any."""

    path: Path
    score: int
    first: int
    last: int
    keys: tuple[int, int] | None

    def reaches(self, low: int, high: int) -> bool:
        """Whether it has keys from `low` to below `high`."""
        return self.keys is not None and self.keys[0] < high and low <= self.keys[1]


@dataclass
class Scores:
    """Scoring files whose rows are in a folder.

    Attributes:
        files: The files, by number of the score.
        rows, unplaced: (scores,) how many rows there are, and how many of them without a position.
    """

    folder: Path
    files: Sequence[ScoreFile]
    rows: list[int] = field(default_factory=list)
    unplaced: list[int] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    _codes: dict[str, int] = field(default_factory=dict)
    _bins: Counter[int] = field(default_factory=Counter)

    def read(self, number: int) -> None:
        """Read one of the files.

        Raises:
            InputError: it cannot be used.
            PmedError: the folder cannot be written to.
        """
        own, bins = list[Part](), Counter[int]()
        rows = unplaced = 0
        for frame in self.files[number].parts():
            rows, unplaced = rows + frame.height, unplaced + frame["pos"].null_count()
            if frame.height:
                own.append(self._written(frame, number, bins))
        self._refuse_twice(self.files[number], own, bins)
        self.rows.append(rows)
        self.unplaced.append(unplaced)
        self.parts += own
        self._bins += bins

    def _written(self, rows: pl.DataFrame, number: int, bins: Counter[int]) -> Part:
        for name in rows["chrom"].drop_nulls().unique():
            self._codes.setdefault(name, len(self._codes))
        ordered = _ordered(rows.with_columns(key=key_of(self._codes), score=pl.lit(number, dtype=pl.UInt32)))
        path = self.folder / f"{number}-{rows['row'][0]}.parquet"
        write(ordered, path)
        keys = ordered["key"].drop_nulls().to_numpy()
        where, many = np.unique(keys >> _BIN, return_counts=True)
        bins.update(dict(zip(where.tolist(), many.tolist(), strict=True)))
        return Part(path, number, rows["row"][0], rows["row"][-1], (int(keys[0]), int(keys[-1])) if len(keys) else None)

    def _refuse_twice(self, file: ScoreFile, parts: Sequence[Part], bins: Counter[int]) -> None:
        """Refuse rows that are there twice; they may be in two parts, but are in one window.

        Raises:
            InputError: naming the first.
        """
        near = [edges for edges in _windows(bins) if len(_again(_load(parts, *edges, ["key"])))]
        found = [_twice(_load(parts, *edges)) for edges in near]
        if len(rows := np.concatenate([*found, np.zeros(0, dtype=np.int64)])):
            raise fault(file.head, TWICE, int(rows.min()), len(rows))

    def wanted(self) -> Wanted:
        """The rows by position."""
        windows = _windows(self._bins)
        return Wanted(self._codes, np.array([low for low, _ in windows], dtype=np.int64),
                      lambda number: _load(self.parts, *windows[number]))

    def in_order(self, number: int) -> Iterator[pl.DataFrame]:
        """The rows of a score in the order of its file, some at a time."""
        for part in self.parts:
            if part.score == number:
                yield pl.read_parquet(part.path).sort("row")


@contextmanager
def stored(paths: Sequence[Path], build: str) -> Iterator[Scores]:
    """Read scoring files for a genome on `build`; the rows are kept until the block is left.

    Raises:
        InputError: a file that cannot be used, or two of one name.
        PmedError: the folder for temporary files cannot be written to.
    """
    files = [ScoreFile.opened(path, build) for path in paths]
    names: dict[str, Path] = {}
    for file in files:
        if file.name in names:
            raise InputError(f"is score {file.name}, as {names[file.name]} is", where=str(file.path),
                             hint="give each score once")
        names[file.name] = file.path
    with _folder() as folder:
        scores = Scores(Path(folder), files)
        for number in range(len(files)):
            scores.read(number)
        yield scores


def _folder() -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix="pmed-score-")
    except OSError as error:
        raise PmedError(f"there is no folder for temporary files: {error.strerror}", hint=_ROOM) from error


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write rows as Parquet.

    Raises:
        PmedError: it cannot be written.
    """
    try:
        frame.write_parquet(path, compression="lz4", row_group_size=_GROUP_ROWS)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise PmedError(f"cannot write: {str(error).splitlines()[0]}", where=str(path.parent),
                        hint=_ROOM) from error


def _windows(bins: Counter[int]) -> list[tuple[int, int]]:
    """(first key, key after the last) of stretches of the genome that have about as many rows as are held at a time."""
    edges, held = list[int](), _WINDOW_ROWS
    for where in sorted(bins):
        if held + bins[where] > _WINDOW_ROWS:
            edges.append(where << _BIN)
            held = 0
        held += bins[where]
    return list(zip(edges, [*edges[1:], 1 << 62], strict=True)) if edges else []


def _load(parts: Sequence[Part], low: int, high: int, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Rows with keys from `low` to below `high`, in the order of the keys; only some columns, if so asked."""
    paths = [part.path for part in parts if part.reaches(low, high)]
    within = pl.scan_parquet(paths, glob=False).filter((pl.col("key") >= low) & (pl.col("key") < high))
    return _ordered((within.select(columns) if columns else within).collect())


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """By key, those without one first; most files are in the order of the genome."""
    keys = rows["key"].fill_null(-1).to_numpy()
    return rows if (keys[1:] >= keys[:-1]).all() else rows.sort("key", maintain_order=True)


def _again(rows: pl.DataFrame) -> Ints:
    """Places of the rows behind which comes one of the same key; `rows` are in the order of their keys."""
    keys = rows["key"].to_numpy()
    return np.flatnonzero(keys[1:] == keys[:-1])


def _twice(rows: pl.DataFrame) -> Ints:
    """Numbers of the rows that are there twice; `rows` are in the order of their keys."""
    again = _again(rows)
    some = rows[np.union1d(again, again + 1)]
    return some.filter(pl.struct(_SAME).is_duplicated())["row"].to_numpy().astype(np.int64)

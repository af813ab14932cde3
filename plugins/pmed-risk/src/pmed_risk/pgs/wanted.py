"""Which positions of the genome are wanted, and the rows of scoring files at them, a window of the genome at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.cohorts import Heads
from pmed.errors import GenomeError

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
SHIFT = 32  # the bits of a position, and one
_HELD = 2  # windows: a genome in order has most to do with one, and a little with the next


class Wanted:
    """Rows of scoring files (`matching.match`) by position, and which of them a batch has had."""

    def __init__(self, codes: Mapping[str, int], edges: Ints, load: Callable[[int], pl.DataFrame]) -> None:
        """The rows of some windows.

        Args:
            codes: Of the contigs.
            edges: (windows,) the first key (`key_of`) of each, in order.
            load: Gives the rows of a window, with `key` and in the order of that.
        """
        self._codes, self._edges, self._load = codes, edges, lru_cache(_HELD)(load)
        self._had: dict[int, Bools] = {}

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Self:
        """Rows that are held in memory, as one window."""
        codes = {name: code for code, name in enumerate(rows["chrom"].drop_nulls().unique().sort())}
        ordered = rows.with_columns(key=key_of(codes)).filter(pl.col("key").is_not_null()).sort(
            "key", maintain_order=True)
        return cls(codes, np.zeros(1, dtype=np.int64), lambda _: ordered)

    def keys_of(self, heads: Heads) -> Ints:
        """One number for the position of each record; negative on contigs that no score has."""
        runs = heads.contigs()
        codes = np.array([self._codes.get(name, -1) for name, _ in runs], dtype=np.int64)
        return (np.repeat(codes, [many for _, many in runs]) << SHIFT) + heads.pos

    def has(self, keys: Ints) -> Bools:
        """Which of some positions a score has."""
        found = np.zeros(len(keys), dtype=bool)
        for number, some in self._windows(keys):
            if len(known := _keys(self._load(number))):
                place = np.minimum(np.searchsorted(known, keys[some]), len(known) - 1)
                found[some] = known[place] == keys[some]
        return found

    def take(self, keys: Ints) -> pl.DataFrame:
        """The rows at some positions that a score has.

        Raises:
            GenomeError: a position comes a second time; what was added up then cannot be taken back.
        """
        return pl.concat([self._taken(number, keys[some]) for number, some in self._windows(keys)])

    def _taken(self, number: int, keys: Ints) -> pl.DataFrame:
        rows = self._load(number)
        known = _keys(rows)
        had = self._had.setdefault(number, np.zeros(len(known), dtype=bool))
        low, high = np.searchsorted(known, [keys.min(), keys.max() + 1])
        some = low + np.flatnonzero(np.isin(known[low:high], keys))
        if (again := some[had[some]]).size:
            chrom, pos = rows.select("chrom", "pos").row(int(again[0]))
            raise GenomeError(f"the records of {chrom}:{pos} are apart, or in two files",
                              hint="sort the file, and give each chromosome once")
        had[some] = True
        taken: pl.DataFrame = rows[some]
        return taken

    def _windows(self, keys: Ints) -> Iterator[tuple[int, Ints]]:
        """The windows of some positions, and which positions are in each."""
        numbers = np.searchsorted(self._edges, keys, side="right") - 1
        for number in np.unique(numbers[numbers >= 0]).tolist():
            yield number, np.flatnonzero(numbers == number)


def key_of(codes: Mapping[str, int]) -> pl.Expr:
    """One number for each position, of the code of its contig; null without a position."""
    code = pl.col("chrom").replace_strict(codes or {"": 0}, return_dtype=pl.Int64)  # polars asks for one at least
    return code * (1 << SHIFT) + pl.col("pos")


def _keys(rows: pl.DataFrame) -> Ints:
    return rows["key"].to_numpy()

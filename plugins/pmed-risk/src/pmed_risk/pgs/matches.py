"""What became of each row of the scoring files: counted as it is found, and kept in files, not in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from .matching import MATCHED, WHY_NOT
from .store import Scores, write

UNMATCHED, UNPLACED = "not in the genome", "no position"
STATUSES = (MATCHED, *WHY_NOT, UNMATCHED, UNPLACED)
COLUMNS = ("score", "row", "chrom", "pos", "effect", "other", "kind", "ref", "alt", "type", "status")
_FOUND = {"score": pl.UInt32, "row": pl.UInt32, "ref": pl.String, "alt": pl.String, "type": pl.String,
          "status": pl.String}
_AT_ONCE = 400_000  # rows in a file
_ROW = ["score", "row"]


@dataclass
class Matches:
    """Rows that have a record, as they were found; of what was `kept`, the whole table."""

    scores: Scores
    kept: bool
    _counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    _held: list[pl.DataFrame] = field(default_factory=list)
    _files: list[Path] = field(default_factory=list)

    def add(self, labelled: pl.DataFrame) -> None:
        """Add rows that `matching.match` has labelled."""
        for score, status, many in labelled.group_by("score", "status").len().iter_rows():
            self._counts[score, status] += many
        if self.kept:
            self._held.append(labelled.select(*_FOUND))
            if sum(map(len, self._held)) >= _AT_ONCE:
                self._put_away()

    def counts(self, number: int) -> dict[str, int]:
        """How many rows of a score have which status; only those that some have."""
        found = {status: self._counts[number, status] for status in (MATCHED, *WHY_NOT)}
        unplaced = self.scores.unplaced[number]
        found[UNMATCHED] = self.scores.rows[number] - unplaced - sum(found.values())
        found[UNPLACED] = unplaced
        return {status: many for status, many in sorted(found.items()) if many}

    def table(self) -> Iterator[pl.DataFrame]:
        """A row for each row of the scoring files, in their order, some at a time."""
        self._put_away()
        missing = pl.when(pl.col("pos").is_null()).then(pl.lit(UNPLACED)).otherwise(pl.lit(UNMATCHED))
        for number, file in enumerate(self.scores.files):
            for rows in self.scores.in_order(number):
                known = rows.join(self._found(number, rows), on=_ROW, how="left", maintain_order="left")
                yield known.with_columns(pl.col("status").fill_null(missing), score=pl.lit(file.name)).select(COLUMNS)

    def _found(self, number: int, rows: pl.DataFrame) -> pl.DataFrame:
        """Of rows of a score, those that have a record."""
        own = pl.col("row").is_between(rows["row"][0], rows["row"][-1]) & (pl.col("score") == number)
        parts = [pl.scan_parquet(path).filter(own) for path in self._files]
        return pl.concat([pl.LazyFrame(schema=_FOUND), *parts]).collect()

    def _put_away(self) -> None:
        if self._held:
            self._files.append(self.scores.folder / f"matches-{len(self._files)}.parquet")
            write(pl.concat(self._held).sort(_ROW), self._files[-1])
            self._held.clear()

"""A finished cohort on disk, read lazily."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from ..errors import ResultError
from ..files import write_whole

STATE = "state.json"
NUMBERS: dict[str, type[pl.DataType]] = {"n": pl.Int64, "of": pl.Int64, "share": pl.Float64, "low": pl.Float64,
                                         "high": pl.Float64, "unknown": pl.Int64}


@dataclass(frozen=True)
class Cohort:
    """Results of a cohort.

    Attributes:
        folder: Where they are; of a cohort at an address, where the summary is until this process ends.
        people: How many have results.
        unread: Input file → why it could not be read.
        lost: Patient → why there is no result.
        failures: Plugins' failures.
        address: Where they are, if that is a Hadoop address and no folder of this machine.
    """

    folder: Path
    people: int
    unread: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    address: str = ""

    @classmethod
    def open(cls, folder: str | Path) -> Cohort:
        """A cohort that `pmed cohort` finished.

        Raises:
            ResultError: there is none, or it is not finished.
        """
        path = Path(folder) / STATE
        if not path.is_file():
            raise ResultError("holds no finished cohort", where=str(folder), hint="run pmed cohort again to finish it")
        return cls(Path(folder), **msgspec.json.decode(path.read_bytes()))

    def save(self) -> None:
        """Note how it went; the last thing that a run does."""
        told = {"people": self.people, "unread": self.unread, "lost": self.lost, "failures": self.failures}
        write_whole(self.folder / STATE, msgspec.json.format(msgspec.json.encode(told), indent=1))

    def table(self, name: str) -> pl.LazyFrame:
        """One table over all chunks: ``gene_results``, ``predictions``, ``people``, ``exposures`` and more.

        Raises:
            ResultError: there is none of that name.
        """
        if not any((self.folder / name).glob("part-*.parquet")):
            there = sorted(path.name for path in self.folder.iterdir() if any(path.glob("part-*.parquet")))
            raise ResultError(f"has no table {name!r}", where=str(self.folder), hint=f"there are: {', '.join(there)}")
        return pl.scan_parquet(self.folder / name / "part-*.parquet")

    def summary(self, name: str) -> pl.DataFrame:
        """One summary table: ``frequencies``, ``actionable``, ``drugs_phenotypes`` or ``qc``.

        Raises:
            ResultError: there is none of that name.
        """
        path = self.folder / "summary" / f"{name}.csv"
        if not path.is_file():
            raise ResultError(f"has no summary {name!r}", where=str(self.folder))
        # As text first: the types cannot be told of an empty table, and a group may be named 1.
        text = pl.read_csv(path, infer_schema=False)
        return text.cast({name: kind for name, kind in NUMBERS.items() if name in text.columns})

    def __str__(self) -> str:
        parts = [_many(self.people, "person", "people")]
        parts += [_many(len(lost), *words) for lost, words in (
            (self.unread, ("file unread", "files unread")), (self.failures, ("failure", "failures")),
            (self.lost, ("person without results", "people without results"))) if lost]
        return ", ".join(parts) + f"; {self.address or self.folder}"


def _many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"

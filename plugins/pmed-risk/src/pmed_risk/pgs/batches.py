"""The records of a cohort at the positions of scores, as many at a time as are worth a round of matching."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.cohorts import Chunk, Cohort, chunks
from pmed.errors import GenomeError

Int8s = NDArray[np.int8]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
_MOST_HELD = 1 << 25  # alleles, of a byte each, between two rounds of matching


class Wanted:
    """Rows of scoring files (`matching.match`) by position, and which of them a batch has had."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.all = rows
        self.codes = {name: code for code, name in enumerate(rows["chrom"].drop_nulls().unique().sort())}
        placed = rows.filter(pl.col("pos").is_not_null())
        keys = self.key(placed["chrom"], placed["pos"].to_numpy())
        order = np.argsort(keys, kind="stable")
        self.keys, self.rows = keys[order], placed[order]
        self.had = np.zeros(len(keys), dtype=bool)

    def key(self, chrom: pl.Series, pos: Ints) -> Ints:
        """One number for each position; negative on contigs that no score has."""
        codes = chrom.replace_strict(self.codes, default=-1, return_dtype=pl.Int64).to_numpy()
        return (codes << 32) + pos

    def has(self, keys: Ints) -> Bools:
        """Which of some positions a score has."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=bool)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.asarray(self.keys[place] == keys)

    def take(self, keys: Ints) -> pl.DataFrame:
        """The rows at some positions.

        Raises:
            GenomeError: a position comes a second time; what was added up then cannot be taken back.
        """
        low, high = np.searchsorted(self.keys, [keys.min(), keys.max() + 1])
        some = low + np.flatnonzero(np.isin(self.keys[low:high], keys))
        if (again := some[self.had[some]]).size:
            chrom, pos = self.rows.select("chrom", "pos").row(int(again[0]))
            raise GenomeError(f"the records of {chrom}:{pos} are apart, or in two files",
                              hint="sort the file, and give each chromosome once")
        self.had[some] = True
        taken: pl.DataFrame = self.rows[some]
        return taken


@dataclass(frozen=True)
class Calls:
    """Genotypes of some records.

    Attributes:
        alleles: (records, samples, 2), -1 is unknown or not there.
        ploidy: (records, samples).
        whole: (records,) all calls are of two alleles, both known. Where it is not set, they may be all the same.
    """

    alleles: Int8s
    ploidy: Int8s
    whole: Bools

    def records(self, some: Ints, *, copied: bool = False) -> Calls:
        """Some of them, in that order: copied, or looked at where they follow one another."""
        rows = some if copied else run_of(some)
        return Calls(self.alleles[rows], self.ploidy[rows], self.whole[rows])

    def people(self, which: Ints) -> Calls:
        """The samples in the order of `which`."""
        if len(which) == self.ploidy.shape[1] and (np.diff(which) == 1).all():
            return self
        return Calls(self.alleles[:, which], self.ploidy[:, which], self.whole)


def run_of(numbers: Ints) -> slice | Ints:
    """The same rows, as a slice where they follow one another: it is looked at and not copied."""
    follow = len(numbers) > 0 and bool((np.diff(numbers) == 1).all())
    return slice(int(numbers[0]), int(numbers[-1]) + 1) if follow else numbers


@dataclass(frozen=True)
class Batch:
    """Records at positions of scores: keys (records,), variants with `record`, and their calls in parts."""

    keys: Ints
    variants: pl.DataFrame
    calls: tuple[Calls, ...]

    @classmethod
    def of(cls, chunk: Chunk, wanted: Wanted, people: Ints) -> tuple[Batch, int]:
        """The records of a chunk that a score has, and the position of its last record."""
        variants = chunk.variants
        keys = wanted.key(variants["chrom"], variants["pos"].to_numpy())
        some = np.flatnonzero(wanted.has(keys))
        # A view keeps the whole chunk in memory: only where it is most of it.
        calls = Calls(chunk.alleles, chunk.ploidy, chunk.whole).records(some, copied=2 * len(some) < len(keys))
        return cls(keys[some], variants[some], (calls.people(people),))._numbered(), int(keys[-1])

    @classmethod
    def joined(cls, parts: Sequence[Batch]) -> Batch:
        """All, one after the other."""
        return cls(np.concatenate([one.keys for one in parts]), pl.concat([one.variants for one in parts]),
                   tuple(calls for one in parts for calls in one.calls))._numbered()

    def part(self, which: Bools) -> Batch:
        """Some records."""
        calls = tuple(one.records(rows) for one, rows in self.within(np.flatnonzero(which)))
        return Batch(self.keys[which], self.variants.filter(which), calls)._numbered()

    def within(self, records: Ints) -> Iterator[tuple[Calls, Ints]]:
        """The parts that have some of the records, which must be in order, and which of their own these are."""
        first = 0
        for one in self.calls:
            low, high = np.searchsorted(records, [first, first + len(one.whole)])
            if high > low:
                yield one, records[low:high] - first
            first += len(one.whole)

    def _numbered(self) -> Batch:
        numbered = self.variants.with_columns(record=pl.int_range(len(self.keys), dtype=pl.Int64, eager=True))
        return Batch(self.keys, numbered, self.calls)


def batches(cohort: Cohort, wanted: Wanted, progress: Callable[[str], None]) -> Iterator[Batch]:
    """Records at positions of scores, those of one position always together."""
    for path in cohort.paths:
        held: list[Batch] = []
        people = np.zeros(0, dtype=np.int64)
        for chunk in chunks(path):
            if not len(people):  # all chunks of a file have the same
                places = {name: place for place, name in enumerate(chunk.samples)}
                people = np.array([places[name] for name in cohort.samples])
            batch, last = Batch.of(chunk, wanted, people)
            held.append(batch)
            progress(f"{path.name}: {chunk.heads.row + len(chunk.alts) - 1:,} records")
            if sum(calls.alleles.size for one in held for calls in one.calls) > _MOST_HELD:
                whole = Batch.joined(held)
                open_ended = whole.keys == last  # the next chunk may go on with the same position
                held = [whole.part(open_ended)]
                if not open_ended.all():
                    yield whole.part(~open_ended)
        if held and len((whole := Batch.joined(held)).keys):
            yield whole

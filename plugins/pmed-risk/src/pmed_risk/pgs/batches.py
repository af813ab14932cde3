"""The records of a cohort at the positions of scores, as many at a time as are worth a round of matching."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.cohorts import Chunk, Cohort, Columns, chunks, variants

from .wanted import Bools, Ints, Wanted

Int8s = NDArray[np.int8]
# What is held between two rounds of matching; an allele is a byte, a record without its calls some 500.
_MOST_ALLELES, _MOST_RECORDS = 1 << 25, 50_000


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
class Held:
    """Records of a chunk at positions of scores: keys (records,), columns for their table, and their calls."""

    keys: Ints
    columns: Columns
    calls: Calls

    @classmethod
    def of(cls, chunk: Chunk, keys: Ints, some: Ints, people: Ints) -> Held:
        """Some records of a chunk."""
        # A view keeps the whole chunk in memory: only where it is most of it.
        calls = Calls(chunk.alleles, chunk.ploidy, chunk.whole).records(some, copied=2 * len(some) < len(keys))
        return cls(keys[some], chunk.heads.columns(some), calls.people(people))

    def part(self, which: Bools) -> Held:
        """Some of them."""
        columns = {name: list(compress(values, which.tolist())) for name, values in self.columns.items()}
        return Held(self.keys[which], columns, self.calls.records(np.flatnonzero(which)))


@dataclass(frozen=True)
class Batch:
    """Records at positions of scores: keys (records,), variants with `record` and `key`, and their calls in parts."""

    keys: Ints
    variants: pl.DataFrame
    calls: tuple[Calls, ...]

    @classmethod
    def of(cls, parts: Sequence[Held]) -> Batch:
        """All, one after the other."""
        keys = np.concatenate([one.keys for one in parts])
        known = variants([one.columns for one in parts])
        numbered = known.with_columns(record=pl.int_range(len(keys), dtype=pl.Int64, eager=True),
                                      key=pl.Series(keys))
        return cls(keys, numbered, tuple(one.calls for one in parts))

    def within(self, records: Ints) -> Iterator[tuple[Calls, Ints]]:
        """The parts that have some of the records, which must be in order, and which of their own these are."""
        first = 0
        for one in self.calls:
            low, high = np.searchsorted(records, [first, first + len(one.whole)])
            if high > low:
                yield one, records[low:high] - first
            first += len(one.whole)


def batches(cohort: Cohort, wanted: Wanted, progress: Callable[[str], None]) -> Iterator[Batch]:
    """Records at positions of scores, those of one position always together."""
    for path in cohort.paths:
        held: list[Held] = []
        people = np.zeros(0, dtype=np.int64)
        for chunk in chunks(path):
            if not len(people):  # all chunks of a file have the same
                places = {name: place for place, name in enumerate(chunk.samples)}
                people = np.array([places[name] for name in cohort.samples])
            keys = wanted.keys_of(chunk.heads)
            if len(some := np.flatnonzero(wanted.has(keys))):
                held.append(Held.of(chunk, keys, some, people))
            progress(f"{path.name}: {chunk.heads.row + len(chunk.alts) - 1:,} records")
            if _enough(held):
                # The next chunk may go on with the position of this one's last record.
                whole, held = _parted(held, int(keys[-1]))
                if whole:
                    yield Batch.of(whole)
        if held:
            yield Batch.of(held)


def _enough(held: Sequence[Held]) -> bool:
    return (sum(one.calls.alleles.size for one in held) > _MOST_ALLELES
            or sum(len(one.keys) for one in held) > _MOST_RECORDS)


def _parted(held: Sequence[Held], last: int) -> tuple[list[Held], list[Held]]:
    """What is held of other positions than the last, and of that."""
    two = [[one.part(one.keys != last) for one in held], [one.part(one.keys == last) for one in held]]
    others, here = ([one for one in parts if len(one.keys)] for parts in two)
    return others, here

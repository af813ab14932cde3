"""Sums for everybody: one matrix product of weights and dosages for each batch of records.

An unknown genotype is not dosage 0. It is the mean by the allele's frequency: the one in the scoring file,
else what the called people of the same genomes have, if they are `LEAST_CALLED`; else it is left out, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .batches import Batch, Calls, Int8s
from .wanted import Bools

Floats = NDArray[np.float64]

_TOGETHER = 128  # records in one product: their dosages stay in a processor's cache
# Multiplications of a product that OpenBLAS does by one thread, dosages that fit a processor's cache as float64, and
# the fewest people that are worth a product.
_ONE_THREAD, _IN_CACHE, _LEAST_WIDTH = 1 << 18, 1 << 16, 128
LEAST_CALLED = 50  # as upstream, which imputes by the genomes' own frequencies from 50 people on


@dataclass(frozen=True)
class Sums:
    """What has been added up so far, each (scores, samples).

    `variance` is of the sum, by the imputed genotypes alone, which are taken as independent of one another.
    """

    sums: Floats
    imputed: Floats
    left_out: Floats
    variance: Floats

    @classmethod
    def nothing(cls, scores: int, samples: int) -> Sums:
        """Zeros."""
        return cls(*(np.zeros((scores, samples)) for _ in range(4)))

    def add(self, matched: pl.DataFrame, batch: Batch) -> None:
        """Add some records.

        Args:
            matched: score, record (of the batch), allele, base, once, twice, frequency.
            batch: Their calls.
        """
        key = ["record", "allele", "frequency"]
        placed = matched.sort(key).with_columns(used=pl.lit(1.0), column=pl.struct(key).rle_id())
        columns = placed.filter(pl.col("column").is_first_distinct())
        weights = {name: self._weights(placed, name, len(columns)) for name in ("base", "once", "twice", "used")}
        which, frequency = columns["allele"].to_numpy(), columns["frequency"].fill_null(float("nan")).to_numpy()
        done = 0
        for calls, records in batch.within(columns["record"].to_numpy()):
            for start in range(0, len(records), _TOGETHER):
                own = calls.records(records[start:start + _TOGETHER])
                some = slice(done, done + len(own.whole))
                self._add(Dosages.of(own, which[some], frequency[some]),
                          {name: values[:, some] for name, values in weights.items()})
                done = some.stop

    def _add(self, dosages: Dosages, weights: Mapping[str, Floats]) -> None:
        base, once, twice, used = (weights[name] for name in ("base", "once", "twice", "used"))
        if (once == twice).all():
            self._multiply(once, dosages.mean())
        else:
            self._multiply(once, dosages.once())
            self._multiply(twice, dosages.twice())
        if base.any():
            self.sums[:] += base.sum(axis=1)[:, None]
        if not len(dosages.some):
            return
        lost = (dosages.unknown & ~dosages.imputable[:, None]).astype(np.float64)
        self.sums[:] -= base[:, dosages.some] @ lost
        self.left_out[:] += used[:, dosages.some] @ lost
        imputed = (dosages.unknown & dosages.imputable[:, None]).astype(np.float64)
        self.imputed[:] += used[:, dosages.some] @ imputed
        self.variance[:] += dosages.variance(once[:, dosages.some], twice[:, dosages.some]) @ imputed

    def _multiply(self, weights: Floats, dosages: Floats | NDArray[np.uint8]) -> None:
        """Add the product of weights (scores, alleles) and dosages (alleles, samples), some samples at a time.

        OpenBLAS takes several threads for a larger product; where other work keeps the processors busy, they wait for
        each other many times as long as the product takes. As numbers of eight bytes, all would not fit its cache.
        """
        width = max(_LEAST_WIDTH, min(_ONE_THREAD // weights.size, _IN_CACHE // len(dosages)))
        for start in range(0, dosages.shape[1], width):
            self.sums[:, start:start + width] += weights @ dosages[:, start:start + width].astype(np.float64)

    def _weights(self, placed: pl.DataFrame, name: str, columns: int) -> Floats:
        """(scores, columns)."""
        cell = placed["score"].to_numpy().astype(np.int64) * columns + placed["column"].to_numpy()
        added: Floats = np.bincount(cell, placed[name].to_numpy(), len(self.sums) * columns).astype(np.float64)
        return added.reshape(len(self.sums), columns)


@dataclass(frozen=True)
class Dosages:
    """Of some alleles.

    Attributes:
        count: (alleles, samples) how often a person has the allele; 0 where that is not known.
        some: (some,) which alleles have unknown genotypes.
        unknown: (some, samples) where.
        for_once, for_twice: (some,) what stands for them, the chance of one or more, and of two; NaN if nothing does.
    """

    count: NDArray[np.uint8]
    some: NDArray[np.int64]
    unknown: Bools
    for_once: Floats
    for_twice: Floats

    @classmethod
    def of(cls, calls: Calls, which: Int8s, frequency: Floats) -> Dosages:
        """Count allele `which` (alleles,) in the calls of as many records; `frequency` is NaN where it is not said."""
        alleles = calls.alleles
        pairs = (alleles == which[:, None, None]).view(np.uint16)[..., 0]
        count = ((pairs >> 8) + pairs).astype(np.uint8)  # the low byte is the sum of the two bytes
        some = np.flatnonzero(~calls.whole)
        if not len(some):
            nothing = np.zeros(0)
            return cls(count, some, np.zeros((0, count.shape[1]), dtype=np.bool_), nothing, nothing)
        first, second, copies = alleles[some, :, 0], alleles[some, :, 1], calls.ploidy[some]
        known = (first >= 0) & ((second >= 0) & (copies == 2) | (copies == 1))
        count[some] *= known
        for_once, for_twice = _expected(count[some] >= 1, count[some] == 2, known, frequency[some])
        return cls(count, some, ~known, for_once, for_twice)

    @property
    def imputable(self) -> Bools:
        """(some,) whether something stands for the unknown genotypes."""
        return np.isfinite(self.for_once)

    def mean(self) -> Floats | NDArray[np.uint8]:
        """(alleles, samples) dosages."""
        if not len(self.some):
            return self.count
        return self._filled(self.count.astype(np.float64), self.for_once + self.for_twice)

    def once(self) -> Floats:
        """(alleles, samples) 1 where a person has the allele."""
        return self._filled((self.count >= 1).astype(np.float64), self.for_once)

    def twice(self) -> Floats:
        """(alleles, samples) 1 where a person has the allele twice."""
        return self._filled((self.count == 2).astype(np.float64), self.for_twice)

    def variance(self, once: Floats, twice: Floats) -> Floats:
        """(scores, some) variance of what an imputed genotype adds, for its weights (scores, some)."""
        one_or_more, two = np.nan_to_num(self.for_once), np.nan_to_num(self.for_twice)
        mean = once * one_or_more + twice * two
        square = once ** 2 * (one_or_more - two) + (once + twice) ** 2 * two
        return np.maximum(square - mean ** 2, 0.0)

    def _filled(self, values: Floats, means: Floats) -> Floats:
        if len(self.some):
            values[self.some] = np.where(self.unknown, np.nan_to_num(means)[:, None], values[self.some])
        return values


def _expected(once: Bools, twice: Bools, known: Bools, frequency: Floats) -> tuple[Floats, Floats]:
    """Chances of one allele or more, and of two; NaN where nothing tells them.

    By a frequency f they are 1 - (1 - f)² and f² (Hardy and Weinberg), which add up to the usual mean dosage 2f.
    """
    called = known.sum(axis=1)
    enough = np.where(called >= LEAST_CALLED, called, np.nan)
    told = np.isfinite(frequency)
    return (np.where(told, 1 - (1 - frequency) ** 2, once.sum(axis=1) / enough),
            np.where(told, frequency ** 2, twice.sum(axis=1) / enough))

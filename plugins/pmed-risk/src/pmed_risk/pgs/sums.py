"""Sums for everybody: one matrix product of weights and dosages for each batch of records.

An unknown genotype is not dosage 0. It is the mean by the allele's frequency: the one in the scoring file,
else what the called people of the same genomes have, if they are `LEAST_CALLED`; else it is left out, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Int8s = NDArray[np.int8]

LEAST_CALLED = 50  # as upstream, which imputes by the genomes' own frequencies from 50 people on


@dataclass(frozen=True)
class Sums:
    """What has been added up so far, each (scores, samples)."""

    sums: Floats
    imputed: Floats
    left_out: Floats

    @classmethod
    def nothing(cls, scores: int, samples: int) -> Sums:
        """Zeros."""
        return cls(*(np.zeros((scores, samples)) for _ in range(3)))

    def add(self, matched: pl.DataFrame, alleles: Int8s, ploidy: Int8s) -> None:
        """Add some records.

        Args:
            matched: score, record (index into the arrays), allele, base, once, twice, frequency.
            alleles: (records, samples, 2), -1 is unknown or not there.
            ploidy: (records, samples).
        """
        key = ["record", "allele", "frequency"]
        columns = matched.select(key).unique(maintain_order=True).with_row_index("column")
        placed = matched.join(columns, on=key, nulls_equal=True)
        record = columns["record"].to_numpy()
        dosages = Dosages.of(alleles[record], ploidy[record], columns["allele"].to_numpy(),
                             columns["frequency"].fill_null(float("nan")).to_numpy())
        weights = {name: self._weights(placed, name, len(record)) for name in ("base", "once", "twice")}
        once, twice, base = weights["once"], weights["twice"], weights["base"]
        if (once == twice).all():
            self.sums[:] += once @ (dosages.once + dosages.twice)
        else:
            self.sums[:] += once @ dosages.once + twice @ dosages.twice
        if base.any():
            self.sums[:] += base @ (~dosages.left_out).astype(np.float64)
        used = self._weights(placed.with_columns(used=pl.lit(1.0)), "used", len(record))
        for counted, which in ((self.imputed, dosages.imputed), (self.left_out, dosages.left_out)):
            if (some := which.any(axis=1)).any():
                counted[:] += used[:, some] @ which[some].astype(np.float64)

    def _weights(self, placed: pl.DataFrame, name: str, columns: int) -> Floats:
        """(scores, columns)."""
        weights = np.zeros((len(self.sums), columns))
        np.add.at(weights, (placed["score"].to_numpy(), placed["column"].to_numpy()), placed[name].to_numpy())
        return weights


@dataclass(frozen=True)
class Dosages:
    """Of some alleles, each (alleles, samples).

    Attributes:
        once, twice: 1 where a person has at least one, and two; the chance of it where that is imputed; else 0.
        imputed, left_out: Unknown genotypes that were, and could not be, imputed.
    """

    once: Floats
    twice: Floats
    imputed: Bools
    left_out: Bools

    @classmethod
    def of(cls, alleles: Int8s, ploidy: Int8s, which: Int8s, frequency: Floats) -> Dosages:
        """Count allele `which` (alleles,) in calls (alleles, samples, 2); `frequency` is NaN where it is not said."""
        first, second = alleles[..., 0], alleles[..., 1]
        known = (first >= 0) & ((second >= 0) & (ploidy == 2) | (ploidy == 1))
        has_first, has_second = first == which[:, None], second == which[:, None]
        once = ((has_first | has_second) & known).astype(np.float64)
        twice = (has_first & has_second & known).astype(np.float64)
        some = np.flatnonzero(~known.all(axis=1))
        imputable = np.zeros(len(which), dtype=bool)
        for_once, for_twice = _expected(once[some], twice[some], known[some], frequency[some])
        imputable[some] = np.isfinite(for_once)
        for values, means in ((once, for_once), (twice, for_twice)):
            values[some] = np.where(known[some], values[some], np.nan_to_num(means)[:, None])
        return cls(once, twice, ~known & imputable[:, None], ~known & ~imputable[:, None])


def _expected(once: Floats, twice: Floats, known: Bools, frequency: Floats) -> tuple[Floats, Floats]:
    """Chances of one allele or more, and of two; NaN where nothing tells them.

    By a frequency f they are 1 - (1 - f)² and f² (Hardy and Weinberg), which add up to the usual mean dosage 2f.
    """
    called = known.sum(axis=1)
    enough = np.where(called >= LEAST_CALLED, called, np.nan)
    told = np.isfinite(frequency)
    return (np.where(told, 1 - (1 - frequency) ** 2, once.sum(axis=1) / enough),
            np.where(told, frequency ** 2, twice.sum(axis=1) / enough))

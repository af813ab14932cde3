"""People placed on a panel's components: by least squares over the sites that are known of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.cohorts import Cohort, chromosome
from pmed.errors import InputError

from .batches import Batch, Calls, batches
from .loadings import LOADINGS, PCS, Loadings, standardised
from .matching import MATCHED, Rules, match
from .reference import NEAR, nearest
from .wanted import Wanted

Floats = NDArray[np.float64]
# Of the panel's sites: below that a place says more of what was measured than of the person.
LEAST_SITES = 0.5


def place(cohort: Cohort, loadings: Loadings, *, least: float = LEAST_SITES,
          progress: Callable[[str], None] = lambda _: None) -> pl.DataFrame:
    """Where people lie, and which population is nearest.

    A site that is not known of a person is left out of that person's equations; to put the mean in its place would draw
    the person to the middle.

    Returns:
        sample, sites (known), of (sites of the panel), PC1 to PC5 (null for fewer than `least` of the sites),
        population (null where all are far), closest (the nearest one, far or not), distance (Mahalanobis), p (of a
        member of that population to lie so far out).

    Raises:
        InputError: the genome is on another build than the loadings, or has none of their sites.
    """
    if cohort.build != loadings.build:
        raise InputError(f"the genome is on {cohort.build}, the loadings are on {loadings.build}",
                         where=str(cohort.paths[0]), hint=f"give {LOADINGS} of the same build")
    rows, sums = _rows(loadings), _Normal.nothing(len(cohort.samples))
    wanted = Wanted.of(rows)
    for batch in batches(cohort, wanted, progress):
        matched = match(wanted.take(batch.keys), batch.variants, Rules()).filter(status=MATCHED)
        if len(matched):
            sums.add(matched, batch)
    if not sums.known.any():
        raise InputError("no site of the loadings is known in the genome", where=str(cohort.paths[0]),
                         hint="is the genome imputed or jointly called?")
    enough = sums.known >= max(least * len(rows), NEAR)
    table = pl.DataFrame({"sample": cohort.samples, "sites": sums.known}).with_columns(of=pl.lit(len(rows)))
    where = table.filter(enough).with_columns(
        pl.Series(name, values) for name, values in zip(PCS, sums.solve(enough).T, strict=True))
    placed = where.with_columns(nearest(loadings.people, where.select(PCS).to_numpy()))
    return table.join(placed.drop("sites", "of"), on="sample", how="left", maintain_order="left")


def _rows(loadings: Loadings) -> pl.DataFrame:
    """The sites as rows of a scoring file, in the form that `match` takes."""
    names = {name: chromosome(name) for name in loadings.sites["chrom"].unique()}
    return loadings.sites.with_row_index("row").with_columns(
        pl.col("chrom").replace(names), effect=pl.col("effect_allele").str.to_uppercase(),
        other=pl.col("other_allele").str.to_uppercase(), kind=pl.lit("additive"), score=pl.lit(0, dtype=pl.UInt32))


@dataclass(frozen=True)
class _Normal:
    """Normal equations of every person.

    Attributes:
        squares: (people, 25) sums of the products of two loadings, over the known sites.
        right: (people, 5) sums of loading times standardised dosage.
        known: (people,) number of known sites.
    """

    squares: Floats
    right: Floats
    known: NDArray[np.int64]

    @classmethod
    def nothing(cls, people: int) -> _Normal:
        return cls(np.zeros((people, NEAR * NEAR)), np.zeros((people, NEAR)), np.zeros(people, dtype=np.int64))

    def add(self, matched: pl.DataFrame, batch: Batch) -> None:
        """Add the matched sites of a batch."""
        matched, done = matched.sort("record"), 0
        for calls, records in batch.within(matched["record"].to_numpy()):
            self._add(matched[done:done + len(records)], calls.records(records))
            done += len(records)

    def _add(self, matched: pl.DataFrame, calls: Calls) -> None:
        weights, alleles = matched.select(PCS).to_numpy(), calls.alleles
        known = (calls.ploidy == 2) & (alleles >= 0).all(axis=2)
        count = (alleles == matched["allele"].to_numpy()[:, None, None]).sum(axis=2)
        self.right[:] += standardised(count, known, matched["frequency"].to_numpy()).T @ weights
        self.squares[:] += known.T @ (weights[:, :, None] * weights[:, None, :]).reshape(len(weights), -1)
        self.known[:] += known.sum(axis=0)

    def solve(self, which: NDArray[np.bool_]) -> Floats:
        """(those of `which`, 5) components."""
        squares = self.squares[which].reshape(-1, NEAR, NEAR)
        return np.asarray(np.linalg.solve(squares, self.right[which][:, :, None])[:, :, 0])

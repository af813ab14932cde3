"""Mitochondrial DNA as a mixture: what the shares of reads make of a genotype.

Callers of somatic changes (Mutect2, also in its mitochondrial mode) write 0/1 for whatever is not reference, be it in
all copies. As in gnomAD (Laricchia et al. 2022, Genome Res. 32:569) an allele of 95 % or more of the reads is in all
copies, and one of 10 % is there. Between them it is a mixture, which stays two alleles; and so does one of fewer reads
that was called.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ALL_COPIES, THERE = 0.95, 0.10
FRACTIONS = ("AF", "VAF", "HL", "HF")  # of each ALT, or of the one
KEYS = (*FRACTIONS, "AD")
_ENOUGH, _SEVERAL = 10, 3  # reads, and reads of another allele


def resolved(found: Ints, fields: pl.Series, keys: Sequence[str]) -> tuple[Ints, Bools]:
    """Genotypes in which a change of all copies is the one allele, and (calls,) those of reference that reads deny.

    Args:
        found: (calls, 4) first and second allele (-1 is unknown), ploidy, phased.
        fields: (calls,) each call's values, by `keys`.
        keys: FORMAT.
    """
    one, two = found[:, 0], found[:, 1]
    shares = [share for share in (_fractions(fields, keys), _of_reads(fields, keys)) if share is not None]
    if not shares:
        return found, np.zeros(len(found), dtype=bool)
    high = np.maximum(one, two)
    change = (found[:, 2] == 2) & (np.minimum(one, two) == 0) & (high > 0)
    mine = np.fmin.reduce([_at(share, high) for share in shares])
    everywhere = change & (mine >= ALL_COPIES)
    reference = (found[:, 2] > 0) & (one == 0) & (two <= 0)
    others = np.fmax.reduce([share.list.sum().fill_null(0).to_numpy() for share in shares])
    whole = found.copy()
    whole[everywhere, :2] = high[everywhere, None]
    return whole, np.asarray(reference & (others >= THERE))


def _fractions(fields: pl.Series, keys: Sequence[str]) -> pl.Series | None:
    """(calls,) share of each ALT as the caller gives it."""
    key = next((key for key in FRACTIONS if key in keys), "")
    if not key:
        return None
    texts = fields.list.get(keys.index(key), null_on_oob=True).str.split(",")
    return texts.list.eval(pl.element().cast(pl.Float64, strict=False))


def _of_reads(fields: pl.Series, keys: Sequence[str]) -> pl.Series | None:
    """(calls,) share of each ALT of the reads (AD); null where they are few."""
    if "AD" not in keys:
        return None
    texts = fields.list.get(keys.index("AD"), null_on_oob=True).str.split(",")
    reads = pl.DataFrame({"reads": texts.list.eval(pl.element().cast(pl.Float64, strict=False))})
    total, others = pl.col("reads").list.sum(), pl.col("reads").list.slice(1)
    known = (total >= _ENOUGH) & ((others.list.sum() >= _SEVERAL) | (others.list.sum() == 0))
    return reads.select(pl.when(known).then(others / total)).to_series()


def _at(shares: pl.Series, allele: Ints) -> Floats:
    """(calls,) share of each call's allele; NaN where it is not given."""
    frame = pl.DataFrame({"shares": shares, "place": np.maximum(allele - 1, 0)})
    return frame.select(pl.col("shares").list.get(pl.col("place"), null_on_oob=True)).to_series().cast(
        pl.Float64).to_numpy().astype(np.float64)

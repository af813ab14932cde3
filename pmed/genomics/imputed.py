"""How sure a genotype is that was imputed: programs that impute write no GQ, but posteriors (GP) or dosages (DS)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NONE = -1
KEYS = ("GP", "DS")
_MOST = 99
_ROUNDED = 0.05  # of what posteriors add up to


def quality(fields: pl.Series, keys: Sequence[str], alleles: Ints, ploidy: Ints) -> Ints:
    """(calls,) phred of what speaks against each call, at most 99; -1 where neither GP nor DS tells, or half is unknown.

    GP are probabilities (VCF 4.3, section 1.6.2); older files may have them as phred, which tell nothing here. Where there
    is DS alone, the part of a copy by which it is off the genotype is taken for the error.

    Args:
        fields: (calls,) each call's values, by `keys`.
        keys: FORMAT.
        alleles: (calls, 2) as in `Calls`.
        ploidy: (calls,) alleles in the call.
    """
    low, high = np.sort(alleles, axis=1).T
    whole = (ploidy == 2) & (low >= 0) | (ploidy == 1) & (high >= 0)
    wrong = np.full(len(ploidy), np.nan)
    if "DS" in keys:
        carried = (alleles > 0).sum(axis=1)
        wrong = np.abs(_floats(fields, keys.index("DS")) - carried)
    if "GP" in keys:
        place = np.where(ploidy == 2, high * (high + 1) // 2 + low, high)
        posterior = _posterior(fields, keys.index("GP"), np.where(whole, place, 0))
        wrong = np.where(np.isnan(posterior), wrong, 1 - posterior)
    told = whole & ~np.isnan(wrong)
    error = np.clip(np.where(told, wrong, 1), 10 ** (-_MOST / 10), 1)
    return np.where(told, np.floor(-10 * np.log10(error) + 1e-6), NONE).astype(np.int64)


def _floats(fields: pl.Series, place: int) -> Floats:
    """One value a call, NaN where there is none or several."""
    return fields.list.get(place, null_on_oob=True).cast(pl.Float64, strict=False).to_numpy().astype(np.float64)


def _posterior(fields: pl.Series, place: int, which: Ints) -> Floats:
    """The probability of each call's own genotype, NaN where GP does not tell it."""
    texts = fields.list.get(place, null_on_oob=True).str.split(",")
    frame = pl.DataFrame({"all": texts.list.eval(pl.element().cast(pl.Float64, strict=False)), "which": which})
    total, least = pl.col("all").list.sum(), pl.col("all").list.min()
    sound = ((total - 1).abs() <= _ROUNDED) & (least >= 0)
    own = pl.when(sound).then(pl.col("all").list.get(pl.col("which"), null_on_oob=True))
    return frame.select(own.clip(0, 1)).to_series().to_numpy().astype(np.float64)

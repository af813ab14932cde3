"""How sure a call is where no quality (GQ) is given: by posteriors, dosages or likelihoods.

Programs that impute write GP or DS, ``bcftools call`` PL and freebayes GL alone. GP and DS come first: what was imputed
rests on more than the reads of the one person.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NONE = -1
KEYS = ("GP", "DS", "PL", "GL")
_MOST = 99
_ROUNDED = 0.05  # of what posteriors add up to
_LIKELIHOODS = {"PL": -1.0, "GL": 10.0}  # in phred
_LIKELIEST = -5  # phred: one in three, the least that the likeliest of three may have where they add up to one


def quality(fields: pl.Series, keys: Sequence[str], alleles: Ints, ploidy: Ints) -> Ints:
    """(calls,) phred of what speaks against each call, from 0 to 99; -1 where nothing tells, or half is unknown.

    GP are probabilities (VCF 4.3, section 1.6.2); older files may have them as phred, which tell nothing here. Of DS
    the part of a copy by which it is off the genotype is taken for the error. Of likelihoods it is how much less likely
    the next genotype is, as GATK defines GQ.

    Args:
        fields: (calls,) each call's values, by `keys`.
        keys: FORMAT.
        alleles: (calls, 2) as in `Calls`.
        ploidy: (calls,) alleles in the call.
    """
    low, high = np.sort(alleles, axis=1).T
    whole = (ploidy == 2) & (low >= 0) | (ploidy == 1) & (high >= 0)
    place = np.where(whole, np.where(ploidy == 2, high * (high + 1) // 2 + low, high), 0)
    found = np.full(len(ploidy), np.nan)
    for key in KEYS:
        if key in keys and np.isnan(found).any():
            values = fields.list.get(keys.index(key), null_on_oob=True)
            told = (_by_dosage(values, alleles) if key == "DS" else _by_posterior(values, place) if key == "GP"
                    else _by_likelihood(values, place, _LIKELIHOODS[key]))
            found = np.where(np.isnan(found), told, found)
    known = whole & ~np.isnan(found)
    return np.where(known, np.floor(np.clip(np.where(known, found, 0), 0, _MOST) + 1e-6), NONE).astype(np.int64)


def _phred(error: Floats) -> Floats:
    return np.asarray(-10 * np.log10(np.clip(error, 10 ** (-_MOST / 10), 1)))


def _by_dosage(values: pl.Series, alleles: Ints) -> Floats:
    """Of the one ALT; of several, nothing."""
    dosage = values.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
    return _phred(np.abs(dosage - (alleles > 0).sum(axis=1)))


def _by_posterior(values: pl.Series, place: Ints) -> Floats:
    frame = _numbers(values, place)
    sound = ((pl.col("all").list.sum() - 1).abs() <= _ROUNDED) & (pl.col("all").list.min() >= 0)
    return _phred(1 - _array(frame.select(pl.when(sound).then("own"))))


def _by_likelihood(values: pl.Series, place: Ints, factor: float) -> Floats:
    """By how much the called genotype is likelier than the next; below zero where another one is.

    Nothing where the likeliest is not among them, as in the records of a split multi-allelic.
    """
    frame = _numbers(values, place).with_columns(pl.col("all").list.sort(descending=factor > 0))
    best, second = (pl.col("all").list.get(number, null_on_oob=True) for number in (0, 1))
    return factor * _array(frame.select(pl.when(factor * best >= _LIKELIEST).then(
        pl.col("own") - pl.when(pl.col("own") == best).then(second).otherwise(best))))


def _numbers(values: pl.Series, place: Ints) -> pl.DataFrame:
    """(calls,) `all` values of a field, and the call's `own`."""
    numbers = values.str.split(",").list.eval(pl.element().cast(pl.Float64, strict=False).drop_nulls())
    return pl.DataFrame({"all": numbers, "place": place}).with_columns(
        own=pl.col("all").list.get(pl.col("place"), null_on_oob=True))


def _array(frame: pl.DataFrame) -> Floats:
    return frame.to_series().to_numpy().astype(np.float64)

"""How sure a call is where no quality (GQ) is given: by posteriors, dosages or likelihoods.

Programs that impute write GP or DS, ``bcftools call`` PL and freebayes GL alone. GP and DS come first: what was imputed
rests on more than the reads of the one person. Where a quality is given, likelihoods and posteriors may still say that
another genotype is the right one: such a record contradicts itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NONE = -1
KEYS = ("GP", "DS", "HDS", "PL", "GL")
_DOSAGES, _COPIES = ("DS", "HDS"), 2  # HDS has that of each copy
_MOST = 99
_ROUNDED = 0.05  # of what posteriors add up to
_LIKELIHOODS = {"PL": -1.0, "GL": 10.0}  # in phred
_LIKELIEST = -5  # phred: one in three, the least that the likeliest of three may have where they add up to one
JUDGED = (*KEYS, "PP")
_EVEN = 3  # phred: by so much another genotype must be the likelier one
# A caller may hold a genotype to be right against its reads where the other is rare, and then is not sure of it: of one
# in 100,000, phred 50, quality and difference together are not more.
_RAREST = 50
_TENTH = 10.0  # phred of the least posterior with which a call stands


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
            told = (_by_dosage(values, alleles, key) if key in _DOSAGES else _by_posterior(values, place) if key == "GP"
                    else _by_likelihood(values, place, _LIKELIHOODS[key]))
            found = np.where(np.isnan(found), told, found)
    known = whole & ~np.isnan(found)
    return np.where(known, np.floor(np.clip(np.where(known, found, 0), 0, _MOST) + 1e-6), NONE).astype(np.int64)


def contradicted(fields: pl.Series, keys: Sequence[str], alleles: Ints, ploidy: Ints, *, quality: Ints,
                 many: Ints) -> Bools:
    """(calls,) those of a given quality whose likelihoods say that another genotype is the right one.

    Without likelihoods (PL, GL) posteriors (GP, PP, both also as phred) or the dosage (DS) decide; beside them they may
    only justify the call. Nothing is said where there are not as many likelihoods as genotypes.

    Args:
        fields: (calls,) each call's values, by `keys`.
        keys: FORMAT.
        alleles: (calls, 2) as in `Calls`.
        ploidy: (calls,) alleles in the call.
        quality: (calls,) GQ as given; -1 is none.
        many: (calls,) alleles of the record, REF among them.
    """
    low, high = np.sort(alleles, axis=1).T
    whole = ((ploidy == 2) & (low >= 0) | (ploidy == 1) & (high >= 0)) & (quality != NONE)
    place, expected = np.where(ploidy == 2, high * (high + 1) // 2 + low, high), many * np.where(
        ploidy == 2, many + 1, 2) // 2
    found = np.zeros(len(ploidy), dtype=bool)
    open_ended = np.flatnonzero(whole)
    for key in [key for key in ("PL", "GL") if key in keys][:1]:
        values = fields.list.get(keys.index(key), null_on_oob=True)
        rest = open_ended[~_surely_least(values.gather(open_ended), place[open_ended], key)]
        by, told = _difference(values.gather(rest), place[rest], expected[rest], _LIKELIHOODS[key])
        found[rest] = (by > _EVEN) & (by + quality[rest] > _RAREST)
        open_ended = rest[found[rest] | ~told]
    for key in [key for key in ("GP", "PP", *_DOSAGES) if key in keys]:
        values = fields.list.get(keys.index(key), null_on_oob=True).gather(open_ended)
        if key in _DOSAGES:
            by = _by_dosage(values, alleles[open_ended], key)
            worse, told = by <= -10 * np.log10(1 - 10 ** (-_TENTH / 10)), ~np.isnan(by)
        else:
            by, told = _posterior_difference(values, place[open_ended], expected[open_ended])
            worse = by >= _TENTH
        found[open_ended[told]] = worse[told]
        open_ended = open_ended[~told]
    return found


def _surely_least(values: pl.Series, place: Ints, key: str) -> Bools:
    """Whether the call's own PL is seen to be 0 without a look at the numbers, as nearly all are."""
    if key != "PL":
        return np.zeros(len(place), dtype=bool)
    found = values.str.starts_with("0,").fill_null(value=False).to_numpy() & (place == 0)
    for number, pattern in ((1, r"^\d+,0(,|$)"), (2, r"^\d+,\d+,0(,|$)")):
        some = np.flatnonzero(place == number)
        found[some] = values.gather(some).str.contains(pattern).fill_null(value=False).to_numpy()
    return np.asarray(found)


def _difference(values: pl.Series, place: Ints, expected: Ints, factor: float) -> tuple[Floats, Bools]:
    """(calls,) phred by which the likeliest genotype is likelier than the called one, and where that can be told."""
    best = pl.col("all").list.max() if factor > 0 else pl.col("all").list.min()
    frame = _numbers(values, place).with_columns(best=best)
    told = (pl.col("all").list.len() == pl.Series(expected)) & (factor * pl.col("best") >= _LIKELIEST)
    by = _array(frame.select(pl.when(told).then(factor * (pl.col("best") - pl.col("own")))))
    return np.nan_to_num(by, nan=0.0), ~np.isnan(by)


def _posterior_difference(values: pl.Series, place: Ints, expected: Ints) -> tuple[Floats, Bools]:
    """As `_difference`, of posteriors, which are probabilities or phred."""
    whole = (_numbers(values, place).select(
        (pl.col("all").list.sum() - 1).abs() <= _ROUNDED).to_series().fill_null(value=False).to_numpy())
    by, told = _difference(values, place, expected, -1.0)
    frame = _numbers(values, place)
    share = _array(frame.select(pl.when(pl.col("all").list.len() == pl.Series(expected)).then(
        -10 * (pl.col("own") / pl.col("all").list.max()).clip(1e-10).log10())))
    return np.where(whole, np.nan_to_num(share, nan=0.0), by), np.where(whole, ~np.isnan(share), told)


def _phred(error: Floats) -> Floats:
    return np.asarray(-10 * np.log10(np.clip(error, 10 ** (-_MOST / 10), 1)))


def _by_dosage(values: pl.Series, alleles: Ints, key: str) -> Floats:
    """Of the one ALT; of several, nothing."""
    if key == "HDS":
        each = values.str.split(",").list.eval(pl.element().cast(pl.Float64, strict=False))
        few = each.list.len() <= _COPIES
        values = pl.DataFrame({"each": each}).select(pl.when(few).then(pl.col("each").list.sum())).to_series()
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

"""Drift: how new rows differ from those that a model learned from."""

from __future__ import annotations

import numpy as np
import polars as pl

from .encoding import Column, Encoding

#: Differences that are told: a shift of the mean in standard deviations, shares in points.
_SHIFT, _SHARE, _OUTSIDE = 0.25, 0.1, 0.01


def drift(encoding: Encoding, frame: pl.DataFrame) -> pl.DataFrame:
    """A row for each feature: what was seen in training and now, and whether that is noteworthy.

    Columns: ``feature``; ``missing_then``, ``missing_now`` (shares); ``outside``: share of the known values that are
    beyond the range or among no level of the training rows; ``shift``: of a number the change of the mean in training
    standard deviations, of a category half the sum of the changes of shares; ``drifted``.
    """
    rows = [_one(column, frame[column.name]) for column in encoding.columns]
    made = pl.DataFrame(rows, schema={"feature": pl.String, "missing_then": pl.Float64, "missing_now": pl.Float64,
                                      "outside": pl.Float64, "shift": pl.Float64}, orient="row")
    limit = pl.Series([_SHARE if one.levels else _SHIFT for one in encoding.columns], dtype=pl.Float64)
    return made.with_columns(
        drifted=((pl.col("missing_now") - pl.col("missing_then")).abs() > _SHARE) | (pl.col("outside") > _OUTSIDE)
        | (pl.col("shift").abs() > limit))


def _one(column: Column, values: pl.Series) -> tuple[str, float, float, float, float]:
    known = values.drop_nulls() if column.levels else values.cast(pl.Float64).fill_nan(None).drop_nulls()
    missing = 1 - len(known) / max(1, len(values))
    outside, shift = 0.0, 0.0
    if len(known):
        outside, shift = _category(column, known) if column.levels else _number(column, known)
    return column.name, column.missing, missing, outside, shift


def _number(column: Column, known: pl.Series) -> tuple[float, float]:
    array = known.to_numpy()
    outside = float(np.mean((array < column.low) | (array > column.high)))
    return outside, (float(array.mean()) - column.mean) / column.sd if column.sd else 0.0


def _category(column: Column, known: pl.Series) -> tuple[float, float]:
    array = known.cast(pl.String).to_numpy()
    new = ~np.isin(array, column.levels)
    now = [float(np.mean(array == level)) for level in column.levels]
    moved = sum(abs(one - then) for one, then in zip(now, column.shares, strict=True)) + float(new.mean())
    return float(new.mean()), moved / 2

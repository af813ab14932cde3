"""Plans of many operations on frames of few rows."""

from __future__ import annotations

from typing import Final

import polars as pl

_AS_WRITTEN: Final = pl.QueryOptFlags.none()


def as_written(plan: pl.LazyFrame) -> pl.DataFrame:
    """Carry out a plan in one go, in memory and in the order it is written.

    On a few rows to look for a better plan, or to wake the engine that works in parts, takes longer than the work; and
    so does one operation after the other, each of which is a plan of its own. A plan that is built upon twice is
    carried out twice.

    >>> as_written(pl.LazyFrame({"a": [1, 2]}).filter(pl.col("a") > 1).select(b="a")).rows()
    [(2,)]
    """
    return plan.collect(engine="in-memory", optimizations=_AS_WRITTEN)

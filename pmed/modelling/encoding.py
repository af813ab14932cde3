"""Features as the numbers that trees read, and what was seen of each in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from ..errors import InputError
from .cohort import Floats

OTHER = "(other)"


@dataclass(frozen=True)
class Column:
    """One feature as it was in training.

    Attributes:
        name: Its name.
        levels: Of a category: its values, whose places are its codes; empty for a number.
        low: Smallest value of a number.
        high: Largest value of a number.
        missing: Share of rows in which it was unknown, 0 to 1.
        mean: Of a number, over the rows in which it was known.
        sd: Of a number, likewise.
        shares: Of a category: the share of each level among the known.
    """

    name: str
    levels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    missing: float = 0.0
    mean: float = 0.0
    sd: float = 0.0
    shares: tuple[float, ...] = ()


@dataclass(frozen=True)
class Encoding:
    """All features of a model, in the order of its matrix."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Names of the features."""
        return [one.name for one in self.columns]

    @property
    def categorical(self) -> list[int]:
        """Places of the categories."""
        return [place for place, one in enumerate(self.columns) if one.levels]

    def matrix(self, frame: pl.DataFrame) -> Floats:
        """Rows × features; unknown is NaN. A category that training never saw is unknown too, or ``(other)``.

        Raises:
            InputError: where a feature is missing or of another kind.
        """
        return np.column_stack([_numbers(one, frame) for one in self.columns])

    def to_json(self) -> list[dict[str, Any]]:
        """As plain values."""
        return [asdict(one) for one in self.columns]


def learn_encoding(frame: pl.DataFrame, fewest: int = 1) -> Encoding:
    """What the columns of `frame` are; levels with fewer rows than `fewest` become one, ``(other)``."""
    return Encoding(tuple(_column(frame[name], fewest) for name in frame.columns))


def encoding_from(plain: list[Mapping[str, Any]]) -> Encoding:
    """The encoding that `to_json` wrote."""
    return Encoding(tuple(Column(**{**one, "levels": tuple(one["levels"]), "shares": tuple(one["shares"])})
                          for one in plain))


def _column(values: pl.Series, fewest: int) -> Column:
    missing = float(_unknown(values).to_numpy().mean())
    if values.dtype in (pl.String, pl.Categorical, pl.Enum):
        counts = values.cast(pl.String).drop_nulls().value_counts().sort("count", values.name, descending=[True, False])
        kept = counts.filter(pl.col("count") >= fewest)
        levels, known = kept[values.name].to_list(), max(1, counts["count"].sum())
        shares = [count / known for count in kept["count"]]
        if kept.height < counts.height:
            levels, shares = [*levels, OTHER], [*shares, 1 - sum(shares)]
        return Column(values.name, tuple(levels), missing=missing, shares=tuple(shares))
    known_values = values.cast(pl.Float64).fill_nan(None).drop_nulls()
    if known_values.is_empty():
        return Column(values.name, missing=1.0)
    array = known_values.to_numpy()
    return Column(values.name, low=float(array.min()), high=float(array.max()), missing=missing,
                  mean=float(array.mean()), sd=float(array.std()))


def _unknown(values: pl.Series) -> pl.Series:
    return values.is_null() | values.is_nan() if values.dtype.is_float() else values.is_null()


def _numbers(one: Column, frame: pl.DataFrame) -> Floats:
    if one.name not in frame.columns:
        raise InputError(f"has no column {one.name!r}, which the model reads", where="features")
    values = frame[one.name]
    if one.levels:
        places = {level: float(place) for place, level in enumerate(one.levels)}
        coded = values.cast(pl.String).replace_strict(places, default=places.get(OTHER), return_dtype=pl.Float64)
        # a default stands in for null as well; unknown stays unknown
        values = coded.to_frame().select(pl.when(values.is_not_null()).then(coded).otherwise(None)).to_series()
    elif values.dtype == pl.String:
        raise InputError(f"{one.name} must be numbers. Got text", where="features")
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()

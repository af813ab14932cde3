"""Typed inputs, reasons for not assessing, and numbers as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

_DTYPES: Final = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String()}


def inputs(features: pl.DataFrame, reference: Mapping[str, Any]) -> pl.DataFrame:
    """patient_id and the columns of `reference`, typed as its values; absent columns and NaN become null."""
    return features.select("patient_id", *[_typed(features, name, value) for name, value in reference.items()])


def _typed(features: pl.DataFrame, name: str, example: Any) -> pl.Expr:
    column = pl.col(name) if name in features.columns else pl.lit(None).alias(name)
    typed = column.cast(_DTYPES[type(example)])
    return typed.fill_nan(None) if isinstance(example, float) else typed


def needs(names: Sequence[str]) -> pl.Expr:
    """"needs a, b" naming the inputs that are null; null where none is."""
    missing = pl.concat_str([pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in names], separator=", ",
                            ignore_nulls=True)
    return pl.when(missing != "").then("needs " + missing)


def outside(name: str, low: float, high: float, unit: str) -> pl.Expr:
    """Says that a number is outside `low` to `high`; null where it is inside or null."""
    text = pl.format(f"{name} {{}} is outside {low:g} to {high:g} {unit}", number(pl.col(name), 2))
    return pl.when(~pl.col(name).is_between(low, high)).then(text)


def first_reason(*reasons: pl.Expr) -> pl.Expr:
    """All reasons in one text, null where there is none."""
    text = pl.concat_str(reasons, separator="; ", ignore_nulls=True)
    return pl.when(text != "").then(text)


def number(value: pl.Expr, digits: int = 1) -> pl.Expr:
    """A number as text, rounded, without a useless ".0"."""
    return value.round(digits).cast(pl.String).str.strip_suffix(".0")


def signed(value: pl.Expr) -> pl.Expr:
    """A term as text with its sign, four decimals; "0" where it adds nothing."""
    sign = pl.when(value < 0).then(pl.lit("−")).otherwise(pl.lit("+"))
    return pl.when(value == 0).then(pl.lit("0")).otherwise(sign + value.abs().round(4).cast(pl.String))

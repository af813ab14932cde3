"""What predictors of this plugin share: typed inputs, the reasons for not assessing, the predictions table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

_DTYPES: Final = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String()}


def inputs(features: pl.DataFrame, reference: Mapping[str, Any], found: Sequence[str] = ()) -> pl.DataFrame:
    """patient_id, the columns of `reference`, typed as its values, and the texts `found`.

    Absent columns and NaN become null.
    """
    typed = [_typed(features, name, example) for name, example in (*reference.items(), *((one, "") for one in found))]
    return features.select("patient_id", *typed)


def _typed(features: pl.DataFrame, name: str, example: Any) -> pl.Expr:
    column = pl.col(name) if name in features.columns else pl.lit(None).alias(name)
    typed = column.cast(_DTYPES[type(example)])
    return typed.fill_nan(None) if isinstance(example, float) else typed


def needs(names: Sequence[str], shown: Mapping[str, str] | None = None, why: Sequence[str] = ()) -> pl.Expr:
    """"needs a, b" naming the inputs that are null; null where none is.

    Args:
        names: Required inputs.
        shown: Other names to call them by.
        why: Inputs whose companion column ``<name>-found`` says why they are not settled, where it says something.
    """
    words = {**{name: pl.lit(name) for name in names},
             **{name: pl.format(f"{name}{{}}", pl.format(" ({})", f"{name}-found").fill_null("")) for name in why},
             **{name: pl.lit(other) for name, other in (shown or {}).items()}}
    missing = pl.concat_str([pl.when(pl.col(name).is_null()).then(words[name]) for name in names], separator=", ",
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


def predictions(frame: pl.DataFrame, target: str, unit: str) -> pl.DataFrame:
    """Make the ``predictions`` table from patient_id, value, label and reason; a row with a reason has no value."""
    assessed = pl.col("reason").is_null()
    return frame.select(
        "patient_id",
        target=pl.lit(target),
        value=pl.when(assessed).then("value").cast(pl.Float64),
        unit=pl.lit(unit),
        low=pl.lit(None, dtype=pl.Float64),
        high=pl.lit(None, dtype=pl.Float64),
        label=pl.when(assessed).then("label").cast(pl.String),
        status=pl.when(assessed).then(pl.lit("assessed")).otherwise(pl.lit("not-assessed")),
        reason="reason",
    )


def steps(frame: pl.DataFrame, target: str, texts: Sequence[pl.Expr]) -> pl.DataFrame:
    """Number the `texts` of each row from 1; a text that is null is left out."""
    long = frame.select("patient_id", text=pl.concat_list(texts)).explode("text").drop_nulls("text")
    step = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("patient_id")
    return long.select("patient_id", target=pl.lit(target), step=step, text="text")

"""What a finding rests on, in words. Beside each feature ``x`` the history step gives ``x-found``, a text."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

#: Feature of pmed: current medicines that no vocabulary knows.
UNREAD: Final = "medicines-not-recognised"
#: What a feature asks of the medicines.
ASKED: Final = {"bp-treated": "blood-pressure medicine", "statin": "statin",
                "bleeding-medicine": "medicine that lets bleed"}


def mention(name: str) -> pl.Expr:
    """The code or date a feature was found by, in brackets after a space; empty where that is not known."""
    return pl.format(" ({})", f"{name}-found").fill_null("")


def unsettled(name: str) -> pl.Expr:
    """Says which entry of the record leaves a finding unknown; null where none does."""
    text = pl.format(f"{name} is left open by {{}}", f"{name}-found")
    return pl.when(pl.col(name).is_null()).then(text)


def yes_or_absent(name: str, words: str) -> pl.Expr:
    """Says that a finding is on record, or that it is not and what that was taken for."""
    absent = pl.lit(f"{words}: not in the record, counted as absent.")
    return pl.when(name).then(pl.format(f"{words}: on record{{}}.", mention(name))).otherwise(absent)


def assumed(frame: pl.DataFrame, features: Collection[str]) -> pl.Series | None:
    """What was assumed of medicines that were not recognised, of each row; None where nothing was of anybody."""
    asked = [name for name in ASKED if name in features]
    if not asked or UNREAD not in frame.columns or not (frame[UNREAD] != "").any():
        return None
    none = pl.concat_str([pl.when(~pl.col(name)).then(pl.lit(ASKED[name])) for name in asked], separator=" or ",
                         ignore_nulls=True)
    said = pl.format("not recognised, and counted as no {}: {}", none, UNREAD)
    return frame.select(pl.when((none != "") & (pl.col(UNREAD) != "")).then(said).alias("assumed")).to_series()


def with_assumed(rows: pl.DataFrame, assumed: pl.Series | None) -> pl.DataFrame:
    """Predictions, of which those that are assessed say what was assumed."""
    if assumed is None:
        return rows
    return rows.with_columns(reason=pl.when(status="assessed").then(assumed).otherwise("reason"))


def as_step() -> pl.Expr:
    """The reason of a prediction as a step of its trace; null where there is none."""
    return pl.col("reason").str.head(1).str.to_uppercase() + pl.col("reason").str.slice(1) + pl.lit(".")

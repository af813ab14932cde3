"""Doses counted in tablets or capsules → amounts of the one ingredient, by the strength of a piece."""

from __future__ import annotations

import polars as pl

from ..masses import milligrams
from .sig_words import PIECES
from .sigs import COUNT

# Pieces by the unit of a dose, however it is written: TAB, {tbl}, "1 Tablette" has it as {piece}.
PIECE_UNIT = rf"(?i)^\{{?(?:{PIECES}|piece)\}}?\.?$"
# Forms that are swallowed one by one, by a product's name; of a pack it is not known which of its tablets is meant.
_SOLID = r"(?i)(?:tablett?e?n?s?|\btabs?|\btbl|\btabl|capsules?|\bcaps?|kapseln?|\bkps|caplets?|dragees?)\b"
_PACK = r"(?i)\bpack\b|^\{"
_MOST = 3.0  # pieces of a scheme that says no unit: more may as well be milligrams
_SLIP = 250.0  # a dose of so many pieces, or a share of one so small: milligrams were written for micrograms, or so


def in_amounts(rows: pl.DataFrame) -> pl.DataFrame:
    """Medications with `dose` and `daily_dose` in the unit of `strength`, where they count pieces of one ingredient.

    A number without a unit ("1-0-1") counts pieces where the product is a tablet or capsule by its name, and where it
    cannot be meant as milligrams: up to three, and less than the strength, unless that is 1.
    """
    plain = ~pl.col("strength_unit").str.contains("/") & (pl.col("strength") > 0) & (
        pl.col("ingredients").list.len() == 1) & ~pl.col("unread_part") & ~pl.col("display").str.contains(_PACK)
    piece = pl.col("dose_unit").str.contains(PIECE_UNIT) & plain
    mg = pl.col("strength") * milligrams(pl.col("strength_unit"))
    number = pl.max_horizontal("dose", pl.when(pl.col("dose").is_null()).then("daily_dose"))
    counted = (pl.col("dose_unit") == COUNT) & plain & pl.col("display").str.contains(_SOLID) & (
        number <= _MOST) & ((number < mg) | (mg == 1))
    sure = (piece | counted).fill_null(value=False)
    if not rows.select(sure.any()).item():
        return rows
    return rows.with_columns(
        *(pl.when(sure).then(pl.col(name) * pl.col("strength")).otherwise(name).alias(name)
          for name in ("dose", "daily_dose")),
        dose_unit=pl.when(sure).then("strength_unit").otherwise("dose_unit"))


def without_slips(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Medications without the doses that cannot be meant beside the strength, and the rows of which one was taken out.

    50 mg of "levothyroxine 50 ug" are a thousand tablets: dose or strength has another unit than is written.
    """
    dose = pl.coalesce("dose", "daily_dose") * milligrams(pl.col("dose_unit"))
    piece = pl.col("strength") * milligrams(pl.col("strength_unit"))
    slip = ((dose >= _SLIP * piece) | ((dose > 0) & (dose * _SLIP <= piece))).fill_null(value=False)
    wrong = rows.select(slip & (pl.col("ingredients").list.len() == 1).fill_null(value=False))[:, 0]
    if not wrong.any():
        return rows, rows.clear()
    return rows.with_columns(pl.when(~wrong).then(pl.col(name)).alias(name)
                             for name in ("dose", "daily_dose", "dose_unit")), rows.filter(wrong)

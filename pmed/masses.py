"""Masses by the word of their unit → milligrams."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

#: A unit in small letters, however it is written (UCUM has ``ug``) → how many milligrams it is.
MILLIGRAMS: Mapping[str, float] = {
    "g": 1000.0, "mg": 1.0, "ug": 0.001, "mcg": 0.001, "\u00b5g": 0.001, "\u03bcg": 0.001}


def milligrams(unit: pl.Expr) -> pl.Expr:
    """How many milligrams one of a unit is; null for what is no mass, and of pieces."""
    return unit.str.to_lowercase().replace_strict(MILLIGRAMS, default=None, return_dtype=pl.Float64)

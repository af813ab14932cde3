"""Units of a dose by whatever word: what UCUM calls them, and masses in milligrams."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

# What UCUM calls a unit → words for it in small letters, as hospitals write them (GM, MCG, MEQ and UNT among them).
_WORDS = {"g": ("g", "gm", "gms", "gram", "grams", "gramm"),
          "mg": ("mg", "mgs", "milligram", "milligrams", "milligramm"),
          "ug": ("ug", "mcg", "mcgs", "\u00b5g", "\u03bcg", "microgram", "micrograms", "mikrogramm"),
          "U": ("u", "[u]", "unit", "units", "unt"), "[IU]": ("[iu]", "iu", "ie", "i.e", "i.u"),
          "meq": ("meq", "milliequivalent", "milliequivalents"), "mmol": ("mmol",), "mL": ("ml",)}
_FACTORS = {"g": 1000.0, "mg": 1.0, "ug": 0.001}
#: A unit of a dose in small letters, however it is written → the code that UCUM has for it.
DOSE_UNITS: Mapping[str, str] = {word: code for code, words in _WORDS.items() for word in words}
#: A unit in small letters, however it is written (UCUM has ``ug``) → how many milligrams it is.
MILLIGRAMS: Mapping[str, float] = {word: _FACTORS[code] for word, code in DOSE_UNITS.items() if code in _FACTORS}


def milligrams(unit: pl.Expr) -> pl.Expr:
    """How many milligrams one of a unit is; null for what is no mass, and of pieces."""
    return unit.str.to_lowercase().replace_strict(MILLIGRAMS, default=None, return_dtype=pl.Float64())


def dose_unit(unit: pl.Expr) -> pl.Expr:
    """The unit of a dose as UCUM has it; what is not known here stays as it is.

    >>> pl.DataFrame({"unit": ["GM", "MCG", "UNT", "TAB"]}).select(dose_unit(pl.col("unit")))["unit"].to_list()
    ['g', 'ug', 'U', 'TAB']
    """
    word = unit.str.to_lowercase().str.strip_chars(" .")
    return pl.coalesce(word.replace_strict(DOSE_UNITS, default=None, return_dtype=pl.String()), unit)

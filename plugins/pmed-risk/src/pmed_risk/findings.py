"""What a finding rests on, in words. Beside each feature ``x`` the history step gives ``x-found``, a text."""

from __future__ import annotations

import polars as pl


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

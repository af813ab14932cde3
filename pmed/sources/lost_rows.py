"""Rows of tables that are left out because they have more or fewer cells than the header: whose they may be.

The cell that names the patient is counted from the row's beginning and from its end: the fault is behind it or before.
A row that names nobody who is known may be anybody's, and what it held is unknown of everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

NAMED = ("bad-row", "bad-line")  # codes of issues about rows that may be of the patient they name
ANYBODY = "lost-row"  # and of those that may be anybody's


def named_in(row: Sequence[str], place: int, width: int) -> list[str]:
    """What may name the patient in a row, whose cell has that place in a header of so many.

    >>> named_in(["2000", "33", "2024-01-01"], 1, 4), named_in(["33", "2024-01-01", "x"], 1, 4)
    (['33'], ['2024-01-01', '33'])
    """
    from_end = place - width + len(row)
    cells = [row[one].strip() for one in (place, from_end) if 0 <= one < len(row)]
    return [one for one in dict.fromkeys(cells) if one]


def settled(issues: pl.DataFrame, known: Iterable[str]) -> pl.DataFrame:
    """`issues`, where those about rows name somebody who is `known`, or say that they may be anybody's.

    Args:
        issues: Rows of ``issues``; of a row one for each name that may be meant.
        known: Everybody whom the source knows.
    """
    about = pl.col("code").is_in(NAMED) & pl.col("patient_id").is_not_null()
    if not issues.select(about.any()).item():
        return issues
    here = pl.col("patient_id").is_in(list(known))
    row = ["file", "place", "code"]
    found = issues.with_columns(_about=about, _here=about & here).with_columns(_any=pl.col("_here").any().over(row))
    kept = found.filter(~pl.col("_about") | pl.col("_here") | (~pl.col("_any") & pl.struct(row).is_first_distinct()))
    nobody = pl.col("_about") & ~pl.col("_here")
    return kept.with_columns(
        code=pl.when(nobody).then(pl.lit(ANYBODY)).otherwise("code"),
        patient_id=pl.when(nobody).then(None).otherwise("patient_id")).select(issues.columns)

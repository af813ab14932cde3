"""Stroke risk in atrial fibrillation: CHA2DS2-VASc.

Lip GYH et al., Chest 2010;137:263-72, PMID 19762550.
"""

from __future__ import annotations

from typing import Final

import polars as pl

CITATION: Final = "PMID:19762550"

#: Points for each finding that is there; age and sex are scored apart.
POINTS: Final = {"heart-failure": 1, "hypertension": 1, "diabetes": 1, "stroke-or-tia": 2, "vascular-disease": 1}


def age_points(age: pl.Expr) -> pl.Expr:
    """2 from 75 years, 1 from 65, else 0; null where age (years) is null."""
    return (age >= 65).cast(pl.Int64) + (age >= 75).cast(pl.Int64)


def sex_points(sex: pl.Expr) -> pl.Expr:
    """1 for female, 0 for male; null for all else."""
    return sex.replace_strict({"female": 1, "male": 0}, default=None, return_dtype=pl.Int64)


def cha2ds2_vasc(age: pl.Expr, sex: pl.Expr, findings: dict[str, pl.Expr]) -> pl.Expr:
    """Sum of points, 0 to 9; null as soon as one input is null. PMID 19762550.

    Args:
        age: Years.
        sex: "female" or "male".
        findings: A Boolean for each name in `POINTS`.
    """
    found = [points * findings[name].cast(pl.Int64) for name, points in POINTS.items()]
    return pl.sum_horizontal(age_points(age), sex_points(sex), *found, ignore_nulls=False)

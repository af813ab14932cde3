"""The pharmacogenetic dose equation of the International Warfarin Pharmacogenetics Consortium (IWPC).

International Warfarin Pharmacogenetics Consortium, N Engl J Med 2009;360:753-64, PMID 19228618 (appendix S1e).
The equation's sum is the square root of the stable dose in mg a week.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

CITATION: Final = "PMID:19228618"
START: Final = 5.6044
#: For each decade of age, cm of height, kg of weight.
AGE, HEIGHT, WEIGHT = -0.2614, 0.0087, 0.0128
#: The equation's terms for a genotype that is not known.
VKORC1_UNKNOWN, CYP2C9_UNKNOWN = -0.4854, -0.2188
#: rs9923231 on the forward strand, REF first: C is the -1639G allele, T the -1639A allele.
VKORC1: Final[Mapping[str, float]] = {"C/C": 0.0, "C/T": -0.8677, "T/T": -1.6974}
CYP2C9: Final[Mapping[str, float]] = {
    "*1/*1": 0.0, "*1/*2": -0.5211, "*1/*3": -0.9357, "*2/*2": -1.0616, "*2/*3": -1.9206, "*3/*3": -2.3312}
RACE: Final[Mapping[str, float]] = {"White": 0.0, "Asian": -0.1092, "Black": -0.2760, "missing or mixed": -0.1032}
INDUCER: Final = 1.1816
INDUCERS: Final = ("carbamazepine", "phenytoin", "rifampin")
AMIODARONE: Final = -0.5503
#: The fixed dose that the paper compares with, and its margin for a relevant difference.
USUAL_DOSE: Final = 35.0
RELEVANT: Final = 0.20

#: Groups of ancestry as recorded (lower case), by the paper's own grouping; all else is "missing or mixed".
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "White": ("white", "caucasian", "european", "2106-3"),
    "Asian": ("asian", "east asian", "south asian", "southeast asian", "chinese", "han chinese", "japanese", "korean",
              "malay", "indian", "filipino", "vietnamese", "2028-9"),
    "Black": ("black", "african american", "african-american", "black or african american",
              "black/african american", "african", "2054-5"),
}
# ethnicity beside race ("Black, not Hispanic or Latino") says nothing of the race
_ETHNICITY: Final = r"[\s,;/(-]*\b(non|not)[ -]*(hispanic|latino)( or latino)?\b\)?"
_GROUP_OF: Final = {name: group for group, names in _GROUPS.items() for name in names}


def terms(*, age: pl.Expr, height: pl.Expr, weight: pl.Expr, vkorc1: pl.Expr, cyp2c9: pl.Expr, race: pl.Expr,
          inducer: pl.Expr, amiodarone: pl.Expr) -> dict[str, pl.Expr]:
    """Every term of the equation by name; each is null where its input is null or outside the equation.

    Args:
        age: Years; the equation counts completed decades.
        height: cm.
        weight: kg.
        vkorc1: Genotype of rs9923231, a key of `VKORC1`.
        cyp2c9: Diplotype, a key of `CYP2C9`.
        race: A key of `RACE`.
        inducer: Takes one of `INDUCERS`.
        amiodarone: Takes amiodarone.
    """
    return {
        "start": pl.lit(START),
        "age": AGE * decades(age),
        "height": HEIGHT * height,
        "weight": WEIGHT * weight,
        "vkorc1": _look_up(vkorc1, VKORC1),
        "cyp2c9": _look_up(cyp2c9, CYP2C9),
        "race": _look_up(race, RACE),
        "inducer": INDUCER * inducer.cast(pl.Float64),
        "amiodarone": AMIODARONE * amiodarone.cast(pl.Float64),
    }


def weekly_dose(parts: Mapping[str, pl.Expr]) -> pl.Expr:
    """Stable dose in mg/week from the `terms`: the square of their sum; null where one of them is null.

    A sum below zero, possible only for the frailest with two strong variants, is no dose: it counts as 0 mg.
    """
    return pl.sum_horizontal(*parts.values(), ignore_nulls=False).clip(lower_bound=0.0) ** 2


def decades(age: pl.Expr) -> pl.Expr:
    """Completed decades of life: 60 to 69 years are 6."""
    return (age / 10).floor()


def race_group(ancestry: pl.Expr) -> pl.Expr:
    """Ancestry as recorded → a key of `RACE`; what is not recorded, mixed or another one is "missing or mixed"."""
    race = ancestry.str.to_lowercase().str.replace_all(_ETHNICITY, "").str.strip_chars()
    return race.replace_strict(
        _GROUP_OF, default="missing or mixed", return_dtype=pl.String())


def _look_up(key: pl.Expr, table: Mapping[str, float]) -> pl.Expr:
    return key.replace_strict(dict(table), default=None, return_dtype=pl.Float64())

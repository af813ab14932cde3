"""Quantities computed from a record, as pure expressions: each says its inputs, their units and its source.

All of them are null where an input is null or outside what the formula was made for. None knows of tables: see
``derived_step``.
"""

from __future__ import annotations

import polars as pl

_INFANT, _ADULT = 1.0, 18.0
_FERTILE = (10.0, 60.0)
DAYS_A_YEAR = 365.25
LEAST_POINTS = 3


def bmi(weight: pl.Expr, height: pl.Expr) -> pl.Expr:
    """Body mass index in kg/m2 from `weight` (kg) and `height` (cm).

    Source: WHO Technical Report Series 894 (2000).
    """
    return weight / (height / 100) ** 2


def ckd_epi_2021(creatinine: pl.Expr, age: pl.Expr, sex: pl.Expr) -> pl.Expr:
    """Estimated glomerular filtration rate in mL/min/1.73 m2; adults only.

    `creatinine` in mg/dL (serum or plasma), `age` in years, `sex` female or male. The race-free creatinine equation:
    142 × min(Scr/κ, 1)^α × max(Scr/κ, 1)^-1.200 × 0.9938^age (× 1.012 for women); κ 0.7 and 0.9, α -0.241 and -0.302
    for women and men.

    Source: Inker et al., N Engl J Med 2021;385:1737-49, doi:10.1056/NEJMoa2102953.
    """
    woman = sex == "female"
    kappa, alpha = pl.when(woman).then(0.7).otherwise(0.9), pl.when(woman).then(-0.241).otherwise(-0.302)
    ratio = creatinine / kappa
    rate = (142 * ratio.clip(upper_bound=1).pow(alpha) * ratio.clip(lower_bound=1).pow(-1.2)
            * pl.lit(0.9938).pow(age) * pl.when(woman).then(1.012).otherwise(1.0))
    return pl.when(age >= _ADULT, creatinine > 0, sex.is_in(["female", "male"])).then(rate)


def schwartz_bedside(creatinine: pl.Expr, age: pl.Expr, height: pl.Expr) -> pl.Expr:
    """Estimated glomerular filtration rate in mL/min/1.73 m2 of children from 1 to below 18 years.

    `creatinine` in mg/dL (by an enzymatic method), `age` in years, `height` in cm: 0.413 × height / Scr. Made with
    children of 1 to 16 years whose kidneys were ill: a normal rate is told less surely than a low one.

    Source: Schwartz et al., J Am Soc Nephrol 2009;20:629-37, PMID 19158356, doi:10.1681/ASN.2008030287.
    """
    return pl.when(age.is_between(_INFANT, _ADULT, closed="left"), creatinine > 0).then(0.413 * height / creatinine)


def cockcroft_gault(creatinine: pl.Expr, age: pl.Expr, weight: pl.Expr, sex: pl.Expr) -> pl.Expr:
    """Creatinine clearance in mL/min; adults only.

    `creatinine` in mg/dL, `age` in years, `weight` in kg (as recorded, not the ideal one), `sex` female or male.
    (140 - age) × weight / (72 × Scr), × 0.85 for women.

    Source: Cockcroft and Gault, Nephron 1976;16:31-41, doi:10.1159/000180580.
    """
    clearance = (140 - age) * weight / (72 * creatinine) * pl.when(sex == "female").then(0.85).otherwise(1.0)
    return pl.when(age.is_between(_ADULT, 140, closed="left"), creatinine > 0, sex.is_in(["female", "male"])).then(
        clearance)


def child_pugh(bilirubin: pl.Expr, albumin: pl.Expr, inr: pl.Expr, ascites: pl.Expr,
               encephalopathy: pl.Expr) -> pl.Expr:
    """Child-Pugh points, 5 to 15 (A 5-6, B 7-9, C 10-15); null unless all five are known.

    `bilirubin` in mg/dL (below 2: 1 point, to 3: 2, above: 3), `albumin` in g/dL (above 3.5, to 2.8, below), `inr`
    (below 1.7, to 2.3, above), `ascites` and `encephalopathy` as points from 1 (none) to 3.

    Source: Pugh et al., Br J Surg 1973;60:646-9, doi:10.1002/bjs.1800600817, with INR for the prothrombin time.
    """
    signs = [pl.when(sign.is_between(1, 3)).then(sign) for sign in (ascites, encephalopathy)]
    return pl.sum_horizontal(_points(bilirubin, 2, 3), 4 - _points(albumin, 2.8, 3.5), _points(inr, 1.7, 2.3),
                             *signs, ignore_nulls=False).cast(pl.Float64)


def _points(value: pl.Expr, low: float, high: float) -> pl.Expr:
    """1 below `low`, 2 to `high`, else 3."""
    return pl.when(value < low).then(1).when(value <= high).then(2).when(value > high).then(3)


def pregnant(active_pregnancy: pl.Expr, recorded: pl.Expr, sex: pl.Expr, age: pl.Expr) -> pl.Expr:
    """Pregnant now: true or false as the record says, null where it does not or contradicts itself.

    `active_pregnancy`: an active coded pregnancy; `recorded`: the answer to LOINC 82810-3 (pregnancy status), where it
    is recent. True or false needs a woman of 10 to 60 years; that no pregnancy is on record never means false.
    """
    return _of_a_woman(active_pregnancy, recorded, sex, age)


def breastfeeding(active: pl.Expr, recorded: pl.Expr, sex: pl.Expr, age: pl.Expr) -> pl.Expr:
    """Breast-feeding now, as `pregnant`: `active` is a coded finding, `recorded` the answer to LOINC 63895-7."""
    return _of_a_woman(active, recorded, sex, age)


def _of_a_woman(finding: pl.Expr, said: pl.Expr, sex: pl.Expr, age: pl.Expr) -> pl.Expr:
    active = finding.fill_null(value=False)
    conflict = active & ~said.fill_null(value=True)
    plausible = (sex == "female") & age.is_between(*_FERTILE)
    return pl.when(plausible & ~conflict).then(pl.when(active).then(pl.lit(value=True)).otherwise(said))


def slope_a_year(value: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Change of `value` a year: the least-squares line through the points (an aggregation).

    `day` is a date. Null with fewer than three points, or where they are all of one day.
    """
    years = (day - day.min()).dt.total_days() / DAYS_A_YEAR
    spread = years.var()
    return pl.when(value.count() >= LEAST_POINTS, spread > 0).then(pl.cov(value, years) / spread)

"""What follows from the record by published formulas: pure functions of columns, null where an input is null.

Each names its inputs, their units and its source. None of them looks at the record itself.
"""

from __future__ import annotations

import polars as pl

ADULT = 18.0
DAYS = 365.25


def bmi(weight: pl.Expr, height: pl.Expr) -> pl.Expr:
    """Body mass index in kg/m² of kg and cm.

    >>> pl.DataFrame({"w": [70.0], "h": [175.0]}).select(bmi(pl.col("w"), pl.col("h")).round(1)).item()
    22.9
    """
    return weight / (height / 100) ** 2


def egfr(creatinine: pl.Expr, age: pl.Expr, sex: pl.Expr) -> pl.Expr:
    """CKD-EPI 2021 creatinine equation, mL/min/1.73 m², without race; adults only.

    Inker et al., N Engl J Med 2021;385:1737-49 (doi:10.1056/NEJMoa2102953, PMID 34554658). Serum creatinine in mg/dL,
    age in years, sex female or male.
    """
    female = sex == "female"
    kappa = pl.when(female).then(0.7).otherwise(0.9)
    alpha = pl.when(female).then(-0.241).otherwise(-0.302)
    ratio = creatinine / kappa
    value = (142 * pl.min_horizontal(ratio, pl.lit(1.0)).pow(alpha) * pl.max_horizontal(ratio, pl.lit(1.0)).pow(-1.200)
             * pl.lit(0.9938).pow(age) * pl.when(female).then(1.012).otherwise(1.0))
    known = sex.is_in(["female", "male"]) & (age >= ADULT) & (creatinine > 0)
    return pl.when(known).then(value)


def creatinine_clearance(creatinine: pl.Expr, age: pl.Expr, sex: pl.Expr, weight: pl.Expr) -> pl.Expr:
    """Cockcroft-Gault creatinine clearance, mL/min; adults only.

    Cockcroft and Gault, Nephron 1976;16:31-41 (PMID 1244564). Serum creatinine in mg/dL, age in years, actual body
    weight in kg.
    """
    value = (140 - age) * weight / (72 * creatinine) * pl.when(sex == "female").then(0.85).otherwise(1.0)
    known = sex.is_in(["female", "male"]) & (age >= ADULT) & (creatinine > 0)
    return pl.when(known).then(value)


def child_pugh(bilirubin: pl.Expr, albumin: pl.Expr, inr: pl.Expr, ascites: pl.Expr,
               encephalopathy: pl.Expr) -> pl.Expr:
    """Child-Pugh points at least, 5 to 13: ascites and encephalopathy on record count 2, their degree is not known.

    Pugh et al., Br J Surg 1973;60:646-9 (PMID 4541913), with INR for the prothrombin time. Bilirubin in mg/dL, albumin
    in g/dL, INR; ascites and encephalopathy true where on record. A to 6, B from 7, C from 10.
    """
    def points(value: pl.Expr, *, two: pl.Expr, three: pl.Expr) -> pl.Expr:
        return pl.when(value.is_not_null()).then(1 + two.cast(pl.Int64) + three.cast(pl.Int64))

    laboratory = (points(bilirubin, two=bilirubin >= 2, three=bilirubin > 3)
                  + points(albumin, two=albumin <= 3.5, three=albumin < 2.8)
                  + points(inr, two=inr >= 1.7, three=inr > 2.3))
    return laboratory + 2 + sum(one.fill_null(value=False).cast(pl.Int64) for one in (ascites, encephalopathy))


def slope(values: pl.Expr, days: pl.Expr) -> pl.Expr:
    """Least-squares slope a year of values on days; an aggregation, null of fewer than three values or one day."""
    centred = days - days.mean()
    spread = (centred ** 2).sum()
    return pl.when((values.count() >= 3) & (spread > 0)).then(
        (centred * (values - values.mean())).sum() / spread * DAYS)

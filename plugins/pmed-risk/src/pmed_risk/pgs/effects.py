"""What an allele carried once or twice adds to a score: every effect type as two weights and a constant."""

from __future__ import annotations

import polars as pl

ADDITIVE, DOMINANT, RECESSIVE, DOSAGE = "additive", "dominant", "recessive", "dosage"
KINDS = (ADDITIVE, DOMINANT, RECESSIVE, DOSAGE)
DOSAGES = ("dosage_0_weight", "dosage_1_weight", "dosage_2_weight")


def steps(kind: pl.Expr, weight: pl.Expr) -> list[pl.Expr]:
    """Columns base, once and twice: a genotype of d effect alleles adds base + once·[d ≥ 1] + twice·[d = 2].

    Additive 0, w, w; dominant 0, w, 0; recessive 0, 0, w; by dosage w0, w1 - w0, w2 - w1 (GenoBoost: Ohta et al., Nat
    Commun 2024;15:4433, doi:10.1038/s41467-024-48654-x).
    """
    zero, by_dosage = pl.lit(0.0), kind == DOSAGE
    none, one, two = map(pl.col, DOSAGES)
    return [pl.when(by_dosage).then(none).otherwise(zero).alias("base"),
            pl.when(by_dosage).then(one - none).when(kind == RECESSIVE).then(zero).otherwise(weight).alias("once"),
            pl.when(by_dosage).then(two - one).when(kind == DOMINANT).then(zero).otherwise(weight).alias("twice")]

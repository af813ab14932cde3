"""The sex that a genome shows at the sites that were asked for: how many chromosomes X it was read with."""

from __future__ import annotations

import polars as pl

from .ploidy import PAR

_X = "chrX"


def sexes(genotypes: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """``samples`` with `sex` filled in where the genome tells it.

    Male: one allele was called on X outside the pseudo-autosomal regions, and nowhere two different ones. Female: two
    different ones, and nowhere a single one. Everything else is unknown: two equal alleles are of a woman, or of a man
    whose caller writes everything diploid.
    """
    calls = genotypes.filter(chrom=_X).filter(state="called").join(samples.select("sample", "build"), on="sample")
    shared = pl.any_horizontal(*((pl.col("build") == build) & pl.col("pos").is_between(first, last)
                                 for build, regions in PAR.items() for first, last in regions[_X]))
    differ = (pl.col("ploidy") == 2) & (pl.col("allele_1") != pl.col("allele_2"))
    found = calls.filter(~shared).group_by("sample").agg(one=(pl.col("ploidy") == 1).any(), two=differ.any())
    told = found.select("sample", _sex=pl.when(pl.col("one") & ~pl.col("two")).then(pl.lit("male"))
                        .when(pl.col("two") & ~pl.col("one")).then(pl.lit("female")))
    joined = samples.join(told, on="sample", how="left", maintain_order="left")
    return joined.with_columns(sex=pl.coalesce("sex", "_sex")).drop("_sex")

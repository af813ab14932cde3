"""Genotypes that rest on few reads or a low quality: told beside the gene, for a caller writes down a guess, too."""

from __future__ import annotations

from functools import cache

import polars as pl

from .knowledge import genes

# The genotypes that gnomAD counts as of high quality (Karczewski 2020, PMID:32461654, methods).
LEAST_GQ, LEAST_DP, LEAST_DP_HAPLOID = 20, 10, 5
WEAK = "weak-evidence"
SHOWN = 3
SITE = ["chrom", "pos", "ref", "alt"]


def weak(genotypes: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """patient_id, gene, code and text, for every gene with a weak genotype that its result rests on.

    These are the genotypes of key sites, and of all sites that are not reference. What the file does not tell of depth
    and quality is not weak.

    Args:
        genotypes: The grid.
        samples: sample, patient_id and build of those to look at.
    """
    if all(genotypes[name].null_count() == genotypes.height for name in ("dp", "gq")):
        return _NOTHING  # of a cohort, as a rule
    least = pl.when(pl.col("ploidy") == 1).then(LEAST_DP_HAPLOID).otherwise(LEAST_DP)
    poor = pl.any_horizontal((pl.col("gq") < LEAST_GQ).fill_null(value=False),
                             (pl.col("dp") < least).fill_null(value=False))
    changed = pl.any_horizontal((pl.col(name) > 0).fill_null(value=False) for name in ("allele_1", "allele_2"))
    found = (genotypes.lazy().filter(pl.col("state").is_in(["called", "half-call"]) & poor)
             .join(samples.lazy().select("sample", "patient_id", "build"), on="sample")
             .join(_sites().lazy(), on=["build", *SITE]).filter(pl.col("key") | changed)
             .unique(["patient_id", "gene", "site"], keep="first", maintain_order=True))
    named = pl.format("{} ({})", "site", pl.concat_str(
        pl.format("DP {}", "dp"), pl.format("GQ {}", "gq"), separator=", ", ignore_nulls=True))
    more = pl.when(pl.col("n") > SHOWN).then(pl.format(" and {} more", pl.col("n") - SHOWN)).otherwise(pl.lit(""))
    text = pl.format("few reads or a low quality (DP below 10, of one copy below 5, or GQ below 20) at {}{}: "
                     "a genotype there may be wrong", pl.col("sites").list.head(SHOWN).list.join(", "), more)
    return (found.group_by("patient_id", "gene", maintain_order=True).agg(n=pl.len(), sites=named)
            .select("patient_id", "gene", code=pl.lit(WEAK), text=text).collect())


_NOTHING = pl.DataFrame(schema=dict.fromkeys(("patient_id", "gene", "code", "text"), pl.String()))


@cache
def _sites() -> pl.DataFrame:
    """gene, site, `key` and the site's rows on both builds."""
    rows = [(gene.name, site.name, number in gene.key_sites or number >= len(gene.sites), build, gene.chrom, *row)
            for gene in genes().values() for number, site in enumerate((*gene.sites, *gene.extras))
            for build in ("GRCh38", "GRCh37") for row in site.rows(build)]
    kinds = {"gene": pl.String, "site": pl.String, "key": pl.Boolean, "build": pl.String, "chrom": pl.String,
             "pos": pl.Int64, "ref": pl.String, "alt": pl.String}
    return pl.DataFrame(rows, schema=kinds, orient="row")

"""Genes of which a file tells more copies than usual, of the whole or of a part: no phenotype rests on bases alone.

Another copy of a whole gene adds to its function, one of a part of it may end it, and nobody knows on which strand it
lies, nor how often.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from pmed.tables import TABLES

from .knowledge import genes

MORE = "more-copies"
SHOWN = 3
_MESSAGES = TABLES["gene_results"].columns["messages"].dtype


def open_where_more(results: pl.DataFrame, coverage: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """``gene_results`` in which what the genotypes say of genes with more copies is not relied on, and why.

    Args:
        results: What the genotypes say.
        coverage: Its rows of the kind ``more-copies`` count.
        samples: sample, patient_id and build.
    """
    stretches = coverage.filter(kind=MORE)
    if stretches.is_empty():
        return results
    where = (stretches.join(samples.select("sample", "patient_id", "build"), on="sample")
             .join(_spans(), on=["build", "chrom"])
             .filter(pl.col("start") <= pl.col("last"), pl.col("end") >= pl.col("first"))
             .group_by("patient_id", "gene", maintain_order=True)
             .agg(_where=pl.format("{}:{}-{}", "chrom", "start", "end").unique(maintain_order=True)))
    found = results.join(where, on=["patient_id", "gene"], how="left", maintain_order="left")
    more = pl.col("_where").is_not_null() & (pl.col("status") != "no-data")
    places = pl.col("_where").list.head(SHOWN).list.join(", ")
    told = _message(MORE, pl.format("the file tells more copies than usual of the gene or a part of it ({}): what they "
                                    "do to its function is not known", places))
    held = _message("phenotype-withheld", pl.format("{} only if the copies change nothing", "phenotype"))
    messages = pl.concat_list(pl.col("messages").fill_null([]), told,
                              pl.when(pl.col("phenotype").is_not_null()).then(held).otherwise(pl.lit([], _MESSAGES)))
    nothing = {name: pl.lit([], TABLES["gene_results"].columns[name].dtype)
               for name in ("possible_phenotypes", "probabilities")}
    changed = {"messages": messages, "complete": pl.lit(value=False), "phenotype": None, "activity_score": None,
               **nothing}
    return found.with_columns(pl.when(more).then(value).otherwise(name).alias(name)
                              for name, value in changed.items()).drop("_where")


def _message(code: str, text: pl.Expr) -> pl.Expr:
    return pl.concat_list(pl.struct(code=pl.lit(code), text=text)).cast(_MESSAGES)


@cache
def _spans() -> pl.DataFrame:
    """build, chrom, gene, and the first and last of its sites."""
    rows = [(build, gene.chrom, gene.name, pos) for gene in genes().values() for build in ("GRCh38", "GRCh37")
            for site in gene.sites for pos, _, _ in site.rows(build)]
    frame = pl.DataFrame(rows, schema=["build", "chrom", "gene", "pos"], orient="row")
    return frame.group_by("build", "chrom", "gene", maintain_order=True).agg(
        first=pl.col("pos").min(), last=pl.col("pos").max())

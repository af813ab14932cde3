"""Genes of which a file tells more copies than usual, or a structural change: no phenotype rests on bases alone.

Another copy of a whole gene adds to its function, one of a part of it may end it, and nobody knows on which strand it
lies, nor how often. A gene that breaks off, holds a stretch that is not its own or lacks one has lost its function
as a rule, and its known sites may all look like reference. An inversion of all of it leaves it whole, and both its
breakpoints outside.
"""

from __future__ import annotations

import polars as pl

from pmed.tables import TABLES

from .knowledge import regions

MORE, BROKEN = "more-copies", "structural"
SHOWN = 3
_MESSAGES = TABLES["gene_results"].columns["messages"].dtype
_WHY = {MORE: "the file tells more copies than usual of the gene or a part of it ({}): what they do to its function is "
              "not known",
        BROKEN: "the file tells a structural change that breaks the gene, or adds to it or takes from it ({}): what it "
                "does to its function is not known"}
_HELD = {MORE: "{} only if the copies change nothing", BROKEN: "{} only if the structural change does no harm"}


def open_where_more(results: pl.DataFrame, coverage: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """``gene_results`` in which what the genotypes say of genes with such changes is not relied on, and why.

    Args:
        results: What the genotypes say.
        coverage: Its rows of the kinds ``more-copies`` and ``structural`` count.
        samples: sample, patient_id and build.
    """
    stretches = coverage.filter(pl.col("kind").is_in(list(_WHY)))
    if stretches.is_empty():
        return results
    where = (stretches.join(samples.select("sample", "patient_id", "build"), on="sample")
             .join(regions(), on=["build", "chrom"])
             .filter(pl.col("start") <= pl.col("last"), pl.col("end") >= pl.col("first"))
             .with_columns(_place=pl.format("{}:{}-{}", "chrom", "start", "end"))
             .group_by("patient_id", "gene", maintain_order=True)
             .agg(pl.col("_place").filter(kind=kind).unique(maintain_order=True).alias(kind) for kind in _WHY))
    found = results.join(where, on=["patient_id", "gene"], how="left", maintain_order="left")
    there = {kind: (pl.col(kind).list.len() > 0).fill_null(value=False) & (pl.col("status") != "no-data")
             for kind in _WHY}
    told = [_where(there[kind], _message(kind, pl.format(_WHY[kind], pl.col(kind).list.head(SHOWN).list.join(", "))))
            for kind in _WHY]
    known = pl.col("phenotype").is_not_null()
    held = [_where(there[BROKEN] & known, _message("phenotype-withheld", pl.format(_HELD[BROKEN], "phenotype"))),
            _where(there[MORE] & ~there[BROKEN] & known,
                   _message("phenotype-withheld", pl.format(_HELD[MORE], "phenotype")))]
    nothing = {name: pl.lit([], TABLES["gene_results"].columns[name].dtype)
               for name in ("possible_phenotypes", "probabilities")}
    changed = {"messages": pl.concat_list(pl.col("messages").fill_null([]), *told, *held),
               "complete": pl.lit(value=False), "phenotype": None, "activity_score": None, **nothing}
    return found.with_columns(pl.when(there[MORE] | there[BROKEN]).then(value).otherwise(name).alias(name)
                              for name, value in changed.items()).drop(list(_WHY))


def _where(there: pl.Expr, message: pl.Expr) -> pl.Expr:
    return pl.when(there).then(message).otherwise(pl.lit([], _MESSAGES))


def _message(code: str, text: pl.Expr) -> pl.Expr:
    return pl.concat_list(pl.struct(code=pl.lit(code), text=text)).cast(_MESSAGES)

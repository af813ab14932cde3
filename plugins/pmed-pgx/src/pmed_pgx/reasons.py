"""Why: the gene results behind a drug's advice in words, and what is missing where there is none."""

from __future__ import annotations

import polars as pl

from pmed.tables import TABLES

from .guidelines import drugs
from .knowledge import genes

KEY = ["patient_id", "drug"]
SHOWN = 3
ASSUMED = "absent-as-ref"


def reasons(rows: pl.DataFrame, gene_results: pl.DataFrame) -> pl.DataFrame:
    """For patients and drugs: `who` (the results), `untested` (genes without a usable one) and `gap` (why not)."""
    each = rows.join(_looked_at(), on="drug", maintain_order="left").join(
        in_words(gene_results), on=["patient_id", "gene"], how="left", maintain_order="left")
    absent = pl.col("status").is_null()
    told = each.with_columns(gap=pl.when(absent).then(pl.col("gene") + pl.lit(" was not read: no genome is given"))
                             .otherwise("gap"))
    told = told.with_columns(untested=pl.when(pl.col("gap").is_not_null()).then("gene"))
    joined = [pl.col(name).drop_nulls().str.join(sign) for name, sign in
              (("who", " and "), ("untested", " and "), ("gap", "; "))]
    return told.group_by(KEY, maintain_order=True).agg(joined).with_columns(
        pl.when(pl.col(name) != "").then(name).alias(name) for name in ("untested", "gap"))


def assumptions(gene_results: pl.DataFrame) -> pl.DataFrame:
    """For patients and drugs: the caution `assumed`, where a result rests on reading absent sites as reference."""
    guessed = pl.col("messages").list.eval(pl.element().struct.field("code") == ASSUMED).list.any()
    each = gene_results.filter(guessed).select("patient_id", "gene").join(_looked_at(), on="gene")
    text = pl.lit("sites of ") + pl.col("gene").sort().str.join(" and ") + pl.lit(
        " that are absent from the file were taken as reference, because the user said so")
    cautions = TABLES["suggestions"].columns["cautions"].dtype
    return each.group_by(KEY, maintain_order=True).agg(text=text).select(
        *KEY, assumed=pl.concat_list(pl.struct(code=pl.lit(ASSUMED), text="text")).cast(cautions))


def _looked_at() -> pl.DataFrame:
    return pl.DataFrame([(drug.name, gene) for drug in drugs().values() for gene in drug.genes],
                        schema={"drug": pl.String, "gene": pl.String}, orient="row")


def in_words(gene_results: pl.DataFrame) -> pl.DataFrame:
    """patient_id, gene, status, who and gap, each result in words; `gap` is null where the result can be relied on."""
    fits = pl.col("diplotypes").list.head(SHOWN).list.join(" or ") + pl.when(
        pl.col("diplotypes").list.len() > SHOWN).then(pl.lit(" or others")).otherwise(pl.lit(""))
    score = pl.lit(", activity score ") + pl.col("activity_score").cast(pl.String)
    result = pl.col("phenotype") + pl.when(pl.col("activity_score").is_not_null()).then(score).otherwise(pl.lit(""))
    named = pl.col("gene") + pl.lit(" ")
    return gene_results.select(
        "patient_id", "gene", "status",
        who=named + fits + pl.when(result.is_not_null()).then(pl.format(" ({})", result)).otherwise(pl.lit("")),
        gap=_gap(named, fits))


def _gap(named: pl.Expr, fits: pl.Expr) -> pl.Expr:
    texts = pl.col("messages").list.eval(pl.element().struct.field("text")).list.join("; ")
    doubtful = pl.element().struct.field("code") == "key-site-missing"
    doubts = pl.col("messages").list.eval(pl.element().filter(doubtful).struct.field("text")).list.join("; ")
    scored = [gene.name for gene in genes().values() if gene.by == "activity"]
    unscored = pl.col("gene").is_in(scored) & pl.col("activity_score").is_null()
    several = pl.col("diplotypes").list.len() > 1
    unread = pl.when(texts != "").then(texts).otherwise(pl.lit("none of its sites has a call in the file"))
    return (pl.when(pl.col("status") == "no-data").then(named + pl.lit("was not read: ") + unread)
            .when(pl.col("status") == "not-called").then(named + pl.lit("could not be called: ") + texts)
            .when(~pl.col("complete")).then(named + pl.lit("is not certain: ") + doubts)
            .when(several & (pl.col("phenotype").is_null() | unscored))
            .then(named + pl.lit("is ambiguous: ") + fits + pl.lit(" fit equally well"))
            .when(pl.col("phenotype").is_null() | unscored)
            .then(named + fits + pl.lit(" has an allele of unknown function")))

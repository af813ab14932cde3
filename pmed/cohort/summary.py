"""Summary tables of a cohort, from the counts of its chunks; with exact binomial intervals."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..files import write_all
from .counts import added
from .work import part

NAMES = ("frequencies", "actionable", "drugs_phenotypes", "qc")
LEVEL = 0.95
_TOGETHER = 64  # chunks whose counts are added at a time


def write_summary(folder: Path, chunks: int, *, advised: bool = True) -> None:
    """Write ``summary/*.csv``; where nobody was advised, nothing is said of how many have a drug to change."""
    counts = added([])
    for first in range(0, chunks, _TOGETHER):
        numbers = range(first, min(first + _TOGETHER, chunks))
        counts = added([counts, *(pl.read_parquet(part(folder, "counts", number)) for number in numbers)])
    (folder / "summary").mkdir(exist_ok=True)
    write_all({folder / "summary" / f"{name}.csv": frame.write_csv().encode()
               for name, frame in summaries(counts, advised=advised).items()})


def summaries(counts: pl.DataFrame, *, advised: bool = True) -> dict[str, pl.DataFrame]:
    """The summary tables by name.

    ``frequencies``: by group and gene, of phenotypes, diplotypes, alleles and statuses: `n` of `of` (those with one
    answer that no unread site can change; for alleles their chromosomes; for a status everybody with a genome), and
    `unknown`: how many of those with a genome have no such answer. Where that depends on the answer, as of genes whose
    harmful variants alone can be told, shares are none of the group.
    ``actionable``: people for whom a drug's use is known to change, of all; and those who take such a drug, of those
    who take any: who could not be assessed is among "all" and not among these. ``drugs_phenotypes``: of those
    who take a drug and have a result of a gene, how many have each phenotype ("" where unknown). ``qc``: of each gene
    how many are called, and how many miss a site.
    """
    acting = _actionable(counts)
    return {"frequencies": _frequencies(counts), "actionable": acting if advised else acting.clear(),
            "drugs_phenotypes": _drugs(counts), "qc": _qc(counts)}


def _of(counts: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return with_interval(counts.with_columns(of=pl.col("n").sum().over(by)))


def _frequencies(counts: pl.DataFrame) -> pl.DataFrame:
    rows = counts.filter(pl.col("kind").is_in(["phenotype", "diplotype", "allele", "status"]))
    genome = counts.filter(kind="status").group_by("group", "gene").agg(_people=pl.col("n").sum())
    answered = pl.col("of") // pl.when(kind="allele").then(2).otherwise(1)
    return _of(rows, ["kind", "group", "gene"]).join(genome, on=["group", "gene"], how="left").with_columns(
        unknown=pl.col("_people") - answered).select("group", "gene", "kind", "name", *_SHARES, "unknown").sort(
        "group", "gene", "kind", "name")


def _drugs(counts: pl.DataFrame) -> pl.DataFrame:
    rows = counts.filter(kind="drug-phenotype")
    return _of(rows, ["group", "drug", "gene"]).select("group", "drug", "gene", phenotype="name", n="n", of="of",
                                                       share="share", low="low", high="high").sort(
        "group", "drug", "gene", "phenotype")


def _actionable(counts: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([_share(counts, "actionable", "people"), _share(counts, "actionable-now", "exposed")]).sort(
        "group", "what")


def _share(counts: pl.DataFrame, what: str, among: str) -> pl.DataFrame:
    all_of, hit = (counts.filter(kind=kind).select("group", name) for kind, name in (
        (among, pl.col("n").alias("of")), (what, pl.col("n"))))
    rows = all_of.join(hit, on="group", how="left").with_columns(pl.col("n").fill_null(0))
    return with_interval(rows).select("group", pl.lit(what).alias("what"), pl.lit(among).alias("among"), *_SHARES)


def _qc(counts: pl.DataFrame) -> pl.DataFrame:
    status = counts.filter(kind="status").select("group", "gene", what="name", n="n",
                                                 of=pl.col("n").sum().over("group", "gene"))
    of = status.select("group", "gene", "of").unique()
    missing = counts.filter(kind="missing-sites").join(of, on=["group", "gene"])
    rows = pl.concat([status, missing.select("group", "gene", pl.lit("a site is missing").alias("what"), "n", "of")])
    return with_interval(rows).select("group", "gene", "what", *_SHARES).sort("group", "gene", "what")


_SHARES = ("n", "of", "share", "low", "high")


def with_interval(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (columns `n`, `of`) with `share` and the 95 % Clopper-Pearson interval `low` to `high`.

    Clopper and Pearson, Biometrika 1934;26:404-413 (doi:10.1093/biomet/26.4.404).

    >>> with_interval(pl.DataFrame({"n": [0], "of": [20]})).row(0)
    (0, 20, 0.0, 0.0, 0.16843347098308542)
    """
    from scipy.special import betaincinv  # here, so that nothing else waits for scipy

    hits, tries, tail = rows["n"].to_numpy(), rows["of"].to_numpy(), (1 - LEVEL) / 2
    # The beta distribution needs both parameters above 0; the ends that would not have them are 0 and 1.
    low = pl.Series(betaincinv(hits.clip(1), tries - hits + 1, tail), dtype=pl.Float64)
    high = pl.Series(betaincinv(hits + 1, (tries - hits).clip(1), 1 - tail), dtype=pl.Float64)
    return rows.with_columns(share=pl.col("n") / pl.col("of"), low=low, high=high).with_columns(
        low=pl.when(pl.col("n") == 0).then(0.0).otherwise("low"),
        high=pl.when(pl.col("n") == pl.col("of")).then(1.0).otherwise("high"))

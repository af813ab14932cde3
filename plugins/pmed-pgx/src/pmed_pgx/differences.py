"""What changed from one knowledge release to another: genes, alleles, functions, sites, definitions, rules."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .release_folder import Tables

# What is compared of each table: the columns that make a row itself, and what it says.
COMPARED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "genes": (("gene",), ("chrom", "ploidy", "kind", "undocumented", "reference_allele")),
    "alleles": (("gene", "allele"), ("core", "function", "activity", "tier1")),
    "sites": (("gene", "site"), ("role", "pos", "ref", "alts", "pos37", "ref37")),
    "definitions": (("gene", "allele", "site"), ("bases",)),
    "phenotypes": (("gene", "first", "second"), ("by", "phenotype", "activity_score")),
}
COLUMNS = ("table", "gene", "name", "what", "before", "after")


def differences(old: Tables, new: Tables) -> pl.DataFrame:
    """One row a change: table, gene, name, what ("added", "removed" or the column), before and after.

    Of a gene that only one release has, the gene itself is named and nothing more.
    """
    common = set(old["genes"]["gene"]) & set(new["genes"]["gene"])
    parts = [_changes(name, old[name], new[name], common) for name in COMPARED]
    return pl.concat(parts).sort(COLUMNS[:4], maintain_order=True) if parts else pl.DataFrame(schema=COLUMNS)


def _changes(name: str, old: pl.DataFrame, new: pl.DataFrame, common: set[str]) -> pl.DataFrame:
    key, said = COMPARED[name]
    if name != "genes":
        old, new = (frame.filter(pl.col("gene").is_in(list(common))) for frame in (old, new))
    both = _row(old, key, said, "old").join(_row(new, key, said, "new"), on=key, how="full", coalesce=True,
                                            nulls_equal=True)
    label = pl.concat_str([pl.col(one) for one in key[1:]], separator=" ", ignore_nulls=True) if key[1:] else pl.lit("")
    both = both.with_columns(name=label, table=pl.lit(name))
    absent, gone = pl.col("in_old").is_null(), pl.col("in_new").is_null()
    whole = both.filter(absent | gone).select(
        "table", "gene", "name", pl.when(absent).then(pl.lit("added")).otherwise(pl.lit("removed")).alias("what"),
        _told(said, "old").alias("before"), _told(said, "new").alias("after"))
    stay = both.filter(~absent & ~gone)
    changed = [stay.filter(pl.col(f"{one}_old").ne_missing(pl.col(f"{one}_new"))).select(
        "table", "gene", "name", pl.lit(one).alias("what"), pl.col(f"{one}_old").alias("before"),
        pl.col(f"{one}_new").alias("after")) for one in said]
    return pl.concat([whole, *changed])


def _row(frame: pl.DataFrame, key: tuple[str, ...], said: tuple[str, ...], side: str) -> pl.DataFrame:
    return frame.select(*key, *(pl.col(one).alias(f"{one}_{side}") for one in said), pl.lit("1").alias(f"in_{side}"))


def _told(said: tuple[str, ...], side: str) -> pl.Expr:
    """What a row says, in one field; null where that side has no such row."""
    told = pl.concat_str([pl.col(f"{one}_{side}") for one in said], separator=" ", ignore_nulls=True)
    return pl.when(pl.col(f"in_{side}").is_not_null()).then(told)


def as_text(found: pl.DataFrame) -> str:
    """The changes as an aligned table, and how many there are of each kind."""
    if found.is_empty():
        return "no differences"
    lines = [[*COLUMNS], *([str(field or "") for field in row] for row in found.select(COLUMNS).iter_rows())]
    widths = [max(len(line[n]) for line in lines) for n in range(len(COLUMNS))]
    told = ["  ".join(field.ljust(width) for field, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    counts = found.group_by("table", "what").len().sort("table", "what").iter_rows()
    return "\n".join([*told, "", *(f"{name}: {n} {what}" for name, what, n in counts)])

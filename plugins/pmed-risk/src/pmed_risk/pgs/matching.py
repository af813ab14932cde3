"""Which record of a genome a row of a scoring file is, and which of its alleles is the effect allele.

The labels and their order are those of the PGS Catalog Calculator (Lambert et al., Nat Genet 2024;56:1989,
doi:10.1038/s41588-024-01937-x): effect allele REF, ALT, then both on the other strand, then the same where the file
does not name the other allele. Nothing is dropped: what cannot be used is labelled, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

TYPES = ("refalt", "altref", "refalt_flip", "altref_flip", "no_oa_ref", "no_oa_alt", "no_oa_ref_flip", "no_oa_alt_flip")
MATCHED = "matched"
# Why a row that has a record is not scored, the first that holds.
WHY_NOT = ("duplicate", "ambiguous", "multiallelic", "filtered")
_BASES, _PAIRED = ["A", "C", "G", "T"], ["T", "G", "C", "A"]


@dataclass(frozen=True)
class Rules:
    """What is scored although it is left out by default."""

    keep_ambiguous: bool = False
    keep_multiallelic: bool = False
    ignore_filters: bool = False

    @property
    def kept(self) -> frozenset[str]:
        """The labels of `WHY_NOT` that do not count."""
        asked = {"ambiguous": self.keep_ambiguous, "multiallelic": self.keep_multiallelic,
                 "filtered": self.ignore_filters}
        return frozenset(name for name, wanted in asked.items() if wanted)


def match(rows: pl.DataFrame, variants: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """The best record of each row that has one.

    Args:
        rows: score, row, chrom, pos, effect, other, kind, and whatever else; (score, row) is unique.
        variants: record, chrom, pos, ref, alt (comma-joined, null for none), filter; all records of a position.
        rules: What is kept.

    Returns:
        The columns of `rows`, with record, ref, alt, allele (of the effect: 0 is REF, 1 the first ALT), type (of
        `TYPES`), and status (``matched``, or one of `WHY_NOT`).
    """
    candidates = rows.join(_one_a_line(variants), on=["chrom", "pos"]).with_columns(_type().alias("code"))
    # Of equally good ones the first is taken, as upstream does.
    best = (candidates.filter(pl.col("code").is_not_null()).sort("score", "row", "code", "record", "number")
            .unique(["score", "row"], keep="first", maintain_order=True))
    several = pl.len().over("score", "record", "number", "kind") > 1
    palindrome = pl.col("ref") == other_strand("alt")
    labels = {"duplicate": several, "ambiguous": palindrome.fill_null(value=False),
              "multiallelic": pl.col("multi"), "filtered": ~pl.col("filter").fill_null("PASS").is_in(["PASS"])}
    status = pl.lit(MATCHED)
    for name in reversed([name for name in WHY_NOT if name not in rules.kept]):
        status = pl.when(labels[name]).then(pl.lit(name)).otherwise(status)
    is_ref = pl.col("code") % 2 == 0
    return best.with_columns(
        status=status, allele=pl.when(is_ref).then(0).otherwise("number").cast(pl.Int8),
        type=pl.col("code").replace_strict(dict(enumerate(TYPES)), return_dtype=pl.String),
    ).drop("code", "number", "multi", "filter")


def other_strand(column: str) -> pl.Expr:
    """The bases of a column on the reverse strand, read in its direction."""
    return pl.col(column).str.reverse().str.replace_many(_BASES, _PAIRED)


def _one_a_line(variants: pl.DataFrame) -> pl.DataFrame:
    """Each ALT on a line of its own, with its number in the record."""
    alts = pl.col("alt").fill_null("").str.split(",")
    return (variants.select("record", "chrom", "pos", "ref", alts.alias("alt"), "filter", multi=alts.list.len() > 1)
            .explode("alt", empty_as_null=False).with_columns(pl.col("alt").replace("", None),
                                         number=pl.int_range(1, pl.len() + 1).over("record")))


def _type() -> pl.Expr:
    """Index into `TYPES` of a row and an ALT; null where they do not fit."""
    ref, alt, effect, other = (pl.col(name) for name in ("ref", "alt", "effect", "other"))
    unnamed, flipped, other_flipped = other.is_null(), other_strand("effect"), other_strand("other")
    ways = [(effect == ref) & (other == alt), (effect == alt) & (other == ref),
            (flipped == ref) & (other_flipped == alt), (flipped == alt) & (other_flipped == ref),
            unnamed & (effect == ref), unnamed & (effect == alt), unnamed & (flipped == ref),
            unnamed & (flipped == alt)]
    found = pl.lit(None, dtype=pl.Int8)
    for code, way in reversed(list(enumerate(ways))):
        found = pl.when(way).then(pl.lit(code, dtype=pl.Int8)).otherwise(found)
    return found

"""Which record of a genome a row of a scoring file is, and which of its alleles is the effect allele.

The labels and their order are those of the PGS Catalog Calculator (Lambert et al., Nat Genet 2024;56:1989,
doi:10.1038/s41588-024-01937-x): effect allele REF, ALT, then both on the other strand, then the same where the file
does not name the other allele. Nothing is dropped: what cannot be used is labelled, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from .effects import KINDS

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
        rows: score, row, key (`wanted.key_of`), effect, other, kind, and whatever else; (score, row) is unique.
        variants: record, key, ref, alt (comma-joined, null for none), filter; all records of a position.
        rules: What is kept.

    Returns:
        The columns of `rows`, with record, ref, alt, allele (of the effect: 0 is REF, 1 the first ALT), type (of
        `TYPES`), and status (``matched``, or one of `WHY_NOT`).
    """
    best = _best(_fitting(rows.join(_one_a_line(variants), on="key")))
    kind = pl.col("kind").cast(pl.Enum(KINDS)).to_physical()
    # One number for each record and ALT in a score: as four columns they take many times as long to be told apart.
    use = (pl.col("score").cast(pl.Int64) * (1 << 44) + pl.col("record") * (1 << 16) + pl.col("number") * len(KINDS)
           + kind)
    labels = {"duplicate": use.is_duplicated(), "ambiguous": pl.col("palindrome"),
              "multiallelic": pl.col("multi"), "filtered": ~pl.col("filter").fill_null("PASS").is_in(["PASS"])}
    status = pl.lit(MATCHED)
    for name in reversed([name for name in WHY_NOT if name not in rules.kept]):
        status = pl.when(labels[name]).then(pl.lit(name)).otherwise(status)
    is_ref = pl.col("code") % 2 == 0
    return best.with_columns(
        status=status, allele=pl.when(is_ref).then(0).otherwise("number").cast(pl.Int8),
        type=pl.col("code").replace_strict(dict(enumerate(TYPES)), return_dtype=pl.String),
    ).drop("code", "number", "multi", "filter", "palindrome")


def _fitting(candidates: pl.DataFrame) -> pl.DataFrame:
    """The rows and ALTs that are the same variant, with `code`: index into `TYPES`.

    Other strands are looked at only where the alleles as they are written do not fit, and then never come first.
    """
    found = candidates.with_columns(code=_code("effect", "other", 0))
    missed = found.filter(pl.col("code").is_null())
    if missed.is_empty():
        return found
    flipped = missed.with_columns(effect_=other_strand("effect"), other_=other_strand("other")).with_columns(
        code=_code("effect_", "other_", 2)).select(found.columns)
    return pl.concat([found, flipped]).filter(pl.col("code").is_not_null())


def _best(fitting: pl.DataFrame) -> pl.DataFrame:
    """One record and ALT for each row; of equally good ones the first is taken, as upstream does."""
    row = pl.col("score").cast(pl.UInt64) * (1 << 32) + pl.col("row")
    if not fitting.select(row.is_duplicated().any()).item():
        return fitting
    return fitting.sort("score", "row", "code", "record", "number").unique(
        ["score", "row"], keep="first", maintain_order=True)


def other_strand(column: str) -> pl.Expr:
    """The bases of a column on the reverse strand, read in its direction."""
    return pl.col(column).str.reverse().str.replace_many(_BASES, _PAIRED)


def _one_a_line(variants: pl.DataFrame) -> pl.DataFrame:
    """Each ALT on a line of its own, with its number in the record, and whether it is REF on the other strand."""
    alts = pl.col("alt").fill_null("").str.split(",")
    return (variants.select("record", "key", "ref", alts.alias("alt"), "filter", multi=alts.list.len() > 1)
            .explode("alt", empty_as_null=False)
            .with_columns(pl.col("alt").replace("", None), number=pl.int_range(1, pl.len() + 1).over("record"))
            .with_columns(palindrome=(pl.col("ref") == other_strand("alt")).fill_null(value=False)))


def _code(effect: str, other: str, strand: int) -> pl.Expr:
    """Index into `TYPES` of a row and an ALT, of 0, 1, 4 and 5 and `strand`; null where they do not fit."""
    one, two, ref, alt = (pl.col(name) for name in (effect, other, "ref", "alt"))
    ways = {0: (one == ref) & (two == alt), 1: (one == alt) & (two == ref),
            4: two.is_null() & (one == ref), 5: two.is_null() & (one == alt)}
    found = pl.lit(None, dtype=pl.Int8)
    for code, way in reversed(ways.items()):
        found = pl.when(way).then(pl.lit(code + strand, dtype=pl.Int8)).otherwise(found)
    return found

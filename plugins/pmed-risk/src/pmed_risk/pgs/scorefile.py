"""Scoring files as frames: a row for each variant, on the build of the genome, or one line that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pmed.cohorts import chromosome
from pmed.errors import InputError

from .effects import ADDITIVE, DOMINANT, DOSAGE, DOSAGES, RECESSIVE, steps
from .header import Head, content, head_of

COMPLEX = ("is_haplotype", "is_diplotype", "is_interaction")
_FLAGS = {"is_dominant": DOMINANT, "is_recessive": RECESSIVE}
_TRUE = ("true", "1", "yes")
BASES = r"^[ACGT]+$"


@dataclass(frozen=True)
class Score:
    """One scoring file on one build.

    Attributes:
        name: PGS id.
        rows: row (from 0), chrom (chr1), pos (1-based), effect, other (null if not said), kind, base, once, twice (see
            `effects.steps`), frequency (of the effect allele, null if not said). Rows without a position have nulls.
    """

    name: str
    path: Path
    rows: pl.DataFrame


def read_scores(paths: Sequence[Path], build: str) -> list[Score]:
    """Read scoring files for a genome on `build`.

    Raises:
        InputError: a file that cannot be used, or two of one name.
    """
    scores = [read_score(path, build) for path in paths]
    names: dict[str, Path] = {}
    for score in scores:
        if score.name in names:
            raise InputError(f"is score {score.name}, as {names[score.name]} is", where=str(score.path),
                             hint="give each score once")
        names[score.name] = score.path
    return scores


def read_score(path: Path, build: str) -> Score:
    """Read one scoring file.

    Raises:
        InputError: no file, cut off, of another build, without effect allele or weight, complex rows, rows twice.
    """
    text = content(path)
    head, before = head_of(path, text)
    _must_have(head)
    raw = _raw(head, text, before)
    _refuse_complex(head, raw)
    rows = _rows(head, raw, *head.places(build))
    _refuse_faults(head, rows)
    return Score(head.name, path, rows.select("row", "chrom", "pos", "effect", "other", "kind", "base", "once", "twice",
                                              "frequency"))


def _must_have(head: Head) -> None:
    if "effect_allele" not in head.columns:
        raise InputError("has no effect_allele: it cannot be told which allele the weight is of", where=str(head.path),
                         hint="ask its authors, or choose another file")
    if "effect_weight" not in head.columns and not set(DOSAGES) <= set(head.columns):
        raise InputError("has neither effect_weight nor dosage_0_weight to dosage_2_weight", where=str(head.path))


def _raw(head: Head, text: bytes, before: int) -> pl.DataFrame:
    """All columns as text, empty ones null; ``row`` counts from 0."""
    try:
        frame = pl.read_csv(text, separator="\t", skip_lines=before, has_header=True, infer_schema=False,
                            new_columns=list(head.columns), quote_char=None, encoding="utf8-lossy")
    except pl.exceptions.PolarsError as error:
        raise InputError(f"is not a table of {len(head.columns)} tab-separated columns: {str(error).splitlines()[0]}",
                         where=str(head.path)) from None
    trimmed = frame.with_columns(pl.all().str.strip_chars('" \r').replace("", None))
    # A row of nothing is the end of a file that was edited by hand.
    kept = trimmed.with_row_index("row").filter(~pl.all_horizontal(pl.exclude("row").is_null()))
    if kept.is_empty():
        raise InputError("has no variants", where=str(head.path))
    return kept


def _refuse_complex(head: Head, raw: pl.DataFrame) -> None:
    """Haplotypes, diplotypes, interactions and HLA alleles cannot be summed by position: the score would be another."""
    flagged = [_flag(raw, name).alias(name) for name in COMPLEX]
    allele = pl.col("effect_allele").str.to_uppercase().str.contains(BASES)
    odd = raw.select("row", "effect_allele", *flagged).filter(
        pl.any_horizontal(*COMPLEX) | (pl.col("effect_allele").is_not_null() & ~allele))
    if odd.is_empty():
        return
    first = odd.row(0, named=True)
    why = next((name.removeprefix("is_") for name in COMPLEX if first[name]), "not an allele of bases")
    raise InputError(f"has complex rows, which are not scored: {odd.height} of {raw.height}, the first "
                     f"{first['effect_allele'] or 'unnamed'} ({why})", where=_line(head, first["row"]))


def _rows(head: Head, raw: pl.DataFrame, chrom: str, pos: str) -> pl.DataFrame:
    # Format 1 calls the other allele the reference allele.
    others = [pl.col(name).str.to_uppercase() for name in ("other_allele", "reference_allele", "hm_inferOtherAllele")
              if name in head.columns]
    other = pl.coalesce(*others) if others else pl.lit(None, dtype=pl.String)
    names = {name: chromosome(name) for name in raw[chrom].drop_nulls().unique()}
    frame = raw.with_columns(
        *(_number(raw, name).alias(name) for name in ("effect_weight", *DOSAGES)),
        _number(raw, "allelefrequency_effect").alias("frequency"), _kind(raw).alias("kind"),
        pl.col(chrom).replace(names).alias("chrom"), pl.col(pos).cast(pl.Int64, strict=False).alias("pos"),
        pl.col("effect_allele").str.to_uppercase().alias("effect"), other.alias("other"),
        wrong=pl.col(pos).is_not_null() & pl.col(pos).cast(pl.Int64, strict=False).is_null())
    place = pl.col("chrom").is_not_null() & pl.col("pos").is_not_null()
    return frame.with_columns(
        *(pl.when(place).then(name).alias(name) for name in ("chrom", "pos")),
        # Several inferred alleles (A/C) name none.
        pl.when(pl.col("other").str.contains(BASES)).then("other").alias("other"),
        *steps(pl.col("kind"), pl.col("effect_weight")))


def _flag(raw: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).str.to_lowercase().is_in(_TRUE).fill_null(value=False) if name in raw.columns else pl.lit(
        value=False)


def _number(raw: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64, strict=False) if name in raw.columns else pl.lit(None, dtype=pl.Float64)


def _kind(raw: pl.DataFrame) -> pl.Expr:
    """Effect type of each row: flags, else weights by dosage where there is no other weight, else additive."""
    by_dosage = pl.lit(value=False)
    if set(DOSAGES) <= set(raw.columns):
        by_dosage = pl.all_horizontal(pl.col(name).is_not_null() for name in DOSAGES)
    kind = pl.when(by_dosage).then(pl.lit(DOSAGE)).otherwise(pl.lit(ADDITIVE))
    for name, effect in _FLAGS.items():
        kind = pl.when(_flag(raw, name)).then(pl.lit(effect)).otherwise(kind)
    if "effect_type" in raw.columns:  # of files made by the Catalog's own tools
        kind = pl.when(pl.col("effect_type").is_in([DOMINANT, RECESSIVE])).then("effect_type").otherwise(kind)
    return kind


def _refuse_faults(head: Head, rows: pl.DataFrame) -> None:
    weights = ("base", "once", "twice")
    sound = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=False) for name in weights)
    both = _flag(rows, "is_dominant") & _flag(rows, "is_recessive")
    place = pl.col("pos").is_not_null()
    twice = place & pl.struct("chrom", "pos", "effect", "other", "kind").is_duplicated()
    faults = {
        "the row has no effect allele": pl.col("effect").is_null(),
        "the row's weight is not a number": ~sound,
        "the row is both dominant and recessive": both,
        "the position is not a whole number": pl.col("wrong"),
        "the frequency of the effect allele is not between 0 and 1": ~pl.col("frequency").is_between(0, 1),
        "effect and other allele are the same": pl.col("effect") == pl.col("other"),
        "the same variant, allele and effect type are in several rows": twice,
    }
    for text, wrong in faults.items():
        found = rows.filter(wrong)["row"]
        if len(found):
            more = f" ({len(found)} such rows)" if len(found) > 1 else ""
            raise InputError(text + more, where=_line(head, found[0]))


    if rows["pos"].null_count() == rows.height:
        raise InputError("no row has a position on the genome's build", where=str(head.path),
                         hint="its variants could not be placed; choose another file")


def _line(head: Head, row: int) -> str:
    return f"{head.path} row {row + 1}"

"""Scoring files as frames: a row for each variant, on the build of the genome, or one line that says why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pmed.cohorts import chromosome
from pmed.errors import InputError

from .effects import ADDITIVE, DOMINANT, DOSAGE, DOSAGES, RECESSIVE, steps
from .header import Head, blocks, head_of
from .seen import BASES, Seen, flag

ROWS = ("row", "chrom", "pos", "effect", "other", "kind", "base", "once", "twice", "frequency")
_FLAGS = {"is_dominant": DOMINANT, "is_recessive": RECESSIVE}
_AROUND = b'" \r'  # what some files have around a value


@dataclass(frozen=True)
class ScoreFile:
    """A scoring file whose head has been read.

    Attributes:
        head: What it says of itself.
        build: The build on which its positions are wanted.
    """

    head: Head
    build: str

    @classmethod
    def opened(cls, path: Path, build: str) -> ScoreFile:
        """Read the head.

        Raises:
            InputError: no file, without effect allele or weight.
        """
        head = head_of(path)
        _must_have(head)
        return cls(head, build)

    @property
    def name(self) -> str:
        """PGS id, else what else the file is called."""
        return self.head.name

    @property
    def path(self) -> Path:
        """The file."""
        return self.head.path

    def parts(self) -> Iterator[pl.DataFrame]:
        """The rows, some at a time.

        Yields:
            row (from 0), chrom (chr1), pos (1-based), effect, other (null if not said), kind, base, once, twice (see
            `effects.steps`), frequency (of the effect allele, null if not said). Rows without a position have nulls.

        Raises:
            InputError: cut off, no table, of another build; behind the last part, as all are counted: complex rows,
                rows with faults.
        """
        seen = Seen(self.head)
        try:
            places = self.head.places(self.build)
        except InputError:
            for raw in self._raw():  # complex rows often have no positions, and are then what is to be told
                seen.look_for_complex(raw)
            seen.refuse_complex()
            raise
        for raw in self._raw():
            rows = _rows(self.head, raw, *places)
            seen.look_for_complex(raw)
            seen.look(rows)
            yield rows.select(*ROWS)
        seen.refuse_complex()
        seen.refuse()

    def _raw(self) -> Iterator[pl.DataFrame]:
        """The rows as they are written, numbered."""
        done = 0
        for number, text in enumerate(blocks(self.path)):
            table = text if number else text.split(b"\n", self.head.lines)[-1]
            if table.strip():
                raw = _as_text(self.head, table).with_row_index("row", done)
                done += raw.height
                # A row of nothing is the end of a file that was edited by hand.
                yield raw.filter(~pl.all_horizontal(pl.exclude("row").is_null()))


def _must_have(head: Head) -> None:
    if "effect_allele" not in head.columns:
        raise InputError("has no effect_allele: it cannot be told which allele the weight is of", where=str(head.path),
                         hint="ask its authors, or choose another file")
    if "effect_weight" not in head.columns and not set(DOSAGES) <= set(head.columns):
        raise InputError("has neither effect_weight nor dosage_0_weight to dosage_2_weight", where=str(head.path))


def _as_text(head: Head, text: bytes) -> pl.DataFrame:
    """All columns as text, empty ones null."""
    try:
        frame = pl.read_csv(text, separator="\t", has_header=False, schema=dict.fromkeys(head.columns, pl.String()),
                            quote_char=None, encoding="utf8-lossy")
    except pl.exceptions.PolarsError as error:
        raise InputError(f"is not a table of {len(head.columns)} tab-separated columns: {str(error).splitlines()[0]}",
                         where=str(head.path)) from None
    if any(one in text for one in _AROUND):
        return frame.with_columns(pl.all().str.strip_chars(_AROUND.decode()).replace("", None))
    return frame


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


def _number(raw: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64, strict=False) if name in raw.columns else pl.lit(None, dtype=pl.Float64)


def _kind(raw: pl.DataFrame) -> pl.Expr:
    """Effect type of each row: flags, else weights by dosage where there is no other weight, else additive."""
    by_dosage = pl.lit(value=False)
    if set(DOSAGES) <= set(raw.columns):
        by_dosage = pl.all_horizontal(pl.col(name).is_not_null() for name in DOSAGES)
    kind = pl.when(by_dosage).then(pl.lit(DOSAGE)).otherwise(pl.lit(ADDITIVE))
    for name, effect in _FLAGS.items():
        kind = pl.when(flag(raw, name)).then(pl.lit(effect)).otherwise(kind)
    if "effect_type" in raw.columns:  # of files made by the Catalog's own tools
        kind = pl.when(pl.col("effect_type").is_in([DOMINANT, RECESSIVE])).then("effect_type").otherwise(kind)
    return kind

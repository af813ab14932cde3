"""What is wrong with the rows of a scoring file, counted over all of them, and told in one line."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from pmed.errors import InputError

from .header import Head

COMPLEX = ("is_haplotype", "is_diplotype", "is_interaction")
BASES = r"^[ACGT]+$"
_TRUE = ("true", "1", "yes")
_WEIGHTS = ("base", "once", "twice")
_MOST_POS = (1 << 31) - 1  # as VCF has it
_DOMINANT, _RECESSIVE = "is_dominant", "is_recessive"
TWICE = "the same variant, allele and effect type are in several rows"


@dataclass
class Seen:
    """What has been seen of a file so far: how many rows, and by fault the first row that has it and how many have."""

    head: Head
    rows: int = 0
    placed: int = 0
    odd: int = 0
    first_odd: tuple[int, str] = (0, "")
    faults: dict[str, tuple[int, int]] = field(default_factory=dict)

    def look(self, rows: pl.DataFrame) -> None:
        """Look at some rows, as they are read."""
        self.placed += rows.height - rows["pos"].null_count()
        found = rows.select(wrong.fill_null(value=False).arg_true().implode().alias(text)
                            for text, wrong in _faults(rows).items()).row(0, named=True)
        for text, places in found.items():
            if len(places):
                first, many = self.faults.get(text, (rows["row"][places[0]], 0))
                self.faults[text] = first, many + len(places)

    def look_for_complex(self, raw: pl.DataFrame) -> None:
        """Haplotypes, diplotypes, interactions and HLA alleles cannot be summed by position: the score is another."""
        self.rows += raw.height
        allele = pl.col("effect_allele").str.to_uppercase().str.contains(BASES)
        odd = raw.select("row", "effect_allele", *(flag(raw, name).alias(name) for name in COMPLEX)).filter(
            pl.any_horizontal(*COMPLEX) | (pl.col("effect_allele").is_not_null() & ~allele))
        if odd.is_empty():
            return
        first = odd.row(0, named=True)
        why = next((name.removeprefix("is_") for name in COMPLEX if first[name]), "not an allele of bases")
        if not self.odd:
            self.first_odd = first["row"], f"{first['effect_allele'] or 'unnamed'} ({why})"
        self.odd += odd.height

    def refuse_complex(self) -> None:
        """Refuse a file with complex rows, or with no rows at all.

        Raises:
            InputError: naming the first.
        """
        where = str(self.head.path)
        if not self.rows:
            raise InputError("has no variants", where=where)
        if self.odd:
            row, what = self.first_odd
            raise InputError(f"has complex rows, which are not scored: {self.odd} of {self.rows}, the first {what}",
                             where=f"{where} row {row + 1}")

    def refuse(self) -> None:
        """Refuse a file with rows that cannot be used, or with none that can.

        Raises:
            InputError: saying the first thing that is wrong with it.
        """
        for text in _faults(pl.DataFrame()):
            if text in self.faults:
                raise fault(self.head, text, *self.faults[text])
        if not self.placed:
            raise InputError("no row has a position on the genome's build", where=str(self.head.path),
                             hint="its variants could not be placed; choose another file")


def fault(head: Head, text: str, row: int, many: int) -> InputError:
    """What is wrong with a row, the first of so many."""
    more = f" ({many} such rows)" if many > 1 else ""
    return InputError(text + more, where=f"{head.path} row {row + 1}")


def flag(raw: pl.DataFrame, name: str) -> pl.Expr:
    """Whether a column of flags says yes; where there is none, no row does."""
    return pl.col(name).str.to_lowercase().is_in(_TRUE).fill_null(value=False) if name in raw.columns else pl.lit(
        value=False)


def _faults(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    """What makes a row useless, in the order in which it is told."""
    return {
        "the row has no effect allele": pl.col("effect").is_null(),
        "the row's weight is not a number": ~pl.all_horizontal(
            pl.col(name).is_finite().fill_null(value=False) for name in _WEIGHTS),
        "the row is both dominant and recessive": flag(rows, _DOMINANT) & flag(rows, _RECESSIVE),
        "the position is not a whole number": pl.col("wrong"),
        "the position is beyond any chromosome": ~pl.col("pos").is_between(0, _MOST_POS),
        "the frequency of the effect allele is not between 0 and 1": ~pl.col("frequency").is_between(0, 1),
        "effect and other allele are the same": pl.col("effect") == pl.col("other"),
    }

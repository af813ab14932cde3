"""What ``pmed.score`` asks: scoring files of the PGS Catalog, with the options of the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pmed import option

if TYPE_CHECKING:
    from pmed import Scored


@dataclass(frozen=True)
class PolygenicScores:
    """Sums of the weights of each person's effect alleles."""

    name: ClassVar[str] = "polygenic-scores"

    min_overlap: float = option(0.75, doc="Least share of a score's variants that must be matched.", low=0.0, high=1.0)
    keep_ambiguous: bool = option(default=False, doc="Score A/T and C/G variants, as if on the forward strand.")
    keep_multiallelic: bool = option(default=False, doc="Score records with several ALTs.")
    ignore_filters: bool = option(default=False, doc="Score records whose FILTER failed.")

    def score(self, genome: Sequence[Path], scorefiles: Sequence[Path], *, build: str = "",
              progress: Callable[[str], None] = lambda _: None) -> Scored:
        """Scores of everybody in the genome files, all in one pass; see ``docs/scores.md``."""
        import polars as pl

        from pmed import Scored
        from pmed.cohorts import opened

        from .matching import Rules
        from .scoring import score_cohort
        from .store import stored

        cohort = opened(genome, build)
        rules = Rules(self.keep_ambiguous, self.keep_multiallelic, self.ignore_filters)
        with stored(scorefiles, cohort.build) as scores:
            found = score_cohort(cohort, scores, rules=rules, min_overlap=self.min_overlap, progress=progress)
            return Scored(found.table, pl.concat(found.matches.table()))

"""Polygenic scores: scoring files matched to genomes, summed for everybody in one pass, and compared with others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .matching import Rules
    from .scoring import Scored


def score(genome: str | Path | Sequence[str | Path], scorefiles: str | Path | Sequence[str | Path], *, build: str = "",
          min_overlap: float = 0.75, rules: Rules | None = None) -> Scored:
    """Scores of everybody in a genome, as ``pmed score`` gives them: `table` and `matches`.

    Args:
        genome: VCF or BCF; several files are one genome if they hold the same people.
        scorefiles: Of the PGS Catalog; all are scored in one pass.
        build: GRCh38 or GRCh37, where the genome does not say.
        min_overlap: Least share (0 to 1) of a score's variants that must be matched.
        rules: What may be scored besides; ambiguous, multi-allelic and filtered variants are left out by themselves.

    Raises:
        GenomeError: for a genome that cannot be read.
        InputError: for a scoring file that cannot be used, or of which too little is matched; one clear line.
    """
    from pmed.cohorts import opened

    from .scorefile import read_scores
    from .scoring import score_cohort

    cohort = opened(_paths(genome), build)
    return score_cohort(cohort, read_scores(_paths(scorefiles), cohort.build), rules=rules, min_overlap=min_overlap)


def _paths(files: str | Path | Sequence[str | Path]) -> list[Path]:
    return [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]

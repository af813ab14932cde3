"""Many scores in one pass over a cohort's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from pmed.cohorts import Cohort
from pmed.errors import InputError

from .batches import batches
from .matches import STATUSES, Matches
from .matching import MATCHED, Rules, match
from .store import Scores
from .sums import Sums

MIN_OVERLAP = 0.75


@dataclass(frozen=True)
class Sum:
    """The table of `pmed.Scored`, and what became of the rows; both as long as `Scores` are kept."""

    table: pl.DataFrame
    matches: Matches


def score_cohort(cohort: Cohort, scores: Scores, *, rules: Rules | None = None, min_overlap: float = MIN_OVERLAP,
                 keep: bool = True, progress: Callable[[str], None] = lambda _: None) -> Sum:
    """Match and sum all `scores` in one pass; `keep` the table of matches, not only their counts.

    Raises:
        GenomeError: a genome that cannot be read, or whose records of one position are not together.
        InputError: fewer than `min_overlap` of a score's variants are matched.
    """
    wanted, matches = scores.wanted(), Matches(scores, keep)
    sums = Sums.nothing(len(scores.files), len(cohort.samples))
    for batch in batches(cohort, wanted, progress):
        labelled = match(wanted.take(batch.keys), batch.variants, rules or Rules())
        matches.add(labelled)
        if len(usable := labelled.filter(status=MATCHED)):
            sums.add(usable, batch)
    for number in range(len(scores.files)):
        _must_overlap(scores, number, matches.counts(number), min_overlap)
    return Sum(_table(cohort, scores, sums, matches).with_columns(_sum_of_enough(min_overlap)), matches)


def _must_overlap(scores: Scores, number: int, counts: Mapping[str, int], least: float) -> None:
    matched, many, file = counts.get(MATCHED, 0), scores.rows[number], scores.files[number]
    if matched and matched >= least * many:
        return
    rest = ", ".join(f"{counts[name]} {name}" for name in STATUSES if name in counts and name != MATCHED)
    raise InputError(f"{file.name}: only {matched} of {many} variants are matched ({matched / many:.1%}; {rest}), "
                     f"at least {least:.0%} are needed", where=str(file.path),
                     hint="is the genome imputed and on the right build? --min-overlap takes less")


def _sum_of_enough(least: float) -> pl.Expr:
    """A person with too few known genotypes has no score, as a genome with too few variants has none."""
    known = pl.col("matched") - pl.col("imputed") - pl.col("left_out")
    return pl.when((known > 0) & (known >= least * pl.col("variants"))).then("sum").alias("sum")


def _table(cohort: Cohort, scores: Scores, sums: Sums, matches: Matches) -> pl.DataFrame:
    return pl.concat([pl.DataFrame({
        "sample": cohort.samples, "score": [file.name] * len(cohort.samples), "sum": sums.sums[number],
        "matched": matches.counts(number).get(MATCHED, 0), "variants": scores.rows[number],
        "imputed": sums.imputed[number].astype(np.int64), "left_out": sums.left_out[number].astype(np.int64),
        "sum_sd": np.sqrt(sums.variance[number])}) for number, file in enumerate(scores.files)])

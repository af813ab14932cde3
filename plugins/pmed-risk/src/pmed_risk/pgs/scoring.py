"""Many scores in one pass over a cohort's files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from pmed import Scored
from pmed.cohorts import Cohort
from pmed.errors import InputError

from .batches import Wanted, batches
from .matching import MATCHED, WHY_NOT, Rules, match
from .scorefile import Score
from .sums import Sums

MIN_OVERLAP = 0.75
UNMATCHED, UNPLACED = "not in the genome", "no position"
_LABELS = ("score", "row", "chrom", "pos", "effect", "other", "kind", "ref", "alt", "type", "status")


def score_cohort(cohort: Cohort, scores: Sequence[Score], *, rules: Rules | None = None,
                 min_overlap: float = MIN_OVERLAP, progress: Callable[[str], None] = lambda _: None) -> Scored:
    """Match and sum all `scores` in one pass.

    Raises:
        GenomeError: a genome that cannot be read, or whose records of one position are not together.
        InputError: fewer than `min_overlap` of a score's variants are matched.
    """
    wanted = Wanted(pl.concat([score.rows.with_columns(score=pl.lit(number, dtype=pl.UInt32))
                               for number, score in enumerate(scores)]))
    sums = Sums.nothing(len(scores), len(cohort.samples))
    found = []
    for batch in batches(cohort, wanted, progress):
        labelled = match(wanted.take(batch.keys), batch.variants, rules or Rules())
        found.append(labelled.select("score", "row", "ref", "alt", "type", "status"))
        if len(usable := labelled.filter(status=MATCHED)):
            sums.add(usable, batch)
    matches = _matches(wanted.all, found)
    for number, score in enumerate(scores):
        _must_overlap(score, matches.filter(score=number)["status"], min_overlap)
    table = _table(cohort, scores, sums, matches).with_columns(_sum_of_enough(min_overlap))
    return Scored(table, _named(matches, scores).select(_LABELS))


def _matches(rows: pl.DataFrame, found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"score": pl.UInt32, "row": pl.UInt32, "ref": pl.String, "alt": pl.String,
                                 "type": pl.String, "status": pl.String})
    labelled = rows.join(pl.concat([empty, *found]), on=["score", "row"], how="left", maintain_order="left")
    missing = pl.when(pl.col("pos").is_null()).then(pl.lit(UNPLACED)).otherwise(pl.lit(UNMATCHED))
    return labelled.with_columns(pl.col("status").fill_null(missing))


def _named(matches: pl.DataFrame, scores: Sequence[Score]) -> pl.DataFrame:
    names = {number: score.name for number, score in enumerate(scores)}
    return matches.with_columns(pl.col("score").replace_strict(names, return_dtype=pl.String))


def _must_overlap(score: Score, status: pl.Series, least: float) -> None:
    counts = {name: int((status == name).sum()) for name in (MATCHED, *WHY_NOT, UNMATCHED, UNPLACED)}
    matched, many = counts.pop(MATCHED), len(status)
    if matched and matched >= least * many:
        return
    rest = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    raise InputError(f"{score.name}: only {matched} of {many} variants are matched ({matched / many:.1%}; {rest}), "
                     f"at least {least:.0%} are needed", where=str(score.path),
                     hint="is the genome imputed and on the right build? --min-overlap takes less")


def _sum_of_enough(least: float) -> pl.Expr:
    """A person with too few known genotypes has no score, as a genome with too few variants has none."""
    known = pl.col("matched") - pl.col("imputed") - pl.col("left_out")
    return pl.when((known > 0) & (known >= least * pl.col("variants"))).then("sum").alias("sum")


def _table(cohort: Cohort, scores: Sequence[Score], sums: Sums, matches: pl.DataFrame) -> pl.DataFrame:
    parts = []
    for number, score in enumerate(scores):
        status = matches.filter(score=number)["status"]
        parts.append(pl.DataFrame({
            "sample": cohort.samples, "score": [score.name] * len(cohort.samples), "sum": sums.sums[number],
            "matched": int((status == MATCHED).sum()), "variants": len(status),
            "imputed": sums.imputed[number].astype(np.int64), "left_out": sums.left_out[number].astype(np.int64),
            "sum_sd": np.sqrt(sums.variance[number])}))
    return pl.concat(parts)

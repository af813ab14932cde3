"""Many scores in one pass over a cohort's files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.cohorts import Chunk, Cohort, chunks
from pmed.errors import GenomeError, InputError

from .matching import MATCHED, WHY_NOT, Rules, match
from .scorefile import Score
from .sums import Int8s, Sums, run_of

MIN_OVERLAP = 0.75
_MOST_HELD = 1 << 25  # alleles, of a byte each, between two rounds of matching
UNMATCHED, UNPLACED = "not in the genome", "no position"
_LABELS = ("score", "row", "chrom", "pos", "effect", "other", "kind", "ref", "alt", "type", "status")


@dataclass(frozen=True)
class Scored:
    """Scores of a cohort.

    Attributes:
        table: A row for each sample and score: sample, score, sum (null where too little is known of the person),
            matched, variants, imputed, left_out, sum_sd (standard deviation of the sum by the imputed genotypes).
        matches: A row for each row of the scoring files, with its record, match type and status.
    """

    table: pl.DataFrame
    matches: pl.DataFrame

    def counts(self, score: str) -> dict[str, int]:
        """How many rows of a score have which status."""
        return dict(self.matches.filter(score=score).group_by("status").len().sort("status").iter_rows())


def score_cohort(cohort: Cohort, scores: Sequence[Score], *, rules: Rules | None = None,
                 min_overlap: float = MIN_OVERLAP, progress: Callable[[str], None] = lambda _: None) -> Scored:
    """Match and sum all `scores` in one pass.

    Raises:
        GenomeError: a genome that cannot be read, or whose records of one position are not together.
        InputError: fewer than `min_overlap` of a score's variants are matched.
    """
    wanted = Wanted.of(scores)
    sums = Sums.nothing(len(scores), len(cohort.samples))
    found = []
    for batch in batches(cohort, wanted, progress):
        labelled = match(wanted.take(batch.keys), batch.variants, rules or Rules())
        found.append(labelled.select("score", "row", "ref", "alt", "type", "status"))
        if len(usable := labelled.filter(status=MATCHED)):
            sums.add(usable, batch.alleles, batch.ploidy)
    matches = _matches(wanted.all, found)
    for number, score in enumerate(scores):
        _must_overlap(score, matches.filter(score=number)["status"], min_overlap)
    table = _table(cohort, scores, sums, matches).with_columns(_sum_of_enough(min_overlap))
    return Scored(table, _named(matches, scores).select(_LABELS))


class Wanted:
    """The rows of all scores by position, and which of them a batch has had."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.all = rows
        self.codes = {name: code for code, name in enumerate(rows["chrom"].drop_nulls().unique().sort())}
        placed = rows.filter(pl.col("pos").is_not_null())
        keys = self.key(placed["chrom"], placed["pos"].to_numpy())
        order = np.argsort(keys, kind="stable")
        self.keys, self.rows = keys[order], placed[order]
        self.had = np.zeros(len(keys), dtype=bool)

    @classmethod
    def of(cls, scores: Sequence[Score]) -> Wanted:
        """The rows of some scores; `score` is the number of each."""
        return cls(pl.concat([score.rows.with_columns(score=pl.lit(number, dtype=pl.UInt32))
                              for number, score in enumerate(scores)]))

    def key(self, chrom: pl.Series, pos: NDArray[np.int64]) -> NDArray[np.int64]:
        """One number for each position; negative on contigs that no score has."""
        codes = chrom.replace_strict(self.codes, default=-1, return_dtype=pl.Int64).to_numpy()
        return (codes << 32) + pos

    def has(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of some positions a score has."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=bool)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.asarray(self.keys[place] == keys)

    def take(self, keys: NDArray[np.int64]) -> pl.DataFrame:
        """The rows at some positions.

        Raises:
            GenomeError: a position comes a second time; what was added up then cannot be taken back.
        """
        low, high = np.searchsorted(self.keys, [keys.min(), keys.max() + 1])
        some = low + np.flatnonzero(np.isin(self.keys[low:high], keys))
        if (again := some[self.had[some]]).size:
            chrom, pos = self.rows.select("chrom", "pos").row(int(again[0]))
            raise GenomeError(f"the records of {chrom}:{pos} are apart, or in two files",
                              hint="sort the file, and give each chromosome once")
        self.had[some] = True
        taken: pl.DataFrame = self.rows[some]
        return taken


@dataclass(frozen=True)
class Batch:
    """Records at positions of scores: keys (records,), variants with `record`, and the calls."""

    keys: NDArray[np.int64]
    variants: pl.DataFrame
    alleles: Int8s
    ploidy: Int8s

    @classmethod
    def of(cls, chunk: Chunk, wanted: Wanted, people: NDArray[np.int64]) -> tuple[Batch, int]:
        """The records of a chunk that a score has, and the position of its last record."""
        variants = chunk.variants
        keys = wanted.key(variants["chrom"], variants["pos"].to_numpy())
        some = np.flatnonzero(wanted.has(keys))
        # A view keeps the whole chunk in memory: only where it is most of it.
        rows = run_of(some) if 2 * len(some) > len(keys) else some
        calls = chunk.alleles[rows], chunk.ploidy[rows]
        alleles, ploidy = calls if (np.diff(people) == 1).all() else (one[:, people] for one in calls)
        return cls(keys[some], variants[some], alleles, ploidy)._numbered(), int(keys[-1])

    @classmethod
    def joined(cls, parts: Sequence[Batch]) -> Batch:
        """All, one after the other."""
        return cls(np.concatenate([one.keys for one in parts]), pl.concat([one.variants for one in parts]),
                   np.concatenate([one.alleles for one in parts]),
                   np.concatenate([one.ploidy for one in parts]))._numbered()

    def part(self, which: NDArray[np.bool_]) -> Batch:
        """Some records."""
        rows = run_of(np.flatnonzero(which))
        return Batch(self.keys[rows], self.variants.filter(which), self.alleles[rows], self.ploidy[rows])._numbered()

    def _numbered(self) -> Batch:
        numbered = self.variants.with_columns(record=pl.int_range(len(self.keys), dtype=pl.Int64, eager=True))
        return Batch(self.keys, numbered, self.alleles, self.ploidy)


def batches(cohort: Cohort, wanted: Wanted, progress: Callable[[str], None]) -> Iterator[Batch]:
    """Records at positions of scores, those of one position always together."""
    for path in cohort.paths:
        held: list[Batch] = []
        for chunk in chunks(path):
            places = {name: place for place, name in enumerate(chunk.samples)}
            batch, last = Batch.of(chunk, wanted, np.array([places[name] for name in cohort.samples]))
            held.append(batch)
            progress(f"{path.name}: {chunk.heads.row + len(chunk.alts) - 1:,} records")
            if sum(one.alleles.size for one in held) > _MOST_HELD:
                whole = Batch.joined(held)
                open_ended = whole.keys == last  # the next chunk may go on with the same position
                held = [whole.part(open_ended)]
                if not open_ended.all():
                    yield whole.part(~open_ended)
        if held and len((whole := Batch.joined(held)).keys):
            yield whole


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

"""The tables of a quality report: a row for each person, and what all records are together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from .blocks import Ints
from .qc import Floats, Kinds

# Calls on X that a verdict needs, and the shares that part one X from two: of haploid calls, and of heterozygous ones
# among calls that are not reference, which with one X are misread. A gene is one or two haplotypes and says nothing by
# that: they must come from 20 of the 156 million bases of X.
ENOUGH_X, MOSTLY, HARDLY = 20, 0.9, 0.1
ONE_X, TWO_X = 0.15, 0.35
WINDOW, ENOUGH_WINDOWS = 1_000_000, 20
ENOUGH_Y, HAS_Y, NO_Y = 20, 0.5, 0.1
LIMITS = {"least_x_calls": ENOUGH_X, "one_x_het_share": ONE_X, "two_x_het_share": TWO_X,
          "least_x_windows": ENOUGH_WINDOWS, "least_y_records": ENOUGH_Y}
CALL_RATE_BINS, P_BINS = np.linspace(0, 1, 201), np.linspace(0, 20, 41)
FREQUENCY_BINS = np.array([0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5])
SMALL_P = 1e-6

PERSON_COLUMNS = {
    "sample": "name in the files",
    "n_records": "records of the files that the sample is in, but those of Y outside its pseudo-autosomal regions",
    "n_called": "calls of which all alleles are known",
    "n_missing": "calls of which an allele is unknown",
    "n_half": "of these, calls of which one allele is known",
    "n_haploid": "called, with one allele",
    "n_polyploid": "calls of more than two alleles: neither called nor missing",
    "call_rate": "n_called / n_records",
    "missingness": "n_missing / n_records",
    "n_hom_ref": "SNVs of chr1 to chr22 that are homozygous reference",
    "n_het": "the same, heterozygous",
    "n_hom_alt": "the same, homozygous for an ALT",
    "het_hom_ratio": "n_het / n_hom_alt",
    "heterozygosity": "n_het / (n_hom_ref + n_het + n_hom_alt)",
    "f": "inbreeding: (homozygous - expected) / (called - expected), of 20 people or more",
    "n_transitions": "ALTs of chr1 to chr22 that are carried and A-G or C-T",
    "n_transversions": "the same, other bases",
    "ti_tv": "n_transitions / n_transversions",
    "n_singletons": "ALTs of chr1 to chr22 that nobody else of the file carries, and this person once",
    "phased_share": "heterozygous calls of chr1 to chr22 that are phased",
    "x_calls": "SNVs of X, outside its pseudo-autosomal regions, that are called",
    "x_haploid_share": "of these, with one allele",
    "x_het_share": "heterozygous among the diploid ones that are not reference",
    "x_windows": "millions of bases of X that have any record of an SNV there",
    "y_records": "records of Y, outside its pseudo-autosomal regions, in files of several people",
    "y_call_rate": "share of these that is called",
    "sex": "female, male, unclear (X and Y disagree or are between), unknown (too little of both)",
}


def person_table(totals: pl.DataFrame) -> pl.DataFrame:
    """`PERSON_COLUMNS` out of the totals of `qc.People`."""
    missing = pl.col("missing") + pl.col("half")
    x_calls, x_alt = pl.col("x_diploid") + pl.col("x_haploid"), pl.col("x_het") + pl.col("x_hom_alt")
    plain = ("records", "called", "half", "haploid", "polyploid", "hom_ref", "het", "hom_alt", "transitions",
             "transversions")
    counts = {"n_missing": missing, "x_calls": x_calls, "x_windows": pl.col("x_windows"),
              "y_records": pl.col("y_records"), "n_singletons": pl.when(pl.col("shared") > 0).then("singletons"),
              **{f"n_{name}": pl.col(name) for name in plain}}
    snvs = pl.col("hom_ref") + pl.col("het") + pl.col("hom_alt")
    f = _share(pl.col("f_homozygous") - pl.col("f_expected"), pl.col("f_calls") - pl.col("f_expected"))
    table = totals.with_columns(
        **{name: value.cast(pl.Int64) for name, value in counts.items()},
        call_rate=_share(pl.col("called"), pl.col("records")), missingness=_share(missing, pl.col("records")),
        het_hom_ratio=_share(pl.col("het"), pl.col("hom_alt")), heterozygosity=_share(pl.col("het"), snvs), f=f,
        ti_tv=_share(pl.col("transitions"), pl.col("transversions")),
        phased_share=_share(pl.col("phased_het"), pl.col("all_het")),
        x_haploid_share=_share(pl.col("x_haploid"), x_calls), x_het_share=_share(pl.col("x_het"), x_alt),
        y_call_rate=_share(pl.col("y_called"), pl.col("y_records")), x_alt=x_alt)
    return table.with_columns(sex=sex()).select(*PERSON_COLUMNS)


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Part of a whole to six digits, null where there is nothing."""
    return pl.when(whole > 0).then(part / whole).round(6)


def sex() -> pl.Expr:
    """What X and Y say together, where they say something and do not disagree; never a guess from one that is between.

    A Y that is not called says nothing by itself: the sample may have failed.
    """
    x, y = _by_x(), _by_y()
    both = pl.when(x == y).then(x).otherwise(pl.lit("unclear"))
    only_y = pl.when(y == "male").then(pl.lit("male")).otherwise(pl.lit("unclear"))
    return (pl.when(x.is_null() & y.is_null()).then(pl.lit("unknown")).when(y.is_null()).then(x)
            .when(x.is_null()).then(only_y).otherwise(both))


def _by_x() -> pl.Expr:
    """One X or two, by how many alleles the caller wrote, and by heterozygous calls where it wrote two for all.

    Where somebody has one allele the caller knew of the sexes, and two alleles mean two X: unless hardly any differ.
    """
    calls, haploid, het = pl.col("x_calls"), pl.col("x_haploid_share"), pl.col("x_het_share")
    told = ((calls >= ENOUGH_X) & (haploid >= MOSTLY)).any()
    tested = (pl.col("x_alt") >= ENOUGH_X) & (pl.col("x_windows") >= ENOUGH_WINDOWS)
    one_x = pl.when(told).then(pl.lit("unclear")).otherwise(pl.lit("male"))
    return (pl.when((calls < ENOUGH_X) | haploid.is_null()).then(None).when(haploid >= MOSTLY).then(pl.lit("male"))
            .when(haploid > HARDLY).then(pl.lit("unclear")).when(tested & (het >= TWO_X)).then(pl.lit("female"))
            .when(tested & (het <= ONE_X)).then(one_x).when(tested).then(pl.lit("unclear"))
            .when(told).then(pl.lit("female")))


def _by_y() -> pl.Expr:
    rate = pl.col("y_call_rate")
    return (pl.when((pl.col("y_records") < ENOUGH_Y) | rate.is_null()).then(None)
            .when(rate >= HAS_Y).then(pl.lit("male")).when(rate <= NO_Y).then(pl.lit("female"))
            .otherwise(pl.lit("unclear")))


@dataclass
class SiteTotals:
    """What all records are together, counted as they pass.

    Attributes:
        records: How many.
        failed: Those whose FILTER is neither PASS nor ``.``.
        kinds: How many of each kind.
        transitions, transversions: ALTs of one base for another.
        called, calls: Calls of which all alleles are known, and all; those on Y are left out here and in `call_rates`.
        tested, unlikely: Records tested for Hardy-Weinberg proportions, and those with p below `SMALL_P`.
        call_rates, frequencies, p_values: How many records by call rate (`CALL_RATE_BINS`), by frequency of the rarer
            of two alleles (`FREQUENCY_BINS`), by -log10 of p (`P_BINS`).
    """

    records: int = 0
    failed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    transitions: int = 0
    transversions: int = 0
    called: int = 0
    calls: int = 0
    tested: int = 0
    unlikely: int = 0
    call_rates: Ints = field(default_factory=lambda: np.zeros(len(CALL_RATE_BINS) - 1, dtype=np.int64))
    frequencies: Ints = field(default_factory=lambda: np.zeros(len(FREQUENCY_BINS) - 1, dtype=np.int64))
    p_values: Ints = field(default_factory=lambda: np.zeros(len(P_BINS) - 1, dtype=np.int64))

    def add(self, rows: pl.DataFrame, kinds: Kinds, counts: Ints, people: int) -> None:
        """Add a chunk: its rows of `qc.site_rows`, kinds and allele counts."""
        self.records += rows.height
        self.failed += int((rows["filter"] != "PASS").sum())
        self.kinds.update(rows["kind"].to_list())
        self.transitions += int((kinds.change == 1).sum())
        self.transversions += int((kinds.change == 2).sum())
        usual = rows.filter(~kinds.y)
        self.called += int(usual["n_called"].sum())
        self.calls += usual.height * people
        self.call_rates += _counted(usual["call_rate"].to_numpy(), CALL_RATE_BINS)
        p = rows["hwe_p"].drop_nulls().to_numpy()
        self.tested, self.unlikely = self.tested + len(p), self.unlikely + int((p < SMALL_P).sum())
        self.p_values += _counted(-np.log10(np.maximum(p, 1e-300)), P_BINS)
        two = counts[(kinds.alts == 1) & (counts.sum(axis=1) > 0)]
        if two.shape[1] > 1:
            share = two[:, 1] / two.sum(axis=1)
            rarer = np.minimum(share, 1 - share)
            self.frequencies += _counted(rarer[rarer > 0], FREQUENCY_BINS)


def _counted(values: Floats, bins: Floats) -> Ints:
    return np.asarray(np.histogram(np.clip(values, bins[0], bins[-1]), bins)[0], dtype=np.int64)

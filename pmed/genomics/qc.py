"""Quality of genomes: what the records and the people of a cohort look like, counted a chunk at a time.

Counts by person of hom-ref, het and hom-alt calls, of transitions and of singletons are of chr1 to chr22, so that the
sexes compare; call rates of people are of all records but those of Y. Nothing is assumed of a record that a file does
not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .alleles import trim
from .blocks import Bools, Ints
from .contigs import CHROMOSOMES
from .genotypes import Int8s
from .matrix import Chunk
from .ploidy import PAR, copies_of

Floats = NDArray[np.float64]

AUTOSOMES = CHROMOSOMES[:22]
FEW = 20  # people below which allele frequencies say too little for F, LD or PCA
_ANY_OTHER = ("<NON_REF>", "<*>")
_TRANSITIONS = ("AG", "GA", "CT", "TC")
_SEQUENCE = "^[ACGTN]+$"
_AT_ONCE = 255  # bools that a byte can add up
SITE_COLUMNS = ("n_called", "n_missing", "n_half", "n_haploid", "n_polyploid", "n_hom_ref", "n_het", "n_hom_alt")


@dataclass(frozen=True)
class Kinds:
    """What the records of a chunk are.

    Attributes:
        kind: (records,) ``snv``, ``indel``, ``mnv``, ``other`` (symbolic, breakend), ``mixed``, or ``none`` without
            ALT; ``*`` and "any other" ALTs (``<NON_REF>``) do not count.
        alts: (records,) number of ALTs but "any other".
        change: (records, alleles) of a base for another: 1 transition, 2 transversion; else 0.
        autosome, x, y: (records,) on chr1 to chr22, on X or Y outside the pseudo-autosomal regions.
    """

    kind: pl.Series
    alts: Ints
    change: Int8s
    autosome: Bools
    x: Bools
    y: Bools

    @classmethod
    def of(cls, chunk: Chunk, build: str) -> Kinds:
        """Look at REF, ALT and place; without a `build`, what is pseudo-autosomal on any is on neither X nor Y."""
        alts = _alts(chunk.variants)
        kinds = alts.group_by("record").agg(pl.len().alias("n"), pl.col("kind").drop_nulls().unique())
        one = pl.when(pl.col("kind").list.len() > 1).then(pl.lit("mixed")).otherwise(
            pl.col("kind").list.first().fill_null("other"))
        records = pl.DataFrame({"record": np.arange(len(chunk.alts))}).join(
            kinds.with_columns(one.alias("kind")), on="record", how="left", maintain_order="left")
        change = np.zeros((len(chunk.alts), int(chunk.alts.max(initial=0)) + 1), dtype=np.int8)
        change[alts["record"].to_numpy(), alts["allele"].to_numpy()] = alts["change"].to_numpy()
        copies = _copies(chunk.variants, build)
        return cls(records["kind"].fill_null("none"), records["n"].fill_null(0).cast(pl.Int64).to_numpy(), change,
                   chunk.variants["chrom"].is_in(AUTOSOMES).to_numpy(), copies == "x", copies == "y")

    @cached_property
    def snv(self) -> Bools:
        """(records,) all ALTs are one base for another."""
        return np.asarray((self.kind == "snv").to_numpy())

    def changes(self) -> pl.Series:
        """(records,) ``transition`` or ``transversion`` where there is one ALT and it is such, else null."""
        which = np.where(self.alts == 1, self.change.max(axis=1), 0).tolist()
        return pl.Series("change", [(None, "transition", "transversion")[one] for one in which], dtype=pl.String)


def _alts(variants: pl.DataFrame) -> pl.DataFrame:
    """A row for each ALT but "any other": record, allele (from 1), kind, change."""
    ref, alt = pl.col("ref"), pl.col("alt")
    split = variants.select("ref", alt.str.split(",")).with_row_index("record").drop_nulls("alt").explode(
        "alt", empty_as_null=False)
    numbered = split.with_columns(pl.int_range(1, pl.len() + 1).over("record").alias("allele"))
    bases, same = ref.str.contains(_SEQUENCE) & alt.str.contains(_SEQUENCE), ref.str.len_chars() == alt.str.len_chars()
    pair = pl.when(bases & same).then(ref + alt)
    # Beside a deletion a change of one base is written with the bases that were deleted.
    long = numbered.filter(bases & same & (ref.str.len_chars() > 1)).select("ref", "alt").unique()
    short = [event.ref + event.alt for event in (trim(1, *both) for both in long.rows())]
    known = numbered.join(long.with_columns(pl.Series("pair", short, dtype=pl.String)), on=["ref", "alt"], how="left",
                          maintain_order="left").with_columns(pl.coalesce("pair", pair))
    base = pl.col("pair").str.contains("^[ACGT]{2}$") & (ref != alt)
    kind = (pl.when(base).then(pl.lit("snv")).when(bases & same).then(pl.lit("mnv")).when(bases).then(pl.lit("indel"))
            .when(alt != "*").then(pl.lit("other")))
    change = pl.when(base & pl.col("pair").is_in(_TRANSITIONS)).then(1).when(base).then(2).otherwise(0)
    return known.filter(~alt.is_in(_ANY_OTHER)).select(
        pl.col("record").cast(pl.Int64), "allele", kind.alias("kind"), change.cast(pl.Int8).alias("change"))


def _copies(variants: pl.DataFrame, build: str) -> NDArray[np.str_]:
    """(records,) ``x`` or ``y`` where only males have one copy, else anything."""
    found = np.full(variants.height, "diploid")
    rows = variants.select(pl.col("chrom").is_in(("chrX", "chrY")).arg_true()).to_series().to_numpy()
    if len(rows):
        some = variants[rows]
        told = [copies_of(one, some["chrom"].to_list(), some["pos"].to_numpy()) for one in ([build] if build else PAR)]
        found[rows] = np.where(np.all([one == told[0] for one in told], axis=0), told[0], "diploid")
    return found


@dataclass(frozen=True)
class Counted:
    """The calls of a chunk by what is known of them; all are (records, samples) and exclude each other."""

    hom_ref: Bools
    het: Bools
    hom_alt: Bools
    haploid: Bools
    half: Bools
    polyploid: Bools
    missing: Bools

    @classmethod
    def of(cls, chunk: Chunk) -> Counted:
        """Half-calls (``0/.``) are of two alleles; of more than two is `polyploid`, whatever is known."""
        first, second = (np.ascontiguousarray(chunk.alleles[..., place]) for place in (0, 1))
        two, one, more = chunk.ploidy == 2, chunk.ploidy == 1, chunk.ploidy > 2
        known = two & (first >= 0) & (second >= 0)
        same = known & (first == second)
        hom_ref, haploid = same & (first == 0), one & (first >= 0)
        half = two & ((first >= 0) != (second >= 0))
        return cls(hom_ref, known & ~same, same & ~hom_ref, haploid, half, more, ~(known | haploid | half | more))

    @property
    def diploid(self) -> Bools:
        """Both alleles are known."""
        return self.hom_ref | self.het | self.hom_alt

    @property
    def called(self) -> Bools:
        """All alleles are known; polyploid calls are not looked at."""
        return self.diploid | self.haploid


def by_record(calls: Bools) -> Ints:
    """(records,) how many."""
    return np.asarray(np.add.reduce(calls.view(np.uint8), axis=1, dtype=np.int32), dtype=np.int64)


def by_person(calls: Bools, rows: Bools | None = None) -> Ints:
    """(samples,) how many, in some of the records."""
    some = calls.view(np.uint8) if rows is None or rows.all() else calls[rows].view(np.uint8)
    found = np.zeros(calls.shape[1], dtype=np.int64)
    for start in range(0, len(some), _AT_ONCE):  # added up in bytes, which processors do many at a time
        found += np.add.reduce(some[start:start + _AT_ONCE], axis=0, dtype=np.uint8)
    return found


def allele_counts(chunk: Chunk) -> Ints:
    """(records, alleles) how often each allele is called, of any ploidy up to two, halves of half-calls included."""
    import allel

    return np.asarray(allel.GenotypeArray(_alleles(chunk)).count_alleles(max_allele=int(chunk.alts.max(initial=0))),
                      dtype=np.int64)


def _alleles(chunk: Chunk) -> Int8s:
    """The alleles, those of polyploid calls unknown."""
    more = chunk.ploidy > 2
    return np.where(more[..., None], np.int8(-1), chunk.alleles) if more.any() else chunk.alleles


def site_rows(chunk: Chunk, kinds: Kinds, calls: Counted, counts: Ints) -> pl.DataFrame:
    """The rows of ``sites.tsv``: a record each, with what it is and how it was called."""
    called, total = calls.called, counts.sum(axis=1)
    numbers = {name: by_record(getattr(calls, name.removeprefix("n_"))) for name in SITE_COLUMNS}
    numbers["n_missing"] = numbers["n_missing"] + numbers["n_half"]
    alts = [row[1:1 + many].tolist() for row, many in zip(counts, chunk.alts, strict=True)]
    shares = [[f"{one / all_of:.6g}" for one in row] if all_of else [] for row, all_of in zip(alts, total, strict=True)]
    tested = kinds.autosome & (kinds.alts == 1)
    p = np.full(len(tested), np.nan)
    p[tested] = hardy_weinberg(*(numbers[name][tested] for name in ("n_hom_ref", "n_het", "n_hom_alt")))
    return chunk.variants.with_columns(
        kinds.kind.alias("kind"), kinds.changes(),
        *(pl.Series(name, values) for name, values in numbers.items()),
        pl.Series("call_rate", by_record(called) / called.shape[1]), pl.Series("allele_number", total),
        pl.Series("allele_counts", [",".join(map(str, row)) or None for row in alts], dtype=pl.String),
        pl.Series("allele_frequencies", [",".join(row) or None for row in shares], dtype=pl.String),
        pl.Series("hwe_p", p).fill_nan(None))


def hardy_weinberg(hom_ref: Ints, het: Ints, hom_alt: Ints) -> Floats:
    """Exact test of Hardy-Weinberg proportions for each record: two-sided p (Wigginton 2005, PMID:15789306).

    NaN where nobody is called. Records with equal counts are computed once.
    """
    counts = np.stack([np.minimum(hom_ref, hom_alt), het, np.maximum(hom_ref, hom_alt)], axis=1)
    distinct, places = np.unique(counts, axis=0, return_inverse=True)
    factorials = np.append(0.0, np.cumsum(np.log(np.arange(1, 2 * counts.sum(axis=1).max(initial=0) + 1))))
    found = [_exact(rare, one, common, factorials) for rare, one, common in distinct.tolist()]
    return np.array(found, dtype=np.float64)[places.ravel()]


def _exact(rare: int, het: int, common: int, factorials: Floats) -> float:
    """Probability of as many heterozygotes as `het`, or of any less likely number, given the alleles."""
    people, copies = rare + het + common, 2 * rare + het
    if not people:
        return np.nan
    hets = np.arange(copies % 2, copies + 1, 2)
    rares = (copies - hets) // 2
    logs = hets * np.log(2.0) - factorials[rares] - factorials[hets] - factorials[people - hets - rares]
    chances = np.exp(logs - logs.max())
    # Numbers as likely as the one found may differ from it in the last digits.
    as_rare = chances <= chances[het // 2] * (1 + 1e-9)
    return min(1.0, float(chances[as_rare].sum() / chances.sum()))


@dataclass
class People:
    """Running counts of each person over all files; see `person_counts` for what is counted."""

    names: Sequence[str]
    totals: dict[str, Floats] = field(default_factory=dict)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def add(self, samples: Sequence[str], counts: Mapping[str, Ints | Floats]) -> None:
        """Add counts of some of them."""
        everybody = tuple(samples) == tuple(self.names)
        places = slice(None) if everybody else np.array([self._places[name] for name in samples], dtype=np.int64)
        for name, values in counts.items():
            self.totals.setdefault(name, np.zeros(len(self.names)))[places] += values

    def frame(self) -> pl.DataFrame:
        """The totals, a row for each person."""
        return pl.DataFrame({"sample": list(self.names), **self.totals})


def person_counts(chunk: Chunk, kinds: Kinds, calls: Counted, counts: Ints) -> dict[str, Ints | Floats]:
    """What a chunk adds to each of its people, by name."""
    several = len(chunk.samples) > 1
    snv, people = kinds.autosome & kinds.snv, len(chunk.samples)
    nothing, usual = np.zeros(people, dtype=np.int64), ~kinds.y  # nobody misses a call on a Y they do not have
    found: dict[str, Ints | Floats] = {"records": nothing + int(usual.sum())}
    found |= {name: by_person(getattr(calls, name), usual)
              for name in ("missing", "half", "haploid", "polyploid", "called")}
    found |= {name: by_person(getattr(calls, name), snv) for name in ("hom_ref", "het", "hom_alt")}
    found |= {"all_het": by_person(calls.het, kinds.autosome),
              "phased_het": by_person(calls.het & chunk.phased, kinds.autosome)}
    found |= _carried(chunk, kinds, counts) | {"shared": nothing + int(kinds.autosome.sum() * several)}
    found |= {f"x_{name}": by_person(getattr(calls, name), kinds.x & kinds.snv) if kinds.x.any() else nothing
              for name in ("diploid", "het", "hom_alt", "haploid")}
    y = kinds.y & several
    found |= {"y_records": nothing + int(y.sum()), "y_called": by_person(calls.called, y) if y.any() else nothing}
    return found | _expected(calls, snv & (kinds.alts == 1) & (people >= FEW), counts)


def _carried(chunk: Chunk, kinds: Kinds, counts: Ints) -> dict[str, Ints | Floats]:
    """Alleles of chr1 to chr22 that each person carries: transitions, transversions, and those nobody else has."""
    people, alleles = len(chunk.samples), _alleles(chunk)
    found = {name: np.zeros(people, dtype=np.int64) for name in ("transitions", "transversions", "singletons")}
    for allele in range(1, counts.shape[1]):
        there = kinds.autosome & (counts[:, allele] > 0)
        rows = slice(None) if there.all() else there
        here = alleles[rows] == allele
        carried = np.ascontiguousarray(here[..., 0]) | here[..., 1]
        change, once = kinds.change[rows, allele], counts[rows, allele] == 1
        found["transitions"] += by_person(carried, change == 1)
        found["transversions"] += by_person(carried, change == 2)
        found["singletons"] += by_person(carried, once)
    return {**found}


def _expected(calls: Counted, rows: Bools, counts: Ints) -> dict[str, Ints | Floats]:
    """Calls, homozygous calls, and how many of them Hardy-Weinberg proportions let expect, as plink --het has them."""
    number = counts[:, :2].sum(axis=1).astype(np.float64)
    share = counts[:, 1] / np.maximum(number, 1) if counts.shape[1] > 1 else np.zeros(len(number))
    rows = rows & (share > 0) & (share < 1)
    expected = 1 - 2 * share * (1 - share) * number / np.maximum(number - 1, 1)
    called = calls.diploid[rows]
    return {"f_calls": by_person(called), "f_homozygous": by_person(called & ~calls.het[rows]),
            "f_expected": (expected[rows].astype(np.float32) @ called.astype(np.float32)).astype(np.float64)}

"""Who is whose double or close relative, where people stand to each other, and how far linkage reaches.

All of it rests on common SNVs of chr1 to chr22 that nearly everybody has a call of, kept evenly while the files are
read; near copies of one another are left out before people are compared. With too few of them nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .blocks import Bools, Ints
from .genotypes import Int8s
from .matrix import Chunk
from .qc import FEW, Counted, Floats, Kinds

MOST_SNVS, MOST_CELLS = 20_000, 1 << 27
MOST_PEOPLE, MOST_COMPARED, MOST_PCA = 5_000, 10_000, 2_000
LEAST_SNVS, LEAST_PCA = 500, 100
COMPONENTS = 10
COMMON, NEARLY_ALL = 0.05, 0.95
# Kinship that parts duplicates from first-degree relatives, and those from second-degree ones (PMID:20926424, table 1).
DUPLICATE, FIRST_DEGREE = 2**-1.5, 2**-2.5
KINSHIP_BINS, IBS0_BINS = np.linspace(-0.5, 0.5, 101), np.linspace(0, 0.25, 51)
DISTANCES = (0, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000)
PAIRS = {"sample_1": pl.String, "sample_2": pl.String, "n_snvs": pl.Int64, "n_ibs0": pl.Int64, "n_ibs2": pl.Int64,
         "kinship": pl.Float64, "relation": pl.String}
_KEY = ["chrom", "pos", "ref", "alt"]
_R2, _WINDOW, _STEP = 0.2, 100, 20
_APART = 50_000  # bases between SNVs where there are too few people to see linkage
_TILE = 512
_LD_PEOPLE, _LD_WINDOW, _LD_WINDOWS = 500, 200, 25

Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Snvs:
    """SNVs in the order of the genome.

    Attributes:
        samples: The people.
        sites: chrom, pos (1-based), ref, alt of each SNV.
        dosage: (SNVs, people) number of ALT alleles, -1 unknown.
    """

    samples: tuple[str, ...]
    sites: pl.DataFrame
    dosage: Int8s

    def some(self, which: Bools | Ints) -> Snvs:
        """Some of the SNVs, by a mask or their numbers."""
        rows = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return Snvs(self.samples, self.sites[rows], self.dosage[rows])

    def at_most(self, many: int) -> Snvs:
        """So many of them, evenly."""
        total = len(self.dosage)
        return self if total <= many else self.some(np.arange(many) * total // many)

    def contigs(self) -> Iterator[slice]:
        """The SNVs of each contig."""
        names = self.sites["chrom"].to_numpy()
        edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
        return (slice(*both) for both in pairwise(edges) if both[0] < both[1])

    @cached_property
    def few_people(self) -> Int8s:
        """The dosages of 500 people at most, evenly: as many tell how SNVs are linked."""
        total = self.dosage.shape[1]
        many = min(total, _LD_PEOPLE)
        return np.ascontiguousarray(self.dosage[:, np.arange(many) * total // max(many, 1)])


@dataclass
class Picker:
    """Keeps common SNVs of the people that all files have; where they are too many, every second, fourth… of them."""

    samples: tuple[str, ...]
    _every: int = 1
    _seen: int = 0
    _numbers: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _sites: list[pl.DataFrame] = field(default_factory=list)
    _dosages: list[Int8s] = field(default_factory=list)

    @property
    def most(self) -> int:
        """SNVs that are kept, so that memory is bounded for any number of people."""
        return max(1, min(MOST_SNVS, MOST_CELLS // max(1, len(self.samples))))

    def add(self, chunk: Chunk, kinds: Kinds, calls: Counted) -> None:
        """Take the common SNVs of a chunk: one ALT, no failed FILTER."""
        if not 1 < len(self.samples) <= MOST_PEOPLE:
            return
        passed = (chunk.variants["filter"].fill_null("PASS") == "PASS").to_numpy()
        rows = np.flatnonzero(kinds.autosome & kinds.snv & (kinds.alts == 1) & passed)
        dosage = np.where(calls.diploid[rows], calls.het[rows] + 2 * calls.hom_alt[rows].view(np.int8), -1)
        dosage = self._people(dosage.astype(np.int8), chunk.samples)
        common = is_common(dosage)
        numbers = self._seen + np.arange(common.sum())
        self._seen += len(numbers)
        kept = numbers % self._every == 0
        self._numbers = np.append(self._numbers, numbers[kept])
        self._sites.append(chunk.variants[rows[common][kept]].select(_KEY))
        self._dosages.append(dosage[common][kept])
        while len(self._numbers) > self.most:
            self._halve()

    def _people(self, dosage: Int8s, samples: tuple[str, ...]) -> Int8s:
        if samples == self.samples:
            return dosage
        places = {name: place for place, name in enumerate(samples)}
        return dosage[:, [places[name] for name in self.samples]]

    def _halve(self) -> None:
        self._every *= 2
        kept = self._numbers % self._every == 0
        whole, self._numbers = self._joined(), self._numbers[kept]
        self._sites, self._dosages = [whole.sites.filter(kept)], [whole.dosage[kept]]

    def _joined(self) -> Snvs:
        if not self._sites:
            none = pl.DataFrame(schema={"chrom": pl.String, "pos": pl.Int64, "ref": pl.String, "alt": pl.String})
            return Snvs(self.samples, none, np.empty((0, len(self.samples)), dtype=np.int8))
        return Snvs(self.samples, pl.concat(self._sites), np.concatenate(self._dosages))

    def snvs(self) -> Snvs:
        """What was kept, sorted; of an SNV that comes twice, the first."""
        whole = self._joined()
        order = whole.sites.with_row_index("row").unique(_KEY, keep="first").sort(_KEY)["row"].to_numpy()
        return whole.some(order.astype(np.int64))


def is_common(dosage: Int8s) -> Bools:
    """(SNVs,) whether the rarer allele is not rare and nearly everybody is called."""
    called = dosage >= 0
    number = called.sum(axis=1)
    share = np.where(called, dosage, 0).sum(axis=1, dtype=np.int64) / np.maximum(2 * number, 1)
    return np.asarray((np.minimum(share, 1 - share) >= COMMON) & (number >= NEARLY_ALL * dosage.shape[1]))


def thinned(snvs: Snvs) -> Snvs:
    """SNVs that tell of each other hardly more than chance: r² (Rogers & Huff) of at most 0.2 in windows of 100.

    With fewer than 20 people, in whom linkage cannot be seen, those that are 50,000 bases apart.
    """
    import allel

    kept = np.zeros(len(snvs.dosage), dtype=np.bool_)
    for run in snvs.contigs():
        if len(snvs.samples) < FEW:
            kept[run] = _apart(snvs.sites["pos"][run].to_numpy())
        else:
            kept[run] = allel.locate_unlinked(snvs.few_people[run], size=_WINDOW, step=_STEP, threshold=_R2)
    return snvs.some(kept)


def _apart(positions: Ints) -> Bools:
    kept, last = np.zeros(len(positions), dtype=np.bool_), -_APART
    for number, pos in enumerate(positions.tolist()):
        if pos - last >= _APART:
            kept[number], last = True, pos
    return kept


@dataclass(frozen=True)
class Related:
    """Duplicates and first-degree relatives.

    Attributes:
        reason: Why nobody was compared, or "".
        snvs: SNVs that people were compared by.
        compared: Pairs that were compared: those with enough SNVs that both have a call of.
        pairs: As `PAIRS`, the closest first.
        spread: How many pairs by kinship (`KINSHIP_BINS`) and share of SNVs without a common allele (`IBS0_BINS`).
    """

    reason: str
    snvs: int
    compared: int = 0
    pairs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PAIRS))
    spread: Floats = field(default_factory=lambda: np.zeros((len(KINSHIP_BINS) - 1, len(IBS0_BINS) - 1)))


def too_few(snvs: Snvs, people: int, least: int) -> str:
    """Why these SNVs of these people cannot be used, or ""."""
    there = len(snvs.samples)
    if there < people:
        return f"too few people in every file: {there}, {people} are needed"
    if there > MOST_PEOPLE:
        return f"too many people: {there}, at most {MOST_PEOPLE}"
    return f"too few SNPs: {len(snvs.dosage)}, {least} are needed" if len(snvs.dosage) < least else ""


def related(snvs: Snvs) -> Related:
    """Compare all pairs by SNVs that are not linked: KING-robust kinship (Manichaikul 2010, PMID:20926424)."""
    used = snvs.at_most(MOST_COMPARED)
    if reason := too_few(used, 2, LEAST_SNVS):
        return Related(reason, len(used.dosage))
    spread, compared, found = np.zeros((len(KINSHIP_BINS) - 1, len(IBS0_BINS) - 1)), 0, [pl.DataFrame(schema=PAIRS)]
    people = len(used.samples)
    for first in range(0, people, _TILE):
        one = _Side.of(used.dosage[:, first:first + _TILE])
        for second in range(first, people, _TILE):
            tile = _Tile.of(one, one if first == second else _Side.of(used.dosage[:, second:second + _TILE]))
            told = (tile.snvs >= LEAST_SNVS) & np.isfinite(tile.kinship)
            told &= np.arange(first, first + told.shape[0])[:, None] < np.arange(second, second + told.shape[1])
            compared += int(told.sum())
            spread += tile.spread(told)
            near = np.argwhere(told & (tile.kinship > FIRST_DEGREE))
            found += [_pair(used, (first + row, second + column), float(tile.kinship[row, column]))
                      for row, column in near.tolist()]
    pairs = pl.concat(found).sort(["kinship", "sample_1", "sample_2"], descending=[True, False, False])
    return Related("", len(used.dosage), compared, pairs, spread)


@dataclass(frozen=True)
class _Side:
    """(SNVs, people) each: 1 where a person is hom-ref, het, hom-alt, called."""

    hom_ref: Singles
    het: Singles
    hom_alt: Singles
    called: Singles

    @classmethod
    def of(cls, dosage: Int8s) -> _Side:
        hom_ref, het, hom_alt, called = ((dosage == 0), (dosage == 1), (dosage == 2), (dosage >= 0))
        return cls(*(one.astype(np.float32) for one in (hom_ref, het, hom_alt, called)))


@dataclass(frozen=True)
class _Tile:
    """Every person of one side with every one of another; sums of SNVs, exact in float32 up to 16 million."""

    snvs: Singles
    ibs0: Singles
    kinship: Singles

    @classmethod
    def of(cls, one: _Side, two: _Side) -> _Tile:
        ibs0 = one.hom_ref.T @ two.hom_alt + one.hom_alt.T @ two.hom_ref
        first, second = one.het.T @ two.called, one.called.T @ two.het
        less = np.minimum(first, second)
        shared = one.het.T @ two.het - 2 * ibs0
        with np.errstate(divide="ignore", invalid="ignore"):
            kinship = shared / (2 * less) + 0.5 - (first + second) / (4 * less)
        return cls(one.called.T @ two.called, ibs0, kinship)

    def spread(self, told: Bools) -> Floats:
        """`Related.spread` of the pairs in `told`; what is beyond the bins is in the outermost."""
        kinship = np.clip(self.kinship[told], KINSHIP_BINS[0], KINSHIP_BINS[-1])
        ibs0 = np.clip(self.ibs0[told] / self.snvs[told], IBS0_BINS[0], IBS0_BINS[-1])
        return np.asarray(np.histogram2d(kinship, ibs0, (KINSHIP_BINS, IBS0_BINS))[0], dtype=np.float64)


def _pair(snvs: Snvs, places: tuple[int, int], kinship: float) -> pl.DataFrame:
    """A row of `PAIRS`."""
    one, two = (snvs.dosage[:, place].astype(np.int64) for place in places)
    both = (one >= 0) & (two >= 0)
    apart = np.abs(one - two)[both]
    names = sorted(snvs.samples[place] for place in places)
    relation = "duplicate" if kinship > DUPLICATE else "first-degree"
    row = [*names, int(both.sum()), int((apart == 2).sum()), int((apart == 0).sum()), round(kinship, 5), relation]
    return pl.DataFrame([row], schema=PAIRS, orient="row")


@dataclass(frozen=True)
class Axes:
    """Principal components: sample, pc1, pc2… of each person, and the share of variance that each explains."""

    reason: str
    snvs: int
    people: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"sample": pl.String}))
    explained: tuple[float, ...] = ()


def principal_axes(snvs: Snvs) -> Axes:
    """Principal components of SNVs that are not linked, scaled as by Patterson 2006 (PMID:17194218)."""
    used = snvs.at_most(MOST_PCA)
    if reason := too_few(used, FEW, LEAST_PCA):
        return Axes(reason, len(used.dosage))
    import allel

    # An unknown genotype is put at the mean, where it says nothing.
    known = used.dosage >= 0
    dosage = np.where(known, used.dosage, 0).astype(np.float64)
    means = dosage.sum(axis=1) / known.sum(axis=1)
    coordinates, model = allel.pca(np.where(known, dosage, means[:, None]), min(COMPONENTS, FEW - 1))
    # The sign of a component is any; it is set so that the person furthest out has a positive one.
    furthest = coordinates[np.abs(coordinates).argmax(axis=0), np.arange(coordinates.shape[1])]
    coordinates = coordinates * np.where(furthest < 0, -1, 1)
    frame = pl.DataFrame({"sample": list(used.samples),
                          **{f"pc{number}": np.round(values, 6) for number, values in enumerate(coordinates.T, 1)}})
    return Axes("", len(used.dosage), frame, tuple(float(one) for one in model.explained_variance_ratio_))


def linkage(snvs: Snvs) -> pl.DataFrame:
    """Mean r² (Rogers & Huff 2009, doi:10.1534/genetics.108.093153) of pairs of common SNVs by their distance.

    Of at most 25 windows of 200 neighbours on one contig; no rows with fewer than 20 people.
    """
    import allel

    sums, numbers = np.zeros(len(DISTANCES) - 1), np.zeros(len(DISTANCES) - 1, dtype=np.int64)
    windows = [slice(first, min(first + _LD_WINDOW, run.stop)) for run in snvs.contigs()
               for first in range(run.start, run.stop - 1, _LD_WINDOW)] if len(snvs.samples) >= FEW else []
    for window in windows[::max(1, -(-len(windows) // _LD_WINDOWS))]:
        r2 = np.square(np.atleast_1d(allel.rogers_huff_r(snvs.few_people[window])).astype(np.float64))
        pos = snvs.sites["pos"][window].to_numpy()
        first, second = np.triu_indices(len(pos), 1)
        bins = np.searchsorted(DISTANCES, pos[second] - pos[first], side="right") - 1
        good = np.isfinite(r2) & (bins < len(sums))
        sums += np.bincount(bins[good], r2[good], len(sums))
        numbers += np.bincount(bins[good], minlength=len(sums))
    frame = pl.DataFrame({"from_bases": DISTANCES[:-1], "to_bases": DISTANCES[1:], "n_pairs": numbers,
                          "mean_r2": sums / np.maximum(numbers, 1)})
    return frame.filter(pl.col("n_pairs") > 0)

"""Principal components of a reference panel: made from its genomes, written to a folder, read back.

A folder holds ``loadings.tsv`` (a row for each site) and ``panel.tsv`` (a row for each person: sample, population, PC1
to PC5, and a column for each score), so that people can be placed among the panel's without its genomes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.cohorts import Chunk, Cohort, chunks
from pmed.errors import InputError
from pmed.files import write_all

from .reference import NEAR, must_be_populations

Floats = NDArray[np.float64]
FORMAT = "pmed/loadings/1"
LOADINGS, PANEL = "loadings.tsv", "panel.tsv"
PCS = [f"PC{number}" for number in range(1, NEAR + 1)]
_SITE = ["chrom", "pos", "effect_allele", "other_allele", "frequency"]
_AUTOSOMES = [f"chr{number}" for number in range(1, 23)]
_PALINDROMES = ["AT", "TA", "CG", "GC"]
_BASES = ["A", "C", "G", "T"]
# Sites in linkage would make one stretch of a chromosome a component of its own (Price 2008,
# doi:10.1016/j.ajhg.2008.06.005).
LEAST_FREQUENCY, LEAST_CALLED, MOST_LINKAGE, WINDOW = 0.01, 0.98, 0.2, 500_000
_FOLDS, _SEED = 5, 0


@dataclass(frozen=True)
class Loadings:
    """Axes on which people are placed.

    Attributes:
        build: GRCh38 or GRCh37.
        sites: chrom (chr1), pos (1-based), effect_allele, other_allele, frequency (of the effect allele), PC1 to PC5
            (the weight of the standardised dosage).
        people: The panel: sample, population, PC1 to PC5, columns of scores.
        shrinkage: (5,) spread of people who took no part in making the axes, as a share of that of those who did.
    """

    build: str
    sites: pl.DataFrame
    people: pl.DataFrame
    shrinkage: Floats

    def write(self, folder: Path) -> list[Path]:
        """Write both files; what was written."""
        folder.mkdir(parents=True, exist_ok=True)
        shrinkage = ",".join(f"{one:.4f}" for one in self.shrinkage)
        head = f"#format={FORMAT}\n#genome_build={self.build}\n#people={len(self.people)}\n#shrinkage={shrinkage}\n"
        files = {folder / LOADINGS: (head + self.sites.write_csv(separator="\t")).encode(),
                 folder / PANEL: self.people.write_csv(separator="\t").encode()}
        write_all(files)
        return list(files)


def make_loadings(cohort: Cohort, populations: Mapping[str, str], progress: Callable[[str], None] = lambda _: None,
                  ) -> Loadings:
    """Components of the people of `cohort` who have a population, all unrelated.

    Genotypes are standardised by the allele's frequency (Patterson 2006, doi:10.1371/journal.pgen.0020190). Taken are
    autosomal sites of one base and two alleles, not A/T or C/G, of a frequency from .01 on, called in 98 % of people,
    and little linked (r² up to .2) with those taken before within 500,000 bases.

    Raises:
        InputError: too few people in a population, or too few sites.
    """
    here = [place for place, name in enumerate(cohort.samples) if name in populations]
    names = [cohort.samples[place] for place in here]
    people = pl.DataFrame({"sample": names, "population": [populations[name] for name in names]},
                          schema={"sample": pl.String, "population": pl.String})
    if people.is_empty():
        raise InputError("the table of populations names nobody in the genome", where=str(cohort.paths[0]))
    must_be_populations(people, cohort.paths[0])
    sites, dosages = _sites(cohort, names, progress)
    if len(sites) < 10 * NEAR:
        raise InputError(f"only {len(sites)} sites can be used, {10 * NEAR} are needed", where=str(cohort.paths[0]),
                         hint="give files with more common variants")
    weights = axes(dosages)
    return Loadings(cohort.build, sites.with_columns(_columns(weights)),
                    people.with_columns(_columns(dosages.T @ weights)), held_out_spread(dosages))


def standardised(count: Floats, known: NDArray[np.bool_], frequency: Floats) -> Floats:
    """(sites, people) dosages less their mean, in standard deviations; 0 where unknown."""
    spread = np.sqrt(2 * frequency * (1 - frequency))
    return np.where(known, (count - 2 * frequency[:, None]) / spread[:, None], 0.0)


def axes(dosages: Floats) -> Floats:
    """(sites, 5) unit vectors of most variance, each with its largest weight positive."""
    # Of the smaller of the two products: the vectors follow from one another.
    wide = len(dosages) > dosages.shape[1]
    values, vectors = np.linalg.eigh(dosages.T @ dosages if wide else dosages @ dosages.T)
    first = vectors[:, np.argsort(-values)[:NEAR]]
    weights = dosages @ first if wide else first
    weights = weights / np.linalg.norm(weights, axis=0)
    return np.asarray(weights * np.sign(weights[np.abs(weights).argmax(axis=0), range(NEAR)]))


def held_out_spread(dosages: Floats) -> Floats:
    """(5,) standard deviation of held-out people over that of the others, by five folds.

    Axes lean to the people they were made of, so that others come to lie nearer to the middle, the more so the fewer
    people there were (Dey & Lee 2019, doi:10.1016/j.jmva.2019.02.007).
    """
    fold = np.random.default_rng(_SEED).permutation(dosages.shape[1]) % _FOLDS
    ratios = []
    for one in range(_FOLDS):
        placed = dosages.T @ axes(dosages[:, fold != one])
        ratios.append(placed[fold == one].std(axis=0) / placed[fold != one].std(axis=0))
    return np.asarray(np.mean(ratios, axis=0))


def _sites(cohort: Cohort, names: Sequence[str], progress: Callable[[str], None]) -> tuple[pl.DataFrame, Floats]:
    kept: list[pl.DataFrame] = []
    rows: list[Floats] = []
    for path in cohort.paths:
        near = _Near()
        for chunk in chunks(path):
            places = {name: place for place, name in enumerate(chunk.samples)}
            found, dosages = _usable(chunk, np.array([places[name] for name in names]))
            free = near.unlinked(found, dosages)
            kept.append(found[free])
            rows.append(dosages[free])
            progress(f"{path.name}: {sum(map(len, rows)):,} sites")
    return pl.concat(kept).unique(["chrom", "pos"], keep="first", maintain_order=True), np.concatenate(rows)


def _usable(chunk: Chunk, people: NDArray[np.int64]) -> tuple[pl.DataFrame, Floats]:
    """Common, well called sites of a chunk, and their standardised dosages."""
    variants = chunk.variants
    ref, alt = pl.col("ref"), pl.col("alt")
    plain = variants.select(
        pl.col("chrom").is_in(_AUTOSOMES) & ref.is_in(_BASES) & alt.is_in(_BASES)
        & ~(ref + alt).is_in(_PALINDROMES) & pl.col("filter").fill_null("PASS").is_in(["PASS"])
        # Two records of a position are one site with three alleles.
        & pl.struct("chrom", "pos").is_unique()).to_series().fill_null(value=False)
    some = np.flatnonzero(plain.to_numpy())
    alleles, ploidy = chunk.alleles[some][:, people], chunk.ploidy[some][:, people]
    known = (ploidy == 2) & (alleles >= 0).all(axis=2)
    count = np.where(known, (alleles == 1).sum(axis=2), 0).astype(np.float64)
    called = known.sum(axis=1)
    frequency = count.sum(axis=1) / np.maximum(2 * called, 1)
    good = (np.minimum(frequency, 1 - frequency) >= LEAST_FREQUENCY) & (called >= LEAST_CALLED * len(people))
    sites = variants[some[good]].select("chrom", "pos", effect_allele="alt", other_allele="ref").with_columns(
        frequency=pl.Series(frequency[good], dtype=pl.Float64))
    return sites, standardised(count[good], known[good], frequency[good])


class _Near:
    """The sites taken so far that are near enough to be linked with the next."""

    def __init__(self) -> None:
        self.chrom, self.places, self.rows = "", np.zeros(0, dtype=np.int64), np.zeros((0, 0))

    def unlinked(self, sites: pl.DataFrame, dosages: Floats) -> list[int]:
        """Indexes of the sites that tell something of their own."""
        taken = []
        for number, (chrom, pos) in enumerate(sites.select("chrom", "pos").iter_rows()):
            row = dosages[number] / (np.linalg.norm(dosages[number]) or 1.0)
            self._leave(chrom, pos, len(row))
            if not len(self.rows) or ((self.rows @ row) ** 2).max() <= MOST_LINKAGE:
                self.places, self.rows = np.append(self.places, pos), np.vstack([self.rows, row])
                taken.append(number)
        return taken

    def _leave(self, chrom: str, pos: int, people: int) -> None:
        near = (self.places >= pos - WINDOW) & (chrom == self.chrom)
        self.chrom, self.places, self.rows = chrom, self.places[near], self.rows.reshape(-1, people)[near]


def _columns(values: Floats) -> list[pl.Series]:
    return [pl.Series(name, values[:, number]) for number, name in enumerate(PCS)]


def read_loadings(folder: Path) -> Loadings:
    """Read a folder that `Loadings.write` has made, or one of the same layout.

    Raises:
        InputError: a file is missing, says no build, or holds what is no number.
    """
    from .reference import read_people

    path = folder / LOADINGS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', None) or 'not text'}", where=str(path),
                         hint="give the folder that pmed ancestry make wrote") from None
    said = dict(line[1:].strip().split("=", 1) for line in lines if line.startswith("#") and "=" in line)
    body = "\n".join(line for line in lines if not line.startswith("#"))
    sites = _sites_of(path, body)
    build = said.get("genome_build", "")
    if build not in {"GRCh37", "GRCh38"}:
        raise InputError("does not say #genome_build=GRCh38 or GRCh37", where=str(path))
    return Loadings(build, sites, read_people(folder / PANEL), _shrinkage(path, said.get("shrinkage", "")))


def _shrinkage(path: Path, text: str) -> Floats:
    """(5,) as written; NaN where the file does not say."""
    if not text:
        return np.full(NEAR, np.nan)
    try:
        found = np.array([float(one) for one in text.split(",")])
    except ValueError:
        found = np.zeros(0)
    if len(found) != NEAR:
        raise InputError(f"#shrinkage is not {NEAR} numbers", where=str(path))
    return found


def _sites_of(path: Path, body: str) -> pl.DataFrame:
    try:
        raw = pl.read_csv(body.encode(), separator="\t", infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"is not a tab-separated table: {str(error).splitlines()[0]}", where=str(path)) from None
    if missing := [name for name in (*_SITE, *PCS) if name not in raw.columns]:
        raise InputError(f"has no column {', '.join(missing)}", where=str(path))
    typed = raw.select(*_SITE, *PCS).with_columns(
        pl.col("pos").cast(pl.Int64, strict=False), pl.col("frequency", *PCS).cast(pl.Float64, strict=False))
    sound = pl.all_horizontal(
        pl.col("pos") > 0, pl.col("effect_allele", "other_allele", "chrom").is_not_null(),
        (pl.col("frequency") > 0) & (pl.col("frequency") < 1), pl.col(PCS).is_finite()).fill_null(value=False)
    if not (odd := typed.with_row_index("row").filter(~sound)).is_empty():
        raise InputError("a position, allele, frequency (between 0 and 1) or loading is missing or no number",
                         where=f"{path} row {odd['row'][0] + 1}")
    if typed.is_empty():
        raise InputError("has no sites", where=str(path))
    if typed.select("chrom", "pos").is_duplicated().any():
        raise InputError("a position is there twice", where=str(path))
    return typed

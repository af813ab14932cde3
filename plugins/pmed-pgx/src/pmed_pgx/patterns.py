"""From the dense genotype grid to the distinct genotype patterns of one gene.

The grid is every sample × every site asked for, sorted, so a column of it is a vector over samples. What is matched
is each distinct pattern once, however many people carry it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed.errors import TableError
from pmed.tables import STATES

from .knowledge import Bools, Gene, Site
from .matcher import ABSENT, FILTERED, HALF_CALL, HAPLOID, HOMOZYGOUS, NO_CALL, ONE_SET, OTHER, UNPHASED, Codes, Groups

SITE = ["chrom", "pos", "ref", "alt"]
_MISSING = {"absent": ABSENT, "no-call": NO_CALL, "filtered": FILTERED, "half-call": HALF_CALL}
_CODE_OF_STATE = np.array([_MISSING.get(state, 0) for state in STATES], dtype=np.int8)
_ASSUMED = STATES.index("assumed-reference")


@dataclass(frozen=True)
class Grid:
    """The ``genotypes`` table as arrays of (sites, samples)."""

    samples: tuple[str, ...]
    rows: Mapping[tuple[str, int, str, str], int]
    allele_1: Codes
    allele_2: Codes
    state: npt.NDArray[np.uint8]
    phased: Bools
    phase_set: Groups

    @classmethod
    def of(cls, genotypes: pl.DataFrame) -> Grid:
        """Reshape the table.

        Raises:
            TableError: where a sample or a site is missing from the grid, so that absence would be a gap.
        """
        samples = genotypes["sample"].unique(maintain_order=True)
        n = max(len(samples), 1)
        sites = genotypes.select(SITE).gather_every(n)
        if sites.height * n != genotypes.height or not _is_tiled(genotypes, n):
            raise TableError("genotypes is not a dense grid of samples × sites", hint="see pmed.tables, 'genotypes'")
        columns = genotypes.select(
            pl.col("allele_1", "allele_2").fill_null(-1),
            state=pl.col("state").cast(pl.Enum(STATES)).to_physical(),
            phased=pl.col("phased").fill_null(value=False),
            phase_set=pl.col("phase_set").fill_null(ONE_SET))
        arrays = {name: columns[name].to_numpy().reshape(-1, n) for name in columns.columns}
        rows = {site: number for number, site in enumerate(sites.iter_rows())}
        return cls(tuple(samples), rows, **arrays)


def _is_tiled(genotypes: pl.DataFrame, n: int) -> bool:
    """Whether each block of `n` rows is one site with the samples in the same order."""
    codes = genotypes["sample"].cast(pl.Categorical).to_physical().to_numpy().reshape(-1, n)
    positions = genotypes["pos"].to_numpy().reshape(-1, n)
    return bool((codes == codes[:1]).all() and (positions == positions[:, :1]).all())


@dataclass(frozen=True)
class Patterns:
    """Distinct patterns of one gene and which one each sample has.

    Attributes:
        codes: (patterns, sites, 2) allele codes, negative where unknown.
        groups: (patterns, sites) phase groups.
        assumed: (patterns,) some site is reference only because the user said that absent means reference.
        of: (samples,) index of the sample's pattern.
    """

    codes: Codes
    groups: Groups
    assumed: Bools
    of: npt.NDArray[np.int64]


def patterns(grid: Grid, gene: Gene, build: str, samples: npt.NDArray[np.int64]) -> Patterns:
    """Distinct genotype patterns of `gene` among the samples at those indices of the grid."""
    shape = len(samples), len(gene.sites)
    codes = np.full((*shape, 2), ABSENT, dtype=np.int8)
    groups = np.zeros(shape, dtype=np.int64)
    assumed = np.zeros(len(samples), dtype=bool)
    for p, site in enumerate(gene.sites):
        if rows := _rows(grid, gene, site, build):
            codes[:, p], groups[:, p], guessed = _column(grid, rows, samples)
            assumed |= guessed
    return _distinct(codes, groups, assumed)


def _rows(grid: Grid, gene: Gene, site: Site, build: str) -> list[tuple[int, int, int]]:
    """(row of the grid, code of its REF, code of its ALT) for each row of the site that the grid has."""
    keyed = [(grid.rows.get((gene.chrom, pos, ref, alt)), ref, alt) for pos, ref, alt in site.rows(build)]
    return [(row, _code(site, ref), _code(site, alt)) for row, ref, alt in keyed if row is not None]


def _code(site: Site, base: str) -> int:
    return site.alleles.index(base) if base in site.alleles else OTHER


def _column(grid: Grid, rows: list[tuple[int, int, int]],
            samples: npt.NDArray[np.int64]) -> tuple[Codes, Groups, Bools]:
    """Codes, phase groups and "assumed" of one site, its ALTs put together."""
    codes = np.full((len(samples), 2), OTHER, dtype=np.int8)
    missing = np.full(len(samples), ABSENT, dtype=np.int8)
    called = np.zeros(len(samples), dtype=bool)
    assumed, groups = np.zeros(len(samples), dtype=bool), np.full(len(samples), UNPHASED, dtype=np.int64)
    # By strand, which already carry an ALT of the file's build; on GRCh37 that may be the release's REF.
    named = np.zeros(codes.shape, dtype=bool)
    for row, ref, alt in sorted(rows, reverse=True):
        state = grid.state[row, samples]
        here = _CODE_OF_STATE[state] == 0
        for strand, alleles in enumerate((grid.allele_1[row, samples], grid.allele_2[row, samples])):
            guess = state == _ASSUMED
            codes[here & ((alleles == 0) | guess) & ~named[:, strand], strand] = ref
            codes[here & (alleles == 1), strand] = alt
            named[:, strand] |= here & (alleles == 1)
            # An unknown second allele of a called genotype is a haploid call: these genes are on autosomes.
            codes[here & (alleles < 0) & ~guess, strand] = HAPLOID
        missing = np.where(here, missing, np.minimum(missing, _CODE_OF_STATE[state]))
        groups = np.where(here & grid.phased[row, samples], grid.phase_set[row, samples], groups)
        assumed |= state == _ASSUMED
        called |= here
    codes = np.where(called[:, None], codes, missing[:, None])
    het = called & (codes[:, 0] != codes[:, 1])
    # Without phase the order of the two alleles carries nothing: sorted, 0/1 and 1/0 are one pattern.
    codes = np.where((groups == UNPHASED)[:, None], np.sort(codes, axis=1), codes)
    return codes.astype(np.int8), np.where(het, groups, HOMOZYGOUS), assumed & called


def _distinct(codes: Codes, groups: Groups, assumed: Bools) -> Patterns:
    n = len(codes)
    key = np.concatenate([codes.reshape(n, -1).astype(np.int64), groups, assumed[:, None].astype(np.int64)], axis=1)
    rows = np.ascontiguousarray(key).view(np.dtype((np.void, key.shape[1] * 8))).ravel()
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return Patterns(codes[first], groups[first], assumed[first], inverse)

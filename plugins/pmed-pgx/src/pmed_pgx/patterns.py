"""From the dense genotype grid to the distinct genotype patterns of one gene.

The grid is every sample × every site asked for, sorted, so a column of it is a vector over samples. What is matched
is each distinct pattern once, however many people carry it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed.errors import TableError
from pmed.tables import STATES

from .knowledge import Bools, Gene, Site
from .matcher import (
    ABSENT,
    FILTERED,
    HALF_CALL,
    HAPLOID,
    HOMOZYGOUS,
    MIXED,
    NO_CALL,
    ONE_SET,
    OTHER,
    SINGLE,
    UNPHASED,
    Codes,
    Groups,
)

SITE = ["chrom", "pos", "ref", "alt"]
_CELL = ["allele_1", "allele_2", "state", "phased", "phase_set"]
_MISSING = {"absent": ABSENT, "no-call": NO_CALL, "filtered": FILTERED, "half-call": HALF_CALL}
_CODE_OF_STATE = np.array([_MISSING.get(state, 0) for state in STATES], dtype=np.int8)
_ABSENT, _ASSUMED = STATES.index("absent"), STATES.index("assumed-reference")
_NULL, _OTHER = -1, 2
CHUNK = 4096

Pattern = tuple[Codes, Groups, bool]


@dataclass(frozen=True)
class Grid:
    """The ``genotypes`` table as arrays of (rows, samples); all sites of which nothing is told are the first row."""

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
        samples = _first_block(genotypes["sample"])
        n = max(len(samples), 1)
        sites = genotypes.select(SITE).gather_every(n)
        if sites.height * n != genotypes.height or not _is_tiled(genotypes, n):
            raise TableError("genotypes is not a dense grid of samples × sites", hint="see pmed.tables, 'genotypes'")
        told = (genotypes["state"] != STATES[_ABSENT]).to_numpy().reshape(-1, n).any(axis=1)
        place = np.where(told, np.cumsum(told), 0).tolist()
        rows = dict(zip(sites.iter_rows(), place, strict=True))
        kept = genotypes.select(_CELL).filter(pl.Series(np.repeat(told, n)))
        state = kept["state"].cast(pl.Enum(STATES)).to_physical()
        return cls(tuple(samples), rows, *(_under(first, one, n) for first, one in (
            (_NULL, kept["allele_1"].fill_null(_NULL)), (_NULL, kept["allele_2"].fill_null(_NULL)), (_ABSENT, state),
            (False, kept["phased"].fill_null(value=False)), (ONE_SET, kept["phase_set"].fill_null(ONE_SET)))))

    @cached_property
    def told(self) -> Bools:
        """(rows,) whether anything at all is known of anybody: of most sites of a release it is not."""
        return np.asarray((self.state != _ABSENT).any(axis=1))

    @cached_property
    def alike(self) -> npt.NDArray[np.uint8]:
        """(rows, samples) all but the phase set as one number; an allele above 1 is another one, whichever it is."""
        one, two = (np.clip(alleles, _NULL, _OTHER).astype(np.uint8) + 1 for alleles in (self.allele_1, self.allele_2))
        return np.asarray(one % 4 + (two % 4) * 4 + self.phased * 16 + self.state * 32, dtype=np.uint8)


def _under(first: int, values: pl.Series, n: int) -> npt.NDArray[Any]:
    """(rows, samples) of values by site, below a row of `first`."""
    rows = values.to_numpy().reshape(-1, n)
    return np.concatenate([np.full((1, n), first, dtype=rows.dtype), rows])


def _first_block(samples: pl.Series) -> pl.Series:
    """The samples of the first site: those before the first of them comes again."""
    again = (samples == samples[0]).arg_true() if len(samples) else pl.Series([], dtype=pl.UInt32)
    return samples[:again[1]] if len(again) > 1 else samples


def _is_tiled(genotypes: pl.DataFrame, n: int) -> bool:
    """Whether each block of `n` rows is one site with the samples in the same order, each of them once."""
    names, positions = genotypes["sample"], genotypes["pos"].to_numpy().reshape(-1, n)
    return bool((names[n:] == names[:max(len(names) - n, 0)]).all() and names[:n].n_unique() == len(names[:n])
                and (positions == positions[:, :1]).all())


@dataclass(frozen=True)
class Patterns:
    """Distinct patterns of one gene and which one each sample has.

    Attributes:
        kept: For each pattern (sites, 2) allele codes, negative where unknown; (sites,) phase groups; and whether some
            site is reference only because the user said that absent means reference.
        of: (samples,) index of the sample's pattern.
    """

    kept: tuple[Pattern, ...]
    of: npt.NDArray[np.int64]


def patterns(grid: Grid, gene: Gene, build: str, samples: npt.NDArray[np.int64]) -> Patterns:
    """Distinct genotype patterns of `gene` among the samples at those indices of the grid.

    Samples are taken `CHUNK` at a time, so that memory grows with the distinct patterns and not with samples × sites.
    """
    seen: dict[bytes, int] = {}
    kept: list[Pattern] = []
    of = np.empty(len(samples), dtype=np.int64)
    rows = [_rows(grid, gene, site, build) for site in gene.sites]
    # What is absent of everybody is the same in every pattern.
    told = [p for p, found in enumerate(rows) if any(grid.told[row] for row, _, _ in found)]
    rows = [rows[p] for p in told]
    for start in range(0, len(samples), CHUNK):
        everybody = samples[start:start + CHUNK]
        same, who = _alike(grid, rows, everybody)
        codes, groups, assumed = _genotypes(grid, gene, rows, everybody[same])
        keys, first, inverse = _distinct(codes, groups, assumed)
        for key, one in zip(keys, first, strict=True):
            if key not in seen:
                seen[key] = len(kept)
                kept.append((*_whole(gene, told, codes[one], groups[one]), bool(assumed[one])))
        of[start:start + CHUNK] = np.array([seen[key] for key in keys], dtype=np.int64)[inverse][who]
    return Patterns(tuple(kept), of)


def _alike(grid: Grid, rows: list[list[tuple[int, int, int]]],
           samples: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """One of each kind of sample, by all that the grid has of those rows, and the kind of each sample."""
    where = np.ix_(np.unique([row for found in rows for row, _, _ in found]).astype(np.int64), samples)
    key, sets = grid.alike[where], grid.phase_set[where]
    if (sets != ONE_SET).any():
        key = np.concatenate([key, *(np.ascontiguousarray(one).view(np.uint8).reshape(-1, 8).T for one in sets)])
    return _kinds(key.T) if key.size else (np.arange(min(1, len(samples))), np.zeros(len(samples), dtype=np.int64))


def _whole(gene: Gene, told: list[int], codes: Codes, groups: Groups) -> tuple[Codes, Groups]:
    """One pattern over all sites of the gene from that over the sites that something is known of."""
    every = np.full((len(gene.sites), 2), ABSENT, dtype=np.int8), np.full(len(gene.sites), HOMOZYGOUS, dtype=np.int64)
    every[0][told], every[1][told] = codes, groups
    return every


def _genotypes(grid: Grid, gene: Gene, rows: list[list[tuple[int, int, int]]],
               samples: npt.NDArray[np.int64]) -> tuple[Codes, Groups, Bools]:
    shape = len(samples), len(rows)
    codes = np.full((*shape, 2), ABSENT, dtype=np.int8)
    groups = np.zeros(shape, dtype=np.int64)
    assumed = np.zeros(len(samples), dtype=bool)
    single = [p for p, found in enumerate(rows) if len(found) == 1]
    if single:
        codes[:, single], groups[:, single], assumed = _columns(grid, [rows[p][0] for p in single], samples)
    for p, found in enumerate(rows):
        if len(found) > 1:
            codes[:, p], groups[:, p], guessed = _column(grid, found, samples)
            assumed = assumed | guessed
    if gene.ploidy != "autosome":
        codes, groups = _one_chromosome(codes, groups, mitochondrial=gene.ploidy == "MT")
    return (_same_way_round(codes, groups) if rows else codes), groups, assumed


def _same_way_round(codes: Codes, groups: Groups) -> Codes:
    """Phased in one set, either strand may come first: the pair of strands is the same pattern."""
    turn = ((groups == HOMOZYGOUS) | (groups == ONE_SET)).all(axis=1) & (codes[:, :, 1] != SINGLE).all(axis=1)
    differ = codes[:, :, 0] != codes[:, :, 1]
    first = differ.argmax(axis=1)
    at = np.arange(len(codes))
    turn &= differ.any(axis=1) & (codes[at, first, 0] > codes[at, first, 1])
    codes[turn] = codes[turn][:, :, ::-1]
    return codes


def bases(grid: Grid, gene: Gene, site: Site, build: str, samples: npt.NDArray[np.int64]) -> list[str | None]:
    """Genotype of one site in bases for each sample: forward strand, REF first, None where unknown."""
    rows = _rows(grid, gene, site, build)
    codes = _column(grid, rows, samples)[0] if rows else np.full((len(samples), 2), ABSENT, dtype=np.int8)
    written = {pair: _written(site.alleles, pair) for pair in set(map(tuple, codes.tolist()))}
    return [written[tuple(pair)] for pair in codes.tolist()]


def _written(alleles: tuple[str, ...], pair: tuple[int, ...]) -> str | None:
    return "/".join(alleles[code] for code in sorted(pair)) if min(pair) >= 0 else None


def _one_chromosome(codes: Codes, groups: Groups, *, mitochondrial: bool) -> tuple[Codes, Groups]:
    """A haploid call has one strand and is no fault here.

    Many callers write two alleles for mitochondrial DNA too: two that are the same are one, and two that differ are a
    mixture.
    """
    low, high = codes.min(axis=2), codes.max(axis=2)
    single = (low == HAPLOID) & (high >= 0)
    if mitochondrial:
        mixed = (low >= 0) & (low != high)
        single |= (low >= 0) & ~mixed
        codes[mixed] = MIXED
    codes[single] = np.stack([high, np.full_like(high, SINGLE)], axis=2)[single]
    groups[single] = HOMOZYGOUS
    return codes, groups


def _rows(grid: Grid, gene: Gene, site: Site, build: str) -> list[tuple[int, int, int]]:
    """(row of the grid, code of its REF, code of its ALT) for each row of the site that the grid has."""
    keyed = [(grid.rows.get((gene.chrom, pos, ref, alt)), ref, alt) for pos, ref, alt in site.rows(build)]
    return [(row, _code(site, ref), _code(site, alt)) for row, ref, alt in keyed if row is not None]


def _code(site: Site, base: str) -> int:
    return site.alleles.index(base) if base in site.alleles else OTHER


def _columns(grid: Grid, rows: list[tuple[int, int, int]],
             samples: npt.NDArray[np.int64]) -> tuple[Codes, Groups, Bools]:
    """Codes, phase groups and "assumed" of all sites that have one ALT, in one go: (samples, sites, …)."""
    at, *codes_of = (np.array(values) for values in zip(*rows, strict=True))
    ref, alt = (codes.astype(np.int8)[:, None, None] for codes in codes_of)
    where = np.ix_(at, samples)
    state = grid.state[where]
    kind, guess = _CODE_OF_STATE[state][:, :, None], (state == _ASSUMED)[:, :, None]
    alleles = np.stack([grid.allele_1[where], grid.allele_2[where]], axis=2)
    here, told = kind == 0, (kind == 0) | (kind == HALF_CALL)
    # On X and Y an absent site has one allele by assumption, and may have two.
    alleles = np.where(guess & (alleles < 0), 0, alleles)
    read = np.where(alleles == 1, alt, np.where(alleles == 0, ref, OTHER))
    # An unknown second allele of a called genotype is a haploid call.
    read = np.where(alleles < 0, np.where(here, HAPLOID, HALF_CALL), read)
    codes = np.where(told, read, kind).astype(np.int8)
    groups = np.where(told[:, :, 0] & grid.phased[where], grid.phase_set[where], UNPHASED)
    het = told[:, :, 0] & (codes[:, :, 0] != codes[:, :, 1])
    turn = (groups == UNPHASED) & (codes[:, :, 0] > codes[:, :, 1])
    codes[turn] = codes[turn][:, ::-1]
    assumed: Bools = np.asarray((guess & told).any(axis=(0, 2)))
    return codes.transpose(1, 0, 2), np.where(het, groups, HOMOZYGOUS).T, assumed


def _column(grid: Grid, rows: list[tuple[int, int, int]],
            samples: npt.NDArray[np.int64]) -> tuple[Codes, Groups, Bools]:
    """Codes, phase groups and "assumed" of one site, its ALTs put together.

    A row without a call is an ALT that nobody excluded: reference in the other rows alone is not reference at the site,
    neither on both strands (the site is missing, as that row is) nor beside an ALT that was found (half a call).
    """
    codes = np.full((len(samples), 2), OTHER, dtype=np.int8)
    missing = np.full(len(samples), ABSENT, dtype=np.int8)
    unseen = np.zeros(len(samples), dtype=bool)
    called, half = np.zeros(len(samples), dtype=bool), np.zeros(len(samples), dtype=bool)
    unread = np.zeros(codes.shape, dtype=bool)
    assumed, groups = np.zeros(len(samples), dtype=bool), np.full(len(samples), UNPHASED, dtype=np.int64)
    # By strand, which already carry an ALT of the file's build; on GRCh37 that may be the release's REF.
    named = np.zeros(codes.shape, dtype=bool)
    for row, ref, alt in sorted(rows, reverse=True):
        state = grid.state[row, samples]
        here = _CODE_OF_STATE[state] == 0
        half |= _CODE_OF_STATE[state] == HALF_CALL
        told = here | (_CODE_OF_STATE[state] == HALF_CALL)
        for strand, alleles in enumerate((grid.allele_1[row, samples], grid.allele_2[row, samples])):
            guess = (state == _ASSUMED) & (alleles < 0)
            codes[told & ((alleles == 0) | guess) & ~named[:, strand], strand] = ref
            codes[told & (alleles == 1), strand] = alt
            named[:, strand] |= told & (alleles == 1)
            unread[:, strand] |= told & ~here & (alleles < 0)
            # An unknown second allele of a called genotype is a haploid call.
            codes[here & (alleles < 0) & ~guess, strand] = HAPLOID
        missing = np.where(here, missing, np.minimum(missing, _CODE_OF_STATE[state]))
        unseen |= ~told
        groups = np.where(told & grid.phased[row, samples], grid.phase_set[row, samples], groups)
        assumed |= state == _ASSUMED
        called |= here
    unread |= unseen[:, None] & ~named & (codes >= 0)
    known = (called | half) & ~(unseen & (unread | (codes == HAPLOID)).all(axis=1))
    codes = np.where(known[:, None], np.where(unread, HALF_CALL, codes), missing[:, None])
    het = known & (codes[:, 0] != codes[:, 1])
    # Without phase the order of the two alleles carries nothing: sorted, 0/1 and 1/0 are one pattern.
    codes = np.where((groups == UNPHASED)[:, None], np.sort(codes, axis=1), codes)
    return codes.astype(np.int8), np.where(het, groups, HOMOZYGOUS), assumed & called & known


def _distinct(codes: Codes, groups: Groups, assumed: Bools) -> tuple[list[bytes], list[int], npt.NDArray[np.int64]]:
    """Key and first sample of each distinct pattern, and the pattern of each sample."""
    n = len(codes)
    narrow = groups.astype(np.int8) if groups.size and groups.max() <= 0 else groups
    sets = np.ascontiguousarray(narrow).view(np.uint8).reshape(n, -1)
    key = np.concatenate([codes.reshape(n, -1).view(np.uint8), sets, assumed[:, None].view(np.uint8)], axis=1)
    first, inverse = _kinds(key)
    return [key[one].tobytes() for one in first], first.tolist(), inverse


def _kinds(key: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first of each kind of row, and the kind of each row."""
    rows = np.ascontiguousarray(key).view(np.dtype((np.void, key.shape[1]))).ravel()
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return first, inverse

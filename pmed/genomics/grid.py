"""The dense grid: every sample × every site asked for, filled record by record and turned into ``genotypes``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.tables import STATES, TABLES

from .alleles import Sites, with_chr
from .calls import NONE, Calls
from .matching import ALT, OTHER, UNKNOWN, Reaching, Said

Ints = NDArray[np.int64]
CALLED, HALF_CALL, NO_CALL, FILTERED, ABSENT, ASSUMED = range(len(STATES))
_NUMBERS = ("allele_1", "allele_2", "ploidy", "phase_set", "dp", "gq", "source_row")


@dataclass
class Row:
    """One site over samples, as columns of ``genotypes``; -1 is null."""

    alleles: Ints
    ploidy: Ints
    phased: NDArray[np.bool_]
    phase_set: Ints
    dp: Ints
    gq: Ints
    state: Ints
    source_row: Ints
    filter: NDArray[np.int64]

    @classmethod
    def absent(cls, samples: int) -> Row:
        """Nothing is known of anybody."""
        def nothing() -> Ints:
            return np.full(samples, NONE)

        return cls(np.full((samples, 2), NONE), nothing(), np.zeros(samples, dtype=bool), nothing(), nothing(),
                   nothing(), np.full(samples, ABSENT), nothing(), nothing())

    @classmethod
    def of(cls, calls: Calls, said: Said, number: int, *, filtered: bool, filter_code: int) -> Row:
        """What one record says of one site."""
        codes = np.array([*said.codes, NONE])  # the last entry answers for allele -1
        alleles = codes[calls.alleles]
        state = _states(alleles, calls.ploidy)
        if UNKNOWN in said.codes:  # the record cannot vouch for REF: where it says nothing, it is not there
            state[state == NO_CALL] = ABSENT
        if filtered:
            state[state != ABSENT] = FILTERED
        state[calls.failed] = FILTERED
        known = np.isin(state, (CALLED, HALF_CALL))
        return cls(np.where(known[:, None], alleles, NONE), np.where(calls.ploidy > 0, calls.ploidy, NONE),
                   calls.phased & known, calls.phase_set, calls.dp, calls.gq, state, np.full(len(state), number),
                   np.full(len(state), filter_code))

    def take(self, other: Row, where: NDArray[np.bool_]) -> None:
        """Overwrite the samples at `where` with what `other` says of them."""
        for name in ("alleles", "ploidy", "phased", "phase_set", "dp", "gq", "state", "source_row", "filter"):
            getattr(self, name)[where] = getattr(other, name)[where]

    def differs(self, other: Row) -> NDArray[np.bool_]:
        """Samples that both have called, with other alleles; without phase the order of the two says nothing."""
        both = (self.state == CALLED) & (other.state == CALLED)
        same = np.sort(self.alleles, axis=1) == np.sort(other.alleles, axis=1)
        return np.asarray(both & ~same.all(axis=1))


def _states(alleles: Ints, ploidy: Ints) -> Ints:
    """Called, half-call or no-call; more than two alleles cannot be told and are no call."""
    known = (alleles != NONE).sum(axis=1)
    return np.where((known > 0) & (known == ploidy), CALLED, np.where((known == 1) & (ploidy == 2), HALF_CALL, NO_CALL))


def joined(direct: Sequence[Row], beside: Sequence[Row], samples: int) -> tuple[Row, NDArray[np.bool_]]:
    """One row from all records of a file at one site, and the samples of which two records contradict each other.

    `direct` records have the site's own ALT: the first usable one counts. `beside` records have other ALTs of the
    same position (a split multi-allelic): their alleles make a strand OTHER where the direct record said REF. What
    they say of REF counts only where no record has the site's own ALT: such a record may be refused for good reason.
    """
    row, clash = Row.absent(samples), np.zeros(samples, dtype=bool)
    for one in direct:
        clash |= row.differs(one)
        row.take(one, _better(row, one))
    for one in beside:
        clash |= _lay_beside(row, one)
        if not direct:
            row.take(one, _better(row, one))
    return row, clash


def _better(row: Row, one: Row) -> NDArray[np.bool_]:
    """Samples of which `one` knows more: a call before a half call before a refusal before nothing."""
    return one.state < row.state


def _lay_beside(row: Row, other: Row) -> NDArray[np.bool_]:
    """Mark strands that carry another ALT; returns the samples for whom both claim the same strand.

    Without phase the two strands of one record may be swapped against those of the other. A strand that the row
    does not know (``1/.`` beside ``./1``) is known once the other record names its ALT.
    """
    known = np.isin(row.state, (CALLED, HALF_CALL, NO_CALL)) & np.isin(other.state, (CALLED, HALF_CALL))
    known &= (row.ploidy == other.ploidy) & (row.ploidy <= row.alleles.shape[1])
    theirs = (other.alleles == OTHER) & known[:, None]
    swap = ~(row.phased & other.phased) & (row.ploidy == len(row.alleles[0])) & _both(row, theirs)
    theirs[swap] = theirs[swap][:, ::-1]
    taken = _both(row, theirs)
    lay = theirs & ~taken[:, None] & (row.alleles != ALT)
    marked = (lay & (row.alleles != OTHER)).any(axis=1)
    row.alleles[lay] = OTHER
    row.state[marked] = _states(row.alleles, row.ploidy)[marked]
    row.phased[marked] &= other.phased[marked]
    return taken


def _both(row: Row, theirs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Samples of whom a strand is claimed by both records."""
    return np.asarray(((row.alleles == ALT) & theirs).any(axis=1))


@dataclass
class Grid:
    """All sites × all samples of one read.

    `clashes` are the calls that files contradict each other on; `looked_at` those that have no row, yet a record
    that reaches there, so that absence cannot be taken for reference. Both are kept by site, over samples. `covered`
    are the samples of whom a file has records on a contig: elsewhere absence says nothing at all.
    """

    sites: Sites
    samples: Sequence[str]
    filters: list[str] = field(default_factory=list)
    rows: dict[int, Row] = field(default_factory=dict)
    clashes: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    looked_at: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    covered: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def filter_code(self, name: str | None) -> int:
        """Number of a FILTER text; -1 for none."""
        if name is None:
            return NONE
        if name not in self.filters:
            self.filters.append(name)
        return self.filters.index(name)

    def put(self, number: int, row: Row, columns: Ints) -> list[str]:
        """Lay a file's row of a site into the grid; returns the samples that another file contradicts."""
        whole = self.rows.setdefault(number, Row.absent(len(self.samples)))
        here = Row.absent(len(self.samples))
        for name in vars(row):
            getattr(here, name)[columns] = getattr(row, name)
        clash = whole.differs(here)
        whole.take(here, _better(whole, here))
        # Once contradicted, a call stays unknown, whatever a third file says.
        forget(whole, self._mark(self.clashes, number, clash))
        return [self.samples[int(i)] for i in np.flatnonzero(clash)]

    def cover(self, contigs: Iterable[str], columns: Ints) -> None:
        """Remember the contigs on which a file has records of its samples."""
        for contig in contigs:
            self.covered.setdefault(contig, np.zeros(len(self.samples), dtype=bool))[columns] = True

    def refuse(self, number: int, columns: Ints) -> None:
        """Remember that a file's record at the site could not be used: its absence is not reference."""
        self._reached(number, columns, np.ones(len(columns), dtype=bool))

    def reach(self, reaching: Reaching, calls: Calls, columns: Ints, *, filtered: bool) -> None:
        """Remember who may have something else than reference at the site, by a record that spans it."""
        row = Row.of(calls, Said(*reaching, direct=False), NONE, filtered=filtered, filter_code=NONE)
        self._reached(reaching.site, columns, (row.state != CALLED) | (row.alleles == OTHER).any(axis=1))

    def _reached(self, number: int, columns: Ints, who: NDArray[np.bool_]) -> None:
        everybody = np.zeros(len(self.samples), dtype=bool)
        everybody[columns] = who
        self._mark(self.looked_at, number, everybody)

    def _mark(self, marks: dict[int, NDArray[np.bool_]], number: int, who: NDArray[np.bool_]) -> NDArray[np.bool_]:
        marks[number] = marks.get(number, np.zeros(len(self.samples), dtype=bool)) | who
        return marks[number]

    def frame(self, *, absent_as_ref: bool) -> pl.DataFrame:
        """The ``genotypes`` table."""
        if not self.sites.rows or not self.samples:
            return TABLES["genotypes"].empty()
        columns = {name: np.concatenate(parts) for name, parts in self._columns(absent_as_ref=absent_as_ref).items()}
        table = TABLES["genotypes"]
        many, wide = len(self.sites.rows), len(self.samples)
        sample = pl.Series("sample", self.samples, pl.String)
        site = pl.DataFrame([one[:4] for one in self.sites.rows], schema=["chrom", "pos", "ref", "alt"], orient="row")
        of_site = pl.Series(np.repeat(np.arange(many), wide))
        keys = site[of_site].with_columns(sample=sample.gather(pl.Series(np.tile(np.arange(wide), many))))
        numbers = [pl.when(pl.lit(pl.Series(columns[name])) != NONE).then(pl.lit(pl.Series(columns[name])))
                   .cast(table.columns[name].dtype).alias(name) for name in _NUMBERS]
        return keys.with_columns(
            *numbers, phased=pl.Series(columns["phased"]), filter=_words(self.filters, columns["filter"]),
            state=_words(STATES, columns["state"])).select(table.names)

    def _columns(self, *, absent_as_ref: bool) -> Mapping[str, list[Ints]]:
        parts: dict[str, list[Ints]] = {}
        for row in self._all_rows(absent_as_ref=absent_as_ref):
            values = {**vars(row), "allele_1": row.alleles[:, 0], "allele_2": row.alleles[:, 1]}
            for name in (*_NUMBERS, "phased", "filter", "state"):
                parts.setdefault(name, []).append(values[name])
        return parts

    def _all_rows(self, *, absent_as_ref: bool) -> Iterator[Row]:
        nobody = Row.absent(len(self.samples))
        for number in range(len(self.sites.rows)):
            row = self.rows.get(number, nobody)
            yield _assume_reference(row, self._unseen(number)) if absent_as_ref else row

    def _unseen(self, number: int) -> NDArray[np.bool_]:
        """Samples of whom a file has records on the site's contig, and says nothing of the site."""
        nobody = np.zeros(len(self.samples), dtype=bool)
        covered = self.covered.get(with_chr(self.sites.rows[number].chrom), nobody)
        return np.asarray(covered & ~self.looked_at.get(number, nobody))


def forget(row: Row, where: NDArray[np.bool_]) -> None:
    """Make what was contradicted unknown."""
    row.alleles[where] = NONE
    row.state[where] = NO_CALL


def _assume_reference(row: Row, unseen: NDArray[np.bool_]) -> Row:
    """Absent sites as 0/0 under a state of their own; what was looked at and not called stays unknown."""
    where = (row.state == ABSENT) & unseen
    assumed = Row(row.alleles.copy(), row.ploidy.copy(), row.phased, row.phase_set, row.dp, row.gq, row.state.copy(),
                  row.source_row, row.filter)
    assumed.alleles[where], assumed.ploidy[where], assumed.state[where] = 0, 2, ASSUMED
    return assumed


def _words(words: Sequence[str], codes: Ints) -> pl.Series:
    """Texts by number; null where -1."""
    if not words:
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(codes))
    return pl.Series(words, dtype=pl.String).gather(
        pl.DataFrame({"n": codes}).select(pl.when(pl.col("n") != NONE).then("n")).to_series())

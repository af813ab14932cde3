"""The dense grid: every sample × every site asked for, filled file by file and turned into ``genotypes``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.errors import GenomeError
from pmed.tables import STATES, TABLES

from .alleles import Sites, with_chr
from .calls import NONE, Calls, Shared
from .coverage import Targets
from .matching import OTHER, Reaching, Said
from .ploidy import copies
from .rows import CALLED, HALF_CALL, REF, Bools, Gone, Ints, Row, SharedRow, deleted, merged

_LAST_CODE = 62  # what a record knows of is a bit set of 63 bits
_CONVINCING = 3
_NUMBERS = ("allele_1", "allele_2", "ploidy", "phase_set", "dp", "gq", "source_row")
_SITE = ("chrom", "pos", "ref", "alt")


@dataclass
class Grid:
    """All sites × all samples of one read.

    `cells` are the rows of the sites that some file says something of; all others, and of known sites these are most,
    are absent. `clash` marks calls that files contradict each other on, `looked_at` counts the records that reach there
    and may have something else than reference, so that absence cannot be taken for it. `gaps` are the rows of sites of
    which a file's records cover some bases only, as they would be if the others were reference.
    `covered` are the samples of whom a file has records on a contig: elsewhere absence says nothing at all. Where
    there are `targets`, neither does it outside them.
    """

    sites: Sites
    samples: Sequence[str]
    targets: Targets | None = None
    filters: list[str] = field(default_factory=list)
    codes: dict[int, dict[object, int]] = field(default_factory=dict)
    covered: dict[str, Bools] = field(default_factory=dict)
    gone: dict[int, Gone] = field(default_factory=dict)
    unsure: dict[tuple[int, str], Bools] = field(default_factory=dict)
    cells: dict[int, SharedRow] = field(default_factory=dict)
    gaps: dict[int, Row] = field(default_factory=dict)

    def cell(self, number: int) -> Row:
        """The row of a site, over all samples, to be written to."""
        held = self.cells.get(number)
        row = Row.absent(len(self.samples)) if held is None else held.whole
        self.cells[number] = SharedRow(row)
        return row

    @cached_property
    def compared(self) -> Ints:
        """(samples,) sites that two files have both called, one of them with a change."""
        return np.zeros(len(self.samples), dtype=np.int64)

    @cached_property
    def clashed(self) -> Ints:
        """(samples,) sites at which files contradict each other."""
        return np.zeros(len(self.samples), dtype=np.int64)

    @cached_property
    def clash(self) -> Bools:
        """(sites, samples) records or files contradict each other."""
        return np.zeros((len(self.sites.rows), len(self.samples)), dtype=bool)

    @cached_property
    def looked_at(self) -> Bools:
        """(sites, samples) how many records reach there."""
        return np.zeros((len(self.sites.rows), len(self.samples)), dtype=np.uint16)

    def filter_code(self, name: str | None) -> int:
        """Number of a FILTER text; -1 for none."""
        if name is None:
            return NONE
        if name not in self.filters:
            self.filters.append(name)
        return self.filters.index(name)

    def row(self, said: Said, calls: Calls, number: int, *, filtered: bool, filter_code: int) -> Row:
        """What one record says of one site, every change with a code of its own."""
        codes = [code if code != OTHER else self._code(said.site, change)
                 for code, change in zip(said.alone, said.changes, strict=True)]
        return Row.of(calls, codes, number, filtered=filtered, filter_code=filter_code, direct=said.direct)

    def _code(self, site: int, change: object) -> int:
        """Number of a change at a site; the sixtieth and those after it share one."""
        here = self.codes.setdefault(site, {})
        return here.setdefault(change, min(OTHER + len(here), _LAST_CODE))

    def put(self, number: int, told: SharedRow, columns: Ints, clash: Bools) -> list[str]:
        """Lay a file's row of a site into the grid; returns the samples that another file contradicts.

        `clash` are those of whom records of the file itself do; in the row they are unknown already.
        """
        if clash.any():
            self.clash[number, columns] |= clash
        if number not in self.cells:
            if np.array_equal(columns, np.arange(len(self.samples))):
                self.cells[number] = told
            else:
                self.cell(number).put(columns, told.whole)
            return []
        row = told.whole
        cell = self.cell(number)
        before = cell.at(columns)
        both = (before.state == CALLED) & (row.state == CALLED)
        self.compared[columns] += both & ((before.alleles > REF) | (row.alleles > REF)).any(axis=1)
        whole, clash = merged(before, row)
        self.clashed[columns] += clash
        self.clash[number, columns] |= clash
        # Once contradicted, a call stays unknown, whatever a third file says.
        whole.forget(self.clash[number, columns])
        cell.put(columns, whole)
        return [self.samples[int(columns[i])] for i in np.flatnonzero(clash)]

    def cover(self, contigs: Iterable[str], columns: Ints) -> None:
        """Remember the contigs on which a file has records of its samples."""
        for contig in self.sites.spans.keys() & set(contigs):
            self.covered.setdefault(contig, np.zeros(len(self.samples), dtype=bool))[columns] = True

    def refuse(self, number: int, columns: Ints) -> None:
        """Remember that a file's record at the site could not be used: its absence is not reference."""
        self.looked_at[number, columns] += 2  # no row of its own, so that none of these is that of `gaps`

    def reach(self, reaching: Reaching | Said, calls: Shared, columns: Ints, ends: Ints, *, filtered: bool) -> None:
        """Remember who may have something else than reference at the site, by a record that spans it or covers part.

        `ends` are the last positions that the record says something about, one for each of the `calls`.
        """
        row = Row.of(calls.calls, reaching.codes, NONE, filtered=filtered, filter_code=NONE, direct=False)
        changed = (row.state != CALLED) | (row.alleles >= OTHER).any(axis=1)
        self.looked_at[reaching.site, columns] += calls.each(
            changed & (ends >= self.sites.rows[reaching.site].pos))

    def leave_gaps(self, number: int, row: Row, columns: Ints) -> None:
        """Remember what the records of a file that cover a part of a site say of it if all else is reference."""
        self.gaps.setdefault(number, Row.absent(len(self.samples))).put(columns, row)

    def must_be_one_person(self) -> None:
        """Check that the files of a sample are of one person.

        Of the sites where one of the two is not reference, strangers differ at three of four (1000 Genomes panel).

        Raises:
            GenomeError: they contradict each other at more than a third of those, and at three or more.
        """
        two = np.flatnonzero((self.clashed >= _CONVINCING) & (self.clashed * 3 > self.compared))
        if len(two):
            name, clashed, compared = self.samples[int(two[0])], self.clashed[two[0]], self.compared[two[0]]
            raise GenomeError(f"its files contradict each other on {clashed} of {compared} sites",
                              where=f"sample {name}", hint="are they of two people? Rename one, or give one at a time")

    def take_away(self, number: int, gone: Gone, columns: Ints) -> None:
        """Remember the strands on which a deletion from further up, of whatever file, leaves no base at a site."""
        if number not in self.gone:
            many = len(self.samples)
            self.gone[number] = Gone(np.zeros((many, 2), dtype=bool), np.ones(many, dtype=bool), np.full(many, NONE))
        here, who = self.gone[number], gone.strands.any(axis=1)
        before = here.strands[columns]
        # Two deletions that no phase compares are on two strands: were they one, there would be one record.
        apart = who & before.any(axis=1) & ~(gone.phased & here.phased[columns]
                                             & (gone.phase_set == here.phase_set[columns]))
        here.strands[columns] = before | gone.strands | apart[:, None]
        here.phased[columns[who]] &= gone.phased[who]
        here.phase_set[columns[who]] = gone.phase_set[who]

    def open(self, number: int, who: Bools, columns: Ints, code: str) -> None:
        """Remember of whom a record near the site has a change of which nobody knows what it leaves there, and why."""
        self.unsure.setdefault((number, code), np.zeros(len(self.samples), dtype=bool))[columns] |= who

    def without_unsure(self) -> Iterator[tuple[int, str, list[str]]]:
        """Make unknown what such a change leaves open; yields sites, why, and the samples.

        A record of the site that shows another allele itself (``*``) needs no help.
        """
        for (number, code), who in self.unsure.items():
            row = self.cell(number)
            lost = who & (row.state <= HALF_CALL) & (row.alleles < OTHER).all(axis=1)
            row.forget(lost)
            if lost.any():
                yield number, code, [self.samples[int(i)] for i in np.flatnonzero(lost)]

    def doubt(self, number: int, who: Bools, columns: Ints) -> None:
        """Remember of whom a record that failed a filter would take the site away."""
        self.cell(number).doubt[columns] |= who

    def without_deleted(self) -> Iterator[tuple[int, str, list[str]]]:
        """Make REF into another allele where the base is gone; yields sites, why, and samples where that is absurd."""
        for number, gone in self.gone.items():
            row = self.cell(number)
            lost = deleted(row, gone)
            row.forget(lost)
            if lost.any():
                yield number, "deleted", [self.samples[int(i)] for i in np.flatnonzero(lost)]

    def frame(self, *, absent_as_ref: bool) -> pl.DataFrame:
        """The ``genotypes`` table."""
        if not self.sites.rows or not self.samples:
            return TABLES["genotypes"].empty()
        for held in self.cells.values():
            held.row.withhold()
            held.row.blank()
        if absent_as_ref:
            self._assume_reference()
        many, wide = len(self.sites.rows), len(self.samples)
        site = pl.DataFrame([one[:4] for one in self.sites.rows], schema=_SITE, orient="row")
        of_site = pl.Series(np.repeat(np.arange(many, dtype=np.uint32), wide))
        sample = pl.concat([pl.Series("sample", self.samples, pl.String)] * many, rechunk=True)
        return site[of_site].with_columns(sample, *self._laid()).select(TABLES["genotypes"].names)

    def _laid(self) -> list[pl.Series]:
        """What is said of every site and sample: the distinct entries, gathered."""
        many, wide = len(self.sites.rows), len(self.samples)
        rows, first = [Row.absent(1)], 1  # the entry of all sites that no file says anything of
        place = np.zeros((many, wide), dtype=np.uint32)
        for number, held in self.cells.items():
            place[number] = np.arange(wide) if held.of is None else held.of
            place[number] += first
            rows.append(held.row)
            first += len(held.row.state)
        where = pl.Series(place.ravel())
        # A column of nothing need not be gathered: in a cohort of genotypes alone, depth and quality are such.
        return [column.clear(many * wide) if column.null_count() == len(column) else column.gather(where)
                for column in self._entries(rows).get_columns()]

    def _entries(self, rows: Sequence[Row]) -> pl.DataFrame:
        """All entries of the rows, one under the other, as ``genotypes`` has them."""
        numbers = {name: _known(_column(rows, name)).cast(TABLES["genotypes"].columns[name].dtype) for name in _NUMBERS}
        return pl.DataFrame({
            "state": _words(STATES, _column(rows, "state")), "filter": _words(self.filters, _column(rows, "filter")),
            "phased": pl.Series(_column(rows, "phased"), dtype=pl.Boolean), **numbers})

    def _assume_reference(self) -> None:
        """Absent sites as 0/0 under a state of their own; what was looked at and not called stays unknown.

        On X (outside the pseudo-autosomal regions) and Y it is not known how many copies there are: 0, and no ploidy.
        """
        for number, site in enumerate(self.sites.rows):
            if (unseen := self._unseen(number, 0)).any():
                ploidy = {"diploid": 2, "mt": 1}.get(copies(self.sites.build, site.chrom, site.pos), NONE)
                self.cell(number).assume(unseen, ploidy)
            if number in self.gaps:  # the record with the change is one that reaches there
                self.cell(number).fill(self._unseen(number, 1), self.gaps[number])

    def _unseen(self, number: int, most: int) -> Bools:
        """Samples of whom a file has records on the site's contig, at most so many of which reach the site."""
        nobody, site = np.zeros(len(self.samples), dtype=bool), self.sites.rows[number]
        chrom = with_chr(site.chrom)
        if self.targets and not self.targets.around(chrom, site.pos, site.pos + len(site.ref) - 1):
            return nobody
        return np.asarray(self.covered.get(chrom, nobody) & (self.looked_at[number] <= most))


def _column(rows: Sequence[Row], name: str) -> NDArray[Any]:
    """One column of the entries of all rows."""
    strand = {"allele_1": 0, "allele_2": 1}.get(name)
    return np.concatenate([getattr(row, name) if strand is None else np.minimum(row.alleles[:, strand], OTHER)
                           for row in rows])


def _words(words: Sequence[str], codes: NDArray[np.generic]) -> pl.Series:
    """Texts by number; null where -1."""
    places = pl.Series(np.where(codes == NONE, len(words), codes).astype(np.uint32))
    return pl.Series([*words, None], dtype=pl.String).gather(places)


def _known(numbers: NDArray[np.generic]) -> pl.Series:
    """Numbers; null where -1."""
    found = pl.Series(numbers)
    return found.set(found == NONE, None)

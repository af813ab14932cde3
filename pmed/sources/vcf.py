"""Genome files (VCF 4.1 to 4.5 plain, gzip or bgzip, BCF; one or many samples) into the dense ``genotypes`` grid.

Positions are 1-based. Each site that was asked for has a row for each sample, so that absence is a row:

========== =========================================================================================
state      meaning
========== =========================================================================================
called     all alleles are known
half-call  one of two alleles is known (``./1``)
no-call    the site was looked at and not called (``./.``, or a call on no reads, on one read for two copies, or of
           GQ 3 or less, which is as likely wrong as right), or its reads (AD), or two records or files,
           contradict each other
filtered   FILTER, or the call's own FT, is neither PASS nor ``.``; unknown unless ``filters = "ignore"``;
           or DP or GQ is below the threshold that was asked for, or not given
absent     no record of the file says anything of the site
assumed-…  absent, and the user said that absent means reference (``absent_as_ref``); never on a contig without
           a single record, nor outside the ``targets``; not where a refused record
           or another allele of a record further up (a deletion) reaches the site
========== =========================================================================================

A gVCF block of reference is a record for each site in it, and a row of ``coverage``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import GenomeError
from ..genomics.alleles import Site, Sites, sites_of
from ..genomics.builds import BUILDS, known_build
from ..genomics.calls import Calls, Ints, Shared, decode_shared
from ..genomics.contigs import MITOCHONDRION
from ..genomics.coverage import Targets, block_rows, copies_rows, target_rows
from ..genomics.doubts import Doubts
from ..genomics.files import kind_of
from ..genomics.grid import Grid
from ..genomics.header import Header, chosen_samples, fills_missing
from ..genomics.local import has_genotype
from ..genomics.matching import Contradiction, Heard, Reaching, Said, matched
from ..genomics.narrowing import in_blocks
from ..genomics.opening import GenomeFile, head_of, on_one_build, opened, other_build
from ..genomics.ploidy import copies
from ..genomics.records import Record
from ..genomics.rows import Gone, Row, SharedRow, joined, reached, spanning, spliced
from ..genomics.structural import Break, breaks, carried, structural_rows
from ..genomics.syntax import Fault
from ..options import option
from ..tables import TABLES
from ..types import ReadRequest, SourceKind

_SUFFIXES = (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf")
_KINDS = ("vcf", "bcf", "array", "cache")
_MOST_NAMED = 3
_MOST_TOLD = 10
_CLASHES = {"duplicate-record": "two records of one site contradict each other",
            "deleted": "a deletion from further up leaves no base for its call",
            "spanned": "a change of unknown copies goes over it",
            "unplaced": "an insertion or deletion behind it may be its own, which only --reference tells",
            "contradiction": "another file says otherwise"}


@dataclass
class Notes:
    """What the records of a file say of one site: its own change (and where), something beside it, a part of it."""

    direct: list[SharedRow] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    beside: list[SharedRow] = field(default_factory=list)
    parts: list[tuple[tuple[int, int], SharedRow]] = field(default_factory=list)


@dataclass(frozen=True)
class VcfSource:
    """VCF genomes, through htslib."""

    name: ClassVar[str] = "vcf"
    kind: ClassVar[SourceKind] = "genome"
    filters: str = option("unknown", choices=("unknown", "ignore"),
                          doc="What a failed FILTER makes of a call: unknown, or nothing.")
    absent_as_ref: bool = option(default=False, doc="Sites missing from the file are reference; every call says so.")
    targets: str = option("", doc="BED file of what was looked at: only there may absent sites be reference.")
    min_dp: int = option(0, doc="Calls with less read depth (DP, MIN_DP), or none given, are unknown.")
    min_gq: int = option(0, doc="Calls with less genotype quality (GQ), or none given, are unknown.")
    reference: str = option("", doc="Indexed FASTA file of the build: indels are moved through repeats with it.")

    def matches(self, path: Path) -> bool:
        """By name, else by the first bytes."""
        return path.name.lower().endswith(_SUFFIXES) or kind_of(path) in _KINDS

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Read all files in one go; the same sample in several files is one sample.

        Raises:
            GenomeError: a file that cannot be read safely, an unknown sample, builds that differ.
        """
        files, sites = self._opened(paths, request)
        return self._tables(files, sites)

    def parts(self, paths: Sequence[Path], request: ReadRequest, people: int) -> Iterator[dict[str, pl.DataFrame]]:
        """What `read` returns, `people` samples at a time where there are more than four times as many."""
        files, sites = self._opened(paths, request)
        names = list(dict.fromkeys(name for file in files for name in file.samples))
        if len(names) <= 4 * people:
            yield self._tables(files, sites)
            return
        blocks = in_blocks(files, [names[start:start + people] for start in range(0, len(names), people)])
        del files
        for block in blocks:
            yield self._tables(block, sites)

    def cut(self, paths: Sequence[Path], request: ReadRequest, people: int) -> Iterator[tuple[tuple[str, ...], bytes]]:
        """VCF or BCF files opened once and cut into blocks of `people` samples, each for `read_cut` of any process."""
        from ..genomics.cut import packed

        files, _ = self._opened(paths, request)
        names = list(dict.fromkeys(name for file in files for name in file.samples))
        blocks = [tuple(names[start:start + people]) for start in range(0, len(names), people)]
        cut = in_blocks(files, blocks)
        del files
        for block, some in zip(blocks, cut, strict=True):
            yield block, packed(some)

    def read_cut(self, data: bytes, request: ReadRequest) -> dict[str, pl.DataFrame]:
        """What `read` returns, of one block that `cut` gave."""
        from ..genomics.cut import unpacked

        files = unpacked(data)
        return self._tables(files, self._sites(request, [file.header for file in files])[files[0].build])

    def _opened(self, paths: Sequence[Path], request: ReadRequest) -> tuple[list[GenomeFile], Sites]:
        """The files with the records that reach a site, all on one build, and the sites of that build."""
        headers = [head_of(path) for path in paths]
        _must_differ([header for header in headers if header.kind == "array"])
        chosen = chosen_samples(headers, request.samples)
        wanted = self._sites(request, headers)
        files = on_one_build([opened(header, names, wanted, request.build)
                              for header, names in zip(headers, chosen, strict=True) if names])
        _must_have_genotypes(files)
        return files, wanted[files[0].build]

    def _tables(self, files: Sequence[GenomeFile], sites: Sites) -> dict[str, pl.DataFrame]:
        names = list(dict.fromkeys(name for file in files for name in file.samples))
        targets = Targets.of(Path(self.targets)) if self.targets else None
        grid = Grid(sites, names, targets=targets)
        coverage = target_rows(targets, sites, names) if targets else []
        issues = [issue for file in files for issue in self._fill(grid, file, coverage)]
        grid.must_be_one_person()
        for number, code, lost in chain(grid.without_deleted(), grid.without_unsure()):
            site = sites.rows[number]
            issues += _told(files[0], site, f"{site.chrom}:{site.pos}", code, lost)
        other, many = other_build(files)
        if other:
            text = f"no record fits a known site of {files[0].build}, and {many} fit {other}: check the build; " \
                   "absence is not taken for reference"
            issues.append(_issue(files[0], "", "build-doubtful", text))
        return {"samples": _samples(files, grid.samples), "issues": TABLES["issues"].frame(_capped(issues)),
                "coverage": TABLES["coverage"].frame(coverage),
                "genotypes": grid.frame(absent_as_ref=self.absent_as_ref and not other)}

    def _sites(self, request: ReadRequest, headers: Sequence[Header]) -> dict[str, Sites]:
        """The sites of each build; a reference sequence is of one build, which all files must be on."""
        wanted = {build: sites_of(request.sites, build) for build in BUILDS}
        if self.reference:
            from ..genomics.reference import Reference

            build = next((known for header in headers if (known := known_build(header, request.build)[0])), "")
            if not build:
                raise GenomeError("a reference sequence needs a genome whose build is known",
                                  where=str(headers[0].path), hint="pass --build GRCh38 or --build GRCh37")
            reference = Reference(Path(self.reference))
            reference.must_fit(wanted[build])
            wanted[build] = replace(wanted[build], reference=reference)
        return wanted

    def _fill(self, grid: Grid, file: GenomeFile, coverage: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Put one file into the grid and its blocks into `coverage`; yields ``issues`` rows."""
        if file.build_from == "inferred":
            matches = file.evidence[file.build].matches
            text = f"the header names no build: {file.build} was inferred from {matches} known sites"
            yield _issue(file, "", "build-inferred", text)
        yield from _faults(file, file.read.faults)
        if file.read.contigs.isdisjoint(grid.sites.spans):
            yield _issue(file, "", "nothing-known", "no record is on a contig with a known site: nothing was read")
        take, columns = (_places(names, file.samples) for names in (file.header.samples, grid.samples))
        grid.cover(file.read.contigs, columns)
        heard = [(record, list(matched(record, grid.sites))) for record in file.read.records]
        yield from _refused(grid, file, heard, columns)
        used = [(record, here) for record, everything in heard
                if (here := [one for one in everything if not isinstance(one, Contradiction)]) or _breaks(record)]
        notes: dict[int, Notes] = {}
        doubts, filled = Doubts(), fills_missing(file.header) and not self.absent_as_ref
        decoded, faults = decode_shared([record for record, _ in used], len(file.header.samples))
        yield from _faults(file, faults)
        for (record, here), everybody in zip(used, decoded, strict=True):
            calls = doubts.taken(everybody.at(take), min_dp=self.min_dp, min_gq=self.min_gq,
                                 filters=self.filters == "unknown", mixture=record.chrom == MITOCHONDRION,
                                 may_be_filled=filled)
            yield from _polyploid(file, record, calls)
            if record.is_block:
                coverage.extend(block_rows(record, calls.whole, file.samples))
            several = np.zeros(len(file.samples), dtype=bool)
            for one in here:
                if isinstance(one, Reaching) or (isinstance(one, Said)
                                                 and (one.part or calls.calls.length is not None)):
                    ends = calls.calls.ends(record.pos, record.last)
                    grid.reach(one, calls, columns, ends, filtered=self._failed(record))
                if isinstance(one, Reaching) and (calls.calls.copies is not None
                                                  or any(one.gone) or any(one.unsure) or any(one.more)):
                    more = self._spanned(grid, record, one, calls.whole, columns)
                    yield from _more(file, record, grid.sites.rows[one.site].name, more)
                    several |= more
            coverage.extend(copies_rows(record, several, file.samples))
            coverage.extend(self._broken(grid, record, calls, file.samples, several))
            self._sort(grid, record, here, calls, notes)
        yield from (_issue(file, "", code, text) for code, text in doubts.told())
        yield from _settled(grid, file, notes, columns)

    def _broken(self, grid: Grid, record: Record, calls: Shared, samples: Sequence[str],
                several: NDArray[np.bool_]) -> Iterator[dict[str, Any]]:
        """``coverage`` rows of the structural changes that a record tells of; more copies of `several` are there."""
        if (some := _breaks(record)) and not self._failed(record):
            usual = 2 if copies(grid.sites.build, record.chrom, record.pos) == "diploid" else 1
            whole = calls.whole
            yield from structural_rows(((one, kind, who & ~whole.failed & ~(several & (kind == "more-copies")))
                                        for one, kind, who in carried(some, whole, usual)), samples)

    def _spanned(self, grid: Grid, record: Record, one: Reaching, calls: Calls, columns: Ints) -> NDArray[np.bool_]:
        """Note what a record that goes over a site leaves of it; the samples of whom it adds copies."""
        failed, gone, site = calls.failed | self._failed(record), Gone.of(calls, one.gone), grid.sites.rows[one.site]
        diploid = copies(grid.sites.build, site.chrom, site.pos) == "diploid"
        unsure, more = spanning(calls, one.unsure, one.more, diploid=diploid)
        grid.take_away(one.site, gone.but(failed), columns)
        grid.open(one.site, unsure & ~failed, columns, "unplaced" if one.moved else "spanned")
        grid.doubt(one.site, (gone.strands.any(axis=1) | unsure) & failed, columns)
        return np.asarray(more & ~failed)

    def _sort(self, grid: Grid, record: Record, here: Sequence[Heard], calls: Shared,
              notes: dict[int, Notes]) -> None:
        """Note what one record says of each site."""
        for one in here:
            if isinstance(one, Said):
                note, row = notes.setdefault(one.site, Notes()), self._row(grid, record, calls, one)
                (note.direct if one.direct else note.beside).append(row)
                note.places += [record.where] if one.direct else []
                if one.part is not None:
                    note.parts.append((one.part, self._row(grid, record, calls, one._replace(part=None))))

    def _row(self, grid: Grid, record: Record, calls: Shared, heard: Said) -> SharedRow:
        row = grid.row(heard, calls.calls, record.number, filtered=self._failed(record),
                       filter_code=grid.filter_code(record.filter))
        event = grid.sites.rows[heard.site].event
        row.leave_out(calls.calls.ends(record.pos, record.last) < min(record.last, event.pos + len(event.ref) - 1))
        return SharedRow(row, calls.of)

    def _failed(self, record: Record) -> bool:
        return self.filters == "unknown" and record.filter not in (None, "PASS")



def _must_differ(arrays: Sequence[Header]) -> None:
    """An array's sample has the name of its file, and companies name all files alike."""
    for number, header in enumerate(arrays):
        if header.samples in [other.samples for other in arrays[:number]]:
            raise GenomeError(f"two exports of arrays would both be sample {header.samples[0]!r}",
                              where=str(header.path), hint="rename one of the files")


def _must_have_genotypes(files: Sequence[GenomeFile]) -> None:
    """Records without GT call nobody: beside other files that is told, alone it is no genome."""
    records = [record for file in files for record in file.read.records]
    if records and not any(has_genotype(record.format.split(":")) for record in records):
        raise GenomeError("has no genotypes: no record at a known site has a GT", where=str(files[0].header.path),
                          hint="give the VCF with the sample's genotypes")


def _faults(file: GenomeFile, faults: Iterable[Fault]) -> Iterator[dict[str, Any]]:
    """What is wrong with how a file is written."""
    return (_issue(file, fault.where, fault.code, fault.text) for fault in faults)


def _capped(issues: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A few of each kind and file, and how many more there are: what is everywhere is not told for ever."""
    kinds: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for issue in issues:
        kinds.setdefault((issue["file"], issue["code"]), []).append(issue)
    more = "and in {} more places"
    return [one for some in kinds.values() for one in (*some[:_MOST_TOLD], *(
        [{**some[0], "place": None, "text": more.format(len(some) - _MOST_TOLD)}] if len(some) > _MOST_TOLD else []))]


def _refused(grid: Grid, file: GenomeFile, heard: Iterable[tuple[Record, Sequence[Heard]]],
             columns: Ints) -> Iterator[dict[str, Any]]:
    """Records whose REF contradicts a site: not used there, and absence is not reference there either."""
    for record, everything in heard:
        for one in everything:
            if isinstance(one, Contradiction):
                site = grid.sites.rows[one.site]
                text = f"REF {record.ref} is not the {site.ref} known at {site.name}: the record was not used there"
                yield _issue(file, record.where, "ref-mismatch", text)
                grid.refuse(one.site, columns)


def _settled(grid: Grid, file: GenomeFile, notes: Mapping[int, Notes], columns: Ints) -> Iterator[dict[str, Any]]:
    """Put what a file's records say of each site into the grid, joined."""
    for number, note in notes.items():
        site = grid.sites.rows[number]
        first = site.event.pos
        row, clash, gaps = _joined(note, first, first + len(site.event.ref) - 1, len(columns))
        if gaps is not None:
            grid.leave_gaps(number, gaps, columns)
        yield from _repeated(file, site, note)
        place = note.places[-1] if len(note.places) > 1 else f"{site.chrom}:{site.pos}"
        yield from _told(file, site, place, "duplicate-record", [file.samples[i] for i in np.flatnonzero(clash)])
        here = f"{site.chrom}:{site.pos}"
        yield from _told(file, site, here, "contradiction", grid.put(number, row, columns, clash))


def _joined(note: Notes, first: int, last: int,
            samples: int) -> tuple[SharedRow, NDArray[np.bool_], Row | None]:
    """One row of what is noted of a site from `first` to `last`, and the samples of which records differ.

    Where the records cover only some of the site, also what they would say if the rest of it were reference.
    """
    told = [*note.direct, *note.beside]
    if len(told) == 1 and not note.parts:  # nothing to put together, and so nothing to spread over the samples
        return told[0], np.zeros(samples, dtype=bool), None
    parts = [(part, one.whole) for part, one in note.parts]
    rows = [spliced([row for _, row in parts], samples)] if parts else []
    seen = reached(parts, first, last)
    direct, beside = ([one.whole for one in some] for some in (note.direct, note.beside))
    row, clash = joined(direct, [*beside, *(rows if seen else [])], samples)
    return SharedRow(row), clash, rows[0] if rows and not (seen or direct) else None


def _repeated(file: GenomeFile, site: Site, note: Notes) -> Iterator[dict[str, Any]]:
    for place in note.places[1:]:
        text = f"the change at {site.name} is written more than once"
        yield _issue(file, place, "duplicate-record", text) | {"severity": "info"}


def _breaks(record: Record) -> list[Break]:
    """The structural changes that a record tells of."""
    return list(breaks(record.chrom, record.pos, record.last, record.alts, record.format))


def _places(names: Sequence[str], wanted: Sequence[str]) -> Ints:
    at = {name: place for place, name in enumerate(names)}
    return np.array([at[name] for name in wanted], dtype=np.int64)


def _samples(files: Sequence[GenomeFile], names: Sequence[str]) -> pl.DataFrame:
    mine: dict[str, list[GenomeFile]] = {name: [] for name in names}
    for file in files:
        for name in file.samples:
            mine[name].append(file)
    return TABLES["samples"].frame(
        {"sample": name, "patient_id": name, "build": where[0].build, "build_from": where[0].build_from,
         "source": ", ".join(file.header.path.name for file in where)} for name, where in mine.items())


def _polyploid(file: GenomeFile, record: Record, calls: Shared) -> Iterator[dict[str, Any]]:
    if not (calls.calls.ploidy > 2).any():
        return
    many = [file.samples[i] for i in np.flatnonzero(calls.each(calls.calls.ploidy > 2))]
    if many:
        yield _issue(file, record.where, "polyploid", f"more than two alleles in {_some(many)}: not called")


def _more(file: GenomeFile, record: Record, site: str, who: NDArray[np.bool_]) -> Iterator[dict[str, Any]]:
    if names := [file.samples[i] for i in np.flatnonzero(who)]:
        yield _issue(file, record.where, "more-copies", f"more copies than usual of {site} in {_some(names)}: its "
                                                        "genotype is used, the copies are not counted")


def _told(file: GenomeFile, site: Site, place: str, code: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    if names:
        yield _issue(file, place, code, f"{_CLASHES[code]}: {site.name} was not called in {_some(names)}")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _issue(file: GenomeFile, place: str, code: str, text: str) -> dict[str, Any]:
    where = place.removeprefix(str(file.header.path)).strip()
    return {"file": file.header.path.name, "place": where or None, "severity": "warning", "code": code, "text": text}

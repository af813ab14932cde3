"""VCF genomes (4.1 to 4.5, plain, gzip or bgzip, one or many samples) into the dense ``genotypes`` grid.

Positions are 1-based. Each site that was asked for has a row for each sample, so that absence is a row:

========== =========================================================================================
state      meaning
========== =========================================================================================
called     all alleles are known
half-call  one of two alleles is known (``./1``)
no-call    the site was looked at and not called (``./.``), or two records or files contradict each other
filtered   FILTER, or the call's own FT, is neither PASS nor ``.``; unknown unless ``filters = "ignore"``
absent     no record of the file says anything of the site
assumed-…  absent, and the user said that absent means reference (``absent_as_ref``); never on a contig without
           a single record; not where a refused record
           or another allele of a record further up (a deletion) reaches the site
========== =========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from ..errors import GenomeError
from ..genomics.alleles import Site, Sites, positions
from ..genomics.builds import BUILDS, Evidence, inferred_build, known_build, must_not_contradict
from ..genomics.calls import Calls, Ints, decode
from ..genomics.files import looks_like_vcf
from ..genomics.grid import Grid, Row, forget, joined
from ..genomics.header import Header, chosen_samples, read_header
from ..genomics.matching import Contradiction, Heard, Reaching, Said, matched
from ..genomics.records import Record, read_records
from ..options import option
from ..tables import TABLES
from ..types import ReadRequest, SourceKind

_SUFFIXES = (".vcf", ".vcf.gz", ".vcf.bgz")
_MOST_NAMED = 3
_CLASHES = {"duplicate-record": "two records of one site contradict each other",
            "contradiction": "another file says otherwise"}


@dataclass(frozen=True)
class File:
    """One file of a read: its head, the samples to take, its build and its records."""

    header: Header
    samples: tuple[str, ...]
    build: str
    build_from: str
    evidence: Evidence
    records: Sequence[Record]
    contigs: Set[str]


@dataclass(frozen=True)
class VcfSource:
    """VCF genomes, through htslib."""

    name: ClassVar[str] = "vcf"
    kind: ClassVar[SourceKind] = "genome"
    filters: str = option("unknown", choices=("unknown", "ignore"),
                          doc="What a failed FILTER makes of a call: unknown, or nothing.")
    absent_as_ref: bool = option(default=False, doc="Sites missing from the file are reference; every call says so.")

    def matches(self, path: Path) -> bool:
        """By name, else by the first bytes."""
        return path.name.lower().endswith(_SUFFIXES) or looks_like_vcf(path)

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Read all files in one go; the same sample in several files is one sample.

        Raises:
            GenomeError: a file that cannot be read safely, an unknown sample, builds that differ.
        """
        headers = [read_header(path) for path in paths]
        chosen = chosen_samples(headers, request.samples)
        wanted = {build: Sites.of(request.sites, build) for build in BUILDS}
        files = [_open(header, names, wanted, request.build)
                 for header, names in zip(headers, chosen, strict=True) if names]
        build = _one_build(files)
        grid = Grid(wanted[build], list(dict.fromkeys(name for file in files for name in file.samples)))
        issues = [issue for file in files for issue in self._fill(grid, file)]
        return {"samples": _samples(files, grid.samples), "issues": TABLES["issues"].frame(issues),
                "genotypes": grid.frame(absent_as_ref=self.absent_as_ref)}

    def _fill(self, grid: Grid, file: File) -> Iterator[dict[str, Any]]:
        """Put one file into the grid; yields ``issues`` rows."""
        if file.build_from == "inferred":
            text = f"the header names no build: {file.build} was inferred from {file.evidence.matches} known sites"
            yield _issue(file, "", "build-inferred", text)
        take, columns = (_places(names, file.samples) for names in (file.header.samples, grid.samples))
        grid.cover(file.contigs, columns)
        heard = [(record, self._heard(record, grid.sites)) for record in file.records]
        yield from _refused(grid, file, heard, columns)
        used = [(record, here) for record, everything in heard
                if (here := [one for one in everything if not isinstance(one, Contradiction)])]
        said: dict[int, tuple[list[Row], list[Row]]] = {}
        decoded = decode([record for record, _ in used], len(file.header.samples))
        for (record, here), everybody in zip(used, decoded, strict=True):
            calls = self._taken(everybody, take)
            yield from _polyploid(file, record, calls)
            for site, direct, row in self._sort(grid, record, here, calls, columns):
                said.setdefault(site, ([], []))[not direct].append(row)
        yield from _settled(grid, file, said, columns)

    def _heard(self, record: Record, sites: Sites) -> list[Heard]:
        """What a record says of the sites; one that only spans a site matters where absence is to be reference."""
        return [one for one in matched(record, sites) if self.absent_as_ref or not isinstance(one, Reaching)]

    def _sort(self, grid: Grid, record: Record, here: Sequence[Said | Reaching], calls: Calls,
              columns: Ints) -> Iterator[tuple[int, bool, Row]]:
        """(site, direct, row) of what one record says; what it spans goes to the grid."""
        for one in here:
            if isinstance(one, Reaching):
                grid.reach(one, calls, columns, filtered=self._failed(record))
            else:
                yield one.site, one.direct, self._row(grid, record, calls, one)

    def _row(self, grid: Grid, record: Record, calls: Calls, heard: Said) -> Row:
        return Row.of(calls, heard, record.number, filtered=self._failed(record),
                      filter_code=grid.filter_code(record.filter))

    def _failed(self, record: Record) -> bool:
        return self.filters == "unknown" and record.filter not in (None, "PASS")

    def _taken(self, calls: Calls, take: Ints) -> Calls:
        """The chosen samples; a failed FT counts only where a failed FILTER would."""
        failed = calls.failed & (self.filters == "unknown")
        return Calls(**{name: values[take] for name, values in {**vars(calls), "failed": failed}.items()})


def _refused(grid: Grid, file: File, heard: Iterable[tuple[Record, Sequence[Heard]]],
             columns: Ints) -> Iterator[dict[str, Any]]:
    """Records whose REF contradicts a site: not used there, and absence is not reference there either."""
    for record, everything in heard:
        for one in everything:
            if isinstance(one, Contradiction):
                site = grid.sites.rows[one.site]
                text = f"REF {record.ref} is not the {site.ref} known at {site.name}: the record was not used there"
                yield _issue(file, record.where, "ref-mismatch", text)
                grid.refuse(one.site, columns)


def _settled(grid: Grid, file: File, said: Mapping[int, tuple[list[Row], list[Row]]],
             columns: Ints) -> Iterator[dict[str, Any]]:
    """Put what a file's records say of each site into the grid, joined."""
    for number, (direct, beside) in said.items():
        row, clash = joined(direct, beside, len(columns))
        forget(row, clash)
        twice = [file.samples[i] for i in np.flatnonzero(clash)]
        site = grid.sites.rows[number]
        yield from _told(file, site, "duplicate-record", twice)
        yield from _told(file, site, "contradiction", grid.put(number, row, columns))


def _open(header: Header, samples: tuple[str, ...], wanted: Mapping[str, Sites], stated: str) -> File:
    build, how = known_build(header, stated)
    builds = [name for name in BUILDS if wanted[name].rows]
    records, contigs = read_records(header, positions(wanted[name] for name in builds))
    evidence = {name: _evidence(records, wanted[name]) for name in builds}
    if build:
        must_not_contradict(header, build, evidence)
    else:
        build, how = inferred_build(header, evidence), "inferred"
    return File(header, samples, build, how, evidence.get(build, Evidence(0, 0)), records, contigs)


def _evidence(records: Iterable[Record], sites: Sites) -> Evidence:
    """Records that carry a known change or rsID of a site, and records whose REF contradicts it."""
    matches = against = 0
    for record in records:
        heard = list(matched(record, sites))
        said = [one for one in heard if isinstance(one, Said)]
        matches += any(one.direct or sites.rows[one.site].name in record.ids for one in said)
        against += len(said) < len(heard)
    return Evidence(matches, against)


def _one_build(files: Sequence[File]) -> str:
    builds = {file.build: file for file in files}
    if len(builds) > 1:
        names = ", ".join(f"{file.header.path.name} is {build}" for build, file in builds.items())
        raise GenomeError(f"files of one run are on different builds: {names}", where=str(files[0].header.path))
    return files[0].build


def _places(names: Sequence[str], wanted: Sequence[str]) -> Ints:
    at = {name: place for place, name in enumerate(names)}
    return np.array([at[name] for name in wanted], dtype=np.int64)


def _samples(files: Sequence[File], names: Sequence[str]) -> pl.DataFrame:
    mine: dict[str, list[File]] = {name: [] for name in names}
    for file in files:
        for name in file.samples:
            mine[name].append(file)
    return TABLES["samples"].frame(
        {"sample": name, "patient_id": name, "build": where[0].build, "build_from": where[0].build_from,
         "source": ", ".join(file.header.path.name for file in where)} for name, where in mine.items())


def _polyploid(file: File, record: Record, calls: Calls) -> Iterator[dict[str, Any]]:
    many = [file.samples[i] for i in np.flatnonzero(calls.ploidy > 2)]
    if many:
        yield _issue(file, record.where, "polyploid", f"more than two alleles in {_some(many)}: not called")


def _told(file: File, site: Site, code: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    if names:
        text = f"{_CLASHES[code]}: {site.name} was not called in {_some(names)}"
        yield _issue(file, f"{site.chrom}:{site.pos}", code, text)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _issue(file: File, place: str, code: str, text: str) -> dict[str, Any]:
    where = place.removeprefix(str(file.header.path)).strip()
    return {"file": file.header.path.name, "place": where or None, "severity": "warning", "code": code, "text": text}

"""One genome file opened: its head, whom to take of it, its build, and the records that reach a known site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pmed.errors import GenomeError

from .alleles import Sites, positions
from .builds import BUILDS, Evidence, foreign_contigs, inferred_build, known_build, must_fit, must_not_contradict
from .files import kind_of
from .header import Header, read_header
from .matching import Contradiction, Said, matched
from .records import Positions, Read, Record, read_records


@dataclass(frozen=True)
class GenomeFile:
    """One file of a read: its head, the samples to take, its build and how that is known, and its records.

    `evidence` is by build; a file with nothing to tell its build by has none until `on_one_build`.
    """

    header: Header
    samples: tuple[str, ...]
    build: str
    build_from: str
    evidence: Mapping[str, Evidence]
    read: Read


def head_of(path: Path) -> Header:
    """The head of a genome file of any kind.

    Raises:
        GenomeError: it is not there, not whole, or not what its first bytes promise.
    """
    kind = kind_of(path)
    if kind == "array":
        from .arrays import read_array_header as read_head
    elif kind == "cache":
        from .cache import read_cache_header as read_head
    else:
        read_head = read_header
    return read_head(path)


def opened(header: Header, samples: tuple[str, ...], wanted: Mapping[str, Sites], stated: str) -> GenomeFile:
    """Read what the file says of the sites `wanted`, by build; `stated` is the build that the user gave, or "".

    Raises:
        GenomeError: a malformed record, or a build that is unknown, contradicted or not the one stated.
    """
    if header.kind == "array":
        return _opened_array(header, samples, wanted, stated)
    build, how = known_build(header, stated)
    builds = [name for name in BUILDS if wanted[name].rows]
    near = positions(wanted[name] for name in builds)
    read = _read(header, near)
    read.leave_out(foreign_contigs(header, build))
    evidence = {name: _evidence(read.records, wanted[name]) for name in builds}
    build, how = _settled(header, build, how, evidence)
    must_fit(header, build, evidence)
    read.leave_out(foreign_contigs(header, build))
    return GenomeFile(header, samples, build, how, evidence, read)


def _read(header: Header, near: Positions) -> Read:
    if header.kind == "cache":
        from .cache import read_cache

        return read_cache(header, near)
    return read_records(header, near)


def _opened_array(header: Header, samples: tuple[str, ...], wanted: Mapping[str, Sites], stated: str) -> GenomeFile:
    """An export of an array: which build it is on must be known before its rows mean anything."""
    from .arrays import array_evidence, array_rows, read_array

    build, how = known_build(header, stated)
    rows = array_rows(header)
    evidence = array_evidence(rows, wanted.values())
    build, how = _settled(header, build, how, evidence)
    if not build:
        inferred_build(header, evidence)
    read = read_array(header, [wanted[build]], rows)
    return GenomeFile(header, samples, build, how, evidence, read)


def _settled(header: Header, build: str, how: str, evidence: Mapping[str, Evidence]) -> tuple[str, str]:
    """The build, checked against the records, or inferred from them; none where they say nothing for any."""
    if not build and not any(found.matches for found in evidence.values()):
        return "", ""
    if not build:
        return inferred_build(header, evidence), "inferred"
    must_not_contradict(header, build, evidence)
    return build, how


def _evidence(records: Iterable[Record], sites: Sites) -> Evidence:
    """Records that carry a known change or rsID of a site, and records whose REF contradicts it."""
    matches = against = 0
    for record in records:
        heard = list(matched(record, sites))
        said = [one for one in heard if isinstance(one, Said)]
        matches += any(one.direct or sites.rows[one.site].name in record.ids for one in said)
        against += any(isinstance(one, Contradiction) for one in heard)
    return Evidence(matches, against)


def on_one_build(files: Sequence[GenomeFile]) -> list[GenomeFile]:
    """The files of a run, those that do not tell their build on that of the others.

    Raises:
        GenomeError: they are on two builds, or nothing tells the build of one that has other REFs at known sites.
    """
    builds = {file.build: file for file in files if file.build}
    if len(builds) > 1:
        names = ", ".join(f"{file.header.path.name} is {build}" for build, file in builds.items())
        raise GenomeError(f"files of one run are on different builds: {names}", where=str(files[0].header.path))
    build = next(iter(builds), "")
    return [file if file.build else _taken(file, build) for file in files]


def other_build(files: Sequence[GenomeFile]) -> tuple[str, int]:
    """A build that records of a run fit, and how many, where none fits the build that is stated; ("", 0) as a rule.

    So few that they may be chance: with more, `must_not_contradict` refuses the file.
    """
    fitting = {build: sum(file.evidence[build].matches for file in files
                          if build in file.evidence and (build == file.build or file.evidence[build].fits))
               for build in BUILDS}
    best = max(fitting, key=lambda build: fitting[build])
    return (best, fitting[best]) if fitting[best] and not fitting.get(files[0].build) else ("", 0)


def _taken(file: GenomeFile, build: str) -> GenomeFile:
    if not build or file.evidence.get(build, Evidence(0, 0)).against:
        inferred_build(file.header, file.evidence)
    file.read.leave_out(foreign_contigs(file.header, build))
    return replace(file, build=build, build_from="other files")

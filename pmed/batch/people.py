"""Who is there: the records and genomes of a cohort, whose they are, and the files that each report rests on."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..engine import Engine
from ..errors import InputError, PmedError
from ..genomics.opening import head_of
from ..provenance import describe_inputs
from ..stages.link import link
from ..stages.read import READ_TABLES, read
from ..tables import TABLES
from ..types import ReadRequest

TOGETHER = 64  # people, or files of a person each, that are worked on at a time
Input = dict[str, Any]
_HIDDEN = "."
_UNREAD = "it cannot be read, and may be about this patient; the file was left out"


@dataclass(frozen=True)
class Part:
    """Records that are read together.

    Attributes:
        paths: The files.
        kept: Folder with the tables of these people, where their source is shared by more; None to read `paths`.
        patients: Patient → names of the files that its rows came from.
        inputs: What provenance says of each path.
        damaged: Files that cannot be read, and who of these patients they may be about.
    """

    paths: tuple[Path, ...]
    kept: Path | None
    patients: Mapping[str, frozenset[str]]
    inputs: Mapping[Path, list[Input]]
    damaged: Mapping[Path, frozenset[str]] = field(default_factory=dict)

    def tables(self, sources: Sequence[Any], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """The records as tables, and what is unknown for files that cannot be read."""
        made = (read(sources, "history", self.paths, request) if self.kept is None else
                {name: pl.read_ipc(self.kept / f"{name}.arrow") for name in READ_TABLES})
        return {**made, "issues": pl.concat([made["issues"], self._unread()])} if self.damaged else made

    def _unread(self) -> pl.DataFrame:
        return TABLES["issues"].frame([unread_file(path, patient) for path, mine in self.damaged.items()
                                       for patient in sorted(mine)])

    def inputs_of(self, patient: str) -> list[Input]:
        """The files that one patient's record came from; all, where its rows do not say."""
        named = self.patients[patient]
        mine = [row for rows in self.inputs.values() for row in rows if Path(row["file"]).name in named]
        unread = [row for path, whom in self.damaged.items() if patient in whom for row in describe_inputs((), [path])]
        return [*(mine or [row for rows in self.inputs.values() for row in rows]), *unread]


@dataclass(frozen=True)
class Found:
    """What was found in some files: parts, and files that could not be read, with the reason."""

    parts: tuple[Part, ...] = ()
    unread: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """One report to write: the patient, its sample ("" without), genome files, and the inputs with their hashes.

    `stated` says that names or the user say whose the genome is, and not that there is only one of each; `alike` is
    what to tell of other people whose ids are nearly this one.
    """

    patient_id: str
    sample: str
    genome: tuple[Path, ...]
    inputs: tuple[Input, ...]
    key: str = ""
    stated: bool = True
    alike: str = ""


def groups(sources: Sequence[Any], paths: Iterable[Path]) -> list[tuple[Path, ...]]:
    """Record files that can be read without each other, so many at a time; first, all others together.

    A source says by ``apart(path)`` that a file holds whole records; of a folder, its files are asked.
    """
    alone, shared = [], []
    for path in paths:
        inside = [one for one in sorted(path.iterdir()) if not one.name.startswith(_HIDDEN)] if path.is_dir() else []
        by_itself = getattr(source_of(sources, path), "apart", lambda _: False)
        files = [one for one in inside if one.is_file()] if path.is_dir() else [path]
        if files and all(map(by_itself, files)):
            alone += files
        else:
            shared.append(path)
    return [*([tuple(shared)] if shared else []), *chunks(alone, TOGETHER)]


def unread_file(path: Path, patient: str) -> dict[str, Any]:
    """A row of ``issues`` about a file that cannot be read and may be about a patient."""
    return {"file": path.name, "place": "", "severity": "error", "code": "bad-file", "text": _UNREAD,
            "patient_id": patient}


def source_of(sources: Sequence[Any], path: Path) -> Any:
    """What reads these records, or None."""
    return next((one.made for one in sources if one.made.kind == "history" and (
        getattr(one.made, "folders", False) or not path.is_dir()) and one.made.matches(path)), None)


def chunks(items: Sequence[Any], number: int) -> Iterator[tuple[Any, ...]]:
    """`items`, `number` at a time."""
    return (tuple(items[start:start + number]) for start in range(0, len(items), number))


def look(engine: Engine, paths: Sequence[Path], request: ReadRequest, folder: Path) -> Found:
    """Read some records to see whose they are; a file that cannot be read costs only itself.

    Args:
        engine: For its sources.
        paths: Files that are read together.
        request: As for any read.
        folder: For the tables of a source that many share, so that it is read once.
    """
    try:
        tables = read(engine.sources, "history", paths, request)
    except PmedError as error:
        if len(paths) == 1 or not all(is_apart(engine.sources, path) for path in paths):
            return Found(unread={path: str(error) for path in paths})
        half = len(paths) // 2
        return joined([look(engine, some, request, folder) for some in (paths[:half], paths[half:])])
    inputs = {path: describe_inputs((), [path]) for path in paths}
    names = _file_names(tables)
    patients = {one: frozenset(names[one]) for one in tables["patients"]["patient_id"]}
    if len(patients) <= TOGETHER:
        return Found((Part(tuple(paths), None, patients, inputs),))
    return Found(tuple(Part(tuple(paths), _keep(tables, some, folder), {one: patients[one] for one in some}, inputs)
                       for some in chunks(list(patients), TOGETHER)))


def is_apart(sources: Sequence[Any], path: Path) -> bool:
    """Whether a file holds whole records, by what any source says."""
    return any(getattr(one.made, "apart", lambda _: False)(path) for one in sources)


def joined(found: Iterable[Found]) -> Found:
    """Several as one."""
    every = list(found)
    return Found(tuple(part for one in every for part in one.parts),
                 {path: why for one in every for path, why in one.unread.items()})


def _file_names(tables: Mapping[str, pl.DataFrame]) -> dict[str, set[str]]:
    """Patient → names of the files that any of its rows came from."""
    names: dict[str, set[str]] = defaultdict(set)
    for frame in tables.values():
        if {"patient_id", "source"} <= set(frame.columns):
            said = pl.col("source").str.split("#").list.first()
            for patient, name in frame.select("patient_id", said).drop_nulls().unique().iter_rows():
                names[patient].add(Path(name).name)
    return names


def _keep(tables: Mapping[str, pl.DataFrame], some: Sequence[str], folder: Path) -> Path:
    """The tables of some people in a folder of their own."""
    place = Path(tempfile.mkdtemp(dir=folder))
    for name in READ_TABLES:
        rows_of(tables[name], some).write_ipc(place / f"{name}.arrow")
    return place


def rows_of(frame: pl.DataFrame, patients: Sequence[str]) -> pl.DataFrame:
    """The rows of these patients and those of nobody in particular; a table without patients is given whole."""
    if "patient_id" not in frame.columns:
        return frame
    return frame.filter(pl.col("patient_id").is_in(list(patients)) | pl.col("patient_id").is_null())


def shared_patients(parts: Iterable[Part]) -> list[Path]:
    """The files of all parts that have a patient in common: only together do they tell whole records.

    Files are in the order given, as one run would read them.
    """
    seen: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        for patient in part.patients:
            seen[patient].append(part)
    return list(dict.fromkeys(path for some in seen.values() if len(some) > 1 for part in some for path in part.paths))


def samples_of(genome: Sequence[Path], wanted: Iterable[str]) -> dict[str, tuple[Path, ...]]:
    """Sample → the genome files that it is in, in the order given.

    Raises:
        GenomeError: for a file that is none.
        InputError: for a wanted sample that is in none.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in genome:
        for name in head_of(path).samples:
            found[name].append(path)
    chosen = list(wanted) or list(found)
    if missing := [name for name in chosen if name not in found]:
        raise InputError(f"no sample {missing[0]!r} in any genome file", where=str(genome[0]) if genome else "",
                         hint="see --pairs and --sample")
    return {name: tuple(found[name]) for name in chosen}


def linked(samples: Iterable[str], patients: Iterable[str], pairs: Mapping[str, str]) -> dict[str, str]:
    """Sample → patient, by the rules of a single run.

    Raises:
        InputError: where it cannot be told whose genome it is.
    """
    genome = {"samples": TABLES["samples"].frame(
        [{"sample": name, "patient_id": name, "source": "genomes", "build": "GRCh38"} for name in samples])}
    records = {"patients": TABLES["patients"].frame([{"patient_id": one} for one in patients])}
    made = link(genome, records, pairs)
    return dict(made.select("sample", "patient_id").iter_rows())

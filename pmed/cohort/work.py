"""The work of one process on a cohort: a chunk of people through the engine, and its files.

This is what every engine runs, here or on another machine: a `Chunk` in, files and a `Done` out. A chunk's files are
written whole, the note that it is done last; so a chunk that a kill ended is done again, with the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec
import polars as pl

from ..apart import Tried, apart, tried
from ..batch.people import rows_of
from ..collecting import uncollected
from ..engine import Engine
from ..errors import InputError, PmedError
from ..files import write_all, write_whole
from ..flow import upstream
from ..genomics.opening import head_of
from ..plugins import Failure
from ..settings import Settings
from ..stages import explain as explaining
from ..stages import features as feature_stage
from ..stages.link import told_alike
from ..stages.read import empty_tables, read
from ..tables import TABLES
from ..types import ReadRequest
from . import staging
from .counts import counted
from .plan import Block, Chunk

RESULTS = ("gene_results", "present_phenotypes", "predictions", "suggestions")
MORE = ("people", "exposures", "issues", "counts")
UNGROUPED = "(no group)"
WORK = "work"
Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Asked:
    """What is the same for every chunk.

    Attributes:
        folder: Where the results go; on several machines, a path that all of them reach.
        settings: Options of components.
        build: Genome build that the user states, or "".
        index_date: ISO date of the question, or "".
        any_sex: Genome and record of different sex belong together all the same.
        explained: Also explanations and traces, which cost many times the rest.
        genes_only: Nothing beyond the results of genes.
    """

    folder: Path
    settings: Settings
    build: str = ""
    index_date: str = ""
    any_sex: bool = False
    explained: bool = False
    genes_only: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are written, in order."""
        if self.genes_only:
            return (*RESULTS[:1], *MORE)
        return (*RESULTS, *(explaining.GIVES if self.explained else ()), *MORE)


class Done(msgspec.Struct, frozen=True):
    """How one chunk went.

    Attributes:
        number: Of the chunk.
        people: How many have results.
        lost: Patient → why there is no result.
        unread: File → why it could not be read.
        failures: Plugins' failures, in words.
    """

    number: int
    people: int
    lost: dict[str, str] = {}
    unread: dict[str, str] = {}
    failures: tuple[str, ...] = ()


def part(folder: Path, table: str, number: int) -> Path:
    """The file of one chunk's rows of a table."""
    return folder / table / f"part-{number:05}.parquet"


def note(folder: Path, number: int) -> Path:
    """The file that says a chunk is done."""
    return folder / WORK / "done" / f"{number:05}.json"


@dataclass
class Worker:
    """One process: the engine is made once."""

    asked: Asked
    engine: Engine
    request: ReadRequest
    groups: pl.DataFrame | None
    broken: tuple[Failure, ...]

    @classmethod
    def start(cls, asked: Asked) -> Worker:
        """Load the plugins and read what all chunks share."""
        engine = replace(Engine.start(asked.settings, concluding=not asked.genes_only), any_sex=asked.any_sex)
        if asked.genes_only:
            names = {step.name for step in upstream([one.made for one in engine.steps], RESULTS[0])}
            engine = replace(engine, steps=[one for one in engine.steps if one.name in names], predictors=[])
        request = engine.request([*engine.steps, *engine.predictors], build=asked.build, index_date=asked.index_date)
        groups = asked.folder / WORK / "groups.arrow"
        return cls(asked, engine, request, pl.read_ipc(groups) if groups.is_file() else None,
                   tuple(engine.plugins.failures))

    @uncollected()
    def do(self, chunk: Chunk) -> Done:
        """Work one chunk out, write its files, and say how it went.

        Raises:
            PmedError: the files cannot be written; what goes wrong with a person costs only that person.
        """
        self.engine.plugins.failures[:] = self.broken
        lost: dict[str, str] = {}
        unread: dict[str, str] = {}
        parts = self._whole(staging.staged_tables(chunk.records), chunk, lost, unread)
        tables = {name: pl.concat([one[name] for one in parts]) if parts else _empty(name)
                  for name in self.asked.tables}
        if chunk.alike:
            tables["issues"] = pl.concat([tables["issues"], told_alike(chunk.alike)])
        done = Done(chunk.number, tables["people"].height, lost, unread,
                    tuple(dict.fromkeys(map(str, self.engine.plugins.failures))))
        write_all({part(self.asked.folder, name, chunk.number): _parquet(frame) for name, frame in tables.items()})
        write_whole(note(self.asked.folder, chunk.number), msgspec.json.encode(done))
        return done

    def _whole(self, records: Mapping[str, pl.DataFrame], chunk: Chunk, lost: dict[str, str],
               unread: dict[str, str]) -> list[Tables]:
        """All at once; where anything is wrong, without the files that cannot be read and those who are in no other."""
        block, people = chunk.block, chunk.people
        whole = self._tried(records, block, people)
        if whole.made is None:
            unread.update(self._unread(block))
        if unread:
            block = replace(block, paths=tuple(path for path in block.paths if str(path) not in unread))
            gone = _gone(people, block, unread)
            lost.update(gone)
            people = tuple(one for one in people if one[0] not in gone)
        known = None if unread else whole
        return list(self._results(records, block, people, lost, known)) if people else []

    def _unread(self, block: Block) -> dict[str, str]:
        """The files of the block that cannot be read, and why not."""
        unread = {}
        for path in block.paths:
            try:
                read(self.engine.sources, "genome", [path], self.request)
            except PmedError as error:
                unread[str(path)] = str(error)
        return unread

    def _results(self, records: Mapping[str, pl.DataFrame], block: Block, people: Sequence[tuple[str, str]],
                 lost: dict[str, str], whole: Tried[Tables] | None) -> Iterator[Tables]:
        """What is made of those who are left; whatever is wrong costs only those whom it is about."""
        for some, one in apart(people, partial(self._tried, records, block), whole):
            self.engine.plugins.failures += one.failures
            if one.made is None:
                lost.update(dict.fromkeys((patient for patient, _ in some), one.why))
            else:
                yield one.made

    def _tried(self, records: Mapping[str, pl.DataFrame], block: Block,
               people: Sequence[tuple[str, str]]) -> Tried[Tables]:
        return tried(self.engine.plugins.failures, lambda: self._kept(self._run(records, block, people)))

    def _run(self, records: Mapping[str, pl.DataFrame], block: Block, people: Sequence[tuple[str, str]]) -> Tables:
        ids = [patient for patient, _ in people]
        pairs = {sample: patient for patient, sample in people if sample}
        mine = {name: rows_of(frame, ids) for name, frame in records.items()}
        genes = self._genes(block, tuple(pairs)) if pairs else empty_tables()
        joined = self.engine.joined(mine, genes, empty_tables(), pairs)
        if not joined["samples"].height and not joined["patients"].height:
            raise InputError("none of this person's files can be read")
        if self.asked.genes_only:
            return feature_stage.run_steps(self.engine.plugins, self.engine.steps, joined, ())
        return self.engine.conclude(joined, explained=self.asked.explained)

    def _genes(self, block: Block, samples: tuple[str, ...]) -> Tables:
        request = replace(self.request, samples=samples)
        if block.cut is None:
            return read(self.engine.sources, "genome", block.paths, request) if block.paths else empty_tables()
        source = next(one.made for one in self.engine.sources if hasattr(one.made, "read_cut"))
        return {**empty_tables(), **source.read_cut(block.cut.read_bytes(), request)}

    def _kept(self, made: Mapping[str, pl.DataFrame]) -> Tables:
        people = self._people(made)
        taken = exposures(made["medications"])
        # As the run gives them: to put the rows of each person together takes as long as to call the genes.
        results = {name: made[name].select(TABLES[name].names) if name in made else TABLES[name].empty()
                   for name in self.asked.tables if name not in MORE}
        issues = made["issues"].filter(pl.col("patient_id").is_not_null())
        return {**results, "people": people, "exposures": taken, "issues": issues,
                "counts": counted(people, taken, results["gene_results"],
                                  results.get("suggestions", TABLES["suggestions"].empty()))}

    def _people(self, made: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """One row a person, those with a genome first."""
        samples = made["samples"].select("patient_id", "sample", "build", _sex="sex")
        patients = made["patients"].select("patient_id", "sex", "birth_date", "ancestry", recorded=pl.lit(True))  # noqa: FBT003
        both = samples.join(patients, on="patient_id", how="full", coalesce=True, maintain_order="left_right")
        told = both.with_columns(sex=pl.coalesce("sex", "_sex"), recorded=pl.col("recorded").fill_null(False))  # noqa: FBT003
        return self._grouped(told).select(PEOPLE.keys()).cast(PEOPLE)  # type: ignore[arg-type]

    def _grouped(self, people: pl.DataFrame) -> pl.DataFrame:
        """With the `group` that was given for the sample or patient, else the ancestry on record."""
        if self.groups is None:
            return people.with_columns(group=pl.col("ancestry").fill_null(UNGROUPED))
        of = dict(self.groups.select("name", "group").iter_rows())
        given = [of.get(sample) or of.get(patient) or UNGROUPED
                 for sample, patient in people.select("sample", "patient_id").iter_rows()]
        return people.with_columns(group=pl.Series(given, dtype=pl.String))


def _gone(people: Sequence[tuple[str, str]], block: Block, unread: Iterable[str]) -> dict[str, str]:
    """Patient → why there is no result, of those whose genome is in files that cannot be read and in no other."""
    named = {sample: Path(path).name for path in unread for sample in head_of(Path(path)).samples}
    there = {sample for path in block.paths for sample in head_of(path).samples}
    return {patient: f"the genome is in {named[sample]}, which cannot be read" for patient, sample in people
            if sample in named.keys() - there}


PEOPLE: dict[str, type[pl.DataType]] = {
    "patient_id": pl.String, "sample": pl.String, "build": pl.String, "sex": pl.String, "birth_date": pl.Date,
    "ancestry": pl.String, "group": pl.String, "recorded": pl.Boolean}


def exposures(medications: pl.DataFrame) -> pl.DataFrame:
    """`patient_id`, `drug` of each medicine that is taken, or may be; `certain` where the record says that it is."""
    taken = medications.filter(pl.col("active").fill_null(True))  # noqa: FBT003
    rows = taken.explode("ingredients", empty_as_null=False).drop_nulls("ingredients")
    return rows.group_by("patient_id", drug="ingredients").agg(
        certain=pl.col("active").fill_null(False).any()).sort("patient_id", "drug")  # noqa: FBT003


def _empty(name: str) -> pl.DataFrame:
    if name in TABLES:
        return TABLES[name].empty()
    people = pl.DataFrame(schema=PEOPLE)
    taken = exposures(TABLES["medications"].empty())
    none = counted(people, taken, TABLES["gene_results"].empty(), TABLES["suggestions"].empty())
    return {"people": people, "exposures": taken, "counts": none}[name]


def _parquet(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    # Statistics and a higher level take a sixth of the time; who is in a part, its dictionary of patients says as fast.
    frame.write_parquet(sink, compression="zstd", compression_level=1, statistics=False)
    return sink.getvalue()


_mine: list[Worker] = []


def begin(asked: Asked) -> None:
    """Make this process's worker, unless it has that one."""
    if not _mine or _mine[0].asked != asked:
        _mine[:] = [Worker.start(asked)]


def do(chunk: Chunk) -> Done:
    """One chunk, in this process."""
    return _mine[0].do(chunk)


def cut(paths: tuple[Path, ...], folder: Path, people: int) -> staging.Cut:
    """Cut genome files, in this process."""
    return staging.cut(_mine[0].engine, _mine[0].request, paths, folder, people)


def pieces(paths: tuple[Path, ...], folder: Path, size: int) -> list[Path]:
    """What is to be gone through before records are parted."""
    return staging.pieces(_mine[0].engine, paths, folder, size)


def go_through(paths: tuple[Path, ...], piece: Path) -> None:
    """Go through a piece of records, in this process."""
    staging.go_through(_mine[0].engine, paths, piece)


def part_records(paths: tuple[Path, ...], folder: Path, size: int) -> staging.Parted:
    """Part records that are too much to be read at once, in this process."""
    return staging.part_records(_mine[0].engine, paths, folder, size)


def sort_records(paths: tuple[Path, ...], folder: Path, people: Path, most: int) -> staging.Sorted:
    """Sort records to chunks, in this process."""
    return staging.sort_records(_mine[0].engine, _mine[0].request, paths, folder=folder, people=people,
                                most=most)


def worker() -> Worker:
    """The worker of this process."""
    return _mine[0]


def worker_is_there() -> bool:
    """Whether this process has its worker, which it makes before anything else."""
    return bool(_mine)


__all__ = ["Asked", "Done", "Worker", "begin", "cut", "do", "exposures", "go_through", "note", "part",
           "part_records", "pieces", "sort_records", "worker", "worker_is_there"]

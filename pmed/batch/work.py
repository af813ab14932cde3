"""The work of one process: some people through the engine together, and a report for each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from ..apart import apart, tried
from ..engine import Engine
from ..errors import InputError, OptionError, PluginError, PmedError
from ..files import write_all
from ..plugins import Component, Failure
from ..render.gaps import medicine_name, uncovered
from ..result import COLOURS, Result, shown_action
from ..sections import with_sections
from ..settings import Settings
from ..stages.link import must_be_born, told_alike
from ..stages.read import empty_tables, read
from ..types import ReadRequest
from .journal import Line, ToDo, file_name
from .people import Found, Part, Person, look, rows_of

OPEN = ("test", "not-assessed")


@dataclass(frozen=True)
class Asked:
    """What is the same for every report of a batch."""

    folder: Path
    settings: Settings
    outside: tuple[Path, ...] = ()
    build: str = ""
    index_date: str = ""
    drugs: tuple[str, ...] = ()
    any_sex: bool = False
    command: str = ""
    formats: tuple[str, ...] = ()

    def said(self) -> dict[str, Any]:
        """The settings as a result's provenance has them."""
        return {"build": self.build, "index_date": self.index_date, "options": dict(self.settings.options),
                "drugs": [drug.lower() for drug in self.drugs]}


@dataclass(frozen=True)
class Task:
    """Some people to report on; `part` has the records of those who have one."""

    people: tuple[Person, ...]
    part: Part | None = None


@dataclass
class Worker:
    """One process: the engine is made once, and what a plugin did wrong at its start is wrong for everybody."""

    asked: Asked
    engine: Engine
    html: Component
    others: tuple[Component, ...]
    sections: tuple[Component, ...]
    request: ReadRequest
    outside: pl.DataFrame
    provenance: Mapping[str, Any]
    broken: tuple[Failure, ...]

    @classmethod
    def start(cls, asked: Asked) -> Worker:
        """Load the plugins and read what all reports share."""
        engine = replace(Engine.start(asked.settings), any_sex=asked.any_sex)
        exporters = {one.name: one for one in engine.plugins.components("register_exporters")}
        if "html" not in exporters:
            raise PluginError("nobody makes HTML reports", hint="is pmed's own plugin switched off?")
        if unknown := [name for name in asked.formats if name not in exporters]:
            raise OptionError(f"no exporter {unknown[0]!r}", hint=f"there are: {', '.join(sorted(exporters))}")
        others = tuple(exporters[name] for name in asked.formats if name != "html")
        sections = tuple(engine.plugins.components("register_sections"))
        request = engine.request([*engine.steps, *engine.predictors], build=asked.build, index_date=asked.index_date)
        outside = read(engine.sources, "outside-calls", asked.outside, request)["outside_calls"]
        provenance = engine.provenance([], [], asked.said(), asked.outside)
        broken = tuple(engine.plugins.failures)
        return cls(asked, engine, exporters["html"], others, sections, request, outside, provenance, broken)

    def do(self, task: Task) -> list[Line]:
        """Write the reports of a task and say how it went; whatever goes wrong costs only its patient."""
        try:
            records = task.part.tables(self.engine.sources, self.request) if task.part else empty_tables()
        except PmedError as error:
            return [_failed(person, error) for person in task.people]
        return list(self._reports(records, task.people))

    def _reports(self, records: Mapping[str, pl.DataFrame], people: Sequence[Person]) -> Iterator[Line]:
        """All at once; whatever fails costs only those whom it is about."""
        failures = self.engine.plugins.failures
        failures[:] = self.broken
        # However many it is about: a report is of one person, who has all that can be worked out.
        for some, one in apart(people, lambda them: tried(failures, lambda: self._run(records, them)),
                               most=len(people)):
            if one.made is None:
                yield from (_lost(person, one.why) for person in some)
                continue
            failures[:] = (*self.broken, *one.failures)
            yield from self._written(one.made, some)
            failures[:] = self.broken

    def _run(self, records: Mapping[str, pl.DataFrame], people: Sequence[Person]) -> dict[str, pl.DataFrame]:
        ids = [person.patient_id for person in people]
        mine = {name: rows_of(frame, ids) for name, frame in records.items()}
        pairs = {person.sample: person.patient_id for person in people if person.sample}
        files = list(dict.fromkeys(path for person in people for path in person.genome))
        request = replace(self.request, samples=tuple(pairs))
        genes = read(self.engine.sources, "genome", files, request)
        known = [*ids, *pairs]
        theirs = self.outside.filter(pl.col("patient_id").is_in(ids) | pl.col("sample").is_in(known))
        others = {**empty_tables(), "outside_calls": theirs}
        must_be_born(mine["patients"], self.asked.index_date)
        stated = [person.sample for person in people if person.stated]
        joined = self.engine.joined(mine, genes, others, pairs, stated)
        near = told_alike({person.patient_id: person.alike for person in people if person.alike})
        return self.engine.conclude({**joined, "issues": pl.concat([joined["issues"], near])})

    def _written(self, tables: Mapping[str, pl.DataFrame], people: Sequence[Person]) -> Iterator[Line]:
        whole = Result(tables, tuple(dict.fromkeys(self.engine.plugins.failures)), self.provenance)
        for person in people:
            try:
                yield self._one(whole, person)
            except Exception as error:  # isolation, as above
                yield _failed(person, error)

    def _one(self, whole: Result, person: Person) -> Line:
        result = whole.for_patient(person.patient_id)
        told = replace(result, tables={**result.tables, "issues": _own_issues(result.tables["issues"], person)},
                       provenance=self._provenance(person))
        told = with_sections(self.engine.plugins, self.sections, told)
        page: bytes = self.html.made.export(told)
        name = file_name(person.patient_id)
        exports = {path: data for one in self.others for path, data in _files(one, told, Path(name).stem)}
        for path in exports:
            (self.asked.folder / path).parent.mkdir(exist_ok=True)
        write_all({self.asked.folder / path: data for path, data in {name: page, **exports}.items()})
        hashes = {path: hashlib.sha256(data).hexdigest() for path, data in exports.items()}
        return Line(person.patient_id, name, person.key, hashlib.sha256(page).hexdigest(), exports=hashes,
                    partial=tuple(dict.fromkeys(one.plugin for one in told.failures)), **_summary(told.tables))

    def _provenance(self, person: Person) -> dict[str, Any]:
        said = {"samples": [person.sample] if person.sample else [], **self.provenance["settings"]}
        outside = self.provenance["inputs"]
        command = {"command": self.asked.command} if self.asked.command else {}
        return {**self.provenance, "settings": said, "inputs": [*person.inputs, *outside], **command}


def _files(exporter: Component, result: Result, stem: str) -> Iterator[tuple[str, bytes]]:
    """One file beside the report, or those of a format of several files in a folder of the patient's."""
    made = exporter.made.export(result)
    if isinstance(made, bytes):
        yield f"{stem}{exporter.made.suffix}", made
    else:
        yield from ((f"{stem}-{exporter.name}/{name}", data) for name, data in made.items())


def _own_issues(issues: pl.DataFrame, person: Person) -> pl.DataFrame:
    """Without those of files that this patient has no part in."""
    names = [Path(one["file"]).name for one in person.inputs]
    named = pl.col("file").str.split("/").list.last().is_in(names)
    return issues.filter(pl.col("patient_id").is_not_null() | pl.col("file").is_null() | named)


def _summary(tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """The line's fields about medicines: what the first part of the report says."""
    taken = tables["suggestions"].filter("current")
    acting = pl.col("action").replace_strict(COLOURS).is_in(["act", "caution"]) | (pl.col("action") == "test")
    rows = taken.filter(acting | (pl.col("cautions").list.len() > 0)).select("drug", shown_action(), "urgency")
    silent = uncovered({"medications": _dicts(tables["medications"], "display", "code", "ingredients", "active"),
                        "suggestions": _dicts(tables["suggestions"], "drug"), "predictions": []})
    return {"todo": tuple(ToDo(*row) for row in rows.iter_rows()), "recorded": tables["patients"].height > 0,
            "open": (*taken.filter(pl.col("action").is_in(OPEN))["drug"], *(medicine_name(row) for row, _ in silent))}


def _dicts(frame: pl.DataFrame, *names: str) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in frame.select(names).iter_rows()]


def _failed(person: Person, error: BaseException) -> Line:
    said = str(error) if isinstance(error, PmedError) else f"{type(error).__name__}: {' '.join(str(error).split())}"
    return _lost(person, said)


def _lost(person: Person, why: str) -> Line:
    return Line(person.patient_id, key=person.key, error=why)


_mine: list[Worker] = []


def begin(asked: Asked) -> None:
    """Make this process's worker."""
    _mine[:] = [Worker.start(asked)]


def do(task: Task) -> list[Line]:
    """One task, in this process."""
    return _mine[0].do(task)


def find(paths: tuple[Path, ...], folder: Path) -> Found:
    """Whose records these are, in this process."""
    return look(_mine[0].engine, paths, _mine[0].request, folder)


def sources() -> Sequence[Component]:
    """The sources, in this process."""
    return _mine[0].engine.sources


def common() -> dict[str, Any]:
    """What every report rests on besides its patient's files: versions, knowledge, predictors, settings."""
    worker = _mine[0]
    told = {name: value for name, value in worker.provenance.items() if name != "created"}
    asked = worker.asked
    return {**told, "any_sex": asked.any_sex, "formats": asked.formats, "disabled": sorted(asked.settings.disabled)}


def strangers(people: Iterable[Person]) -> int:
    """How many there are in the outside calls who are not in the cohort; as in a single run they are left out.

    Raises:
        InputError: calls that name nobody, which are never guessed in a cohort, or a file about nobody here.
    """
    calls = _mine[0].outside.select("file", name=pl.coalesce("patient_id", "sample"))
    if (nameless := calls.filter(pl.col("name").is_null())).height:
        raise InputError("names no sample, and this is a cohort", where=nameless["file"][0],
                         hint="name the sample or patient of each call")
    known = {name for person in people for name in (person.patient_id, person.sample)}
    others = calls.filter(~pl.col("name").is_in(list(known)))
    for (file,), part in calls.group_by("file", maintain_order=True):
        if set(part["name"]) <= set(others["name"]):
            raise InputError(f"has no call for anybody in this cohort: it is about {part['name'][0]}", where=str(file),
                             hint="calls are for the sample or the patient of their name")
    return others["name"].n_unique()

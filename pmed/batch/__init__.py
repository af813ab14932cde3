"""Reports of a whole cohort: a file a patient and ``index.html``, by several processes, and resumable.

People are worked on in chunks, so that memory does not grow with the cohort. A chunk is one run of the engine; where
anything in it fails it is run again in halves, so that a failure costs only the report of the patient it is about.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import HistoryError, InputError, OptionError
from ..files import write_whole
from ..pools import Pool, processes
from ..provenance import describe_inputs
from ..render.messages import ENGLISH
from ..settings import Settings
from ..stages.link import alike
from . import work
from .damaged import with_damaged
from .index import index_page
from .journal import Journal, Line, digest
from .people import TOGETHER, Found, Part, Person, chunks, groups, joined, linked, samples_of, shared_patients
from .work import Asked, Task

__all__ = ["INDEX", "Asked", "Batch", "Cohort", "batch"]

INDEX = "index.html"
FEW = 8  # people for whom another process is not worth its start
Counter = Callable[[int, int], None]


@dataclass(frozen=True)
class Batch:
    """How a batch went.

    Attributes:
        lines: One a patient, by patient_id; then one for each file that could not be read.
        written: Reports written now.
        kept: Reports that were there already and would be the same again.
        others: Reports in the folder of people who are not in this cohort; they stay, and are not in the index.
        strangers: People of the outside calls who are not in this cohort.
    """

    lines: tuple[Line, ...]
    written: int
    kept: int
    others: int
    strangers: int

    @property
    def failed(self) -> list[Line]:
        """Patients and files without a report."""
        return [line for line in self.lines if line.error]

    @property
    def partial(self) -> list[Line]:
        """Reports in which a plugin failed."""
        return [line for line in self.lines if line.partial]


@dataclass(frozen=True)
class Cohort:
    """The files of a batch, and who belongs to whom (sample → patient) where the names differ."""

    genome: tuple[Path, ...] = ()
    history: tuple[Path, ...] = ()
    pairs: Mapping[str, str] = field(default_factory=dict)
    sample: str = ""


def batch(cohort: Cohort, asked: Asked, *, jobs: int = 0, count: Counter = lambda _done, _all: None) -> Batch:
    """Write the reports that are missing or would not be the same again, and the index of all.

    Args:
        cohort: Whose.
        asked: What is the same for all, and the folder.
        jobs: Processes; 0 is as many as there are CPUs.
        count: Told how many reports are done, and of how many.

    Raises:
        InputError: genomes that cannot be used, or nobody can say whose they are.
        HistoryError: where no record can be read.
        PmedError: a process was ended from outside, or the folder cannot be written.
    """
    folder = _folder(asked.folder)
    work.begin(asked)
    number = jobs or os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="pmed-") as name, _processes(asked, number) as pool:
        found = _found(pool, cohort.history, Path(name))
        everybody = _people(cohort, found.parts)
        strangers = work.strangers(everybody.values())
        journal = Journal.read(folder)
        todo = list(_tasks(found.parts, everybody, journal, number))
        already = len(everybody) - sum(len(task.people) for task in todo)
        with journal:
            _work(pool, todo, journal, lambda done: count(already + done, len(everybody)))
    lines = (*(journal.lines[patient] for patient in sorted(everybody)),
             *(Line(path.name, error=why) for path, why in found.unread.items()))
    write_whole(folder / INDEX, index_page(lines, language_of(asked.settings)))
    written = sum(not journal.lines[one.patient_id].error for task in todo for one in task.people)
    others = sum(bool(line.file) for patient, line in journal.lines.items() if patient not in everybody)
    return Batch(lines, written, already, others, strangers)


def language_of(settings: Settings) -> str:
    """The language of the reports, which is the index's, too."""
    return str(settings.options.get("html", {}).get("language", ENGLISH))


def _work(pool: Pool, todo: Sequence[Task], journal: Journal, count: Callable[[int], None]) -> None:
    """Do the tasks and keep the journal."""
    done = 0
    count(done)
    for lines in pool([(work.do, (task,)) for task in todo]):
        journal.add(lines)
        done += len(lines)
        count(done)


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"cannot be made: {error.strerror}", where=str(path)) from error
    return path


def _processes(asked: Asked, number: int) -> AbstractContextManager[Pool]:
    """Something that makes calls, by so many processes, and gives what they return in the order they are done."""
    return processes(number, work.begin, asked,
                     hint="run the same again: what is written stays; --jobs 1 needs the least memory")


def _found(pool: Pool, history: Sequence[Path], folder: Path) -> Found:
    """All records; those of one patient in several parts are looked at again, together.

    Raises:
        HistoryError: where there are files and none of them can be read.
    """
    sources = work.sources()
    found = joined(pool([(work.find, (some, folder)) for some in groups(sources, history)]))
    while together := shared_patients(found.parts):
        apart = [part for part in found.parts if not set(part.paths) & set(together)]
        again = work.find(tuple(together), folder)
        found = joined([Found(tuple(apart), found.unread), again])
    if history and not found.parts:
        first = next(iter(found.unread.values()), "no record")
        raise HistoryError(first) if len(found.unread) == 1 else HistoryError(
            f"none of {len(found.unread)} records can be read; the first: {first}")
    return with_damaged(found, sources)


def _people(cohort: Cohort, parts: Sequence[Part]) -> dict[str, Person]:
    """Everybody with a record or a genome, and what each report rests on.

    Raises:
        InputError: nobody, or it cannot be told whose genome it is.
    """
    samples = samples_of(cohort.genome, [cohort.sample] if cohort.sample else cohort.pairs)
    patients = {patient: part for part in parts for patient in part.patients}
    genome_of = {patient: sample for sample, patient in linked(samples, patients, cohort.pairs).items()}
    files = list(dict.fromkeys(path for some in samples.values() for path in some))
    about = dict(zip(files, (describe_inputs([path], ()) for path in files), strict=True))
    common = work.common()
    everybody = sorted({*patients, *genome_of})
    people, told = {}, alike(everybody)
    for patient in everybody:
        sample = genome_of.get(patient, "")
        genome = samples.get(sample, ())
        inputs = [*(row for path in genome for row in about[path]),
                  *(patients[patient].inputs_of(patient) if patient in patients else ())]
        stated = sample in {patient, cohort.sample, *cohort.pairs}
        near = told.get(patient, "")
        key = digest([common, patient, sample, stated, inputs, near])
        people[patient] = Person(patient, sample, genome, tuple(inputs), key, stated, near)
    if not people:
        raise InputError("nobody to report on", hint="give GENOME files, --history records, or both")
    return people


def _tasks(parts: Sequence[Part], everybody: Mapping[str, Person], journal: Journal, number: int) -> Iterator[Task]:
    """What is still to do, so many people at a time that each of `number` processes has something to do."""
    stale = {patient: person for patient, person in everybody.items() if not journal.is_done(patient, person.key)}
    size = max(FEW, min(TOGETHER, math.ceil(len(stale) / number)))
    recorded = {patient for part in parts for patient in part.patients}
    for part in parts:
        mine = [stale[patient] for patient in part.patients if patient in stale]
        yield from (Task(some, part) for some in chunks(mine, size))
    yield from (Task(some) for some in chunks([stale[one] for one in stale if one not in recorded], size))

"""The same run for very many people: genomes and records → Parquet by chunk of people, and summary tables.

First the inputs are staged (`staging`), then each chunk is worked out (`work`) by processes here (`local`) or by Spark
(`spark`), then the chunks' counts are added (`summary`). Memory does not grow with the chunks; a run that was ended at
any moment goes on where it was.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import polars as pl

from ..batch.journal import digest
from ..batch.people import groups as record_groups
from ..engine import Files as Paths
from ..engine import Options
from ..errors import GenomeError, HistoryError, InputError, OptionError
from ..files import write_whole
from ..settings import Settings
from ..stages.link import alike, read_pairs
from ..stages.read import must_be_there
from . import staging, work
from .away import Here, here
from .counts import EVERYBODY
from .damaged import mark_damaged
from .local import Pool, processes
from .plan import (
    RECORD_BYTES,
    RECORD_BYTES_GENES,
    Block,
    Chunk,
    Files,
    direct_blocks,
    files_of_same_people,
    in_block,
    people_at_once,
    read_samples,
    with_patients,
    with_samples,
)
from .result import Cohort
from .summary import write_summary
from .work import WORK, Asked, Done, note

__all__ = ["Asked", "Cohort", "Done", "Here", "Inputs", "cohort", "here", "run"]

ABOUT = "cohort.json"
FORMAT = "pmed/cohort/1"
ENGINES = ("local", "spark")
Counter = Callable[[int, int], None]


def _nobody(_done: int, _all: int) -> None:
    """Count for nobody."""


@dataclass(frozen=True)
class Inputs:
    """The files of a cohort, and who is who in them.

    Attributes:
        genome: Genome files.
        history: Records.
        pairs: The patient of each sample where the names differ.
        groups: Groups of people by either name.
        samples: The only ones to work out; none for everybody in the files, those with a record alone, too.
    """

    genome: tuple[Path, ...] = ()
    history: tuple[Path, ...] = ()
    pairs: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[str, ...] = ()

    @classmethod
    def read(cls, genome: Iterable[Path], history: Iterable[Path], *, pairs: Path | None = None,
             groups: Path | None = None, samples: Path | None = None) -> Inputs:
        """With pairs, groups and samples from their files.

        Raises:
            InputError: for a file that is not so many columns, or names somebody twice.
        """
        return cls(tuple(genome), tuple(history), read_pairs(pairs) if pairs else {},
                   read_pairs(groups, once=False) if groups else {}, read_samples(samples) if samples else ())


def run(genome: Paths = (), history: Paths = (), *, output: str | Path, pairs: Mapping[str, str] | None = None,
        groups: Mapping[str, str] | None = None, samples: Sequence[str] = (), build: str = "", index_date: str = "",
        options: Options | None = None, settings: Settings | None = None, engine: str = "local", jobs: int = 0,
        memory: int = 0, allow_sex_mismatch: bool = False, explained: bool = False,
        genes_only: bool = False) -> Cohort:
    """Work a cohort out into the folder `output`, or finish what an earlier run began there.

    Args:
        genome: Genome files (VCF, BCF, arrays, the cache); files of the same people, as one a chromosome, belong
            together.
        history: Records, as of `pmed.run`.
        output: Folder of this cohort alone.
        pairs: Sample → patient_id where the names differ.
        groups: Sample or patient → group, for the summary; without, the ancestry on record.
        samples: The only samples to work out, with the records of their patients; none for everybody.
        build: Genome build the user states.
        index_date: ISO date of the question; empty takes the last entry of each record.
        options: Component options, laid over the settings.
        settings: Settings.
        engine: "local", or "spark" (extra `spark`).
        jobs: Processes; 0 is one a CPU.
        memory: Megabytes that all processes together may use; 0 sets no bound below that of a full chunk.
        allow_sex_mismatch: Genome and record of different sex belong together all the same.
        explained: Also explanations and traces.
        genes_only: Nothing beyond the results of genes.

    Raises:
        InputError: for files that cannot be used; a file among many that is damaged is in `Cohort.unread`.
        PmedError: the folder cannot be written, or is of another cohort.
    """
    chosen = (settings or Settings()).with_options(options or {})
    with here(_files(genome), _files(history), output, engine=engine, jobs=jobs) as files:
        inputs = Inputs(files.genome, files.history, pairs or {}, groups or {}, tuple(dict.fromkeys(samples)))
        asked = Asked(files.folder, chosen, build, index_date, allow_sex_mismatch, explained, genes_only)
        return files.finished(cohort(inputs, asked, engine=engine, jobs=jobs, memory=memory, files=files))


def _files(files: Paths) -> tuple[str | Path, ...]:
    return (files,) if isinstance(files, str | Path) else tuple(files)


def cohort(inputs: Inputs, asked: Asked, *, engine: str = "local", jobs: int = 0, memory: int = 0,
           count: Counter = _nobody, files: Here | None = None) -> Cohort:
    """As `run`; `count` is told how many people are done, and of how many, `files` knows addresses."""
    if engine not in ENGINES:
        raise OptionError(f"no engine {engine!r}", hint=f"there are: {', '.join(ENGINES)}")
    if not inputs.genome and not inputs.history:
        raise InputError("nobody to work on", hint="give GENOME files, --history records, or both")
    must_be_there("genome", inputs.genome)
    must_be_there("history", inputs.history)
    number = jobs or os.cpu_count() or 1
    most = people_at_once(memory, number, genes_only=asked.genes_only)
    _prepare(inputs, asked)
    sets, lost = files_of_same_people(inputs.genome, asked.build)
    sets = with_samples(sets, inputs.samples)
    work.begin(asked)
    with _swept(asked), processes(asked, number) as pool:
        if engine == "local" and sum(len(one.samples) for one in sets) > most:
            pool([(work.worker_is_there, ())] * number)  # they start while this one looks at the files
        _must_be_same(inputs, asked, most)
        unread = {str(path): why for path, why in lost.items()}
        chunks = _staged(pool, inputs, asked, most, (sets, unread))
        done = _finished_before(asked.folder, chunks)
        todo = [chunk for chunk in chunks if chunk.number not in done]
        here_or_away = files or Here((), (), asked.folder)
        results = (pool([(work.do, (chunk,)) for chunk in todo]) if engine == "local"
                   else here_or_away.work_out(asked, chunks, todo, number))
        for one in results:
            done[one.number] = one
            count(sum(len(chunk.people) for chunk in chunks if chunk.number in done),
                  sum(len(chunk.people) for chunk in chunks))
    notes = [done[chunk.number] for chunk in chunks]
    write_summary(asked.folder, len(chunks), advised=not asked.genes_only)
    whole = Cohort(asked.folder, sum(one.people for one in notes),
                   {**unread, **{path: why for one in notes for path, why in one.unread.items()}},
                   {who: why for one in notes for who, why in one.lost.items()},
                   tuple(dict.fromkeys(failure for one in notes for failure in one.failures)))
    whole.save()
    return whole


def _prepare(inputs: Inputs, asked: Asked) -> None:
    """The folder, what is in it for all processes."""
    if strange := [name for name in inputs.groups.values() if name == EVERYBODY]:
        raise OptionError(f"a group cannot be named {strange[0]!r}", hint="that is everybody")
    try:
        for name in (WORK, f"{WORK}/done", *asked.tables):
            (asked.folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"cannot be made: {error.strerror}", where=str(asked.folder)) from error
    place = asked.folder / WORK / "groups.arrow"
    if inputs.groups:
        write_whole(place, _ipc(pl.DataFrame({"name": list(inputs.groups), "group": list(inputs.groups.values())})))
    else:
        place.unlink(missing_ok=True)


def _must_be_same(inputs: Inputs, asked: Asked, most: int) -> None:
    """What the results rest on is that of the run which began this folder, or is noted now.

    Raises:
        OptionError: the folder holds another cohort, or this one with other inputs, versions or settings.
    """
    worker = work.worker()
    told = worker.engine.provenance(inputs.genome, inputs.history,
                                    {"build": asked.build, "index_date": asked.index_date,
                                     "options": dict(asked.settings.options)})
    rests = {**{name: value for name, value in told.items() if name != "created"}, "people_in_a_chunk": most,
             "pairs": digest(inputs.pairs), "groups": digest(inputs.groups), "samples": digest(inputs.samples),
             "explained": asked.explained,
             "genes_only": asked.genes_only,
             "any_sex": asked.any_sex}
    about = msgspec.json.format(msgspec.json.encode({"format": FORMAT, **rests}, order="deterministic"), indent=1)
    path = asked.folder / ABOUT
    if path.is_file() and path.read_bytes() != about:
        raise OptionError("holds another cohort, or this one with other inputs, settings or versions",
                          where=str(asked.folder), hint="choose a new folder")
    write_whole(path, about)


@contextmanager
def _swept(asked: Asked) -> Iterator[None]:
    """Without what a kill left half written, of an earlier run and of this one."""
    _sweep(asked)
    try:
        yield
    finally:
        _sweep(asked)


def _sweep(asked: Asked) -> None:
    """Remove what is half written: it has a name of its own, beside what it was to become."""
    for folder in (asked.folder / name for name in (WORK, *asked.tables)):
        for path in folder.rglob(".*.*"):
            path.unlink(missing_ok=True)


def _staged(pool: Pool, inputs: Inputs, asked: Asked, most: int,
            genomes: tuple[Sequence[Files], dict[str, str]]) -> list[Chunk]:
    """All chunks; to the files that cannot be read, those of the genomes, others are added with the reason."""
    place = asked.folder / WORK
    sets, unread = genomes
    blocks = [*_cut(pool, sets, place / "genomes", most, unread),
              *direct_blocks([one for one in sets if not _is_cut(one, most)], most)]
    if inputs.genome and not blocks:
        first = next(iter(unread.values()))
        several = f"none of {len(unread)} genomes can be read; the first: {first}"
        raise GenomeError(first if len(unread) == 1 else several)
    chosen = set(inputs.samples) or inputs.pairs.keys()
    placed = with_patients(blocks, {sample: inputs.pairs[sample] for sample in inputs.pairs if sample in chosen})
    where = place / "people.arrow"
    write_whole(where, _ipc(pl.DataFrame(
        [(patient, number) for number, (_, people) in enumerate(placed) for patient, _ in people],
        schema={"patient_id": pl.String, "chunk": pl.Int64}, orient="row")))
    records = _sorted(pool, inputs.history, where, most,
                      size=most * (RECORD_BYTES_GENES if asked.genes_only else RECORD_BYTES))
    unread.update({path: why for _, one in records for path, why in one.unread.items()})
    chunks = _chunks(placed, records, only=bool(inputs.samples), history=inputs.history)
    _must_name_somebody(inputs.groups, chunks)
    return chunks


def _must_name_somebody(groups: Mapping[str, str], chunks: Sequence[Chunk]) -> None:
    """Refuse groups of other people: everybody would be in none.

    Raises:
        InputError: nobody here is named.
    """
    if groups and not any(name in groups for chunk in chunks for one in chunk.people for name in one):
        raise InputError(f"nobody of this cohort has a group; the first name given is {next(iter(groups))!r}",
                         where="--groups", hint="name samples or patients as the files do")


def _is_cut(files: Files, most: int) -> bool:
    return files.cuttable and len(files.samples) > most


def _cut(pool: Pool, sets: Sequence[Files], place: Path, most: int, unread: dict[str, str]) -> list[Block]:
    """Blocks of the files that hold more people than a chunk."""
    large = [(one.paths, staging.folder_of(place, one.paths), in_block(len(one.samples), most), one.samples)
             for one in sets if _is_cut(one, most)]
    _all(pool([(work.cut, given) for given in large]))
    blocks = []
    for given in large:
        made, folder = work.cut(*given), given[1]  # it is done: this reads the note
        unread.update(made.unread)
        blocks += [Block(samples, cut=staging.block_file(folder, number))
                   for number, samples in enumerate(made.blocks)]
    return blocks


def _sorted(pool: Pool, history: Sequence[Path], people: Path, most: int,
            size: int) -> list[tuple[Path, staging.Sorted]]:
    """Records by chunk. Files that tell of the same patient are read together, for only together are they a record."""
    place = people.parent / "records"
    given = record_groups(work.worker().engine.sources, history)
    groups = _parted(pool, given, place, size)
    while True:
        folders = {paths: staging.folder_of(place, paths) for paths in groups}
        _all(pool([(work.sort_records, (paths, folder, people, most)) for paths, folder in folders.items()]))
        made = {paths: work.sort_records(paths, folder, people, most) for paths, folder in folders.items()}
        shared = _with_shared_patients(made)
        if not shared:
            break
        groups = [tuple(path for paths in shared for path in paths),
                  *(paths for paths in groups if paths not in shared)]
    mark_damaged(work.worker().engine.sources, {path for paths in given for path in paths}, made, folders)
    for paths in given:
        staging.forget_parts(_parts_folder(place, paths))
    if history and not any(one.patients for one in made.values()):
        raise HistoryError(next((why for one in made.values() for why in one.unread.values()), "no record"))
    return [(folders[paths], one) for paths, one in made.items()]


def _parted(pool: Pool, groups: Sequence[tuple[Path, ...]], place: Path, size: int) -> list[tuple[Path, ...]]:
    """What is too much to be read at once in parts, the rest as it is."""
    given = [(paths, _parts_folder(place, paths), size) for paths in groups]
    _all(pool([(work.go_through, (one[0], piece)) for one in given for piece in work.pieces(*one)]))
    _all(pool([(work.part_records, one) for one in given]))
    made = [work.part_records(*one).parts for one in given]
    found: list[tuple[Path, ...]] = []
    for parts, paths in zip(made, groups, strict=True):
        found += [(Path(one),) for one in parts] or [paths]
    return found


def _parts_folder(place: Path, paths: tuple[Path, ...]) -> Path:
    return staging.folder_of(place.with_name("parts"), paths)


def _all(calls: Iterable[object]) -> None:
    """Make calls to their end; what they return is on disk."""
    for _ in calls:
        pass


def _with_shared_patients(made: Mapping[tuple[Path, ...], staging.Sorted]) -> list[tuple[Path, ...]]:
    seen: dict[str, tuple[Path, ...]] = {}
    shared: dict[tuple[Path, ...], None] = {}
    for paths, one in made.items():
        for patient in (patient for some in one.patients.values() for patient in some):
            if seen.get(patient, paths) != paths:
                shared |= {seen[patient]: None, paths: None}
            seen[patient] = paths
    return list(shared)


def _chunks(placed: Sequence[tuple[Block, tuple[tuple[str, str], ...]]],
            records: Sequence[tuple[Path, staging.Sorted]], *, only: bool, history: Sequence[Path]) -> list[Chunk]:
    """Those with genomes first; then people with a record alone, unless `only` the others were asked for.

    Raises:
        InputError: no record is of anybody with a genome, or there is nobody.
    """
    files: dict[int, list[Path]] = {}
    alone: list[tuple[Path, tuple[str, ...]]] = []
    for folder, one in records:
        for name, patients in one.patients.items():
            number = staging.chunk_of(name)
            if number is None:
                alone.append((folder / name, patients))
            else:
                files.setdefault(number, []).append(folder / name)
    if placed and alone and not files:
        raise InputError(f"no record is of anybody with a genome: the first is of {alone[0][1][0]!r}",
                         where=str(history[0]), hint="name the patient of each sample with --pairs")
    chunks = [Chunk(number, people, block, tuple(files.get(number, ())))
              for number, (block, people) in enumerate(placed)]
    chunks += [Chunk(number, tuple((patient, "") for patient in patients), records=(path,))
               for number, (path, patients) in enumerate([] if only else alone, len(chunks))]
    told = alike(patient for chunk in chunks for patient, _ in chunk.people)
    return [replace(chunk, alike={who: told[who] for who, _ in chunk.people if who in told}) for chunk in chunks]


def _finished_before(folder: Path, chunks: Iterable[Chunk]) -> dict[int, Done]:
    """The chunks that an earlier run finished."""
    notes = ((chunk.number, note(folder, chunk.number)) for chunk in chunks)
    return {number: msgspec.json.decode(path.read_bytes(), type=Done) for number, path in notes if path.is_file()}


def _ipc(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.write_ipc(sink)
    return sink.getvalue()

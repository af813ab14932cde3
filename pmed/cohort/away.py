"""A cohort whose files are at Hadoop addresses: inputs are copied here, results are copied there, whole file by file.

The driver stages in a folder of its own and copies what it staged to ``OUTPUT/work``. An executor copies what its chunk
needs to a folder of its own, works the chunk out there as any process does, and copies the chunk's files to the output,
the note that it is done last. So no machine needs a path that another has, and a run that was ended goes on.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import msgspec

from ..errors import OptionError, PmedError
from . import work
from .hadoop import Hadoop, settings_of
from .places import is_away, on_disk
from .plan import Block, Chunk
from .result import STATE, Cohort
from .work import WORK, Asked, Done

_ABOUT, _SUMMARY, _STAGED = "cohort.json", "summary", ("genomes", "records", "groups.arrow")
_INDEXES = (".tbi", ".csi")


@dataclass
class Here:
    """The files of a cohort as paths of this machine; `given` says of what address each was copied.

    Where `address` is not "", that is where the results go.
    """

    genome: tuple[Path, ...]
    history: tuple[Path, ...]
    folder: Path
    address: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)

    def work_out(self, asked: Asked, chunks: Sequence[Chunk], todo: Sequence[Chunk], jobs: int) -> Iterator[Done]:
        """Chunks on Spark; then what the summary is made of is copied here."""
        from .spark import DOING, on_spark

        if not self.address:
            yield from on_spark(asked, todo, jobs, Fetching(self.given, self.settings) if self.given else DOING)
            return
        hadoop = Hadoop.of(self.settings)
        for name in _STAGED:
            hadoop.remove(f"{self.address}/{WORK}/{name}")  # of a run that was ended; its chunks may be others' paths
        for path in sorted((asked.folder / WORK).rglob("*")):
            if path.is_file() and path.relative_to(asked.folder / WORK).parts[0] in _STAGED:
                hadoop.push(path, f"{self.address}/{path.relative_to(asked.folder).as_posix()}")
        hadoop.push(asked.folder / _ABOUT, f"{self.address}/{_ABOUT}")
        yield from on_spark(asked, todo, jobs, Fetching(self.given, self.settings, self.address))
        for chunk in chunks:
            one = work.part(asked.folder, "counts", chunk.number)
            hadoop.pull(f"{self.address}/counts/{one.name}", one)

    def finished(self, done: Cohort) -> Cohort:
        """What became of it, by the names that the user gave; the summary and the state are copied to the address."""
        told = named(msgspec.json.encode({"unread": done.unread, "lost": done.lost}).decode(), self.given)
        whole = replace(done, **msgspec.json.decode(told), address=self.address)
        if self.address:
            hadoop = Hadoop.of(self.settings)
            whole.save()
            for path in sorted((done.folder / _SUMMARY).iterdir()):
                hadoop.push(path, f"{self.address}/{_SUMMARY}/{path.name}")
            hadoop.push(done.folder / STATE, f"{self.address}/{STATE}")
        return whole


@contextmanager
def here(genome: Iterable[str | Path], history: Iterable[str | Path], output: str | Path, *, engine: str,
         jobs: int) -> Iterator[Here]:
    """The files of a cohort on this machine; those at addresses are copied, which only the engine ``spark`` can do.

    Raises:
        OptionError: an address of a file system that is not mounted, for the engine ``local``.
        PmedError: a file that cannot be copied.
    """
    genome, history = tuple(genome), tuple(history)
    if engine != "spark" or not any(map(is_away, (*genome, *history, output))):
        yield Here(tuple(map(on_disk, genome)), tuple(map(on_disk, history)), on_disk(output).absolute())
        return
    from .spark import kept_session

    with kept_session(jobs) as session:
        place, settings = Path(tempfile.mkdtemp(prefix="pmed-cohort-")), settings_of(session)
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        hadoop, given = Hadoop.of(settings), dict[str, str]()
        paths = [_copied(hadoop, one, place / "in", given) for one in (*genome, *history)]
        away = str(output).rstrip("/") if is_away(output) else ""
        folder = place / "out" if away else on_disk(output).absolute()
        if away:
            _begun(hadoop, away, folder)
        try:
            yield Here(tuple(paths[:len(genome)]), tuple(paths[len(genome):]), folder, away, settings, given)
        except PmedError as error:
            error.message, error.where = (named(text, {**given, str(folder): away}) for text in (
                error.message, error.where))
            raise


def _copied(hadoop: Hadoop, given: str | Path, place: Path, names: dict[str, str]) -> Path:
    """A file or folder on this machine, with the index beside a genome."""
    if not is_away(given):
        return on_disk(given)
    address = str(given).rstrip("/")
    path = place / str(len(names)) / address.rpartition("/")[2]
    if not hadoop.is_there(address):
        raise OptionError("no such file", where=address)
    hadoop.pull(address, path)
    names[str(path)] = address
    for suffix in _INDEXES:
        if hadoop.is_there(address + suffix):
            hadoop.pull(address + suffix, path.with_name(path.name + suffix))
    return path


def _begun(hadoop: Hadoop, address: str, folder: Path) -> None:
    """What an earlier run left at the address: what its results rest on, and the notes of finished chunks."""
    (folder / WORK / "done").mkdir(parents=True)
    if hadoop.is_there(f"{address}/{_ABOUT}"):
        hadoop.pull(f"{address}/{_ABOUT}", folder / _ABOUT)
    for name in hadoop.names(f"{address}/{WORK}/done"):
        if not name.startswith("."):
            hadoop.pull(f"{address}/{WORK}/done/{name}", folder / WORK / "done" / name)


def named(text: str, given: Mapping[str, str]) -> str:
    """A text with the addresses that the user gave in the place of our own paths."""
    for path, address in given.items():
        text = text.replace(path, address)
    return text


@dataclass(frozen=True)
class Fetching:
    """What an executor does: copies a chunk's files here, works it out, and copies what it made to `address`.

    With no address the output is a folder that all machines reach, and only inputs are copied.
    """

    given: dict[str, str]
    settings: dict[str, str]
    address: str = ""

    def __call__(self, asked: bytes, task: bytes) -> bytes:
        """One chunk in this process, in plain bytes."""
        from .spark import plainly, read_plain

        hadoop, mine = Hadoop.of(self.settings), own_folder()
        whole, chunk = read_plain(asked, Asked), read_plain(task, Chunk)
        names: dict[str, str] = {}
        block = replace(chunk.block, paths=tuple(self._input(hadoop, path, mine, names)
                                                 for path in chunk.block.paths))
        if self.address:
            block, chunk = self._staged(hadoop, whole, replace(chunk, block=block), mine)
            whole = replace(whole, folder=mine)
            for name in (f"{WORK}/done", *whole.tables):
                (mine / name).mkdir(parents=True, exist_ok=True)
        work.begin(whole)
        done = work.do(replace(chunk, block=block))
        if self.address:
            self._put(hadoop, whole, done)
        return named(plainly(done).decode(), {**names, str(mine): self.address}).encode()

    def _input(self, hadoop: Hadoop, path: Path, mine: Path, names: dict[str, str]) -> Path:
        if str(path) not in self.given:
            return path
        fresh: dict[str, str] = {}
        copied = _copied(hadoop, self.given[str(path)], mine / "in" / str(len(names)), fresh)
        names |= fresh
        return copied

    def _staged(self, hadoop: Hadoop, asked: Asked, chunk: Chunk, mine: Path) -> tuple[Block, Chunk]:
        """The chunk with its staged files in our folder; the groups are copied too."""
        def fetched(path: Path) -> Path:
            name = path.relative_to(asked.folder)
            hadoop.pull(f"{self.address}/{name.as_posix()}", mine / name)
            return mine / name

        groups = f"{self.address}/{WORK}/groups.arrow"
        if not (mine / WORK / "groups.arrow").is_file() and hadoop.is_there(groups):
            hadoop.pull(groups, mine / WORK / "groups.arrow")
        block = replace(chunk.block, cut=None if chunk.block.cut is None else fetched(chunk.block.cut))
        return block, replace(chunk, records=tuple(map(fetched, chunk.records)))

    def _put(self, hadoop: Hadoop, asked: Asked, done: Done) -> None:
        for path in (*(work.part(asked.folder, name, done.number) for name in asked.tables),
                     work.note(asked.folder, done.number)):
            hadoop.push(path, f"{self.address}/{path.relative_to(asked.folder).as_posix()}")
            path.unlink()
        shutil.rmtree(asked.folder / "in", ignore_errors=True)
        for name in _STAGED[:2]:
            shutil.rmtree(asked.folder / WORK / name, ignore_errors=True)


@cache
def own_folder() -> Path:
    """A folder of this process, which goes with it."""
    place = Path(tempfile.mkdtemp(prefix="pmed-chunk-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place

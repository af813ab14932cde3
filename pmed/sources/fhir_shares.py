"""Much NDJSON, or many bundles, read by several processes, a share each: the same rows in the same order.

The others are new processes (a copy of this one would inherit the locks of polars' threads) that run this module, are
told their share on standard input and answer into memory that has no name: rows as Arrow, one frame behind the other,
then all else, and how long that is.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from bisect import bisect
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import polars as pl

from ..errors import HistoryError
from ..pools import end_with
from .fhir_bundle import Reading
from .fhir_files import WHOLE, Span, is_bundle, is_packed, line_after, lines_before
from .fhir_lines import LineReading, kind_at_begin
from .fhir_many import take_all
from .fhir_reading import Asked, take_bundles
from .fhir_records import Records, Scope
from .fhir_resource import FIRST
from .fhir_types import CodeableConcept
from .fhir_wanted import WANTED

_LENGTH = 8  # bytes before a job, and behind an answer, that say how long it is
LEAST = 400_000  # about so many microseconds of work for each process: it takes as long to start one
START = 400_000  # microseconds until a new process begins, and to write its answer
_PACKING = 12    # how much longer a gzipped file is than it looks
_ROWS, _OTHERS = 150, 2500  # bytes a microsecond, where lines become rows and where they are passed over
_BUNDLED = 225


_Noted = tuple[list[dict[str, Any]], list[dict[str, Any]]]


class Piece(msgspec.Struct):
    """A part of a file for one process; `first` where patients and medicines in it are known already."""

    path: str
    start: int
    end: int | None
    first: bool


class Job(msgspec.Struct):
    """What one process reads: pieces and what the references in them mean, or bundles."""

    pieces: list[Piece]
    people: dict[str, str]
    medicines: dict[str, CodeableConcept]
    files: list[tuple[str, bool]] = []


class Done(msgspec.Struct):
    """What a process found; for each piece, or for all bundles, what was noted of its resources and of its lines.

    `frames` are those of `Records`; in an answer, where each begins and ends. `keys` is a frame of hashes of patient,
    type and id, to find what is in two shares; `surprised` by a patient where none was
    looked for, or by what is no bundle. `damaged`, `bundles` and `replaced` are those of `Records`.
    """

    frames: dict[str, Any]
    noted: list[_Noted]
    calls: list[dict[str, Any]]
    keys: Any
    surprised: bool
    damaged: dict[str, str] = {}
    bundles: set[str] = set()
    replaced: dict[str, str] = {}


def read_shared(parts: Sequence[Reading | LineReading], most: int = 0) -> Records | None:
    """Read the lines by several processes; None where it does not pay, or where one of them has to see it all.

    There are at most as many as `most` says, 0 for as many as there are CPUs.
    A file of an export holds one type: patients and medicines are looked for only in files that begin with one.
    """
    files = [part for part in parts if isinstance(part, LineReading) and part.span == WHOLE]
    kinds = [kind_at_begin(part.path) for part in files]
    costs = [_cost(part.path, kind) for part, kind in zip(files, kinds, strict=True)]
    many = min(sum(costs) // LEAST, most or os.cpu_count() or 1)
    if many < 2 or len(files) < len(parts):  # bundles, or what is shared among processes already
        return None
    records = Records()
    try:
        scope = records.meet_loose([part for part, kind in zip(files, kinds, strict=True) if kind in FIRST])
    except HistoryError:  # perhaps it is in another file
        return None
    shares = _shares(files, kinds, costs, many)
    done = _all_done([Job(share, scope.people, scope.medicines) for share in shares])
    if done is None or any(one.surprised for one in done) or _overlap(done):
        return None
    _add(records, [piece for share in shares for piece in share], done)
    return records


def read_shared_bundles(files: Sequence[Asked], most: int = 0) -> Records | None:
    """Read bundles by several processes; None where it does not pay, or where one of them has to see it all.

    A patient whose bundles are in two shares, and a file that is no bundle, has to be seen by one; so does a fault in
    another share than the first, to be told as ever.

    Raises:
        HistoryError: in the first share.
    """
    many = min(most or os.cpu_count() or 1, len(files))
    if many < 2 or multiprocessing.parent_process():  # a pool has its processes
        return None
    sizes = [path.stat().st_size * (_PACKING if is_packed(path) else 1) if path.is_file() else 0 for path, _ in files]
    many = min(sum(sizes) // _BUNDLED // LEAST, many)
    if many < 2 or not is_bundle(files[0][0]):
        return None
    bounds = [bound * _BUNDLED for bound in _bounds(sum(sizes) // _BUNDLED, many)]
    shares: list[list[tuple[str, bool]]] = [[] for _ in range(many)]
    for (path, strict), before in zip(files, accumulate(sizes, initial=0), strict=False):
        shares[bisect(bounds, before)].append((str(path), strict))
    done = _all_done([Job([], {}, {}, share) for share in shares if share])
    if done is None or any(one.surprised for one in done):
        return None
    names = pl.concat([one.frames["patients"]["patient_id"] for one in done if "patients" in one.frames] or [
        pl.Series(dtype=pl.String())])
    if not len(names) or names.n_unique() < len(names):
        return None
    records = Records()
    _add_rows(records, done)
    for one in done:
        records.issues += chain.from_iterable(chain.from_iterable(one.noted))
        records.damaged |= {name: Path(path) for name, path in one.damaged.items()}
        records.bundles |= one.bundles
        records.replaced |= one.replaced
    return records


def _cost(path: Path, kind: str) -> int:
    """About how many microseconds it takes."""
    size = path.stat().st_size if path.is_file() else 0
    return size * (_PACKING if is_packed(path) else 1) // (_ROWS if kind in WANTED else _OTHERS)


def _shares(files: Sequence[LineReading], kinds: Sequence[str], costs: Sequence[int], many: int) -> list[list[Piece]]:
    """Shares of neighbours. A gzipped file, which can be read from its beginning only, is in one share."""
    bounds, before = _bounds(sum(costs), many), 0
    shares: list[list[Piece]] = [[] for _ in range(many)]
    for part, kind, cost in zip(files, kinds, costs, strict=True):
        first, last = bisect(bounds, before), bisect(bounds, before + cost)
        if is_packed(part.path) or first == last:
            shares[first].append(Piece(str(part.path), 0, None, kind in FIRST))
        else:
            cuts = _cuts(part.path, [(bound - before) / cost for bound in bounds[first:last]])
            for number, (start, end) in enumerate(pairwise(cuts), first):
                shares[number].append(Piece(str(part.path), start, end, kind in FIRST))
        before += cost
    return [share for share in shares if share]


def _bounds(total: int, many: int) -> list[float]:
    """Where the shares part, so that all end at one time: the first need not start."""
    own = (total + START * (many - 1)) / many
    return [own + number * (own - START) for number in range(many - 1)]


def _cuts(path: Path, inner: Sequence[float]) -> list[int | Any]:
    """Where the parts of a file begin and end, all at a line's beginning."""
    size = path.stat().st_size
    return [0, *(line_after(path, int(size * share)) for share in inner), None]


def _all_done(jobs: Sequence[Job]) -> list[Done] | None:
    """Do the first job here and each other one in a process of its own; None where one of them did not end well."""
    others: list[tuple[subprocess.Popen[bytes], BinaryIO]] = []
    try:
        with ExitStack() as open_still:
            for job in jobs[1:]:
                answer = open_still.enter_context(_nameless())
                process = open_still.enter_context(_started(answer))  # closes its pipe and waits for it
                open_still.callback(process.kill)
                _tell(process, msgspec.msgpack.encode(job))
                others.append((process, answer))
            own = do(jobs[0])
            return [own, *(_said(process, answer) for process, answer in others)]
    except (OSError, ValueError):
        return None


def _nameless() -> BinaryIO:
    """Memory that a process writes its answer to, and that is gone when nobody has it: a pipe holds 64 kB of it."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("pmed"), "w+b")
    return tempfile.TemporaryFile()


def _started(answer: BinaryIO) -> subprocess.Popen[bytes]:
    """A process that waits for its job, with the same modules from the same places as here."""
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    # Nothing of what a share makes is garbage, nor is what is loaded for it.
    command = sys.executable, "-c", f"import gc; gc.disable(); from {__name__} import main; main()"
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=answer,  # noqa: S603 - own code
                            stderr=subprocess.DEVNULL, env=surroundings)


def _tell(process: subprocess.Popen[bytes], text: bytes) -> None:
    """Send a job, while this process begins its own: a pipe holds less than there is to tell, and the other one starts.

    The pipe stays open: its end is that of this process, and then nobody wants the rows.
    """
    threading.Thread(target=_write, args=(process, len(text).to_bytes(_LENGTH, "big") + text), daemon=True).start()


def _write(process: subprocess.Popen[bytes], text: bytes) -> None:
    with suppress(OSError, ValueError):  # it ended, which its exit code tells
        if process.stdin:
            process.stdin.write(text)
            process.stdin.flush()


def _said(process: subprocess.Popen[bytes], answer: BinaryIO) -> Done:
    """What it answers.

    Raises:
        ValueError: it did not end well.
    """
    if process.wait():
        raise ValueError
    with mmap.mmap(answer.fileno(), 0, access=mmap.ACCESS_READ) as said:
        length = int.from_bytes(said[-_LENGTH:], "big")
        done = msgspec.msgpack.decode(said[-_LENGTH - length:-_LENGTH], type=Done)
        done.frames = {name: _unpacked(said, where) for name, where in done.frames.items()}
        done.keys = _unpacked(said, done.keys)
        return done


def do(job: Job) -> Done:
    """Read the pieces, or the bundles, of one job."""
    records = Records()
    noted, surprised = (_of_bundles if job.files else _of_pieces)(job, records)
    return Done({name: kept.frame() for name, kept in records.rows.items() if kept}, noted, records.calls,
                _keys(records), surprised, {name: str(path) for name, path in records.damaged.items()},
                records.bundles, records.replaced)


def _of_pieces(job: Job, records: Records) -> tuple[list[_Noted], bool]:
    scope, noted, surprised = Scope(job.people, job.medicines), list[_Noted](), False
    for piece in job.pieces:
        path = Path(piece.path)
        part = LineReading(path, span=Span(piece.start, piece.end, lines_before(path, piece.start) + 1))
        take_all(records, part.pieces(), scope)
        noted.append((records.issues, part.issues))
        records.issues = []
        surprised |= part.met_first and not piece.first
    return noted, surprised


def _of_bundles(job: Job, records: Records) -> tuple[list[_Noted], bool]:
    loose = next(take_bundles(records, [(Path(path), strict) for path, strict in job.files], []), None)
    return [(records.issues, [])], loose is not None


def _answer(done: Done, file: BinaryIO) -> None:
    """Write what was found into a file that is empty."""
    done.frames = {name: _packed(frame, file) for name, frame in done.frames.items()}
    done.keys = _packed(done.keys, file)
    text = msgspec.msgpack.encode(done)
    file.write(text + len(text).to_bytes(_LENGTH, "big"))
    file.flush()


def _packed(frame: pl.DataFrame, file: BinaryIO) -> tuple[int, int]:
    """Write a frame as Arrow IPC, and say where it begins and ends; a copy of it by Python takes twice as long."""
    start = file.tell()
    frame.write_ipc(file)
    return start, file.tell()


def _unpacked(said: mmap.mmap, where: tuple[int, int]) -> pl.DataFrame:
    return pl.read_ipc(said[slice(*where)])


def _keys(records: Records) -> pl.DataFrame:
    """A hash of patient, type and id of each resource."""
    whose = pl.DataFrame([*records.seen], orient="row", schema={"patient_id": pl.String, "kind": pl.String})
    many = pl.Series([*map(len, records.seen.values())], dtype=pl.UInt32)
    each = whose.select(whose.hash_rows().repeat_by(many).explode(empty_as_null=False).alias("key"))
    ids = pl.Series([*chain.from_iterable(records.seen.values())], dtype=pl.String())
    return each.select(pl.col("key") ^ ids.hash())


def _overlap(done: Sequence[Done]) -> bool:
    """Whether a resource may be in two shares: which is a repetition, and of what, only one process can tell."""
    keys: pl.Series = pl.concat([one.keys for one in done])["key"]
    return keys.n_unique() < len(keys)


def _add_rows(records: Records, done: Sequence[Done]) -> None:
    for one in done:
        records.calls += one.calls
        for name, frame in one.frames.items():
            records.rows[name].add_frame(frame)


def _add(records: Records, pieces: Sequence[Piece], done: Sequence[Done]) -> None:
    _add_rows(records, done)
    noted = iter([notes for one in done for notes in one.noted])
    for found in _by_file(pieces, noted):
        records.issues += found


def _by_file(pieces: Sequence[Piece], noted: Iterator[_Noted]) -> Iterator[list[dict[str, Any]]]:
    """Of each file what was noted of its resources, then what of its lines, as one process does."""
    told: dict[str, _Noted] = {}
    for piece, (resources, lines) in zip(pieces, noted, strict=True):
        both = told.setdefault(piece.path, ([], []))
        both[0].extend(resources)
        both[1].extend(lines)
    for resources, lines in told.values():
        yield resources + lines


def main() -> None:
    """Do the job that standard input tells; its end is that of the process which wants it done."""
    told = sys.stdin.buffer
    job = msgspec.msgpack.decode(told.read(int.from_bytes(told.read(_LENGTH), "big")), type=Job)
    end_with(lambda: os.read(told.fileno(), 1))
    _answer(do(job), sys.stdout.buffer)
    os._exit(0)  # somebody waits for the end, and not until all that was read is taken apart

"""Much NDJSON read by several processes, each a share of the lines: the same rows in the same order.

The others are new processes (a copy of this one would inherit the locks of polars' threads) that run this module, are
told their spans on standard input and answer on standard output; rows come back as Arrow.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from .fhir_bundle import Reading
from .fhir_files import Span
from .fhir_lines import LineReading
from .fhir_records import Records, Scope
from .fhir_types import CodeableConcept

LEAST = 600_000  # about so many microseconds of work for each process: it takes half as long to start one
MOST = 8         # processes
Piece = tuple[str, Span]


class Job(msgspec.Struct):
    """The spans that one process reads, and what the references in them mean."""

    pieces: list[Piece]
    people: dict[str, str]
    medicines: dict[str, CodeableConcept]


class Done(msgspec.Struct):
    """What a process found: frames as Arrow IPC; for each piece, what was noted of its resources and of its lines.

    `keys` are hashes of patient, type and id, to find what is in two shares.
    """

    frames: dict[str, bytes]
    noted: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]
    calls: list[dict[str, Any]]
    keys: bytes


def take_shared(records: Records, parts: Sequence[Reading | LineReading], scope: Scope) -> bool:
    """Take the lines in by several processes; False where it does not pay, or where one of them had to see it all."""
    pieces = _pieces(parts)
    work = sum(cost for _, cost in pieces)
    shares = _shares(pieces, min(work // LEAST, os.cpu_count() or 1, MOST))
    if len(shares) < 2:
        return False
    done = _all_done([Job(share, scope.people, scope.medicines) for share in shares])
    if done is None or _overlap(records, done):
        return False
    _add(records, [piece for share in shares for piece in share], done)
    return True


def _pieces(parts: Sequence[Reading | LineReading]) -> list[tuple[Piece, int]]:
    """What can be shared out, in order, and what it costs; nothing where single resources are among them."""
    if not all(isinstance(part, LineReading) for part in parts):
        return []
    return [((str(part.path), span), cost) for part in parts if isinstance(part, LineReading)
            for span, cost in part.blocks]


def _shares(pieces: Sequence[tuple[Piece, int]], many: int) -> list[list[Piece]]:
    """About equal shares of neighbours; the pieces of one file are one."""
    total, before = sum(cost for _, cost in pieces), 0
    shares: list[list[Piece]] = [[] for _ in range(many)]
    for (path, span), cost in pieces if many > 1 else ():
        share = shares[min(before * many // total, many - 1)]
        before += cost
        if share and share[-1][0] == path:
            share[-1] = path, Span(share[-1][1].start, span.end, share[-1][1].number)
        else:
            share.append((path, span))
    return [share for share in shares if share]


def _all_done(jobs: Sequence[Job]) -> list[Done] | None:
    """Do the first job here and each other one in a process of its own; None where one of them did not end well."""
    others: list[subprocess.Popen[bytes]] = []
    try:
        for job in jobs[1:]:
            others.append(_started())
            _tell(others[-1], msgspec.msgpack.encode(job))
        own = do(jobs[0])
        return [own, *(msgspec.msgpack.decode(_said(process), type=Done) for process in others)]
    except (OSError, msgspec.DecodeError):
        return None
    finally:
        for process in others:
            process.kill()
            process.wait()


def _started() -> subprocess.Popen[bytes]:
    """A process that waits for its job, with the same modules from the same places as here."""
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    command = sys.executable, "-c", f"from {__name__} import main; main()"
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,  # noqa: S603 - own code
                            stderr=subprocess.DEVNULL, env=surroundings)


def _tell(process: subprocess.Popen[bytes], text: bytes) -> None:
    if process.stdin:
        with process.stdin as pipe:
            pipe.write(text)


def _said(process: subprocess.Popen[bytes]) -> bytes:
    if process.stdout is None:
        return b""
    with process.stdout as pipe:
        return pipe.read()


def do(job: Job) -> Done:
    """Read the spans of one job."""
    records, scope = Records(), Scope(job.people, job.medicines)
    noted = []
    for path, span in job.pieces:
        part = LineReading(Path(path), span=span)
        for resource in part.others():
            records.take(resource, scope)
        noted.append((records.issues, part.issues))
        records.issues = []
    return Done({name: _packed(kept.frame()) for name, kept in records.rows.items()}, noted, records.calls,
                _packed(_keys(records)))


def _packed(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer)
    return buffer.getvalue()


def _keys(records: Records) -> pl.DataFrame:
    """A hash of patient, type and id of each resource."""
    seen = pl.DataFrame(list(records.seen), schema=dict.fromkeys(("patient_id", "kind", "id"), pl.String), orient="row")
    return pl.DataFrame({"key": seen.hash_rows()})


def _overlap(records: Records, done: Sequence[Done]) -> bool:
    """Whether a resource may be in two shares: which is a repetition, and of what, only one process can tell."""
    keys = pl.concat([_keys(records), *(pl.read_ipc(io.BytesIO(one.keys)) for one in done)])["key"]
    return keys.n_unique() < len(keys)


def _add(records: Records, pieces: Sequence[Piece], done: Sequence[Done]) -> None:
    for one in done:
        records.calls += one.calls
        for name, frame in one.frames.items():
            records.rows[name].add_frame(pl.read_ipc(io.BytesIO(frame)))
    noted = iter([notes for one in done for notes in one.noted])
    for found in _by_file(pieces, noted):
        records.issues += found


def _by_file(pieces: Sequence[Piece], noted: Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]
             ) -> Iterator[list[dict[str, Any]]]:
    """Of each file what was noted of its resources, then what of its lines, as one process does."""
    told: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
    for (path, _), (resources, lines) in zip(pieces, noted, strict=True):
        both = told.setdefault(path, ([], []))
        both[0].extend(resources)
        both[1].extend(lines)
    for resources, lines in told.values():
        yield resources + lines


def main() -> None:
    """Do the job that standard input tells."""
    sys.stdout.buffer.write(msgspec.msgpack.encode(do(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job))))

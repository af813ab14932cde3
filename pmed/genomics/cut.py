"""Blocks of people cut from genome files as bytes, so that another process, or another machine, goes on with them.

A block holds what `opening.opened` found for its people: plain values in MessagePack, and no code.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from ..errors import GenomeError
from .builds import Evidence
from .calls import Alike, Calls, Packed
from .coded import Coded
from .files import Kind
from .header import Header
from .opening import GenomeFile
from .records import Read, Record
from .syntax import Fault

_Fields = tuple[int, str, str, int, tuple[str, ...], str, tuple[str, ...], str | None, str, int]


class _Line(msgspec.Struct, array_like=True):
    """A `Record`; its calls are text (deflated where `packed`), a byte each (deflated), or columns: name → numbers."""

    fields: _Fields
    packed: bool = False
    text: bytes = b""
    coded: bytes = b""
    columns: dict[str, tuple[str, bytes]] = {}
    samples: int = 0


class _File(msgspec.Struct, array_like=True):
    """A `GenomeFile` in plain values; sets are in order, so that equal files are equal bytes."""

    path: str
    kind: Kind
    meta: tuple[tuple[str, str], ...]
    samples: tuple[str, ...]
    build: str
    build_from: str
    evidence: dict[str, tuple[int, int]]
    contigs: list[str]
    written: list[str]
    faults: list[tuple[str, str, str]]
    records: list[_Line]


def packed(files: Sequence[GenomeFile]) -> bytes:
    """The files of one block, whose headers name the block's samples only.

    Raises:
        GenomeError: a file that is not cut (an array).
    """
    return msgspec.msgpack.encode([_plain(file) for file in files])


def unpacked(data: bytes) -> list[GenomeFile]:
    """The files of a block again."""
    return [_whole(file) for file in msgspec.msgpack.decode(data, type=list[_File])]


def _plain(file: GenomeFile) -> _File:
    head, read = file.header, file.read
    return _File(str(head.path), head.kind, head.meta, file.samples, file.build, file.build_from,
                 {name: (found.matches, found.against) for name, found in sorted(file.evidence.items())},
                 sorted(read.contigs), sorted(read.written),
                 [(fault.where, fault.code, fault.text) for fault in read.faults],
                 [_record(one) for one in read.records])


def _record(one: Record) -> _Line:
    calls = one.calls
    fields = (one.number, one.where, one.chrom, one.pos, one.ids, one.ref, one.alts, one.filter, one.format, one.last)
    if isinstance(calls, Coded):
        return _Line(fields, coded=zlib.compress(calls.codes.tobytes(), 1))
    if isinstance(calls, Alike):
        return _Line(fields, columns={name: (values.dtype.str, zlib.compress(values.tobytes(), 1))
                                      for name, values in calls.columns.items()}, samples=calls.samples)
    if isinstance(calls, Calls):
        raise GenomeError("is of a file that is not cut", where=one.where)
    return _Line(fields, packed=True, text=calls.data) if isinstance(calls, Packed) else _Line(fields, text=calls)


def _calls(line: _Line) -> bytes | Packed | Alike | Coded:
    if line.coded:
        return Coded(np.frombuffer(zlib.decompress(line.coded), dtype=np.uint8))
    if line.columns:
        return Alike(line.samples, {name: np.frombuffer(zlib.decompress(data), dtype=kind)
                                    for name, (kind, data) in line.columns.items()})
    return Packed(line.text) if line.packed else line.text


def _whole(file: _File) -> GenomeFile:
    records = [Record(*line.fields[:-1], _calls(line), line.fields[-1]) for line in file.records]
    read = Read(records, set(file.contigs), set(file.written), [Fault(*fault) for fault in file.faults])
    return GenomeFile(Header(Path(file.path), file.samples, file.meta, file.kind), file.samples, file.build,
                      file.build_from, {name: Evidence(*found) for name, found in file.evidence.items()}, read)

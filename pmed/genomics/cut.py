"""Blocks of people cut from genome files as bytes, so that another process, or another machine, goes on with them.

A block holds what `opening.opened` found for its people: plain values in MessagePack, and no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..errors import GenomeError
from .builds import Evidence
from .calls import Calls, Packed
from .files import Kind
from .header import Header
from .opening import GenomeFile
from .records import Read, Record
from .syntax import Fault

_Fields = tuple[int, str, str, int, tuple[str, ...], str, tuple[str, ...], str | None, str, int]


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
    records: list[tuple[_Fields, bool, bytes]]


def packed(files: Sequence[GenomeFile]) -> bytes:
    """The files of one block, whose headers name the block's samples only.

    Raises:
        GenomeError: a file that is not read as text (an array, the cache).
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


def _record(one: Record) -> tuple[_Fields, bool, bytes]:
    if isinstance(one.calls, Calls):
        raise GenomeError("is no VCF or BCF file, which alone are cut", where=one.where)
    fields = (one.number, one.where, one.chrom, one.pos, one.ids, one.ref, one.alts, one.filter, one.format, one.last)
    is_packed = isinstance(one.calls, Packed)
    return fields, is_packed, one.calls.data if isinstance(one.calls, Packed) else one.calls


def _whole(file: _File) -> GenomeFile:
    records = [Record(*fields[:-1], Packed(calls) if is_packed else calls, fields[-1])
               for fields, is_packed, calls in file.records]
    read = Read(records, set(file.contigs), set(file.written), [Fault(*fault) for fault in file.faults])
    return GenomeFile(Header(Path(file.path), file.samples, file.meta, file.kind), file.samples, file.build,
                      file.build_from, {name: Evidence(*found) for name, found in file.evidence.items()}, read)

"""Every record of a block of lines, one by one: right for whatever can stand in a VCF line, and slower than `columns`.

Cohorts come this way too: there a line is long, and the genotypes of all lines are decoded at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from pmed.errors import GenomeError

from .alleles import with_chr
from .blocks import Block, last_position
from .calls import Calls, decode
from .genotypes import CELL, fixed_width
from .records import Record
from .structural import is_suspect, with_mate
from .syntax import record_faults
from .table import Arrays, blank, framed, put

_MOST_CELLS = 1_000_000
POS_DIGITS = 18


def frames_of_lines(block: Block, first: int, samples: int, where: str) -> Iterator[pl.DataFrame]:
    """The records of a block, `first` the number of the first; `where` names the file and what its lines are.

    Raises:
        GenomeError: a malformed record, with its place.
    """
    lines = np.flatnonzero(block.is_record)
    most = max(1, _MOST_CELLS // samples)
    for start in range(0, len(lines), most):
        some = lines[start:start + most].tolist()
        parts = [block.line(line).split(b"\t", 9) for line in some]
        records = [record_of(columns, number, f"{where} {block.number + line}")
                   for number, (columns, line) in enumerate(zip(parts, some, strict=True), first + start)]
        yield _frame(records, samples, {"line": [block.number + line for line in some],
                                        "contig": [columns[0].decode("latin-1") for columns in parts]})


def record_of(parts: Sequence[bytes], number: int, where: str) -> Record:
    """One line's columns, the last of them all samples together, as a record.

    Raises:
        GenomeError: a column is missing or empty, POS is no number, a FORMAT key is there twice.
    """
    if len(parts) < 2 or not parts[1].isdigit() or len(parts[1]) > POS_DIGITS:
        raise GenomeError("the record's POS is not a whole number", where=where)
    if len(parts) < 10:
        raise GenomeError(f"the record has {len(parts)} columns, where at least 10 are expected", where=where)
    if is_suspect(parts[4]):
        parts = [*parts[:4], with_mate(parts[4], parts[7]), *parts[5:]]
    ids, ref, alts, flt, form = (parts[i].decode("latin-1") for i in (2, 3, 4, 6, 8))
    if not ref or not alts:
        raise GenomeError("the record has no REF or no ALT", where=where)
    record = Record(number, where, with_chr(parts[0].decode("latin-1")), int(parts[1]), tuple(ids.split(";")),
                    ref.upper(), tuple(a.upper() for a in alts.split(",")) if alts != "." else (),
                    None if flt == "." else flt, form, parts[9], last_position(parts))
    for _ in record_faults(record.ref, record.alts, record.filter, record.format, where):
        pass  # faults that can be read over are told where the record is used
    return record


def decoded(records: Sequence[Record], samples: int) -> tuple[list[Calls], list[bytes | None]]:
    """The calls of records, and the sample columns as they were written where they hold more than the calls do.

    That is so where `calls.decode` had something to say about them, where each sample has an end of its own (LEN) or a
    number of copies (CN), and where reads (AD) or likelihoods contradict a call.

    Raises:
        GenomeError: as `calls.decode`.
    """
    calls, faults = decode(records, samples)
    told = {fault.where for fault in faults}
    return calls, [bytes(record.calls) if record.where in told or _has_more(one) else None  # type: ignore[arg-type]
                   for record, one in zip(records, calls, strict=True)]


def _has_more(calls: Calls) -> bool:
    against = any(one is not None and bool(one.any()) for one in (calls.against, calls.unlikely))
    return calls.length is not None or calls.copies is not None or against


def _frame(records: Sequence[Record], samples: int, places: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    arrays, texts = blank(len(records), samples), list[bytes | None]([None] * len(records))
    left = _plain(records, samples, arrays)
    calls, kept = decoded([records[number] for number in left], samples)
    put(arrays, left, calls)
    for number, text in zip(left, kept, strict=True):
        texts[number] = text
    return framed({
        **places, "source_row": [one.number for one in records], "chrom": [one.chrom for one in records],
        "pos": [one.pos for one in records], "last": [one.last for one in records],
        "id": [";".join(one.ids) for one in records], "ref": [one.ref for one in records],
        "alt": [",".join(one.alts) or None for one in records], "filter": [one.filter for one in records],
        "format": [one.format for one in records], "text": texts}, arrays)


def _plain(records: Sequence[Record], samples: int, arrays: Arrays) -> list[int]:
    """Decode the records that have ``0|1`` and nothing else for everybody; returns the numbers of the others."""
    text_width = CELL * samples - 1
    here = [number for number, one in enumerate(records) if one.format == "GT" and len(one.calls) == text_width]  # type: ignore[arg-type]
    if not here:
        return list(range(len(records)))
    text = b"\t".join(records[number].calls for number in here) + b"\t"  # type: ignore[misc]
    found, good = fixed_width(np.frombuffer(text, dtype=np.uint8), np.arange(len(here)) * CELL * samples, samples)
    good &= found.highest() <= np.array([len(records[number].alts) for number in here])
    done, found = np.array(here)[good], found.records(good)
    arrays["allele_1"][done], arrays["allele_2"][done] = found.alleles[:, :, 0], found.alleles[:, :, 1]
    arrays["ploidy"][done], arrays["phased"][done] = found.ploidy, found.phased
    return sorted(set(range(len(records))) - set(done.tolist()))

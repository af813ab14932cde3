"""Opened genome files cut into blocks of people, so that a cohort is worked on a block at a time.

What the records that reach a known site say is small, and kept packed; what is made of it (cells, the grid, the
table) is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pmed.errors import GenomeError

from .calls import Alike, Calls, Ints, Packed
from .coded import Coded
from .opening import GenomeFile
from .records import Record


def in_blocks(files: Sequence[GenomeFile], blocks: Sequence[Sequence[str]]) -> Iterator[list[GenomeFile]]:
    """The files for each block of samples; a file that has none of a block is not part of it."""
    cut = [_cut(file, blocks) for file in files]
    for number in range(len(blocks)):
        yield [one for some in cut if (one := some[number]) is not None]


def _cut(file: GenomeFile, blocks: Sequence[Sequence[str]]) -> list[GenomeFile | None]:
    """One file for each block: its samples, and their columns of every record."""
    at, taken = {name: place for place, name in enumerate(file.header.samples)}, set(file.samples)
    mine = [tuple(name for name in block if name in taken) for block in blocks]
    places = [np.array([at[name] for name in names], dtype=np.int64) for names in mine]
    records: list[list[Record]] = [[] for _ in blocks]
    for record in file.read.records:
        for some, calls in zip(records, _columns(record, places, len(at)), strict=True):
            some.append(replace(record, calls=calls))
    return [replace(file, samples=names, header=replace(file.header, samples=names),
                    read=replace(file.read, records=some)) if names else None
            for names, some in zip(mine, records, strict=True)]


def _columns(record: Record, places: Sequence[Ints], samples: int) -> Sequence[Calls | Packed | Alike | Coded]:
    """The sample columns at those places, for each block.

    Raises:
        GenomeError: the record has another number of them: which is whose is not known then, of whatever block.
    """
    calls = record.calls.text if isinstance(record.calls, Packed) else record.calls
    if isinstance(calls, Calls):
        return [calls.of(place) for place in places]
    little = calls if isinstance(calls, Alike | Coded) else Coded.of_text(calls, samples, record.format)
    if little is not None:
        return [little.at(place) for place in places]
    cells = bytes(calls).split(b"\t")  # type: ignore[arg-type]
    if len(cells) != samples:
        raise GenomeError(f"the record has {len(cells)} samples, the header names {samples}", where=record.where)
    return [Packed.of(b"\t".join(_picked(cells, place))) for place in places]


def _picked(cells: list[bytes], place: Ints) -> list[bytes]:
    """Cells at some places, which mostly are one run."""
    return cells[place[0]:place[-1] + 1] if _is_run(place) else [cells[n] for n in place.tolist()]


def _is_run(place: Ints) -> bool:
    return bool(place.size) and place[-1] - place[0] + 1 == place.size and bool((np.diff(place) == 1).all())

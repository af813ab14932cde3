"""What was looked at: gVCF blocks, intervals of a BED file (array manifest, panel, exome targets); and more copies."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pmed.errors import GenomeError

from .alleles import Sites, with_chr
from .calls import NONE, Calls
from .files import unpacked
from .records import Record

_MOST_DIGITS = 10
_SKIPPED = (b"#", b"track", b"browser")


@dataclass(frozen=True)
class Targets:
    """Intervals that were looked at, merged, by contig: 1-based first and last positions."""

    path: Path
    intervals: Mapping[str, Sequence[tuple[int, int]]]

    @classmethod
    def of(cls, path: Path) -> Targets:
        """Read a BED file (0-based, half open; UCSC BED format), plain or packed.

        Raises:
            GenomeError: no such file, or a line without contig, start and end.
        """
        if not path.is_file():
            raise GenomeError("no such BED file", where=str(path))
        found: dict[str, list[tuple[int, int]]] = {}
        with unpacked(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip() and not line.startswith(_SKIPPED):
                    chrom, start, end = _interval(line, f"{path} line {number}")
                    found.setdefault(chrom, []).append((start + 1, end))
        return cls(path, {chrom: _merged(here) for chrom, here in found.items()})

    def around(self, chrom: str, first: int, last: int) -> tuple[int, int] | None:
        """The interval that holds all of `first` to `last`, if one does."""
        here = self.intervals.get(chrom, ())
        number = bisect_right(here, first, key=lambda interval: interval[0]) - 1
        return here[number] if number >= 0 and last <= here[number][1] else None


def _interval(line: bytes, where: str) -> tuple[str, int, int]:
    parts = line.split()
    numbers = len(parts) >= 3 and all(part.isdigit() and len(part) <= _MOST_DIGITS for part in parts[1:3])
    if not numbers or int(parts[1]) > int(parts[2]):
        raise GenomeError("not a BED line: contig, start and end are expected", where=where)
    return with_chr(parts[0].decode("latin-1")), int(parts[1]), int(parts[2])


def _merged(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def block_rows(record: Record, calls: Calls, samples: Sequence[str]) -> Iterator[dict[str, Any]]:
    """``coverage`` rows of one gVCF block; a sample without a call was not looked at."""
    ends = calls.ends(record.pos, record.last)
    called = (calls.alleles[:, 0] != NONE) & ~calls.failed
    for i in map(int, np.flatnonzero(called)):
        yield {"sample": samples[i], "chrom": record.chrom, "start": record.pos, "end": int(ends[i]), "kind": "block",
               "dp": _number(calls.dp[i]), "gq": _number(calls.gq[i])}


def copies_rows(record: Record, more: NDArray[np.bool_], samples: Sequence[str]) -> Iterator[dict[str, Any]]:
    """``coverage`` rows of a record by which some samples have more copies of the stretch than usual."""
    for i in map(int, np.flatnonzero(more)):
        yield {"sample": samples[i], "chrom": record.chrom, "start": record.pos, "end": record.last,
               "kind": "more-copies"}


def target_rows(targets: Targets, sites: Sites, samples: Sequence[str]) -> list[dict[str, Any]]:
    """``coverage`` rows of the intervals that hold a site."""
    found = {(with_chr(site.chrom), *around): None for site in sites.rows
             if (around := targets.around(with_chr(site.chrom), site.pos, site.pos + len(site.ref) - 1))}
    return [{"sample": sample, "chrom": chrom, "start": start, "end": end, "kind": "target"}
            for chrom, start, end in found for sample in samples]


def _number(value: int | np.int64) -> int | None:
    return None if value == NONE else int(value)

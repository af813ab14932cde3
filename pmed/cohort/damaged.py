"""Whom records that cannot be read may be about: what is not found of these people is unknown, not absent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..batch.people import is_apart, source_of, unread_file
from ..files import write_whole
from ..sources.fhir_bundle import NO_TYPE
from ..sources.fhir_damaged import concerned
from ..tables import TABLES
from .staging import Sorted, packed_tables, staged_tables

Read = Mapping[tuple[Path, ...], Sorted]


def mark_damaged(sources: Sequence[Any], given: Iterable[Path], made: Read, folders: Mapping[tuple[Path, ...], Path]
                 ) -> None:
    """Note in staged records which of the `given` files cannot be read and may be about their people.

    Such a file may be about those whom the same source reads, and nobody else (``sources.fhir_damaged``). Done again it
    changes nothing.
    """
    unread = {Path(path): why for one in made.values() for path, why in one.unread.items()}
    rows = defaultdict[str, list[dict[str, Any]]](list)
    for path in sorted({*given} & unread.keys()):
        if path.is_file() and NO_TYPE not in unread[path]:
            for patient in _whom(sources, path, made, unread):
                rows[patient].append(unread_file(path, patient))
    for paths, one in made.items():
        for name, patients in one.patients.items():
            if mine := [row for patient in patients for row in rows.get(patient, ())]:
                _add(folders[paths] / name, TABLES["issues"].frame(mine))


def _whom(sources: Sequence[Any], path: Path, made: Read, unread: Mapping[Path, str]) -> Sequence[str]:
    """Who a file may be about, in alphabetical order."""
    source = source_of(sources, path)
    beside = [(paths, one) for paths, one in made.items() if source_of(sources, paths[0]) is source]
    known = frozenset(patient for _, one in beside for some in one.patients.values() for patient in some)
    files = [one for paths, _ in beside for one in paths if one not in unread]
    one_each = len(files) == len(known) and all(is_apart(sources, one) for one in files)
    return sorted(concerned(path, known, whole=one_each and is_apart(sources, path)))


def _add(path: Path, issues: pl.DataFrame) -> None:
    """Add rows of ``issues`` to staged records that have not got them."""
    tables = staged_tables([path])
    known = {*tables["issues"].select("file", "code", "patient_id").iter_rows()}
    fresh = issues.filter([row not in known for row in issues.select("file", "code", "patient_id").iter_rows()])
    if fresh.height:
        tables["issues"] = pl.concat([tables["issues"], fresh])
        write_whole(path, packed_tables({name: rows for name, rows in tables.items() if rows.height}))

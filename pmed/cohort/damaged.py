"""Whom records that cannot be read may be about: what is not found of these people is unknown, not absent.

Records are read some files, or parts of files, at a time: what is wrong with one may be about people in others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..batch.damaged import whom
from ..batch.people import source_of, unread_file
from ..files import write_whole
from ..sources.lost_rows import settled
from ..tables import TABLES
from .staging import OTHERS, Sorted, packed_tables, staged_tables


def mark_damaged(sources: Sequence[Any], given: Iterable[Path], made: Mapping[tuple[Path, ...], Sorted],
                 folders: Mapping[tuple[Path, ...], Path]) -> None:
    """Note in staged records which of the `given` files cannot be read and may be about their people.

    Done again it changes nothing.
    """
    unread = {Path(path): why for one in made.values() for path, why in one.unread.items()}
    read = [(files, {patient: () for some in one.patients.values() for patient in some})
            for paths, one in made.items() if (files := [path for path in paths if path not in unread])]
    rows = defaultdict[str, list[dict[str, Any]]](list)
    for path in sorted({*given} & unread.keys()):
        for patient in whom(sources, path, unread[path], read) if path.is_file() else ():
            rows[patient].append(unread_file(path, patient))
    for paths, issues in _others(sources, made, folders):
        for row in issues.iter_rows(named=True):
            for patient in ([row["patient_id"]] if row["patient_id"] else _people(sources, made, paths)):
                rows[patient].append({**row, "patient_id": patient})
    for paths, one in made.items():
        for name, patients in one.patients.items():
            if mine := [row for patient in patients for row in rows.get(patient, ())]:
                _add(folders[paths] / name, TABLES["issues"].frame(mine))


def _others(sources: Sequence[Any], made: Mapping[tuple[Path, ...], Sorted],
            folders: Mapping[tuple[Path, ...], Path]) -> Iterator[tuple[tuple[Path, ...], pl.DataFrame]]:
    """Of each source's files, what may be about people in others of them: who is named or, with nobody, everybody."""
    found: dict[int, list[tuple[tuple[Path, ...], pl.DataFrame]]] = defaultdict(list)
    for paths in made:
        if (kept := folders[paths] / OTHERS).is_file():
            found[id(source_of(sources, paths[0]))].append((paths, staged_tables([kept])["issues"]))
    for some in found.values():
        paths = some[0][0]
        issues = pl.concat([frame for _, frame in some]).unique(maintain_order=True)
        if issues.height:
            yield paths, settled(issues, _people(sources, made, paths))


def _people(sources: Sequence[Any], made: Mapping[tuple[Path, ...], Sorted], like: tuple[Path, ...]) -> list[str]:
    """Everybody whom the source of some files knows."""
    source = source_of(sources, like[0])
    return [patient for paths, one in made.items() if source_of(sources, paths[0]) is source
            for some in one.patients.values() for patient in some]


def _add(path: Path, issues: pl.DataFrame) -> None:
    """Add rows of ``issues`` to staged records that have not got them."""
    tables = staged_tables([path])
    known = {*tables["issues"].select("file", "code", "patient_id").iter_rows()}
    fresh = issues.filter([row not in known for row in issues.select("file", "code", "patient_id").iter_rows()])
    if fresh.height:
        tables["issues"] = pl.concat([tables["issues"], fresh])
        write_whole(path, packed_tables({name: rows for name, rows in tables.items() if rows.height}))

"""Whom records that cannot be read may be about: what is not found of these people is unknown, not absent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..batch.damaged import whom
from ..batch.people import unread_file
from ..files import write_whole
from ..tables import TABLES
from .staging import Sorted, packed_tables, staged_tables


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
    for paths, one in made.items():
        for name, patients in one.patients.items():
            if mine := [row for patient in patients for row in rows.get(patient, ())]:
                _add(folders[paths] / name, TABLES["issues"].frame(mine))


def _add(path: Path, issues: pl.DataFrame) -> None:
    """Add rows of ``issues`` to staged records that have not got them."""
    tables = staged_tables([path])
    known = {*tables["issues"].select("file", "code", "patient_id").iter_rows()}
    fresh = issues.filter([row not in known for row in issues.select("file", "code", "patient_id").iter_rows()])
    if fresh.height:
        tables["issues"] = pl.concat([tables["issues"], fresh])
        write_whole(path, packed_tables({name: rows for name, rows in tables.items() if rows.height}))

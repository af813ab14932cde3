"""Whom records that cannot be read may be about: what is not found of these people is unknown, not absent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..sources.fhir_bundle import NO_TYPE
from ..sources.fhir_damaged import concerned
from .people import Found, is_apart, source_of

# Files that were read together, and the names of those that each patient's rows came from, where they are known.
Read = tuple[Sequence[Path], Mapping[str, Collection[str]]]


def with_damaged(found: Found, sources: Sequence[Any]) -> Found:
    """The parts, each with the unread files that may be about people in it."""
    read = [(part.paths, part.patients) for part in found.parts]
    damaged = {path: whom(sources, path, why, read) for path, why in found.unread.items() if path.exists()}
    parts = (replace(part, damaged={path: mine for path, who in damaged.items() if (mine := who & {*part.patients})})
             for part in found.parts)
    return replace(found, parts=tuple(parts))


def whom(sources: Sequence[Any], path: Path, why: str, read: Sequence[Read]) -> frozenset[str]:
    """Who a file that cannot be read may be about (``sources.fhir_damaged``).

    Only those whom the same source has `read`; nobody where it is something else (`why` it is not read says so).
    """
    source = None if NO_TYPE in why else source_of(sources, path)
    beside = [one for one in read if source is not None and source_of(sources, one[0][0]) is source]
    known = frozenset(patient for _, patients in beside for patient in patients)
    return frozenset(concerned(path, known, whole=is_apart(sources, path) and _one_each(beside, sources)))


def _one_each(read: Sequence[Read], sources: Sequence[Any]) -> bool:
    """Whether each file is the whole record of one patient."""
    files = {path for paths, _ in read for path in paths}
    names = {patient: mine for _, patients in read for patient, mine in patients.items()}
    return (len(files) == len(names) and all(len(mine) <= 1 for mine in names.values())
            and all(is_apart(sources, path) for path in files))

"""Whom records that cannot be read may be about: what is not found of these people is unknown, not absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..sources.fhir_bundle import NO_TYPE
from ..sources.fhir_damaged import concerned
from .people import Found, Part, is_apart, source_of


def with_damaged(found: Found, sources: Sequence[Any]) -> Found:
    """The parts, each with the unread files that may be about people in it (``sources.fhir_damaged``).

    Such a file may be about those whom the same source reads, and nobody else.
    """
    for path, why in found.unread.items():
        source = source_of(sources, path) if path.exists() and NO_TYPE not in why else None
        beside = [part for part in found.parts if source is not None and source_of(sources, part.paths[0]) is source]
        known = frozenset(patient for part in beside for patient in part.patients)
        whom = frozenset(concerned(path, known, whole=is_apart(sources, path) and _one_each(beside, sources)))
        marked = {id(part): replace(part, damaged={**part.damaged, path: mine})
                  for part in beside if (mine := whom & {*part.patients})}
        found = replace(found, parts=tuple(marked.get(id(part), part) for part in found.parts))
    return found


def _one_each(parts: Sequence[Part], sources: Sequence[Any]) -> bool:
    """Whether each file is the whole record of one patient."""
    files: set[Path] = {path for part in parts for path in part.paths}
    patients = {patient: names for part in parts for patient, names in part.patients.items()}
    return (len(files) == len(patients) and all(len(names) == 1 for names in patients.values())
            and all(is_apart(sources, path) for path in files))

"""Whose record a FHIR file may be part of that cannot be read: what it held of them is unknown, not absent.

By what can still be read of it, or by its name, it is about certain patients. Else it may be about everybody who is
read with it, unless each of the other files is the whole record of one patient: then it is one more patient's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence, Set
from pathlib import Path

import polars as pl

from ..tables import Tables
from .fhir_files import is_lines, opened_as_far
from .fhir_resource import file_issue
from .recorded import Issue

BAD_FILE = "bad-file"
ANOTHER = ("the file that cannot be read was taken for the record of one more patient; if it is part of another "
           "record, what that one lacks is unknown, not absent")
_MOST = 1 << 24  # bytes that are looked through
_ID = rb"([A-Za-z0-9][A-Za-z0-9._-]{0,63})"
# A patient by itself, a reference to one, and one to an entry; each whole, for the text may end in the middle of an id.
_SHOWN = (re.compile(rb'"resourceType"\s*:\s*"Patient"\s*,\s*"id"\s*:\s*"' + _ID + rb'"'
                     rb'|"id"\s*:\s*"' + _ID + rb'"\s*,\s*"resourceType"\s*:\s*"Patient"'
                     rb'|\bPatient/' + _ID + rb'(?=["/?#|])'),
          re.compile(rb'"(?:subject|patient)"\s*:\s*\{\s*"reference"\s*:\s*"urn:uuid:' + _ID + rb'"'))
_NUMBER = re.compile(r"\d{1,4}")  # in the name of a file it may be anything: a page, a year


def concerned(path: Path, known: Set[str], *, whole: bool) -> Set[str]:
    """Who of `known` a file that cannot be read may be about.

    Args:
        path: The file.
        known: Everybody who is read with it.
        whole: Each of the other files is the whole record of one of them.
    """
    named = _shown(path) or _in_name(path, known)
    if named:
        return known & named
    return frozenset() if whole and len(known) > 1 and not is_lines(path) else known


def patients_in(text: bytes) -> frozenset[str]:
    """Ids of the patients that a text which is no JSON speaks of.

    >>> patients_in(b'{"resourceType":"Condition","subject":{"reference":"Patient/p1"},"code":{"te')
    frozenset({'p1'})
    """
    for pattern in _SHOWN:
        if found := {name.decode() for match in pattern.finditer(text) for name in match.groups() if name}:
            return frozenset(found)
    return frozenset()


def _shown(path: Path) -> frozenset[str]:
    """Ids of patients in what can be read of a document.

    None of NDJSON, or of more than is looked through: those who come later may be others.
    """
    text = b"" if is_lines(path) or not path.is_file() else opened_as_far(path, _MOST)
    return patients_in(text) if len(text) < _MOST else frozenset()


def _in_name(path: Path, known: Set[str]) -> frozenset[str]:
    """Who of `known` is in the name of the file, with no letter or digit beside: p1 in "p1.json" and "labs_p1.json"."""
    stem = re.sub(r"(?i)\.(json|ndjson|jsonl)(\.gz)?$", "", path.name)
    if stem in known:
        return frozenset({stem})
    return frozenset(one for one in known if one in stem and not _NUMBER.fullmatch(one)
                     and re.search(rf"(?<![A-Za-z0-9]){re.escape(one)}(?![A-Za-z0-9])", stem))


def owned(issues: Sequence[Issue], frames: Tables, damaged: Mapping[str, Path],
          bundles: Collection[str]) -> list[Issue]:
    """The issues, those of what cannot be read with the patients they may concern: a row for each.

    Args:
        issues: Rows of ``issues``.
        frames: Rows as recorded, of all tables.
        damaged: Files that cannot be read, by name.
        bundles: Names of the files that were read and hold whole records.
    """
    if not damaged:
        return [*issues]
    people = pl.concat([frame.select("patient_id", "file") for frame in frames.values()]).unique()
    known, whole = frozenset(people["patient_id"]), _one_each(people) and {*people["file"]} == {*bundles}
    told: list[Issue] = []
    for issue in issues:
        file = str(issue["file"])
        mine = concerned(damaged[file], known, whole=whole) if issue["code"] == BAD_FILE else ()
        told += [issue | {"patient_id": one} for one in sorted(mine)] or [issue]
        if issue["code"] == BAD_FILE and not mine:
            told.append(file_issue(file, "", "warning", "another-patient", ANOTHER))
    return told


def _one_each(people: pl.DataFrame) -> bool:
    """Whether each file is of one patient, and each patient in one file."""
    return people.height == people["patient_id"].n_unique() == people["file"].n_unique()

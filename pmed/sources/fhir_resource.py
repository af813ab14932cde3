"""One resource of a file: what it is, where it stands, and how problems with it are told."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from .recorded import Issue

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What the rest of the record refers to, and is read before it.
FIRST = ("Patient", "Medication")


class Note(NamedTuple):
    """A problem met in a resource, at a JSON path in it; `personal` where it is told with the patient's id."""

    severity: str
    code: str
    text: str
    path: str = ""
    personal: bool = False


class Resource(msgspec.Struct, frozen=True, gc=False):
    """One resource; `spot` says where in the file it is: entry[3], line 7, or "" for the whole file.

    It is either still undecoded (`raw`) or `found` already.
    """

    file: str
    spot: str
    kind: str
    id: str
    full_url: str
    raw: bytes | msgspec.Raw = b""
    found: Any = None

    @property
    def name(self) -> str:
        """Type and id, or the spot where there is no id."""
        return f"{self.kind}/{self.id}" if self.id else self.spot or self.kind

    @property
    def place(self) -> str:
        """Where in the file it is, for the ``issues`` table."""
        return f"{self.spot} {self.kind}{'/' if self.id else ''}{self.id}".lstrip()

    def issue(self, severity: str, code: str, text: str, *, patient_id: str | None = None, path: str = "") -> Issue:
        """A row of ``issues`` about this resource; `path` is a JSON path inside it."""
        return file_issue(self.file, f"{self.place} {path}".strip(), severity, code, text) | {"patient_id": patient_id}

    def noted(self, note: Note, name: str) -> Issue:
        """A row of ``issues`` for a note about this resource of the patient `name`."""
        return self.issue(note.severity, note.code, note.text, path=note.path,
                          patient_id=name if note.personal else None)


def file_issue(file: str, place: str, severity: str, code: str, text: str) -> Issue:
    """A row of ``issues`` about a place in a file."""
    return {"file": file, "place": place, "severity": severity, "code": code, "text": text, "patient_id": None}

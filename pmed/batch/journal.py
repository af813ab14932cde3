"""What a batch has done so far: one line a report, so that a rerun writes only what is missing or changed.

The journal lies beside the reports. A line is added when its report is in place; a line that a kill tore is no line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec

from ..errors import PmedError
from ..files import sha256, write_whole

JOURNAL = "batch.jsonl"
FORMAT = "pmed/batch/1"
_STEM = 40  # characters of the name that a person recognises; the hash behind them makes it unique


@dataclass(frozen=True)
class ToDo:
    """One medicine that is taken and asks for something."""

    drug: str
    action: str
    urgency: str


@dataclass(frozen=True)
class Line:
    """One patient's report, or why there is none.

    Attributes:
        patient_id: Whose; of an input file that could not be read, its name.
        file: The report's name in the folder; "" where there is none.
        key: Hash of everything that the report rests on.
        sha256: Hash of the report.
        error: Why there is no report.
        partial: Plugins that failed in it.
        todo: Medicines that are taken and ask for something, most pressing first.
        open: Medicines that are taken and could not be assessed, or of which nobody knows anything.
        recorded: Whether there is a record; without one nobody can say what is taken.
        exports: Files of other formats, below the folder, and the hash of each.
    """

    patient_id: str
    file: str = ""
    key: str = ""
    sha256: str = ""
    error: str = ""
    partial: tuple[str, ...] = ()
    todo: tuple[ToDo, ...] = ()
    open: tuple[str, ...] = ()
    recorded: bool = False
    exports: dict[str, str] = field(default_factory=dict)

    def hashes(self) -> dict[str, str]:
        """All files of this patient's."""
        return {self.file: self.sha256, **self.exports}


def file_name(patient_id: str) -> str:
    """The report's file name: letters of the id that every file system takes, and a hash that makes it unique.

    >>> file_name("../Con")
    'con-5b2f43bab34d.html'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", patient_id.lower()).strip("-")[:_STEM].strip("-") or "patient"
    return f"{plain}-{hashlib.sha256(patient_id.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}.html"


def digest(value: Any) -> str:
    """Hash of plain values, whatever the order of their keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


@dataclass
class Journal:
    """The lines of a folder; the last one about a patient counts."""

    folder: Path
    lines: dict[str, Line] = field(default_factory=dict)
    sink: IO[bytes] | None = None

    @classmethod
    def read(cls, folder: Path) -> Journal:
        """The journal of an earlier run, or an empty one.

        Raises:
            PmedError: the folder holds another kind of file of that name.
        """
        path = folder / JOURNAL
        if not path.exists():
            return cls(folder)
        head, *rest = path.read_bytes().split(b"\n")
        if _decoded(head, dict[str, str]) != {"format": FORMAT}:
            raise PmedError("is no journal of this version's", where=str(path), hint="choose another folder")
        found = (line for one in rest if (line := _decoded(one, Line)) is not None)
        return cls(folder, {line.patient_id: line for line in found})

    def is_done(self, patient_id: str, key: str) -> bool:
        """Whether the report is there, whole, and would be the same again."""
        line = self.lines.get(patient_id)
        if line is None or line.error or line.partial or line.key != key:
            return False
        return all(path.is_file() and sha256(path) == known
                   for path, known in ((self.folder / name, known) for name, known in line.hashes().items()))

    def __enter__(self) -> Journal:
        """Write the lines afresh, without torn and outdated ones, and open the file to add to."""
        write_whole(self.folder / JOURNAL, _encoded([{"format": FORMAT}, *self.lines.values()]))
        self.sink = (self.folder / JOURNAL).open("ab")
        return self

    def add(self, lines: Iterable[Line]) -> None:
        """Keep what was done, on the disk too."""
        made = list(lines)
        self.lines |= {line.patient_id: line for line in made}
        if self.sink:
            self.sink.write(_encoded(made))
            self.sink.flush()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.sink:
            self.sink.close()


def _encoded(values: Iterable[Any]) -> bytes:
    return b"".join(msgspec.json.encode(value) + b"\n" for value in values)


def _decoded(text: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

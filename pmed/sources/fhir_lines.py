"""NDJSON, as Bulk Data exports are: one resource a line (https://hl7.org/fhir/uv/bulkdata/).

A file is gone through twice, once for what others refer to and once for the rest, so that it need not fit in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .fhir_bundle import FIRST, Reading, Resource, undecoded
from .fhir_files import numbered_lines
from .recorded import Issue

# A line that is one of them has its name in quotes; most others have not.
_MARKS = tuple(f'"{kind}"'.encode() for kind in FIRST)


@dataclass
class LineReading:
    """An NDJSON file while it is read."""

    path: Path
    issues: list[Issue] = field(default_factory=list)

    @property
    def where(self) -> str:
        """The file, for errors."""
        return str(self.path)

    def first(self) -> Iterator[Resource]:
        """Patients and medicines. Lines that cannot be read are told of by `others`."""
        silent = Reading(self.path.name, self.where)
        for number, line in numbered_lines(self.path):
            if any(mark in line for mark in _MARKS):
                found = undecoded(line, f"line {number}", silent, what="the line")
                if found and found.kind in FIRST:
                    yield found

    def others(self) -> Iterator[Resource]:
        """All else that becomes rows."""
        telling = Reading(self.path.name, self.where, issues=self.issues)
        for number, line in numbered_lines(self.path):
            found = undecoded(line, f"line {number}", telling, what="the line")
            if found and found.kind not in FIRST:
                yield found

"""NDJSON, as Bulk Data exports are: one resource a line (https://hl7.org/fhir/uv/bulkdata/).

A file is gone through twice, once for what others refer to and once for the rest, so that it need not fit in memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .fhir_bundle import Reading, undecoded
from .fhir_decoded import BEGIN, decoded_lines, is_passed_over
from .fhir_files import WHOLE, Span, blocks, lines_of, opened
from .fhir_resource import FIRST, Resource
from .recorded import Issue

# A line that is one of them has its name in quotes; most others have not.
_MARKS = tuple(f'"{kind}"'.encode() for kind in FIRST)
_HEAD = 4096


@dataclass
class LineReading:
    """An NDJSON file, or a span of it, while it is read.

    Attributes:
        met_first: `pieces` met a patient or medicine.
        without_first: It is known that there is none.
    """

    path: Path
    issues: list[Issue] = field(default_factory=list)
    span: Span = WHOLE
    met_first: bool = False
    without_first: bool = False

    @property
    def where(self) -> str:
        """The file, for errors."""
        return str(self.path)

    def first(self) -> Iterator[Resource]:
        """Patients and medicines. Lines that cannot be read are told of by `pieces`."""
        if self.without_first:
            return
        silent = Reading(self.path.name, self.where)
        for span, block in blocks(self.path, self.span):
            if _is_marked(block):
                yield from self._first(span.number, block, silent)

    def _first(self, number: int, block: bytes, silent: Reading) -> Iterator[Resource]:
        for spot, line in lines_of(number, block):
            if _is_marked(line):
                found = undecoded(line, f"line {spot}", silent, what="the line")
                if found and found.kind in FIRST:
                    yield found

    def pieces(self) -> Iterator[Sequence[Resource]]:
        """All resources, those of many lines at a time."""
        name = self.path.name  # one text for all rows
        for span, block in blocks(self.path, self.span):
            if is_passed_over(block):
                continue
            whole = decoded_lines(name, span.number, span.lines, block)
            if whole is not None:
                self.met_first = self.met_first or whole.has_first()
                yield whole
            else:
                each = [*self._one_by_one(span.number, block)]
                self.met_first = self.met_first or any(one.kind in FIRST for one in each)
                yield each

    def _one_by_one(self, number: int, block: bytes) -> Iterator[Resource]:
        telling = Reading(self.path.name, self.where, issues=self.issues)
        for spot, line in lines_of(number, block):
            if found := undecoded(line, f"line {spot}", telling, what="the line"):
                yield found


def kind_at_begin(path: Path) -> str:
    """The type that a file begins with; "" where that cannot be told."""
    try:
        with opened(path) as file:
            begin = BEGIN.match(file.read(_HEAD).removeprefix(b"\xef\xbb\xbf"))
    except (OSError, EOFError, zlib.error):
        return ""
    return begin[1].decode() if begin else ""


def _is_marked(text: bytes) -> bool:
    return any(mark in text for mark in _MARKS)

"""A file of HL7 v2 messages → segments with their place (HL7 v2.3 to 2.8, chapter 2).

Files hold one or many messages, bare, in batches (FHS, BHS) or as they went over the wire (MLLP). Segments end with CR,
LF or both. A field is split when it is asked for: most of them never are. Escapes are read by python-hl7; what it would
read wrongly or log is met before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..compatibility import install_extra
from ..errors import HistoryError
from .recorded import Issue

HINT = "export HL7 v2 messages, each beginning with MSH"
STARTS = (b"MSH", b"FHS", b"BHS")
WANTED = {"MSH", "PID", "PV1", "AL1", "IAM", "DG1", "PRB", "PR1", "OBR", "OBX", "ORC", "RXE", "RXO", "RXR", "RXC",
          "RXA", "RXD", "RXG", "TQ1", "MRG", "PV2"}
_LINE_END = re.compile(r"\r\n?|\n")
_FRAME = re.compile(r"[\x0b\x1c]")
_HEADER = re.compile(r"MSH([^\w\s])([^\w\s]{1,5})(?:\1|$)")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}(?=[^\w\s]|$)")
# The escapes that python-hl7 reads rightly. Others (character sets, local ones, endless blanks) stay as written.
_SAFE = re.compile(r"[FSTREHN]|X(?:[0-7][0-9A-Fa-f])+|\.(?:br|sp|fi|nf|in|ti|sk|ce)\d{0,2}")
_NO_HIGHLIGHT = {"H": "", "N": ""}
NOTHING = '""'
# Of a segment that may be cut off: what may be half a value there would be another value.
_LAST_FIELD_GOES = {"PID", "ORC", "RXE", "RXO", "RXR", "RXC", "RXA", "RXD", "RXG", "TQ1", "OBR", "PV2"}
_OBX_STATUS = 11
_ENVELOPE = {"FHS", "BHS", "BTS", "FTS"}


@dataclass
class Message:
    """One message while it is read: where it is, its segments' lines, and whether it ends where it should."""

    file: str
    number: int
    lines: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    cut: bool = False

    @property
    def place(self) -> str:
        """Where it is in its file."""
        return f"message {self.number}"

    def report(self, severity: str, code: str, text: str, place: str = "") -> None:
        """Note a problem with this message."""
        self.issues.append({"file": self.file, "place": f"{self.place} {place}".strip(), "severity": severity,
                            "code": code, "text": text, "patient_id": None})


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters that split a message, as its MSH says; those that it leaves out are the standard's."""

    field: str
    component: str
    repetition: str
    esc: str
    sub: str

    @classmethod
    def of(cls, header: str) -> Marks:
        """The marks of a message that begins with this line."""
        said = header[4:header.find(header[3], 4)]
        return cls(header[3], *(said[at:at + 1] or mark for at, mark in enumerate("^~\\&")))

    @property
    def separators(self) -> str:
        """As python-hl7 asks for them: of segments, fields, repetitions, components and subcomponents."""
        return f"\r{self.field}{self.repetition}{self.component}{self.sub}"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; fields, repetitions and components are counted from 1 as the standard does."""

    message: Message
    name: str
    number: int
    fields: list[str]
    marks: Marks
    patient: list[str | None] = field(default_factory=lambda: [None])

    @property
    def place(self) -> str:
        """Where it is in its message."""
        return f"{self.name}[{self.number}]"

    def report(self, severity: str, code: str, text: str, at: int | None = None) -> None:
        """Note a problem with this segment or with its field number `at`."""
        self.message.report(severity, code, text, self.place + (f"-{at}" if at else ""))
        self.message.issues[-1]["patient_id"] = self.patient[0]

    def text(self, at: int, part: int = 1, repetition: int = 1) -> str | None:
        """A component as text; None where it is empty or says explicitly nothing."""
        return self._said(self._raw(at, part, repetition), at)

    def texts(self, at: int, parts: Sequence[int], repetition: int = 1) -> list[str | None]:
        """Several components of one field, as `text` has each: the field is split once."""
        found = self.fields[at] if at < len(self.fields) else ""
        if not found:
            return [None] * len(parts)
        pieces = _piece(found, self.marks.repetition, repetition).split(self.marks.component)
        return [self._said(pieces[part - 1].partition(self.marks.sub)[0].strip(), at) if part <= len(pieces) else None
                for part in parts]

    def _said(self, found: str, at: int) -> str | None:
        if not found or found == NOTHING:
            return None
        return self._unescaped(found, at) if self.marks.esc in found else found

    def is_nothing(self, at: int) -> bool:
        """Whether a field says explicitly that there is nothing: two quotes."""
        return self._raw(at, 1, 1) == NOTHING

    def repetitions(self, at: int) -> int:
        """How often a field is repeated."""
        return self.fields[at].count(self.marks.repetition) + 1 if at < len(self.fields) else 0

    def __len__(self) -> int:
        return len(self.fields)

    def _raw(self, at: int, part: int, repetition: int) -> str:
        """As written. What is not split has just the first part; of subcomponents the first counts."""
        found = self.fields[at] if at < len(self.fields) else ""
        if not found:
            return ""
        marks = self.marks
        if repetition > 1 or marks.repetition in found:
            found = _piece(found, marks.repetition, repetition)
        if part > 1 or marks.component in found:
            found = _piece(found, marks.component, part)
        return (found.partition(marks.sub)[0] if marks.sub in found else found).strip()

    def _unescaped(self, text: str, at: int) -> str:
        pieces = text.split(self.marks.esc)
        if len(pieces) % 2 == 0 or not all(map(_SAFE.fullmatch, pieces[1::2])):
            self.report("warning", "escape-not-read", "an escape that is not read; the text stays as written", at)
            return text
        return str(_library().unescape(self.marks, text, _NO_HIGHLIGHT)).strip()


def _piece(text: str, mark: str, place: int) -> str:
    pieces = text.split(mark, place)
    return pieces[place - 1] if place <= len(pieces) else ""


def read_messages(path: Path, issues: list[Issue]) -> list[Message]:
    """All messages of a file, as lines.

    Raises:
        HistoryError: no such file, or no message in it.
    """
    content = _bytes(path)
    # Latin-1 keeps every byte, so messages of different character sets can be told apart before they are decoded.
    text = content.decode("latin-1")
    framed = text.count("\x0b") > text.count("\x1c")
    lines = _LINE_END.split(_FRAME.sub("\r", text))
    messages = _messages(path.name, lines, issues)
    if not messages:
        raise HistoryError("no HL7 message: no line begins with MSH", where=str(path), hint=HINT)
    messages[-1].cut = framed or bool(lines[-1].strip())
    for message in messages:
        _decode(message)
    return messages


def segments(message: Message) -> list[Segment]:
    """The wanted segments of a message, split; none where its header cannot be read."""
    if not _HEADER.match(message.lines[0]) or not _distinct(message.lines[0]):
        message.report("error", "bad-header", "MSH does not say which characters separate fields; the message was left "
                       "out", "MSH")
        return []
    header, *kept = (line for line in message.lines if line[:3] in WANTED)
    header = _completed(header)
    marks = Marks.of(header)
    found = [Segment(message, "MSH", 1, ["MSH", marks.field, *header[4:].split(marks.field)], marks)]
    counts: dict[str, int] = {}
    for line in kept:
        fields = line.split(marks.field)
        counts[fields[0]] = number = counts.get(fields[0], 0) + 1
        found.append(Segment(message, fields[0], number, fields, marks))
    return _without_cut(found) if message.cut and message.lines[-1][:3] in WANTED else found


def _bytes(path: Path) -> bytes:
    if not path.exists():
        raise HistoryError("no such file", where=str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HistoryError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not content.strip():
        raise HistoryError("the file is empty", where=str(path), hint=HINT)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"M\0S\0H" in content[:64]:
        raise HistoryError("text in UTF-16 is not read", where=str(path), hint="save it as UTF-8")
    return content.removeprefix(b"\xef\xbb\xbf")


def _messages(file: str, lines: list[str], issues: list[Issue]) -> list[Message]:
    """Lines by message."""
    messages: list[Message] = []
    envelope = [line for line in lines if line[:3] in _ENVELOPE]
    for count, line in enumerate(lines, 1):
        if line.startswith("MSH"):
            messages.append(Message(file, len(messages) + 1))
        if line[:3] in _ENVELOPE:
            continue
        if messages:
            _add(messages[-1], line)
        elif line.strip():
            issues.append(_file_issue(file, f"line {count}", "outside-message",
                                      "before the first MSH; the line was left out"))
    issues += _envelope_issues(file, envelope, len(messages))
    return messages


def _envelope_issues(file: str, envelope: list[str], number: int) -> Iterator[Issue]:
    """What a batch or file says of itself against what is there."""
    told = Counter(line[:3] for line in envelope)
    said = sum(_count(line) for line in envelope if line.startswith("BTS"))
    for start, end in (("FHS", "FTS"), ("BHS", "BTS")):
        if told[start] > told[end]:
            yield _file_issue(file, end, "truncated", f"{start} without {end}: the end of the file may be missing; "
                              "what is here was read")
    if said > number:
        yield _file_issue(file, "BTS-1", "truncated", f"{said} messages are announced, {number} are here; these were "
                          "read")


def _add(message: Message, line: str) -> None:
    """A segment; a line that is none goes on where the one before it was broken."""
    if _SEGMENT.match(line):
        message.lines.append(line)
    elif line.strip():
        message.report("warning", "broken-segment", "a line that is no segment was read as the rest of the one before",
                       message.lines[-1][:3])
        message.lines[-1] += f" {line}"


def _count(line: str) -> int:
    fields = line.split(line[3]) if len(line) > 3 else []
    return int(fields[1]) if len(fields) > 1 and re.fullmatch(r"[0-9]{1,9}", fields[1]) else 0


def _file_issue(file: str, place: str, code: str, text: str) -> Issue:
    return {"file": file, "place": place, "severity": "warning", "code": code, "text": text, "patient_id": None}


def _decode(message: Message) -> None:
    """Latin-1 → the character set that MSH-18 names, else UTF-8, else Latin-1 after all."""
    whole = "\n".join(message.lines)
    if whole.isascii():
        return
    header = message.lines[0].split(message.lines[0][3:4] or "|")
    said = re.search(r"8859/(\d{1,2})", header[17]) if len(header) > 17 else None
    name = f"iso8859-{said[1]}" if said else "utf-8"
    content = whole.encode("latin-1")
    if said and _is_utf_8(content):
        message.report("warning", "character-set", "MSH-18 names a character set that it is not in; it was read as "
                       "UTF-8", "MSH-18")
        said, name = None, "utf-8"
    try:
        text = content.decode(name)
    except (UnicodeDecodeError, LookupError):
        text, name = whole, "latin-1"
        message.report("warning", "character-set", "text that is not in the character set it should be in was read as "
                       "Latin-1; names may be wrong", "MSH-18")
    if said and name != "latin-1":
        message.report("info", "character-set", f"read as ISO 8859-{said[1]}, as MSH-18 says", "MSH-18")
    message.lines = text.split("\n")


def _is_utf_8(content: bytes) -> bool:
    """Letters of other sets are hardly ever in the order in which UTF-8 has its bytes."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _distinct(header: str) -> bool:
    found = _HEADER.match(header)
    marks = found[1] + found[2] if found else ""
    return len(set(marks)) == len(marks)


def _completed(header: str) -> str:
    """A header that ends with its separators, with the mark behind them that ends them."""
    found = _HEADER.match(header)
    return header + header[3] if found and found.end() == len(header) and not header.endswith(header[3]) else header


def _library() -> Any:
    try:
        import hl7.util
    except ImportError as error:
        raise HistoryError("HL7 v2 needs python-hl7, which is not installed",
                           hint=install_extra("records")
                           ) from error
    return hl7.util


def _without_cut(found: list[Segment]) -> list[Segment]:
    """The last segment has no end: whatever might be half a value is left out."""
    last = found[-1]
    if last.name == "OBX" and len(last) <= _OBX_STATUS:
        last.report("error", "truncated", "the text ends within this segment; it was left out")
        return found[:-1]
    if last.name in _LAST_FIELD_GOES:
        last.report("warning", "truncated", "the text ends before the end of this segment; its last field was left out")
        del last.fields[-1]
        return found if len(last) else found[:-1]
    if last.name not in {"OBX", "MSH"}:
        last.report("warning", "truncated", "the text ends without the end of this segment; it may be incomplete")
    return found

"""A FHIR bundle file → its resources, still undecoded, and who they are about.

Bundle types: transaction, batch, collection, searchset, document, or none (https://hl7.org/fhir/R4/bundle.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..errors import HistoryError
from .fhir_types import Bundle, Entry, Header, LooseBundle, Patient
from .recorded import Issue

T = TypeVar("T")

BUNDLE_TYPES = ("transaction", "batch", "collection", "searchset", "document")
EXPORT_HINT = "export the record as a FHIR R4 bundle in JSON"
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_BOM = b"\xef\xbb\xbf"
# FHIR's id, with the underscore that real systems use besides; it may end up in a file name.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Resource:
    """One undecoded resource and its place in the bundle."""

    file: str
    index: int
    kind: str
    id: str
    full_url: str
    raw: msgspec.Raw

    @property
    def name(self) -> str:
        """Type and id, or the entry where there is no id."""
        return f"{self.kind}/{self.id}" if self.id else f"entry[{self.index}]"

    @property
    def place(self) -> str:
        """Where in the bundle it is, for the ``issues`` table."""
        return f"entry[{self.index}] {self.kind}" + (f"/{self.id}" if self.id else "")

    def issue(self, severity: str, code: str, text: str, *, patient_id: str | None = None, path: str = "") -> Issue:
        """A row of ``issues`` about this resource; `path` is a JSON path inside it."""
        place = f"{self.place} {path}".strip()
        return {"file": self.file, "place": place, "severity": severity, "code": code, "text": text,
                "patient_id": patient_id}


@dataclass
class Reading:
    """One bundle while it is read: its resources by type, and the problems met."""

    file: str
    resources: list[Resource] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def read_bundle(path: Path) -> Reading:
    """Read one file.

    Raises:
        HistoryError: no such file; not JSON (line and column named); not a bundle; `entry` of the wrong type.
    """
    reading = Reading(path.name)
    bundle = _decode_bundle(_bytes(path), str(path))
    if bundle.resource_type != "Bundle":
        raise HistoryError(f"not a FHIR bundle: resourceType is {bundle.resource_type!r}", where=str(path),
                           hint=EXPORT_HINT)
    if bundle.type is not None and bundle.type not in BUNDLE_TYPES:
        raise HistoryError(f"a bundle of type {bundle.type!r} is not a patient record", where=str(path),
                           hint=f"bundle types read: {', '.join(BUNDLE_TYPES)}")
    if _has_next_page(bundle.link):
        reading.issues.append(_bundle_issue(reading.file, "$.link", "warning", "more-pages", "the bundle names a next "
                              "page that was not given: what is not here may still be in the record"))
    reading.resources.extend(_resources(bundle, reading))
    return reading


def decode(resource: Resource, kind: type[T], issues: list[Issue]) -> T | None:
    """Decode one resource; a fault becomes an ``issues`` row with its path and the result is None."""
    try:
        return msgspec.json.decode(resource.raw, type=kind)
    except UNREADABLE as error:
        what, path = split_error(error)
        issues.append(resource.issue("error", "bad-resource", f"{what}; the resource was left out", path=path))
        return None


def split_error(error: msgspec.DecodeError | UnicodeDecodeError | RecursionError) -> tuple[str, str]:
    """What msgspec found and the JSON path where it found it."""
    # Python's own words for these two would quote the record, or say nothing.
    own = {UnicodeDecodeError: "text that is not UTF-8", RecursionError: "nested too deeply"}
    text = own.get(type(error)) or str(error)
    what, _, path = text.partition(" - at `")
    return what, path.rstrip("`") or "$"


def patient_id(resource: Resource, patient: Patient, where: str) -> str:
    """The patient's id: Patient.id, else the UUID of the entry's fullUrl.

    Raises:
        HistoryError: there is none, or it is not an id by FHIR's rules.
    """
    name = patient.id or resource.full_url.removeprefix("urn:uuid:")
    if not _ID.fullmatch(name):
        what = "is not a FHIR id (letters, digits, '-', '.', at most 64)" if name else "is missing"
        raise HistoryError(f"entry[{resource.index}] Patient: id {what}", where=where, hint="give the patient an id")
    return name


def references(resource: Resource, name: str) -> Iterator[str]:
    """Every way in which other entries may refer to this resource, without a version."""
    if resource.full_url:
        yield resource.full_url
    if name:
        yield f"{resource.kind}/{name}"
        yield f"urn:uuid:{name}"


def resolve(reference: str | None, known: Mapping[str, T], kind: str = "Patient") -> T | None:
    """Find what a reference points to; an absolute URL falls back on its last two parts.

    The fall-back holds only where the bundle does not say which server the resource came from.
    """
    plain = (reference or "").partition("/_history/")[0]
    if plain in known:
        return known[plain]
    tail = "/".join(plain.rsplit("/", 2)[-2:])
    found = known.get(tail) if plain.startswith(("http://", "https://")) and tail.startswith(f"{kind}/") else None
    from_server = any(key.startswith("http") and value == found for key, value in known.items())
    return None if from_server else found


def _bytes(path: Path) -> bytes:
    """The file's bytes without a byte-order mark.

    Raises:
        HistoryError: it cannot be read, or is empty.
    """
    if not path.exists():
        raise HistoryError("no such file", where=str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HistoryError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not content.strip():
        raise HistoryError("the file is empty", where=str(path), hint=EXPORT_HINT)
    return content.removeprefix(_BOM)


def _decode_bundle(content: bytes, where: str) -> Bundle | LooseBundle:
    """Decode the outer shell; entries of the wrong type are left for later, one by one."""
    try:
        return _strict_or_loose(content)
    except msgspec.ValidationError as error:
        what, path = split_error(error)
        raise HistoryError(f"not a FHIR bundle: {what} at {path}", where=where, hint=EXPORT_HINT) from error
    except UNREADABLE as error:
        place = _position(split_error(error)[0], content)
        raise HistoryError(f"not JSON: {place}", where=where, hint=EXPORT_HINT) from error


def _strict_or_loose(content: bytes) -> Bundle | LooseBundle:
    try:
        return msgspec.json.decode(content, type=Bundle)
    except msgspec.ValidationError as error:
        if not split_error(error)[1].startswith("$.entry["):
            raise
    return msgspec.json.decode(content, type=LooseBundle)


def _position(message: str, content: bytes) -> str:
    """Turn msgspec's byte offset into line and column (1-based); a cut-off file ends at its last byte."""
    found = re.search(r"\(byte (\d+)\)", message)
    offset = int(found[1]) if found else len(content)
    before = content[:offset]
    line, column = before.count(b"\n") + 1, offset - before.rfind(b"\n")
    what = message[:found.start()].strip() if found else message
    return f"{what} at line {line}, column {column}"


def _has_next_page(link: Any) -> bool:
    links = link if isinstance(link, list) else []
    return any(isinstance(one, dict) and one.get("relation") == "next" for one in links)


def _bundle_issue(file: str, place: str, severity: str, code: str, text: str) -> Issue:
    return {"file": file, "place": place, "severity": severity, "code": code, "text": text, "patient_id": None}


def _resources(bundle: Bundle | LooseBundle, reading: Reading) -> Iterator[Resource]:
    """Every entry's resource with its type and id; what has none is reported."""
    headers = msgspec.json.Decoder(Header)
    for index, entry in _entries(bundle, reading):
        if not entry.resource:
            continue
        place = f"entry[{index}]"
        try:
            header = headers.decode(entry.resource)
        except UNREADABLE as error:
            reading.issues.append(_bundle_issue(reading.file, f"{place} $.resource", "error", "bad-resource",
                                                f"{split_error(error)[0]}; the entry was left out"))
            continue
        if not isinstance(header.resource_type, str):
            reading.issues.append(_bundle_issue(reading.file, f"{place} $.resource.resourceType", "error",
                                                "bad-resource", "no resourceType; the entry was left out"))
            continue
        name = header.id if isinstance(header.id, str) else ""
        yield Resource(reading.file, index, header.resource_type, name, entry.full_url or "", entry.resource)


def _entries(bundle: Bundle | LooseBundle, reading: Reading) -> Iterator[tuple[int, Entry]]:
    if isinstance(bundle, Bundle):
        yield from enumerate(bundle.entry)
        return
    decoder = msgspec.json.Decoder(Entry)
    for index, entry in enumerate(bundle.entry):
        try:
            yield index, decoder.decode(entry)
        except msgspec.ValidationError as error:
            what, path = split_error(error)
            reading.issues.append(_bundle_issue(reading.file, f"entry[{index}] {path}", "error", "bad-resource",
                                                f"{what}; the entry was left out"))

"""A FHIR file → its resources, still undecoded, and who they are about.

Bundle types: transaction, batch, collection, searchset, document, or none (https://hl7.org/fhir/R4/bundle.html). A file
may also hold one resource, and each line of an NDJSON file does (see `fhir_lines`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from ..errors import HistoryError
from .fhir_files import EXPORT_HINT, content
from .fhir_types import Bundle, Entry, Header, LooseBundle, Medication, Patient
from .fhir_wanted import WANTED, whole_bundles, whole_lines
from .recorded import Issue

T = TypeVar("T")

BUNDLE_TYPES = ("transaction", "batch", "collection", "searchset", "document")
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What the rest of the record refers to, and is read before it.
FIRST = ("Patient", "Medication")
_BOM = b"\xef\xbb\xbf"
# FHIR's id, with the underscore that real systems use besides; it may end up in a file name.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# How nearly all resources begin: type and id are known without reading the rest of them.
BEGIN = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"\s*,\s*"id"\s*:\s*"([A-Za-z0-9._-]*)"\s*[,}]')
_HEADERS = msgspec.json.Decoder(Header)
_SERVED = "served:"
_KEPT = {*WANTED, *FIRST}
_KINDS = {known: kind for kind, known in WANTED.items()} | {Patient: "Patient", Medication: "Medication"}
_SPOTS: list[str] = []  # "entry[0]" and on: what places are called is the same in all bundles


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


@dataclass
class Reading:
    """One file while it is read: its resources, whether they are a bundle, and the problems met."""

    file: str
    where: str
    bundled: bool = True
    resources: list[Resource] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def first(self) -> Iterable[Resource]:
        """Patients and medicines: what others refer to."""
        return [one for one in self.resources if one.kind in FIRST]

    def others(self) -> Iterable[Resource]:
        """All else that becomes rows."""
        return [one for one in self.resources if one.kind not in FIRST]


def read_document(path: Path) -> Reading:
    """Read one JSON file: a bundle, or a resource by itself.

    Raises:
        HistoryError: no such file; not JSON (line and column named); no FHIR; `entry` of the wrong type.
    """
    text = content(path).removeprefix(_BOM)
    reading = Reading(path.name, str(path))
    whole = _whole(text)
    bundle = whole or _decode_bundle(text, str(path))
    if bundle.resource_type is None:
        raise HistoryError("not a FHIR bundle: resourceType is None", where=str(path), hint=EXPORT_HINT)
    if bundle.resource_type != "Bundle":
        reading.bundled = False
        reading.resources.extend(found for found in [undecoded(text, "", reading)] if found)
        return reading
    if bundle.type is not None and bundle.type not in BUNDLE_TYPES:
        raise HistoryError(f"a bundle of type {bundle.type!r} is not a patient record", where=str(path),
                           hint=f"bundle types read: {', '.join(BUNDLE_TYPES)}")
    if _has_next_page(bundle.link):
        reading.issues.append(file_issue(reading.file, "$.link", "warning", "more-pages", "the bundle names a next "
                              "page that was not given: what is not here may still be in the record"))
    reading.resources.extend(_found(whole, reading.file) if whole else _resources(bundle, reading))
    return reading


def undecoded(raw: bytes | msgspec.Raw, spot: str, reading: Reading, *, full_url: str = "", path: str = "$",
              what: str = "the resource") -> Resource | None:
    """A resource with its type and id; None for one that is not wanted, and one without a type (reported)."""
    if begin := BEGIN.match(raw):
        kind, name = begin[1].decode(), begin[2].decode()
    else:
        kind, name = _header(raw, spot, reading, path, what)
    if kind == "Bundle":
        reading.issues.append(file_issue(reading.file, f"{spot} Bundle".strip(), "error", "nested-bundle",
                                         f"a bundle inside is not read; {what} was left out"))
    return Resource(reading.file, spot, kind, name, full_url, raw) if kind in _KEPT else None


def _header(raw: bytes | msgspec.Raw, spot: str, reading: Reading, path: str, what: str) -> tuple[str, str]:
    """Type and id wherever they are; "" for the type of what has none (reported)."""
    try:
        header = _HEADERS.decode(raw)
    except UNREADABLE as error:
        reading.issues.append(file_issue(reading.file, f"{spot} {path}".strip(), "error", "bad-resource",
                                         f"{split_error(error)[0]}; {what} was left out"))
        return "", ""
    if not isinstance(header.resource_type, str):
        reading.issues.append(file_issue(reading.file, f"{spot} {path}.resourceType".strip(), "error", "bad-resource",
                                         f"no resourceType; {what} was left out"))
        return "", ""
    return header.resource_type, header.id if isinstance(header.id, str) else ""


def decode(resource: Resource, decoder: msgspec.json.Decoder[T], issues: list[Issue]) -> T | None:
    """Decode one resource; a fault becomes an ``issues`` row with its path and the result is None."""
    if resource.found is not None:
        return cast("T", resource.found)
    try:
        return decoder.decode(resource.raw)
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


class UnusablePatient(HistoryError):
    """A patient without id or birth date, or with a field of the wrong type."""


def patient_id(resource: Resource, patient: Patient, where: str) -> str:
    """The patient's id: Patient.id, else the UUID of the entry's fullUrl.

    Raises:
        UnusablePatient: there is none, or it is not an id by FHIR's rules.
    """
    name = patient.id or resource.full_url.removeprefix("urn:uuid:")
    if not _ID.fullmatch(name):
        what = "is not a FHIR id (letters, digits, '-', '.', at most 64)" if name else "is missing"
        raise UnusablePatient(f"{resource.spot} Patient: id {what}".lstrip(), where=where,
                              hint="give the patient an id")
    return name


def references(resource: Resource, name: str) -> Iterator[str]:
    """Every way in which other entries may refer to this resource, without a version."""
    if resource.full_url:
        yield resource.full_url
    if name:
        yield f"{resource.kind}/{name}"
        yield f"urn:uuid:{name}"
        if resource.full_url.startswith("http"):
            yield f"{_SERVED}{resource.kind}/{name}"


def resolve(reference: str | None, known: Mapping[str, T], kind: str = "Patient") -> T | None:
    """Find what a reference points to; an absolute URL falls back on its last two parts.

    The fall-back holds only where the bundle does not say which server the resource came from.
    """
    if reference is not None and reference in known:
        return known[reference]
    plain = (reference or "").partition("/_history/")[0]
    if plain in known:
        return known[plain]
    tail = "/".join(plain.rsplit("/", 2)[-2:])
    absolute = plain.startswith(("http://", "https://")) and tail.startswith(f"{kind}/")
    return known.get(tail) if absolute and f"{_SERVED}{tail}" not in known else None


def _whole(content: bytes) -> Any:
    """A bundle in which all is as it should be, with all resources decoded; else None, and each is seen to by itself.

    Nearly all are such. What is wrong with the others, and where, is told by the slower way.
    """
    try:
        bundle = whole_bundles().decode(content)
    except UNREADABLE:
        return None
    return bundle if bundle.resource_type == "Bundle" else None


def _found(bundle: Any, file: str) -> list[Resource]:
    """Every wanted entry's resource of a whole bundle."""
    while len(_SPOTS) < len(bundle.entry):
        _SPOTS.append(f"entry[{len(_SPOTS)}]")
    return [Resource(file, spot, _KINDS[type(found)], found.id or "", entry.full_url or "", b"", found)
            for spot, entry in zip(_SPOTS, bundle.entry, strict=False) if type(found := entry.resource) in _KINDS]


def decoded_lines(file: str, number: int, block: bytes) -> list[Resource] | None:
    """The resources of many lines, decoded in one pass; `number` is the first line's.

    None where anything is not as it should be, and where what is not wanted is sooner passed over line by line.
    """
    begin = BEGIN.match(block)
    if begin is None or begin[1].decode() not in _KEPT:
        return None
    try:
        decoded = whole_lines().decode_lines(block)
    except UNREADABLE:
        return None
    if len(decoded) != block.count(b"\n") + 1:  # an empty line has a number too
        return None
    return [Resource(file, f"line {spot}", _KINDS[type(found)], found.id or "", "", b"", found)
            for spot, found in enumerate(decoded, number) if type(found) in _KINDS]


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


def file_issue(file: str, place: str, severity: str, code: str, text: str) -> Issue:
    """A row of ``issues`` about a place in a file."""
    return {"file": file, "place": place, "severity": severity, "code": code, "text": text, "patient_id": None}


def _resources(bundle: Bundle | LooseBundle, reading: Reading) -> Iterator[Resource]:
    """Every wanted entry's resource with its type and id; what has none is reported."""
    for index, entry in _entries(bundle, reading):
        if entry.resource:
            found = undecoded(entry.resource, f"entry[{index}]", reading, full_url=entry.full_url or "",
                              path="$.resource", what="the entry")
            if found:
                yield found


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
            reading.issues.append(file_issue(reading.file, f"entry[{index}] {path}", "error", "bad-resource",
                                             f"{what}; the entry was left out"))

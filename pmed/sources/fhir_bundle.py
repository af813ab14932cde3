"""A FHIR file → its resources, still undecoded, and who they are about.

Bundle types: transaction, batch, collection, searchset, document, or none (https://hl7.org/fhir/R4/bundle.html). A file
may also hold one resource, and each line of an NDJSON file does (see `fhir_lines`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from ..errors import HistoryError
from .fhir_damaged import patients_in
from .fhir_decoded import BEGIN, KEPT, Decoded, entries, whole_bundle
from .fhir_files import EXPORT_HINT, content
from .fhir_mended import NUMBER_AS_TEXT, with_numbers
from .fhir_outcome import OUTCOME, incomplete
from .fhir_resource import FIRST, UNREADABLE, Resource, file_issue
from .fhir_types import Bundle, Entry, Header, LooseBundle, Patient
from .recorded import Issue

T = TypeVar("T")

BUNDLE_TYPES = ("transaction", "batch", "collection", "searchset", "document")
NO_JSON = "no-json"  # and it does not show whose it is
NO_TYPE = "not a FHIR bundle: resourceType is None"  # JSON of something else
_BOM = b"\xef\xbb\xbf"
# FHIR's id, with the underscore that real systems use besides; it may end up in a file name.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEADERS = msgspec.json.Decoder(Header)
_SERVED = "served:"
# Of DSTU2, DSTU1 and a draft of R5: to pass over them would be to say that these medicines are not taken.
_OTHER_MEDICINES = ("MedicationOrder", "MedicationPrescription", "MedicationUsage")


@dataclass
class Reading:
    """One file while it is read: its resources, whether they are a bundle, and the problems met."""

    file: str
    where: str
    bundled: bool = True
    resources: Sequence[Resource] = ()
    issues: list[Issue] = field(default_factory=list)

    def first(self) -> Iterator[Resource]:
        """Patients and medicines: what others refer to."""
        if isinstance(self.resources, Decoded):
            return self.resources.first()
        return (one for one in self.resources if one.kind in FIRST)

    def pieces(self) -> Iterator[Sequence[Resource]]:
        """All resources."""
        yield self.resources


def read_document(path: Path) -> Reading:
    """Read one JSON file: a bundle, or a resource by itself.

    Raises:
        HistoryError: no such file; not JSON (line and column named); no FHIR; `entry` of the wrong type.
    """
    text = content(path).removeprefix(_BOM)
    reading = Reading(path.name, str(path))
    whole = whole_bundle(text)
    bundle = whole or _decode_bundle(text, str(path))
    if bundle.resource_type is None:
        raise HistoryError(NO_TYPE, where=str(path), hint=EXPORT_HINT)
    if bundle.resource_type != "Bundle":
        reading.bundled = False
        reading.resources = [found for found in [undecoded(text, "", reading)] if found]
        return reading
    if bundle.type is not None and bundle.type not in BUNDLE_TYPES:
        raise HistoryError(f"a bundle of type {bundle.type!r} is not a patient record", where=str(path),
                           hint=f"bundle types read: {', '.join(BUNDLE_TYPES)}")
    if _has_next_page(bundle.link):
        reading.issues.append(file_issue(reading.file, "$.link", "warning", "more-pages", "the bundle names a next "
                              "page that was not given: what is not here may still be in the record"))
    reading.resources = entries(whole, reading.file) if whole else [*_resources(bundle, reading)]
    return reading


def undecoded(raw: bytes | msgspec.Raw, spot: str, reading: Reading, *, full_url: str = "", path: str = "$",
              what: str = "the resource") -> Resource | None:
    """A resource with its type and id; None for one that is not wanted, and one without a type (reported)."""
    if begin := BEGIN.match(raw):
        kind, name = begin[1].decode(), begin[2].decode()
    else:
        kind, name = _header(raw, spot, reading, path, what)
    if kind == OUTCOME:
        reading.issues += incomplete(raw, reading.file, spot)
    if kind in _OTHER_MEDICINES:
        named = patients_in(bytes(raw))
        reading.issues.append(file_issue(
            reading.file, spot, "error", "other-version", f"a medicine as another version of FHIR has it ({kind}), "
            "which is not read; it was left out") | {"patient_id": min(named) if len(named) == 1 else None})
    if kind == "Bundle":
        reading.issues.append(file_issue(reading.file, f"{spot} Bundle".strip(), "error", "nested-bundle",
                                         f"a bundle inside is not read; {what} was left out"))
    return Resource(reading.file, spot, kind, name, full_url, raw) if kind in KEPT else None


def _header(raw: bytes | msgspec.Raw, spot: str, reading: Reading, path: str, what: str) -> tuple[str, str]:
    """Type and id wherever they are; "" for the type of what has none (reported)."""
    try:
        header = _HEADERS.decode(raw)
    except UNREADABLE as error:
        named, sound = patients_in(bytes(raw)), isinstance(error, msgspec.ValidationError)
        reading.issues.append(file_issue(
            reading.file, f"{spot} {path}".strip(), "error", "bad-resource" if named or sound else NO_JSON,
            f"{split_error(error)[0]}; {what} was left out") | {"patient_id": min(named) if len(named) == 1 else None})
        return "", ""
    if not isinstance(header.resource_type, str):
        reading.issues.append(file_issue(reading.file, f"{spot} {path}.resourceType".strip(), "error", "bad-resource",
                                         f"no resourceType; {what} was left out"))
        return "", ""
    return header.resource_type, header.id if isinstance(header.id, str) else ""


def decode(resource: Resource, decoder: msgspec.json.Decoder[T], issues: list[Issue]) -> T | None:
    """Decode one resource; a fault becomes an ``issues`` row with its path and the result is None.

    Numbers written as text are read, and told.
    """
    if resource.found is not None:
        return cast("T", resource.found)
    raw = resource.raw
    while True:
        try:
            return decoder.decode(raw)
        except UNREADABLE as error:
            what, path = split_error(error)
            mended = with_numbers(raw, what, path)
        if mended is None:
            issues.append(resource.issue("error", "bad-resource", f"{what}; the resource was left out", path=path))
            return None
        raw, told = mended
        issues.append(resource.issue("warning", NUMBER_AS_TEXT, told, path=path))


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

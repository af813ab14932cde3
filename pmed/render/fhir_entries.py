"""The entries of a FHIR transaction: each resource under an id that follows from its content."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

Json = dict[str, Any]
GUIDE = "http://hl7.org/fhir/uv/genomics-reporting"
CODES = f"{GUIDE}/CodeSystem/tbd-codes-cs"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
URI = "urn:ietf:rfc:3986"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pmed/fhir")
_NO_IDENTIFIER = {"Provenance"}


class Entries:
    """Resources in order; the same content is one resource, in every export."""

    def __init__(self) -> None:
        self._found: dict[str, Json] = {}

    def add(self, resource: Json, **volatile: Any) -> Json:
        """Add a resource and return the reference to it.

        Args:
            resource: The resource without id and without identifiers of its own.
            volatile: Elements that differ from run to run, such as the time of writing; the id does not depend on them.
        """
        content = msgspec.json.encode(without_nothing(resource), order="sorted").decode()
        name = str(uuid.uuid5(_NAMESPACE, content))
        url = f"urn:uuid:{name}"
        if url not in self._found:
            self._found[url] = self._entry(without_nothing({**resource, **volatile}), name, url)
        return {"reference": url}

    def _entry(self, resource: Json, name: str, url: str) -> Json:
        kind = resource["resourceType"]
        request = {"method": "POST", "url": kind}
        if kind in _NO_IDENTIFIER:
            return {"fullUrl": url, "resource": {"resourceType": kind, "id": name, **resource}, "request": request}
        own = {"system": URI, "value": url}
        whole = {"resourceType": kind, "id": name, **resource, "identifier": [own, *resource.get("identifier", [])]}
        # Sent twice, a server keeps what it has.
        return {"fullUrl": url, "resource": whole, "request": {**request, "ifNoneExist": f"identifier={URI}|{url}"}}

    def bundle(self) -> Json:
        """The transaction."""
        return {"resourceType": "Bundle", "type": "transaction", "entry": list(self._found.values())}


def profile(name: str) -> Json:
    """``meta`` that claims a profile of the guide."""
    return {"profile": [f"{GUIDE}/StructureDefinition/{name}"]}


def concept(*codings: Json, text: str | None = None) -> Json:
    """A CodeableConcept."""
    return {"coding": list(codings), "text": text}


def coding(system: str, code: tuple[str, str]) -> Json:
    """A Coding from code and display."""
    return {"system": system, "code": code[0], "display": code[1]}


def unknown() -> list[Json]:
    """The extension that says of a value that it is unknown."""
    return [{"url": ABSENT, "valueCode": "unknown"}]


def absent_reason() -> Json:
    """``Observation.dataAbsentReason``: unknown."""
    return concept({"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown",
                    "display": "Unknown"})


def notes(*texts: str) -> list[Json]:
    """Annotations, one for each text that says something."""
    return [{"text": text} for text in texts if text.strip()]


def without_nothing(value: Any) -> Any:
    """`value` without nulls, empty lists, empty objects and blank texts, none of which FHIR allows."""
    if isinstance(value, dict):
        kept = {key: without_nothing(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if not _is_nothing(one)}
    if isinstance(value, list):
        return [one for one in map(without_nothing, value) if not _is_nothing(one)]
    return _text(value) if isinstance(value, str) else value


def _is_nothing(value: Any) -> bool:
    return value is None or value in ({}, []) or (isinstance(value, str) and not value.strip())


def _text(value: str) -> str:
    """FHIR strings have no control characters but tab and line ends, and no blanks around them."""
    return "".join(one if one in "\t\r\n" or (one >= " " and one != "\x7f") else "\N{REPLACEMENT CHARACTER}"
                   for one in value).strip()

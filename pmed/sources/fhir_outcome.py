"""What a server says of its own answer: that part of it was held back, or failed (FHIR's OperationOutcome)."""

from __future__ import annotations

from typing import Any

import msgspec

from .fhir_resource import UNREADABLE, file_issue
from .recorded import Issue

OUTCOME = "OperationOutcome"
_FAILED = ("fatal", "error")
# https://hl7.org/fhir/R4/valueset-issue-type.html: codes by which an answer, also one with warnings only, is not whole.
_NOT_WHOLE = ("incomplete", "suppressed", "forbidden", "throttled", "timeout", "too-costly", "too-long", "exception",
              "transient", "no-store", "lock-error")


class _Said(msgspec.Struct):
    severity: Any = None
    code: Any = None


class _Outcome(msgspec.Struct):
    issue: list[_Said] = []


class _Manifest(msgspec.Struct, rename="camel"):
    """What a server says of a Bulk Data export (https://hl7.org/fhir/uv/bulkdata/export.html): it is no resource."""

    transaction_time: str
    output: list[Any]
    error: list[Any] = []


_DECODER = msgspec.json.Decoder(_Outcome)


def of_manifest(raw: bytes, file: str) -> list[Issue] | None:
    """Issues of a manifest of a Bulk Data export: one where it names errors; None where the text is no manifest."""
    try:
        found = msgspec.json.decode(raw, type=_Manifest)
    except UNREADABLE:
        return None
    return [_not_whole("error", file, "$.error")] if found.error else []


def _not_whole(code: str, file: str, place: str) -> Issue:
    return file_issue(file, place, "error", "incomplete-answer", f"the server says that its answer is not whole "
                      f"({code}): what is not here may still be in the record")


def incomplete(raw: bytes | msgspec.Raw, file: str, place: str) -> list[Issue]:
    """An issue where a server says that its answer is not whole; none of what it only remarks."""
    try:
        found = _DECODER.decode(raw).issue
    except UNREADABLE:
        return []
    said = next((one for one in found if one.severity in _FAILED or one.code in _NOT_WHOLE), None)
    if said is None:
        return []
    return [_not_whole(said.code if said.code in _NOT_WHOLE else "error", file, place)]

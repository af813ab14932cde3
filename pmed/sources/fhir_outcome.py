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


_DECODER = msgspec.json.Decoder(_Outcome)


def incomplete(raw: bytes | msgspec.Raw, file: str, place: str) -> list[Issue]:
    """An issue where a server says that its answer is not whole; none of what it only remarks."""
    try:
        found = _DECODER.decode(raw).issue
    except UNREADABLE:
        return []
    said = next((one for one in found if one.severity in _FAILED or one.code in _NOT_WHOLE), None)
    if said is None:
        return []
    code = said.code if said.code in _NOT_WHOLE else "error"
    return [file_issue(file, place, "error", "incomplete-answer", f"the server says that its answer is not whole "
                       f"({code}): what is not here may still be in the record")]

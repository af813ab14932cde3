"""Medicines handed out, to be given and given (RXD, RXG, RXA) → rows of medications and immunizations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .hl7v2_fields import NDC, RXNORM, also, coded, day, first, number, reason
from .hl7v2_message import Segment
from .recorded import Row

# Fields: what it is, start, end, amount, unit, why.
_FIELDS = {"RXA": (5, 3, 4, 6, 7, 19), "RXD": (2, 3, 0, 0, 0, 21), "RXG": (4, 0, 0, 5, 7, 22)}
MEDICINES = ("RXA", "RXD", "RXG")
_COMPLETION = {"CP": "completed", "PA": "completed", "RE": "not-done", "NA": "not-done"}  # table 0322
_AMOUNT_UNKNOWN = 999  # RXA-6, as the standard has it
_CANCELLED = ("CA", "CR", "OC")
_ENDS = {"ORC", "RXE", "RXO", *MEDICINES}

Entry = tuple[str, tuple[Any, ...], Row]  # table, what makes it the same record in another message, row


def given_rows(name: str, msh: Segment, rest: Sequence[Segment]) -> Iterator[Entry]:
    """Table, key and row of each medicine handed out or given of one patient."""
    orc: Segment | None = None
    for index, one in enumerate(rest):
        orc = one if one.name == "ORC" else orc
        if one.name in MEDICINES:
            yield _entry(name, msh, one, orc, rest[index + 1:])


def _entry(name: str, msh: Segment, one: Segment, orc: Segment | None, behind: Sequence[Segment]) -> Entry:
    what, start_at, end_at, amount_at, unit_at, why_at = _FIELDS[one.name]
    system, code, display = drug = coded(one, what, (RXNORM, NDC))
    place = f"{one.message.place} {one.place}"
    origin = name, one.message.file, place, f"{one.message.file}#{place}"
    written = one.text(start_at) if start_at else _planned(one, behind)
    start = day(written)
    if one.name == "RXA" and msh.text(9) == "VXU":
        return "immunizations", (name, system, code or display, written), (
            *origin, *drug, start, _status(one, orc), *reason(one, why_at))
    unit = first(one.text(unit_at), one.text(unit_at, 2)) if unit_at else None
    amount = number(one.text(amount_at)) if amount_at else None
    if one.name == "RXA" and amount == _AMOUNT_UNKNOWN:
        amount = None
    end = day(one.text(end_at)) if end_at else None
    return "medications", (name, one.name, *_number(one, orc), system, code or display, written), (
        *origin, *drug, start, end, start, amount, unit, None, _route(behind), None, _status(one, orc), True,
        "dispense" if one.name == "RXD" else "administration", also(one, what, drug), *reason(one, why_at))


def _number(one: Segment, orc: Segment | None) -> tuple[str | None, ...]:
    """Of what is handed out the prescription number, of what is to be given the order's and its own."""
    if one.name == "RXD":
        return (one.text(7),)
    return (orc.text(2) or orc.text(3) if orc else None, one.text(1)) if one.name == "RXG" else ()


def _status(one: Segment, orc: Segment | None) -> str | None:
    """FHIR's word. A dose that is to be given (RXG) is not yet given: RXA says what became of it."""
    if one.name == "RXA":
        return "entered-in-error" if one.text(21) == "D" else _COMPLETION.get(one.text(20) or "")
    if orc is not None and orc.text(1) in _CANCELLED:
        return "cancelled" if one.name == "RXD" else "not-done"
    return "completed" if one.name == "RXD" else "unknown"


def _planned(rxg: Segment, behind: Sequence[Segment]) -> str | None:
    """When a dose is to be given: the older RXG-3, else TQ1."""
    timing = next((one for one in _own(behind) if one.name == "TQ1"), None)
    return first(rxg.text(3, 4), timing.text(7) if timing else None)


def _route(behind: Sequence[Segment]) -> str | None:
    route = next((one for one in _own(behind) if one.name == "RXR"), None)
    return first(route.text(1, 2), route.text(1)) if route else None


def _own(behind: Sequence[Segment]) -> Iterator[Segment]:
    """The segments that belong to a medicine: those behind it up to the next medicine or order."""
    for one in behind:
        if one.name in _ENDS:
            return
        yield one

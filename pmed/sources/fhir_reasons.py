"""Why a medicine is taken, a vaccine or procedure was given or a patient was seen → the last cells of a row.

R4 has `reasonCode` and `reasonReference`, R5 `reason`, which visits have one level deeper. What is referred to may
stand anywhere in the record, also in another file: links are followed when all is read (see `reasons`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from .fhir_bundle import split_error
from .fhir_resource import UNREADABLE, Note
from .fhir_rows import SNOMED, named
from .fhir_types import CodeableConcept, CodeableReference, Drug, Reference
from .fhir_wanted import Encounter, Procedure
from .reasons import NAME, NEXT
from .recorded import Row

#: What may be one, of what is read.
REASONS = frozenset(("Condition", "Observation", "DiagnosticReport", "Procedure"))
NO_REASON: Row = (None, None, None, None)
Link = Callable[[str], str]
T = TypeVar("T")


class _Reason(CodeableReference):
    """R5; `value` of visits."""

    value: list[CodeableReference] = msgspec.field(default_factory=list)


class _Contained(msgspec.Struct):
    """A finding described inside the resource that names it as its reason."""

    code: CodeableConcept | None = None


_CODES = msgspec.json.Decoder(list[CodeableConcept] | None)
_LINKS = msgspec.json.Decoder(list[Reference] | None)
_BOTH = msgspec.json.Decoder(list[_Reason] | None)


def reason(found: Drug | Procedure | Encounter, link: Link, notes: list[Note]) -> Row:
    """Words, system, code and links; a reason that cannot be read is reported and costs nothing else."""
    if not (found.reason_code or found.reason_reference or found.reason):
        return NO_REASON
    if found.reason_code and not (found.reason_reference or found.reason):  # as of most visits, hence without more ado
        return (*_words(_decoded("reasonCode", found.reason_code, _CODES, notes)), None)
    both = [part for one in _decoded("reason", found.reason, _BOTH, notes) for part in (one, *one.value)] \
        if found.reason else []
    said = _decoded("reasonCode", found.reason_code, _CODES, notes)
    links = _decoded("reasonReference", found.reason_reference, _LINKS, notes)
    if both:  # R5
        said += [one.concept for one in both if one.concept]
        links += [one.reference for one in both if one.reference]
    inside = [one for one in links if (one.reference or "").startswith("#")]
    if inside:
        said += [_contained(found.contained, one, notes) for one in inside]
        links = [one for one in links if one not in inside]
    return (*_words(said), _cell(links, link))


def _decoded(name: str, raw: msgspec.Raw, decoder: msgspec.json.Decoder[list[T] | None],
             notes: list[Note]) -> list[T]:
    """The parts of one field; none where it is not there, or of the wrong type (reported)."""
    try:
        return (decoder.decode(raw) if raw else None) or []
    except UNREADABLE as error:
        what, path = split_error(error)
        notes.append(Note("warning", "bad-reason", f"{what}; this reason stays unknown", f"$.{name}{path[1:]}"))
        return []


def _words(said: Sequence[CodeableConcept]) -> Row:
    """All reasons in words; system and code of the first that has a code."""
    if not said:
        return NO_REASON[:3]
    if len(said) == 1:  # as nearly all are
        system, code, display = named(said[0], SNOMED)
        return (display or code, system, code) if code else (display or None, None, None)
    rows = [named(one, SNOMED) for one in said]
    system, code, _ = next((row for row in rows if row[1]), (None, None, None))
    return "; ".join(dict.fromkeys(str(display or code) for _, code, display in rows if display or code)) or None, \
        system, code


def _cell(links: Sequence[Reference], link: Link) -> str | None:
    """Every link and the name that it gives itself; one that says only its name is that name."""
    return NEXT.join([_linked(one, link) for one in links]) or None


def _linked(one: Reference, link: Link) -> str:
    return f"{link(one.reference) if one.reference else ''}{NAME}{' '.join(one.display.split()) if one.display else ''}"


def _contained(contained: Sequence[object], link: Reference, notes: list[Note]) -> CodeableConcept:
    """What a contained finding is, else the name of the link."""
    for one in contained:
        if isinstance(one, dict) and one.get("id") == (link.reference or "")[1:]:
            try:
                return msgspec.convert(one, _Contained).code or CodeableConcept(text=link.display)
            except msgspec.ValidationError:
                break
    notes.append(Note("info", "lost-reason", "the reason it refers to is not in it, or cannot be read; only the name "
                      "of the link is known, if any", "$.contained"))
    return CodeableConcept(text=link.display)

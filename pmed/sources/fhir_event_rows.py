"""Procedures, visits, vaccines, relatives and reports → rows, as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ..normalise.loinc import LOINC
from .fhir_bundle import split_error
from .fhir_resource import Note
from .fhir_rows import SNOMED, named, observation_rows, prefer, state, unit_of
from .fhir_types import CodeableConcept, Coding, Observation, Period, Quantity
from .fhir_wanted import DiagnosticReport, Encounter, FamilyMemberHistory, Immunization, Procedure, RelativeCondition
from .recorded import COLUMNS, Row

# In what is said of a measurement, which begins with the system of its code.
_START = COLUMNS["observations"].index("start") - COLUMNS["observations"].index("system")
_CVX = "http://hl7.org/fhir/sid/cvx"
_YEARS = {"a": 1.0, "year": 1.0, "years": 1.0, "mo": 1 / 12, "wk": 7 / 365.25, "d": 1 / 365.25}


def procedure_row(found: Procedure) -> Row:
    """What was done, and when."""
    day = found.performed_date_time or found.occurrence_date_time
    start, end = _span(found.performed_period or found.occurrence_period)
    return (*named(found.code, SNOMED), day or start, day or end, found.status)


def encounter_row(found: Encounter) -> Row:
    """A visit or stay by its first type."""
    kind = found.type[0] if found.type else None
    span = _span(found.period or found.actual_period)
    return named(kind, SNOMED) + span + (found.status, _class(found.kind))


def immunization_row(found: Immunization) -> Row:
    """A vaccine; `status` says whether it was given."""
    return (*named(found.vaccine_code, _CVX), found.occurrence_date_time, found.status)


def report_rows(found: DiagnosticReport, notes: list[Note]) -> list[Row]:
    """A report as an observation without number, its conclusion as text and as code; and the results inside it."""
    start = found.effective_date_time or _span(found.effective_period)[0] or found.issued
    code = state(found.conclusion_code[0]) if found.conclusion_code else None
    report = *named(found.code, LOINC), start, found.issued, found.status, None, None, found.conclusion, code, None
    inside = [row for one in _results(found, notes) for row in observation_rows(one, notes)]
    return [report, *((*row[:_START], row[_START] or start, *row[_START + 1:]) for row in inside)]


def _results(found: DiagnosticReport, notes: list[Note]) -> Iterator[Observation]:
    """The measurements that a report contains; those of somebody else are told."""
    own = found.subject.reference if found.subject else None
    for one in found.contained:
        if not isinstance(one, dict) or one.get("resourceType") != "Observation":
            continue
        try:
            result = msgspec.convert(one, Observation)
        except msgspec.ValidationError as error:
            what, path = split_error(error)
            notes.append(Note("error", "bad-resource", f"{what}; the resource was left out", f"$.contained {path}",
                              personal=True))
            continue
        if result.subject and result.subject.reference not in {None, own}:
            notes.append(Note("warning", "not-of-the-patient", "about somebody or something else than the patient; the "
                              "measurement was left out", "$.contained", personal=True))
        else:
            yield result


def family_rows(found: FamilyMemberHistory) -> list[Row]:
    """One row a condition of the relative; one without code where none is recorded."""
    dead = True if found.deceased_age or found.deceased_date else found.deceased_boolean
    relative = found.date, found.status, _word(found.relationship), state(found.sex)
    return [(*named(one.code, SNOMED), *relative, _years(one.onset_age), dead)
            for one in found.condition or [RelativeCondition()]]


def _span(period: Period | None) -> tuple[str | None, str | None]:
    return (period.start, period.end) if period else (None, None)


def _class(kind: Coding | list[CodeableConcept] | None) -> str | None:
    if isinstance(kind, list):
        return state(kind[0]) if kind else None
    return (kind.code or kind.display) if kind else None


def _word(concept: CodeableConcept | None) -> str | None:
    """A concept as people read it."""
    return (prefer(concept, "").display or state(concept)) if concept else None


def _years(age: Quantity | None) -> float | None:
    """An age in years; unknown in other units, and where it is a limit."""
    share = _YEARS.get((unit_of(age) or "").lower()) if age and age.comparator is None else None
    return age.value * share if age and age.value is not None and share else None

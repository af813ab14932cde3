"""The FHIR resources that become rows, besides those of `fhir_types`, and the list of them all."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from .fhir_types import (
    AllergyIntolerance,
    CodeableConcept,
    Coding,
    Condition,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Period,
    Quantity,
    Reference,
    _Part,
)


class Procedure(_Part):
    """What was done; `occurrence` in R5."""

    id: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None


class Encounter(_Part):
    """A visit or stay. R4 gives one coding as class, R5 a list of concepts."""

    id: str | None = None
    status: str | None = None
    kind: Coding | list[CodeableConcept] | None = msgspec.field(default=None, name="class")
    type: list[CodeableConcept] = msgspec.field(default_factory=list)
    subject: Reference | None = None
    period: Period | None = None
    actual_period: Period | None = None


class Immunization(_Part):
    """A vaccine that was given, or not."""

    id: str | None = None
    status: str | None = None
    vaccine_code: CodeableConcept | None = None
    patient: Reference | None = None
    occurrence_date_time: str | None = None


class RelativeCondition(_Part):
    """What a relative has or had."""

    code: CodeableConcept | None = None
    onset_age: Quantity | None = None


class FamilyMemberHistory(_Part):
    """What is known of one relative."""

    id: str | None = None
    status: str | None = None
    patient: Reference | None = None
    date: str | None = None
    relationship: CodeableConcept | None = None
    sex: CodeableConcept | None = None
    deceased_boolean: bool | None = None
    deceased_age: Any = None
    deceased_date: str | None = None
    condition: list[RelativeCondition] = msgspec.field(default_factory=list)


class DiagnosticReport(_Part):
    """A report; what was measured are observations of their own."""

    id: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    conclusion: str | None = None
    conclusion_code: list[CodeableConcept] = msgspec.field(default_factory=list)


Wanted = (MedicationRequest | MedicationStatement | MedicationAdministration | MedicationDispense | Condition
          | Observation | AllergyIntolerance | Procedure | Encounter | Immunization | FamilyMemberHistory
          | DiagnosticReport)

# Resource type → the table of its rows and how it is decoded.
TABLE: dict[str, str] = {
    "MedicationRequest": "medications", "MedicationStatement": "medications",
    "MedicationAdministration": "medications", "MedicationDispense": "medications", "Condition": "conditions",
    "Observation": "observations", "DiagnosticReport": "observations", "AllergyIntolerance": "allergies",
    "Procedure": "procedures", "Encounter": "encounters", "Immunization": "immunizations",
    "FamilyMemberHistory": "family_history"}
WANTED: dict[str, type[Wanted]] = {
    kind.__name__: kind
    for kind in (MedicationRequest, MedicationStatement, MedicationAdministration, MedicationDispense, Condition,
                 Observation, AllergyIntolerance, Procedure, Encounter, Immunization, FamilyMemberHistory,
                 DiagnosticReport)}


@cache
def decoder(kind: str) -> msgspec.json.Decoder[Wanted]:
    """What decodes the resources of a type of ``WANTED``, made when the first one is met."""
    return msgspec.json.Decoder(WANTED[kind])

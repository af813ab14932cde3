"""The FHIR resources that become rows, besides those of `fhir_types`, and the list of them all."""

from __future__ import annotations

from functools import cache
from typing import Any, Union

import msgspec

from .fhir_types import (
    AllergyIntolerance,
    CodeableConcept,
    Coding,
    Condition,
    Medication,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Patient,
    Period,
    Quantity,
    Reference,
    _Part,
    _Resource,
)


class Procedure(_Resource):
    """What was done; `occurrence` in R5."""

    id: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    contained: list[Any] = msgspec.field(default_factory=list)
    reason_code: msgspec.Raw = msgspec.Raw()
    reason_reference: msgspec.Raw = msgspec.Raw()
    reason: msgspec.Raw = msgspec.Raw()


class Encounter(_Resource):
    """A visit or stay. R4 gives one coding as class, R5 a list of concepts."""

    id: str | None = None
    status: str | None = None
    kind: Coding | list[CodeableConcept] | None = msgspec.field(default=None, name="class")
    type: list[CodeableConcept] = msgspec.field(default_factory=list)
    subject: Reference | None = None
    period: Period | None = None
    actual_period: Period | None = None
    contained: list[Any] = msgspec.field(default_factory=list)
    reason_code: msgspec.Raw = msgspec.Raw()
    reason_reference: msgspec.Raw = msgspec.Raw()
    reason: msgspec.Raw = msgspec.Raw()


class Immunization(_Resource):
    """A vaccine that was given, or not."""

    id: str | None = None
    status: str | None = None
    vaccine_code: CodeableConcept | None = None
    patient: Reference | None = None
    occurrence_date_time: str | None = None
    contained: list[Any] = msgspec.field(default_factory=list)
    reason_code: msgspec.Raw = msgspec.Raw()
    reason_reference: msgspec.Raw = msgspec.Raw()
    reason: msgspec.Raw = msgspec.Raw()


class RelativeCondition(_Part):
    """What a relative has or had."""

    code: CodeableConcept | None = None
    onset_age: Quantity | None = None


class FamilyMemberHistory(_Resource):
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


class DiagnosticReport(_Resource):
    """A report; what was measured are observations of their own, or contained."""

    id: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    contained: list[Any] = msgspec.field(default_factory=list)
    conclusion: str | None = None
    conclusion_code: list[CodeableConcept] = msgspec.field(default_factory=list)


class Range(_Part):
    """From `low` to `high`; either end may be open."""

    low: Quantity | None = None
    high: Quantity | None = None


class Target(_Part):
    """What a measurement is meant to become."""

    measure: CodeableConcept | None = None
    detail_quantity: Quantity | None = None
    detail_range: Range | None = None


class Goal(_Resource):
    """What is aimed at with a patient."""

    id: str | None = None
    lifecycle_status: str | None = None
    subject: Reference | None = None
    start_date: str | None = None
    status_date: str | None = None
    target: list[Target] = msgspec.field(default_factory=list)


Wanted = (MedicationRequest | MedicationStatement | MedicationAdministration | MedicationDispense | Condition
          | Observation | AllergyIntolerance | Procedure | Encounter | Immunization | FamilyMemberHistory
          | DiagnosticReport | Goal)

# Resource type → the table of its rows and how it is decoded.
TABLE: dict[str, str] = {
    "MedicationRequest": "medications", "MedicationStatement": "medications",
    "MedicationAdministration": "medications", "MedicationDispense": "medications", "Condition": "conditions",
    "Observation": "observations", "DiagnosticReport": "observations", "Goal": "observations",
    "AllergyIntolerance": "allergies",
    "Procedure": "procedures", "Encounter": "encounters", "Immunization": "immunizations",
    "FamilyMemberHistory": "family_history"}
WANTED: dict[str, type[Wanted]] = {
    kind.__name__: kind
    for kind in (MedicationRequest, MedicationStatement, MedicationAdministration, MedicationDispense, Condition,
                 Observation, AllergyIntolerance, Procedure, Encounter, Immunization, FamilyMemberHistory,
                 DiagnosticReport, Goal)}

# What patient records hold besides, named so that it is passed over without a second look. What the server says of its
# own answer (OperationOutcome) is none of these.
PASSED_OVER = (
    "Account", "AdverseEvent", "Appointment", "Basic", "Binary", "BodyStructure", "CarePlan", "CareTeam",
    "Claim", "ClaimResponse", "ClinicalImpression", "Communication", "Composition", "Consent", "Coverage",
    "DetectedIssue", "Device", "DeviceRequest", "DeviceUseStatement", "DocumentReference", "EpisodeOfCare",
    "ExplanationOfBenefit", "Flag", "Group", "HealthcareService", "ImagingStudy",
    "ImmunizationRecommendation", "Invoice", "List", "Location", "Media", "MolecularSequence", "NutritionOrder",
    "Organization", "Person", "Practitioner", "PractitionerRole", "Provenance", "Questionnaire",
    "QuestionnaireResponse", "RelatedPerson", "RiskAssessment", "Schedule", "ServiceRequest", "Slot", "Specimen",
    "Substance", "SupplyDelivery", "SupplyRequest", "Task", "VisionPrescription")


def _known() -> Any:
    """Any resource as what it is; one that is not wanted has no fields."""
    others = [msgspec.defstruct(name, [], tag_field="resourceType", tag=name, gc=False) for name in PASSED_OVER]
    return Union[(Wanted, Patient, Medication, *others)]


@cache
def whole_lines() -> msgspec.json.Decoder[Any]:
    """Resources of all types, for many lines at once; refuses what is not as it should be."""
    return msgspec.json.Decoder(_known())


@cache
def whole_bundles() -> msgspec.json.Decoder[Any]:
    """Bundles in one pass, each resource as what it is; refuses those with anything that is not as it should be.

    The shell is that of `fhir_types.Bundle`.
    """
    known: Any = _known() | msgspec.UnsetType
    entry: Any = msgspec.defstruct("WholeEntry", [("full_url", str | None, None), ("resource", known, msgspec.UNSET)],
                                   rename="camel", gc=False)
    return msgspec.json.Decoder(msgspec.defstruct("WholeBundle", [
        ("resource_type", str | None, None), ("type", str | None, None), ("entry", list[entry], []),
        ("link", Any, None)], rename="camel", gc=False))


@cache
def decoder(kind: str) -> msgspec.json.Decoder[Wanted]:
    """What decodes the resources of a type of ``WANTED``, made when the first one is met."""
    return msgspec.json.Decoder(WANTED[kind])

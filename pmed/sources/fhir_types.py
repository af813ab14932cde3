"""The parts of FHIR R4 resources that pmed reads, as typed structs (https://hl7.org/fhir/R4/).

Fields that are not named here are skipped undecoded. A field of the wrong type is refused by msgspec
with its path (``$.code.coding[0].code``).
"""

from __future__ import annotations

from typing import Any

import msgspec


class _Part(msgspec.Struct, rename="camel", gc=False):
    """Base: snake_case here, camelCase in the file."""


class _Resource(_Part, tag_field="resourceType", tag=True):
    """Base of resources: told apart by the type that they name, so that a bundle is decoded in one pass."""


class Coding(_Part):
    """One code of one code system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(_Part):
    """A concept with its codings and the text as it was entered."""

    coding: list[Coding] = []
    text: str | None = None


class Reference(_Part):
    """A link to another resource."""

    reference: str | None = None
    display: str | None = None


class Period(_Part):
    """A span of time; either end may be open."""

    start: str | None = None
    end: str | None = None


class Quantity(_Part):
    """A measured amount; `code` is the UCUM unit where `system` says so."""

    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Extension(_Part):
    """An extension, possibly with extensions of its own."""

    url: str = ""
    value_string: str | None = None
    value_coding: Coding | None = None
    value_code: Any = None
    extension: list[Extension] = []


class Patient(_Resource):
    """The person."""

    id: str | None = None
    gender: str | None = None
    birth_date: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None
    link: Any = None
    extension: list[Extension] = []


class DoseAndRate(_Part):
    """Amount per administration."""

    dose_quantity: Quantity | None = None
    dose_range: Any = None


class Repeat(_Part):
    """How often: `frequency` times in `period` `period_unit`s, on some days only, within bounds.

    What only tells that less is known may be of any type: an order is not lost for it.
    """

    frequency: int | None = None
    period: float | None = None
    period_unit: str | None = None
    frequency_max: Any = None
    period_max: Any = None
    day_of_week: Any = None
    time_of_day: Any = None
    when: Any = None
    bounds_period: Any = None
    bounds_duration: Any = None
    bounds_range: Any = None
    count: Any = None


class Timing(_Part):
    """When a medicine is taken; `code` may say it as an abbreviation."""

    repeat: Repeat | None = None
    code: Any = None


class Dosage(_Part):
    """How a medicine is taken; `as_needed` in R5."""

    timing: Timing | None = None
    as_needed_boolean: Any = None
    as_needed_codeable_concept: Any = None
    as_needed: Any = None
    as_needed_for: Any = None
    route: CodeableConcept | None = None
    dose_and_rate: list[DoseAndRate] = []
    max_dose_per_period: Any = None
    text: Any = None
    patient_instruction: Any = None
    additional_instruction: Any = None


class CodeableReference(_Part):
    """R5: what something is, or a link to it."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Ingredient(_Part):
    """What a medicine is made of; `item` in R5."""

    item_codeable_concept: CodeableConcept | None = None
    item_reference: Reference | None = None
    item: CodeableReference | None = None
    is_active: Any = None


class Medication(_Resource):
    """A medicine described once and referred to."""

    id: str | None = None
    code: CodeableConcept | None = None
    ingredient: list[Ingredient] = []


class DispenseRequest(_Part):
    """What the pharmacy may hand out, and until when."""

    validity_period: Period | None = None


class Drug(_Resource):
    """What all that is recorded about a medicine has in common; `medication` in R5.

    Reasons are decoded by themselves (see `fhir_reasons`), so that a fault in one does not cost the medicine.
    """

    id: str | None = None
    status: str | None = None
    subject: Reference | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    medication: CodeableReference | None = None
    contained: list[Any] = []
    modifier_extension: Any = None
    reason_code: msgspec.Raw = msgspec.Raw()
    reason_reference: msgspec.Raw = msgspec.Raw()
    reason: msgspec.Raw = msgspec.Raw()


class MedicationRequest(Drug):
    """An order for a medicine."""

    intent: str | None = None
    do_not_perform: bool | None = None
    authored_on: str | None = None
    dosage_instruction: list[Dosage] = []
    dispense_request: DispenseRequest | None = None


class Adherence(_Part):
    """R5: whether a stated medicine is taken."""

    code: CodeableConcept | None = None


class MedicationStatement(Drug):
    """A statement that a medicine is, was or will be taken; STU3 says whether by `taken`, DSTU2 by `was_not_taken`."""

    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    dosage: list[Dosage] = []
    adherence: Adherence | None = None
    taken: Any = None
    was_not_taken: Any = None


class GivenDose(_Part):
    """The dose that was given."""

    dose: Quantity | None = None
    route: CodeableConcept | None = None


class MedicationAdministration(Drug):
    """A medicine that was given; R5 writes `occurence`, STU3 `not_given`, DSTU2 `was_not_given`."""

    effective_date_time: str | None = None
    effective_period: Period | None = None
    occurence_date_time: str | None = None
    occurence_period: Period | None = None
    dosage: GivenDose | None = None
    not_given: Any = None
    was_not_given: Any = None


class MedicationDispense(Drug):
    """A medicine that was handed out."""

    when_handed_over: str | None = None
    when_prepared: str | None = None
    days_supply: Quantity | None = None
    dosage_instruction: list[Dosage] = []


class DiagnosisCoding(Coding):
    """A code of a diagnosis; in Germany an extension says how sure it is."""

    extension: list[Extension] | None = None


class Diagnosis(_Part):
    """What a diagnosis is: a concept whose codes may say how sure they are."""

    coding: list[DiagnosisCoding] = []
    text: str | None = None


class Condition(_Resource):
    """A diagnosis or problem."""

    id: str | None = None
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    code: Diagnosis | None = None
    subject: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_boolean: bool | None = None
    abatement_age: Any = None
    abatement_range: Any = None
    abatement_string: Any = None
    recorded_date: str | None = None


class Component(_Part):
    """One part of a panel."""

    code: CodeableConcept | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_range: Any = None
    value_ratio: Any = None
    value_sampled_data: Any = None
    value_time: str | None = None
    value_date_time: str | None = None
    value_period: Any = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] = []


class Observation(_Resource):
    """A measurement or finding, with the fields of its components besides its own.

    They are in FHIR's order: msgspec looks for a field first behind the one before, and these are most of a record.
    """

    id: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    focus: Any = None  # what it is about where that is not the subject: a fetus, a donor
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    issued: str | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_range: Any = None
    value_ratio: Any = None
    value_sampled_data: Any = None
    value_time: str | None = None
    value_date_time: str | None = None
    value_period: Any = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] = []
    component: list[Component] = []


class Reaction(_Part):
    """What happened once; the substance may be another product than the one that the allergy is named for."""

    substance: CodeableConcept | None = None


class AllergyIntolerance(_Resource):
    """An allergy or intolerance."""

    id: str | None = None
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    code: CodeableConcept | None = None
    patient: Reference | None = None
    onset_date_time: str | None = None
    recorded_date: str | None = None
    criticality: str | None = None
    reaction: list[Reaction] = []


class Entry(_Part):
    """One bundle entry; the resource stays undecoded until it is known to be wanted."""

    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw()


class Header(_Part):
    """What tells resources apart; any type, so that a wrong one can be reported."""

    resource_type: Any = None
    id: Any = None


class Owned(_Part):
    """Whom a resource is about."""

    subject: Reference | None = None
    patient: Reference | None = None


class Bundle(_Part):
    """A bundle as nearly all are."""

    resource_type: str | None = None
    type: str | None = None
    entry: list[Entry] = []
    link: Any = None


class LooseBundle(_Part):
    """A bundle with entries of the wrong type inside: each is decoded by itself."""

    resource_type: str | None = None
    type: str | None = None
    entry: list[msgspec.Raw] = []
    link: Any = None



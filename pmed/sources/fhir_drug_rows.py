"""Medicines ordered, stated, given and handed out → rows, and what each of them is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from ..normalise.remarks import OF_MEDICINES
from .fhir_bundle import resolve, split_error
from .fhir_dosage import dose_of, is_more_than_allowed, last_day_of, route_of
from .fhir_resource import Note
from .fhir_rows import RXNORM, also, named, prefer, state, unit_of, with_remark
from .fhir_types import (
    CodeableConcept,
    Coding,
    Dosage,
    Drug,
    Ingredient,
    Medication,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Period,
    Quantity,
    Reference,
)
from .record_dates import is_date
from .record_states import UNKNOWN
from .recorded import Row

Medicines = Mapping[str, CodeableConcept]
# Intents that are not yet an order; "plan" is how US systems record what a patient says he takes (US Core).
_NOT_ORDERED = ("proposal", "option")
_DAYS = ("d", "day", "days")
_WHOLE_DAY = 10
# States in which it may be taken, if nothing else is said.
_GOING_ON = ("active", "in-progress", "recorded")
# R5 says by adherence what R4 says by status; other words leave it unknown.
# So does STU3 by `taken`; what it has no word for here ("unk") leaves it unknown.
_TAKEN = {"y": None, "n": "not-taken", "na": "not-taken"}
_ADHERENCE = {"taking": "active", "not-taking": "not-taken", "stopped": "stopped"}


def drug_row(found: Drug, medicines: Medicines, notes: list[Note]) -> Row:
    """One row for whatever is recorded about a medicine."""
    concept = _medicine(found, medicines, notes)
    said = named(concept, RXNORM)
    *what, status, ordered, kind = _said(found)
    if found.modifier_extension and status in _GOING_ON:
        # Such as the stop of an agreement, which the Netherlands write so into an order that stays active.
        status = UNKNOWN
        notes.append(Note("warning", "modifier-extension", "an extension that is not known here changes what the entry "
                          "says; whether it is taken stays unknown", "$.modifierExtension", personal=True))
    if len(_dosages(found)) > 1:
        notes.append(Note("info", "timing-not-read", "several dosages of one medicine; how much a day stays unknown",
                          personal=True))
    if any(map(is_more_than_allowed, _dosages(found))):
        notes.append(Note("warning", "dose-conflict", "more a day than maxDosePerPeriod allows, or in a unit that "
                          "cannot be compared with it; how much a day stays unknown", personal=True))
    return (*with_remark(said, concept, OF_MEDICINES), *what, status, ordered, kind,
            also(concept, said, _name_of_link(found)))


def _dosages(found: Drug) -> Sequence[Dosage]:
    match found:
        case MedicationRequest() | MedicationDispense():
            return found.dosage_instruction
        case MedicationStatement():
            return found.dosage
    return ()


def _said(found: Drug) -> Row:
    match found:
        case MedicationRequest():
            return _ordered(found)
        case MedicationStatement():
            return _stated(found)
        case MedicationAdministration():
            return _given(found)
        case MedicationDispense():
            return _handed_out(found)
    raise TypeError(type(found).__name__)


def _ordered(found: MedicationRequest) -> Row:
    """An order; it ends with its dosage, else with the period it may be dispensed in."""
    validity = found.dispense_request.validity_period if found.dispense_request else None
    end = last_day_of(found.dosage_instruction, found.authored_on) or (validity.end if validity else None)
    ordered = not found.do_not_perform and found.intent not in _NOT_ORDERED
    return (found.authored_on, end, found.authored_on, *dose_of(found.dosage_instruction), found.status, ordered,
            "order")


def _stated(found: MedicationStatement) -> Row:
    """What the patient is said to take."""
    status = found.status
    if status == "recorded" and found.adherence:
        status = _ADHERENCE.get(state(found.adherence.code) or "", status)
    if found.was_not_taken is True or found.taken is not None:
        taken = "not-taken" if found.was_not_taken is True else _TAKEN.get(str(found.taken), "unknown")
        status = taken or status
    return (*_when(found.effective_date_time, found.effective_period), found.date_asserted, *dose_of(found.dosage),
            status, True, "statement")


def _given(found: MedicationAdministration) -> Row:
    """What was given, and when."""
    start, end = _when(found.effective_date_time or found.occurence_date_time,
                       found.effective_period or found.occurence_period)
    dose = found.dosage.dose if found.dosage else None
    route = route_of(found.dosage.route) if found.dosage else None
    status = "not-done" if found.not_given is True or found.was_not_given is True else found.status
    return (start, end, start, dose.value if dose else None, unit_of(dose) if dose else None, None, route,
            None, status, True, "administration")


def _handed_out(found: MedicationDispense) -> Row:
    """What was handed out; it ends with the days it lasts."""
    start = found.when_handed_over
    return (start, _last_day(start, found.days_supply), start or found.when_prepared,
            *dose_of(found.dosage_instruction), found.status, True, "dispense")


def _when(day: str | None, period: Period | None) -> tuple[str | None, str | None]:
    return day or (period.start if period else None), period.end if period else None


def _last_day(start: str | None, supply: Quantity | None) -> str | None:
    """The day until which a supply lasts; unknown where the first day or the number of days is."""
    if not start or len(start) < _WHOLE_DAY or not is_date(start) or supply is None or supply.comparator:
        return None
    if supply.value is None or (unit_of(supply) or "d").lower() not in _DAYS:
        return None
    try:
        return str(date.fromisoformat(start[:_WHOLE_DAY]) + timedelta(days=supply.value))
    except (OverflowError, ValueError):
        return None


def _medicine(found: Drug, medicines: Medicines, notes: list[Note]) -> CodeableConcept | None:
    """What is taken: said in place, contained, elsewhere in the record, or only by the name of the link."""
    said = found.medication_codeable_concept or (found.medication.concept if found.medication else None)
    link = found.medication_reference or (found.medication.reference if found.medication else None)
    if said or not link:
        return said
    if link.reference and link.reference.startswith("#"):
        concept = _contained(found.contained, link.reference[1:], notes)
    else:
        concept = resolve(link.reference, medicines, "Medication")
    return concept or _named(link, notes)


def _name_of_link(found: Drug) -> str | None:
    link = found.medication_reference or (found.medication.reference if found.medication else None)
    return link.display if link else None


def _named(link: Reference, notes: list[Note]) -> CodeableConcept:
    """The name that the link itself gives, if any."""
    notes.append(Note("warning", "lost-reference", "the medicine it refers to is not in the record; only the name of "
                      "the link is known, if any", "$.medicationReference"))
    return CodeableConcept(text=link.display)


def _contained(contained: Iterable[object], name: str, notes: list[Note]) -> CodeableConcept | None:
    """The medicine described inside its own order."""
    raw = next((one for one in contained if isinstance(one, dict) and one.get("id") == name), None)
    if raw is None:
        return None
    try:
        # Whatever type it says it is, it is referred to as a medicine.
        return what_it_is(msgspec.convert({key: raw[key] for key in raw.keys() - {"resourceType"}}, Medication))
    except msgspec.ValidationError as error:
        what, path = split_error(error)
        notes.append(Note("error", "bad-resource", f"{what}; the contained medicine was not read",
                          f"$.contained {path}"))
        return None


def what_it_is(medicine: Medication) -> CodeableConcept | None:
    """Its code, and what it is made of as another account of it; where it has no code, that alone.

    Links of ingredients are not followed: where one of several is not named here, what it is stays unknown.
    """
    parts = [_part(one) for one in medicine.ingredient if one.is_active is not False]
    said = medicine.code
    if said and (said.coding or said.text):
        others = _unnamed(_all_named(parts)) or (parts[0].coding if len(parts) == 1 and parts[0] else [])
        return CodeableConcept([*(said.coding or _unnamed(said.text)), *others], said.text) if others else said
    if len(parts) == 1:
        return parts[0]
    names = _all_named(parts)
    return CodeableConcept(text=names) if names else None


def _all_named(parts: Sequence[CodeableConcept | None]) -> str | None:
    """The names of all that it is made of; None where one has none, or there is nothing."""
    names = [(part.text or prefer(part, RXNORM).display) if part else None for part in parts]
    return " / ".join(map(str, names)) if names and all(names) else None


def _unnamed(text: str | None) -> list[Coding]:
    """A name as a coding without a code: another account."""
    return [Coding(display=text)] if text else []


def _part(one: Ingredient) -> CodeableConcept | None:
    link = one.item_reference or (one.item.reference if one.item else None)
    said = one.item_codeable_concept or (one.item.concept if one.item else None)
    return said or (CodeableConcept(text=link.display) if link and link.display else None)

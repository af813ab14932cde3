"""FHIR resources → rows, as they were recorded: dates still text, nothing judged yet.

One row a resource, but one a coding for conditions (a SNOMED and an ICD-10 code of one diagnosis are both
kept, since a code set may know only one of them) and one a component for panels. Rows of patients are whole; the others
are what is said, from the code on: whose they are and where it was found (`origin`) goes for all rows of a resource.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from ..normalise.drug_names import ALSO
from ..normalise.loinc import LOINC, is_loinc
from ..normalise.remarks import OF_DIAGNOSES, speaks_against
from ..normalise.units import CODES
from .fhir_resource import Note, Resource
from .fhir_types import (
    AllergyIntolerance,
    CodeableConcept,
    Coding,
    Component,
    Condition,
    Diagnosis,
    DiagnosisCoding,
    Extension,
    Observation,
    Patient,
    Quantity,
)
from .recorded import Row

_UNNAMED: Row = (None, None, None)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
# Excluded and suspected diagnoses; "Z" is one of the past, "G" a sure one.
_CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
_UNSURE = {"A": "refuted", "V": "provisional"}
# US Core before its version 6, and since; the numbers are SNOMED CT's.
_BIRTH_SEX = tuple(f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{name}" for name in ("birthsex", "sex"))
_BORN = {"F": "female", "M": "male", "248152002": "female", "248153007": "male"}
_SIGNS = ("<", ">", "\u2264", "\u2265")
_RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"


def patient_row(resource: Resource, patient: Patient, name: str) -> Row:
    """The person; dead is known only where the record says so either way."""
    deceased = True if patient.deceased_date_time else patient.deceased_boolean
    sex = None if _sexes_differ(patient) else patient.gender
    return (*origin(resource, name), patient.birth_date, sex, deceased, _ancestry(patient))


def patient_notes(patient: Patient) -> list[Note]:
    """What a patient's own resource leaves in doubt."""
    notes = []
    if _sexes_differ(patient):
        notes.append(Note("warning", "sex-conflict", "gender and sex at birth differ; sex stays unknown", "$.gender",
                          personal=True))
    if replaced_by(patient) is not None:
        notes.append(Note("warning", "merge-not-followed", "replaced by another record of the same person: what stands "
                          "in the other is another patient here", "$.link", personal=True))
    return notes


def replaced_by(patient: Patient) -> str | None:
    """The id of the patient that took its place, "" where the link does not say; None where it was not replaced."""
    links = patient.link if isinstance(patient.link, list) else []
    found = next((one for one in links if isinstance(one, dict) and one.get("type") == "replaced-by"), None)
    if found is None:
        return None
    other = found.get("other")
    reference = other.get("reference") if isinstance(other, dict) else None
    return str(reference or "").partition("/_history/")[0].rpartition("/")[2].removeprefix("urn:uuid:")


def _sexes_differ(patient: Patient) -> bool:
    """Whether US Core's sex (at birth) is another than the gender: which of them a formula means is not known."""
    if not patient.extension:
        return False
    said = [one.value_coding.code if one.value_coding else one.value_code for one in patient.extension
            if one.url in _BIRTH_SEX]
    born = {_BORN[str(one)] for one in said if str(one) in _BORN}
    return patient.gender in _BORN.values() and not born <= {patient.gender}


def condition_rows(found: Condition) -> list[Row]:
    """One row a coding."""
    onset, abatement = found.onset_period, found.abatement_period
    end = found.abatement_date_time or (abatement.end or abatement.start if abatement else None)
    start = found.onset_date_time or (onset and onset.start) or _recorded_until(end, found.recorded_date)
    states = state(found.clinical_status), state(found.verification_status)
    # An age or words, too, say that it is over, as a date would; since when is not known.
    over = found.abatement_age or found.abatement_range or found.abatement_string
    dates, gone = (start, end, found.recorded_date), True if over else found.abatement_boolean
    return [(*with_remark(coded(coding, found.code), found.code, OF_DIAGNOSES), *dates, *_certainty(coding, *states),
             gone) for coding in (found.code.coding if found.code else []) or [DiagnosisCoding()]]


def _recorded_until(end: str | None, recorded: str | None) -> str | None:
    """When it was recorded, as its start; what was over by then began before, and nobody says when."""
    return None if end and recorded and recorded[:len(end)] > end[:len(recorded)] else recorded


def _certainty(coding: DiagnosisCoding, status: str | None, verification: str | None) -> Row:
    """Clinical and verification status; where FHIR's are not given or say "confirmed", as ICD-10-GM's letter says."""
    if not coding.extension:
        return status, verification
    said = next((one.value_coding.code for one in coding.extension if one.url == _CERTAINTY and one.value_coding), None)
    if said == "Z":
        return status or "inactive", verification
    if said in _UNSURE and verification in {None, "confirmed"}:
        return status, _UNSURE[said] if verification is None else "unconfirmed"
    return status, verification


def allergy_rows(found: AllergyIntolerance) -> list[Row]:
    """An allergy, since its onset or since it was recorded, and a row for each other substance that was reacted to."""
    start = found.onset_date_time or found.recorded_date
    about = (start, found.recorded_date, state(found.clinical_status), state(found.verification_status),
             found.criticality)
    rows: list[Row] = []
    for concept in (found.code, *(one.substance for one in found.reaction)):
        said = named(concept, RXNORM)
        if said != _UNNAMED and all(_differ(said, row) for row in rows):
            rows.append((*said, *about, also(concept, said)))
    return rows or [(*_UNNAMED, *about, None)]


def _differ(said: Row, row: Row) -> bool:
    """Whether two names of a substance are neither one code nor one text."""
    texts = {str(one[2]).casefold() for one in (said, row)}
    return (said[1] is None or said[:2] != row[:2]) and (said[2] is None or len(texts) > 1)


def observation_rows(found: Observation, notes: list[Note]) -> list[Row]:
    """The observation's own value where it has one, and a row for each component; none of what is another's."""
    if found.focus and _is_of_another(found):
        notes.append(Note("warning", "not-of-the-patient", "about somebody or something else than the patient; the "
                          "measurement was left out", "$.focus", personal=True))
        return []
    dated = when(found), found.issued, found.status
    own = [_measured(found, dated, notes, -1)] if not found.component or _has_value(found) else []
    return own + [_measured(part, dated, notes, index) for index, part in enumerate(found.component)]


def _is_of_another(found: Observation) -> bool:
    own = found.subject.reference if found.subject else None
    links = found.focus if isinstance(found.focus, list) else [found.focus]
    return any(not isinstance(one, dict) or one.get("reference") != own for one in links)


def when(found: Observation) -> str | None:
    """Since when it holds; where that is not said, when it was issued."""
    start = found.effective_date_time or found.effective_instant
    if start is not None:
        return start
    return found.effective_period.start if found.effective_period else found.issued


def _measured(part: Observation | Component, dated: Row, notes: list[Note], index: int) -> Row:
    """The row of one component of an observation, or of itself (-1)."""
    amount = part.value_quantity
    if amount and amount.comparator is None:
        value: Row = amount.value, unit_of(amount), None, None
    else:
        value = _value(part, notes, "$" if index < 0 else f"$.component[{index}]")
    return (*_measurement(part.code), *dated, *value, state(part.interpretation[0]) if part.interpretation else None)


def _measurement(concept: CodeableConcept | None) -> Row:
    """What was measured: by its LOINC code, of several the one that is known here, by whatever name LOINC goes."""
    codings = concept.coding if concept else []
    if len(codings) < 2:
        return named(concept, LOINC)
    loinc = [one for one in codings if is_loinc(one.system)]
    found = next((one for one in loinc if one.code in CODES), loinc[0] if loinc else codings[0])
    return coded(found, concept)


def origin(resource: Resource, name: str) -> Row:
    """Whose row it is and where it is from."""
    file, spot, kind, number = resource.file, resource.spot, resource.kind, resource.id
    if number and spot:  # as nearly all have
        return name, file, f"{spot} {kind}/{number}", f"{file}#{kind}/{number}"
    return name, file, resource.place, f"{file}#{resource.name}"


def prefer(concept: CodeableConcept | None, system: str) -> Coding:
    """The coding in the wanted system, else the first."""
    if concept is None or not concept.coding:
        return Coding()
    first = concept.coding[0]
    if first.system == system:
        return first
    return next((one for one in concept.coding if one.system == system), first)


def named(concept: CodeableConcept | None, system: str) -> Row:
    """System, code and display in the wanted system, else of the first coding."""
    if concept and concept.coding:
        first = concept.coding[0]
        if first.system == system:  # as nearly all are
            return system, first.code, first.display or concept.text
    return coded(prefer(concept, system), concept)


def coded(coding: Coding, concept: CodeableConcept | Diagnosis | None) -> Row:
    """System, code and display; the text as it was entered where there is no display."""
    return coding.system, coding.code, coding.display or (concept.text if concept else None)


def also(concept: CodeableConcept | None, said: Row, link: str | None = None) -> str | None:
    """The other codings and the text of a concept of which `said` was taken: they may name another thing.

    So may the name that a link to it gives.
    """
    if concept is None or (len(concept.coding) < 2 and {concept.text, link} <= {None, said[2]}):  # as nearly all are
        return None
    codings = [f"{one.system or ''}|{one.code or ''}|{one.display or ''}" for one in concept.coding
               if (one.system, one.code) != said[:2] or (one.code is None and one.display != said[2])]
    names = [name for name in (concept.text, link) if name and name != said[2]]
    return ALSO.join(dict.fromkeys([*codings, *names])) or None


def state(concept: CodeableConcept | None) -> str | None:
    """The code of a status given as a concept; its text where it has no code."""
    if concept is None:
        return None
    for one in concept.coding:
        if one.code:
            return one.code
    return concept.text


def with_remark(said: Row, concept: CodeableConcept | Diagnosis | None, words: str) -> Row:
    """System, code and display, with what was entered behind it where that speaks against it (`normalise.remarks`)."""
    text = concept.text if concept else None
    if text is None or text == said[2] or not speaks_against(text, words):
        return said
    # What denies a diagnosis may stand at the beginning only: "No heart failure".
    return said[0], said[1], f'{said[2]} ("{text}")' if words is OF_DIAGNOSES else f"{said[2]} ({text})"


def unit_of(quantity: Quantity) -> str | None:
    """The UCUM code; else what is written as the unit."""
    return quantity.code if quantity.code and quantity.system in (UCUM, None) else quantity.unit


_VALUES = tuple(name for name in Component.__struct_fields__ if name.startswith("value_"))
_values_of = attrgetter(*_VALUES)


def _has_value(found: Observation | Component) -> bool:
    return _values_of(found).count(None) < len(_VALUES)


def _value(found: Observation | Component, notes: list[Note], path: str) -> Row:
    """Number, unit, text and code of what is no plain quantity; what cannot be one of them is reported."""
    if quantity := found.value_quantity:
        if quantity.value is None:
            return None, unit_of(quantity), None, None
        return _limit(quantity, notes, path)
    if concept := found.value_codeable_concept:
        coding = prefer(concept, SNOMED)
        return None, None, coding.display or concept.text, coding.code
    if found.value_integer is not None:
        return float(found.value_integer), None, None, None
    if found.value_boolean is not None:
        return None, None, str(found.value_boolean).lower(), None
    text = found.value_string or found.value_date_time or found.value_time
    if text and text.lstrip().startswith(_SIGNS):
        notes.append(_beyond(f"{path}.valueString"))
    elif text is None and _has_value(found):
        notes.append(Note("info", "value-not-read", "a range, ratio, period or series is not read; the value stays "
                          "unknown", path, personal=True))
        text = _two_numbers(found.value_range, "low", " to ", "high") or _two_numbers(
            found.value_ratio, "numerator", " : ", "denominator")
    elif text is None and found.data_absent_reason:
        reason = state(found.data_absent_reason) or "no reason"
        notes.append(Note("info", "value-absent", f"recorded as having no value ({reason[:40]}); it stays unknown",
                          f"{path}.dataAbsentReason", personal=True))
    return None, None, text, None


def _two_numbers(pair: Any, first: str, between: str, second: str) -> str | None:
    """A range or ratio in words: it was measured, and an older value is not the latest."""
    ends = [pair.get(name) for name in (first, second)] if isinstance(pair, dict) else []
    words = [str(one["value"]) for one in ends if isinstance(one, dict) and isinstance(one.get("value"), int | float)]
    return between.join(words) or None


def _limit(quantity: Quantity, notes: list[Note], path: str) -> Row:
    """"< 5" is a limit and no measurement, so it is kept as text only."""
    notes.append(_beyond(f"{path}.valueQuantity.comparator"))
    return None, unit_of(quantity), f"{quantity.comparator} {quantity.value:g}", None


def _beyond(path: str) -> Note:
    return Note("info", "limit-not-value", "a value beyond a limit of measurement is kept as text, not as a number",
                path, personal=True)


def _ancestry(patient: Patient) -> str | None:
    """Race as US Core records it: its text, else the names of the categories, else unknown."""
    parts = [part for one in patient.extension if one.url == _RACE for part in one.extension]
    texts = _named(parts, "text", lambda part: part.value_string)
    names = _named(parts, "ombCategory", lambda part: part.value_coding.display if part.value_coding else None)
    return texts[0] if texts else "; ".join(names) or None


def _named(parts: list[Extension], url: str, value: Callable[[Extension], str | None]) -> list[str]:
    return [text for part in parts if part.url == url and (text := value(part))]

"""Bundles → rows of one read: who each resource is about, each resource once, each problem reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from ..errors import HistoryError
from .fhir_bundle import (
    EXPORT_HINT,
    UNREADABLE,
    Reading,
    Resource,
    decode,
    patient_id,
    references,
    resolve,
    split_error,
)
from .fhir_rows import (
    allergy_row,
    condition_rows,
    observation_rows,
    patient_row,
    request_row,
    statement_row,
)
from .fhir_types import (
    WANTED,
    AllergyIntolerance,
    CodeableConcept,
    Condition,
    Medication,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Owned,
    Patient,
    Wanted,
)
from .record_dates import is_date
from .recorded import COLUMNS, Issue, Row

_TABLE = {"Condition": "conditions", "MedicationRequest": "medications", "MedicationStatement": "medications",
          "Observation": "observations", "AllergyIntolerance": "allergies"}
_PERSON = slice(COLUMNS["patients"].index("birth_date"), None)


@dataclass
class Records:
    """Rows (see ``recorded.COLUMNS``) and problems of all bundles of one read."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    issues: list[Issue] = field(default_factory=list)
    _people: dict[str, Row] = field(default_factory=dict)
    _seen: dict[tuple[str, str, str], bytes] = field(default_factory=dict)

    def add(self, reading: Reading, where: str) -> None:
        """Take one bundle in.

        Raises:
            HistoryError: no patient, one that cannot be used, or one id for two different people.
        """
        self.issues += reading.issues
        people = self._patients(reading.resources, where)
        medicines = _medicines(reading.resources, self.issues)
        for resource in reading.resources:
            if kind := WANTED.get(resource.kind):
                self._take(resource, kind, people, medicines)

    def _patients(self, resources: Iterable[Resource], where: str) -> dict[str, str]:
        """Every reference that means a patient of this bundle, with the patient's id."""
        known: dict[str, str] = {}
        for resource in (one for one in resources if one.kind == "Patient"):
            patient = _decode_patient(resource, where)
            name = patient_id(resource, patient, where)
            _check_birth_date(patient, name, where)
            self._meet(resource, patient_row(resource, patient, name), where)
            known |= dict.fromkeys(references(resource, name), name)
        if not known:
            raise HistoryError("the bundle holds no Patient", where=where, hint=EXPORT_HINT)
        return known

    def _meet(self, resource: Resource, row: Row, where: str) -> None:
        """Add a patient once; the same id must mean the same person in every file."""
        name = row[0]
        first = self._people.setdefault(name, row)
        if first is row:
            self.rows["patients"].append(row)
        elif first[_PERSON] == row[_PERSON]:
            self.issues.append(resource.issue("info", "duplicate-resource", "given before and the same; used once",
                                              patient_id=name))
        else:
            raise HistoryError(f"Patient/{name} is given twice and differs", where=where,
                               hint="give one version of each patient")

    def _take(self, resource: Resource, kind: type[Wanted], people: Mapping[str, str],
              medicines: Mapping[str, CodeableConcept]) -> None:
        """Decode one resource and add its rows; what cannot be used is reported."""
        found = decode(resource, kind, self.issues)
        if found is None:
            self.issues[-1]["patient_id"] = _owner(resource, people)
            return
        link, path = (found.patient, "$.patient") if isinstance(found, AllergyIntolerance) else (
            found.subject, "$.subject")
        name = resolve(link.reference if link else None, people)
        if name is None:
            self.issues.append(resource.issue("error", "unknown-patient", "not about a patient of this bundle; the "
                                              "resource was left out", patient_id=_only(people), path=path))
        elif self._is_new(resource, name):
            rows = _rows(resource, found, name, medicines, self.issues)
            self.rows[_TABLE[resource.kind]] += rows
            self._note_nameless(resource, rows, name)

    def _is_new(self, resource: Resource, name: str) -> bool:
        """Whether this resource has not been met before, as it is in overlapping pages of a search."""
        if not resource.id:
            return True
        key, digest = (name, resource.kind, resource.id), blake2b(resource.raw, digest_size=16).digest()
        if key not in self._seen:
            self._seen[key] = digest
            return True
        severity, what = ("info", "the same; used once") if self._seen[key] == digest else (
            "warning", "differs; the first one is used")
        self.issues.append(resource.issue(severity, "duplicate-resource", f"given before and {what}", patient_id=name))
        return False

    def _note_nameless(self, resource: Resource, rows: Sequence[Row], name: str) -> None:
        """Report rows that say nothing about what they are."""
        code = COLUMNS[_TABLE[resource.kind]].index("code")
        if any(row[code] is None and row[code + 1] is None for row in rows):
            self.issues.append(resource.issue("warning", "no-code", "neither a code nor a name; what it is stays "
                                              "unknown", patient_id=name))


def _owner(resource: Resource, people: Mapping[str, str]) -> str | None:
    """Whose record lost a resource that could not be decoded, as far as its subject can still be read."""
    try:
        link = msgspec.json.decode(resource.raw, type=Owned)
    except UNREADABLE:
        return _only(people)
    whose = link.subject or link.patient
    return resolve(whose.reference, people) if whose and whose.reference else _only(people)


def _only(people: Mapping[str, str]) -> str | None:
    """The patient of a bundle that has just one: whose record lost something."""
    names = set(people.values())
    return names.pop() if len(names) == 1 else None


def _decode_patient(resource: Resource, where: str) -> Patient:
    """Decode strictly: a record without its patient is of no use.

    Raises:
        HistoryError: naming the path of the wrong type.
    """
    try:
        return msgspec.json.decode(resource.raw, type=Patient)
    except UNREADABLE as error:
        what, path = split_error(error)
        raise HistoryError(f"{resource.place} {path}: {what}", where=where, hint="correct this field") from error


def _check_birth_date(patient: Patient, name: str, where: str) -> None:
    """Refuse a record whose age cannot be known.

    Raises:
        HistoryError: there is no birth date, or it is no FHIR date.
    """
    if patient.birth_date is not None and is_date(patient.birth_date):
        return
    fault = "$.birthDate is not a FHIR date" if patient.birth_date else "has no birthDate: age cannot be known"
    raise HistoryError(f"Patient/{name} {fault}", where=where, hint="add Patient.birthDate as YYYY-MM-DD")


def _rows(resource: Resource, found: Wanted, name: str, medicines: Mapping[str, CodeableConcept],
          issues: list[Issue]) -> list[Row]:
    match found:
        case Condition():
            return list(condition_rows(resource, found, name))
        case Observation():
            return list(observation_rows(resource, found, name, issues))
        case AllergyIntolerance():
            return [allergy_row(resource, found, name)]
        case MedicationRequest():
            return [request_row(resource, found, name, _medicine(resource, found, medicines, issues))]
        case MedicationStatement():
            return [statement_row(resource, found, name, _medicine(resource, found, medicines, issues))]


def _medicines(resources: Iterable[Resource], issues: list[Issue]) -> dict[str, CodeableConcept]:
    """Every reference that means a Medication of this bundle, with what it is."""
    known: dict[str, CodeableConcept] = {}
    for resource in (one for one in resources if one.kind == "Medication"):
        medicine = decode(resource, Medication, issues)
        if medicine and medicine.code:
            known |= dict.fromkeys(references(resource, medicine.id or ""), medicine.code)
    return known


def _medicine(resource: Resource, found: MedicationRequest | MedicationStatement,
              medicines: Mapping[str, CodeableConcept], issues: list[Issue]) -> CodeableConcept | None:
    """What is taken: said in place, contained, elsewhere in the bundle, or only by the name of the link."""
    link = found.medication_reference
    if found.medication_codeable_concept or not link:
        return found.medication_codeable_concept
    if link.reference and link.reference.startswith("#"):
        concept = _contained(resource, found.contained, link.reference[1:], issues)
    else:
        concept = resolve(link.reference, medicines, "Medication")
    return concept or CodeableConcept(text=link.display)


def _contained(resource: Resource, contained: Iterable[object], name: str,
               issues: list[Issue]) -> CodeableConcept | None:
    """The medicine described inside its own order."""
    raw = next((one for one in contained if isinstance(one, dict) and one.get("id") == name), None)
    if raw is None:
        return None
    try:
        return msgspec.convert(raw, Medication).code
    except msgspec.ValidationError as error:
        what, path = split_error(error)
        issues.append(resource.issue("error", "bad-resource", f"{what}; the contained medicine was not read",
                                     path=f"$.contained {path}"))
        return None

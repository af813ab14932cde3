"""Files → rows of one read: who each resource is about, each resource once, each problem reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import msgspec

from ..errors import HistoryError
from .fhir_bundle import NO_JSON, Reading, UnusablePatient, decode, patient_id, references, resolve, split_error
from .fhir_damaged import patients_in
from .fhir_decoded import Decoded
from .fhir_drug_rows import drug_row, what_it_is
from .fhir_event_rows import encounter_row, family_rows, immunization_row, procedure_row, report_rows
from .fhir_files import EXPORT_HINT
from .fhir_genes import Call, gene_call
from .fhir_goal_rows import goal_rows
from .fhir_kept import Kept
from .fhir_lines import LineReading
from .fhir_reasons import REASONS, reason
from .fhir_resource import UNREADABLE, Note, Resource
from .fhir_rows import allergy_rows, condition_rows, observation_rows, origin, patient_notes, patient_row, replaced_by
from .fhir_types import CodeableConcept, Drug, Medication, Owned, Patient
from .fhir_wanted import TABLE, WANTED, decoder
from .record_dates import is_date
from .recorded import COLUMNS, Issue, Row

_PERSON = slice(COLUMNS["patients"].index("birth_date"), None)
# All tables but that of the patients begin with the same columns.
_FROM = slice(COLUMNS["conditions"].index("source") + 1)
_CODE, _DISPLAY = (COLUMNS["conditions"].index(name) for name in ("code", "display"))
_SAID = slice(COLUMNS["conditions"].index("system"), None)
_NAMED = slice(COLUMNS["conditions"].index("system"), _DISPLAY + 1)
WHOSE = {kind: "subject" if "subject" in known.__struct_fields__ else "patient" for kind, known in WANTED.items()}
_MEDICATION = msgspec.json.Decoder(Medication)
# A visit is told by its class, a relative without a condition says that none is known.
_MAY_BE_NAMELESS = ("Encounter", "FamilyMemberHistory")


@dataclass
class Scope:
    """Whom and what the references of some resources may mean."""

    people: dict[str, str] = field(default_factory=dict)
    medicines: dict[str, CodeableConcept] = field(default_factory=dict)
    resources: Sequence[Resource] = ()

    @cached_property
    def reasons(self) -> dict[str, int]:
        """What of a bundle may be a reason: full URL → which of `resources` it is."""
        if isinstance(self.resources, Decoded):
            return self.resources.by_url(REASONS)
        return {one.full_url: index for index, one in enumerate(self.resources)
                if one.kind in REASONS and one.full_url}

    def link(self, reference: str) -> str:
        """What a reason refers to, as `reasons` knows it: type and id; where there is no id, file and place."""
        plain = reference.partition("/_history/")[0]
        if isinstance(self.resources, Decoded) and (named := self.resources.named(plain, REASONS)):
            return named
        if (index := self.reasons.get(plain)) is not None:
            found = self.resources[index]
            return found.name if found.id else f"{found.file}#{found.name}"
        tail = "/".join(plain.rsplit("/", 2)[-2:])
        # A resource of that name that came from another server is not it.
        return plain if any(url.endswith(f"/{tail}") for url in self.reasons) else tail


@dataclass
class Records:
    """Rows (see ``recorded.COLUMNS``), genotypes and problems of all files of one read."""

    rows: dict[str, Kept] = field(default_factory=lambda: {name: Kept(name) for name in COLUMNS})
    issues: list[Issue] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    # Files of a folder that cannot be read, by name; names of those that hold whole records.
    damaged: dict[str, Path] = field(default_factory=dict)
    bundles: set[str] = field(default_factory=set)
    replaced: dict[str, str] = field(default_factory=dict)  # patients, and who took their place
    _people: dict[str, Row] = field(default_factory=dict)
    # Patient and type → id → where its rows begin.
    seen: dict[tuple[str, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    kinds: dict[type, Any] = field(default_factory=dict)

    def meet(self, reading: Reading) -> Scope:
        """Whom and what one bundle tells of: its references mean what is in it.

        Raises:
            HistoryError: no patient, one that cannot be used, or one id for two different people.
        """
        self.issues += reading.issues
        scope = Scope(resources=reading.resources)
        for resource in reading.first():
            self._refer(resource, scope, reading.where)
        if not scope.people:
            raise HistoryError("the bundle holds no Patient", where=reading.where, hint=EXPORT_HINT)
        return scope

    def meet_loose(self, parts: Sequence[Reading | LineReading]) -> Scope:
        """Whom and what single resources and NDJSON files tell of: their references mean what is in any of them.

        A patient who cannot be used is reported, as all that is about him.

        Raises:
            HistoryError: there is no patient, or one id for two different people.
        """
        scope, fault = Scope(), None
        for part in parts:
            for resource in part.first():
                try:
                    self._refer(resource, scope, part.where)
                except UnusablePatient as error:
                    fault = fault or error
                    self.issues.append(resource.issue("error", "bad-patient", f"{error.message}; the patient was left "
                                                      "out"))
        if not scope.people:
            raise fault or HistoryError("no Patient is given", where=parts[0].where,
                                        hint="give the file with the Patient resources, or the folder, too")
        return scope

    def _refer(self, resource: Resource, scope: Scope, where: str) -> None:
        """Learn what refers to a patient or a medicine.

        Raises:
            UnusablePatient: one without id or birth date, or with a field of the wrong type.
            HistoryError: one id for two different people.
        """
        if resource.kind == "Medication":
            medicine = decode(resource, _MEDICATION, self.issues)
            if medicine and (concept := what_it_is(medicine)):
                scope.medicines |= dict.fromkeys(references(resource, medicine.id or ""), concept)
            return
        patient = _decode_patient(resource, where)
        name = patient_id(resource, patient, where)
        _check_birth_date(patient, name, where)
        self._meet(resource, patient, name, where)
        scope.people |= dict.fromkeys(references(resource, name), name)

    def _meet(self, resource: Resource, patient: Patient, name: str, where: str) -> None:
        """Add a patient once; the same id must mean the same person in every file."""
        row = patient_row(resource, patient, name)
        first = self._people.setdefault(name, row)
        if first is row:
            self.rows["patients"].add([row])
            self.issues += [resource.noted(note, name) for note in patient_notes(patient)]
            if other := replaced_by(patient):
                self.replaced[name] = other
        elif first[_PERSON] == row[_PERSON]:
            self.issues.append(resource.issue("info", "duplicate-resource", "given before and the same; used once",
                                              patient_id=name))
        else:
            raise HistoryError(f"Patient/{name} is given twice and differs", where=where,
                               hint="give one version of each patient")

    def take(self, resource: Resource, scope: Scope) -> None:
        """Decode one resource and add its rows; what cannot be used is reported."""
        kind = resource.kind
        told = len(self.issues)
        found = resource.found or decode(resource, decoder(kind), self.issues)
        if len(self.issues) > told:
            mine = _owner(resource, scope.people)
            self.issues[told:] = [one | mine for one in self.issues[told:]]
        if found is None:
            return
        whose = WHOSE[kind]
        link = getattr(found, whose)
        reference = link.reference if link else None
        name = scope.people.get(reference or "") or resolve(reference, scope.people)
        if name is None:
            code, what = (("unknown-patient", "not about a patient of this record") if reference else
                          ("no-patient", "it does not say about whom it is"))
            self.issues.append(resource.issue("error", code, f"{what}; the resource was left out",
                                              patient_id=_only(scope.people), path=f"$.{whose}"))
            return
        notes: list[Note] = []
        kept, where = self.rows[TABLE[kind]], origin(resource, name)
        rows = [where + said for said in ROWS[kind](found, scope, notes)]
        noted = [resource.noted(note, name) for note in notes]
        if not rows:  # a goal that is told in words only
            self.issues += noted
            return
        start = self.seen[name, kind].setdefault(resource.id, kept.height) if resource.id else kept.height
        if start < kept.height:
            self._repeated(resource, rows, name, start)
            return
        self.issues += noted
        kept.add(rows)
        if len(rows) > 1 or rows[0][_DISPLAY] is None:
            self._note_nameless(resource, rows, name)
        if kind == "Observation" and (call := gene_call(resource, found, name, self.issues)):
            self.calls.append(call)

    def _repeated(self, resource: Resource, rows: Sequence[Row], name: str, start: int) -> None:
        """Report a resource that has been met before, as in overlapping pages of a search; its rows begin at `start`.

        Where the two differ, as of two exports, neither is believed: how it stands is unknown.
        """
        kept = self.rows[TABLE[resource.kind]]
        first, *more = kept.some(start, len(rows) + 1)
        before = [first, *(row for row in more if row[_FROM] == first[_FROM])]
        if [row[_SAID] for row in before] == [row[_SAID] for row in rows]:
            self.issues.append(resource.issue("info", "duplicate-resource", "given before and the same; used once",
                                              patient_id=name))
            return
        kept.doubt(start, len(before))
        if others := [row for row in rows if row[_NAMED] not in {one[_NAMED] for one in before}]:
            kept.doubt(kept.height, len(others))
            kept.add(others)
        self.issues.append(resource.issue("warning", "duplicate-resource", "given before and differs: which version "
                                          "holds is not known, so how it stands is unknown; give the newest one only",
                                          patient_id=name))

    def _note_nameless(self, resource: Resource, rows: Sequence[Row], name: str) -> None:
        """Report rows that say nothing about what they are."""
        if resource.kind in _MAY_BE_NAMELESS:
            return
        for row in rows:
            if row[_CODE] is None and row[_DISPLAY] is None:
                self.issues.append(resource.issue("warning", "no-code", "neither a code nor a name; what it is stays "
                                                  "unknown", patient_id=name))
                return


def _owner(resource: Resource, people: Mapping[str, str]) -> Issue:
    """Whose record lost a resource that could not be decoded, as far as its subject can still be read."""
    try:
        link = msgspec.json.decode(resource.raw, type=Owned)
    except msgspec.ValidationError:
        return {"patient_id": _only(people)}
    except UNREADABLE:
        named = patients_in(bytes(resource.raw))
        mine = min(named & {*people.values()}, default=None) if named else _only(people)
        return {"patient_id": mine, **({} if mine or named else {"code": NO_JSON})}
    whose = link.subject or link.patient
    return {"patient_id": resolve(whose.reference, people) if whose and whose.reference else _only(people)}


def _only(people: Mapping[str, str]) -> str | None:
    """The patient of a bundle that has just one: whose record lost something."""
    names = set(people.values())
    return names.pop() if len(names) == 1 else None


def _decode_patient(resource: Resource, where: str) -> Patient:
    """Decode strictly: a record without its patient is of no use.

    Raises:
        UnusablePatient: naming the path of the wrong type.
    """
    if resource.found is not None:
        return cast("Patient", resource.found)
    try:
        return msgspec.json.decode(resource.raw, type=Patient)
    except UNREADABLE as error:
        what, path = split_error(error)
        raise UnusablePatient(f"{resource.place} {path}: {what}", where=where, hint="correct this field") from error


def _check_birth_date(patient: Patient, name: str, where: str) -> None:
    """Refuse a record whose age cannot be known.

    Raises:
        UnusablePatient: there is no birth date, or it is no FHIR date.
    """
    if patient.birth_date is not None and is_date(patient.birth_date):
        return
    fault = "$.birthDate is not a FHIR date" if patient.birth_date else "has no birthDate: age cannot be known"
    raise UnusablePatient(f"Patient/{name} {fault}", where=where, hint="add Patient.birthDate as YYYY-MM-DD")


# What a resource says → rows without whose they are and where they are from.
_Said = Callable[[Any, Scope, list[Note]], list[Row]]


def _many(make: Callable[[Any], list[Row]]) -> _Said:
    return lambda found, _scope, _notes: make(found)


def _one(make: Callable[[Any], Row]) -> _Said:
    return lambda found, _scope, _notes: [make(found)]


def _reasoned(make: Callable[[Any], Row]) -> _Said:
    return lambda found, scope, notes: [make(found) + reason(found, scope.link, notes)]


def _drug(found: Drug, scope: Scope, notes: list[Note]) -> list[Row]:
    return [drug_row(found, scope.medicines, notes) + reason(found, scope.link, notes)]


ROWS: Mapping[str, _Said] = {
    **dict.fromkeys((kind for kind, known in WANTED.items() if issubclass(known, Drug)), _drug),
    "Condition": _many(condition_rows), "FamilyMemberHistory": _many(family_rows),
    "AllergyIntolerance": _many(allergy_rows), "Immunization": _reasoned(immunization_row),
    "DiagnosticReport": lambda found, _scope, notes: report_rows(found, notes),
    "Encounter": _reasoned(encounter_row), "Procedure": _reasoned(procedure_row),
    "Observation": lambda found, _scope, notes: observation_rows(found, notes),
    "Goal": lambda found, _scope, notes: goal_rows(found, notes)}

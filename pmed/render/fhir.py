"""The result as a FHIR R4 transaction after HL7's Genomics Reporting guide (STU3, 3.0.0).

Every gene has a genotype, known or not: what is not known has a data-absent-reason and the status ``preliminary``, so
that nobody reads it as normal. Ids follow from the content: the same result is the same resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from ..provenance import DISCLAIMER
from ..result import Result
from .coding import LOINC, REPORT
from .facts import day, genes_of, nothing_to_do, others, to_do
from .fhir_entries import GUIDE, Entries, Json, coding, concept, profile, unknown
from .fhir_findings import GENETICS, genotypes, implication
from .fhir_plan import medication, number, task
from .view import View, patient_views
from .words import first_sentence

SEXES = {"female", "male", "other", "unknown"}
OPEN = ("test", "not-assessed")
ACTION = f"{GUIDE}/StructureDefinition/recommended-action"
RISK = f"{GUIDE}/StructureDefinition/genomic-risk-assessment"
NOTE = f"{GUIDE}/StructureDefinition/genomic-report-note"
NOTE_CODE = f"{GUIDE}/StructureDefinition/annotation-code"
NOTE_CODES = f"{GUIDE}/CodeSystem/coded-annotation-types-cs"


@dataclass(frozen=True)
class FhirExporter:
    """A FHIR R4 transaction bundle (Genomics Reporting 3.0.0), every patient of the result in it."""

    name: ClassVar[str] = "fhir"
    suffix: ClassVar[str] = ".fhir.json"

    def export(self, result: Result) -> bytes:
        """Indented UTF-8 JSON."""
        entries = Entries()
        author = entries.add(_device(result.provenance))
        for view in patient_views(result):
            _patient(view, author, result.provenance, entries)
        return msgspec.json.format(msgspec.json.encode(entries.bundle()), indent=2) + b"\n"


def _patient(view: View, author: Json, provenance: Mapping[str, Any], entries: Entries) -> None:
    """All resources of one patient."""
    record = view["record"] or {}
    subject = entries.add({
        "resourceType": "Patient", "identifier": [{"value": view["patient_id"]}],
        "gender": record.get("sex") if record.get("sex") in SEXES else None,
        "birthDate": record["birth_date"].isoformat() if record.get("birth_date") else None})
    specimens = [entries.add({"resourceType": "Specimen", "identifier": [{"value": row["sample"]}], "subject": subject})
                 for row in view["samples"]]
    about = {"subject": subject, "device": author, "specimen": specimens[0] if len(specimens) == 1 else None}
    found = genotypes(view, about, entries)
    implied = _implications(view, found, {**about, "effectiveDateTime": day(view)}, entries)
    tasks = [entries.add(task(row, subject, implied.get(row["drug"]), _focus(row, view, subject, entries), author))
             for row in to_do(view)]
    numbers = [number(row, subject, day(view), author, entries) for row in others(view, provenance)]
    results = [*found.values(), *implied.values(), *(one for kind, one in numbers if kind == "Observation")]
    risks = [one for kind, one in numbers if kind == "RiskAssessment"]
    report = entries.add(_report(view, subject, specimens, results, provenance) | {
        "extension": [*(_points(ACTION, one) for one in tasks), *(_points(RISK, one) for one in risks),
                      *_remarks(view, provenance)]}, issued=provenance.get("created") or None)
    entries.add(_provenance(report, [*results, *tasks, *risks], author, provenance))


def _implications(view: View, found: dict[str, Json], about: Json, entries: Entries) -> dict[str, Json]:
    """Drug → its implication, for advice that rests on a gene; what is open only where taken or asked for."""
    made = {}
    for row in view["suggestions"]:
        genes = genes_of(row, found)
        if genes and (row["current"] or row["drug"] in view["asked"] or row["action"] not in OPEN):
            made[row["drug"]] = entries.add(implication(row, genes, view, found, about))
    return made


def _focus(row: View, view: View, subject: Json, entries: Entries) -> Json | None:
    """The medicine on record that a recommendation is about: an active one before one of unknown status."""
    kept = [one for one in view["medications"] if one["active"] is not False]
    first = min((one for one in kept if row["drug"] in (one["ingredients"] or [])),
                key=lambda one: one["active"] is None, default=None)
    return entries.add(medication(first, subject)) if first else None


def _report(view: View, subject: Json, specimens: list[Json], results: list[Json],
            provenance: Mapping[str, Any]) -> Json:
    """``partial`` where a plugin failed: its results are missing."""
    warned = [f"Please confirm: {one['text']}." for one in view["notices"]]
    urgent = [f"{row['urgency']}, {row['drug']}: {first_sentence(row['text'])}" for row in to_do(view)]
    return {
        "resourceType": "DiagnosticReport", "meta": profile("genomic-report"),
        "status": "partial" if view["failures"] else "final", "category": [{"coding": [GENETICS]}],
        "code": concept(coding(LOINC, REPORT)), "subject": subject,
        "effectiveDateTime": day(view) or provenance.get("created") or None,
        "specimen": specimens, "result": results,
        "conclusion": "\n".join([*warned, *(urgent or [nothing_to_do(view)])])}


def _remarks(view: View, provenance: Mapping[str, Any]) -> list[Json]:
    """The disclaimer, what was not assessed, and which plugins failed, as notes of the report."""
    gaps = [f"{gap['what']}: {gap['reason']}" for gap in view["not_assessed"]]
    failed = [f"{one['plugin']} ({one['component'] or one['stage']})" for one in view["failures"]]
    return [_note(provenance.get("disclaimer") or DISCLAIMER, "test-disclaimer"),
            *([_note("Not assessed. " + "\n".join(gaps))] if gaps else []),
            *([_note("Failed, so its results are missing: " + ", ".join(failed))] if failed else [])]


def _note(text: str, code: str = "") -> Json:
    said = {"url": NOTE_CODE, "valueCodeableConcept": concept({"system": NOTE_CODES, "code": code})}
    return {"url": NOTE, "valueAnnotation": {"extension": [said] if code else [], "text": text}}


def _points(url: str, reference: Json) -> Json:
    return {"url": url, "valueReference": reference}


def _device(provenance: Mapping[str, Any]) -> Json:
    """The software, with the versions of its plugins."""
    versions = {"pmed": provenance.get("pmed"), **provenance.get("plugins", {})}
    return {"resourceType": "Device", "deviceName": [{"name": "pmed", "type": "user-friendly-name"}],
            "type": concept(text="Decision-support software, not a medical device"),
            "version": [{"value": f"{name} {version}"} for name, version in versions.items() if version]}


def _provenance(report: Json, targets: list[Json], author: Json, provenance: Mapping[str, Any]) -> Json:
    """Input files by their hashes, and knowledge by name and version."""
    files = [_entity(f"{one['kind']} {one['file']}", one["sha256"]) for one in provenance.get("inputs", [])]
    facts = [_entity(f"{one['name']} {one['version']} ({one['licence']})", one["sha256"])
             for one in provenance.get("knowledge", [])]
    created = provenance.get("created")
    when = {"recorded": created} if created else {"_recorded": {"extension": unknown()}}
    return {"resourceType": "Provenance", "target": [report, *targets], **when,
            "agent": [{"who": author}], "entity": [*files, *facts]}


def _entity(words: str, digest: str) -> Json:
    return {"role": "source", "what": {"identifier": {"type": concept(text="SHA-256"), "value": digest},
                                       "display": words}}

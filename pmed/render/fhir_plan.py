"""What to do and how likely things are, as FHIR: recommendations (Task), risks, other numbers, the medicines taken."""

from __future__ import annotations

from .coding import LOINC, MORE_TESTS, usage
from .facts import alternatives, is_probability, shown
from .fhir_entries import Entries, Json, absent_reason, coding, concept, notes, profile, unknown
from .view import View

PRIORITIES = {"today": "asap", "soon": "urgent", "routine": "routine"}


def task(row: View, subject: Json, reason: Json | None, focus: Json | None, author: Json) -> Json:
    """One recommendation about a medicine that the patient takes; a test is a follow-up."""
    test = row["action"] == "test"
    code = MORE_TESTS if test else usage(row["action"], row["dose_factor"])
    warned = [f"Caution: {one['text'] or one['code']}" for one in row["cautions"]]
    other = alternatives(row)
    return {
        "resourceType": "Task", "meta": profile("followup-recommendation" if test else "medication-recommendation"),
        "status": "requested", "intent": "proposal", "priority": PRIORITIES[row["urgency"]],
        "code": concept(coding(LOINC, code)) if code else None,
        "description": " ".join([row["text"], *warned]),
        "focus": focus, "for": subject, "requester": author, "reasonReference": reason,
        "reasonCode": None if reason else concept(text=row["why"] or row["text"]),
        "note": notes(row["why"] or "" if reason else "", f"Alternatives: {other}" if other else ""),
    }


def medication(row: View, subject: Json) -> Json:
    """A medicine on record, with the code and words of the record."""
    recorded = {"system": row["system"], "code": row["code"], "display": row["display"]}
    known = row["system"] and row["code"]
    status = {True: "active", None: "unknown"}.get(row["active"], "stopped")
    return {
        "resourceType": "MedicationStatement", "status": status,
        "medicationCodeableConcept": concept(*([recorded] if known else []),
                                             text=row["display"] or row["code"] or "medicine without a name"),
        "subject": subject, "effectivePeriod": {"start": _date(row["start"]), "end": _date(row["end"])},
    }


def number(row: View, subject: Json, effective: str | None, author: Json, entries: Entries) -> tuple[str, Json]:
    """A risk, dose or other prediction: kind of the resource, and the reference to it."""
    if is_probability(row):
        return "RiskAssessment", entries.add(_risk(row, subject, effective, author))
    return "Observation", entries.add(_quantity(row, subject, effective, author))


def _risk(row: View, subject: Json, effective: str | None, author: Json) -> Json:
    """R4 says of ``probabilityDecimal`` that it is a percentage; an unknown one says so and gives the reason."""
    known = row["status"] == "assessed" and row["value"] is not None
    value = {"probabilityDecimal": row["value"]} if known else {"_probabilityDecimal": {"extension": unknown()}}
    return {
        "resourceType": "RiskAssessment", "status": "final" if known else "preliminary", "subject": subject,
        "code": concept(text=row["title"]), "method": concept(text=row["predictor"]), "occurrenceDateTime": effective,
        "performer": author,
        "prediction": [{"outcome": concept(text=row["title"]), **value,
                        "qualitativeRisk": concept(text=row["label"]) if row["label"] and known else None,
                        "rationale": shown(row)}],
    }


def _quantity(row: View, subject: Json, effective: str | None, author: Json) -> Json:
    known = row["status"] == "assessed" and row["value"] is not None
    value = {"valueQuantity": {"value": row["value"], "unit": "" if row["unit"] == "1" else row["unit"]}}
    return {
        "resourceType": "Observation", "status": "final" if known else "preliminary",
        "code": concept(text=row["title"]), "method": concept(text=row["predictor"]), "subject": subject,
        "effectiveDateTime": effective, "device": author, **(value if known else {"dataAbsentReason": absent_reason()}),
        "note": notes(shown(row)),
    }


def _date(value: object) -> str | None:
    return value.isoformat() if hasattr(value, "isoformat") else None

"""What each kind of FHIR resource becomes: drugs given and handed out, events, relatives, reports, R5 shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from pmed.verdicts import lost

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-07-03"}
SUBJECT = {"subject": {"reference": "Patient/p1"}}
WHO = {"patient": {"reference": "Patient/p1"}}
WARFARIN = {"medicationCodeableConcept": {"text": "Warfarin"}}
Read = Callable[..., dict[str, pl.DataFrame]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def made(*resources: dict[str, Any], index_date: str = "2024-06-15") -> dict[str, pl.DataFrame]:
        path = tmp_path / "b.json"
        path.write_text(json.dumps({"resourceType": "Bundle", "entry": [
            {"resource": one} for one in (PATIENT, *resources)]}), encoding="utf-8")
        return FhirSource().read([path], ReadRequest(TABLES["sites"].empty(), index_date=index_date))
    return made


def codes(tables: dict[str, pl.DataFrame]) -> list[str]:
    return tables["issues"]["code"].to_list()


def given(status: str | None, start: str | None = None, end: str | None = None) -> dict[str, Any]:
    period = {key: day for key, day in (("start", start), ("end", end)) if day}
    return {"resourceType": "MedicationAdministration", "status": status,
            "effectivePeriod": period} | SUBJECT | WARFARIN


@pytest.mark.parametrize(("status", "start", "end", "active"), [
    ("completed", "2024-06-15", None, True),
    ("completed", "2024-06-10", "2024-06-20", True),
    # Nothing but administrations is recorded: for two days the next dose may just not be due yet.
    ("completed", "2024-06-14", None, None),
    ("completed", "2024-06-01", "2024-06-13", None),
    ("completed", "2024-06-12", None, False),
    ("completed", "2024-01-01", "2024-01-31", False),
    ("completed", None, None, None),
    ("in-progress", "2024-06-01", None, True),
    ("in-progress", "2024-06-01", "2024-06-10", None),
    ("not-done", "2024-06-15", None, False),
    ("not-done", None, None, False),
    ("completed", "2024-06-16", None, False),
    ("on-hold", "2024-06-15", None, None),
    ("stopped", "2024-06-15", None, None),
    ("unknown", "2024-06-15", None, None),
    (None, "2024-06-15", None, None),
])
def test_medicines_given(read: Read, status: str, start: str | None, end: str | None, active: bool | None) -> None:
    row = read(given(status, start, end))["medications"].row(0, named=True)
    assert (row["kind"], row["active"], row["display"]) == ("administration", active, "Warfarin")


@pytest.mark.parametrize(("beside", "whose", "active"), [
    ({"resourceType": "MedicationRequest", "status": "active", "intent": "order"}, "p1", False),
    ({"resourceType": "MedicationStatement", "status": "active"}, "p1", False),
    ({"resourceType": "MedicationDispense", "status": "completed"}, "p1", False),
    ({"resourceType": "MedicationAdministration", "status": "completed"}, "p1", None),
    ({"resourceType": "MedicationRequest", "status": "entered-in-error", "intent": "order"}, "p1", None),
    ({"resourceType": "MedicationRequest", "status": "active", "intent": "order"}, "p2", None),
])
def test_what_was_given_yesterday_is_over_where_orders_are_recorded(read: Read, beside: dict[str, Any], whose: str,
                                                                    active: bool | None) -> None:
    other = PATIENT | {"id": "p2"}
    more = beside | WARFARIN | {"subject": {"reference": f"Patient/{whose}"}}
    rows = read(other, given("completed", "2024-06-14"), more)["medications"]
    assert rows["active"][0] is active


def test_what_was_given_is_neither_over_nor_taken_without_a_date(read: Read) -> None:
    order = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"} | SUBJECT | WARFARIN
    rows = read(order, given("completed"), given("in-progress", "2024-06-01", "2024-06-10"))["medications"]
    assert rows["active"].to_list() == [True, None, None]


def test_dose_that_was_given(read: Read) -> None:
    dose = {"dosage": {"dose": {"value": 5, "unit": "mg"}, "route": {"text": "oral"}},
            "effectiveDateTime": "2024-06-01"}
    row = read(given("completed") | dose)["medications"].row(0, named=True)
    assert (row["dose"], row["dose_unit"], row["route"], row["start"]) == (5.0, "mg", "oral", date(2024, 6, 1))


def handed(status: str, start: str | None, supply: dict[str, Any] | None) -> dict[str, Any]:
    return {"resourceType": "MedicationDispense", "status": status, **({"whenHandedOver": start} if start else {}),
            **({"daysSupply": supply} if supply else {})} | SUBJECT | WARFARIN


DAYS_30 = {"value": 30, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}


@pytest.mark.parametrize(("status", "start", "supply", "active"), [
    ("completed", "2024-06-01", DAYS_30, True),
    ("completed", "2024-05-16T10:00:00Z", DAYS_30, True),  # the last day
    ("completed", "2024-05-15", DAYS_30, False),
    ("completed", "2024-06-01", {"value": 30, "unit": "days"}, True),
    ("completed", "2024-06-01", {"value": 30}, True),
    ("completed", "2024-06-01", {"value": 3, "unit": "boxes"}, None),
    ("completed", "2024-06-01", {"value": 1e300, "code": "d"}, None),
    ("completed", "2024-06-01", {"value": 30, "code": "d", "comparator": ">"}, None),
    ("completed", "2024-06-01", None, None),
    ("completed", "2024-05", DAYS_30, None),  # it may still last
    ("completed", None, DAYS_30, None),
    ("cancelled", "2024-06-01", DAYS_30, False),
    ("declined", "2024-06-01", DAYS_30, False),
    ("preparation", None, DAYS_30, None),
    ("on-hold", "2024-06-01", DAYS_30, None),
    ("unknown", "2024-06-01", DAYS_30, None),
    ("completed", "2024-06-16", DAYS_30, False),
])
def test_medicines_handed_out(read: Read, status: str, start: str | None, supply: dict[str, Any] | None,
                              active: bool | None) -> None:
    row = read(handed(status, start, supply))["medications"].row(0, named=True)
    assert (row["kind"], row["active"]) == ("dispense", active)


def test_a_dispense_that_was_left_out_leaves_unknown_what_is_taken(read: Read) -> None:
    from pmed.features.history import HistoryFeatures

    tables = {**read(handed("completed", "2024-06-01", {"value": "thirty"})), "samples": TABLES["samples"].empty()}
    assert codes(tables) == ["bad-resource"]
    features = HistoryFeatures().run(tables, ["on:warfarin"])["features"]
    assert features["on:warfarin"].to_list() == [None]


def test_events(read: Read) -> None:
    snomed = {"coding": [{"system": "http://local", "code": "L"}, {"system": "http://snomed.info/sct", "code": "S"}]}
    tables = read(
        {"resourceType": "Procedure", "status": "completed", "code": snomed, "performedDateTime": "2020-02"} | SUBJECT,
        {"resourceType": "Procedure", "status": "not-done", "code": snomed, "occurrencePeriod": {"start": "2021-01-01"}}
        | SUBJECT,
        {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "type": [snomed],
         "period": {"start": "2020-01-01", "end": "2020-01-02"}} | SUBJECT,
        {"resourceType": "Encounter", "status": "completed", "class": [{"coding": [{"code": "IMP"}]}],
         "actualPeriod": {"start": "2020-01-03"}} | SUBJECT,
        {"resourceType": "Immunization", "status": "not-done", "vaccineCode": {"text": "flu"},
         "occurrenceDateTime": "2020-01-04"} | WHO)
    assert tables["procedures"].select("code", "start", "end", "status").rows() == [
        ("S", date(2020, 2, 1), date(2020, 2, 29), "completed"), ("S", date(2021, 1, 1), None, "not-done")]
    assert tables["encounters"].select("code", "class", "start", "end").rows() == [
        ("S", "AMB", date(2020, 1, 1), date(2020, 1, 2)), (None, "IMP", date(2020, 1, 3), None)]
    assert tables["immunizations"].select("display", "start", "status").rows() == [
        ("flu", date(2020, 1, 4), "not-done")]
    assert "no-code" not in codes(tables)


def test_relatives(read: Read) -> None:
    father = {"resourceType": "FamilyMemberHistory", "status": "completed", "relationship": {"coding": [
        {"code": "FTH", "display": "father"}]}, "sex": {"coding": [{"code": "male"}]},
        "deceasedAge": {"value": 70}} | WHO
    stroke = {"code": {"text": "Stroke"}, "onsetAge": {"value": 55, "code": "a"}}
    late = {"code": {"text": "Gout"}, "onsetAge": {"value": 55, "code": "a", "comparator": ">"}}
    tables = read(father | {"condition": [stroke, late]}, father | {"condition": [], "deceasedAge": None})
    told = tables["family_history"].select("display", "relationship", "relative_sex", "onset_age", "deceased")
    assert told.rows() == [
        ("Stroke", "father", "male", 55.0, True), ("Gout", "father", "male", None, True),
        (None, "father", "male", None, None)]


def test_a_report_is_an_observation_without_number(read: Read) -> None:
    report = {"resourceType": "DiagnosticReport", "id": "d", "status": "final", "code": {"text": "Biopsy"},
              "effectiveDateTime": "2024-01-02", "conclusion": "No tumour", "conclusionCode": [
                  {"coding": [{"code": "C"}]}], "result": [{"reference": "DiagnosticReport/d"}]} | SUBJECT
    row = read(report)["observations"].row(0, named=True)
    assert (row["display"], row["value"], row["value_text"], row["value_code"]) == ("Biopsy", None, "No tumour", "C")
    assert row["start"] == date(2024, 1, 2)


def test_interpretation_and_absent_values(read: Read) -> None:
    high = {"interpretation": [{"coding": [{"code": "H"}]}], "valueQuantity": {"value": 7, "unit": "mmol/L"}}
    none = {"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}
    tables = read({"resourceType": "Observation", "status": "final", "code": {"text": "K"}} | SUBJECT | high,
                  {"resourceType": "Observation", "status": "final", "code": {"text": "Na"}} | SUBJECT | none,
                  {"resourceType": "Observation", "status": "final", "component": [{"code": {"text": "Cl"}} | none]}
                  | SUBJECT)
    assert tables["observations"].select("display", "value", "value_text", "interpretation").rows() == [
        ("K", 7.0, None, "H"), ("Na", None, None, None), ("Cl", None, None, None)]
    told = tables["issues"].filter(pl.col("code") == "value-absent")
    assert told["place"].to_list() == ["entry[2] Observation $.dataAbsentReason",
                                       "entry[3] Observation $.component[0].dataAbsentReason"]


@pytest.mark.parametrize(("adherence", "active"), [("taking", True), ("not-taking", False), ("stopped", False),
                                                   ("unknown", None), (None, None)])
def test_r5_statements(read: Read, adherence: str | None, active: bool | None) -> None:
    said = {"adherence": {"code": {"coding": [{"code": adherence}]}}} if adherence else {}
    row = read({"resourceType": "MedicationStatement", "status": "recorded",
                "medication": {"concept": {"text": "Warfarin"}}} | SUBJECT | said)["medications"].row(0, named=True)
    assert (row["display"], row["active"]) == ("Warfarin", active)


def test_r5_references(read: Read) -> None:
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "Warfarin"}}
    order = {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
             "medication": {"reference": {"reference": "Medication/m"}}} | SUBJECT
    dose = {"resourceType": "MedicationAdministration", "status": "completed",
            "occurencePeriod": {"start": "2024-06-15"},
            "medication": {"reference": {"reference": "#c"}}, "contained": [
                {"resourceType": "Medication", "id": "c", "code": {"text": "Heparin"}}]} | SUBJECT
    tables = read(order, dose, drug)
    assert tables["medications"].select("display", "active").rows() == [("Warfarin", True), ("Heparin", True)]


def test_medicines_by_what_they_are_made_of_and_cycles(read: Read) -> None:
    one = {"resourceType": "Medication", "id": "one", "ingredient": [{"itemCodeableConcept": {"text": "Warfarin"}}]}
    two = {"resourceType": "Medication", "id": "two", "ingredient": [
        {"itemCodeableConcept": {"text": "Codeine"}}, {"item": {"concept": {"text": "Paracetamol"}}}]}
    ring = {"resourceType": "Medication", "id": "ring", "ingredient": [
        {"itemReference": {"reference": "Medication/ring"}}]}
    partly = {"resourceType": "Medication", "id": "partly", "ingredient": [
        {"itemCodeableConcept": {"text": "Codeine"}}, {"itemReference": {"reference": "Medication/ring"}}]}
    orders = [{"resourceType": "MedicationRequest", "id": name, "status": "active", "intent": "order",
               "medicationReference": {"reference": f"Medication/{name}"},
               "reasonReference": [{"reference": f"MedicationRequest/{name}"}]} | SUBJECT
              for name in ("one", "two", "ring", "partly")]
    tables = read(one, two, ring, partly, *orders)
    assert tables["medications"]["display"].to_list() == ["Warfarin", "Codeine / Paracetamol", None, None]
    assert codes(tables).count("no-code") == 2
    assert codes(tables).count("lost-reference") == 2


def test_an_allergy_of_unknown_status_is_neither(read: Read) -> None:
    status = {"clinicalStatus": {"coding": [{"code": "unknown"}]}}
    tables = read({"resourceType": "Condition", "code": {"text": "x"}} | SUBJECT | status)
    assert tables["conditions"]["active"].to_list() == [None]


def test_entered_in_error_leaves_every_table(read: Read) -> None:
    wrong = {"status": "entered-in-error"}
    kinds = ("MedicationAdministration", "MedicationDispense", "Procedure", "Encounter", "Immunization",
             "FamilyMemberHistory", "DiagnosticReport")
    tables = read(*({"resourceType": kind} | SUBJECT | WHO | wrong for kind in kinds))
    assert codes(tables).count("entered-in-error") == len(kinds)
    for name in ("medications", "procedures", "encounters", "immunizations", "family_history", "observations"):
        assert tables[name].is_empty()


@pytest.mark.parametrize(("focus", "values"), [
    ([{"reference": "Patient/baby"}], [70.0]), ([{"display": "fetus A"}], [70.0]), ({"reference": "x"}, [70.0]),
    ([{"reference": "Patient/p1"}], [70.0, 3.2]), ([], [70.0, 3.2])])
def test_a_measurement_of_another_is_not_the_patients(read: Read, focus: object, values: list[float]) -> None:
    def weight(kg: float, name: str, **more: object) -> dict[str, Any]:
        return {"resourceType": "Observation", "id": name, "status": "final", "effectiveDateTime": "2024-06-01",
                "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Weight"}]},
                "valueQuantity": {"value": kg, "unit": "kg"}} | SUBJECT | more

    tables = read(weight(70, "a"), weight(3.2, "b", focus=focus), weight(3.2, "c", valueQuantity=None, component=[
        {"code": {"text": "part"}, "valueQuantity": {"value": 1, "unit": "kg"}}], focus=[{"reference": "Patient/b"}]))
    assert tables["observations"]["value"].to_list() == values
    assert codes(tables).count("not-of-the-patient") == 3 - len(values)


@pytest.mark.parametrize(("text", "told"), [("<0.1", 1), (" >60", 1), ("\u2265 9", 1), ("negative", 0), ("-0.1", 0)])
def test_a_limit_in_words_is_told_as_one(read: Read, text: str, told: int) -> None:
    one = {"resourceType": "Observation", "id": "a", "status": "final", "code": {"text": "CRP"}, "valueString": text}
    tables = read(one | SUBJECT)
    assert tables["observations"].select("value", "value_text").rows() == [(None, text.strip())]
    assert codes(tables).count("limit-not-value") == told


@pytest.mark.parametrize(("abatement", "active"), [
    ({}, True), ({"abatementAge": {"value": 60, "unit": "a"}}, False), ({"abatementString": "delivered"}, False),
    ({"abatementRange": {"low": {"value": 50}}}, False), ({"abatementDateTime": "2020"}, False)])
def test_what_is_over_by_age_or_words_is_over(read: Read, abatement: dict[str, Any], active: bool) -> None:
    told = {"resourceType": "Condition", "id": "c", "code": {"text": "Pregnancy"}} | SUBJECT | abatement
    assert read(told)["conditions"]["active"].to_list() == [active]


@pytest.mark.parametrize(("value", "text"), [
    ({"valueRange": {"low": {"value": 60}, "high": {"value": 80}}}, "60 to 80"), ({"valueRange": 5}, None),
    ({"valueRange": {"high": {"value": 1.5}}}, "1.5"),
    ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1 : 128"),
    ({"valueRatio": {"numerator": 1}}, None), ({"valuePeriod": {"start": "2020"}}, None)])
def test_a_range_or_ratio_is_kept_as_text(read: Read, value: dict[str, Any], text: str | None) -> None:
    found = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}
    tables = read(found | SUBJECT | value)
    assert tables["observations"].select("value", "value_text").row(0) == (None, text)
    assert codes(tables) == ["value-not-read"]


def made_of(*parts: dict[str, Any], code: dict[str, Any] | None = None) -> dict[str, Any]:
    medicine = {"resourceType": "Medication", "id": "m", "code": code, "ingredient": list(parts)}
    return {"resourceType": "MedicationRequest", "id": "r", "status": "active", "intent": "order",
            "contained": [medicine], "medicationReference": {"reference": "#m"}} | SUBJECT


def item(name: str | None, code: str | None = None, **more: Any) -> dict[str, Any]:
    codings = [{"system": "http://fhir.de/CodeSystem/bfarm/atc", "code": code}] if code else []
    return {"itemCodeableConcept": {"text": name, "coding": codings}} | more


@pytest.mark.parametrize(("code", "parts", "display", "also"), [
    ({"text": "Kombi 5/80 mg"}, [item("Amlodipin"), item("Valsartan")], "Kombi 5/80 mg", "||Amlodipin / Valsartan"),
    ({"text": "Kombi 5 mg"}, [item(None, "A10BA02")], "Kombi 5 mg", "http://fhir.de/CodeSystem/bfarm/atc|A10BA02|"),
    ({"text": "Kombi"}, [item("Amlodipin"), item("Lactose", isActive=False)], "Kombi", "||Amlodipin"),
    ({"text": "Kombi"}, [item("Amlodipin"), item(None)], "Kombi", None),
    ({"coding": [{"system": "pzn", "code": "1", "display": "Kombi"}]}, [item("Amlodipin")], "Kombi", "||Amlodipin"),
    ({"text": "Amlodipin"}, [item("Amlodipin")], "Amlodipin", None), ({"text": "Kombi"}, [], "Kombi", None),
    (None, [item("Amlodipin"), item("Valsartan")], "Amlodipin / Valsartan", None)])
def test_what_a_medicine_is_made_of_is_another_account_of_it(read: Read, code: dict[str, Any] | None,
                                                             parts: list[dict[str, Any]], display: str,
                                                             also: str | None) -> None:
    assert read(made_of(*parts, code=code))["medications"].select("display", "also").row(0) == (display, also)


@pytest.mark.parametrize(("kind", "said", "active"), [
    ("MedicationStatement", {"taken": "n"}, False), ("MedicationStatement", {"taken": "y"}, True),
    ("MedicationStatement", {"taken": "unk"}, None), ("MedicationStatement", {"wasNotTaken": True}, False),
    ("MedicationStatement", {"wasNotTaken": False}, True), ("MedicationStatement", {}, True),
    ("MedicationAdministration", {"notGiven": True}, False), ("MedicationAdministration", {"wasNotGiven": True}, False),
    ("MedicationAdministration", {"notGiven": False}, True)])
def test_what_older_versions_say_was_not_taken_is_not(read: Read, kind: str, said: dict[str, Any],
                                                      active: bool | None) -> None:
    status = "active" if kind == "MedicationStatement" else "completed"
    entry = {"resourceType": kind, "id": "m", "status": status, "effectiveDateTime": "2024-06-15"} | SUBJECT | WARFARIN
    assert read(entry | said)["medications"]["active"].to_list() == [active]


@pytest.mark.parametrize("kind", ["MedicationOrder", "MedicationPrescription", "MedicationUsage"])
def test_a_medicine_of_another_version_is_told_and_everything_else_unknown(read: Read, kind: str) -> None:
    tables = read({"resourceType": kind, "id": "o", "patient": {"reference": "Patient/p1"}} | WARFARIN)
    assert tables["issues"].select("severity", "code", "place", "patient_id").rows() == [
        ("error", "other-version", "entry[1]", "p1")]
    assert tables["patients"].select(lost(tables["issues"], "MedicationRequest")).to_series().to_list() == [True]


@pytest.mark.parametrize(("unit", "active"), [("d", True), ("Day", True), (None, True), ("DAYS", True), ("wk", None)])
def test_days_of_a_supply_whatever_their_case(read: Read, unit: str | None, active: bool | None) -> None:
    handed = {"resourceType": "MedicationDispense", "id": "d", "status": "completed", "whenHandedOver": "2024-06-01",
              "daysSupply": {"value": 30, "unit": unit}} | SUBJECT | WARFARIN
    assert read(handed)["medications"]["active"].to_list() == [active]

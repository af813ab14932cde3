"""FHIR as other systems write it: code systems by other names, codings in another order, dates that differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.features.derived_step import DerivedFeatures
from pmed.normalise.units import canonical_units
from pmed.sources.fhir import FhirSource
from pmed.sources.tabular import TableSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-07-03", "gender": "female"}
SUBJECT = {"subject": {"reference": "Patient/p1"}}
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
Read = Callable[..., dict[str, pl.DataFrame]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def made(*resources: dict[str, Any], index_date: str = "2024-06-15") -> dict[str, pl.DataFrame]:
        path = tmp_path / "b.json"
        path.write_text(json.dumps({"resourceType": "Bundle", "entry": [
            {"resource": one} for one in (PATIENT, *resources)]}), encoding="utf-8")
        return FhirSource().read([path], ReadRequest(TABLES["sites"].empty(), index_date=index_date))
    return made


def feature(tables: dict[str, pl.DataFrame], name: str) -> object:
    return DerivedFeatures().run(tables, [name])["features"][name].item()


def coding(system: str | None, code: str | None = None, display: str | None = None) -> dict[str, Any]:
    said = {"system": system, "code": code, "display": display}
    return {name: value for name, value in said.items() if value}


def measured(value: float, day: str, *codings: dict[str, Any], unit: str = "mg/dL") -> dict[str, Any]:
    return {"resourceType": "Observation", "id": f"o{day}", "status": "final", "code": {"coding": codings},
            "effectiveDateTime": day, "valueQuantity": {"value": value, "unit": unit}} | SUBJECT


@pytest.mark.parametrize("codings", [
    [coding("urn:oid:2.16.840.1.113883.6.1", "2160-0")], [coding("https://loinc.org", "2160-0")],
    [coding("http://loinc.org/", "2160-0")], [coding("LOINC", "2160-0")],
    [coding("urn:oid:1.2.3", "CREA", "Creatinine"), coding("urn:oid:2.16.840.1.113883.6.1", "2160-0")],
    [coding(LOINC, "45066-8", "Creatinine and GFR"), coding(LOINC, "2160-0")]])
def test_a_measurement_by_another_name_of_loinc_is_the_latest(read: Read, codings: list[dict[str, Any]]) -> None:
    tables = read(measured(0.8, "2024-01-10", coding(LOINC, "2160-0")), measured(2.9, "2024-06-10", *codings))
    assert tables["observations"].select("system", "code").rows() == [(LOINC, "2160-0")] * 2
    assert feature(tables, "latest:2160-0") == 2.9


@pytest.mark.parametrize(("older", "newer", "unit", "value", "wanted"), [
    # of serum, plasma or blood, as Switzerland and the US veterans code it
    ("2160-0", "77140-2", "umol/L", 256.0, 2.895872), ("2160-0", "59826-8", "umol/L", 256.0, 2.895872),
    ("2823-3", "77142-8", "mmol/L", 6.3, 6.3), ("2951-2", "77139-4", "mmol/L", 121.0, 121.0),
    ("6301-6", "46418-0", "{INR}", 5.1, 5.1)])
def test_the_same_measurement_by_another_code_is_the_latest(read: Read, older: str, newer: str, unit: str, value: float,
                                                            wanted: float) -> None:
    tables = read(measured(2.0, "2024-06-01", coding(LOINC, older), unit="mg/dL" if older == "2160-0" else unit),
                  measured(value, "2024-06-10", coding(LOINC, newer), unit=unit))
    assert feature(tables, f"latest:{older}") == pytest.approx(wanted)


@pytest.mark.parametrize("code", ["69405-9", "98980-6"])
def test_reported_rates_by_other_codes(read: Read, code: str) -> None:
    tables = read(measured(0.8, "2023-09-01", coding(LOINC, "2160-0")),
                  measured(19.0, "2024-06-10", coding(LOINC, code), unit="mL/min/{1.73_m2}"))
    assert feature(tables, "egfr") == 19.0


def test_an_answer_is_read_by_the_code_that_all_systems_share(read: Read) -> None:
    answer = [coding("urn:oid:1.2.3", "1", "Current"), coding(SNOMED, "449868002", "Smokes tobacco daily")]
    tables = read({"resourceType": "Observation", "status": "final", "code": {"coding": [coding(LOINC, "72166-2")]},
                   "effectiveDateTime": "2024-06-01", "valueCodeableConcept": {"coding": answer}} | SUBJECT)
    assert feature(tables, "smoking-status") == "current"


@pytest.mark.parametrize("system", ["", '[file.constants]\nsystem = "LOINC"\n'])
def test_a_column_of_loinc_codes_needs_no_system(tmp_path: Path, system: str) -> None:
    path = tmp_path / "x.mapping.toml"
    path.write_text('[[file]]\npath = "l.csv"\ntable = "observations"\n[file.columns]\npatient_id = "id"\n'
                    f'start = "date"\nvalue = "v"\ncode = "c"\nunit = "u"\n{system}', encoding="utf-8")
    (tmp_path / "l.csv").write_text("id,date,c,v,u\nA,2024-05-01, 2160-0,1.8,mg/dL\nA,2024-05-01,CREA-1,1.9,mg/dL\n")
    rows = TableSource().read([path], ReadRequest(TABLES["sites"].empty(), index_date="2024-06-15"))["observations"]
    assert canonical_units(rows)[0]["canonical_code"].to_list() == ["2160-0", None]


@pytest.mark.parametrize(("over", "active"), [("2023-02-01", False), ("2023", False), ("2024-05-01T08:00:00Z", True)])
def test_a_diagnosis_that_was_over_when_it_was_recorded_is_over(read: Read, over: str, active: bool) -> None:
    tables = read({"resourceType": "Condition", "code": {"text": "Schwangerschaft"}, "recordedDate": "2024-05-01",
                   "abatementDateTime": over} | SUBJECT, index_date="2024-05-01")
    assert (tables["conditions"]["active"].item(), "end-before-start" in tables["issues"]["code"]) == (active, False)


STOP = [{"url": "http://nictiz.nl/fhir/StructureDefinition/ext-StopType", "valueCodeableConcept": {"text": "Stop"}}]


@pytest.mark.parametrize(("kind", "status", "active", "told"), [
    ("MedicationRequest", "active", None, 1), ("MedicationStatement", "active", None, 1),
    ("MedicationRequest", "stopped", False, 0)])
def test_an_extension_that_modifies_leaves_open_whether_it_is_taken(read: Read, kind: str, status: str,
                                                                    active: bool | None, told: int) -> None:
    order = {"resourceType": kind, "id": "m", "status": status, "intent": "order",
             "medicationCodeableConcept": {"text": "Warfarin"}} | SUBJECT
    tables = read(order | {"modifierExtension": STOP}, order | {"id": "n", "status": "active"})
    assert tables["medications"]["active"].to_list() == [active, True]
    assert tables["issues"]["code"].to_list().count("modifier-extension") == told


@pytest.mark.parametrize(("inside", "value", "told"), [
    ({}, 4.5, []), ({"subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2024-06-02"}, 4.5, []),
    ({"subject": {"reference": "Patient/p2"}}, 0.8, ["not-of-the-patient"]), ({"status": 7}, 0.8, ["bad-resource"])])
def test_results_that_a_report_contains_are_measurements(read: Read, inside: dict[str, Any], value: float,
                                                         told: list[str]) -> None:
    result = {"resourceType": "Observation", "id": "r", "status": "final",
              "code": {"coding": [coding(LOINC, "2160-0")]},
              "valueQuantity": {"value": 4.5, "unit": "mg/dL"}, **inside}
    report = {"resourceType": "DiagnosticReport", "id": "d", "status": "final", "code": {"text": "Laboratory"},
              "effectiveDateTime": "2024-06-01", "contained": [result], "result": [{"reference": "#r"}]} | SUBJECT
    tables = read(measured(0.8, "2024-01-10", coding(LOINC, "2160-0")), report)
    assert (feature(tables, "latest:2160-0"), tables["issues"]["code"].to_list()) == (value, told)

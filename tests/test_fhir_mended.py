"""Numbers as JSON strings: read where plain, else in words, so that an older value is never the latest."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.normalise.units import canonical_units
from pmed.sources.fhir import FhirSource
from pmed.sources.fhir_mended import with_numbers
from pmed.tables import TABLES
from pmed.types import ReadRequest

PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1950-07-03"}
POTASSIUM = {"coding": [{"system": "http://loinc.org", "code": "2823-3", "display": "potassium"}]}


def measured(day: str, value: object, **more: object) -> dict[str, object]:
    return {"resourceType": "Observation", "id": day, "status": "final", "code": POTASSIUM, "effectiveDateTime": day,
            "subject": {"reference": "Patient/p"},
            "valueQuantity": {"value": value, "unit": "mmol/L", "system": "http://unitsofmeasure.org",
                              "code": "mmol/L"}} | more


def read(folder: Path, *resources: dict[str, object], lines: bool) -> dict[str, pl.DataFrame]:
    path = folder / ("r.ndjson" if lines else "r.json")
    path.write_text("\n".join(map(json.dumps, (PATIENT, *resources))) if lines else json.dumps(
        {"resourceType": "Bundle", "entry": [{"resource": one} for one in (PATIENT, *resources)]}))
    return FhirSource().read([path], ReadRequest(TABLES["sites"].empty(), index_date="2024-06-02"))


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize(("value", "number", "text"), [
    ("5.4", 5.4, None), (" 5.4 ", 5.4, None), ("-1", -1, None), ("5,4", None, "5,4 mmol/L"), ("<5", None, "<5 mmol/L"),
    ("1e3", None, "1e3 mmol/L"), ("hemolysed", None, "hemolysed mmol/L"), ("05.4", None, "05.4 mmol/L")])
def test_a_number_as_text_is_told(tmp_path: Path, value: str, number: float | None, text: str | None,
                                  lines: bool) -> None:
    tables = read(tmp_path, measured("2020-01-01", 3.9), measured("2024-01-01", value), lines=lines)
    assert tables["observations"].select("value", "value_text").rows() == [(3.9, None), (number, text)]
    issue = tables["issues"].filter(pl.col("code") == "number-as-text")
    assert issue.select("severity", "patient_id").rows() == [("warning", "p")]
    assert issue["place"][0].endswith("Observation/2024-01-01 $.valueQuantity.value")


@pytest.mark.parametrize("value", ["5,4", "<5", "5.4", "1e3"])
def test_an_older_value_is_not_the_latest(tmp_path: Path, value: str) -> None:
    tables = read(tmp_path, measured("2020-01-01", 3.9), measured("2024-01-01", value), lines=False)
    made, _ = canonical_units(tables["observations"])
    assert made["canonical_code"].to_list() == ["2823-3", "2823-3"]
    assert made["value"].to_list()[1] == (5.4 if value == "5.4" else None)


def test_components_and_doses_too(tmp_path: Path) -> None:
    parts = [{"code": {"text": name}, "valueQuantity": {"value": value, "unit": "mm[Hg]"}}
             for name, value in (("systolic", "120"), ("diastolic", 80), ("mean", "93"))]
    pressure = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "pressure"},
                "effectiveDateTime": "2024-01-01", "subject": {"reference": "Patient/p"}, "component": parts}
    order = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
             "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": "ramipril"},
             "dosageInstruction": [{"timing": {"repeat": {"frequency": "2", "period": "1", "periodUnit": "d"}},
                                    "doseAndRate": [{"doseQuantity": {"value": "5", "unit": "mg"}}]}]}
    tables = read(tmp_path, pressure, order, lines=False)
    assert tables["observations"]["value"].drop_nulls().to_list() == [120, 80, 93]
    assert tables["medications"].select("dose", "daily_dose").row(0) == (5, 10)


def test_what_else_is_no_number_is_left_out(tmp_path: Path) -> None:
    order = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "subject": {"reference": "Patient/p"},
             "dosageInstruction": [{"timing": {"repeat": {"frequency": "twice"}}}]}
    tables = read(tmp_path, order, lines=False)
    assert tables["medications"].is_empty()
    assert tables["issues"].filter(pl.col("code") == "bad-resource")["patient_id"].to_list() == ["p"]


@given(st.floats(-1e6, 1e6, allow_nan=False).map(lambda one: round(one, 6)))
def test_a_number_stays_what_it_is(number: float) -> None:
    raw = json.dumps(measured("2024-01-01", f"{number:.6f}")).encode()
    made = with_numbers(raw, "Expected `float | null`, got `str`", "$.valueQuantity.value")
    assert made is not None
    assert json.loads(made[0])["valueQuantity"]["value"] == pytest.approx(number)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_words(text: str) -> None:
    raw = json.dumps(measured("2024-01-01", text)).encode()
    made = with_numbers(raw, "Expected `float | null`, got `str`", "$.valueQuantity.value")
    assert made is not None
    found = json.loads(made[0])
    assert ("valueQuantity" in found) != ("valueString" in found)

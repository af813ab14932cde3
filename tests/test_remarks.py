"""Texts that speak against what the status says: nothing is taken for sure that the text of the entry denies."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.features.derived_step import DerivedFeatures
from pmed.normalise import remarks
from pmed.normalise.vocabulary import release
from pmed.sources.fhir import FhirSource
from pmed.sources.recorded import COLUMNS, make_tables
from pmed.tables import TABLES
from pmed.types import ReadRequest

ICD, SNOMED = "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
DAY = date(2024, 6, 2)


def row(table: str, **said: object) -> tuple[Any, ...]:
    given = {"patient_id": "p", "file": "f", "place": "1", "source": "f#1", "start": "2024-01-01",
             "birth_date": "1950-07-03", **said}
    return tuple(given.get(name) for name in COLUMNS[table])


def medicine(display: str, **said: object) -> dict[str, pl.DataFrame]:
    order = {"status": "active", "ordered": True, "kind": "order", "display": display} | said
    return make_tables({"patients": [row("patients")], "medications": [row("medications", **order)]}, [], DAY)


def diagnosis(display: str | None, code: str, system: str = ICD, **said: object) -> dict[str, pl.DataFrame]:
    one = row("conditions", display=display, code=code, system=system, **said)
    return make_tables({"patients": [row("patients")], "conditions": [one]}, [], DAY)


def told(tables: dict[str, pl.DataFrame]) -> list[str]:
    return tables["issues"].filter(pl.col("severity") == "warning")["code"].to_list()


def fhir(tmp_path: Path, *resources: dict[str, Any]) -> dict[str, pl.DataFrame]:
    path, who = tmp_path / "b.json", {"subject": {"reference": "Patient/p"}}
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1950-07-03"}
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [
        {"resource": person}, *({"resource": one | who} for one in resources)]}), encoding="utf-8")
    return FhirSource().read([path], ReadRequest(TABLES["sites"].empty(), index_date=str(DAY)))


@pytest.mark.parametrize("name", [
    "warfarin (stopped)", "STOPPED: warfarin", "warfarin 5 mg - HOLD", "Simvastatin 40 MG [on hold]",
    "clopidogrel, patient refuses", "aspirin; declined", "denies taking aspirin", "not taking warfarin",
    "warfarin until 2019", "mother's warfarin", "warfarin (husband)", "Marcumar abgesetzt", "Simvastatin, pausiert",
    "warfarin 5 mg (held)", "simvastatin 40 mg - STOP", "clopidogrel (stop)", "D/C warfarin 5 mg",
    "Amiodaron 200 mg bis 03/2024",
    "Metamizol-Allergie", "Allergie gegen Ibuprofen", "Novalgin (Unvertr\u00e4glichkeit)", "allergy to codeine",
    "apixaban - to start after surgery", "nimmt nicht: ASS"])
def test_a_name_that_speaks_against_it_leaves_open_whether_it_is_taken(name: str) -> None:
    tables = medicine(name)
    assert tables["medications"]["active"].to_list() == [None]
    assert told(tables) == ["remark-in-name"]


def test_among_many_entries_the_remark_counts_against_its_own_alone() -> None:
    names = [f"medicine {number}" for number in range(60)]
    order = {"status": "active", "ordered": True, "kind": "order"}
    rows = [row("medications", display=name, **order) for name in ("warfarin (stopped)", *names)]
    problems = [row("conditions", display=name, code="I10", system=ICD) for name in ("suspected gout", *names)]
    made = make_tables({"patients": [row("patients")], "medications": rows, "conditions": problems}, [], DAY)
    assert made["medications"]["active"].to_list() == [None, *[True] * 60]
    assert made["conditions"]["verification"].to_list() == ["unconfirmed", *[None] * 60]


@pytest.mark.parametrize("name", [
    "warfarin 5 MG Oral Tablet", "diphenhydramine 25 MG [Benadryl Allergy]", "nicotine patch (stop smoking)",
    "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet", "ibuprofen as needed", "Mutterkorn",
    "Cetirizin HEXAL bei Allergien", "Zyrtec Allergy", "Allergodil"])
def test_names_of_medicines_are_no_remarks(name: str) -> None:
    tables = medicine(name)
    assert (tables["medications"]["active"].to_list(), told(tables)) == ([True], [])


def test_what_is_over_stays_over_and_is_not_told_again() -> None:
    for said in ({"status": "stopped"}, {"ordered": False}, {"end": "2024-05-01", "kind": "statement"}):
        tables = medicine("warfarin (stopped)", **said)
        assert (tables["medications"]["active"].to_list(), told(tables)) == ([False], [])


def test_no_name_of_the_vocabulary_is_a_remark() -> None:
    names = release().tables["drug_names"]["name"]
    assert names.filter(names.str.contains(remarks.OF_MEDICINES)).to_list() == []


@pytest.mark.parametrize(("text", "code", "system"), [
    ("Rule out pulmonary embolism", "I26.99", ICD), ("No heart failure", "84114007", SNOMED),
    ("Family history of epilepsy", "G40.909", ICD), ("Verdacht auf Asthma", "J45.9", GM), ("Asthma ?", "J45.9", GM),
    ("V.a. Asthma", "J45.9", GM), ("no evidence of gout", "M10.9", ICD), (None, "M10.9 V", GM), (None, "M10.9 A", GM)])
def test_a_diagnosis_that_its_text_or_code_doubts_is_unconfirmed(text: str | None, code: str, system: str) -> None:
    tables = diagnosis(text, code, system, status="active", verification="confirmed")
    assert tables["conditions"]["verification"].to_list() == ["unconfirmed"]
    assert told(tables) == ["remark-in-name"]


@pytest.mark.parametrize(("text", "code", "system"), [
    ("Type 2 diabetes mellitus without complications", "E11.9", ICD), ("Asthma", "J45.9", GM), (None, "J45.9 G", GM),
    ("Maternal care for suspected fetal abnormality", "O35.9", ICD), ("Family history of stroke", "Z82.3", ICD),
    ("Family history of diabetes mellitus", "160303001", SNOMED),
    ("Mother currently breast-feeding", "413712001", SNOMED), ("Fracture, initial encounter", "S72.001A", ICD)])
def test_titles_of_codes_are_no_remarks(text: str | None, code: str, system: str) -> None:
    tables = diagnosis(text, code, system, verification="confirmed")
    assert (tables["conditions"]["verification"].to_list(), told(tables)) == (["confirmed"], [])


def test_a_refuted_diagnosis_stays_refuted() -> None:
    tables = diagnosis("Asthma ruled out", "J45.9", verification="refuted")
    assert (tables["conditions"]["verification"].to_list(), told(tables)) == (["refuted"], [])


def test_a_denied_diagnosis_is_in_no_group_for_sure() -> None:
    tables = diagnosis("No heart failure", "84114007", SNOMED, status="active", verification="confirmed")
    features = DerivedFeatures().run(tables, ["condition:heart-failure"])["features"]
    assert features["condition:heart-failure"].to_list() == [None]


def test_what_was_entered_counts_beside_what_the_code_is_called(tmp_path: Path) -> None:
    order = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {
        "coding": [{"display": "Warfarin 5 MG Oral Tablet"}], "text": "warfarin, stopped by cardiology"}}
    embolism = {"resourceType": "Condition", "code": {
        "coding": [{"system": ICD, "code": "I26.99", "display": "Pulmonary embolism"}], "text": "r/o PE"}}
    tables = fhir(tmp_path, order, embolism)
    assert tables["medications"]["active"].to_list() == [None]
    assert tables["conditions"]["verification"].to_list() == ["unconfirmed"]
    assert tables["conditions"]["display"].to_list() == ['Pulmonary embolism ("r/o PE")']


@pytest.mark.parametrize("text", ["No heart failure", "keine Herzinsuffizienz", "?HF", "HF ?", "denies heart failure"])
def test_a_text_that_denies_what_the_code_says_counts(tmp_path: Path, text: str) -> None:
    tables = fhir(tmp_path, {"resourceType": "Condition", "code": {
        "coding": [{"system": SNOMED, "code": "84114007", "display": "Heart failure"}], "text": text}})
    assert tables["conditions"]["verification"].to_list() == ["unconfirmed"]
    assert told(tables) == ["remark-in-name"]


@pytest.mark.parametrize(("letter", "verification", "expected"), [
    ("A", None, (None, "refuted", False)), ("A", "confirmed", (None, "unconfirmed", True)),
    ("A", "refuted", (None, "refuted", False)), ("V", None, (None, "provisional", True)),
    ("V", "confirmed", (None, "unconfirmed", True)), ("V", "differential", (None, "differential", True)),
    ("G", None, (None, None, True)), ("Z", None, ("inactive", None, False))])
def test_how_sure_a_german_diagnosis_is(tmp_path: Path, letter: str, verification: str | None,
                                        expected: tuple[str | None, str | None, bool]) -> None:
    one: dict[str, Any] = {"resourceType": "Condition", "code": {"coding": [{
        "system": GM, "code": "I50.9", "display": "Herzinsuffizienz",
        "extension": [{"url": CERTAINTY, "valueCoding": {"code": letter}}]}]}}
    if verification:
        one["verificationStatus"] = {"coding": [{"code": verification}]}
    rows = fhir(tmp_path, one)["conditions"].select("status", "verification", "active").rows()
    assert rows == [expected]


@pytest.mark.parametrize(("code", "system", "told"), [
    ("250.00", ICD, 1), ("E11.9", "ICD-9", 1), ("I10", SNOMED, 1), ("E11.9", ICD, 0), ("e119", ICD, 0),
    ("401", "ICD-9", 0),
    ("84114007", SNOMED, 0), ("X1", "http://local", 0), ("X1", None, 0), (None, ICD, 0), ("M10.9 G", GM, 0)])
def test_a_code_of_another_system_is_told(code: str, system: str, told: int) -> None:
    assert diagnosis("x", code, system)["issues"]["code"].to_list() == ["code-system-conflict"] * told

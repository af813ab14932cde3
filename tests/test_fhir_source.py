"""What a FHIR bundle becomes: a small hand-written record with every kind of row and defect."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.sources import fhir
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

SITES = TABLES["sites"].empty()
HISTORY = {"patients", "conditions", "medications", "observations", "allergies", "procedures", "encounters",
           "immunizations", "family_history", "outside_calls", "issues"}


def read(*paths: Path, index_date: str = "") -> dict[str, pl.DataFrame]:
    return FhirSource().read(paths, ReadRequest(SITES, index_date=index_date))


@pytest.fixture(scope="module")
def small(root: Path) -> dict[str, pl.DataFrame]:
    return read(root / "tests/data/fhir/small.json")


@pytest.fixture
def bundle(tmp_path: Path) -> Callable[..., Path]:
    def write(*resources: dict[str, Any], name: str = "b.json", patient: dict[str, Any] | None = None,
              **fields: Any) -> Path:
        person = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-07-03"} if patient is None else patient
        entries = [{"resource": one} for one in (person, *resources)]
        path = tmp_path / name
        path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries} | fields), encoding="utf-8")
        return path
    return write


def by_id(frame: pl.DataFrame, column: str) -> dict[str, Any]:
    return dict(frame.select(pl.col("source").str.split("/").list.last(), column).iter_rows())


def codes(tables: dict[str, pl.DataFrame]) -> list[str]:
    return tables["issues"]["code"].to_list()


def places(tables: dict[str, pl.DataFrame], code: str) -> list[str]:
    return tables["issues"].filter(pl.col("code") == code)["place"].to_list()


def test_every_table_is_one(small: dict[str, pl.DataFrame]) -> None:
    assert set(small) == HISTORY
    for name, frame in small.items():
        TABLES[name].check(frame)


def test_patient(small: dict[str, pl.DataFrame]) -> None:
    assert small["patients"].row(0, named=True) == {
        "patient_id": "p1", "birth_date": date(1950, 7, 1), "sex": "female", "deceased": False,
        "ancestry": "Asian; White", "index_date": date(2024, 5, 2), "source": "small.json#Patient/p1"}


def test_medicines_and_which_are_taken(small: dict[str, pl.DataFrame]) -> None:
    assert by_id(small["medications"], "active") == {
        "r-active": True, "r-reference": True, "r-contained": True, "r-lost-link": True, "r-hold": None,
        "r-proposal": False, "r-not": False, "r-ended": None, "s-active": True, "s-intended": False, "s-ended": False}
    shown = by_id(small["medications"], "display")
    assert shown["r-active"] == "Clopidogrel 75 MG Oral Tablet"
    assert shown["r-reference"] == "Warfarin"
    assert shown["r-contained"] == "Amiodarone"
    assert shown["r-lost-link"] is None


def test_dose_and_code_system(small: dict[str, pl.DataFrame]) -> None:
    row = small["medications"].row(0, named=True)
    assert (row["code"], row["dose"], row["dose_unit"], row["route"]) == ("309362", 75.0, "mg", "oral")
    assert by_id(small["medications"], "route")["s-active"] == "Oral route"
    assert row["source"] == "small.json#MedicationRequest/r-active"
    assert row["row"] == 1


def test_conditions(small: dict[str, pl.DataFrame]) -> None:
    found = small["conditions"]
    assert found.filter(pl.col("source").str.ends_with("c-two"))["code"].to_list() == ["49436004", "I48.91"]
    assert by_id(found, "active") == {
        "c-two": True, "c-over": False, "c-refuted": False, "c-abated": False, "c-plain": True}
    assert by_id(found, "end")["c-abated"] == date(2020, 12, 31)


def test_observations(small: dict[str, pl.DataFrame]) -> None:
    found = small["observations"]
    panel = found.filter(pl.col("source").str.ends_with("o-panel"))
    assert panel.select("code", "value", "start").rows() == [
        ("8480-6", 141.0, date(2024, 5, 2)), ("8462-4", 80.0, date(2024, 5, 2))]
    values, texts = by_id(found, "value"), by_id(found, "value_text")
    assert (values["o-int"], values["o-bool"], values["o-limit"], values["o-range"]) == (0.0, None, None, None)
    assert (texts["o-text"], texts["o-bool"], texts["o-limit"]) == ("well", "false", "< 0.2")
    assert by_id(found, "value_code")["o-smoking"] == "266919005"
    assert by_id(found, "unit")["o-height"] == "[in_i]"
    assert by_id(found, "start")["o-date"] is None


def test_allergies(small: dict[str, pl.DataFrame]) -> None:
    assert by_id(small["allergies"], "active") == {"a-drug": True, "a-over": False, "a-refuted": False}
    assert by_id(small["allergies"], "start")["a-drug"] == date(2000, 1, 1)


def test_each_problem_is_reported_where_it_is(small: dict[str, pl.DataFrame]) -> None:
    assert places(small, "bad-resource") == [
        "entry[37] $.resource.resourceType", "entry[11] MedicationRequest/r-bad $.status",
        "entry[35] Encounter/e1 $.status"]
    assert places(small, "number-as-text") == ["entry[30] Observation/o-badvalue $.valueQuantity.value"]
    assert places(small, "unknown-patient") == ["entry[34] Condition/c-stranger $.subject"]
    assert places(small, "entered-in-error") == ["entry[20] Condition/c-error", "entry[10] MedicationRequest/r-error"]
    assert places(small, "more-pages") == ["$.link"]
    assert places(small, "no-code") == ["entry[5] MedicationRequest/r-lost-link"]
    assert places(small, "bad-date") == ["entry[29] Observation/o-date start"]
    assert places(small, "invisible-characters") == ["entry[2] MedicationRequest/r-active display"]
    assert places(small, "duplicate-resource") == ["entry[38] MedicationRequest/r-contained"]
    assert places(small, "value-not-read") == ["entry[28] Observation/o-range $"]
    assert len(places(small, "limit-not-value")) == 1
    assert len(places(small, "partial-date")) == 6
    lost = small["issues"].filter(pl.col("place").str.contains("r-bad"))
    assert lost["patient_id"].to_list() == ["p1"]
    assert lost["text"].to_list() == ["Expected `str | null`, got `int`; the resource was left out"]


def test_index_date_given(root: Path) -> None:
    tables = read(root / "tests/data/fhir/small.json", index_date="2023-04-30")
    assert tables["patients"]["index_date"].to_list() == [date(2023, 4, 30)]
    taken = by_id(tables["medications"], "active")
    assert taken["r-active"] is False  # ordered later
    assert taken["r-ended"] is True  # valid to the end of April
    assert "index-date" not in codes(tables)


def test_nothing_dated_leaves_the_index_date_unknown(bundle: Callable[..., Path]) -> None:
    statement = {"resourceType": "MedicationStatement", "status": "active", "subject": {"reference": "Patient/p1"},
                 "medicationCodeableConcept": {"text": "Warfarin"}}
    ended = statement | {"effectivePeriod": {"end": "2020-01-01"}}
    tables = read(bundle(statement, ended))
    assert tables["patients"]["index_date"].to_list() == [None]
    assert tables["medications"]["active"].to_list() == [True, None]
    assert "no-index-date" in codes(tables)


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection", "searchset", "document", None])
def test_bundle_types(bundle: Callable[..., Path], kind: str | None) -> None:
    fields = {"type": kind} if kind else {}
    assert read(bundle(**fields))["patients"].height == 1


@pytest.mark.parametrize(("url", "reference", "found"), [
    ("urn:uuid:aaaa", "urn:uuid:aaaa", True),
    ("", "Patient/p1", True),
    ("", "urn:uuid:p1", True),
    ("", "https://a.example/fhir/Patient/p1", True),
    ("https://a.example/fhir/Patient/p1", "https://a.example/fhir/Patient/p1", True),
    ("https://a.example/fhir/Patient/p1", "Patient/p1", True),
    ("https://a.example/fhir/Patient/p1", "https://b.example/fhir/Patient/p1", False),
    ("", "Patient/p10", False),
    ("", "Group/p1", False),
    ("", "", False),
])
def test_references(tmp_path: Path, url: str, reference: str, found: bool) -> None:
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "1950"}
    condition = {"resourceType": "Condition", "subject": {"reference": reference}, "code": {"text": "x"}}
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [
        {"resource": condition}, {"fullUrl": url, "resource": patient} if url else {"resource": patient}]}))
    tables = read(path)
    assert tables["conditions"].height == found
    assert bool({"unknown-patient", "no-patient"} & {*codes(tables)}) is not found


def test_patient_known_by_full_url_only(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [
        {"fullUrl": "urn:uuid:abc-1", "resource": {"resourceType": "Patient", "birthDate": "1950-01-01"}}]}))
    assert read(path)["patients"]["patient_id"].to_list() == ["abc-1"]


DIFFERS = ("given before and differs: which version holds is not known, so how it stands is unknown; give the newest "
           "one only")


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize(("table", "one", "change", "unknown"), [
    ("medications", {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                     "medicationCodeableConcept": {"text": "warfarin"}, "dosageInstruction": [{
                         "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                         "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}]}]},
     {"status": "stopped"}, ("active", "end", "dose", "daily_dose")),
    ("medications", {"resourceType": "MedicationStatement", "status": "active",
                     "medicationCodeableConcept": {"text": "warfarin"}},
     {"effectivePeriod": {"start": "2019-01-01", "end": "2019-02-01"}}, ("active", "end")),
    ("medications", {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                     "medicationCodeableConcept": {"text": "warfarin"}},
     {"intent": "proposal"}, ("active",)),
    ("medications", {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                     "medicationCodeableConcept": {"text": "warfarin"}},
     {"doNotPerform": True}, ("active",)),
    ("medications", {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                     "authoredOn": "2019-01-01", "medicationCodeableConcept": {"text": "warfarin"}},
     {"authoredOn": "2999-01-01"}, ("active", "start")),
    ("medications", {"resourceType": "MedicationAdministration", "status": "in-progress",
                     "effectiveDateTime": "2019-01-01", "medicationCodeableConcept": {"text": "warfarin"}},
     {"effectiveDateTime": "2999-01-01"}, ("active", "start")),
    ("medications", {"resourceType": "MedicationStatement", "status": "active", "dosage": [{"route": {"text": "oral"}}],
                     "medicationCodeableConcept": {"text": "ketoconazole"}},
     {"dosage": [{"route": {"text": "cutaneous"}}]}, ("active", "route")),
    ("conditions", {"resourceType": "Condition", "code": {"text": "gout"}},
     {"verificationStatus": {"coding": [{"code": "refuted"}]}}, ("active",)),
    ("conditions", {"resourceType": "Condition", "code": {"text": "gout"}, "recordedDate": "2020-05-05"},
     {"abatementDateTime": "2020-01-01"}, ("active", "end")),
    ("allergies", {"resourceType": "AllergyIntolerance", "code": {"text": "penicillin"}},
     {"clinicalStatus": {"coding": [{"code": "resolved"}]}}, ("active",)),
    ("allergies", {"resourceType": "AllergyIntolerance", "code": {"text": "penicillin"}},
     {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}, ("active",)),
    ("observations", {"resourceType": "Observation", "status": "final", "code": {"coding": [
        {"system": "http://loinc.org", "code": "2160-0", "display": "Creatinine"}]},
        "valueQuantity": {"value": 0.9, "unit": "mg/dL", "code": "mg/dL"}},
     {"valueQuantity": {"value": 9.0, "unit": "mg/dL", "code": "mg/dL"}}, ("value", "value_text"))])
def test_of_versions_that_differ_none_is_believed(bundle: Callable[..., Path], table: str, one: dict[str, Any],
                                                  change: dict[str, Any], unknown: Sequence[str],
                                                  newest_first: bool) -> None:
    """Two exports of one record: that a medicine is taken is as little known as that it is not."""
    whose = "patient" if table == "allergies" else "subject"
    first = one | {"id": "a", whose: {"reference": "Patient/p1"}}
    both = [first, first | change]
    tables = read(bundle(*(both[::-1] if newest_first else both)))
    assert tables[table].select(unknown).rows() == [(None,) * len(unknown)]
    assert tables["issues"].filter(code="duplicate-resource")["text"].to_list() == [DIFFERS]
    assert tables[table].height == read(bundle(first, first))[table].height == 1


def test_an_entry_in_two_versions_still_tells_that_the_record_goes_on(bundle: Callable[..., Path]) -> None:
    order = {"resourceType": "MedicationAdministration", "id": "a", "status": "completed",
             "effectiveDateTime": "2019-01-01", "subject": {"reference": "Patient/p1"},
             "medicationCodeableConcept": {"text": "warfarin"}}
    people = read(bundle(order, order | {"status": "not-done"}))["patients"]
    assert people["index_date"].to_list() == [date(2019, 1, 1)]


def test_one_patient_in_two_files(bundle: Callable[..., Path]) -> None:
    condition = {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}, "code": {"text": "x"}}
    first, second = bundle(condition, name="1.json"), bundle(condition | {"id": "c2"}, name="2.json")
    tables = read(first, second)
    assert tables["patients"].height == 1
    assert tables["conditions"].select("row", "source").rows() == [
        (1, "1.json#Condition/c1"), (2, "2.json#Condition/c2")]
    changed = bundle(condition | {"code": {"text": "y"}}, name="3.json")
    tables = read(first, changed)
    assert tables["conditions"].select("display", "active").rows() == [("x", None), ("y", None)]
    assert tables["issues"].filter(pl.col("code") == "duplicate-resource")["text"].to_list() == [
        "given before and the same; used once", DIFFERS]


def test_an_entry_that_is_no_object_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [
        "text", {"resource": {"resourceType": "Patient", "id": "p1", "birthDate": "1950-01-01"}}, {"resource": [1]},
        {"resource": None}]}))
    tables = read(path)
    assert tables["patients"].height == 1
    assert places(tables, "bad-resource") == ["entry[0] $", "entry[2] $.resource", "entry[3] $.resource"]


def test_odd_gender_stays_unknown(bundle: Callable[..., Path]) -> None:
    tables = read(bundle(patient={"resourceType": "Patient", "id": "p1", "birthDate": "1950-01-01", "gender": "F"}))
    assert tables["patients"]["sex"].to_list() == [None]
    assert "bad-gender" in codes(tables)


def test_text_of_nothing_is_null(bundle: Callable[..., Path]) -> None:
    empty = {"resourceType": "Condition", "subject": {"reference": "Patient/p1"},
             "code": {"coding": [{"code": " ", "display": "\u200b"}]}}
    assert read(bundle(empty))["conditions"].select("code", "display").row(0) == (None, None)


def test_matches(bundle: Callable[..., Path], tmp_path: Path) -> None:
    source = FhirSource()
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "bom.JSON").write_bytes(b"\xef\xbb\xbf\n {}")
    assert source.matches(bundle())
    assert source.matches(tmp_path / "bom.JSON")
    assert not source.matches(tmp_path / "list.json")
    assert not source.matches(tmp_path / "none.json")
    assert source.matches(tmp_path)
    (tmp_path / "b.json").unlink()
    assert not source.matches(tmp_path)  # no resource in any file


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity") or os.cpu_count() == 1, reason="needs two processors to tell")
@pytest.mark.parametrize(("most", "processors"), [(200_000, 1), (0, os.cpu_count())])
def test_few_rows_are_judged_by_one_processor(most: int, processors: int, bundle: Callable[..., Path],
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    inner = fhir.tables_of
    monkeypatch.setattr(fhir, "_FEW", most)
    monkeypatch.setattr(fhir, "tables_of", lambda *given: (seen.append(len(os.sched_getaffinity(0))), inner(*given))[1])
    before = os.sched_getaffinity(0)
    assert read(bundle())["patients"].height == 1
    assert seen == [min(processors, len(before))]
    assert os.sched_getaffinity(0) == before

"""Why a medicine is taken, a procedure was done, a patient was seen: said in place, or by a link to the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.sources import fhir_shares
from pmed.sources.fhir import FhirSource
from pmed.sources.hl7v2 import Hl7v2Source
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty())
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-07-03"}
SUBJECT = {"subject": {"reference": "Patient/p1"}}
SNOMED = "http://snomed.info/sct"
GOUT = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M10.9", "display": "Gout, unspecified"},
                   {"system": SNOMED, "code": "90560007", "display": "Gout"}]}
ITS_GOUT = ("Gout", SNOMED, "90560007")
CONDITION = {"resourceType": "Condition", "id": "c1", "code": GOUT} | SUBJECT
NOTHING = (None, None, None)


def order(**more: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order",
            "medicationCodeableConcept": {"text": "Allopurinol"}} | SUBJECT | more


def read(folder: Path, *resources: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """Resources, or whole entries, as one bundle."""
    entries = [one if "resource" in one else {"resource": one} for one in (PATIENT, *resources)]
    path = folder / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}), encoding="utf-8")
    return FhirSource().read([path], REQUEST)


def why(tables: dict[str, pl.DataFrame], table: str = "medications") -> list[tuple[Any, ...]]:
    return tables[table].select("reason", "reason_system", "reason_code").rows()


def told(tables: dict[str, pl.DataFrame]) -> list[tuple[str, str]]:
    return tables["issues"].filter(pl.col("code").str.ends_with("reason")).select("place", "code").rows()


@pytest.mark.parametrize("link", ["Condition/c1", "Condition/c1/_history/2", "http://ehr.example/fhir/Condition/c1",
                                  "urn:uuid:c1"])
def test_a_link_is_what_it_leads_to_whatever_stands_first(tmp_path: Path, link: str) -> None:
    given = order(reasonReference=[{"reference": link}])
    for resources in ((CONDITION, given), (given, CONDITION)):
        tables = read(tmp_path, *resources)
        assert why(tables) == [ITS_GOUT]
        assert told(tables) == []


def test_a_full_url_leads_to_its_entry_with_an_id_or_without(tmp_path: Path) -> None:
    link = {"reasonReference": [{"reference": "urn:uuid:7f"}]}
    for condition in (CONDITION, {key: value for key, value in CONDITION.items() if key != "id"}):
        assert why(read(tmp_path, order(**link), {"fullUrl": "urn:uuid:7f", "resource": condition})) == [ITS_GOUT]


def test_the_same_name_on_another_server_is_another_resource(tmp_path: Path) -> None:
    tables = read(tmp_path, order(reasonReference=[{"reference": "http://one.example/Condition/c1"}]),
                  {"fullUrl": "http://two.example/Condition/c1", "resource": CONDITION})
    assert why(tables) == [NOTHING]
    assert told(tables) == [("entry[1] MedicationRequest/m1", "lost-reason")]


def test_codes_come_before_links_and_each_word_is_said_once(tmp_path: Path) -> None:
    pain = {"coding": [{"system": SNOMED, "code": "22253000", "display": "Pain"}]}
    tables = read(tmp_path, CONDITION, order(reasonCode=[{"text": "Gout"}, pain],
                                             reasonReference=[{"reference": "Condition/c1"}]))
    assert why(tables) == [("Gout; Pain", SNOMED, "22253000")]


def test_rows_without_a_link_among_those_with_one_stay_as_they_are(tmp_path: Path) -> None:
    link, words = {"reasonReference": [{"reference": "Condition/c1"}]}, {"reasonCode": [{"text": "Cough; at night"}]}
    given = [order() | one | {"id": f"m{at}"} for at, one in enumerate([words, link, {}, words, link | words])]
    assert why(read(tmp_path, CONDITION, *given)) == [
        ("Cough; at night", None, None), ITS_GOUT, NOTHING, ("Cough; at night", None, None),
        ("Cough; at night; Gout", *ITS_GOUT[1:])]


@pytest.mark.parametrize("said", [
    {"reasonReference": [{"reference": "Condition/c1"}]}, {"reasonCode": [GOUT]},
    {"reason": [{"reference": {"reference": "Condition/c1"}}]}, {"reason": [{"concept": GOUT}]},
    {"contained": [{"resourceType": "Condition", "id": "in", "code": GOUT}],
     "reasonReference": [{"reference": "#in"}]}])
def test_a_vaccine_has_its_reason(tmp_path: Path, said: dict[str, Any]) -> None:
    given = {"resourceType": "Immunization", "id": "i1", "status": "completed", "vaccineCode": {"text": "flu"},
             "patient": SUBJECT["subject"], "occurrenceDateTime": "2024-10-01"}
    (found,) = why(read(tmp_path, CONDITION, given | said), "immunizations")
    assert found in {ITS_GOUT, ("Gout, unspecified", GOUT["coding"][0]["system"], "M10.9")}
    assert why(read(tmp_path, CONDITION, given), "immunizations") == [NOTHING]


def test_a_measurement_may_be_the_reason(tmp_path: Path) -> None:
    urate = {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"coding": [
        {"system": "http://loinc.org", "code": "3084-1", "display": "Urate"}]}, "valueString": "high"} | SUBJECT
    tables = read(tmp_path, urate, order(reasonReference=[{"reference": "Observation/o1"}]))
    assert why(tables) == [("Urate", "http://loinc.org", "3084-1")]


def test_one_name_is_an_illness_of_one_patient_and_a_measurement_of_another(tmp_path: Path) -> None:
    """Measurements are looked through for what is no condition, of each patient by itself."""
    for patient, kind in (("p1", "Condition"), ("p2", "Observation")):
        whose = {"subject": {"reference": f"Patient/{patient}"}}
        found = {"resourceType": kind, "id": "r1", "code": {"coding": [{"system": SNOMED, "code": patient,
                                                                        "display": f"{kind} of {patient}"}]}} | whose
        given = order(reasonReference=[{"reference": "urn:uuid:r1"}]) | whose
        entries = [{"resource": one} for one in (PATIENT | {"id": patient}, found, given)]
        (tmp_path / f"{patient}.json").write_text(json.dumps({"resourceType": "Bundle", "entry": entries}),
                                                  encoding="utf-8")
    tables = FhirSource().read([tmp_path], REQUEST)
    assert why(tables) == [("Condition of p1", SNOMED, "p1"), ("Observation of p2", SNOMED, "p2")]


def test_a_contained_reason(tmp_path: Path) -> None:
    inside = {"resourceType": "Condition", "id": "x", "code": GOUT}
    tables = read(tmp_path, order(contained=[inside], reasonReference=[{"reference": "#x"}]),
                  order(id="m2", contained=[inside], reasonReference=[{"reference": "#y", "display": "Gout?"}]))
    assert why(tables) == [ITS_GOUT, ("Gout?", None, None)]
    assert told(tables) == [("entry[2] MedicationRequest/m2 $.contained", "lost-reason")]


def test_a_lost_link_is_told_and_its_own_name_is_all_that_is_known(tmp_path: Path) -> None:
    tables = read(tmp_path, order(reasonReference=[{"reference": "Condition/gone", "display": "Gout  at\tfoot"}]),
                  order(id="m2", reasonReference=[{"display": "Gout"}]))
    assert why(tables) == [("Gout at foot", None, None), ("Gout", None, None)]
    assert tables["issues"].filter(code="lost-reason").select("place", "severity", "patient_id").rows() == [
        ("entry[1] MedicationRequest/m1", "info", "p1")]


@pytest.mark.parametrize("status", ["entered-in-error", "Entered_In_Error"])
def test_what_is_marked_as_wrong_is_no_reason(status: str, tmp_path: Path) -> None:
    wrong = CONDITION | {"verificationStatus": {"coding": [{"code": status}]}}
    tables = read(tmp_path, wrong, order(reasonReference=[{"reference": "Condition/c1"}]))
    assert why(tables) == [NOTHING]
    assert len(told(tables)) == 1


def test_the_illness_of_another_patient_is_no_reason(tmp_path: Path) -> None:
    other = PATIENT | {"id": "p2"}
    theirs = CONDITION | {"subject": {"reference": "Patient/p2"}}
    tables = read(tmp_path, other, theirs, order(reasonReference=[{"reference": "Condition/c1"}]))
    assert why(tables) == [NOTHING]


@pytest.mark.parametrize(("field", "value"), [
    ("reasonCode", "gout"), ("reasonReference", {"reference": "Condition/c1"}), ("reason", ["gout"])])
def test_a_reason_of_the_wrong_type_does_not_cost_the_medicine(tmp_path: Path, field: str, value: object) -> None:
    tables = read(tmp_path, CONDITION, order(**{field: value}))
    assert tables["medications"]["display"].to_list() == ["Allopurinol"]
    assert why(tables) == [NOTHING]
    assert [(place.startswith(f"entry[2] MedicationRequest/m1 $.{field}"), code) for place, code in told(tables)] == [
        (True, "bad-reason")]


def test_nothing_is_no_reason(tmp_path: Path) -> None:
    tables = read(tmp_path, order(reasonCode=None, reasonReference=[], reason=None))
    assert why(tables) == [NOTHING]
    assert told(tables) == []


def test_procedures_and_visits(tmp_path: Path) -> None:
    link = {"reasonReference": [{"reference": "Condition/c1"}]}
    tables = read(tmp_path, CONDITION, {"resourceType": "Procedure", "id": "x", "status": "completed"} | SUBJECT | link,
                  {"resourceType": "Encounter", "id": "y", "status": "finished", "reasonCode": [GOUT]} | SUBJECT)
    assert why(tables, "procedures") == why(tables, "encounters") == [ITS_GOUT]


def test_r5(tmp_path: Path) -> None:
    both = [{"concept": {"text": "Pain"}}, {"reference": {"reference": "Condition/c1"}}]
    tables = read(tmp_path, CONDITION, order(reason=both),
                  {"resourceType": "Encounter", "status": "completed", "reason": [{"value": both}]} | SUBJECT)
    assert why(tables) == why(tables, "encounters") == [("Pain; Gout", SNOMED, "90560007")]


@pytest.mark.parametrize("processes", [1, 2])
def test_lines_of_other_files_and_processes(tmp_path: Path, processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [f"p{number}" for number in range(40)]
    files = {
        "Patient": [PATIENT | {"id": name} for name in people],
        "Condition": [CONDITION | {"id": f"c{name}", "subject": {"reference": f"Patient/{name}"}} for name in people],
        "MedicationRequest": [order(id=f"m{name}", subject={"reference": f"Patient/{name}"},
                                    reasonReference=[{"reference": f"Condition/c{name}"}]) for name in people]}
    for kind, resources in files.items():
        (tmp_path / f"{kind}.ndjson").write_text("".join(json.dumps(one) + "\n" for one in resources))
    monkeypatch.setattr(fhir_shares, "LEAST", 1)
    tables = FhirSource(processes=processes).read([tmp_path], REQUEST)
    assert why(tables) == [ITS_GOUT] * len(people)
    assert told(tables) == []


def test_hl7_v2(tmp_path: Path) -> None:
    def field(name: str, number: int, text: str, **others: str) -> str:
        return "|".join([name, *(others.get(f"f{at}", "") for at in range(1, number)), text])
    gout = "90560007^Gout^SCT"
    segments = [r"MSH|^~\&|A|B|C|D|20240501||RDE^O11|1|P|2.5.1", "PID|1||P1^^^H^MR||DOE^JANE||19500315|F",
                field("PV1", 44, "20240501", f2="I"), field("PV2", 3, "^Chest pain"),
                field("PR1", 15, gout, f3="1^X^L"),
                "ORC|NW|1", field("RXE", 27, f"{gout}~^Pain", f2="^warfarin"), "ORC|NW|2",
                field("RXO", 20, gout, f1="^aspirin"),
                *(field(name, at, gout, **more) for name, at, more in (
                    ("RXA", 19, {"f5": "^heparin", "f3": "20240501"}), ("RXD", 21, {"f2": "^digoxin"}),
                    ("RXG", 22, {"f4": "^insulin"})))]
    path = tmp_path / "m.hl7"
    path.write_text("\r".join(segments) + "\r")
    tables = Hl7v2Source().read([path], REQUEST)
    assert why(tables) == [("Gout; Pain", SNOMED, "90560007"), *[ITS_GOUT] * 4]
    assert why(tables, "procedures") == [ITS_GOUT]
    assert why(tables, "encounters") == [("Chest pain", None, None)]


def test_a_vaccine_of_an_hl7_message_has_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "m.hl7"
    path.write_text(r"MSH|^~\&|A|B|C|D|20240501||VXU^V04|1|P|2.5.1" + "\rPID|1||P1^^^H^MR||DOE^JANE||19500315|F\r"
                    "RXA|0|1|20240501||207^COVID^CVX" + "|" * 14 + "90560007^Gout^SCT\r")
    assert why(Hl7v2Source().read([path], REQUEST), "immunizations") == [ITS_GOUT]


def test_a_change_of_an_hl7_order_keeps_its_reason(tmp_path: Path) -> None:
    head = r"MSH|^~\&|A|B|C|D|{}||RDE^O11|{}|P|2.5.1" + "\rPID|1||P1^^^H^MR||DOE^JANE||19500315|F\r"
    first = head.format("20240501", 1) + "ORC|NW|1\rRXE||^warfarin" + "|" * 25 + "^Gout\r"
    path = tmp_path / "m.hl7"
    path.write_text(first + head.format("20240502", 2) + "ORC|XO|1\rRXE||^warfarin|5||mg\r")
    assert why(Hl7v2Source().read([path], REQUEST)) == [("Gout", None, None)]

"""Dialysis from a record, and MELD by it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import pmed
from pmed import TABLES
from pmed_risk.dialysis import dialysis
from tests.vignette_files import write

TODAY = date(2026, 6, 1)
SNOMED, ICD, OPS = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-gm", "http://fhir.de/CodeSystem/bfarm/ops"
DEPENDENT = {"system": ICD, "code": "Z99.2", "active": True}
DONE = {"system": SNOMED, "code": "302497006", "status": "completed"}


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def found(conditions: Any = (), procedures: Any = (), issues: Any = ()) -> tuple[bool | None, str | None]:
    rows = {name: TABLES[name].frame([{"patient_id": "p", "row": at, **row} for at, row in enumerate(listed)])
            for name, listed in (("conditions", conditions), ("procedures", procedures))}
    told = [{"file": "f", "severity": "error", "code": "x", "text": "t", "patient_id": "p", **one} for one in issues]
    made = dialysis({**rows, "issues": TABLES["issues"].frame(told),
                     "patients": TABLES["patients"].frame([{"patient_id": "p", "index_date": TODAY}])})
    return made.select("dialysis", "dialysis-found").row(0)


@pytest.mark.parametrize(("conditions", "answer"), [
    ([], False), ([{"system": ICD, "code": "K74.6", "active": True}], False), ([DEPENDENT], True),
    ([{"system": SNOMED, "code": "105502003", "active": True}], True), ([{**DEPENDENT, "active": False}], False),
    ([{**DEPENDENT, "verification": "refuted"}], False), ([{**DEPENDENT, "verification": "provisional"}], None),
    ([{**DEPENDENT, "start": TODAY + timedelta(days=3)}], False),
    ([{"system": ICD, "code": "N18.6", "active": True}], None),
    ([{"system": "urn:local", "code": "D1", "display": "Chronic haemodialysis", "active": True}], None),
    ([{"system": "urn:local", "code": "D1", "display": "Gout", "active": True}], False),
    ([{"system": "urn:local", "code": "D1", "active": True}], None)])
def test_diagnoses(conditions: list[dict[str, Any]], answer: bool | None) -> None:
    assert found(conditions)[0] is answer


@pytest.mark.parametrize(("row", "answer"), [
    ({**DONE, "start": ago(2)}, True), ({**DONE, "start": ago(7)}, True), ({**DONE, "start": ago(8)}, None),
    ({**DONE, "start": ago(300), "end": ago(1)}, True), ({**DONE, "start": ago(400)}, False), (DONE, None),
    ({**DONE, "start": ago(2), "status": "not-done"}, False), ({**DONE, "start": TODAY + timedelta(days=1)}, False),
    ({"system": OPS, "code": "8-854.2", "start": ago(1)}, True), ({"system": OPS, "code": "5-511.0", "display": "Galle",
                                                                  "start": ago(1)}, False),
    ({"system": SNOMED, "code": "1", "display": "Insertion of dialysis catheter", "start": ago(1)}, None)])
def test_procedures(row: dict[str, Any], answer: bool | None) -> None:
    assert found(procedures=[row])[0] is answer


def test_what_says_so_is_told() -> None:
    assert "Z99.2" in str(found([{**DEPENDENT, "start": ago(40)}])[1])
    assert "may mean it" in str(found(procedures=[{**DONE, "start": ago(30)}])[1])


@pytest.mark.parametrize(("place", "answer"), [
    ("entry[3] Procedure/r $.code", None), ("entry[3] Condition/r $.code", None),
    ("entry[3] Immunization/r $.code", False)])
def test_an_entry_that_was_lost_may_be_one(place: str, answer: bool | None) -> None:
    assert found(issues=[{"place": place}])[0] is answer


@pytest.mark.parametrize(("code", "score", "reason"), [
    (None, 19.998, None), ("Z99.2", 31.520, None), ("N18.6", None, "dialysis")])
def test_meld_is_made_from_a_record(tmp_path: Path, code: str | None, score: float | None, reason: str | None) -> None:
    liver = [{"icd10": "K74.60", "text": "Cirrhosis of liver", "start": ago(700)}]
    more = [{"icd10": code, "text": "Kidney failure", "start": ago(90)}] if code else []
    values = (("6301-6", 1.8, "1"), ("2160-0", 1.2, "mg/dL"), ("1975-2", 4.0, "mg/dL"))
    said = {"name": "liver", "born": date(1970, 1, 1), "sex": "male", "genome": False, "conditions": liver + more,
            "observations": [{"loinc": name, "text": "x", "value": value, "unit": unit, "start": ago(3)}
                             for name, value, unit in values]}
    made = pmed.run(**write(said, tmp_path), index_date=str(TODAY))
    row = made.tables["predictions"].filter(target="meld-score").row(0, named=True)
    # 3.78 ln 4.0 + 11.2 ln 1.8 + 9.57 ln 1.2 (on dialysis: ln 4) + 6.43 (PMID 11172350)
    assert row["value"] == (pytest.approx(score, abs=0.001) if score else None)
    assert (reason is None) is (row["reason"] is None)
    assert reason is None or reason in row["reason"]

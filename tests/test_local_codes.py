"""Results without a LOINC code: not used, and told once a code where the name speaks of what is looked for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pmed.normalise.local_codes import CODE, _is_right, local_codes, unused
from pmed.normalise.loinc import LOINC
from pmed.normalise.units import CODES, canonical_units
from pmed.render import messages, words
from pmed.sources.hl7v2 import Hl7v2Source
from pmed.sources.tabular import TableSource
from pmed.stages.normalise import normalise
from pmed.tables import TABLES
from pmed.types import ReadRequest


def told(*rows: dict[str, object]) -> list[str]:
    """The texts of what is told of observations."""
    made = [{"patient_id": "p", "row": number, "source": "f.csv#line 2", "value": 1.0} | row
            for number, row in enumerate(rows, 1)]
    return local_codes(TABLES["observations"].frame(made))["text"].to_list()


@pytest.mark.parametrize("name", [
    "Creatinine", "CREATININE, SERUM", "Kreatinin", "Kreatinin i.S.", "Potassium", "Kalium (Serum)", "INR", "PT-INR",
    "International normalized ratio", "Hemoglobin", "H\u00e4moglobin", "Haemoglobin A1c", "HbA1c", "Thrombozyten",
    "Platelet Count", "Natrium", "eGFR (CKD-EPI)", "ALT (GPT)", "K", "QTc", "Gewicht",
    "K\u00f6rpergr\u00f6\u00dfe", "Lithium"])
def test_names_of_what_is_looked_for(name: str) -> None:
    assert len(told({"system": "L", "code": "4711", "display": name})) == 1


@pytest.mark.parametrize("name", [
    "Creatinine, urine", "Kreatinin im Urin", "Albumin/Creatinine ratio", "Creatinine clearance", "Platelet antibodies",
    "Mean platelet volume", "Prealbumin", "wie alt", "Comment to potassium", "Ferritin", "Target weight",
    "Birth weight", "Free haemoglobin", "U-Kalium", "ask the patient", "got up", None])
def test_names_of_anything_else_are_not_told(name: str | None) -> None:
    assert told({"system": "L", "code": "4711", "display": name}) == []


def test_one_row_a_patient_and_code_with_how_many() -> None:
    rows = [{"system": "L", "code": "CREA", "display": "Creatinine", "patient_id": who} for who in ("p", "p", "q")]
    assert told(*rows, {"system": "L", "code": "K", "display": "Kalium"}, {"system": LOINC, "code": "2160-0"}) == [
        f"{who}) may be a measurement that is looked for, and has no LOINC code: it is not used (results: {count}); "
        "let the source send the LOINC code, or name it in a mapping file"
        for who, count in (("'Creatinine' (CREA", 2), ("'Creatinine' (CREA", 1), ("'Kalium' (K", 1))]


def test_without_a_name_the_code_counts_and_what_has_no_result_does_not() -> None:
    assert len(told({"system": None, "code": "INR"}, {"system": None, "code": "K", "value": None},
                    {"system": LOINC, "code": "99999-1", "display": "Creatinine"},
                    {"system": "urn:pmed:goal", "code": "goal:2160-0", "display": "Creatinine"})) == 1


def test_a_code_of_loinc_that_does_not_say_so_is_told() -> None:
    assert len(told({"system": None, "code": "2160-0"}, {"system": "L", "code": "2823-3", "display": "xyz"},
                    {"system": None, "code": "55555-4"})) == 2


def test_every_code_that_is_looked_for_has_its_check_digit() -> None:
    assert [code for code in CODES if not _is_right(code)] == []
    assert not _is_right("2160-1")


@pytest.mark.parametrize(("row", "code"), [
    ({"code": "2160-1"}, "bad-loinc"), ({"code": "2160-0", "start": None}, "undated-result"),
    ({"code": "2160-0"}, None),
    ({"code": "82810-3", "start": None}, None), ({"code": "2160-0", "start": None, "value": None}, None)])
def test_what_else_cannot_be_used_is_told(row: dict[str, object], code: str | None) -> None:
    made = {"patient_id": "p", "row": 1, "source": "f.csv#line 2", "system": LOINC, "value": 1.1, "unit": "mg/dL",
            "start": date(2024, 1, 1)} | row
    found = unused(canonical_units(TABLES["observations"].frame([made, {**made, "row": 2}]))[0])
    assert found.select("file", "code", "patient_id").rows() == ([("f.csv", code, "p")] if code else [])
    with messages.speaking("de"):
        assert not any(words.told(text).english for text in found["text"])


@pytest.mark.parametrize("name", ["LOINC", "LN", "loinc", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"])
def test_loinc_by_another_name_is_loinc(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.csv").write_text("id,code,day,value,unit\np,2160-0,2024-01-01,1.1,mg/dL\n")
    (tmp_path / "t.mapping.toml").write_text(
        '[[file]]\npath = "t.csv"\ntable = "observations"\n[file.columns]\npatient_id = "id"\ncode = "code"\n'
        f'start = "day"\nvalue = "value"\nunit = "unit"\n[file.constants]\nsystem = "{name}"\n')
    request = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-02")
    tables = TableSource().read([tmp_path / "t.mapping.toml"], request)
    assert tables["observations"]["system"].to_list() == [LOINC]


def test_whoever_reads_such_a_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.hl7").write_text("\r".join([
        "MSH|^~\\&|A|B|C|D|20240101||ORU^R01|1|P|2.5", "PID|1||p^^^X||Doe^J||19500703|F", "OBR|1|1|1|LAB",
        "OBX|1|NM|KREA^Kreatinin^L||3.2|mg/dL|||||F|||20240101", ""]))
    request = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-02")
    tables = Hl7v2Source().read([tmp_path / "m.hl7"], request)
    issues = normalise(tables, TABLES["drug_names"].empty())["issues"]
    found = issues.filter(issues["code"] == CODE)
    assert found.select("file", "severity", "patient_id").row(0) == ("m.hl7", "info", "p")
    with messages.speaking("de"):
        assert not words.told(found["text"][0]).english
    again = normalise({**tables, "issues": issues}, TABLES["drug_names"].empty())["issues"]
    assert again.filter(again["code"] == CODE).height == 1

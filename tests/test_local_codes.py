"""Results without a LOINC code: not used, and told once a code where the name speaks of what is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmed.normalise.local_codes import CODE, local_codes
from pmed.normalise.units import LOINC
from pmed.render import messages, words
from pmed.sources.hl7v2 import Hl7v2Source
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


def test_one_row_a_code_with_how_many() -> None:
    rows = [{"system": "L", "code": "CREA", "display": "Creatinine", "patient_id": who} for who in ("p", "p", "q")]
    assert told(*rows, {"system": "L", "code": "K", "display": "Kalium"}, {"system": LOINC, "code": "2160-0"}) == [
        f"{who}) may be a measurement that is looked for, and has no LOINC code: it is not used (results: {count}); "
        "let the source send the LOINC code, or name it in a mapping file"
        for who, count in (("'Creatinine' (CREA", "3, patients: 2"), ("'Kalium' (K", "1, patients: 1"))]


def test_without_a_name_the_code_counts_and_what_has_no_result_does_not() -> None:
    assert len(told({"system": None, "code": "INR"}, {"system": None, "code": "K", "value": None},
                    {"system": LOINC, "code": "99999-1", "display": "Creatinine"},
                    {"system": "urn:pmed:goal", "code": "goal:2160-0", "display": "Creatinine"})) == 1


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

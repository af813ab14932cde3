"""HL7 v2: what is no production message, and what a correction corrects."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pmed.normalise.units import canonical_units
from tests.test_hl7v2 import OBR, OBX, ORC, PID, RXE, codes, message, msh, read

OTHER = PID.replace("P1", "P2")


def of(kind: str, **said: str) -> str:
    """MSH of a message with that processing id."""
    return msh(**said).replace("|P|2.5.1", f"|{kind}|2.5.1")


@pytest.mark.parametrize("kind", ["T", "D", "t", "T^T"])
def test_messages_of_training_are_left_out(tmp_path: Path, kind: str) -> None:
    real = message(msh(), PID, OBR, OBX)
    tables = read(tmp_path, real + 2 * message(of(kind, number=2), PID, ORC, RXE) + message(of(kind), OTHER, ORC, RXE))
    assert tables["patients"]["patient_id"].to_list() == ["P1"]
    assert tables["medications"].is_empty()
    assert tables["issues"].select("place", "severity", "code", "patient_id").rows() == [
        ("message 2 MSH-11", "error", "training-message", "P1"),
        ("message 4 MSH-11", "error", "training-message", "P2")]


def test_where_all_are_of_training_they_are_read(tmp_path: Path) -> None:
    tables = read(tmp_path, message(of("T"), PID, ORC, RXE) + message(of("D", number=2), PID, OBR, OBX))
    assert (tables["medications"].height, tables["observations"].height) == (1, 1)
    assert tables["issues"].filter(pl.col("code") == "training-message").select("severity", "place").rows() == [
        ("warning", "message 1 MSH-11")]


def test_production_and_what_says_nothing_are_read(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, OBX) + message(of("", number=2), PID, ORC, RXE))
    assert tables["medications"].height == 1
    assert "training-message" not in codes(tables)


def _series(*days: str) -> list[str]:
    return [OBX.replace("202405010830", f"{day}0830") for day in days]


@pytest.mark.parametrize("time", ["202404300830", "202405040900", ""])
def test_a_correction_at_another_time_leaves_unknown_what_it_may_correct(tmp_path: Path, time: str) -> None:
    fixed = OBX.replace("|1.2|", "|3.0|").replace("|F|", "|C|").replace("202405010830", time)
    obr = OBR.replace("|202405010800", "|") if not time else OBR
    tables = read(tmp_path, message(msh(), PID, obr, *_series("20240501", "20240502"))
                  + message(msh(time="20240505", number=2), PID, obr, fixed))
    rows = tables["observations"].sort("start", nulls_last=True).select("value", "value_text").rows()
    assert sorted(rows, key=str) == [(3.0, None), *[(None, "1.2 mg/dL (perhaps corrected)")] * 2]
    assert codes(tables) == ["corrected-series"]
    done = canonical_units(tables["observations"])[0]
    assert done["canonical_code"].to_list() == ["2160-0"] * 3  # it was measured, so an older value is not the latest


def test_as_many_corrections_as_results_replace_them(tmp_path: Path) -> None:
    fixed = [one.replace("|1.2|", "|3.0|").replace("|F|", "|C|") for one in _series("20240401", "20240402")]
    tables = read(tmp_path, message(msh(), PID, OBR, *_series("20240501", "20240502"))
                  + message(msh(time="20240505", number=2), PID, OBR, *fixed))
    assert tables["observations"]["value"].to_list() == [3.0, 3.0]
    assert codes(tables) == ["superseded"]


def test_a_time_with_seconds_is_the_same_time(tmp_path: Path) -> None:
    fixed = OBX.replace("|1.2|", "|3.0|").replace("202405010830", "20240501083000")
    tables = read(tmp_path, message(msh(), PID, OBR, OBX) + message(msh(time="20240505", number=2), PID, OBR, fixed))
    assert tables["observations"]["value"].to_list() == [3.0]


@pytest.mark.parametrize(("field", "value", "unit"), [
    ("mgdl^mg/dL^L", 1.2, "mg/dL"), ("mg/dL^milligram per deciliter^UCUM", 1.2, "mg/dL"), ("MG/DL^mg/dl", 1.2, "mg/dL"),
    ("mg/L^mg/dL", None, "mg/L (mg/dL)"), ("x^y", None, "x")])
def test_a_unit_by_code_and_words(tmp_path: Path, field: str, value: float | None, unit: str) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, OBX.replace("|mg/dL|", f"|{field}|")))
    done = canonical_units(tables["observations"])[0]
    assert done.select("value", "unit").row(0) == (value, unit)


def test_an_allergy_that_stands_with_its_reaction_only(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh("ADT^A08"), PID, "AL1|1|DA||SV|rash to penicillin", "AL1|2|DA||"))
    assert tables["allergies"]["display"].to_list() == ["rash to penicillin"]
    assert codes(tables) == ["no-code"]


@pytest.mark.parametrize(("coded", "name"), [
    ("WARFARIN 5MG TAB", "WARFARIN 5MG TAB"), ("WARFARIN^^L", "WARFARIN"), ("W5^^L", None), ("12345", None),
    ("WARF1^Coumadin^L", "Coumadin")])
def test_a_local_code_that_is_a_name_is_one(tmp_path: Path, coded: str, name: str | None) -> None:
    tables = read(tmp_path, message(msh("RDE^O11"), PID, ORC, RXE.replace("861007^metformin 500 MG^RXNORM", coded)))
    assert tables["medications"]["display"].to_list() == [name]


@pytest.mark.parametrize("segment", [
    "DG1|1||I26.99^Pulmonary embolism^I10C|R/O PE|20240401|F", "DG1|1||I26.99^Pulmonary embolism^I10C|No PE|20240401|F",
    "DG1|1||I26.99^Pulmonary embolism^I10C^1^V.a. Lungenembolie^L||20240401|F",
    "PRB|AD|20240401|I26.99^Pulmonary embolism^I10C^^^^^^PE ruled out|77||||||||||C^Confirmed"])
def test_what_was_written_beside_the_code_of_a_diagnosis_counts(tmp_path: Path, segment: str) -> None:
    tables = read(tmp_path, message(msh("ADT^A08"), PID, segment))
    assert tables["conditions"]["verification"].to_list() == ["unconfirmed"]
    assert codes(tables) == ["remark-in-name"]


def test_a_description_that_says_the_same_is_no_remark(tmp_path: Path) -> None:
    segment = "DG1|1||I26.99^Pulmonary embolism^I10C|Lung embolism|20240401|F"
    tables = read(tmp_path, message(msh("ADT^A08"), PID, segment))
    assert tables["conditions"].select("display", "verification").row(0) == ("Pulmonary embolism", "confirmed")

"""``pmed history``: records as tables, their problems listed, and what ends the command."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pmed.tables import TABLES

from .test_cli import pmed, refused


def bundle(folder: Path, *resources: dict, name: str = "b.json") -> Path:
    person = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-07-03", "gender": "female"}
    path = folder / name
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection",
                                "entry": [{"resource": one} for one in (person, *resources)]}))
    return path


def order(text: str, **more: object) -> dict:
    return {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "authoredOn": "2025-01-02",
            "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": text}, **more}


WRONG = {"resourceType": "Condition", "id": "c1", "subject": 5}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_tables_issues_and_a_summary_are_written(tmp_path: Path, kind: str) -> None:
    path = bundle(tmp_path, order("Simvistatin 20 MG Oral Tablet"), order("Karvelonum"), WRONG)
    done = pmed("history", path, "-o", tmp_path / "out", "--format", kind)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["1 patients, 2 medications",
                                            "medicines recognised by fuzzy: 1, not recognised: 1"]
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        f"patients.{kind}", f"medications.{kind}", f"issues.{kind}", "summary.json"}
    read = pl.read_parquet if kind == "parquet" else pl.read_csv
    issues = read(tmp_path / "out" / f"issues.{kind}")
    assert {"bad-resource", "fuzzy-drug-name", "drug-not-recognised"} < set(issues["code"])
    drugs = read(tmp_path / "out" / f"medications.{kind}")
    assert drugs["strength"].to_list() == [20.0, None]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["rows"] == {"patients": 1, "medications": 2, "issues": issues.height}
    assert summary["provenance"]["inputs"]


def test_the_tables_are_those_of_the_run(tmp_path: Path) -> None:
    import pmed as package

    path = bundle(tmp_path, order("warfarin 5 MG"))
    pmed("history", path, "-o", tmp_path / "out", "--index-date", "2025-02-01")
    run = package.run(history=path, index_date="2025-02-01")
    for name in ("patients", "medications"):
        written = pl.read_parquet(tmp_path / "out" / f"{name}.parquet")
        TABLES[name].check(written)
        assert_frame_equal(written, run.tables[name])


def test_strict_ends_at_an_error_and_writes_nothing(tmp_path: Path) -> None:
    path = bundle(tmp_path, order("warfarin"), WRONG)
    refused(pmed("history", path, "-o", tmp_path / "out", "--strict"), "b.json entry[2] Condition/c1", "Expected")
    assert not (tmp_path / "out").exists()
    assert pmed("history", bundle(tmp_path, order("warfarin")), "-o", tmp_path / "out", "--strict").returncode == 0


def test_a_folder_with_something_in_it_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    refused(pmed("history", bundle(tmp_path), "-o", tmp_path / "out"), "is there already")


def test_paths_and_a_folder_are_asked_for(tmp_path: Path) -> None:
    assert "give the record's PATH" in pmed("history", bundle(tmp_path)).stderr


def test_the_template_is_a_mapping_that_can_be_filled(tmp_path: Path) -> None:
    path = tmp_path / "site.mapping.toml"
    assert pmed("history", "--template", path).returncode == 0
    (tmp_path / "patients.csv").write_text("id,born,sex\nkim,03.07.1950,F\n")
    (tmp_path / "medicines.csv").write_text(
        "id;medicine;from;to;dose;times_a_day;state;indication\nkim;Zocor;2025-01-02;;20;1;current;cholesterol\n")
    (tmp_path / "labs.csv").write_text("id,date,creatinine_umol,inr\nkim,2025-02-01,88,1.1\n")
    (tmp_path / "diagnoses.csv").write_text("id,icd10,since\nkim,E11.9,2020-05\n")
    done = pmed("history", path, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 patients, 1 conditions, 1 medications, 2 observations")
    drug = pl.read_parquet(tmp_path / "out" / "medications.parquet").row(0, named=True)
    assert (drug["ingredients"], drug["matched_by"], drug["daily_dose"], drug["active"], drug["reason"]) == (
        ["simvastatin"], "brand", 20.0, True, "cholesterol")
    refused(pmed("history", "--template", path), "is there already")
    refused(pmed("history", "--template", tmp_path / "x.toml"), "ends in .mapping.toml")

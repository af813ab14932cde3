"""A row that cannot be read: whose it may be, in one run and in a cohort whose records are read in parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import pmed
from pmed.cohort import run
from pmed.plugins import Plugins
from pmed.settings import Settings
from pmed.sources.lost_rows import named_in, settled
from pmed.stages.read import read
from pmed.tables import TABLES
from pmed.types import ReadRequest
from pmed.verdicts import lost

PEOPLE = 24
READING = Settings().without(["pmed-pgx", "pmed-response", "pmed-risk"])  # what is concluded is not looked at
MAPPING = """
[[file]]
path = "p.csv"
table = "patients"
[file.columns]
patient_id = "id"
sex = "sex"
birth_date = "born"

[[file]]
path = "m.csv"
table = "medications"
[file.columns]
patient_id = "id"
display = "drug"
start = "when"
"""


def lines(folder: Path, bad: str) -> Path:
    patients = [{"resourceType": "Patient", "id": f"{one}", "gender": "male", "birthDate": "1950-01-01"}
                for one in range(1, PEOPLE + 1)]
    findings = [{"resourceType": "Condition", "id": f"c{one}", "subject": {"reference": f"Patient/{one}"},
                 "code": {"text": "x" * 300}, "recordedDate": "2024-01-01"} for one in range(1, PEOPLE + 1)]
    (folder / "Patient.ndjson").write_text("\n".join(map(json.dumps, patients)) + "\n")
    (folder / "Condition.ndjson").write_text("\n".join(map(json.dumps, findings)) + f"\n{bad}\n")
    return folder


def tables(folder: Path, bad: str) -> Path:
    each = range(1, PEOPLE + 1)
    (folder / "p.csv").write_text("id,sex,born\n" + "".join(f"{one},male,1950-01-01\n" for one in each))
    (folder / "m.csv").write_text(
        "id,drug,when\n" + "".join(f"{one},warfarin,2024-01-01\n" for one in each) + f"{bad}\n")
    (folder / "x.mapping.toml").write_text(MAPPING)
    return folder / "x.mapping.toml"


def omop(folder: Path, bad: str) -> Path:
    each = range(1, PEOPLE + 1)
    (folder / "person.csv").write_text(
        "person_id,gender_concept_id,year_of_birth\n" + "".join(f"{one},8507,1950\n" for one in each))
    (folder / "drug_exposure.csv").write_text(
        "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_source_value\n"
        + "".join(f"{1000 + one},{one},1310149,2024-01-01,warfarin\n" for one in each) + f"{bad}\n")
    return folder


CASES = [
    (lines, '{"resourceType":"Condition","subj', "no-json", None),
    (lines, '{"resourceType":"Condition","subject":{"reference":"Patient/23"},"co', "bad-resource", "23"),
    (tables, "23,aspirin", "bad-row", "23"), (tables, "23,aspirin,2024-01-01,x", "bad-row", "23"),
    (tables, "aspirin,2024-01-01", "lost-row", None), (tables, "99,aspirin", "lost-row", None),
    (tables, '9,"asp', "cut-off", None),
    (omop, "2000,23,1310149,2024-01-01", "bad-line", "23"), (omop, "23,1310149,2024-01-01,warfarin", "bad-line", "23"),
    (omop, "2000,23,1310149,2024-01-01,warfarin,x,y", "bad-line", "23"),
    (omop, "2000,1310149,2024-01-01,warfarin", "lost-row", None)]


CASES += [(omop, '2000,23,1310149,2024-01-01,"asp', "cut-off", None)]
# Rows and resources that name nobody: they are anybody's.
NAMELESS = [
    (lines, '{"resourceType":"Condition","id":"c","code":{"text":"x"}}', "no-patient", None),
    (lines, '{"resourceType":"Condition","id":"c","subject":{"display":"A"},"code":{"text":"x"}}', "no-patient", None),
    (tables, ",aspirin,2024-01-01", "no-patient", None), (tables, "a b,aspirin,2024-01-01", "bad-identifier", None),
    (omop, "2000,,1310149,2024-01-01,aspirin", "no-patient", None)]


def of_whom(issues: pl.DataFrame, code: str) -> list[str]:
    return sorted(issues.filter(code=code, severity="error").drop_nulls("patient_id")["patient_id"])


@pytest.mark.parametrize(("make", "bad", "code", "whom"), [*CASES, *NAMELESS])
def test_it_is_told_of_who_is_named_or_of_everybody(make: Callable[[Path, str], Path], bad: str, code: str,
                                                    whom: str | None, tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = sorted(str(one) for one in range(1, PEOPLE + 1))
    (tmp_path / "records").mkdir()
    path = make(tmp_path / "records", bad)
    assert of_whom(pmed.read_history(path).tables["issues"], code) == ([whom] if whom else everybody)
    monkeypatch.setattr("pmed.cohort.RECORD_BYTES", 400)  # five parts
    monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 7)
    done = run(history=path, output=tmp_path / "out", jobs=1, settings=READING)
    assert len(list((tmp_path / "out" / "work" / "records").iterdir())) > 1
    assert of_whom(done.table("issues").collect(), code) == ([whom] if whom else everybody)


def test_what_it_may_have_held_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    path = tables(tmp_path / "m", "23,aspirin")
    taken = pmed.run(history=path).tables["features"].select("patient_id", "on:amiodarone")
    assert taken.filter(pl.col("on:amiodarone").is_null())["patient_id"].to_list() == ["23"]


def test_a_field_of_several_lines_is_no_short_line(tmp_path: Path) -> None:
    path = omop(tmp_path, '2000,23,1310149,2024-01-01,"one\n\ntwo"')
    assert pmed.run(history=path).tables["issues"].filter(severity="error").is_empty()


@pytest.mark.parametrize(("row", "place", "width", "names"), [
    (["a", "p"], 1, 3, ["p", "a"]), (["a", "p", "x", "y"], 1, 3, ["p", "x"]), (["a"], 3, 4, ["a"]), ([" "], 0, 2, [])])
def test_names_are_counted_from_both_ends(row: list[str], place: int, width: int, names: list[str]) -> None:
    assert named_in(row, place, width) == names


def test_of_several_names_those_who_are_known_count() -> None:
    def issue(place: str, patient: str) -> dict[str, str]:
        return {"file": "x", "place": place, "severity": "error", "code": "bad-row", "patient_id": patient}

    rows = [issue("line 1", "ann"), issue("line 1", "7"), issue("line 2", "8"), issue("line 2", "9")]
    told = settled(TABLES["issues"].frame(rows), ["ann", "bob"])
    assert told.select("place", "code", "patient_id").rows() == [("line 1", "bad-row", "ann"),
                                                                 ("line 2", "lost-row", None)]


TAKEN = "on:amiodarone"


def of_many(folder: Path, people: int, bad: str) -> pl.DataFrame:
    """The features and issues of so many people, all on warfarin, and a row that names nobody."""
    each = range(1, people + 1)
    (folder / "p.csv").write_text("id,sex,born\n" + "".join(f"{one},male,1950-01-01\n" for one in each))
    (folder / "m.csv").write_text(
        "id,drug,when\n" + "".join(f"{one},warfarin,2024-01-01\n" for one in each) + f"{bad}\n")
    (folder / "x.mapping.toml").write_text(MAPPING)
    return read_records(folder / "x.mapping.toml")["issues"].filter(code="no-patient")


def read_records(path: Path) -> dict[str, pl.DataFrame]:
    sources = Plugins().load(only=()).components("register_sources")
    return read(sources, "history", [path], ReadRequest(TABLES["sites"].empty(), index_date="2024-06-01"))


@pytest.mark.parametrize(("people", "rows", "severity"), [(1, 1, "error"), (24, 1, "error"), (1000, 1, "error"),
                                                          (1001, 1, "warning"), (1999, 2, "error")])
def test_a_rare_row_of_nobody_is_only_told(tmp_path: Path, people: int, rows: int, severity: str) -> None:
    told = of_many(tmp_path, people, "\n".join([",aspirin,2024-01-01"] * rows))
    assert told.filter(severity=severity)["patient_id"].drop_nulls().n_unique() == people
    assert told["place"][0] == f"line {people + 2} column id (MedicationStatement)"


def test_a_medicine_of_nobody_leaves_allergies_as_they_are(tmp_path: Path) -> None:
    issues = of_many(tmp_path, 2, ",aspirin,2024-01-01")
    people = pl.DataFrame({"patient_id": ["1", "2"]})
    assert people.select(lost(issues, "MedicationStatement")).to_series().to_list() == [True, True]
    assert people.select(lost(issues, "AllergyIntolerance")).to_series().to_list() == [False, False]
    taken = pmed.run(history=tmp_path / "x.mapping.toml").tables["features"][TAKEN]
    assert taken.to_list() == [None, None]

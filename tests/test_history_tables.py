"""The folder of ``pmed history`` as a record: what comes of it is what comes of the record, or one clear line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import pmed
from pmed.cohort import run as cohort
from pmed.errors import HistoryError
from pmed.records import read_histories, write_histories
from pmed.sources import history_tables, row_parts
from pmed.sources.history_tables import SUMMARY, HistoryTablesSource, in_order
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty())
AGAIN = "write the tables again with pmed history"


def entry(kind: str, patient: str, **more: object) -> dict:
    return {"resourceType": kind, "subject": {"reference": f"Patient/{patient}"}, **more}


def lab(patient: str, code: str, value: object, unit: str = "", day: str = "2026-03-01") -> dict:
    said = {"valueString": value} if isinstance(value, str) else {"valueQuantity": {"value": value, "unit": unit}}
    return entry("Observation", patient, status="final", effectiveDateTime=day, **said,
                 code={"coding": [{"system": "http://loinc.org", "code": code}]})


def taken(patient: str, text: str, status: str = "active", kind: str = "MedicationStatement") -> dict:
    return entry(kind, patient, status=status, intent="order", authoredOn="2019-01-02",
                 medicationCodeableConcept={"text": text}, dosage=[{"text": "as directed"}])


def person(name: str) -> list[dict]:
    """Somebody of whom much is odd: units, figures in words, what is denied, what is not known."""
    return [
        {"resourceType": "Patient", "id": name, "birthDate": "1950-07-03", "gender": "female"},
        lab(name, "2160-0", 90, "umol/L"), lab(name, "2160-0", 3, "parsecs", "2026-03-02"),
        lab(name, "8302-2", 1.75, "cm"),
        lab(name, "29463-7", "150 lb"), lab(name, "2345-7", "> 30"), lab(name, "6301-6", "about three"),
        lab(name, "2823-3", "4.5 mmol/L"), lab(name, "4548-4", 48, "mmol/mol"),
        taken(name, "Simvistatin 20 MG Oral Tablet"), taken(name, "Karvelonum"),
        taken(name, "warfarin 5 MG", "on-hold"),
        taken(name, "clopidogrel 75 MG", kind="MedicationRequest"), taken(name, "clopidogrel 75 MG", "stopped"),
        {"resourceType": "AllergyIntolerance", "patient": {"reference": f"Patient/{name}"}, "code": {"text": "None"}},
        entry("Condition", name, code={"text": "no evidence of heart failure"}, onsetDateTime="2020"),
        entry("Condition", name, code=5)]


def ndjson(folder: Path, names: list[str]) -> Path:
    """Records by kind of resource, of which the patients' rows of a kind lie between those of others."""
    folder.mkdir()
    for row, resource in enumerate(one for rows in zip(*map(person, names), strict=True) for one in rows):
        with (folder / f"{resource['resourceType']}.ndjson").open("a") as file:
            file.write(json.dumps({"id": f"r{row}", **resource}) + "\n")
    return folder


def written(paths: list[Path], folder: Path, **more: str) -> Path:
    write_histories(read_histories(paths, **more), folder)
    return folder


def same(one: Mapping[str, pl.DataFrame], other: Mapping[str, pl.DataFrame]) -> None:
    assert one.keys() == other.keys()
    for name, frame in one.items():
        assert_frame_equal(frame, other[name], check_row_order=False)


def test_what_comes_of_the_tables_comes_of_the_record(tmp_path: Path) -> None:
    record = ndjson(tmp_path / "records", ["p1", "p2", "p3"])
    pmed.read_history(record).save(folder := tmp_path / "tables")
    direct, again = (pmed.run(history=one).tables for one in (record, folder))
    more = again["issues"].join(direct["issues"], on=direct["issues"].columns, how="anti", nulls_equal=True)
    assert {*more["code"]} == {"value-in-words"}  # of a value whose unit nobody knew, which is a text in the tables
    same(direct, {**again, "issues": again["issues"].join(more, on=more.columns, how="anti", nulls_equal=True)})
    assert direct["suggestions"].height
    assert {"unknown-unit", "implausible-value", "fuzzy-drug-name", "old-entry"} < {*direct["issues"]["code"]}


def test_what_comes_of_real_records_comes_of_their_tables(shared: Path, tmp_path: Path) -> None:
    records = sorted((shared / "data" / "fhir" / "synthea").glob("*.json"))
    direct = read_histories(records).tables
    write_histories(read_histories(records), tmp_path / "tables")
    again = read_histories([tmp_path / "tables"]).tables
    assert direct["observations"].height > 5000
    same(direct, again)


@pytest.mark.parametrize("name", ["stent", "transplant", "partial", "warfarin"])
def test_a_report_from_tables_is_that_from_the_record(tmp_path: Path, name: str) -> None:
    files = pmed.demo_files(name)
    folder = written([files.history], tmp_path / "tables")
    direct, again = (pmed.run(files.genome, one) for one in (files.history, folder))
    same(direct.tables, again.tables)


def test_a_cohort_reads_tables_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = ndjson(tmp_path / "records", [f"p{number}" for number in range(7)])
    folder = written([record], tmp_path / "tables")
    monkeypatch.setattr("pmed.cohort.RECORD_BYTES", 1)
    parts, read = [], HistoryTablesSource.read
    monkeypatch.setattr(HistoryTablesSource, "read", lambda self, paths, request: parts.extend(paths) or read(
        self, paths, request))
    made = cohort([], [folder], output=tmp_path / "parts", jobs=1)
    assert len(parts) == 7
    assert not list((made.folder / "work" / "parts").rglob("*.history-part"))
    whole = cohort([], [record], output=tmp_path / "whole", jobs=1)
    assert whole.people == made.people == 7
    for name in ("people", "exposures", "predictions", "suggestions"):
        assert_frame_equal(whole.table(name).collect(), made.table(name).collect(), check_row_order=False)


@given(owners=st.lists(st.sampled_from(["a", "b", "c", "stranger", None]), max_size=12), many=st.integers(1, 5),
       at_once=st.integers(1, 4), people=st.permutations(["a", "b", "c"]))
def test_every_row_is_in_one_part_beside_the_others_of_its_patient(
        tmp_path_factory: pytest.TempPathFactory, owners: list[str | None], many: int, at_once: int,
        people: list[str]) -> None:
    tables = {"patients": TABLES["patients"].frame([{"patient_id": one} for one in people]),
              "issues": TABLES["issues"].frame([
                  {"file": str(row), "severity": "info", "code": "x", "text": "x", "patient_id": owner}
                  for row, owner in enumerate(owners)])}
    folder = tmp_path_factory.mktemp("tables")
    for name, frame in in_order(tables):
        frame.write_parquet(folder / f"{name}.parquet")
    (folder / SUMMARY).write_text(json.dumps({"format": history_tables.FORMAT, "rows": {
        name: frame.height for name, frame in tables.items()}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_tables, "_AT_ONCE", at_once)
        places = HistoryTablesSource().parted([folder], folder, (3 + len(owners)) * row_parts.ROW_BYTES // many)
    made = [HistoryTablesSource().read([place], REQUEST) for place in places or [folder]]
    assert [one for part in made for one in part["patients"]["patient_id"]] == people
    rows = [(name, owner) for part in made for name, owner in part["issues"].select("file", "patient_id").rows()]
    assert sorted(rows) == sorted((str(row), owner) for row, owner in enumerate(owners))
    for part in made[1:]:
        assert {*part["issues"]["patient_id"]} <= {*part["patients"]["patient_id"]}


def test_rows_in_disorder_are_read_at_once(tmp_path: Path) -> None:
    folder = written([ndjson(tmp_path / "records", ["p1", "p2"])], tmp_path / "tables")
    path = folder / "observations.parquet"
    pl.read_parquet(path).sort("row", "patient_id").write_parquet(path)
    assert HistoryTablesSource().parted([folder], tmp_path, 1) == []
    assert pmed.read_history(folder).tables["observations"].height == 16


def cut(folder: Path) -> None:
    path = folder / "medications.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def shorter(folder: Path) -> None:
    path = folder / "medications.parquet"
    pl.read_parquet(path).head(2).write_parquet(path)


def other_columns(folder: Path) -> None:
    path = folder / "medications.parquet"
    pl.read_parquet(path).drop("active").write_parquet(path)


def other_format(folder: Path) -> None:
    path = folder / SUMMARY
    path.write_text(path.read_text().replace(history_tables.FORMAT, "pmed/history/99"))


@pytest.mark.parametrize(("harm", "said"), [
    (lambda folder: (folder / "allergies.parquet").unlink(), rf"allergies.parquet: is not there.*look empty \({AGAIN}"),
    (cut, rf"medications.parquet: cannot be read as Parquet: .*\({AGAIN}"),
    (shorter, rf"medications.parquet: 2 rows, where the summary says 5: not the whole table \({AGAIN}"),
    (other_columns, "medications.parquet: not a 'medications' table: medications.active is missing"),
    (other_format, rf"tables: tables of pmed/history/99, where this pmed reads pmed/history/1 \({AGAIN}"),
])
def test_what_is_not_whole_is_refused_in_one_line(tmp_path: Path, harm: Callable[[Path], None], said: str) -> None:
    folder = written([ndjson(tmp_path / "records", ["p1"])], tmp_path / "tables")
    assert pmed.read_history(folder).tables["allergies"].height == 1
    harm(folder)
    with pytest.raises(pmed.PmedError, match=said) as raised:
        pmed.read_history(folder)
    assert "\n" not in str(raised.value)


def test_tables_as_csv_are_not_read(tmp_path: Path) -> None:
    write_histories(read_histories([ndjson(tmp_path / "records", ["p1"])]), tmp_path / "tables", "csv")
    with pytest.raises(HistoryError, match="CSV loses lists: write the tables without --format csv"):
        pmed.read_history(tmp_path / "tables")


def test_tables_are_of_their_day_alone(tmp_path: Path) -> None:
    record = ndjson(tmp_path / "records", ["p1", "p2"])
    folder = written([record], tmp_path / "tables", index_date="2026-06-01")
    for day in ("", "2026-06-01"):
        assert pmed.run(history=folder, index_date=day).tables["patients"]["index_date"].unique().to_list() == [
            pl.Series(["2026-06-01"]).str.to_date()[0]]
    with pytest.raises(HistoryError, match=r"of 2026-06-01 \(patient p1\), not of 2026-07-01.*--index-date 2026-07-01"):
        pmed.run(history=folder, index_date="2026-07-01")


def test_one_patient_in_two_folders_is_refused(tmp_path: Path) -> None:
    record = ndjson(tmp_path / "records", ["p1"])
    folders = [written([record], tmp_path / name) for name in ("one", "two")]
    with pytest.raises(HistoryError, match="patient p1 is in more than one folder"):
        pmed.read_history(folders)

"""A folder of bundles read by several processes is what one process reads, issues and order included."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.errors import HistoryError
from pmed.sources import fhir_shares
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests.fhir_shared import sharing


def read(paths: list[Path], processes: int = 1) -> dict[str, pl.DataFrame]:
    return FhirSource(processes=processes).read(paths, ReadRequest(TABLES["sites"].empty()))


def bundle(name: str, *more: dict[str, Any]) -> bytes:
    """One patient with a medicine that is described elsewhere in it, a measurement and a finding that is odd."""
    about = {"subject": {"reference": f"Patient/{name}"}}
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": name, "birthDate": "1950-01-01"},
        {"resourceType": "Medication", "id": "m", "code": {"text": f"aspirin of {name}"}},
        {"resourceType": "MedicationRequest", "id": "r", "status": "active", "intent": "order", **about,
         "medicationReference": {"reference": "Medication/m"}},
        {"resourceType": "Observation", "id": "o", "code": {"text": "weight"}, "valueQuantity": {"value": 70}, **about},
        {"resourceType": "Observation", "id": "range", "code": {"text": "dose"}, "valueRange": {}, **about},
        {"resourceType": "Condition", "id": "nobody", "subject": {"reference": "Patient/else"}}, *more]
    return json.dumps({"resourceType": "Bundle", "type": "collection",
                       "entry": [{"resource": one} for one in resources]}).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine patients, one file gzipped, one that is no JSON and one that is no FHIR."""
    for number in range(9):
        (tmp_path / f"p{number}.json").write_bytes(bundle(f"p{number}"))
    (tmp_path / "p3.json").unlink()
    (tmp_path / "p3.json.gz").write_bytes(gzip.compress(bundle("p3")))
    (tmp_path / "p5-cut.json").write_bytes(bundle("p5")[:-40])
    (tmp_path / "p7-list.json").write_text('{"files": 9}')
    return tmp_path


@pytest.fixture
def could(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether several processes could, at each read; little is shared as well."""
    return sharing(monkeypatch, "read_shared_bundles")


def same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    assert one.keys() == other.keys()
    for name, frame in one.items():
        assert frame.equals(other[name]), name


@pytest.mark.parametrize("many", [2, 3])
def test_the_same_rows_and_issues_in_the_same_order(folder: Path, could: list[bool], many: int) -> None:
    alone = read([folder])
    assert alone["patients"].height == alone["medications"].height == 9
    assert set(alone["issues"]["code"]) >= {"bad-file", "not-fhir", "value-not-read", "unknown-patient"}
    same(alone, read([folder], many))
    assert could == [False, True]


def test_who_took_the_place_of_a_record_in_another_share(folder: Path, could: list[bool]) -> None:
    link = b'"id": "p8", "link": [{"type": "replaced-by", "other": {"reference": "Patient/p1"}}]'
    (folder / "p8.json").write_bytes((folder / "p8.json").read_bytes().replace(b'"id": "p8"', link, 1))
    alone = read([folder])
    assert {*alone["issues"].filter(code="merge-not-followed")["patient_id"]} == {"p1", "p8"}
    same(alone, read([folder], 2))
    assert could == [False, True]


def test_files_by_name(folder: Path, could: list[bool]) -> None:
    paths = sorted([*folder.glob("p?.json"), *folder.glob("*.gz")])
    same(read(paths), read(paths, 2))
    assert could == [False, True]


@pytest.mark.parametrize("more", ["again", "lines", "single"])
def test_what_only_one_process_can_judge_is_left_to_it(folder: Path, could: list[bool], more: str) -> None:
    text = {"again": ("p9.json", bundle("p0")),
            "lines": ("p9.ndjson", b'{"resourceType": "Patient", "id": "p9", "birthDate": "1950-01-01"}\n'),
            "single": ("p9.json", b'{"resourceType": "Patient", "id": "p9", "birthDate": "1950-01-01"}')}
    name, content = text[more]
    (folder / name).write_bytes(content)
    alone = read([folder])
    assert (alone["patients"].height, "duplicate-resource" in alone["issues"]["code"]) == {
        "again": (9, True)}.get(more, (10, False))
    same(alone, read([folder], 2))
    assert could == [False, False]


@pytest.mark.parametrize("name", ["p0.json", "p8.json"])
def test_a_patient_that_cannot_be_used_is_told_as_by_one(folder: Path, could: list[bool], name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes().replace(b"1950-01-01", b"1950-13-01"))
    with pytest.raises(HistoryError) as alone:
        read([folder])
    with pytest.raises(HistoryError) as shared:
        read([folder], 2)
    assert str(shared.value) == str(alone.value)
    assert name in str(alone.value)


def test_a_process_that_does_not_start_or_answer(folder: Path, could: list[bool],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    alone = read([folder])
    for program in ("/no/such/python", "/bin/false"):
        monkeypatch.setattr("sys.executable", program)
        same(alone, read([folder], 2))
    assert could == [False, False, False]


def test_a_process_of_a_pool_starts_no_others(folder: Path, could: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.parent_process", lambda: "the one that has the pool")
    monkeypatch.setattr(fhir_shares, "_started", lambda _: pytest.fail("a process was started"))
    assert read([folder], 2)["patients"].height == 9


def test_little_is_read_by_one_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_shares, "_started", lambda _: pytest.fail("a process was started"))
    assert read([folder], 0)["patients"].height == 9

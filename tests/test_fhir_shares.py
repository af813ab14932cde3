"""NDJSON read by several processes is what one process reads, issues and order included."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.errors import HistoryError, OptionError
from pmed.options import build
from pmed.sources import fhir_kept, fhir_shares
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests.fhir_shared import sharing

PEOPLE = [f"p{number}" for number in range(9)]


def read(folder: Path, processes: int = 0) -> dict[str, pl.DataFrame]:
    return FhirSource(processes=processes).read([folder], ReadRequest(TABLES["sites"].empty()))


def patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "birthDate": "1950-01-01"}


def about(kind: str, name: str, number: int, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": f"{kind[:3]}-{number}", "subject": {"reference": f"Patient/{name}"},
            "code": {"text": f"what {number}"}, **more}


def write(path: Path, resources: list[Any]) -> None:
    text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in resources).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export with each kind of fault, in both halves of its largest file."""
    tablet = {"resourceType": "Medication", "id": "m", "code": {"text": "aspirin"}}
    order = {"medicationReference": {"reference": "Medication/m"}, "status": "active", "intent": "order"}
    observations: list[Any] = [about("Observation", name, index * 9 + place, effectiveDateTime="2020-01-01",
                                     valueQuantity={"value": index, "unit": "kg"})
                               for index in range(20) for place, name in enumerate(PEOPLE)]
    for place in (170, 3):
        observations.insert(place, "")
        observations.insert(place, {"resourceType": "Observation", "id": "odd", "code": 5})
        observations.insert(place, "{no JSON")
        observations.insert(place, about("Observation", "nobody", 900 + place))
        observations.insert(place, about("Observation", PEOPLE[0], 950 + place, valueRange={}))
    write(tmp_path / "Condition.ndjson.gz", [about("Condition", name, 1) for name in PEOPLE])
    write(tmp_path / "Medication.ndjson", [tablet])
    write(tmp_path / "MedicationRequest.ndjson", [about("MedicationRequest", name, 1, **order) for name in PEOPLE])
    write(tmp_path / "Observation.ndjson", observations)
    write(tmp_path / "Patient.ndjson", [patient(name) for name in PEOPLE])
    return tmp_path


def shared(monkeypatch: pytest.MonkeyPatch, folder: Path, many: int = 3) -> tuple[dict[str, pl.DataFrame], list[bool]]:
    """What several processes read, and whether they could."""
    could = sharing(monkeypatch, "read_shared")
    return read(folder, many), could


def same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for name, frame in one.items():
        assert frame.equals(other[name]), name


@pytest.mark.parametrize("many", [2, 3])
def test_the_same_rows_and_issues_in_the_same_order(folder: Path, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    alone = read(folder)
    assert alone["observations"].height == 182
    assert alone["medications"]["display"].to_list() == ["aspirin"] * 9
    assert alone["issues"].filter(pl.col("severity") == "error").height == 6
    found, could = shared(monkeypatch, folder, many)
    assert could == [True]
    same(alone, found)


def left_to_one(monkeypatch: pytest.MonkeyPatch, folder: Path, alone: dict[str, pl.DataFrame]) -> None:
    """What several processes were asked for is done by one, with what it gives alone."""
    found, could = shared(monkeypatch, folder)
    assert could == [False]
    same(alone, found)


def test_what_only_one_process_can_judge_is_left_to_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (folder / "Observation.ndjson").read_text().splitlines()
    write(folder / "Observation.ndjson", [*lines, lines[0]])
    alone = read(folder)
    assert "duplicate-resource" in alone["issues"]["code"]
    left_to_one(monkeypatch, folder, alone)


def test_a_patient_among_other_types(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "Observation.ndjson").open("a") as file:
        file.write(json.dumps(patient("late")) + "\n" + json.dumps(about("Observation", "late", 5000)) + "\n")
    alone = read(folder)
    assert "late" in alone["observations"]["patient_id"]
    left_to_one(monkeypatch, folder, alone)


def test_a_process_that_does_not_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = read(folder)
    monkeypatch.setattr("sys.executable", "/no/such/python")
    left_to_one(monkeypatch, folder, alone)


@pytest.mark.parametrize("does", ["exit 0", "head -c 999 /dev/zero", "head -c 999 /dev/zero; exit 3", "kill -9 $$"])
def test_a_process_that_does_not_answer(folder: Path, tmp_path_factory: pytest.TempPathFactory,
                                        monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    alone = read(folder)
    other = tmp_path_factory.mktemp("bin") / "python"
    other.write_text(f"#!/bin/sh\n{does}\n")
    other.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(other))
    left_to_one(monkeypatch, folder, alone)


def test_a_job_is_told_while_the_other_process_begins() -> None:
    """A pipe holds less of it than there is where people are many: the own share does not wait."""
    with subprocess.Popen(["sleep", "5"], stdin=subprocess.PIPE) as other:
        fhir_shares._tell(other, b"x" * 1_000_000)
        assert other.poll() is None
        other.kill()


def test_a_damaged_file_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "Condition.ndjson.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(HistoryError, match="damaged or cut off"):
        shared(monkeypatch, folder)


@pytest.mark.parametrize(("asked", "cpus", "started"), [(0, 3, 2), (0, 1, 0), (2, 8, 1), (1, 8, 0), (3, 1, 2)])
def test_how_many_processes(folder: Path, monkeypatch: pytest.MonkeyPatch, asked: int, cpus: int,
                            started: int) -> None:
    begun: list[int] = []
    inner = fhir_shares._started
    monkeypatch.setattr(fhir_shares, "_started", lambda answer: (begun.append(1), inner(answer))[1])
    monkeypatch.setattr(fhir_shares, "LEAST", 1)
    monkeypatch.setattr(fhir_shares, "START", 0)
    monkeypatch.setattr("os.cpu_count", lambda: cpus)
    assert read(folder, asked)["patients"].height == 9
    assert len(begun) == started


def test_the_number_of_processes_is_a_setting() -> None:
    assert build(FhirSource, {"processes": 2}) == FhirSource(processes=2)
    with pytest.raises(OptionError, match="processes"):
        build(FhirSource, {"processes": -1})


def test_little_is_read_by_one_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_shares, "_started", lambda _: pytest.fail("a process was started"))
    assert read(folder)["patients"].height == 9


def test_rows_that_are_packed_are_still_compared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "Observation.ndjson").open("a") as file:
        file.write(json.dumps(about("Observation", "p0", 0) | {"code": {"text": "else"}}) + "\n")
        file.write((folder / "Observation.ndjson").read_text().splitlines()[0] + "\n")
    alone = read(folder)
    assert alone["issues"].filter(pl.col("code") == "duplicate-resource")["text"].to_list() == [
        "given before and differs: which version holds is not known, so how it stands is unknown; give the newest one "
        "only", "given before and the same; used once"]
    monkeypatch.setattr(fhir_kept, "PACKED", 2)
    same(alone, read(folder))

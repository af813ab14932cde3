"""What a server says of its own answer: held back, cut short or failed, what is not found is unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pmed.records import read_histories
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from pmed.verdicts import lost

PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1950-07-03"}


def told(folder: Path, *issue: object, people: int = 1) -> tuple[list[Any], list[bool]]:
    """Issues, and of whom an order may be lost."""
    said = {"resourceType": "OperationOutcome", "id": "o", "issue": list(issue)}
    everybody = [PATIENT | {"id": f"p{number}"} for number in range(people)]
    path = folder / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": [
        {"resource": one} for one in (*everybody, said)]}))
    tables = read_histories([path], index_date="2026-06-15").tables
    return tables["issues"].select("severity", "code", "place").rows(), tables["patients"].select(
        lost(tables["issues"], "MedicationRequest")).to_series().to_list()


@pytest.mark.parametrize("issue", [
    {"severity": "warning", "code": "incomplete"}, {"severity": "warning", "code": "suppressed"},
    {"severity": "error", "code": "processing"}, {"severity": "fatal"},
    {"severity": "information", "code": "throttled"}])
def test_an_answer_that_is_not_whole(tmp_path: Path, issue: dict[str, str]) -> None:
    remark = {"severity": "information", "code": "informational"}
    assert told(tmp_path, remark, issue) == ([("error", "incomplete-answer", "entry[1]")], [True])
    assert told(tmp_path, remark, issue, people=2)[1] == [True, True]


@pytest.mark.parametrize("issue", [
    {"severity": "information", "code": "informational"}, {"severity": "warning", "code": "not-found"}, {}, 5,
    {"severity": 5, "code": ["incomplete"]}])
def test_a_remark_takes_nothing_away(tmp_path: Path, issue: object) -> None:
    assert told(tmp_path, issue) == ([], [False])


MANIFEST = {"transactionTime": "2024-01-01T00:00:00Z", "request": "https://a.example/$export",
            "requiresAccessToken": True, "output": [{"type": "Patient", "url": "https://a.example/1"}], "error": []}


@pytest.mark.parametrize(("more", "codes"), [
    ({}, []), ({"error": [{"type": "OperationOutcome", "url": "https://a.example/e"}]}, ["incomplete-answer"]),
    ({"output": None}, ["not-fhir"]), ({"transactionTime": None}, ["not-fhir"])])
def test_the_manifest_of_an_export_is_no_resource(tmp_path: Path, more: dict[str, object], codes: list[str]) -> None:
    (tmp_path / "Patient.ndjson").write_text('{"resourceType":"Patient","id":"p","birthDate":"1950-01-01"}\n')
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST | more))
    tables = FhirSource().read([tmp_path], ReadRequest(TABLES["sites"].empty(), index_date="2024-06-01"))
    assert tables["issues"].filter(severity="error")["code"].to_list() == codes

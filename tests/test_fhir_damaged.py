"""Whose record a FHIR file may be part of that cannot be read, and what is unknown of them for it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.errors import HistoryError
from pmed.plugins import Component
from pmed.records import read_histories, write_histories
from pmed.sources.fhir import FhirSource
from pmed.stages import read as reading
from pmed.tables import TABLES
from pmed.types import ReadRequest
from pmed.verdicts import lost

REQUEST = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-15")


def patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "birthDate": "1950-07-03"}


def condition(name: str, of: str = "") -> dict[str, Any]:
    return {"resourceType": "Condition", "id": f"c-{name}{of}", "subject": {"reference": of or f"Patient/{name}"},
            "code": {"text": "gout"}}


def bundle(*resources: object) -> bytes:
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}).encode()


def dark(tables: dict[str, pl.DataFrame]) -> list[str]:
    """Patients of whom a diagnosis that is not found is unknown."""
    return tables["patients"].filter(lost(tables["issues"], "Condition"))["patient_id"].to_list()


def read(folder: Path, files: dict[str, bytes]) -> dict[str, pl.DataFrame]:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return FhirSource().read([folder], REQUEST)


EACH = {f"{name}.json": bundle(patient(name), condition(name)) for name in ("p1", "p2", "p3")}
MORE = {**EACH, "p3-labs.json": bundle(patient("p3"), condition("p3", "Patient/p3/_history/1"))}
MANY = [condition("p1", f"Patient/p1/_history/{number}") for number in range(999)]
CUT = b'{"resourceType": "Bundle", "entry": [{"resource": '


@pytest.mark.parametrize(("name", "data", "whom"), [
    ("x.json", bundle(patient("p2"), condition("p2"))[:-9], ["p2"]),
    ("x.json", CUT + json.dumps(condition("p1"))[:-8].encode(), ["p1"]),
    ("x.json", CUT + b'{"subject": {"reference": "urn:uuid:p1"}, "co', ["p1"]),
    ("x.json.gz", gzip.compress(bundle(patient("p1"), *MANY))[:-500], ["p1"]),
    ("labs_p3.json", CUT, ["p3"]),
    ("p3.json.gz", b"\x1f\x8b", ["p3"]),
    ("x.json", CUT + b'{"subject": {"reference": "Patient/p1', []),  # of p10, perhaps
    ("x.json", bundle(patient("p9"))[:-9], []),
    ("x.json", CUT, []),
    ("x.json", b"", [])])
def test_of_whole_records_only_that_is_unknown_which_the_file_names(tmp_path: Path, name: str, data: bytes,
                                                                    whom: list[str]) -> None:
    tables = read(tmp_path, {**EACH, name: data})
    assert dark(tables) == whom
    codes = tables["issues"].filter(file=name)["code"].to_list()
    assert codes == (["bad-file"] if whom else ["bad-file", "another-patient"])


@pytest.mark.parametrize(("name", "data", "whom"), [
    ("x.json", CUT, ["p1", "p2", "p3"]),
    ("part-2.json", b"", ["p1", "p2", "p3"]),
    ("x.json.gz", b"\x1f\x8b", ["p1", "p2", "p3"]),
    ("p1-labs.json", CUT, ["p1"]),
    ("x.json", bundle(patient("p2"))[:-9], ["p2"]),
    ("x.json", bundle(patient("p9"))[:-9], [])])
def test_where_a_patient_has_several_files_it_may_be_about_everybody(tmp_path: Path, name: str, data: bytes,
                                                                     whom: list[str]) -> None:
    tables = read(tmp_path, {**MORE, name: data})
    assert dark(tables) == whom


def test_loose_resources_are_no_whole_records(tmp_path: Path) -> None:
    loose = {f"{name}.json": json.dumps(patient(name)).encode() for name in ("p1", "p2")}
    assert dark(read(tmp_path, {**loose, "x.json": b'{"resourceType": "Condition", '})) == ["p1", "p2"]


def test_a_number_in_the_name_of_a_file_names_nobody(tmp_path: Path) -> None:
    one, two = (bundle(patient(name)) for name in "12")
    assert dark(read(tmp_path, {"a.json": one, "b.json": two, "c.json": one, "part-2.json": CUT})) == ["1", "2"]
    (tmp_path / "part-2.json").unlink()
    assert dark(read(tmp_path, {"2.json": CUT})) == ["2"]


@pytest.mark.parametrize(("line", "whom"), [
    (json.dumps(condition("p2"))[:-9], ["p2"]), ('{"resourceType":"Condition","id":"c', ["p1", "p2"]),
    ('{"resourceType":"Condition","id":"c","sub', ["p1", "p2"]), ("{oops}", ["p1", "p2"]),
    ('{"resourceType":"Condition","subject":{"reference":"Patient/p9"},', [])])
def test_a_line_that_cannot_be_read(tmp_path: Path, line: str, whom: list[str]) -> None:
    lines = "".join(f"{json.dumps(one)}\n" for one in (patient("p1"), patient("p2"), condition("p1")))
    (tmp_path / "a.ndjson").write_text(f"{lines}{line}\n{line}")
    tables = reading.read([Component("fhir", FhirSource(), "pmed.builtin", "-")], "history", [tmp_path], REQUEST)
    assert dark(tables) == whom
    told = tables["issues"].filter(severity="error")["place"].to_list()
    assert [" ".join(one.split()[:2]) for one in told] == ["line 4"] * max(len(whom), 1) + ["line 5"]


def test_what_is_told_of_everybody_counts_once(tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    read(records, {**MORE, "x.json": CUT})
    with pytest.raises(HistoryError, match="^[^;]*not JSON"):
        write_histories(read_histories([records]), tmp_path / "out", strict=True)

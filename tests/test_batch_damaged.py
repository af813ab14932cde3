"""What a record that cannot be read costs the reports of those whom it may be about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pmed.batch import Asked, Cohort, batch
from pmed.settings import Settings
from tests.damaged_records import CUT, record, record_of_each

ALL = ["ann", "bob"]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return record_of_each(tmp_path / "records", ALL)


def told(out: Path, *history: Path) -> dict[str, list[str]]:
    """Whose report says of what files that they cannot be read; all are asked for, what is unchanged is kept."""
    done = batch(Cohort(history=history), Asked(out, Settings(), formats=("json",)), jobs=1)
    found: dict[str, list[str]] = {}
    for line in done.lines:
        if line.file:
            result: dict[str, Any] = json.loads((out / line.file).with_suffix(".json").read_text())
            issues = result["patients"][0]["issues"]
            found[line.patient_id] = [one["file"] for one in issues if one["code"] == "bad-file"]
    return found


@pytest.mark.parametrize(("name", "text", "whom"), [
    ("x.json", CUT, []), ("x.json", CUT + '{"subject": {"reference": "Patient/bob"}, ', ["bob"]),
    ("ann-2.json", CUT, ["ann"]), ("x.json", CUT + '{"subject": {"reference": "Patient/eve"}, ', [])])
def test_of_whole_records_only_that_is_unknown_which_the_file_names(tmp_path: Path, records: Path, name: str, text: str,
                                                                    whom: list[str]) -> None:
    assert told(tmp_path / "out", records) == {one: [] for one in ALL}
    (records / name).write_text(text)
    assert told(tmp_path / "out", records) == {one: [name] if one in whom else [] for one in ALL}
    (records / name).unlink()
    assert told(tmp_path / "out", records) == {one: [] for one in ALL}


def test_where_a_patient_has_two_files_it_may_be_about_everybody(tmp_path: Path, records: Path) -> None:
    record(records, "ann", "ann-2")
    (records / "x.json").write_text(CUT)
    assert told(tmp_path / "out", records) == {one: ["x.json"] for one in ALL}


def test_lines_that_cannot_be_read_may_be_about_those_in_bundles(tmp_path: Path, records: Path) -> None:
    lines = tmp_path / "x.ndjson.gz"
    lines.write_bytes(b"\x1f\x8b")
    assert told(tmp_path / "out", records, lines) == {one: ["x.ndjson.gz"] for one in ALL}


def test_what_is_no_fhir_is_about_nobody(tmp_path: Path, records: Path) -> None:
    other = tmp_path / "ann.json"
    other.write_text('{"name": "ann"}')
    assert told(tmp_path / "out", records, other) == {one: [] for one in ALL}

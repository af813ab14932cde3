"""What a record that cannot be read costs those of a cohort whom it may be about."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmed.cohort import run
from tests.damaged_records import CUT, record, record_of_each

ALL = ["ann", "bob", "eve"]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return record_of_each(tmp_path / "records", ALL)


def told(out: Path, *history: Path) -> dict[str, list[str]]:
    """What files that cannot be read are told of each patient."""
    done = run(history=history, output=out, jobs=1)
    bad = done.table("issues").filter(code="bad-file", severity="error").select("patient_id", "file").collect()
    return {one: [file for patient, file in bad.iter_rows() if patient == one] for one in ALL}


@pytest.mark.parametrize(("name", "text", "whom"), [
    ("x.json", CUT, []), ("x.json", CUT + '{"subject": {"reference": "Patient/bob"}, ', ["bob"]),
    ("ann-2.json", CUT, ["ann"]), ("x.json", CUT + '{"subject": {"reference": "Patient/zoe"}, ', []),
    ("x.json", '{"name": "ann"}', [])])
def test_of_whole_records_only_that_is_unknown_which_the_file_names(
        tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, whom: list[str]) -> None:
    monkeypatch.setattr("pmed.cohort.plan.PEOPLE", 2)  # so that there are several chunks
    (records / name).write_text(text)
    assert told(tmp_path / "out", records) == {one: [name] if one in whom else [] for one in ALL}


def test_what_is_not_found_of_them_is_unknown(tmp_path: Path, records: Path) -> None:
    (records / "ann-2.json").write_text(CUT)
    done = run(history=records, output=tmp_path / "out", jobs=1)
    assert list(done.unread) == [str(records / "ann-2.json")]
    rows = done.table("predictions").filter(predictor="has-bled").select(
        "patient_id", "reason", "status").collect()
    said = {patient: (reason, status) for patient, reason, status in rows.iter_rows()}
    assert said["bob"] == said["eve"] != said["ann"]


def test_where_a_patient_has_two_files_it_may_be_about_everybody(tmp_path: Path, records: Path) -> None:
    record(records, "ann", "ann-2")
    (records / "x.json").write_text(CUT)
    assert told(tmp_path / "out", records) == {one: ["x.json"] for one in ALL}


def test_lines_that_cannot_be_read_may_be_about_those_in_bundles(tmp_path: Path, records: Path) -> None:
    lines = tmp_path / "x.ndjson.gz"
    lines.write_bytes(b"\x1f\x8b")
    assert told(tmp_path / "out", records, lines) == {one: ["x.ndjson.gz"] for one in ALL}


def test_told_again_it_is_told_once(tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (records / "ann-2.json").write_text(CUT)

    def ended(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pmed.cohort.work.Worker.do", lambda self, chunk: ended(chunk))
        with pytest.raises(KeyboardInterrupt):
            run(history=records, output=tmp_path / "out", jobs=1)
    assert told(tmp_path / "out", records) == {"ann": ["ann-2.json"], "bob": [], "eve": []}


def test_where_nobody_is_read_nothing_is_noted(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(CUT)
    with pytest.raises(Exception, match="x.json"):
        run(history=tmp_path / "x.json", output=tmp_path / "out", jobs=1)
    assert not [*(tmp_path / "out").rglob("r0*")]

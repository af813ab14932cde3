"""The cases about records find what is there, and are compared with what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fhir, jobs


def test_cases_have_the_same_names_before_their_files_are_there() -> None:
    counts = {"entries": 9, "patients": 2}
    assert [case.name for case in fhir.bundles({})] == [case.name for case in fhir.bundles(counts)]


@pytest.mark.parametrize(("there", "floor"), [(True, "orjson"), (False, "msgspec")])
def test_the_floor_is_orjson_where_it_is_installed(there: bool, floor: str) -> None:
    orjson, _, ours, valid, again, _, both = fhir.bundles({} if there else {"peers": "cannot be installed: no"})
    assert bool(orjson.missing) is bool(valid.missing) is not there
    assert ours.floor.startswith(floor)
    assert ours.ratio == 1.25
    assert (again.floor, again.ratio) == (valid.name, 1 / 8)
    assert (both.floor, both.ratio) == (ours.floor, ours.ratio)


def test_the_jobs_fail_when_they_find_something_else(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    assert (shared / "data/fhir/synthea").is_dir()
    monkeypatch.setattr(fhir, "RECORDS", tmp_path)
    monkeypatch.setattr(fhir, "TIMES", 2)
    counts = fhir.files()
    assert counts is not None
    assert counts["patients"] == 80
    jobs.fhir(str(tmp_path), "80")
    jobs.parse(str(tmp_path), str(counts["entries"]))
    assert capsys.readouterr().err.count("work ") == 2
    jobs.fhir_clock(str(tmp_path), "80", "1")
    with pytest.raises(SystemExit, match="read by one process"):  # it is too little for two
        jobs.fhir_clock(str(tmp_path), "80", "2")
    with pytest.raises(SystemExit, match="found 80, expected 81"):
        jobs.fhir(str(tmp_path), "81")

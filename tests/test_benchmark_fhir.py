"""The cases about records find what is there, and are compared with what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fhir, genomes, jobs


def test_cases_have_the_same_names_before_their_files_are_there() -> None:
    counts = {"entries": 9, "patients": 2}
    assert [case.name for case in fhir.bundles({})] == [case.name for case in fhir.bundles(counts)]


@pytest.mark.parametrize(("there", "floor"), [(True, "orjson"), (False, "msgspec")])
def test_the_floor_is_orjson_where_it_is_installed(monkeypatch: pytest.MonkeyPatch, there: bool, floor: str) -> None:
    monkeypatch.setattr(genomes, "has", lambda *_: there)
    orjson, _, ours, _ = fhir.bundles({})
    assert bool(orjson.missing) is not there
    assert ours.floor.startswith(floor)
    assert ours.ratio == 1.25


def test_the_jobs_fail_when_they_find_something_else(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (shared / "data/fhir/synthea").is_dir()
    counts = fhir.files()
    assert counts is not None
    assert counts["patients"] == 40
    jobs.fhir(str(fhir.BUNDLES), "40")
    jobs.parse(str(fhir.BUNDLES), str(counts["entries"]))
    assert capsys.readouterr().err.count("work ") == 2
    with pytest.raises(SystemExit, match="found 40, expected 41"):
        jobs.fhir(str(fhir.BUNDLES), "41")

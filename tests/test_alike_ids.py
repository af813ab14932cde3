"""Ids of two systems that may mean one person: two people, and both reports say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pmed
from pmed.batch import Asked, Cohort, batch
from pmed.cohort import run
from pmed.settings import Settings
from pmed.stages.link import alike

SAID = "the ids {} differ in leading zeros or capitals only"


def record(folder: Path, name: str, file: str = "") -> Path:
    path = folder / f"{file or name}.json"
    person = {"resourceType": "Patient", "id": name, "birthDate": "1970-02-01"}
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": person}]}))
    return path


def genome(folder: Path, name: str) -> Path:
    path = folder / f"{name}.vcf"
    path.write_text("##fileformat=VCFv4.2\n##contig=<ID=chr10,length=133797422>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\t"
                    f"INFO\tFORMAT\t{name}\nchr10\t94781859\trs4244285\tG\tA\t.\tPASS\t.\tGT\t0/1\n")
    return path


@pytest.mark.parametrize(("ids", "told"), [
    (["00123", "123", "124"], ["00123", "123"]), (["p1", "P1", "p01"], ["P1", "p1"]), (["0", "00", "1"], ["0", "00"]),
    (["10", "1", "100"], []), (["a-1", "a1"], []), (["7", "7"], []), ([], [])])
def test_which_ids_are_alike(ids: list[str], told: list[str]) -> None:
    assert sorted(alike(ids)) == told


def test_two_records_stay_two_and_both_are_told(tmp_path: Path) -> None:
    files = [record(tmp_path, name, file) for name, file in (("p1", "a"), ("P1", "b"), ("p2", "c"))]
    result = pmed.run(history=files)
    assert result.tables["patients"].height == 3
    told = result.tables["issues"].filter(code="alike-ids").sort("patient_id")
    assert told["patient_id"].to_list() == ["P1", "p1"]
    assert told["severity"].unique().to_list() == ["warning"]
    assert all(text.startswith(SAID.format("P1, p1")) for text in told["text"])


def test_a_genome_beside_a_record_that_is_alike_stays_alone(tmp_path: Path) -> None:
    files = [genome(tmp_path, name) for name in ("00123", "77")]
    result = pmed.run(files, [record(tmp_path, "123"), record(tmp_path, "77")])
    told = result.tables["issues"].filter(code="alike-ids")
    assert sorted(told["patient_id"]) == ["00123", "123"]


def test_each_report_of_a_batch_says_so_once(tmp_path: Path) -> None:
    files = tuple(record(tmp_path, name, file) for name, file in (("p1", "a"), ("P1", "b"), ("p2", "c")))
    done = batch(Cohort(history=files), Asked(tmp_path / "out", Settings()), jobs=1)
    pages = {line.patient_id: (tmp_path / "out" / line.file).read_text() for line in done.lines}
    assert {name: page.count(SAID.format("P1, p1")) for name, page in pages.items()} == {"P1": 1, "p1": 1, "p2": 0}


def test_a_cohort_says_so_though_they_are_in_several_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.cohort.people_at_once", lambda *_, **__: 1)
    files = [genome(tmp_path, name) for name in ("00123", "77")]
    done = run(files, [record(tmp_path, "123"), record(tmp_path, "77")], output=tmp_path / "out", jobs=1)
    assert len([*(tmp_path / "out" / "people").iterdir()]) == 3
    told = done.table("issues").filter(code="alike-ids").sort("patient_id").collect()
    assert told["patient_id"].to_list() == ["00123", "123"]
    assert all(text.startswith(SAID.format("00123, 123")) for text in told["text"])

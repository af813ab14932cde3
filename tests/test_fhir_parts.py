"""NDJSON that is read part by part, each of some people, is what is read at once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed.cohort import run
from pmed.errors import HistoryError
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

PEOPLE = [f"p{number}" for number in range(12)]
REQUEST = ReadRequest(TABLES["sites"].empty())
ODD = ["", "   ", "{no JSON", '{"resourceType": "Observation", "id": "odd", "code": 5}', '{"resourceType": 7}']
FORMS = ["Patient/{}", "urn:uuid:{}", "https://fhir.example/r4/Patient/{}", "Patient/{}/_history/2"]


def patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "birthDate": "1950-01-01"}


def about(kind: str, name: str, number: int, whose: str = "subject", form: str = FORMS[0]) -> dict[str, Any]:
    return {"resourceType": kind, "id": f"{kind[:3]}-{number}", whose: {"reference": form.format(name)},
            "code": {"text": f"what {number}"}}


MEDICINE = {"resourceType": "Medication", "id": "m", "code": {"text": "aspirin"}}


def order(name: str, number: int) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "id": f"order-{number}", "subject": {"reference": f"Patient/{name}"},
            "medicationReference": {"reference": "Medication/m"}, "status": "active", "intent": "order"}


def write(path: Path, lines: list[Any]) -> None:
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines) + "\n")


def together(parts: list[dict[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    return {name: pl.concat([one[name] for one in parts]) for name in parts[0]}


def assert_same(parts: list[dict[str, pl.DataFrame]], whole: dict[str, pl.DataFrame]) -> None:
    """The rows of each patient in their order; which patient comes first is not told."""
    for name, rows in together(parts).items():
        place = "row" if "row" in rows.columns else "patient_id"
        both = [one.sort("patient_id", place, maintain_order=True).drop("row", strict=False)
                if name != "issues" else one.sort(one.columns) for one in (rows, whole[name])]
        assert_frame_equal(*both)


def read_parts(folder: Path, target: Path, size: int) -> list[dict[str, pl.DataFrame]]:
    target.mkdir(exist_ok=True)
    parts = FhirSource().parted([folder], target, size)
    assert all(FhirSource().matches(one) for one in parts)
    return [FhirSource().read([one], REQUEST) for one in parts]


def lines() -> st.SearchStrategy[list[Any]]:
    name, number = st.sampled_from([*PEOPLE, "nobody"]), st.integers(0, 99)
    owned = st.builds(about, st.sampled_from(["Observation", "Condition"]), name, number, form=st.sampled_from(FORMS))
    allergy = st.builds(about, st.just("AllergyIntolerance"), name, number, st.just("patient"))
    claims = st.builds(about, st.sampled_from(["Claim", "Bundle"]), name, number, st.just("patient"))
    return st.lists(st.one_of(owned, allergy, claims, st.builds(order, name, number), st.sampled_from(ODD)),
                    max_size=60)


@settings(max_examples=60)
@given(one=lines(), other=lines(), mixed=st.booleans(), size=st.integers(150, 700),
       block=st.sampled_from([1 << 17, 1 << 8]), packed=st.booleans(), piece=st.sampled_from([1 << 26, 1 << 9, 1 << 6]))
def test_parts_are_the_whole(tmp_path_factory: pytest.TempPathFactory, one: list[Any], other: list[Any], mixed: bool,
                             size: int, block: int, packed: bool, piece: int) -> None:
    folder, target = tmp_path_factory.mktemp("records"), tmp_path_factory.mktemp("parts")
    known = [MEDICINE, *map(patient, PEOPLE)]
    write(folder / "a.ndjson", [*one, *known] if mixed else one)
    write(folder / "b.ndjson", other)
    if not mixed:
        write(folder / "c.ndjson", known)
    if packed:
        pack(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pmed.sources.fhir_files._CHUNK", block)  # in small ones there are none but patients
        patched.setattr("pmed.sources.fhir_parts._BYTES", piece)
        parts = read_parts(folder, target, size)
    assert len(parts) > 1
    assert [len(part["patients"]) for part in parts].count(0) == 0
    assert_same(parts, FhirSource().read([folder], REQUEST))


def test_patients_behind_what_is_theirs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.sources.fhir_files._CHUNK", 1 << 8)
    (folder := tmp_path / "records").mkdir()
    write(folder / "all.ndjson", [line for name in PEOPLE for line in (
        *(about("Condition", name, number) for number in range(9)), patient(name))])
    parts = read_parts(folder, tmp_path / "parts", 4000)
    assert len(parts) > 1
    assert_same(parts, FhirSource().read([folder], REQUEST))


def test_what_no_table_wants_is_in_no_part(tmp_path: Path) -> None:
    export(folder := tmp_path / "records")
    write(folder / "Claim.ndjson", [about("Claim", name, 1) for name in PEOPLE])
    parts = read_parts(folder, tmp_path / "parts", 400)
    assert not [one for one in (tmp_path / "parts").iterdir() if "Claim" in one.read_text()]
    assert_same(parts, FhirSource().read([folder], REQUEST))


def export(folder: Path) -> None:
    folder.mkdir()
    write(folder / "Condition.ndjson", [about("Condition", name, 1) for name in PEOPLE])
    write(folder / "MedicationRequest.ndjson", [order(name, 1) for name in PEOPLE])
    write(folder / "Medication.ndjson", [MEDICINE])
    write(folder / "Patient.ndjson", [patient(name) for name in PEOPLE])


def pack(folder: Path) -> None:
    for path in folder.glob("*.ndjson"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def test_packed_files_are_unpacked_where_they_are_much(tmp_path: Path) -> None:
    export(folder := tmp_path / "records")
    pack(folder)
    (target := tmp_path / "parts").mkdir()
    assert FhirSource().parted([folder], target, 1 << 20) == []
    assert not [*target.iterdir()]
    assert len(FhirSource().parted([folder], target, 400)) > 1
    assert [one.name for one in sorted(target.rglob("*.ndjson.gz"))] == [one.name for one in sorted(folder.iterdir())]
    path = folder / "Condition.ndjson.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(HistoryError, match="damaged or cut off"):
        FhirSource().parted([folder], target, 400)


def test_what_is_small_or_no_ndjson_is_not_parted(tmp_path: Path) -> None:
    export(folder := tmp_path / "records")
    (target := tmp_path / "parts").mkdir()
    assert FhirSource().parted([folder], target, 1 << 20) == []
    assert len(FhirSource().parted([folder], target, 400)) > 1
    (folder / "more.json").write_text(json.dumps(about("Condition", "p1", 7)))
    assert FhirSource().parted([folder], target, 400) == []


def test_blanks_that_hide_where_lines_begin_are_read_at_once(tmp_path: Path) -> None:
    export(folder := tmp_path / "records")
    with (folder / "Condition.ndjson").open("a") as file:
        file.write(" " * (1 << 18) + json.dumps(about("Condition", "p1", 7)))
    assert read_parts(folder, tmp_path / "parts", 20_000) == []


def test_a_cohort_reads_its_records_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(folder := tmp_path / "records")
    made = []
    for size in (1 << 20, 1):
        monkeypatch.setattr("pmed.cohort.RECORD_BYTES", size)
        made.append(run([], [folder], output=tmp_path / f"out{size}", jobs=1))
    whole, parts = made
    notes = [next((one.folder / "work" / "parts").rglob("done.json")).read_text() for one in made]
    assert [note.count(".fhir-part") > 1 for note in notes] == [False, True]
    assert whole.people == parts.people == len(PEOPLE)
    for name in ("people", "exposures", "suggestions"):
        assert_frame_equal(whole.table(name).sort("patient_id"), parts.table(name).sort("patient_id"))

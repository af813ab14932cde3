"""Files a record may come as: NDJSON, single resources, folders, gzip; a bad line or file costs only itself."""

from __future__ import annotations

import gzip
import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import pmed
from pmed.errors import HistoryError
from pmed.plugins import Plugins
from pmed.settings import Settings
from pmed.sources.fhir import FhirSource
from pmed.sources.fhir_files import blocks, lines_of
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-15")


def patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "birthDate": "1950-07-03"}


def condition(name: str, text: str = "x") -> dict[str, Any]:
    return {"resourceType": "Condition", "id": f"c-{name}-{text}", "subject": {"reference": f"Patient/{name}"},
            "code": {"text": text}}


def lines(*resources: object) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in resources)


def bundle(*resources: object) -> bytes:
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}).encode()


def read(*paths: Path) -> dict[str, pl.DataFrame]:
    return FhirSource().read(paths, REQUEST)


def problems(tables: dict[str, pl.DataFrame]) -> list[tuple[str, str, str]]:
    return tables["issues"].select("file", "place", "code").rows()


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A Bulk Data export: the conditions stand before the patients, the medicine behind its orders."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "Condition.ndjson").write_bytes(lines(condition("p1"), condition("p2", "y"), condition("p3")))
    order = {"resourceType": "MedicationRequest", "id": "r", "status": "active", "intent": "order",
             "subject": {"reference": "Patient/p2"}, "medicationReference": {"reference": "Medication/m"}}
    (folder / "A.ndjson.gz").write_bytes(gzip.compress(lines(order)))
    (folder / "Medication.ndjson").write_bytes(lines({"resourceType": "Medication", "id": "m", "code": {"text": "W"}}))
    (folder / "Patient.ndjson").write_bytes(lines(patient("p1"), patient("p2")))
    (folder / "log.txt").write_text("not ours")
    return folder


def test_a_bulk_export(export: Path) -> None:
    assert FhirSource().matches(export)
    tables = read(export)
    assert tables["patients"]["patient_id"].to_list() == ["p1", "p2"]
    assert tables["conditions"].select("patient_id", "display", "source").rows() == [
        ("p1", "x", "Condition.ndjson#Condition/c-p1-x"), ("p2", "y", "Condition.ndjson#Condition/c-p2-y")]
    assert tables["medications"].select("patient_id", "display").rows() == [("p2", "W")]
    assert problems(tables) == [("Condition.ndjson", "line 3 Condition/c-p3-x $.subject", "unknown-patient")]


def test_files_given_one_by_one_belong_together(export: Path) -> None:
    assert read(*sorted(export.glob("*.ndjson*")))["conditions"].height == 2
    with pytest.raises(HistoryError, match=r"no Patient is given \(give the file with the Patient"):
        read(export / "Condition.ndjson")


def test_a_bad_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "all.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + lines(patient("p1")) + b"\n \n{oops}\n[1]\n" + lines({"id": "x"})
                     + lines(condition("p1") | {"code": 7}) + b'{"resourceType":"Condition","id":"cut","subj\n'
                     + lines({"resourceType": "Claim", "id": "z"}) + b'{"resourceType":"Condition","id":"u",'
                     b'"code":{"text":"\xff"}}\n' + b"[" * 100_000 + b"\n"
                     + lines({"resourceType": "Bundle", "id": "b"}) + lines(condition("p1", "good")).rstrip(b"\n"))
    tables = read(path)
    assert tables["conditions"]["display"].to_list() == ["good"]
    assert sorted(problems(tables)) == sorted([
        ("all.ndjson", "line 4 $", "no-json"), ("all.ndjson", "line 5 $", "bad-resource"),
        ("all.ndjson", "line 6 $.resourceType", "bad-resource"),
        ("all.ndjson", "line 7 Condition/c-p1-x $.code", "bad-resource"),
        ("all.ndjson", "line 8 Condition/cut $", "bad-resource"),
        ("all.ndjson", "line 10 Condition/u $", "bad-resource"), ("all.ndjson", "line 11 $", "bad-resource"),
        ("all.ndjson", "line 12 Bundle", "nested-bundle")])


def test_a_bad_patient_costs_only_his_record(tmp_path: Path) -> None:
    path = tmp_path / "all.ndjson"
    path.write_bytes(lines(patient("p1"), patient("p2") | {"birthDate": None}, condition("p2"), condition("p1")))
    tables = read(path)
    assert tables["conditions"]["patient_id"].to_list() == ["p1"]
    assert problems(tables) == [("all.ndjson", "line 2 Patient/p2", "bad-patient"),
                                ("all.ndjson", "line 3 Condition/c-p2-x $.subject", "unknown-patient")]
    path.write_bytes(lines(patient("p2") | {"birthDate": None}))
    with pytest.raises(HistoryError, match=r"all.ndjson: Patient/p2 has no birthDate"):
        read(path)
    path.write_bytes(lines(patient("p1"), patient("p1") | {"birthDate": "1951-01-01"}))
    with pytest.raises(HistoryError, match="given twice and differs"):
        read(path)


def test_the_same_line_twice_is_one_resource(tmp_path: Path) -> None:
    path = tmp_path / "all.ndjson"
    path.write_bytes(lines(patient("p1"), patient("p1"), condition("p1"), condition("p1"), condition("p1") | {"x": 1}))
    tables = read(path)
    assert tables["conditions"].height == tables["patients"].height == 1
    assert [code for _, _, code in problems(tables)] == ["duplicate-resource"] * 3


def test_single_resources(tmp_path: Path) -> None:
    for number, one in enumerate([condition("p1"), patient("p1"), {"resourceType": "Claim", "id": "z"}]):
        (tmp_path / f"{number}.json").write_text(json.dumps(one, indent=1))
    tables = read(*sorted(tmp_path.glob("*.json")))
    assert tables["conditions"].select("patient_id", "source").rows() == [("p1", "0.json#Condition/c-p1-x")]
    assert problems(tables) == []


def test_a_folder_of_bundles_survives_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(bundle(patient("p1"), condition("p1"))[:-3])
    (tmp_path / "b.json").write_bytes(bundle(patient("p2"), condition("p2")))
    (tmp_path / "c.json.gz").write_bytes(gzip.compress(bundle(patient("p3"), condition("p3"))))
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / ".hidden.json").write_text("{")
    tables = read(tmp_path)
    assert tables["conditions"]["patient_id"].to_list() == ["p2", "p3"]
    assert problems(tables) == [
        ("a.json", "", "bad-file"), ("a.json", "", "another-patient"), ("package.json", "", "not-fhir")]
    with pytest.raises(HistoryError, match="not JSON: Input data was truncated"):
        read(tmp_path / "a.json")
    (tmp_path / "b.json").unlink()
    (tmp_path / "c.json.gz").unlink()
    with pytest.raises(HistoryError, match="a.json: not JSON: Input data was truncated"):
        read(tmp_path)


def asked(*paths: Path) -> tuple[object, ...]:
    """What a run knows of a medicine, a diagnosis and a class that stand nowhere on the record."""
    result = pmed.run(history=[str(path) for path in paths])
    names = ["on:warfarin", "condition:asthma", "taking:ssri"]
    plugins = Plugins.of(Settings()).load()
    made = {"history", "derived", "pgx-present"}
    steps = [one for one in plugins.components("register_features") if one.name in made]
    found: dict[str, object] = {}
    for step in steps:
        mine = [name for name in names if any(fnmatch(name, given) for given in step.made.gives)]
        found |= step.made.run(dict(result.tables), mine)["features"].row(0, named=True)
    return tuple(found[name] for name in names)


def order(name: str, text: str = "metformin") -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "id": f"m-{text}", "status": "active", "intent": "order",
            "subject": {"reference": f"Patient/{name}"}, "medicationCodeableConcept": {"text": text}}


def known_condition(name: str) -> dict[str, Any]:
    return condition(name) | {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "44054006"}]}}


@pytest.mark.parametrize("damaged", ["bundle", "empty", "lines", "page"])
def test_what_a_file_held_that_cannot_be_read_is_not_absent(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "a.json").write_bytes(bundle(patient("p1"), known_condition("p1"), order("p1")))
    (tmp_path / "package.json").write_text('{"name": "x"}')
    assert asked(tmp_path) == (False, False, "")
    other = bundle(patient("p1"), order("p1", "warfarin"))
    if damaged == "page":
        page = json.loads((tmp_path / "a.json").read_bytes()) | {"link": [{"relation": "next", "url": "http://x/2"}]}
        (tmp_path / "a.json").write_text(json.dumps(page))
    else:
        name = "b.ndjson" if damaged == "lines" else "b.json"
        held = {"bundle": other[:-9], "empty": b"", "lines": lines(patient("p1"), {"id": 1})}
        (tmp_path / name).write_bytes(held[damaged])
    assert asked(tmp_path) == (None, None, None)


def test_a_damaged_file_beside_the_records_of_several_says_nothing_of_the_others(tmp_path: Path) -> None:
    for name in ("p1", "p2"):
        (tmp_path / f"{name}.json").write_bytes(bundle(patient(name), known_condition(name), order(name)))
    (tmp_path / "p3.json").write_bytes(bundle(patient("p3"))[:-9])
    assert asked(tmp_path) == (False, False, "")


def test_a_page_that_was_not_given_concerns_the_patient_of_its_file(tmp_path: Path) -> None:
    first = json.loads(bundle(patient("p1"), known_condition("p1"), order("p1")))
    (tmp_path / "p1.json").write_text(json.dumps(first | {"link": [{"relation": "next", "url": "http://x/2"}]}))
    (tmp_path / "p2.json").write_bytes(bundle(patient("p2"), known_condition("p2"), order("p2")))
    assert asked(tmp_path) == (None, None, None)


@pytest.mark.parametrize("name", ["a.json.gz", "a.ndjson.gz"])
def test_damaged_gzip_is_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for damaged in (gzip.compress(bundle(patient("p1")) * 50)[:60], b"plain"):
        path.write_bytes(damaged)
        assert FhirSource().matches(path)
        with pytest.raises(HistoryError, match="cannot be read: the gzip file is damaged or cut off"):
            read(path)


def test_a_long_file_of_nothing_is_refused_at_once(tmp_path: Path) -> None:
    for name, said in (("a.json", "the file is empty"), ("a.ndjson", "no Patient is given")):
        path = tmp_path / name
        path.write_bytes(b" " * (1 << 20) + b"\n" * (1 << 24) + b" " * (1 << 20))
        with pytest.raises(HistoryError, match=said):
            read(path)


def test_lines_keep_their_numbers_over_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    path = tmp_path / "a.ndjson"
    chance = random.Random(1)
    text = "".join(chance.choice(["a", "\n", " ", "bcd", "\n\n"]) for _ in range(3000))
    path.write_text(text)
    expected = [(number, line.strip().encode()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for size in (1, 2, 7, 4096):
        monkeypatch.setattr("pmed.sources.fhir_files._CHUNK", size)
        assert [(number, line.strip()) for at, block in blocks(path)
                for number, line in lines_of(at.number, block)] == expected


def test_real_bundles_as_ndjson_are_the_same_record(shared: Path, tmp_path: Path) -> None:
    file = min((shared / "data/fhir/synthea").glob("*.json"), key=lambda path: path.stat().st_size)
    entries = json.loads(file.read_text("utf-8"))["entry"]
    text = json.dumps([one["resource"] for one in entries])
    for one in entries:  # a bundle's own links, as a server would give them
        text = text.replace(one["fullUrl"], f"{one['resource']['resourceType']}/{one['resource']['id']}")
    path = tmp_path / "all.ndjson"
    path.write_bytes(lines(*json.loads(text)))
    whole, by_line = read(file), read(path)
    for name in TABLES.keys() & whole.keys() - {"issues"}:
        assert by_line[name].drop("source", strict=False).equals(whole[name].drop("source", strict=False)), name


def test_a_run_on_a_folder_names_its_files(export: Path) -> None:
    import pmed

    result = pmed.run((), export)
    assert result.tables["patients"].height == 2
    assert [one["file"] for one in result.provenance["inputs"]] == [
        "export/A.ndjson.gz", "export/Condition.ndjson", "export/Medication.ndjson", "export/Patient.ndjson",
        "export/log.txt"]

"""Many lines at once are read as each of them by itself: the same rows, the same problems, at the same places."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pmed.sources import fhir_bundle, fhir_files, fhir_lines, fhir_many
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

LOINC = "http://loinc.org"
AMOUNT = {"value": 70.5, "unit": "kilo", "system": "http://unitsofmeasure.org", "code": "kg"}


def coded(code: str | None = "29463-7", system: str = LOINC, display: str | None = "Weight") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def measured(number: int, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": f"o{number}", "status": "final", "code": coded(),
            "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2020-02-03T10:00:00Z",
            "issued": "2020-02-04", "valueQuantity": AMOUNT, **more}


ODD: list[dict[str, Any]] = [
    {}, {"subject": {"reference": "Patient/p2"}}, {"subject": {"reference": "http://x.org/Patient/p2"}},
    {"subject": {"reference": "Patient/who"}}, {"subject": None}, {"subject": {}},
    {"valueQuantity": AMOUNT | {"comparator": "<"}}, {"valueQuantity": {}}, {"valueQuantity": None},
    {"valueQuantity": AMOUNT | {"value": None}}, {"valueQuantity": AMOUNT | {"system": "x"}},
    {"valueQuantity": {"value": 1, "code": "mg"}}, {"valueQuantity": {"value": 1, "unit": "mg"}},
    {"component": [{"code": coded("1"), "valueQuantity": AMOUNT}]}, {"code": coded("84413-4")},
    {"code": coded("84414-2")},
    {"code": coded(system="x")}, {"code": coded(display=None)}, {"code": coded(None, LOINC, None)},
    {"code": {"text": "weight"}}, {"code": coded(display=None) | {"text": "said"}}, {"code": None},
    {"code": {"coding": [coded("1", "x")["coding"][0], coded("2")["coding"][0]]}},
    {"effectiveDateTime": None}, {"effectiveDateTime": None, "effectivePeriod": {"start": "2019"}},
    {"effectiveDateTime": None, "effectiveInstant": "2018-01-01"}, {"effectiveDateTime": "what"}, {"issued": None},
    {"status": "entered-in-error"}, {"interpretation": [{"coding": [{"code": "H"}]}]},
    {"interpretation": [{"text": "h"}]},
    {"id": "o0"}, {"id": "o0", "valueQuantity": AMOUNT | {"value": 1}}, {"id": None}, {"id": ""}, {"id": "ä ö"}]


def read(path: Path) -> dict[str, pl.DataFrame]:
    return FhirSource(processes=1).read([path], ReadRequest(TABLES["sites"].empty()))


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads every line and every resource by itself."""
    def one_by_one(path: Path) -> dict[str, pl.DataFrame]:
        with monkeypatch.context() as patch:
            patch.setattr(fhir_lines, "decoded_lines", lambda *_: None)
            patch.setattr(fhir_lines, "is_passed_over", lambda _: False)
            patch.setattr(fhir_many, "_observed", lambda *_: ())
            return read(path)
    return one_by_one


def must_be_same(path: Path, slowly: Any) -> dict[str, pl.DataFrame]:
    found = read(path)
    for name, frame in slowly(path).items():
        assert found[name].equals(frame), name
    return found


@pytest.mark.parametrize("chunk", [1 << 17, 700])
@pytest.mark.parametrize("fault", [[], ["{oops"], ["", " "], [{"resourceType": "Nothing", "id": "n"}],
                                   [measured(99, status=7)], [{"resourceType": "Claim", "id": "c"}]])
def test_odd_observations_among_others(tmp_path: Path, slowly: Any, fault: list[Any], chunk: int,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.sources.fhir_files._CHUNK", chunk)
    people = [{"resourceType": "Patient", "id": name, "birthDate": "1950-01-01"} for name in ("p1", "p2")]
    odd = [measured(number) | more for number, more in enumerate(ODD)]
    both = [one for number, one in enumerate(odd) for one in (measured(100 + number), one)]
    lines = [*people[:1], *both, *fault, people[1], *both[:3]]
    path = tmp_path / "all.ndjson"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines))
    found = must_be_same(path, slowly)
    assert found["observations"].height > len(ODD) * 2 - 12
    assert {"duplicate-resource", "unknown-patient", "limit-not-value"} <= set(found["issues"]["code"])


def test_real_records(tmp_path: Path, shared: Path, slowly: Any) -> None:
    path = tmp_path / "all.ndjson"
    with path.open("w") as out:
        for file in sorted((shared / "data/fhir/synthea").glob("*.json"))[:4]:
            entries = json.loads(file.read_text("utf-8"))["entry"]
            text = "\n".join(json.dumps(one["resource"]) for one in entries)
            for one in entries:
                text = text.replace(one["fullUrl"], f"{one['resource']['resourceType']}/{one['resource']['id']}")
            out.write(text + "\n")
    assert must_be_same(path, slowly)["observations"].height > 100


@pytest.mark.parametrize("url", [True, False])
def test_odd_observations_of_a_bundle(tmp_path: Path, url: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    person: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-01-01"}
    odd = [measured(number) | more for number, more in enumerate(ODD)]
    others = [{"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"},
               "code": {"coding": [{"code": "1", "display": "one"}, {"code": "2"}]}},
              {"resourceType": "Claim", "id": "k"},
              {"resourceType": "Procedure", "id": "r1", "subject": {"reference": "Patient/p1"}, "code": coded("1"),
               "reasonReference": [{"reference": "urn:uuid:c1"}]}]
    both = [one for number, one in enumerate(odd) for one in (measured(100 + number), one)]
    resources = [person, *both[:9], *others, *both[9:], *others, *both[:3]]
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
        ({"fullUrl": f"urn:uuid:{one['id']}"} if url and one["id"] else {}) | {"resource": one} for one in resources]}))
    found = read(path)
    monkeypatch.setattr(fhir_bundle, "whole_bundle", lambda _: None)
    for name, frame in read(path).items():
        assert found[name].equals(frame), name
    assert found["observations"].height > len(ODD)
    assert found["procedures"]["reason"].to_list() == ["one"]
    assert {"duplicate-resource", "unknown-patient", "limit-not-value", "no-code"} <= set(found["issues"]["code"])


def test_a_bundle_is_gone_before_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for name in ("p1", "p2", "p3"):
        paths.append(tmp_path / f"{name}.json")
        person = {"resourceType": "Patient", "id": name, "birthDate": "1950-01-01"}
        weight = measured(1, subject={"reference": f"Patient/{name}"})
        paths[-1].write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
            {"resource": person}, {"resource": weight}]}))
    known: list[weakref.ref[Any]] = []
    inner = fhir_bundle.read_document

    def watched(path: Path) -> fhir_bundle.Reading:
        assert not any(one() for one in known)
        reading = inner(path)
        known.append(weakref.ref(reading.resources))
        return reading
    monkeypatch.setattr("pmed.sources.fhir_reading.read_document", watched)
    tables = FhirSource(processes=1).read(paths, ReadRequest(TABLES["sites"].empty()))
    assert (len(known), tables["observations"].height) == (3, 3)


@given(st.lists(st.sampled_from([b"\n", b"{}", b"\r", b" ", b"a\x0bb"]), max_size=12).map(b"".join))
@example(b"")
@example(b"{}\n")
def test_lines_of_a_block(block: bytes) -> None:
    assert fhir_files._lines(block) == block.count(b"\n") + 1


CLAIM = '{"resourceType":"Claim","id":"c1","status":"active"}'
AMONG_CLAIMS = [
    CLAIM, '{ "resourceType" : "Claim", "id" : "c2" }\r', '{"resourceType":"Claim","id":"c3","cut off', "", " ",
    "{oops", '{"resourceType":"Claim","id":"c', '{"resourceType":"Claim","id":"\u00e4"}',
    '{"id":"c4","resourceType":"Claim"}',
    "\ufeff" + CLAIM, '{"resourceType":"ClaimResponse","id":"r"}', '{"resourceType":"Bundle","id":"b"}',
    '{"resourceType":"OperationOutcome","id":"x","issue":[{"severity":"fatal","code":"timeout"}]}',
    '{"resourceType":"MedicationOrder","id":"m","patient":{"reference":"Patient/p1"}}', json.dumps(measured(1)),
    json.dumps({"resourceType": "Patient", "id": "p9", "birthDate": "1950-01-01"})]


@given(st.lists(st.one_of(st.just(CLAIM), st.sampled_from(AMONG_CLAIMS)), max_size=8))
def test_what_stands_among_claims_is_met(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("claims") / "Claim.ndjson"
    path.write_text("\n".join([CLAIM, *lines]), encoding="utf-8")
    found = fhir_lines.LineReading(path)
    resources = [one for piece in found.pieces() for one in piece]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fhir_lines, "is_passed_over", lambda _: False)
        slow = fhir_lines.LineReading(path)
        assert [one for piece in slow.pieces() for one in piece] == resources
    assert (slow.issues, slow.met_first) == (found.issues, found.met_first)

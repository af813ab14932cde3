"""Records that must be refused: one line, saying where and what to do."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed.errors import HistoryError, OptionError
from pmed.sources.fhir import FhirSource
from pmed.sources.record_dates import is_date
from pmed.tables import TABLES
from pmed.types import ReadRequest

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-07-03"}


def bundle(*resources: object, **fields: object) -> bytes:
    entries = [{"resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "entry": entries} | fields).encode()


def refusal(path: Path, content: bytes, index_date: str = "") -> str:
    path.write_bytes(content)
    with pytest.raises(HistoryError) as caught:
        FhirSource().read([path], ReadRequest(TABLES["sites"].empty(), index_date=index_date))
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(str(path))
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize(("content", "said"), [
    (b"", "the file is empty"),
    (b" \n", "the file is empty"),
    (b"{\n  \"resourceType\": oops\n}", "not JSON: JSON is malformed: invalid character at line 2, column 19"),
    (b"\xef\xbb\xbf{\"a\":1,}", "not JSON: JSON is malformed: trailing comma in object at line 1, column 8"),
    (bundle(PATIENT)[:-4], "not JSON: Input data was truncated at line 1"),
    (b"{\"resourceType\":\"Bundle\",\"entry\":[1,", "not JSON: Input data was truncated"),
    (b"[]", "not a FHIR bundle: Expected `object`, got `array` at $"),
    (b"{}", "not a FHIR bundle: resourceType is None"),
    (b'{"resourceType":"Condition","id":"c1"}', "no Patient is given"),
    (b'{"resourceType":7}', "not a FHIR bundle: Expected `str | null`, got `int` at $.resourceType"),
    (b" " * 1_000_000, "the file is empty"),
    (bundle(PATIENT, type="history"), "a bundle of type 'history' is not a patient record"),
    (bundle(PATIENT, type=1), "not a FHIR bundle: Expected `str | null`, got `int` at $.type"),
    (bundle(PATIENT, entry={}), "not a FHIR bundle: Expected `array`, got `object` at $.entry"),
    (bundle(PATIENT, entry=None), "not a FHIR bundle: Expected `array`, got `null` at $.entry"),
    (b"{\"resourceType\":\"Bundle\"}", "the bundle holds no Patient"),
    (bundle({"resourceType": "Condition"}), "the bundle holds no Patient"),
    (bundle(PATIENT | {"birthDate": 1950}), "entry[0] Patient/p1 $.birthDate: Expected `str | null`, got `int`"),
    (bundle(PATIENT | {"extension": {}}), "entry[0] Patient/p1 $.extension: Expected `array`, got `object`"),
    (bundle({"resourceType": "Patient", "id": "p1"}), "Patient/p1 has no birthDate: age cannot be known"),
    (bundle(PATIENT | {"birthDate": "3 July 1950"}), "Patient/p1 $.birthDate is not a FHIR date"),
    (bundle(PATIENT | {"birthDate": "1950-02-30"}), "Patient/p1 $.birthDate is not a FHIR date"),
    (bundle({"resourceType": "Patient", "birthDate": "1950"}), "entry[0] Patient: id is missing"),
    (bundle(PATIENT | {"id": "../../etc"}), "entry[0] Patient: id is not a FHIR id"),
    (bundle(PATIENT, PATIENT | {"birthDate": "1951-07-03"}), "Patient/p1 is given twice and differs"),
], ids=range(25))
def test_one_line_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    assert refusal(tmp_path / "record.json", content).startswith(said)


def test_files_that_are_none(tmp_path: Path) -> None:
    request = ReadRequest(TABLES["sites"].empty())
    with pytest.raises(HistoryError, match="no such file"):
        FhirSource().read([tmp_path / "none.json"], request)
    with pytest.raises(HistoryError, match="holds no JSON"):
        FhirSource().read([tmp_path], request)


def test_index_date_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="YYYY-MM-DD"):
        FhirSource().read([], ReadRequest(TABLES["sites"].empty(), index_date="yesterday"))


def test_text_that_is_not_utf8_costs_its_resource(tmp_path: Path) -> None:
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}, "code": {"text": "NAME"}}
    path = tmp_path / "b.json"
    path.write_bytes(bundle(PATIENT, condition).replace(b"NAME", b"\xff"))
    tables = FhirSource().read([path], ReadRequest(TABLES["sites"].empty()))
    assert tables["conditions"].is_empty()
    assert "text that is not UTF-8; the resource was left out" in tables["issues"]["text"].to_list()


LEAVES: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 7, -0.5, 1e300, "", "x", "2020-01-01", "\u200b", [], {}])
FIELDS = ("code", "coding", "text", "status", "valueQuantity", "value", "component", "contained", "id", "reference",
          "medicationReference", "effectivePeriod", "start", "authoredOn", "clinicalStatus", "resourceType",
          "class", "type", "period", "daysSupply", "whenHandedOver", "medication", "concept", "ingredient", "condition",
          "onsetAge", "interpretation", "dataAbsentReason", "conclusionCode", "dosage", "adherence")
SHALLOW = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), LEAVES, max_size=2)
BODIES = st.dictionaries(st.sampled_from(FIELDS), SHALLOW | st.lists(SHALLOW, max_size=2), max_size=4)
KINDS = ("Condition", "Observation", "MedicationRequest", "MedicationStatement", "AllergyIntolerance", "Medication",
         "MedicationAdministration", "MedicationDispense", "Procedure", "Encounter", "Immunization",
         "FamilyMemberHistory", "DiagnosticReport", "Bundle")


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(KINDS), body=BODIES)
def test_any_one_resource_never_loses_the_record(tmp_path_factory: pytest.TempPathFactory, kind: str,
                                                 body: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    good = {"resourceType": "Condition", "id": "good", "subject": {"reference": "Patient/p1"}, "code": {"text": "x"}}
    link = {"subject": {"reference": "Patient/p1"}, "patient": {"reference": "Patient/p1"}}
    path.write_bytes(bundle(PATIENT, {"resourceType": kind} | link | body, good))
    tables = FhirSource().read([path], ReadRequest(TABLES["sites"].empty()))
    assert "x" in tables["conditions"]["display"].to_list()


def test_bottomless_nesting_is_refused(tmp_path: Path) -> None:
    content = bundle(PATIENT, {"resourceType": "Observation", "x": 1})
    deep = content.replace(b'"x": 1', b'"x":' + b"[" * 200_000 + b"]" * 200_000)
    assert refusal(tmp_path / "record.json", deep).startswith("not JSON: nested too deeply")


BLANKS = 200 << 20


@pytest.mark.parametrize("name", ["record.json", "record.json.gz"])
def test_200_mb_of_blanks_are_an_empty_file(tmp_path: Path, name: str) -> None:
    content = gzip.compress(b" " * BLANKS, 1) if name.endswith(".gz") else b" " * BLANKS
    assert refusal(tmp_path / name, content).startswith("the file is empty")


@pytest.mark.parametrize("name", ["record.ndjson", "record.ndjson.gz"])
def test_200_mb_of_blanks_are_no_lines_and_are_not_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b" " * BLANKS, 1) if name.endswith(".gz") else b" " * BLANKS)
    tracemalloc.start()
    try:
        with pytest.raises(HistoryError, match="no Patient is given"):
            FhirSource().read([path], ReadRequest(TABLES["sites"].empty()))
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


# Reads all of a file and tells how many resources it met, and the most kB that it had in memory; a process begins with
# the peak of the one that started it, so that `ru_maxrss` would not do.
DECODING = """
import re, sys
from pathlib import Path
from pmed.sources.fhir_lines import LineReading
part = LineReading(Path(sys.argv[1]))
met = len(list(part.first())) + sum(len(piece.found) for piece in part.pieces())
print(met, re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="tells its memory on Linux only")
@pytest.mark.parametrize("name", ["record.ndjson", "record.ndjson.gz"])
def test_decoding_four_times_the_lines_takes_no_more_memory(tmp_path: Path, name: str) -> None:
    line = json.dumps({"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p1"},
                       "code": {"text": "weight"}, "note": [{"text": "x" * 2000}]}).encode() + b"\n"
    peaks = []
    for times in (1, 4):
        with (gzip.open if name.endswith(".gz") else open)(tmp_path / name, "wb") as file:
            for _ in range(10 * times):
                file.write(line * 1000)
        said = subprocess.run([sys.executable, "-c", DECODING, str(tmp_path / name)], check=True, capture_output=True,
                              text=True).stdout.split()
        assert int(said[0]) == 10_000 * times
        peaks.append(int(said[1]) >> 10)
    # The second file has 65 MB more.
    assert peaks[1] < peaks[0] + 15, peaks


@pytest.mark.parametrize(("before", "after"), [(BLANKS, 0), (0, BLANKS)])
def test_200_mb_of_blanks_around_a_bundle_do_no_harm(tmp_path: Path, before: int, after: int) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(b" " * before + bundle(PATIENT) + b" " * after)
    assert FhirSource().read([path], ReadRequest(TABLES["sites"].empty()))["patients"]["patient_id"].to_list() == ["p1"]


@given(st.text(max_size=12) | st.dates().map(str) | st.dates().map(lambda day: str(day)[:7]))
def test_dates_one_by_one_and_in_frames_agree(text: str) -> None:
    import polars as pl

    from pmed.sources.record_dates import first_day

    day = pl.DataFrame({"d": [text]}).select(first_day(pl.col("d"))).item()
    assert is_date(text) == (day is not None)


def test_dates_of_long_tables_are_those_of_short_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = [None, "2020", "2020-02", "2019-02-29", "x", "2020-02-29T01:00:00Z", "2020", None]
    (tmp_path / "b.json").write_bytes(bundle(PATIENT, *(
        {"resourceType": "Procedure", "subject": {"reference": "Patient/p1"}, "code": {"text": "x"},
         "performedPeriod": {"start": day, "end": day}} for day in days)))

    def read() -> dict[str, object]:
        found = FhirSource().read([tmp_path / "b.json"], ReadRequest(TABLES["sites"].empty()))
        return {name: frame.to_dicts() for name, frame in found.items()}
    short = read()
    monkeypatch.setattr("pmed.sources.record_reading._MANY", 1)
    assert read() == short


@pytest.mark.parametrize(("text", "day", "said"), [
    ("2020", "2020-01-01", "partial-date"), ("2020-02", "2020-02-01", "partial-date"),
    ("2020-02-29", "2020-02-29", None),
    ("2020-02-29T23:59:60.5+14:00", "2020-02-29", None), ("2020-02-30", None, "bad-date"),
    ("2019-02-29", None, "bad-date"),
    ("2020-13", None, "bad-date"), ("2020-00-01", None, "bad-date"), ("0000", None, "bad-date"),
    ("20200101", None, "bad-date"),
    ("01.02.2020", None, "bad-date"), ("2020-1-1", None, "bad-date"), (" ", None, "bad-date"),
    ("-2020-01-01", None, "bad-date"),
])
def test_dates_of_every_precision_and_impossible_ones(tmp_path: Path, text: str, day: str | None,
                                                      said: str | None) -> None:
    procedure = {"resourceType": "Procedure", "id": "x", "subject": {"reference": "Patient/p1"}, "code": {"text": "x"},
                 "performedDateTime": text}
    (tmp_path / "b.json").write_bytes(bundle(PATIENT, procedure))
    tables = FhirSource().read([tmp_path / "b.json"], ReadRequest(TABLES["sites"].empty(), index_date="2024-01-01"))
    start = tables["procedures"]["start"][0]
    assert (start and str(start)) == day
    assert set(tables["issues"]["code"]) == ({said} if said else set())


def test_a_bundle_inside_is_told(tmp_path: Path) -> None:
    inner = json.loads(bundle({"resourceType": "Condition", "subject": {"reference": "Patient/p1"}}))
    (tmp_path / "b.json").write_bytes(bundle(PATIENT, inner))
    tables = FhirSource().read([tmp_path / "b.json"], ReadRequest(TABLES["sites"].empty()))
    assert tables["issues"].filter(severity="error").select("place", "code").rows() == [
        ("entry[1] Bundle", "nested-bundle")]

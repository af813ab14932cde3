"""Which of a day's measurements is the latest is told by their times, not by the order of the file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.features.history import HistoryFeatures
from pmed.sources.fhir import FhirSource
from pmed.sources.hl7v2 import Hl7v2Source
from pmed.sources.omop import OmopSource
from pmed.sources.record_order import _is_repeated
from pmed.sources.recorded import COLUMNS, make_tables
from pmed.sources.tabular import TableSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

LOINC, CREATININE = "http://loinc.org", "2160-0"
ASKED = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-02")
NOON, EVENING = "2024-06-01T12:00:00Z", "2024-06-01T18:00:00Z"


def values(*said: tuple[str | None, float], code: str = CREATININE) -> list[float]:
    given = [{"patient_id": "p", "file": "f", "place": str(at), "source": "f", "system": LOINC, "code": code,
              "start": start, "value": value} for at, (start, value) in enumerate(said)]
    rows = [tuple(one.get(name) for name in COLUMNS["observations"]) for one in given]
    person = tuple({"patient_id": "p", "file": "f"}.get(name) for name in COLUMNS["patients"])
    made = make_tables({"patients": [person], "observations": rows}, [], date(2024, 6, 2))["observations"]
    assert made["row"].to_list() == [*range(1, made.height + 1)]
    return made["value"].to_list()


def latest(tables: dict[str, pl.DataFrame]) -> float:
    return HistoryFeatures().run(tables, [f"observation:{CREATININE}"])["features"].item(0, 1)


@pytest.mark.parametrize(("said", "expected"), [
    (((EVENING, 3.0), (NOON, 0.9)), [0.9, 3.0]), (((NOON, 0.9), (EVENING, 3.0)), [0.9, 3.0]),
    # 18:00+02:00 is 16:00 UTC, before 17:00 UTC
    ((("2024-06-01T17:00:00Z", 2.0), ("2024-06-01T18:00:00+02:00", 1.0)), [1.0, 2.0]),
    ((("2024-06-01T18:00:00-0400", 2.0), ("2024-06-01T20:00:00+00:00", 1.0)), [1.0, 2.0]),
    ((("2024-06-01T18:00:00.5Z", 2.0), ("2024-06-01T18:00:00.25Z", 1.0)), [1.0, 2.0]),
    ((("2024-06-01T18:01", 2.0), ("2024-06-01T18:00", 1.0)), [1.0, 2.0]),
    # a day without a time says nothing of the order; neither do months and unknown days
    (((NOON, 2.0), ("2024-06-01", 1.0)), [1.0, 2.0]), ((("2024-06-01", 2.0), ("2024-06-01", 1.0)), [2.0, 1.0]),
    ((("2024-06", 2.0), ("2024", 1.0), (None, 3.0)), [2.0, 1.0, 3.0]),
    # of other days each stays where it is
    (((EVENING, 3.0), ("2024-05-01T01:00:00Z", 7.0), (NOON, 0.9)), [0.9, 7.0, 3.0]),
    ((("2024-06-02T01:00:00Z", 3.0), (NOON, 0.9)), [3.0, 0.9]), ((), []),
])
def test_rows_of_a_day_are_in_the_order_of_their_times(said: tuple[tuple[str | None, float], ...],
                                                       expected: list[float]) -> None:
    assert values(*said) == expected


def test_other_codes_and_what_has_none_stay_where_they_are() -> None:
    both = [(EVENING, 3.0, CREATININE), (NOON, 1.0, "2823-3"), (EVENING, 2.0, None), (NOON, 5.0, None)]
    rows = [tuple({"patient_id": "p", "file": "f", "place": "1", "system": LOINC, "code": code, "start": start,
                   "value": value}.get(name) for name in COLUMNS["observations"]) for start, value, code in both]
    person = tuple({"patient_id": "p", "file": "f"}.get(name) for name in COLUMNS["patients"])
    made = make_tables({"patients": [person], "observations": rows}, [], None)["observations"]
    assert made["value"].to_list() == [3.0, 1.0, 2.0, 5.0]


def test_rows_of_one_patient_that_stand_apart() -> None:
    """As those of several files do: the row before is another patient's."""
    given = [("p", EVENING, 3.0), ("q", EVENING, 7.0), ("p", NOON, 0.9), ("q", EVENING, 8.0)]
    rows = [tuple({"patient_id": name, "file": "f", "place": "1", "system": LOINC, "code": CREATININE, "start": start,
                   "value": value}.get(column) for column in COLUMNS["observations"]) for name, start, value in given]
    people = [tuple({"patient_id": name, "file": "f"}.get(column) for column in COLUMNS["patients"]) for name in "pq"]
    made = make_tables({"patients": people, "observations": rows}, [], None)["observations"]
    assert made.filter(patient_id="p")["value"].to_list() == [0.9, 3.0]
    assert made.filter(patient_id="q")["value"].to_list() == [7.0, 8.0]


@given(st.lists(st.sampled_from([0, 1, 5, 7, 1 << 63]) | st.integers(0, (1 << 64) - 1)))
def test_numbers_that_are_there_twice(numbers: list[int]) -> None:
    given_numbers = pl.Series(numbers, dtype=pl.UInt64)
    assert _is_repeated(given_numbers).to_list() == given_numbers.is_duplicated().to_list()


def test_fhir(tmp_path: Path) -> None:
    labs = [{"resourceType": "Observation", "id": f"o{at}", "status": "final", "effectiveDateTime": when,
             "subject": {"reference": "Patient/p"}, "code": {"coding": [
                 {"system": LOINC, "code": CREATININE, "display": "Creatinine"}]},
             "valueQuantity": {"value": value, "unit": "mg/dL"}} for at, (when, value) in enumerate(
                 [(EVENING, 3.0), (NOON, 0.9)])]
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1950-07-03"}
    (tmp_path / "b.json").write_text(json.dumps(
        {"resourceType": "Bundle", "entry": [{"resource": one} for one in (person, *labs)]}))
    assert latest(FhirSource().read([tmp_path / "b.json"], ASKED)) == 3.0


def test_hl7v2(tmp_path: Path) -> None:
    segments = ["MSH|^~\\&|A|B|C|D|202406011900||ORU^R01|2|P|2.5", "PID|1||77^^^H||X^Y||19500301|F"]
    for order, (hour, value) in enumerate([("18", 3.0), ("06", 0.9)]):
        segments += [f"OBR|{order}|o{order}|f{order}|24323-8^CMP^LN|||20240601{hour}0000",
                     f"OBX|1|NM|{CREATININE}^Creatinine^LN||{value}|mg/dL|||||F"]
    (tmp_path / "a.hl7").write_text("\r".join(segments) + "\r")
    assert latest(Hl7v2Source().read([tmp_path / "a.hl7"], ASKED)) == 3.0


def test_omop(tmp_path: Path) -> None:
    (tmp_path / "person.csv").write_text("person_id,gender_concept_id,year_of_birth\n1,8532,1950\n")
    (tmp_path / "concept.csv").write_text("concept_id,concept_name,vocabulary_id,concept_code\n"
                                          f"3016723,Creatinine,LOINC,{CREATININE}\n8840,mg/dL,UCUM,mg/dL\n")
    (tmp_path / "measurement.csv").write_text(
        "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,value_as_number,"
        "unit_concept_id\n1,1,3016723,2024-06-01,2024-06-01 18:00:00,3.0,8840\n"
        "2,1,3016723,2024-06-01,2024-06-01 06:00:00,0.9,8840\n3,1,3016723,2024-05-01,2024-06-01 23:00:00,5.0,8840\n")
    tables = OmopSource().read([tmp_path], ASKED)
    assert latest(tables) == 3.0
    assert tables["observations"]["start"].to_list()[0] == date(2024, 5, 1)


@pytest.mark.parametrize(("day", "form"), [("2024-06-01 {}:00:00", ""), ("01.06.2024 {}:00", "%d.%m.%Y %H:%M")])
def test_plain_tables(tmp_path: Path, day: str, form: str) -> None:
    (tmp_path / "labs.csv").write_text(f"id,date,crea\np,{day.format(18)},3.0\np,{day.format('06')},0.9\n")
    (tmp_path / "a.mapping.toml").write_text(
        '[[file]]\npath = "labs.csv"\ntable = "observations"\n' + (f'date_format = "{form}"\n' if form else "")
        + '[file.columns]\npatient_id = "id"\nstart = "date"\n'
        f'[file.measurements.crea]\ncode = "{CREATININE}"\nunit = "mg/dL"\n')
    tables = TableSource().read([tmp_path / "a.mapping.toml"], ASKED)
    assert tables["observations"]["start"].to_list() == [date(2024, 6, 1)] * 2
    assert latest(tables) == 3.0

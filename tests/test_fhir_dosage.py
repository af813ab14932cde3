"""How much a day, and until when: what FHIR's dosages say, and what they leave open."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

MG = {"doseAndRate": [{"doseQuantity": {"value": 10, "unit": "mg"}}]}
DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}


def dosed(**repeat: object) -> dict[str, Any]:
    return MG | {"timing": {"repeat": repeat}}


def read(folder: Path, *dosages: dict[str, Any], index_date: str = "2024-06-02", kind: str = "MedicationRequest",
         **said: object) -> dict[str, pl.DataFrame]:
    dose = "dosage" if kind == "MedicationStatement" else "dosageInstruction"
    order = {"resourceType": kind, "id": "m", "status": "active", "intent": "order", "authoredOn": "2024-01-01",
             "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": "methotrexate"},
             dose: list(dosages), **said}
    (folder / "b.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1950-07-03"}}, {"resource": order}]}))
    return FhirSource().read([folder / "b.json"], ReadRequest(TABLES["sites"].empty(), index_date=index_date))


@pytest.mark.parametrize(("repeat", "daily"), [
    (DAILY, 10), (DAILY | {"dayOfWeek": ["mon"]}, 10 / 7), (DAILY | {"dayOfWeek": ["mon", "thu"]}, 20 / 7),
    (DAILY | {"dayOfWeek": ["mon", "monday"]}, None), (DAILY | {"dayOfWeek": "mon"}, None),
    (DAILY | {"period": 2, "dayOfWeek": ["mon"]}, None),
    ({"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["sun"]}, 10 / 7),
    ({"frequency": 2, "period": 1, "periodUnit": "wk", "dayOfWeek": ["sun", "mon"]}, 20 / 7),
    ({"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["sun", "mon"]}, None),
    (DAILY | {"frequencyMax": 4}, None), (DAILY | {"frequencyMax": 1}, 10),
    ({"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"}, None),
    ({"frequency": 1, "period": 6, "periodUnit": "h"}, 40),
    (DAILY | {"timeOfDay": ["08:00:00"]}, 10), (DAILY | {"timeOfDay": ["08:00:00", "20:00:00"]}, None),
    ({"period": 1, "periodUnit": "d", "when": ["ACM", "ACV"]}, None),
    (DAILY | {"frequencyMax": [4]}, None), (DAILY | {"dayOfWeek": [{}]}, None), (DAILY | {"when": 5}, 10),
    (DAILY | {"frequency": 2, "when": ["C", "HS"]}, 20),
])
def test_how_much_a_day(tmp_path: Path, repeat: dict[str, Any], daily: float | None) -> None:
    medicine = read(tmp_path, dosed(**repeat))["medications"]
    assert medicine["dose"].to_list() == [10]
    assert medicine["daily_dose"].to_list() == ([None] if daily is None else [pytest.approx(daily)])


@pytest.mark.parametrize("needed", [
    {"asNeededBoolean": True}, {"asNeededCodeableConcept": {"text": "pain"}}, {"asNeeded": True},
    {"asNeededFor": [{"text": "pain"}]}])
def test_what_is_taken_as_needed_has_no_dose_a_day(tmp_path: Path, needed: dict[str, Any]) -> None:
    medicine = read(tmp_path, dosed(**DAILY) | needed)["medications"]
    assert medicine.select("active", "dose", "daily_dose").rows() == [(True, 10, None)]


def test_what_is_not_as_needed_has_one(tmp_path: Path) -> None:
    assert read(tmp_path, dosed(**DAILY) | {"asNeededBoolean": False})["medications"]["daily_dose"].to_list() == [10]


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
def test_of_several_dosages_none_is_the_dose_a_day(tmp_path: Path, kind: str) -> None:
    other = dosed(**DAILY) | {"doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}]}
    same = read(tmp_path, dosed(**DAILY), dosed(**DAILY), kind=kind)
    assert same["medications"].select("dose", "dose_unit", "daily_dose").rows() == [(10, "mg", None)]
    tables = read(tmp_path, dosed(**DAILY), other, kind=kind)
    assert tables["medications"].select("dose", "dose_unit", "daily_dose").rows() == [(None, None, None)]
    assert tables["issues"]["code"].to_list() == ["timing-not-read"]


@pytest.mark.parametrize(("bounds", "end", "active"), [
    ({"boundsPeriod": {"start": "2024-01-01", "end": "2024-01-08"}}, date(2024, 1, 8), None),
    ({"boundsPeriod": {"end": "2024-06-02"}}, date(2024, 6, 2), True),
    ({"boundsPeriod": {"start": "2024"}}, None, True),
    ({"boundsDuration": {"value": 7, "code": "d"}}, date(2024, 1, 8), None),
    ({"boundsDuration": {"value": 1, "unit": "month"}}, date(2024, 2, 1), None),
    ({"boundsDuration": {"value": 1e12, "code": "d"}}, None, True), ({"boundsDuration": {"code": "d"}}, None, True),
    ({"boundsDuration": {"value": 7, "code": "d", "comparator": ">"}}, None, True), ({"boundsPeriod": 5}, None, True),
    ({"boundsDuration": {"value": 7, "code": "a"}}, None, True),
    ({"boundsRange": {"low": {"value": 5, "code": "d"}, "high": {"value": 7, "code": "d"}}}, date(2024, 1, 8), None),
    ({"boundsRange": {"low": {"value": 5, "code": "d"}}}, None, True), ({"boundsRange": 5}, None, True),
    ({"count": 5}, date(2024, 1, 6), None), ({"count": 500}, date(2025, 5, 15), True), ({"count": 0}, None, True),
    ({"count": "5"}, None, True), ({"count": 5, "frequencyMax": 3}, None, True),
])
def test_an_order_whose_dosage_has_ended_may_be_over(tmp_path: Path, bounds: dict[str, Any], end: date | None,
                                                     active: bool | None) -> None:
    medicine = read(tmp_path, dosed(**DAILY, **bounds))["medications"]
    assert medicine.select("end", "active").rows() == [(end, active)]


def test_the_last_dosage_ends_an_order(tmp_path: Path) -> None:
    first, second = ({"boundsPeriod": {"end": end}} for end in ("2024-01-08", "2024-02-08"))
    both = read(tmp_path, dosed(**DAILY, **first), dosed(**DAILY, **second))["medications"]
    assert both["end"].to_list() == [date(2024, 2, 8)]
    assert read(tmp_path, dosed(**DAILY, **first), dosed(**DAILY))["medications"]["end"].to_list() == [None]


def test_without_bounds_an_order_ends_with_what_may_be_dispensed(tmp_path: Path) -> None:
    until = {"dispenseRequest": {"validityPeriod": {"end": "2024-03-01"}}}
    assert read(tmp_path, dosed(**DAILY), **until)["medications"]["end"].to_list() == [date(2024, 3, 1)]


@pytest.mark.parametrize(("timing", "daily"), [
    ({"code": {"coding": [{"code": "BID"}]}}, 20), ({"code": {"coding": [{"code": "QOD"}]}}, 5),
    ({"code": {"coding": [{"code": "BID"}, {"code": "TID"}]}}, None), ({"code": {"coding": [{"code": "PRN"}]}}, None),
    ({"code": {"text": "BID"}}, 20), ({"code": {"text": "as told"}}, None), ({"code": 5}, None),
    ({"code": {"coding": 5}}, None),
    ({"code": {"coding": [{"code": "BID"}]}, "repeat": DAILY}, 10),
    ({"code": {"coding": [{"code": "BID"}]}, "repeat": {"boundsPeriod": {"end": "2024-07-01"}}}, 20),
    ({"code": {"coding": [{"code": "BID"}]}, "repeat": {"when": ["C"]}}, None), ({}, None)])
def test_an_abbreviation_tells_how_often(tmp_path: Path, timing: dict[str, Any], daily: float | None) -> None:
    assert read(tmp_path, MG | {"timing": timing})["medications"]["daily_dose"].to_list() == [daily]


def most(value: object, unit: str, per: object = 1, period: str = "d") -> dict[str, Any]:
    return {"maxDosePerPeriod": {"numerator": {"value": value, "unit": unit}, "denominator": {
        "value": per, "unit": period}}}


FOUR_TIMES = DAILY | {"frequency": 4}


@pytest.mark.parametrize(("dosage", "daily", "told"), [
    (dosed(**FOUR_TIMES) | most(40, "mg"), 40, False), (dosed(**FOUR_TIMES) | most(0.04, "g"), 40, False),
    (dosed(**FOUR_TIMES) | most(30, "mg"), None, True), (dosed(**FOUR_TIMES) | most(30, "mg", 12, "h"), 40, False),
    (dosed(**FOUR_TIMES) | most(10, "mg", 8, "h"), None, True), (dosed(**DAILY) | most(10, "mg", 1, "wk"), None, True),
    (dosed(**DAILY) | most(1, "tablet"), None, True), (dosed(**DAILY) | most("10", "mg"), None, True),
    (dosed(**DAILY) | {"maxDosePerPeriod": 5}, None, True), (dosed(**DAILY) | most(10, "mg", 0), None, True),
    (dosed(**DAILY) | {"maxDosePerPeriod": [most(10, "mg")["maxDosePerPeriod"]]}, 10, False),
    (dosed(**DAILY) | {"maxDosePerPeriod": [most(one, "mg")["maxDosePerPeriod"] for one in (20, 5)]}, None, True),
    (MG | {"text": "twice daily"} | most(20, "mg"), 20, False),
    (MG | {"text": "twice daily"} | most(10, "mg"), None, True),
    ({"text": "2 tablets daily"} | most(2, "TAB"), 2, False),
    ({"text": "2 tablets daily"} | most(10, "mg"), None, True),
    ({"text": "4 tablets daily"} | most(4, "tablets", 1, "wk"), None, True),
    (dosed(**DAILY) | {"asNeededBoolean": True} | most(5, "mg"), None, False),
    (MG | most(5, "mg"), None, False),
])
def test_no_more_than_the_most_that_is_said(tmp_path: Path, dosage: dict[str, Any], daily: float | None,
                                            told: bool) -> None:
    tables = read(tmp_path, dosage)
    assert tables["medications"]["daily_dose"].to_list() == [daily]
    assert ("dose-conflict" in tables["issues"]["code"].to_list()) is told

"""How long a measurement tells of today, and what is said where the last one is too old."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pmed.features.derived_step import DerivedFeatures
from pmed.measured import BLOOD, DAYS, WEIGHT, outdated
from pmed.normalise.loinc import LOINC
from pmed.normalise.units import CODES
from pmed.render.view import patient_views
from pmed.tables import TABLES, Tables
from tests import render_cases as cases

TODAY = date(2026, 1, 15)
UNITS = {"6301-6": "1", "34714-6": "1", "2823-3": "mmol/L", "6298-4": "mmol/L", "2160-0": "mg/dL", "38483-4": "mg/dL",
         "8636-3": "ms", WEIGHT: "kg"}


def record(*measured: tuple[str, float, int]) -> Tables:
    """A patient with values (code, value, days ago)."""
    rows = [{"patient_id": "p", "row": row, "system": LOINC, "code": code, "value": value, "unit": UNITS[code],
             "start": TODAY - timedelta(days=ago), "status": "final"}
            for row, (code, value, ago) in enumerate(measured, 1)]
    return {"observations": TABLES["observations"].frame(rows), "patients": TABLES["patients"].frame(
        [{"patient_id": "p", "birth_date": date(1960, 1, 1), "sex": "male", "index_date": TODAY}])}


def latest(code: str, tables: Tables, **options: Any) -> float | None:
    name = f"latest:{code}"
    found = DerivedFeatures(**options).run(tables, [name])["features"][name].item()
    assert found is None or isinstance(found, float)
    return found


@pytest.mark.parametrize(("code", "value", "days"), [
    ("6301-6", 4.8, 30), ("2823-3", 5.9, 90), ("8636-3", 510.0, 180), ("2160-0", 1.8, 365)])
def test_a_value_counts_for_its_days_and_is_then_unknown(code: str, value: float, days: int) -> None:
    assert latest(code, record((code, value, days))) == value
    assert latest(code, record((code, value, days + 1))) is None
    told = outdated(record((code, value, days + 1)), [code]).rows()
    assert told == [("p", code, value, days + 1)]
    assert outdated(record((code, value, days)), [code]).is_empty()


@pytest.mark.parametrize(("born", "days"), [(date(1960, 1, 1), 365), (date(2010, 1, 1), 90), (date(2025, 1, 1), 30)])
def test_how_long_a_weight_counts_depends_on_age(born: date, days: int) -> None:
    for ago, told in ((days, []), (days + 1, [("p", WEIGHT, 55.0, days + 1)])):
        tables = record((WEIGHT, 55.0, ago))
        who = tables["patients"].with_columns(birth_date=pl.lit(born))
        assert outdated({**tables, "patients": who}, [WEIGHT]).rows() == told


def test_the_option_is_for_what_has_no_limit_of_its_own() -> None:
    old = record(("2160-0", 1.8, 40), ("6301-6", 4.8, 29))
    assert (latest("2160-0", old, recent_days=30.0), latest("6301-6", old, recent_days=20.0)) == (None, 4.8)


@pytest.mark.parametrize(("code", "other"), [(code, other) for code, others in BLOOD.items() for other in others])
def test_the_latest_of_serum_and_whole_blood_counts(code: str, other: str) -> None:
    assert latest(code, record((code, 4.0, 9), (other, 5.0, 2))) == 5.0
    assert latest(code, record((code, 4.0, 2), (other, 5.0, 9))) == 4.0
    # An old value of one says nothing where there is a new one of the other.
    assert outdated(record((code, 4.0, 999), (other, 5.0, 2)), [code]).is_empty()


def test_where_the_latest_cannot_be_used_an_older_one_is_neither_counted_nor_told() -> None:
    tables = record(("6301-6", 4.8, 100), ("6301-6", 28.0, 3))
    assert latest("6301-6", tables) is None
    assert outdated(tables, ["6301-6"]).is_empty()


def test_limits_are_of_measurements_that_are_read() -> None:
    assert {*DAYS, *BLOOD, *(code for others in BLOOD.values() for code in others)} <= set(CODES)
    assert all(DAYS.get(code) == DAYS.get(other) for code, others in BLOOD.items() for other in others)


def test_measurements_stand_among_the_tests_that_would_help() -> None:
    rows = cases.full_rows()
    rows["suggestions"] = [
        cases.suggestion("metformin", "test", unknown=["egfr"]),
        cases.suggestion("ibuprofen", "standard", unknown=["phenotype:CYP2C9", "egfr", "age"]),
        cases.suggestion("spironolactone", "test", unknown=["latest:2823-3"]),
        cases.suggestion("dabigatran", "not-assessed", unknown=["creatinine-clearance"], current=False)]
    view = next(one for one in patient_views(cases.result(rows)) if one["patient_id"] == "ann")
    assert view["tests"] == [{"test": "kidney function (eGFR)", "drugs": ["ibuprofen", "metformin"]},
                             {"test": "CYP2C9", "drugs": ["ibuprofen"]},
                             {"test": "potassium", "drugs": ["spironolactone"]}]


def test_nobody_without_measurements_is_told_of_any() -> None:
    assert outdated({"patients": record()["patients"]}, ["6301-6"]).schema == pl.Schema(
        {"patient_id": pl.String(), "code": pl.String(), "value": pl.Float64(), "ago": pl.Int64()})

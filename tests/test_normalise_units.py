"""Units: conversions against published pairs, and no silent assumption."""

from __future__ import annotations

import doctest

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.normalise import units
from pmed.normalise.units import CODES, LOINC, PLAUSIBLE, UNITS, canonical_units, to_unit
from pmed.tables import TABLES


def observations(*rows: dict[str, object]) -> pl.DataFrame:
    return TABLES["observations"].frame([
        {"patient_id": "p", "row": number, "system": LOINC, "source": f"f.json#Observation/{number}"} | row
        for number, row in enumerate(rows, 1)])


@pytest.mark.parametrize(("code", "value", "unit", "expected", "wanted"), [
    ("8302-2", 1.8, "m", 180.0, "cm"),
    ("8302-2", 65.0, "[in_i]", 165.1, "cm"),
    ("3137-7", 180.0, "cm", 180.0, "cm"),
    ("29463-7", 154.0, "[lb_av]", 69.853, "kg"),
    ("3141-9", 3400.0, "g", 3.4, "kg"),
    ("8480-6", 120.0, "mm[Hg]", 120.0, "mm[Hg]"),
    ("8480-6", 16.0, "kPa", 120.01, "mm[Hg]"),
    ("2093-3", 5.2, "mmol/L", 201.06, "mg/dL"),
    ("14647-2", 5.2, "mmol/L", 201.06, "mg/dL"),
    ("2085-9", 1.0, "mmol/L", 38.665, "mg/dL"),
    ("2571-8", 1.7, "mmol/L", 150.57, "mg/dL"),
    ("2345-7", 5.55, "mmol/L", 99.99, "mg/dL"),
    ("2160-0", 88.4, "umol/L", 1.0, "mg/dL"),
    ("14682-9", 88.4, "umol/L", 1.0, "mg/dL"),
    ("59261-8", 53.0, "mmol/mol", 7.0, "%"),
    ("4548-4", 7.1, "%", 7.1, "%"),
    ("8310-5", 98.6, "[degF]", 37.0, "Cel"),
])
def test_published_pairs(code: str, value: float, unit: str, expected: float, wanted: str) -> None:
    out, issues = canonical_units(observations({"code": code, "value": value, "unit": unit}))
    assert out["value"][0] == pytest.approx(expected, rel=1e-3)
    assert out["unit"][0] == wanted
    assert out["canonical_code"][0] == CODES[code][0]
    assert issues.is_empty()


@pytest.mark.parametrize("unit", ["[stone_av]", "Kilo", "", None, "mg/dL"])
def test_unknown_unit_is_unknown(unit: str | None) -> None:
    out, issues = canonical_units(observations({"code": "29463-7", "value": 11.0, "unit": unit}))
    assert out.select("value", "unit", "canonical_code").row(0) == (None, unit, None)
    assert out["value_text"][0] == f"11.0 {'(no unit)' if unit is None else unit}"
    assert issues.select("file", "place", "severity", "code").row(0) == (
        "f.json", "Observation/1", "warning", "unknown-unit")


def test_what_has_no_canonical_unit_stays_as_recorded() -> None:
    drawn = observations({"code": "99999-9", "value": 1.0, "unit": "furlong"},
                         {"code": "8302-2", "value": 180.0, "unit": "cm", "system": "http://local"},
                         {"code": "8302-2", "value": None, "unit": "cm"},
                         {"code": "72166-2", "value_text": "Never smoked", "value_code": "266919005"})
    out, issues = canonical_units(drawn)
    assert out.drop("canonical_code").equals(drawn)
    assert out["canonical_code"].to_list() == [None] * 4
    assert issues.is_empty()


def test_twice_is_once_and_empty_is_empty() -> None:
    out, _ = canonical_units(observations({"code": "8302-2", "value": 65.0, "unit": "[in_i]"},
                                          {"code": "8302-2", "value": 65.0, "unit": "?"}))
    again, issues = canonical_units(out)
    assert again.equals(out)
    assert issues.is_empty()
    empty, issues = canonical_units(TABLES["observations"].empty())
    TABLES["observations"].check(empty)
    TABLES["issues"].check(issues)


@given(st.sampled_from([(quantity, unit) for quantity, known in UNITS.items() for unit in known]),
       st.floats(0.01, 1000))
def test_there_and_back(pair: tuple[str, str], value: float) -> None:
    quantity, unit = pair
    wanted = units.canonical_unit(quantity)
    frame = pl.DataFrame({"value": [value], "unit": [unit]})
    there = frame.with_columns(value=to_unit(pl.col("value"), pl.col("unit"), wanted, quantity), unit=pl.lit(wanted))
    assert there.select(to_unit(pl.col("value"), pl.col("unit"), unit, quantity)).item() == pytest.approx(value)


def test_every_code_has_its_quantity_and_every_canonical_unit_is_itself() -> None:
    assert {quantity for _, quantity in CODES.values()} <= set(UNITS)
    assert all(next(iter(known.values())) == (1, 0) for known in UNITS.values())
    assert all(CODES[target] == (target, quantity) for target, quantity in CODES.values())


def test_the_example_runs() -> None:
    assert doctest.testmod(units).failed == 0


@pytest.mark.parametrize(("code", "value", "unit"), [
    ("8302-2", 1.75, "cm"), ("29463-7", 0.0, "kg"), ("2160-0", 90.0, "mg/dL"), ("718-7", 140.0, "g/dL"),
    ("2823-3", -1.0, "mmol/L"), ("8480-6", 1200.0, "mm[Hg]"), ("6301-6", 0.1, "{INR}")])
def test_what_nobody_can_have_is_told_and_not_used(code: str, value: float, unit: str) -> None:
    out, issues = canonical_units(observations({"code": code, "value": value, "unit": unit}))
    assert out.select("value", "unit", "canonical_code").row(0) == (None, unit, None)
    assert out["value_text"][0] == f"{value} {unit}"
    assert issues["code"].to_list() == ["implausible-value"]
    again, more = canonical_units(out.drop("canonical_code"))
    assert again["value_text"].equals(out["value_text"])
    assert more.is_empty()


@pytest.mark.parametrize(("code", "value", "unit", "expected"), [
    ("718-7", 8.7, "mmol/L", 14.02), ("718-7", 140, "g/l", 14.0), ("2160-0", 88.4, "μmol/L", 1.0),
    ("777-3", 250000, "/uL", 250), ("1742-6", 1.0, "µkat/L", 60), ("19123-9", 0.8, "mmol/L", 1.944),
    ("8634-8", 0.41, "s", 410), ("29463-7", 70, "KG", 70)])
def test_units_as_they_are_written(code: str, value: float, unit: str, expected: float) -> None:
    out, issues = canonical_units(observations({"code": code, "value": value, "unit": unit}))
    assert out["value"][0] == pytest.approx(expected, rel=2e-3)
    assert issues.is_empty()


def test_every_limit_is_of_a_canonical_code() -> None:
    assert set(PLAUSIBLE) <= {canonical for canonical, _ in CODES.values()}
    assert all(low < high for low, high in PLAUSIBLE.values())

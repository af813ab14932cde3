"""Units: conversions against published pairs, and no silent assumption."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.normalise import plausible, units
from pmed.normalise.loinc import LOINC
from pmed.normalise.units import CODES, UNITS, canonical_units, to_unit
from pmed.sources.fhir import FhirSource
from pmed.sources.omop import OmopSource
from pmed.tables import TABLES
from pmed.types import ReadRequest


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
    ("29463-7", 70.0, "KG", 70.0, "kg"),
    ("2093-3", 201.0, "MG/DL", 201.0, "mg/dL"),
    ("2160-0", 88.4, "µmol/l", 1.0, "mg/dL"),
    ("2160-0", 88.4, "μmol/L", 1.0, "mg/dL"),  # the Greek letter, not the micro sign
    ("718-7", 8.7, "mmol/L", 14.02, "g/dL"),
    ("718-7", 140.0, "g/l", 14.0, "g/dL"),
    ("59260-0", 8.7, "mmol/L", 14.02, "g/dL"),
    ("777-3", 250.0, "G/L", 250.0, "10*3/uL"),
    *(("777-3", 250.0, unit, 250.0, "10*3/uL") for unit in (
        "x10E3/uL", "10E9/L", "Thousand/uL", "thou/mm3", "K/mm3", "Tsd/\u00b5l", "Tsd./ul", "/nl", "Gpt/l")),
    ("13457-7", 100.0, "mg/dL (calc)", 100.0, "mg/dL"), ("13457-7", 2.5, "mmol/L (calc)", 96.6625, "mg/dL"),
    ("33914-3", 45.0, "ml/min/1,73 m\u00b2", 45.0, "mL/min/{1.73_m2}"),
    ("33914-3", 45.0, "mL/min/1.73", 45.0, "mL/min/{1.73_m2}"),
    ("26515-7", 250.0, "10^9/L", 250.0, "10*3/uL"),
    ("777-3", 250000.0, "/uL", 250.0, "10*3/uL"),
    ("1742-6", 0.5, "ukat/L", 30.0, "U/L"),
    ("1920-8", 30.0, "U/l", 30.0, "U/L"),
    ("19123-9", 1.0, "mmol/L", 2.431, "mg/dL"),
    ("1988-5", 1.2, "mg/dL", 12.0, "mg/L"),
    ("8636-3", 0.44, "s", 440.0, "ms"),
    ("6301-6", 2.5, None, 2.5, "1"),  # a ratio has no unit to be wrong about
    ("33914-3", 60.0, "mL/min/1.73 m2", 60.0, "mL/min/{1.73_m2}"),
    ("33914-3", 60.0, "mL/min", 60.0, "mL/min/{1.73_m2}"),  # the code says per 1.73 m2
])
def test_published_pairs(code: str, value: float, unit: str | None, expected: float, wanted: str) -> None:
    out, issues = canonical_units(observations({"code": code, "value": value, "unit": unit}))
    assert out["value"][0] == pytest.approx(expected, rel=1e-3)
    assert out["unit"][0] == wanted
    assert out["canonical_code"][0] == CODES[code][0]
    assert issues.is_empty()


@pytest.mark.parametrize("unit", ["stone weights", "", None, "mg/dL"])
def test_unknown_unit_is_unknown(unit: str | None) -> None:
    out, issues = canonical_units(observations({"code": "29463-7", "value": 11.0, "unit": unit}))
    assert out.select("value", "unit", "canonical_code").row(0) == (None, unit, "29463-7")
    again, none = canonical_units(out)  # it was measured all the same
    assert again.equals(out)
    assert none.is_empty()
    assert out["value_text"][0] == f"11.0 {'(no unit)' if unit is None else unit}"
    assert issues.select("file", "place", "severity", "code").row(0) == (
        "f.json", "Observation/1", "warning", "unknown-unit")


@pytest.mark.parametrize(("code", "value", "unit", "text"), [
    ("8302-2", 1.75, "cm", "height 1.75 cm: outside 25 to 250 cm, not used"),
    ("8302-2", 175.0, "m", "height 175.0 m: outside 25 to 250 cm, not used"),
    ("29463-7", 0.0, "kg", "weight 0.0 kg: outside 0.3 to 600 kg, not used"),
    ("2160-0", 88.4, "mg/dL", "creatinine 88.4 mg/dL: outside 0.1 to 25 mg/dL, not used"),
    ("6301-6", -1.0, None, "INR -1.0 (no unit): outside 0.4 to 20 1, not used"),
    ("4548-4", float("nan"), "%", "HbA1c NaN %: outside 3 to 25 %, not used"),
])
def test_implausible_values_are_told_and_not_used(code: str, value: float, unit: str | None, text: str) -> None:
    out, issues = canonical_units(observations({"code": code, "value": value, "unit": unit}, {
        "code": "8480-6", "value": 120.0, "unit": "mm[Hg]"}))
    assert out.select("value", "unit", "canonical_code").row(0) == (None, unit, CODES[code][0])  # it was measured
    assert out["value_text"][0] == text.partition(":")[0].removeprefix(plausible.PLAUSIBLE[CODES[code][0]][0]).strip()
    assert out["value"][1] == 120.0
    assert issues.select("place", "severity", "code", "text").rows() == [
        ("Observation/1", "warning", "implausible-value", text)]


@pytest.mark.parametrize(("code", "value", "unit", "ends"), [
    ("4548-4", 6.5, "mmol/mol", "20 to 250 mmol/mol"), ("59261-8", 7.9, "mmol/mol", "20 to 250 mmol/mol"),
    ("4548-4", 48.0, "%", "3 to 25 %"), ("2160-0", 80.0, "mg/dL", "0.1 to 25 mg/dL"),
    ("2160-0", 11.4, "umol/L", "15 to 2210 umol/L"), ("14682-9", 1.1, "\u00b5mol/l", "15 to 2210 \u00b5mol/l"),
    ("2160-0", 1.1, "mg/L", "1.5 to 250 mg/L"),
    ("2345-7", 5.4, "mg/dL", "20 to 3000 mg/dL"), ("2339-0", 95.0, "mmol/L", "0.3 to 60 mmol/L"),
    ("2089-1", 3.2, "mg/dL", "10 to 1000 mg/dL"), ("18262-6", 125.0, "mmol/L", "1 to 1000 mg/dL"),
    ("2085-9", 1.3, "mg/dL", "5 to 300 mg/dL"), ("2571-8", 150.0, "mmol/L", "0.06 to 50 mmol/L"),
    ("1975-2", 0.9, "umol/L", "2 to 1370 umol/L"), ("17861-6", 2.4, "mg/dL", "4 to 25 mg/dL"),
    ("1751-7", 4.2, "g/L", "0.7 to 9 g/dL"), ("718-7", 14.1, "g/L", "20 to 300 g/L"),
    ("718-7", 14.1, "mmol/L", "0.7 to 14 mmol/L"), ("777-3", 250.0, "/uL", "1000 to 3000000 /uL"),
    ("777-3", 5000.0, "10*3/uL", "0 to 3000 10*3/uL"), ("6690-2", 7.0, "/mm3", "50 to 1000000 /mm3"),
    ("8462-4", 10.6, "mm[Hg]", "15 to 250 mm[Hg]"), ("6298-4", 40.0, "mmol/L", "1 to 15 mmol/L"),
    ("6301-6", 28.0, None, "0.4 to 20 1"),  # Quick's percentage
    ("33914-3", 1.6, "mL/min/{1.73_m2}", "2 to 250 mL/min/{1.73_m2}"),
])
def test_a_number_that_is_likelier_one_of_another_unit_is_not_used(
        code: str, value: float, unit: str | None, ends: str) -> None:
    out, issues = canonical_units(observations({"code": code, "value": value, "unit": unit}))
    assert out.select("value", "unit", "canonical_code").row(0) == (None, unit, CODES[code][0])
    assert issues["text"].to_list() == [
        f"{plausible.PLAUSIBLE[CODES[code][0]][0]} {value} {unit or '(no unit)'}: outside {ends}, not used"]


@pytest.mark.parametrize(("code", "value", "unit"), [
    ("4548-4", 20.0, "mmol/mol"), ("4548-4", 3.2, "%"), ("2345-7", 25.0, "mg/dL"), ("2345-7", 55.0, "mmol/L"),
    ("2160-0", 15.0, "umol/L"), ("2160-0", 18.0, "mg/dL"), ("2089-1", 12.0, "mg/dL"), ("2089-1", 0.3, "mmol/L"),
    ("718-7", 8.5, "g/dL"), ("718-7", 8.5, "mmol/L"), ("718-7", 25.0, "g/L"), ("777-3", 2000.0, "/uL"),
    ("777-3", 2.0, "G/L"), ("2571-8", 30.0, "mmol/L"), ("1751-7", 9.0, "g/L"), ("29463-7", 150.0, "kg")])
def test_what_the_very_ill_have_or_cannot_be_told_is_used(code: str, value: float, unit: str) -> None:
    out, issues = canonical_units(observations({"code": code, "value": value, "unit": unit}))
    assert (out["value"].is_not_null().item(), issues.height) == (True, 0)


def test_ranges_by_unit_are_of_known_units_and_within_those_of_all() -> None:
    for code, ranges in plausible.IN_UNIT.items():
        target, quantity = CODES[code]
        assert (target, set(ranges) - set(units._spelled(UNITS[quantity]))) == (code, set())
        _, least, most = plausible.PLAUSIBLE[code]
        for unit, ends in ranges.items():
            factor, offset = (units._factors(part)[f"{quantity} {unit}"] for part in (0, 1))
            low, high = (end * factor + offset for end in ends)
            assert (low >= least * 0.9, high <= most * 1.01) == (True, True), (code, unit)


@pytest.mark.parametrize(("value", "used"), [(24.9, False), (25.0, True), (250.0, True), (250.1, False)])
def test_the_ends_of_a_range_are_plausible(value: float, used: bool) -> None:
    out, issues = canonical_units(observations({"code": "8302-2", "value": value, "unit": "cm"}))
    assert (out["value"].to_list(), issues.is_empty()) == ([value if used else None], used)


def test_every_canonical_code_has_a_range_and_no_two_spellings_of_a_unit_differ() -> None:
    assert set(plausible.PLAUSIBLE) == {target for target, _ in CODES.values()}
    for known in UNITS.values():
        spelled: dict[str, tuple[float, float]] = {}
        for unit, pair in zip(units._spelled(known), known.values(), strict=True):
            assert spelled.setdefault(unit, pair) == pair


def test_real_records_lose_nothing_to_the_ranges(shared: Path) -> None:
    files = sorted((shared / "data/fhir/synthea").glob("*.json"))
    read = FhirSource().read(files, ReadRequest(TABLES["sites"].empty()))["observations"]
    of_omop = OmopSource().read([shared / "data/omop/synthea27nj"], ReadRequest(TABLES["sites"].empty()))
    out, issues = canonical_units(pl.concat([read, of_omop["observations"]]))
    assert out["canonical_code"].is_not_null().sum() > 10_000
    assert issues.filter(pl.col("code") == "implausible-value").is_empty()


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


def of_unit(code: str, value: float, unit: str) -> tuple[dict[str, object], list[str]]:
    done, issues = canonical_units(observations({"code": code, "value": value, "unit": unit}))
    return done.row(0, named=True), issues["code"].to_list()


@pytest.mark.parametrize(("code", "value", "unit", "expected"), [
    ("2160-0", 12.0, "ug/mL", 1.2), ("29463-7", 11.0, "[stone_av]", 69.853), ("8310-5", 310.15, "K", 37.0),
    ("8480-6", 160.0, "cm[H2O]", 117.69), ("1742-6", 500.0, "nkat/L", 30.0), ("718-7", 1400.0, "2.mg/dL", 2.8)])
def test_other_ucum_units_are_read_by_the_library(code: str, value: float, unit: str, expected: float) -> None:
    pytest.importorskip("ucumvert")
    row, issues = of_unit(code, value, unit)
    assert row["value"] == pytest.approx(expected, rel=1e-4)
    assert row["unit"] == units.canonical_unit(CODES[code][1])
    assert not issues


@pytest.mark.parametrize(("code", "value", "unit"), [
    ("2160-0", 88.0, "nmol/L"),  # takes a molar mass
    ("2160-0", 1.0, "ng/kg"), ("2160-0", 1.0, "{mg}"), ("2160-0", 1.0, "mg/dL or so"), ("2160-0", 1.0, "m" * 1000),
    ("6301-6", 120.0, "%"),  # Quick's percentage is no INR
    ("4548-4", 50.0, "mmol/mmol"), ("33914-3", 6.0, "L/h")])
def test_what_no_library_knows_stays_unknown(code: str, value: float, unit: str) -> None:
    pytest.importorskip("ucumvert")
    row, issues = of_unit(code, value, unit)
    assert (row["value"], row["canonical_code"], issues) == (None, CODES[code][0], ["unknown-unit"])


def test_without_the_library_it_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.normalise.ucum.is_installed", lambda: False)
    rows = observations({"code": "2160-0", "value": 12.0, "unit": "ug/mL"}, {"code": "2160-0", "value": 9.0,
                                                                            "unit": "ug/mL"})
    done, issues = canonical_units(rows)
    assert done["value"].to_list() == [None, None]
    assert sorted(issues["code"]) == ["no-unit-library", "unknown-unit", "unknown-unit"]


def test_the_library_is_loaded_only_for_a_unit_that_the_table_lacks() -> None:
    code = ("import sys; from pmed.normalise.units import canonical_units; from pmed.tables import TABLES;"
            "canonical_units(TABLES['observations'].frame([{'patient_id': 'p', 'row': 1, 'system': 'http://loinc.org',"
            "'code': '2160-0', 'value': 88.0, 'unit': 'umol/L'}])); assert 'pint' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("text", "unit", "expected"), [
    ("2.4 mg/dL", None, (2.4, "mg/dL")), ("212 umol/l", None, (2.398, "mg/dL")), ("2.4", "mg/dL", (2.4, "mg/dL")),
    (" 2.4mg/dl ", "mg/dL", (2.4, "mg/dL"))])
def test_a_result_that_was_sent_as_words_is_read(text: str, unit: str | None, expected: tuple[float, str]) -> None:
    table, issues = canonical_units(observations({"code": "2160-0", "value_text": text, "unit": unit}))
    assert table.select(pl.col("value").round(3), "unit").row(0) == expected
    assert (table["value_text"].item(), issues.height) == (None, 0)


@pytest.mark.parametrize(("text", "unit"), [
    ("2.4", None), ("2,4 mg/dL", None), ("2.4 mg/dL", "umol/L"), ("2.4 furlong", None), ("60 to 80", "umol/L"),
    ("*95", "umol/L"), ("2.4 (haemolysed)", None), ("1.234,5", "umol/L"),
    ("1.234", "umol/L"), ("250.000", "umol/L"), ("1.234 umol/L", None)])
def test_a_result_in_words_that_cannot_be_read_was_measured_all_the_same(text: str, unit: str | None) -> None:
    table, issues = canonical_units(observations({"code": "2160-0", "value_text": text, "unit": unit}))
    assert table.select("canonical_code", "value", "value_text").row(0) == ("2160-0", None, text)
    assert issues["code"].to_list() == ["value-in-words"]
    again, none = canonical_units(table)
    assert again.equals(table)
    assert none.is_empty()


@pytest.mark.parametrize("text", ["haemolysed", "not done", "", None])
def test_words_without_a_figure_are_no_measurement(text: str | None) -> None:
    table, issues = canonical_units(observations({"code": "2160-0", "value_text": text}))
    assert (table["canonical_code"].item(), issues.height) == (None, 0)


def test_an_inr_in_words_needs_no_unit() -> None:
    table, _ = canonical_units(observations({"code": "6301-6", "value_text": "2.5"}))
    assert table["value"].item() == 2.5

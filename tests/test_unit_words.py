"""Units as hospitals spell them: what cannot mean another is read, what is dangerous when confused is not."""

from __future__ import annotations

import doctest

import polars as pl
import pytest

from pmed import masses
from pmed.normalise import unit_words
from pmed.normalise.loinc import LOINC
from pmed.normalise.units import CODES, canonical_units
from pmed.sources.recorded import COLUMNS, frame_of
from pmed.sources.sig_rows import with_sigs
from pmed.tables import TABLES

_PER_AREA = ("/1.73 m^2", "/1.73m*2", "/1.73 sq.m", "/1.73 sq m", "/1.73sqm", " per 1.73 m2", "/1.73m(2)", "/1.73 m sq",
             "/1.73 square meters", "/1.73 meters squared", "/173m2", "/{1.73_m2_bsa}", "/1,73 m\u00b2", "/1.73M2")
_THOUSANDS = ("x10(3)/mcL", "10(3)/mcL", "10*3/mcL", "X10^3/UL", "x10\u00b3/\u00b5L", "10x3/uL", "10**3/uL", "103/uL",
              "K/mcL", "K/cumm", "K/cu mm", "THOUS/UL", "Thousand/mcL", "x1000/uL", "x10(9)/L", "10\u2079/l", "E9/L",
              "Giga/l")


@pytest.mark.parametrize(("code", "value", "unit", "meant"), [
    *(("718-7", 13.0, unit, 13.0) for unit in ("GM/DL", "G/DL", "gm/dl", "gms/dL", "gm%", "g%", "g/100 mL")),
    ("718-7", 130.0, "GM/L", 13.0),
    *(("8480-6", 120.0, unit, 120.0) for unit in ("mm(hg)", "mm(Hg)", "mm/Hg", "MMHG", "mmHg.")),
    *(("4548-4", 6.5, unit, 6.5) for unit in ("% Hb", "%{Hb}", "% of total Hgb", "%(NGSP)", "% DCCT", "percent")),
    ("4548-4", 48.0, "mmol/mol{Hb}", 6.543), ("4544-3", 0.41, "l/l", 41.0),
    *(("777-3", 250.0, unit, 250.0) for unit in _THOUSANDS),
    *(("777-3", 250_000.0, unit, 250.0) for unit in ("cells/uL", "/cumm", "/cmm", "{cells}/uL")),
    ("777-3", 2.5, "lakhs/cumm", 250.0),
    *(("33914-3", 45.0, f"mL/min{per}", 45.0) for per in _PER_AREA),
    *(("2823-3", 4.2, unit, 4.2) for unit in ("MEQ/L", "mEq/Liter", "mmoles/L", "mval/l")),
    *(("2160-0", 1.2, unit, 1.2) for unit in ("MG/DL", "mg/100 mL", "mg%")),
    *(("2160-0", 88.4, unit, 1.0) for unit in ("UMOL/L", "mcmol/L", "micromol/l")),
    *(("1742-6", 30.0, unit, 30.0) for unit in ("IU/L", "Unit/L", "unit(s)/L", "Units/Liter")),
    *(("29463-7", 150.0, unit, 68.04) for unit in ("[lb_av]", "lbs", "lbs.", "pounds")),
    *(("29463-7", 70.0, unit, 70.0) for unit in ("kgs", "kilograms")), ("29463-7", 3400.0, "gm", 3.4),
    *(("8302-2", 70.0, unit, 177.8) for unit in ("in", "in.", "inch", "[in_i]")), ("8302-2", 175.0, "cms", 175.0),
    *(("8310-5", 98.6, unit, 37.0) for unit in ("degF", "[degF]", "F", "\u00baF")), ("8310-5", 37.0, "degC", 37.0),
    ("8636-3", 0.44, "sec", 440.0), ("39156-5", 25.0, "kg/m^2", 25.0), ("8867-4", 70.0, "beats/minute", 70.0)])
def test_units_as_hospitals_write_them(code: str, value: float, unit: str, meant: float) -> None:
    out, issues = _canonical(code, value, unit)
    assert out["value"][0] == pytest.approx(meant, rel=1e-3)
    assert issues.is_empty()


@pytest.mark.parametrize(("code", "value", "unit"), [
    ("2823-3", 4.2, "mM"), ("777-3", 250.0, "M/uL"), ("777-3", 250.0, "10*6/uL"), ("777-3", 250.0, "x10-3/uL"),
    ("777-3", 250.0, "cells/uL"), ("777-3", 250.0, "/cumm"), ("2160-0", 1.2, "mg/L"), ("2160-0", 1.2, "MG/L"),
    ("2160-0", 1.2, "ng/dL"), ("4548-4", 5.0, "% JDS"), ("4548-4", 7.9, "mmol/mol Hb"), ("33914-3", 45.0, "mL/min/m2"),
    ("8302-2", 5.11, "ft"), ("8302-2", 5.11, "feet"), ("6301-6", 25.0, "%"), ("1742-6", 30.0, "MU/L"),
    ("718-7", 13.0, "g/L"), ("4544-3", 41.0, "L/L"), ("2345-7", 5.4, "mg%")])
def test_what_is_dangerous_when_confused_stays_unknown(code: str, value: float, unit: str) -> None:
    out, issues = _canonical(code, value, unit)
    assert out["value"][0] is None
    assert issues["code"].is_in(["unknown-unit", "implausible-value"]).to_list() == [True]


@pytest.mark.parametrize("text", ["2.4*", "2.4 (!)", "2.4 mg/dL*"])
def test_a_mark_behind_a_number_is_no_unit(text: str) -> None:
    row = {"patient_id": "p", "row": 1, "system": LOINC, "code": "6301-6", "value_text": text}
    assert canonical_units(TABLES["observations"].frame([row]))[0]["value"].to_list() == [None]


@pytest.mark.parametrize(("unit", "meant", "mg"), [
    ("GM", "g", 1000.0), ("MG", "mg", 1.0), ("MCG", "ug", 0.001), ("grams", "g", 1000.0), ("MEQ", "meq", None),
    ("UNT", "U", None), ("UNITS", "U", None), ("TAB", "TAB", None), ("Mg.", "mg", 1.0)])
def test_units_of_doses(unit: str, meant: str, mg: float | None) -> None:
    made, told = with_sigs(_medicine(1.0, unit, None))
    assert made["dose_unit"].to_list() == [meant]
    assert made.select(masses.milligrams(pl.col("dose_unit")))["dose_unit"].to_list() == [mg]
    assert not told


@pytest.mark.parametrize(("dose", "unit", "sig", "kept"), [
    (5.0, "MG", "take 10 mg daily", None), (1.0, "GM", "take 500 mg daily", None), (5.0, "g", "5 mg daily", None),
    (1.0, "GM", "take 1000 mg daily", 1.0), (5.0, "MG", "take 5 mg daily", 5.0),
    (10.0, "UNITS", "12 units daily", None)])
def test_a_dose_in_capitals_that_the_directions_contradict_is_unknown(
        dose: float, unit: str, sig: str, kept: float | None) -> None:
    made, told = with_sigs(_medicine(dose, unit, sig))
    assert (made["dose"][0], any(rows.height for rows, _ in told)) == (kept, kept is None)


def test_examples() -> None:
    assert [doctest.testmod(one).failed for one in (unit_words, masses)] == [0, 0]


def _canonical(code: str, value: float, unit: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    assert code in CODES
    row = {"patient_id": "p", "row": 1, "system": LOINC, "code": code, "value": value, "unit": unit}
    return canonical_units(TABLES["observations"].frame([row]))


def _medicine(dose: float, unit: str, sig: str | None) -> pl.DataFrame:
    row = {"patient_id": "p", "display": "x", "dose": dose, "dose_unit": unit, "sig": sig, "kind": "order"}
    return frame_of("medications", [tuple(row.get(name) for name in COLUMNS["medications"])])

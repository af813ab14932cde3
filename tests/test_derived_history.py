"""What follows from a record: formulas against worked examples, and the features against a record by hand."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.features import formulas
from pmed.features.derived import DerivedHistory
from pmed.normalise.codes import grouped, value_sets
from pmed.normalise.units import canonical_units
from pmed.tables import TABLES

TODAY = date(2026, 3, 1)
SNOMED, ICD10, ICD9 = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-9-cm"


def one(expression: pl.Expr, **values: object) -> Any:
    kinds = {name: pl.String if isinstance(value, str) else pl.Boolean if isinstance(value, bool) else pl.Float64
             for name, value in values.items()}
    return pl.DataFrame({name: [value] for name, value in values.items()}, schema=kinds).select(expression).item()


EGFR = formulas.egfr(pl.col("creatinine"), pl.col("age"), pl.col("sex"))
CLEARANCE = formulas.creatinine_clearance(pl.col("creatinine"), pl.col("age"), pl.col("sex"), pl.col("weight"))
CHILD_PUGH = formulas.child_pugh(*map(pl.col, ("bilirubin", "albumin", "inr", "ascites", "encephalopathy")))


def vectors(shared: Path, score: str) -> list[dict[str, Any]]:
    cases = json.loads((shared / "cases/risk/vectors.json").read_text("utf-8"))
    return [case for case in cases if case["score"] == score]


def test_published_examples_of_ckd_epi_2021(shared: Path) -> None:
    cases = vectors(shared, "CKD-EPI-2021")
    assert len(cases) == 8
    for case in cases:
        given = case["inputs"]
        value = one(EGFR, creatinine=given["creatinine"][0], age=float(given["age"][0]), sex=given["sex"].lower())
        assert value == pytest.approx(case["expected"]["value"], abs=0.002)


def test_published_example_of_cockcroft_and_gault(shared: Path) -> None:
    [case] = vectors(shared, "Cockcroft-Gault")
    given = case["inputs"]
    value = one(CLEARANCE, creatinine=given["creatinine_umol_l"] / 88.4, age=float(given["age"]), sex="female",
                weight=float(given["weight_kg"]))
    assert value == pytest.approx(case["expected"]["crcl_ml_min"], abs=0.005)


@pytest.mark.parametrize(("bilirubin", "albumin", "inr", "ascites", "encephalopathy", "points"), [
    (1.5, 4.0, 1.3, False, False, 5), (1.5, 4.0, 1.3, False, True, 6), (3.0, 3.4, 1.3, False, False, 7),
    (1.9, 3.1, 1.8, None, None, 7), (3.1, 2.7, 2.4, True, True, 13), (2.0, 3.5, 1.7, True, None, 9),
    (1.99, 3.51, 1.69, None, None, 5), (3.01, 2.79, 2.31, None, None, 11),
    (None, 4.0, 1.3, None, None, None), (1.0, None, 1.0, True, True, None),
])
def test_child_pugh(bilirubin: float | None, albumin: float | None, inr: float | None, ascites: bool | None,
                    encephalopathy: bool | None, points: int | None) -> None:
    frame = pl.DataFrame({"bilirubin": [bilirubin], "albumin": [albumin], "inr": [inr], "ascites": [ascites],
                          "encephalopathy": [encephalopathy]}, schema_overrides={
        "bilirubin": pl.Float64, "albumin": pl.Float64, "inr": pl.Float64, "ascites": pl.Boolean,
        "encephalopathy": pl.Boolean})
    assert frame.select(CHILD_PUGH).item() == points


@pytest.mark.parametrize(("age", "sex", "creatinine"), [(17.9, "male", 1.0), (50.0, "other", 1.0), (50.0, "male", 0.0)])
def test_no_kidney_function_where_the_equations_do_not_hold(age: float, sex: str, creatinine: float) -> None:
    assert one(EGFR, creatinine=creatinine, age=age, sex=sex) is None
    assert one(CLEARANCE, creatinine=creatinine, age=age, sex=sex, weight=70.0) is None


def test_slope() -> None:
    frame = pl.DataFrame({"value": [1.0, 2.0, 3.0], "days": [-730.5, -365.25, 0.0]})
    assert frame.select(formulas.slope(pl.col("value"), pl.col("days"))).item() == pytest.approx(1.0)
    assert frame.head(2).select(formulas.slope(pl.col("value"), pl.col("days"))).item() is None
    same_day = frame.with_columns(days=pl.lit(3.0))
    assert same_day.select(formulas.slope(pl.col("value"), pl.col("days"))).item() is None


def record(*, sex: str = "female", born: date = date(1990, 3, 1), conditions: list[dict[str, Any]] | None = None,
           observations: list[dict[str, Any]] | None = None) -> dict[str, pl.DataFrame]:
    """Tables of one patient on `TODAY`."""
    def rows(name: str, given: list[dict[str, Any]] | None) -> pl.DataFrame:
        return TABLES[name].frame([{"patient_id": "p", "row": number, "source": f"x#{number}", **row}
                                   for number, row in enumerate(given or [], 1)])

    person = {"patient_id": "p", "birth_date": born, "sex": sex, "index_date": TODAY}
    return {"patients": TABLES["patients"].frame([person]), "conditions": rows("conditions", conditions),
            "observations": canonical_units(rows("observations", observations))[0], "issues": TABLES["issues"].empty()}


def measured(code: str, value: float, unit: str, days: int = 0) -> dict[str, Any]:
    return {"system": "http://loinc.org", "code": code, "value": value, "unit": unit, "status": "final",
            "start": TODAY - timedelta(days=days)}


def diagnosis(code: str, system: str = SNOMED, days: int = 10, **more: Any) -> dict[str, Any]:
    return {"system": system, "code": code, "start": TODAY - timedelta(days=days), "active": True, **more}


def features(tables: dict[str, pl.DataFrame], *names: str) -> dict[str, Any]:
    found = DerivedHistory().run(tables, names)["features"]
    assert found.columns == ["patient_id", *names]
    return found.row(0, named=True)


def test_kidney_and_body_of_the_newest_values() -> None:
    values = [measured("2160-0", 400, "umol/L", 400), measured("14682-9", 106.1, "umol/L", 3),
              measured("29463-7", 154.32, "[lb_av]"), measured("8302-2", 1.75, "m")]
    found = features(record(observations=values), "egfr", "creatinine-clearance", "bmi")
    assert found["egfr"] == pytest.approx(one(EGFR, creatinine=1.2002, age=36.0, sex="female"), abs=0.05)
    assert found["creatinine-clearance"] == pytest.approx((140 - 36) * 70 / (72 * 1.2002) * 0.85, abs=0.1)
    assert found["bmi"] == pytest.approx(22.86, abs=0.01)


def test_liver_needs_cirrhosis_on_record() -> None:
    values = [measured("1975-2", 35, "umol/L"), measured("1751-7", 30, "g/L"), measured("6301-6", 1.8, "{INR}")]
    assert features(record(observations=values), "child-pugh-at-least")["child-pugh-at-least"] is None
    sick = record(observations=values, conditions=[diagnosis("K74.60", ICD10), diagnosis("R18.8", ICD10)])
    assert features(sick, "child-pugh-at-least")["child-pugh-at-least"] == 2 + 2 + 2 + 2 + 1


@pytest.mark.parametrize(("person", "conditions", "observations", "expected"), [
    ({}, [], [], None), ({"sex": "male"}, [diagnosis("77386006")], [], False),
    ({"born": date(1960, 1, 1)}, [], [], False), ({"born": date(2020, 1, 1)}, [], [], False),
    ({}, [diagnosis("77386006")], [], True), ({}, [diagnosis("O26.851", ICD10)], [], True),
    ({}, [diagnosis("77386006", days=400)], [], None), ({}, [diagnosis("77386006", active=False)], [], None),
    ({}, [], [{**measured("82810-3", 0, ""), "value": None, "value_code": "LA15173-0"}], True),
    ({}, [], [{**measured("82810-3", 0, ""), "value": None, "value_code": "LA26683-5"}], False),
    ({"sex": "unknown"}, [], [], None),
])
def test_pregnant(person: dict[str, Any], conditions: list[dict[str, Any]], observations: list[dict[str, Any]],
                  expected: bool | None) -> None:
    tables = record(**person, conditions=conditions, observations=observations)
    assert features(tables, "pregnant")["pregnant"] is expected


@pytest.mark.parametrize(("conditions", "expected"), [
    ([diagnosis("44054006")], True), ([diagnosis("E11.9", ICD10)], True), ([diagnosis("250.00", ICD9)], True),
    ([diagnosis("44054006", active=False)], True), ([diagnosis("44054006", verification="refuted")], False),
    ([diagnosis("44054006", days=-5)], False), ([], False), ([diagnosis("59621000")], False),
    ([diagnosis("X1", "urn:house")], None), ([diagnosis("59621000"), {"display": "sugar"}], None),
    ([diagnosis("44054006"), {"display": "sugar"}], True), ([diagnosis("250.00", ICD10)], False),
])
def test_diabetes_on_record(conditions: list[dict[str, Any]], expected: bool | None) -> None:
    found = features(record(conditions=conditions), "condition:diabetes")
    assert found["condition:diabetes"] is expected


def test_who_has_no_record_is_unknown_in_everything() -> None:
    samples = TABLES["samples"].frame([{"sample": "s", "patient_id": "s", "source": "x", "build": "GRCh38"}])
    names = ("condition:diabetes", "pregnant", "egfr", "bmi", "pack-years", "trend:2160-0")
    assert set(features({"samples": samples}, *names).values()) == {"s", None}


def test_trend_of_the_last_two_years() -> None:
    values = [measured("2160-0", value, "mg/dL", days) for value, days in ((9, 900), (1.0, 365), (1.5, 182), (2.0, 0))]
    assert features(record(observations=values), "trend:2160-0")["trend:2160-0"] == pytest.approx(1.0, abs=0.01)


def test_a_diagnosis_that_was_lost_makes_no_group_absent() -> None:
    tables = record()
    lost = {"file": "x", "place": "entry[3] Condition/c", "severity": "error", "code": "bad-resource", "text": "-",
            "patient_id": "p"}
    assert features({**tables, "issues": TABLES["issues"].frame([lost])}, "condition:diabetes")[
        "condition:diabetes"] is None


def test_the_value_sets_are_sound() -> None:
    sets = value_sets()
    assert sets.is_unique().all()
    assert set(sets["system"]) == {"snomed", "icd-10", "icd-9"}
    assert not sets["code"].str.contains(".", literal=True).any()
    assert (sets.filter(match="exact")["system"] == "snomed").all()
    assert sets.filter(match="prefix")["code"].str.len_chars().max() <= 5


def test_every_prefix_is_found_in_a_longer_code() -> None:
    prefixes = value_sets().filter(match="prefix").with_row_index("row", 1)
    system = {"icd-10": ICD10, "icd-9": ICD9}
    rows = prefixes.select(pl.col("row").cast(pl.Int64), patient_id=pl.lit("p"), code=pl.col("code") + "9",
                           system=pl.col("system").replace_strict(system))
    hits = grouped(rows).join(prefixes.select(pl.col("row").cast(pl.Int64), "group"), on=["row", "group"])
    assert set(hits["row"]) == set(range(1, prefixes.height + 1))

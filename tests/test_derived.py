"""Derived quantities against the published formulas, worked out here by plain arithmetic."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pmed.features import derived
from pmed.features.derived_step import DerivedFeatures
from pmed.normalise.codes import groups
from pmed.normalise.loinc import LOINC
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import FeatureStep, ReadRequest

TODAY = date(2024, 6, 1)
SNOMED, ICD10, ICD9 = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-9-cm"
Row = dict[str, object]


def value(expr: pl.Expr) -> object:
    return pl.select(expr).item()


def lits(*values: object) -> list[pl.Expr]:
    return [pl.lit(one, dtype=pl.Float64) if one is None else pl.lit(one) for one in values]


def patient(**fields: object) -> Row:
    return {"patient_id": "p", "birth_date": date(1974, 6, 1), "sex": "female", "index_date": TODAY} | fields


def measure(code: str, value: float | None, unit: str | None = None, start: date | None = TODAY, **more: object) -> Row:
    return {"patient_id": "p", "system": LOINC, "code": code, "value": value, "unit": unit, "start": start,
            "status": "final"} | more


def condition(code: str | None, system: str | None = SNOMED, **more: object) -> Row:
    return {"patient_id": "p", "system": system, "code": code, "active": True, "start": TODAY} | more


def features(*wanted: str, person: Row | None = None, **rows: list[Row]) -> Row:
    numbered = {name: [{"row": number} | row for number, row in enumerate(found, 1)] for name, found in rows.items()}
    tables = {name: TABLES[name].frame(found) for name, found in numbered.items()}
    tables["patients"] = TABLES["patients"].frame([person or patient()])
    frame = TABLES["features"].check(DerivedFeatures().run(tables, list(wanted))["features"])
    assert frame.columns == ["patient_id", *wanted]
    return frame.row(0, named=True)


def one(name: str, person: Row | None = None, **rows: list[Row]) -> object:
    return features(name, person=person, **rows)[name]


@pytest.mark.parametrize(("rows", "egfr"), [
    ([measure("62238-1", 22.0, "mL/min/{1.73_m2}")], 22.0), ([measure("33914-3", 22.0, "mL/min/1.73m2")], 22.0),
    ([measure("62238-1", 22.0, "mL/min/{1.73_m2}", TODAY - timedelta(days=500))], None),
    ([measure("62238-1", 22.0, "mL/min/{1.73_m2}", TODAY - timedelta(days=9)),
      measure("62238-1", None, value_text=">60 mL/min")], None),
    ([measure("62238-1", 50.0, "mL/min/{1.73_m2}", TODAY - timedelta(days=9)), measure("98979-8", 22.0,
                                                                                        "mL/min/{1.73_m2}")], 22.0),
    ([measure("48643-1", 22.0, "mL/min/{1.73_m2}")], None)])
def test_egfr_as_reported_where_there_is_no_creatinine(rows: list[Row], egfr: float | None) -> None:
    assert one("egfr", observations=rows) == egfr
    both = one("egfr", observations=[*rows, measure("2160-0", 1.0, "mg/dL")])
    assert both == one("egfr", observations=[measure("2160-0", 1.0, "mg/dL")])


REPORTED, TEN_MONTHS, A_WEEK = "62238-1", TODAY - timedelta(days=300), TODAY - timedelta(days=7)


@pytest.mark.parametrize(("creatinine", "reported", "egfr", "clearance"), [
    # the laboratory's is of today, and the creatinine of ten months ago is not: neither is what is worked out of it
    ((0.8, TEN_MONTHS), (18.0, TODAY), 18.0, False), ((0.8, TEN_MONTHS), (None, TODAY), None, False),
    ((0.8, A_WEEK), (88.0, TODAY), 88.0, True),
    # the creatinine is the later, and cannot be used
    ((None, TODAY), (85.0, TEN_MONTHS), None, False), ((None, TODAY), (12.0, TODAY), 12.0, False)])
def test_the_later_of_creatinine_and_reported_rate_tells(creatinine: tuple[float | None, date],
                                                         reported: tuple[float | None, date], egfr: float | None,
                                                         clearance: bool) -> None:
    made, told = (measure(code, number, unit, day, value_text=None if number else "> 9") for code, unit, (number, day)
                  in (("2160-0", "mg/dL", creatinine), (REPORTED, "mL/min/{1.73_m2}", reported)))
    found = features("egfr", "creatinine-clearance", observations=[made, told, measure("29463-7", 70.0, "kg")])
    assert (found["egfr"], found["creatinine-clearance"] is not None) == (egfr, clearance)


def test_a_later_creatinine_that_gives_no_rate_leaves_an_older_one_behind() -> None:
    rows = [measure("2160-0", 4.0, "mg/dL"), measure(REPORTED, 85.0, "mL/min/{1.73_m2}", TEN_MONTHS)]
    assert one("egfr", patient(sex=None), observations=rows) is None


@pytest.mark.parametrize(("reported", "ago", "egfr", "clearance"), [
    (24.0, 3, 24.0, False), (24.0, 200, None, True), (24.0, 201, None, True), (60.0, 3, 60.0, True),
    (95.0, 3, 95.0, False), (None, 3, "unknown", False)])
def test_an_egfr_reported_after_the_last_creatinine_is_that_of_today(
        reported: float | None, ago: int, egfr: float | str | None, *, clearance: bool) -> None:
    creatinine = measure("2160-0", 1.0, "mg/dL", TODAY - timedelta(days=200))
    rows = [creatinine, measure("33914-3", reported, "mL/min/1.73m2", TODAY - timedelta(days=ago),
                                value_text=None if reported else "<15"), measure("29463-7", 70.0, "kg")]
    found = features("egfr", "creatinine-clearance", "creatinine-outdated", observations=rows)
    own = one("egfr", observations=[creatinine])
    assert found["egfr"] == (None if egfr == "unknown" else own if egfr is None else egfr)
    assert (found["creatinine-clearance"] is not None) is clearance
    assert found["creatinine-outdated"] is not clearance


@pytest.mark.parametrize(("creatinine", "age", "sex"), [
    (0.5, 30.0, "female"), (0.7, 50.0, "female"), (1.0, 50.0, "female"), (3.0, 80.0, "female"),
    (0.6, 30.0, "male"), (0.9, 50.0, "male"), (1.0, 50.0, "male"), (5.0, 70.0, "male")])
def test_ckd_epi_2021(creatinine: float, age: float, sex: str) -> None:
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    low, high = min(creatinine / kappa, 1.0), max(creatinine / kappa, 1.0)
    expected = 142 * low**alpha * high**-1.200 * 0.9938**age * factor
    assert value(derived.ckd_epi_2021(*lits(creatinine, age, sex))) == pytest.approx(expected)


@pytest.mark.parametrize(("creatinine", "age", "sex", "rounded"), [
    # as the calculator of the National Kidney Foundation rounds them
    (1.0, 50.0, "male", 92), (1.0, 50.0, "female", 69), (0.7, 50.0, "female", 105), (2.0, 65.0, "male", 36)])
def test_ckd_epi_2021_in_round_numbers(creatinine: float, age: float, sex: str, rounded: int) -> None:
    found = value(derived.ckd_epi_2021(*lits(creatinine, age, sex)))
    assert isinstance(found, float)
    assert round(found) == rounded


def test_adults_only_and_unknown_stays_unknown() -> None:
    for inputs in ((1.0, 17.99, "male"), (None, 50.0, "male"), (1.0, None, "male"), (1.0, 50.0, "other"),
                   (0.0, 50.0, "male"), (1.0, 50.0, None)):
        creatinine, age, sex = [*lits(*inputs[:2]), pl.lit(inputs[2], dtype=pl.String)]
        assert value(derived.ckd_epi_2021(creatinine, age, sex)) is None
        assert value(derived.cockcroft_gault(creatinine, age, pl.lit(70.0), sex)) is None
    assert value(derived.cockcroft_gault(*lits(1.0, 50.0, None, "male"))) is None
    assert value(derived.ckd_epi_2021(*lits(1.0, 18.0, "male"))) is not None


def test_cockcroft_gault_and_bmi() -> None:
    assert value(derived.cockcroft_gault(*lits(1.0, 40.0, 72.0, "male"))) == pytest.approx(100.0)
    assert value(derived.cockcroft_gault(*lits(1.0, 40.0, 72.0, "female"))) == pytest.approx(85.0)
    assert value(derived.bmi(*lits(81.0, 180.0))) == pytest.approx(25.0)


@pytest.mark.parametrize(("inputs", "points"), [
    ((1.0, 4.0, 1.0, 1, 1), 5), ((1.99, 3.51, 1.69, 1, 1), 5), ((2.0, 3.5, 1.7, 1, 1), 8),
    ((3.0, 2.8, 2.3, 2, 2), 10), ((3.1, 2.79, 2.31, 3, 3), 15), ((3.1, 4.0, 1.0, 1, 1), 7)])
def test_child_pugh(inputs: tuple[float, ...], points: int) -> None:
    found = derived.child_pugh(*lits(*inputs))
    assert value(found) == points
    for position in range(5):
        assert value(derived.child_pugh(*lits(*inputs[:position], None, *inputs[position + 1:]))) is None


def test_slope() -> None:
    rows = [measure("2160-0", amount, "mg/dL", day) for amount, day in (
        (9.0, date(2021, 1, 1)), (1.0, date(2023, 6, 1)), (1.5, date(2023, 12, 1)), (2.0, TODAY))]
    days = [(day - date(2023, 6, 1)).days / 365.25 for day in (date(2023, 6, 1), date(2023, 12, 1), TODAY)]
    mean = sum(days) / 3
    expected = sum((x - mean) * y for x, y in zip(days, (1.0, 1.5, 2.0), strict=True)) / sum(
        (x - mean) ** 2 for x in days)
    found = features("trend:2160-0", "latest:2160-0", "latest:718-7", "trend:718-7", observations=rows)
    assert found["trend:2160-0"] == pytest.approx(expected)
    assert (found["latest:2160-0"], found["latest:718-7"], found["trend:718-7"]) == (2.0, None, None)
    assert one("trend:2160-0", observations=rows[:3]) is None
    assert one("trend:2160-0", observations=[measure("2160-0", x, "mg/dL") for x in (1.0, 2.0, 3.0)]) is None


def test_kidney_function_from_the_record() -> None:
    rows = [measure("2160-0", 2.0, "mg/dL", date(2024, 1, 1)), measure("14682-9", 88.4, "umol/L", date(2024, 5, 1)),
            measure("29463-7", 70.0, "kg"), measure("8302-2", 1.75, "m", date(2015, 1, 1))]
    found = features("egfr", "creatinine-clearance", "bmi", observations=rows)
    assert found["egfr"] == pytest.approx(142 * (88.4 * 0.011312 / 0.7)**-1.2 * 0.9938**50 * 1.012)
    assert found["creatinine-clearance"] == pytest.approx(90 * 70 / (72 * 88.4 * 0.011312) * 0.85)
    assert found["bmi"] == pytest.approx(70 / 1.75**2)
    child = features("egfr", "creatinine-clearance", "bmi", person=patient(birth_date=date(2010, 1, 1)),
                     observations=rows)
    assert list(child.values()) == ["p", None, None, None]


@pytest.mark.parametrize(("birth", "heights", "rate"), [
    (date(2016, 6, 1), [(1.20, date(2024, 3, 1))], 0.413 * 120 / 0.6),
    (date(2016, 6, 1), [(1.20, date(2024, 3, 1)), (1.22, date(2024, 5, 1))], 0.413 * 122 / 0.6),
    # A height of long ago is not that of today; below a year the equation was not made for.
    (date(2016, 6, 1), [(1.20, date(2023, 3, 1))], None), (date(2023, 7, 1), [(0.75, date(2024, 5, 1))], None),
    (date(2016, 6, 1), [], None)])
def test_kidney_function_of_a_child(birth: date, heights: list[tuple[float, date]], rate: float | None) -> None:
    rows = [measure("2160-0", 0.6, "mg/dL"), *(measure("8302-2", height, "m", day) for height, day in heights)]
    found = features("egfr", "creatinine-clearance", person=patient(birth_date=birth), observations=rows)
    assert found["egfr"] == (pytest.approx(rate) if rate else None)
    assert found["creatinine-clearance"] is None


@pytest.mark.parametrize("row", [
    measure("2160-0", 1.0, "mg/dL", date(2023, 5, 1)), measure("2160-0", 1.0, "mg/dL", date(2024, 6, 2)),
    measure("2160-0", 1.0, "mg/dL", status="cancelled"), measure("2160-0", 88.4, "mg/dL"),
    measure("2160-0", 1.0, None), measure("2160-0", 1.0, "mg/dL", None)])
def test_old_future_or_unusable_creatinine_gives_nothing(row: Row) -> None:
    assert one("egfr", observations=[row]) is None
    assert one("egfr", observations=[measure("2160-0", 1.0, "mg/dL")]) is not None


def test_child_pugh_of_a_record_says_what_is_missing() -> None:
    labs = [measure("1975-2", 1.0, "mg/dL"), measure("1751-7", 4.0, "g/dL"), measure("6301-6", 1.0)]
    signs = [condition("389026000", verification="refuted"), condition("13920009", verification="refuted")]
    assert features("child-pugh", "child-pugh-missing", observations=labs, conditions=signs) == {
        "patient_id": "p", "child-pugh": 5.0, "child-pugh-missing": None}
    there = [condition("389026000"), signs[1]]
    assert features("child-pugh", "child-pugh-missing", observations=labs[:2], conditions=there) == {
        "patient_id": "p", "child-pugh": None, "child-pugh-missing": "INR, grade of ascites"}


@pytest.mark.parametrize(("inr", "why"), [
    (measure("6301-6", 1.0, "1", date(2023, 5, 1)), "INR (older than 365 days)"),
    (measure("6301-6", 1.0, "knots"), "INR (latest value not usable)"),
    (measure("6301-6", 99.0), "INR (latest value not usable)"), (measure("6301-6", 1.0, status="cancelled"), "INR"),
    (measure("6301-6", 1.0), "")])
def test_why_a_measurement_is_no_input_of_child_pugh(inr: Row, why: str) -> None:
    labs = [measure("1975-2", 1.0, "mg/dL", date(2020, 1, 1)), inr]
    assert one("child-pugh-missing", observations=labs) == ", ".join([
        "bilirubin (older than 365 days)", "albumin", *filter(None, [why]), "grade of ascites",
        "grade of encephalopathy"])


@pytest.mark.parametrize(("drug", "active", "points"), [
    ("warfarin", True, None), ("warfarin", None, None), ("apixaban", True, None), ("warfarin", False, None),
    ("fluindione", True, None), ("metformin", True, 7.0)])
def test_the_inr_of_who_takes_an_anticoagulant_gives_no_child_pugh(drug: str, active: bool | None,
                                                                   points: float | None) -> None:
    labs = [measure("1975-2", 1.0, "mg/dL"), measure("1751-7", 4.0, "g/dL"), measure("6301-6", 2.8)]
    signs = [condition("389026000", verification="refuted"), condition("13920009", verification="refuted")]
    taken = {"patient_id": "p", "ingredients": [drug], "active": active}
    made = features("child-pugh", "child-pugh-missing", observations=labs, conditions=signs, medications=[taken])
    assert (made["child-pugh"], made["child-pugh-missing"]) == (
        points, None if points else "INR (oral anticoagulant taken or perhaps taken)")


@pytest.mark.parametrize(("entry", "under"), [
    ({"start": date(2024, 1, 1), "end": date(2024, 5, 20)}, True),
    ({"start": date(2024, 1, 1), "end": date(2024, 4, 20), "status": "stopped"}, True),
    ({"start": date(2023, 1, 1), "end": date(2024, 3, 1), "status": "stopped"}, False),
    ({"start": date(2023, 1, 1), "end": None, "status": "stopped"}, True),
    ({"start": None, "end": None, "status": "completed"}, True),
    ({"start": date(2024, 5, 20), "end": None, "status": "stopped"}, False),
    ({"start": date(2024, 1, 1), "end": None, "status": "on-hold"}, True),
    ({"start": date(2024, 1, 1), "end": None, "status": "not-taken"}, False),
    ({"start": date(2024, 1, 1), "end": None, "status": "active"}, False),
    ({"start": date(2024, 3, 1), "kind": "administration", "status": "completed"}, False),
    ({"start": date(2024, 4, 25), "kind": "administration", "status": "completed"}, True)])
def test_an_inr_of_the_time_of_an_anticoagulant_that_is_over_tells_of_it(entry: Row, under: bool) -> None:
    labs = [measure("1975-2", 1.0, "mg/dL"), measure("1751-7", 4.0, "g/dL"),
            measure("6301-6", 2.8, start=date(2024, 5, 1))]
    taken = {"patient_id": "p", "ingredients": ["warfarin"], "active": False} | entry
    found = features("child-pugh-missing", observations=labs, medications=[taken])
    assert "INR" in found["child-pugh-missing"] if under else "INR" not in found["child-pugh-missing"]


@pytest.mark.parametrize(("conditions", "found"), [
    ([condition("44054006")], True),
    ([condition("44054006", active=False, status="resolved")], True),
    ([condition("E11.9", ICD10)], True), ([condition("e119", ICD10)], True), ([condition("250.00", ICD9)], True),
    ([condition("E11.9", ICD9)], None), ([condition("250.00", ICD10)], None), ([condition("44054006", ICD10)], None),
    ([condition("I10", SNOMED)], None), ([condition("J45.9 G", ICD10)], False), ([condition("J45.-", ICD10)], False),
    ([condition("V58.61", ICD9)], False), ([condition("E88.9", ICD9)], None), ([condition("E880.9", ICD9)], False),
    ([condition("G63.2*", ICD10)], False), ([condition("S72.001A", ICD10)], False), ([condition("401.9", ICD9)], False),
    ([condition("195967001")], False),
    ([], None),
    ([condition("195967001"), condition(None, None, display="x")], None),
    ([condition("195967001"), condition("X1", "http://local")], None),
    ([condition("44054006"), condition("X1", "http://local")], True),
    ([condition("44054006", verification="refuted"), condition("195967001")], False),
    ([condition("44054006", verification="provisional")], None),
    ([condition("44054006", start=date(2024, 6, 2)), condition("195967001")], False),
    ([condition("99999999", display="Retinopathy due to diabetes mellitus")], None),
])
def test_condition_group(conditions: list[Row], found: bool | None) -> None:
    assert one("condition:diabetes", conditions=conditions) is found


def test_a_lost_condition_may_be_any_and_an_unknown_group_is_unknown() -> None:
    issue: Row = {"file": "f", "place": "entry[1] Condition/a $.code", "severity": "error", "code": "bad-resource",
                  "text": "t", "patient_id": "p"}
    tables = {"patients": TABLES["patients"].frame([patient()]), "issues": TABLES["issues"].frame([issue]),
              "conditions": TABLES["conditions"].frame([condition("195967001") | {"row": 1}])}
    wanted = ["condition:diabetes", "condition:asthma", "condition:no-such-group"]
    assert DerivedFeatures().run(tables, wanted)["features"].row(0) == ("p", None, True, None)


@pytest.mark.parametrize(("person", "conditions", "answer", "found"), [
    (patient(birth_date=date(1994, 1, 1)), [condition("72892002", start=date(2024, 2, 1))], None, True),
    (patient(birth_date=date(1994, 1, 1)), [condition("72892002", start=date(2022, 2, 1))], None, None),
    (patient(birth_date=date(1994, 1, 1)), [condition("72892002", active=False)], None, None),
    (patient(birth_date=date(1994, 1, 1)), [], None, None),
    (patient(birth_date=date(1994, 1, 1)), [], "77386006", True),
    (patient(birth_date=date(1994, 1, 1)), [], "LA26683-5", False),
    (patient(birth_date=date(1994, 1, 1)), [condition("72892002")], "60001007", None),
    (patient(birth_date=date(1994, 1, 1), sex="male"), [condition("72892002")], None, None),
    (patient(birth_date=date(1934, 1, 1)), [condition("72892002")], None, None),
    (patient(birth_date=date(1994, 1, 1), sex=None), [condition("72892002")], None, None),
])
def test_pregnancy(person: Row, conditions: list[Row], answer: str | None, found: bool | None) -> None:
    rows = [measure("82810-3", None, value_code=answer)] if answer else []
    assert one("pregnant", person=person, conditions=conditions, observations=rows) is found


YOUNG = patient(birth_date=date(1994, 1, 1))


@pytest.mark.parametrize(("person", "conditions", "answer", "found"), [
    (YOUNG, [condition("413712001", start=date(2023, 1, 1))], None, True),
    (YOUNG, [condition("413712001", start=date(2020, 1, 1))], None, None),
    (YOUNG, [condition("413712001", active=False)], None, None), (YOUNG, [condition("Z39.1", ICD10)], None, True),
    (YOUNG, [], None, None), (YOUNG, [], "LA29252-6", True), (YOUNG, [], "LA29253-4", False),
    (YOUNG, [condition("413712001")], "LA29253-4", None),
    (YOUNG, [condition("72892002")], None, None),  # pregnant is not yet breast-feeding
    (patient(sex="male"), [condition("413712001")], None, None)])
def test_breastfeeding(person: Row, conditions: list[Row], answer: str | None, found: bool | None) -> None:
    rows = [measure("63895-7", None, value_code=answer)] if answer else []
    assert one("breastfeeding", person=person, conditions=conditions, observations=rows) is found


def test_an_answer_on_breastfeeding_is_soon_out_of_date() -> None:
    old = measure("63895-7", None, value_code="LA29252-6", start=TODAY - timedelta(days=181))
    assert one("breastfeeding", person=YOUNG, observations=[old]) is None


@pytest.mark.parametrize(("days", "falls"), [((700, 350, 1), True), ((700, 1), False), ((1200, 1000, 1), False)])
def test_egfr_trend(days: tuple[int, ...], falls: bool) -> None:
    """From 1.0 mg/dL upward, by the slope of three values of CKD-EPI 2021 in two years."""
    rows = [measure("2160-0", 1.0 + 0.2 * at, "mg/dL", start=TODAY - timedelta(days=ago))
            for at, ago in enumerate(days)]
    made = one("egfr-trend", observations=rows)
    assert (made is not None and made < -5) is falls
    assert falls or made is None


def test_smoking() -> None:
    rows = [measure("72166-2", None, value_code="449868002", start=date(2020, 1, 1)),
            measure("72166-2", None, value_code="8517006"), measure("8664-5", 20.0, "{PackYears}")]
    assert features("smoking-status", "pack-years", observations=rows) == {
        "patient_id": "p", "smoking-status": "former", "pack-years": 20.0}
    assert one("smoking-status", observations=[measure("72166-2", None, value_code="266927001")]) is None


def test_types_hold_without_any_row() -> None:
    assert isinstance(DerivedFeatures(), FeatureStep)
    wanted = ["egfr", "child-pugh-missing", "pregnant", "smoking-status", "trend:2160-0", "condition:copd"]
    tables = {name: TABLES[name].empty() for name in ("samples", "patients", "conditions", "observations", "issues")}
    assert DerivedFeatures().run(tables, wanted)["features"].dtypes[1:] == [
        pl.Float64, pl.String, pl.Boolean, pl.String, pl.Float64, pl.Boolean]


def test_real_records(shared: Path) -> None:
    files = sorted((shared / "data/fhir/synthea").glob("*.json"))[:6]
    wanted = ["egfr", "creatinine-clearance", "bmi", "trend:38483-4", "pregnant", "smoking-status",
              *(f"condition:{name}" for name in groups())]
    request = ReadRequest(TABLES["sites"].empty())
    together = DerivedFeatures().run(FhirSource().read(files, request), wanted)["features"]
    alone = [DerivedFeatures().run(FhirSource().read([path], request), wanted)["features"] for path in files]
    assert pl.concat(alone).equals(together)
    assert together["smoking-status"].null_count() < together.height
    assert together.select(pl.any_horizontal(pl.col("^condition:.*$"))).to_series().any()


def test_published_worked_examples(shared: Path) -> None:
    """The cases of ../shared/cases/risk, each from the source that it names."""
    cases = json.loads((shared / "cases/risk/vectors.json").read_text("utf-8"))
    kidney = [case for case in cases if case["score"] == "CKD-EPI-2021"]
    assert len(kidney) == 8
    for case in kidney:
        given = case["inputs"]
        found = value(derived.ckd_epi_2021(*lits(given["creatinine"][0], float(given["age"][0]), given["sex"].lower())))
        assert found == pytest.approx(case["expected"]["value"], abs=0.002)
    [case] = [case for case in cases if case["score"] == "Cockcroft-Gault"]
    given = case["inputs"]
    found = value(derived.cockcroft_gault(*lits(given["creatinine_umol_l"] / 88.4, float(given["age"]),
                                                float(given["weight_kg"]), "female")))
    assert found == pytest.approx(case["expected"]["crcl_ml_min"], abs=0.005)


def test_beyond_a_limit_nothing_is_derived_from_an_older_value() -> None:
    days = [TODAY - timedelta(days=ago) for ago in (300, 200, 100)]
    rows = [measure("2160-0", value, "mg/dL", day, row=at) for at, (value, day) in enumerate(zip(
        (1.0, 1.1, 1.2), days, strict=True))]
    known = features("egfr", "latest:2160-0", "trend:2160-0", observations=rows)
    assert None not in known.values()
    late = measure("2160-0", None, "mg/dL", TODAY, value_text="> 15", row=9)
    made = features("egfr", "latest:2160-0", "trend:2160-0", observations=[*rows, late])
    assert (made["egfr"], made["latest:2160-0"]) == (None, None)
    assert made["trend:2160-0"] == known["trend:2160-0"]


@pytest.mark.parametrize(("born", "day", "known"), [
    (date(1950, 1, 1), date(2016, 1, 1), True), (date(1950, 1, 1), date(2014, 1, 1), False),
    (date(2000, 1, 1), date(2017, 12, 31), False), (date(2000, 1, 1), date(2018, 1, 1), True)])
def test_a_height_of_childhood_gives_no_body_mass_index(born: date, day: date, known: bool) -> None:
    rows = [measure("8302-2", 175.0, "cm", day), measure("29463-7", 70.0, "kg")]
    found = features("bmi", person=patient(birth_date=born), observations=rows)
    assert (found["bmi"] is not None) is known

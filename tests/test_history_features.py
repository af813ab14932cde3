"""The record as features: unknown stays unknown."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.features.history import HistoryFeatures
from pmed.normalise.loinc import LOINC
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES, Tables
from pmed.types import FeatureStep, ReadRequest

TODAY = date(2024, 6, 1)


def patient(name: str = "p", **fields: object) -> dict[str, object]:
    return {"patient_id": name, "birth_date": date(1950, 6, 1), "sex": "female", "index_date": TODAY} | fields


def measure(row: int, code: str, value: float | None, unit: str, start: date | None = TODAY, **fields: object
            ) -> dict[str, object]:
    return {"patient_id": "p", "row": row, "system": LOINC, "code": code, "value": value, "unit": unit, "start": start,
            "status": "final"} | fields


def drug(row: int, ingredients: list[str] | None, active: bool | None = True, display: str | None = "x",
         name: str = "p") -> dict[str, object]:
    return {"patient_id": name, "row": row, "ingredients": ingredients, "active": active, "display": display}


def features(*wanted: str, **rows: list[dict[str, object]]) -> dict[str, list[object]]:
    tables: Tables = {name: TABLES[name].frame(found) for name, found in rows.items()}
    out = HistoryFeatures().run(tables, wanted)
    frame = TABLES["features"].check(out["features"])
    assert frame.columns == ["patient_id", *wanted]
    return frame.to_dict(as_series=False)


def one(name: str, **rows: list[dict[str, object]]) -> object:
    return features(name, **{"patients": [patient()]} | rows)[name][0]


def test_it_is_a_feature_step() -> None:
    assert isinstance(HistoryFeatures(), FeatureStep)


def test_person() -> None:
    found = features("age", "sex", "ancestry", patients=[
        patient("a", ancestry="Asian"), patient("b", sex="other"), patient("c", sex="unknown", birth_date=None),
        patient("d", index_date=None), patient("e", birth_date=date(2030, 1, 1)),
        patient("f", birth_date=date(1800, 1, 1))])
    assert found["age"] == [74.0, 74.0, None, None, None, None]
    assert found["sex"] == ["female", None, None, "female", "female", "female"]
    assert found["ancestry"] == ["Asian", None, None, None, None, None]


@pytest.mark.parametrize(("born", "today", "age"), [
    (date(1959, 6, 2), TODAY, 64 + 365 / 366),
    (date(1959, 6, 1), TODAY, 65.0),
    (date(1959, 5, 31), TODAY, 65 + 1 / 365),
    (date(2000, 2, 29), date(2023, 2, 28), 23.0),
    (date(2000, 2, 29), date(2024, 2, 28), 23 + 365 / 366),
    (date(2000, 2, 29), date(2024, 2, 29), 24.0),
    (TODAY, TODAY, 0.0),
])
def test_age_is_exact_on_birthdays(born: date, today: date, age: float) -> None:
    assert one("age", patients=[patient(birth_date=born, index_date=today)]) == pytest.approx(age, abs=1e-9)


@given(st.dates(date(1900, 1, 1), date(2023, 1, 1)), st.integers(0, 40000))
def test_age_grows_by_the_day(born: date, days: int) -> None:
    today = born + timedelta(days=days)
    rows = [patient("a", birth_date=born, index_date=today), patient("b", birth_date=born,
                                                                      index_date=today + timedelta(days=1))]
    first, second = features("age", patients=rows)["age"]
    assert isinstance(first, float)
    assert isinstance(second, float)
    assert 1 / 366 - 1e-9 <= second - first <= 1 / 365 + 1e-9
    assert first == pytest.approx(days / 365.2425, abs=0.01)


def test_genome_only_patients_are_unknown_everywhere() -> None:
    wanted = ("age", "sex", "height", "on:warfarin", "observation:2093-3")
    found = features(*wanted, samples=[{"sample": "s", "patient_id": "s"}, {"sample": "t", "patient_id": "p"}],
                     patients=[patient()])
    assert found["patient_id"] == ["s", "p"]
    assert [found[name][0] for name in wanted] == [None] * 5
    assert found["on:warfarin"][1] is None
    assert features("age", "on:warfarin") == {"patient_id": [], "age": [], "on:warfarin": []}


@pytest.mark.parametrize(("drugs", "taken"), [
    ([], None),  # an empty list of medicines does not say that none is taken
    ([drug(1, [])], False),  # an entry that says so does
    ([drug(1, [], active=False)], None),
    ([drug(1, []), drug(2, ["warfarin"])], True),
    ([drug(1, []), drug(2, None)], None),
    ([drug(1, ["warfarin"])], True),
    ([drug(1, ["amlodipine", "warfarin"])], True),
    ([drug(1, ["warfarin"], active=False)], False),
    ([drug(1, ["simvastatin"])], False),
    ([drug(1, None, display="Sedacoron")], None),  # not recognised: it may be a brand of any
    ([drug(1, None, display="Sedacoron", active=None)], None),
    ([drug(1, None, display="Sedacoron", active=False)], False),
    ([drug(1, None, display="Sedacoron"), drug(2, ["warfarin"])], True),
    ([drug(1, None, display="Blood glucose test strips"), drug(2, None, display="Hepatitis B vaccine")], False),
    ([drug(1, None, display=None)], None),  # a medicine without a name may be any
    ([drug(1, None, display=None), drug(2, ["warfarin"])], True),
    ([drug(1, None, display=None, active=False)], False),
    ([drug(1, ["warfarin"], active=None)], None),  # ended, but the index date is unknown
    ([drug(1, ["simvastatin"], active=None)], False),
    ([drug(1, ["warfarin"], name="other")], None),
])
def test_medicines(drugs: list[dict[str, object]], taken: bool | None) -> None:
    assert one("on:warfarin", medications=drugs) is taken


@pytest.mark.parametrize(("drugs", "names"), [
    ([], None), ([drug(1, ["aspirin"])], ""), ([drug(1, [])], ""), ([drug(1, None, display="Xyzzy")], "Xyzzy"),
    ([drug(1, None, display="Xyzzy"), drug(2, None, display="Xyzzy"), drug(3, None, display=None)],
     "Xyzzy, one without a name"),
    ([drug(1, None, active=False, display="Xyzzy")], ""), ([drug(1, None, display="Influenza vaccine")], "")])
def test_names_of_what_was_not_recognised(drugs: list[dict[str, object]], names: str | None) -> None:
    assert one("medicines-not-recognised", medications=drugs) == names


def test_a_conflict_leaves_both_drugs_unknown_and_no_other() -> None:
    rows = TABLES["medications"].frame([drug(1, None)]).with_columns(
        possible_ingredients=pl.Series([["captopril", "nitrofurantoin"]]))
    out = HistoryFeatures().run({"patients": TABLES["patients"].frame([patient()]), "medications": rows},
                                ["on:captopril", "on:nitrofurantoin", "on:warfarin"])["features"]
    assert out.row(0) == ("p", None, None, False)


def test_an_unread_part_of_a_medicine_may_be_any_other() -> None:
    rows = TABLES["medications"].frame([drug(1, ["amlodipine"], display="amlodipine / xyzol")]).with_columns(
        unread_part=pl.Series([True]))
    out = HistoryFeatures().run({"patients": TABLES["patients"].frame([patient()]), "medications": rows},
                                ["on:amlodipine", "on:warfarin", "medicines-not-recognised"])["features"]
    assert out.row(0) == ("p", True, None, "amlodipine / xyzol")


@pytest.mark.parametrize(("place", "whose", "taken"), [
    ("entry[1] MedicationRequest/a $.status", "p", None),
    ("entry[1] MedicationStatement/a $.status", "p", None),
    ("entry[1] MedicationRequest/a $.status", "q", False),
    ("entry[1] Observation/a $.status", "p", False),
    ("", "p", None),
    ("entry[2] $.resourceType", "p", None),
    ("message 1 RXE[1]", "p", None),
    ("", None, False),
])
def test_an_order_that_was_lost_may_be_any_drug(place: str, whose: str | None, taken: bool | None) -> None:
    issue: dict[str, object] = {"file": "f", "place": place, "severity": "error", "code": "bad-resource", "text": "t",
                                "patient_id": whose}
    assert one("on:warfarin", issues=[issue], medications=[drug(1, ["aspirin"])]) is taken


@pytest.mark.parametrize(("rows", "height"), [
    ([measure(1, "8302-2", 180, "cm")], 180.0),
    ([measure(1, "8302-2", 65, "[in_i]")], 165.1),
    ([measure(1, "8302-2", 180, "cm", date(2024, 1, 1)), measure(2, "8302-2", 170, "cm", date(2020, 1, 1))], 180.0),
    ([measure(1, "8302-2", 180, "cm"), measure(2, "8302-2", 170, "cm", date(2025, 1, 1))], 180.0),
    ([measure(1, "8302-2", 180, "cm"), measure(2, "8302-2", 181, "cm")], 181.0),
    ([measure(1, "8302-2", 180, "cm", date(2024, 1, 1)), measure(2, "8302-2", 18, "cm")], None),
    ([measure(1, "8302-2", 180, "cm", date(2024, 1, 1)), measure(2, "8302-2", 45, "cm")], None),
    ([measure(1, "8302-2", 251, "cm")], None),
    ([measure(1, "8302-2", 180, "furlong")], None),
    ([measure(1, "8302-2", None, "cm")], None),
    ([measure(1, "8302-2", float("nan"), "cm")], None),
    ([measure(1, "8302-2", 180, "cm", None)], None),
    ([measure(1, "8302-2", 180, "cm", status="cancelled")], None),
    ([measure(1, "3137-7", 180, "cm")], 180.0),
])
def test_height(rows: list[dict[str, object]], height: float | None) -> None:
    assert one("height", observations=rows) == pytest.approx(height)


@pytest.mark.parametrize(("born", "days", "known"), [
    (date(1950, 6, 1), 365, True), (date(1950, 6, 1), 366, False),
    (date(2006, 6, 1), 365, True), (date(2006, 6, 2), 365, False),  # 18 years old today, and tomorrow
    (date(2006, 6, 2), 90, True), (date(2006, 6, 2), 91, False),
    (date(2022, 6, 1), 90, True), (date(2022, 6, 2), 90, False), (date(2022, 6, 2), 30, True),
    (date(2024, 1, 1), 31, False), (None, 30, True), (None, 31, False)])
def test_a_weight_of_long_ago_is_unknown_and_a_childs_soon(born: date | None, days: int, known: bool) -> None:
    rows = [measure(1, "29463-7", 9.0, "kg", TODAY - timedelta(days=days))]
    found = features("weight", "observation:29463-7", patients=[patient(birth_date=born)], observations=rows)
    assert (found["weight"], found["observation:29463-7"]) == ([9.0 if known else None], [9.0])


def test_observations_in_canonical_units() -> None:
    rows = [measure(1, "14647-2", 5.0, "mmol/L"), measure(2, "29463-7", 70.0, "kg"), measure(3, "99999-9", 1.0, "x")]
    found = features("observation:2093-3", "weight", "observation:29463-7", "observation:99999-9",
                     patients=[patient()], observations=rows)
    assert found["observation:2093-3"] == [pytest.approx(193.325)]
    assert (found["weight"], found["observation:29463-7"], found["observation:99999-9"]) == ([70.0], [70.0], [None])


@pytest.mark.parametrize(("later", "latest"), [
    ({"value": None, "value_text": "> 9"}, None), ({"value": None, "value_text": "\u2265 9"}, None),
    ({"value": None, "value_text": "hemolysed"}, 2.5), ({"value": None}, 2.5), ({"value": 99.0}, None),
    ({"value": None, "value_text": "> 9", "status": "cancelled"}, 2.5),
    ({"unit": "knots"}, None), ({"unit": "knots", "status": "cancelled"}, 2.5),
    ({"value": None, "value_text": "> 9", "start": TODAY - timedelta(days=9)}, 2.5), ({"value": 3.0}, 3.0)])
def test_beyond_a_limit_an_older_value_is_not_the_latest(later: dict[str, object], latest: float | None) -> None:
    rows = [measure(1, "6301-6", 2.5, "1", TODAY - timedelta(days=2)), measure(2, "6301-6", 1.0, "1") | later]
    assert one("observation:6301-6", observations=rows) == latest


def test_dtypes_hold_without_any_row() -> None:
    tables = {name: TABLES[name].empty() for name in ("samples", "patients", "medications", "observations", "issues")}
    out = HistoryFeatures().run(tables, ["age", "sex", "height", "on:x", "observation:2093-3"])["features"]
    assert out.dtypes == [pl.String, pl.Float64, pl.String, pl.Float64, pl.Boolean, pl.Float64]


def test_batch_is_one_by_one_on_real_records(shared: Path) -> None:
    files = sorted((shared / "data/fhir/synthea").glob("*.json"))[:6]
    wanted = ["age", "sex", "ancestry", "height", "weight", "on:warfarin", "observation:2093-3", "observation:8480-6"]
    request = ReadRequest(TABLES["sites"].empty())
    together = HistoryFeatures().run(FhirSource().read(files, request), wanted)["features"]
    alone = [HistoryFeatures().run(FhirSource().read([path], request), wanted)["features"] for path in files]
    assert pl.concat(alone).equals(together)
    assert together["age"].null_count() == together["height"].null_count() == 0


@pytest.mark.parametrize(("born", "days", "known"), [
    (date(1950, 6, 1), 3652, True), (date(1950, 6, 1), 3653, False),
    (date(2004, 6, 1), 731, True), (date(2004, 6, 1), 732, False),  # 20 today: on the 18th birthday, and before
    (date(2006, 6, 1), 0, True), (date(2006, 6, 1), 1, False), (date(2006, 6, 2), 365, True),
    (date(2006, 6, 2), 366, False), (date(2022, 6, 2), 31, False), (None, 30, True), (None, 31, False)])
def test_a_height_of_childhood_is_not_an_adults(born: date | None, days: int, known: bool) -> None:
    rows = [measure(1, "8302-2", 120, "cm", TODAY - timedelta(days=days)), measure(2, "29463-7", 48, "kg")]
    found = features("height", "observation:8302-2", patients=[patient(birth_date=born)], observations=rows)
    assert (found["height"], found["observation:8302-2"]) == ([120 if known else None], [120])

"""Both predictors: batch equals one by one, unknown stays unknown, explanations add up, traces can be followed."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed import TABLES, Predictor
from pmed.explain.shapley import ExactShapley
from pmed_risk import ascvd, stroke
from pmed_risk.ascvd import AscvdRisk
from pmed_risk.stroke import StrokeRisk

MODELS: list[tuple[Any, dict[str, Any]]] = [
    (AscvdRisk(), dict(ascvd.REFERENCE)), (StrokeRisk(), dict(stroke.REFERENCE))]
KINDS = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String()}
both = pytest.mark.parametrize(("model", "reference"), MODELS, ids=lambda one: getattr(one, "name", ""))
PATIENTS: dict[str, dict[str, Any]] = {
    "ascvd-pce-2013": {"age": 67.4, "sex": "female", "pce-race": "black", "total-cholesterol": 243.0,
                       "hdl-cholesterol": 41.0, "systolic-bp": 151.0, "bp-treated": True, "smoker": True,
                       "diabetes": True, "ascvd-history": False},
    "cha2ds2-vasc": {"atrial-fibrillation": True, "age": 76.0, "sex": "female", "heart-failure": True,
                     "hypertension": True, "diabetes": False, "stroke-or-tia": True, "vascular-disease": False}}
RANGES = {"age": (10, 110), "total-cholesterol": (50, 400), "hdl-cholesterol": (5, 150), "systolic-bp": (60, 260)}


def frame(reference: dict[str, Any], *people: dict[str, Any]) -> pl.DataFrame:
    schema = {"patient_id": pl.String(), **{name: KINDS[type(value)] for name, value in reference.items()}}
    return pl.DataFrame([{"patient_id": f"p{n}", **one} for n, one in enumerate(people)], schema=schema)


def values_of(name: str, example: Any) -> st.SearchStrategy[Any]:
    if isinstance(example, bool):
        return st.none() | st.booleans()
    if isinstance(example, float):
        return st.none() | st.floats(*RANGES[name]) | st.just(float("nan"))
    return st.none() | st.sampled_from(["female", "male", "other", "white", "black"])


def people_of(reference: dict[str, Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.fixed_dictionaries({name: values_of(name, example) for name, example in reference.items()})
    return st.lists(one | st.just(reference), max_size=6)


@both
def test_contract(model: Any, reference: dict[str, Any]) -> None:
    assert isinstance(model, Predictor)
    target, = model.gives
    assert dict(model.reference(target)) == reference
    assert model.reference("another") == {}
    assert set(reference) == set(model.needs)
    assert len(reference) <= 12
    made = model.predict(frame(reference, reference, dict.fromkeys(reference)))
    TABLES["predictions"].check(made.with_columns(predictor=pl.lit(model.name)))
    assert made["status"].to_list() == ["assessed", "not-assessed"]


@both
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_batch_equals_one_by_one_in_any_order(model: Any, reference: dict[str, Any], data: st.DataObject) -> None:
    batch = frame(reference, *data.draw(people_of(reference)))
    before = batch.clone()
    made = model.predict(batch)
    assert batch.equals(before)
    assert made.equals(pl.concat([made.clear(), *(model.predict(batch[row]) for row in range(batch.height))]))
    order = data.draw(st.permutations(range(batch.height)))
    assert model.predict(batch[order]).equals(made[order])
    assert (made["value"].is_null() == made["reason"].is_not_null()).all()


@both
def test_each_missing_input_is_named(model: Any, reference: dict[str, Any]) -> None:
    shown = {"pce-race": "ancestry"}
    for name in reference:
        row = model.predict(frame(reference, reference | {name: None})).row(0, named=True)
        assert (row["value"], row["reason"]) == (None, f"needs {shown.get(name, name)}")


@both
def test_empty_and_absent_columns(model: Any, reference: dict[str, Any]) -> None:
    nobody = frame(reference)
    assert model.predict(nobody).height == 0
    assert model.trace(nobody, model.predict(nobody)).height == 0
    bare = model.predict(pl.DataFrame({"patient_id": ["p"]}))
    assert bare["status"].item() == "not-assessed"
    assert "needs " in bare["reason"].item()


def brute_force(model: Any, reference: dict[str, Any], person: dict[str, Any]) -> tuple[dict[str, float], float]:
    """Shapley values by their definition, over all subsets; and the reference patient's value."""
    names = list(reference)
    subsets = [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]
    hybrids = [{name: (person if name in some else reference)[name] for name in names} for some in subsets]
    worth = dict(zip(subsets, model.predict(frame(reference, *hybrids))["value"], strict=True))
    assert None not in worth.values()
    n = len(names)
    return {name: sum(
        factorial(len(some)) * factorial(n - len(some) - 1) / factorial(n) * (worth[some | {name}] - worth[some])
        for some in subsets if name not in some) for name in names}, worth[frozenset()]


@both
def test_contributions_add_up_and_the_host_says_the_same(model: Any, reference: dict[str, Any]) -> None:
    person = PATIENTS[model.name]
    values, baseline = brute_force(model, reference, person)
    features = frame(reference, person)
    made = model.predict(features)
    assert baseline + sum(values.values()) == pytest.approx(made["value"].item(), abs=1e-9)
    host = ExactShapley().explain(model, features, made)
    assert dict(host.select("feature", "contribution").rows()) == pytest.approx(values, abs=1e-9)


def test_points_of_the_stroke_score_are_their_own_explanation() -> None:
    values, baseline = brute_force(StrokeRisk(), dict(stroke.REFERENCE), PATIENTS["cha2ds2-vasc"])
    assert baseline == 0
    assert values == pytest.approx({"atrial-fibrillation": 0, "age": 2, "sex": 1, "heart-failure": 1, "hypertension": 1,
                                    "diabetes": 0, "stroke-or-tia": 2, "vascular-disease": 0})


def ascvd_value(**changes: Any) -> tuple[float | None, str | None, str | None]:
    person = {**ascvd.REFERENCE, **{name.replace("_", "-"): value for name, value in changes.items()}}
    row = AscvdRisk().predict(frame(dict(ascvd.REFERENCE), person)).row(0, named=True)
    return row["value"], row["label"], row["reason"]


@pytest.mark.parametrize(("changes", "reason"), [
    ({"age": 39.9}, "age 39 is outside 40 to 79 years"), ({"age": 80.0}, "age 80 is outside 40 to 79 years"),
    ({"total_cholesterol": 129.9}, "total-cholesterol 129.9 is outside 130 to 320 mg/dL"),
    ({"hdl_cholesterol": 101.0}, "hdl-cholesterol 101 is outside 20 to 100 mg/dL"),
    ({"systolic_bp": 89.0}, "systolic-bp 89 is outside 90 to 200 mm[Hg]"),
    ({"sex": "other"}, "sex is recorded as other: there are equations for female and male only"),
    ({"ascvd_history": True}, "cardiovascular disease is on record: the equations are for a first event")])
def test_outside_the_pooled_cohort_equations(changes: dict[str, Any], reason: str) -> None:
    assert ascvd_value(**changes) == (None, None, reason)


@pytest.mark.parametrize("changes", [{"age": 40.0}, {"age": 79.9}, {"total_cholesterol": 320.0},
                                     {"hdl_cholesterol": 20.0}, {"systolic_bp": 200.0}])
def test_limits_belong_to_the_range(changes: dict[str, Any]) -> None:
    assert ascvd_value(**changes)[2] is None


def test_risk_groups_and_race() -> None:
    assert ascvd_value()[1] == "low risk"
    high = {"age": 75.0, "systolic_bp": 160.0, "smoker": True, "diabetes": True}
    assert ascvd_value(**high)[1] == "high risk"
    assert ascvd_value(pce_race="other")[0] == ascvd_value(pce_race="white")[0] != ascvd_value(pce_race="black")[0]


@given(age=st.floats(40, 79), systolic=st.floats(90, 190), sex=st.sampled_from(["female", "male"]),
       race=st.sampled_from(["white", "black"]), treated=st.booleans())
@settings(max_examples=60, deadline=None)
def test_risk_rises_with_pressure_and_diabetes(age: float, systolic: float, sex: str, race: str, treated: bool) -> None:
    own = {"age": age, "systolic_bp": systolic, "sex": sex, "pce_race": race, "bp_treated": treated}
    risk, _, _ = ascvd_value(**own)
    more = [ascvd_value(**own | change)[0] for change in ({"systolic_bp": systolic + 10}, {"diabetes": True})]
    assert risk is not None
    assert 0 < risk < 100
    assert all(other is not None and other > risk for other in more)


def test_without_atrial_fibrillation_there_is_no_score() -> None:
    reference = dict(stroke.REFERENCE)
    made = StrokeRisk().predict(frame(
        reference, reference | {"atrial-fibrillation": False, "age": None}, reference | {"age": 17.0},
        reference | {"sex": "other"}))
    assert made["reason"].to_list() == [
        "no atrial fibrillation on record", "age is below 18 years",
        "sex is recorded as other: the score knows female and male only"]
    assert made["label"].null_count() == made.height


def test_the_trace_of_the_risk_can_be_followed() -> None:
    model, reference = AscvdRisk(), dict(ascvd.REFERENCE)
    features = frame(reference, PATIENTS[model.name], reference | {"pce-race": "other"}, dict.fromkeys(reference))
    found = pl.Series("systolic-bp-found", ["2026-03-02", None, None])
    made = model.predict(features)
    steps = model.trace(features.with_columns(found), made)
    one, two = (steps.filter(pl.col("patient_id") == name)["text"].to_list() for name in ("p0", "p1"))
    assert steps["patient_id"].unique(maintain_order=True).to_list() == ["p0", "p1"]
    assert steps.filter(pl.col("patient_id") == "p1")["step"].to_list() == list(range(1, len(two) + 1))
    assert one[0] == "Age 67 years: equation for black women (Goff 2013, PMID 24222018)."
    assert "Systolic blood pressure 151 mm[Hg] (2026-03-02)." in one
    assert "Diabetes: on record." in one
    assert "Earlier heart attack, stroke or arterial disease: not in the record, counted as absent." in one
    assert one[-1].endswith(f"= {made['value'][0]:.1f} % in ten years.")
    assert any("the one for white people is used" in text for text in two)


def test_the_trace_of_the_points_can_be_added_up() -> None:
    model = StrokeRisk()
    features = frame(dict(stroke.REFERENCE), PATIENTS[model.name])
    steps = model.trace(features, model.predict(features))["text"].to_list()
    assert steps[1:4] == ["Age 76 years: 2 (65 to 74: 1, from 75: 2).", "Sex female: 1.", "Heart failure: 1."]
    assert "Diabetes: 0 (not in the record, counted as absent)." in steps
    assert steps[-1] == "Sum: 7 points."


def test_the_reason_says_which_diagnosis_is_not_settled() -> None:
    reference = dict(ascvd.REFERENCE) | {"diabetes": None}
    found = pl.Series("diabetes-found", ["a diagnosis that no code set knows: Sugar disease"])
    made = AscvdRisk().predict(frame(dict(ascvd.REFERENCE), reference).with_columns(found))
    assert made["reason"].item() == (
        "needs diabetes; diabetes is left open by a diagnosis that no code set knows: Sugar disease")


def test_without_atrial_fibrillation_there_is_nothing_to_say() -> None:
    people = [dict(stroke.REFERENCE) | {"atrial-fibrillation": one} for one in (True, False, None)]
    made = StrokeRisk().predict(frame(dict(stroke.REFERENCE), *people))
    assert made["status"].to_list() == ["assessed", "not-applicable", "not-assessed"]

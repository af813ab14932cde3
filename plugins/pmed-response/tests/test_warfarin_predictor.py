"""The predictor: batch equals one by one, unknown stays unknown, explanations add up, the trace can be followed."""

from __future__ import annotations

import re
from itertools import combinations
from math import factorial
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed import TABLES, Predictor
from pmed_response import iwpc
from pmed_response.dose_explainer import DoseExplainer
from pmed_response.warfarin import DRUGS, GENE, REFERENCE, SITE, TARGET, WarfarinDose

WILMA = {"age": 71.7, "height": 164.0, "weight": 68.0, GENE: "*1/*3", SITE: "C/T", "ancestry": None,
         "on:amiodarone": True, "on:carbamazepine": False, "on:phenytoin": False, "on:rifampin": False}
TYPES = {"patient_id": pl.String, "age": pl.Float64, "height": pl.Float64, "weight": pl.Float64, GENE: pl.String,
         SITE: pl.String, "ancestry": pl.String, "sex": pl.String, "smoking-status": pl.String,
         "target-inr": pl.Float64,
         **{name: pl.Boolean for name, value in REFERENCE.items() if isinstance(value, bool)}}
persons = st.fixed_dictionaries({
    "age": st.none() | st.floats(10, 110), "height": st.none() | st.floats(100, 240),
    "weight": st.none() | st.floats(20, 280) | st.just(float("nan")),
    GENE: st.none() | st.sampled_from([*iwpc.CYP2C9, "*1/*8"]),
    SITE: st.none() | st.sampled_from([*iwpc.VKORC1, "C/G"]),
    "ancestry": st.none() | st.sampled_from(["White", "Asian", "Other Race"]),
    "sex": st.none() | st.sampled_from(["female", "male"]), "target-inr": st.none() | st.floats(1, 5),
    **{name: st.none() | st.booleans() for name in (*DRUGS, "on:simvastatin", "condition:diabetes")}})


def frame(*people: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{"patient_id": f"p{n}", **one} for n, one in enumerate(people)], schema=TYPES)


def predict(*people: dict[str, Any]) -> pl.DataFrame:
    return WarfarinDose().predict(frame(*people))


def test_contract() -> None:
    model = WarfarinDose()
    assert isinstance(model, Predictor)
    assert set(model.reference(TARGET)) == {*model.needs, *model.wants}
    assert model.reference("another") == {}
    made = predict(WILMA, dict.fromkeys(WILMA)).with_columns(predictor=pl.lit(model.name))
    TABLES["predictions"].check(made)
    assert made["status"].to_list() == ["assessed", "not-assessed"]


@pytest.mark.parametrize("name", WarfarinDose.needs)
def test_a_missing_input_is_named(name: str) -> None:
    row = predict({**REFERENCE, name: None}).row(0, named=True)
    assert (row["value"], row["status"], row["reason"]) == (None, "not-assessed", f"needs {name}")


def test_all_missing_inputs_are_named_at_once() -> None:
    assert predict(WILMA | {"height": None, GENE: None})["reason"].item() == f"needs height, {GENE}"


def test_absent_columns_are_unknown() -> None:
    made = WarfarinDose().predict(pl.DataFrame({"patient_id": ["p"]}))
    assert made["reason"].item().startswith("needs age, height, weight, diplotype:CYP2C9")


@pytest.mark.parametrize(("change", "reason"), [
    ({"age": 17.5}, "age 17.5 is outside 18 to 100 years"), ({"height": 120.0}, "height 120 is outside 130 to 220 cm"),
    ({"weight": 251.0}, "weight 251 is outside 30 to 250 kg"),
    ({GENE: "*1/*11"}, "CYP2C9 *1/*11 is outside the equation, which knows *1, *2 and *3 only"),
    ({SITE: "C/G"}, "rs9923231 C/G is outside the equation, which knows C and T only")])
def test_outside_the_equation(change: dict[str, Any], reason: str) -> None:
    assert predict(WILMA | change)["reason"].to_list() == [reason]


@pytest.mark.parametrize("change", [{"age": 18.0}, {"age": 100.0}, {"height": 130.0}, {"weight": 250.0}])
def test_limits_belong_to_the_range(change: dict[str, Any]) -> None:
    assert predict(WILMA | change)["status"].to_list() == ["assessed"]


def test_unrecorded_ancestry_has_its_own_term() -> None:
    model, features = WarfarinDose(), frame(WILMA, WILMA | {"ancestry": "White"})
    steps = model.trace(features, model.predict(features)).filter(pl.col("step") == 7)["text"].to_list()
    assert [text.rsplit(": ", 1)[1] for text in steps] == ["−0.1032.", "0."]


def test_why_warfarin_is_taken_counts_and_is_a_bar_of_its_own() -> None:
    model, features = WarfarinDose(), frame(REFERENCE, REFERENCE | {"condition:atrial-fibrillation": True})
    made = model.predict(features)
    assert abs(made["value"][1] - made["value"][0]) > 0.05
    bars = DoseExplainer().explain(model, features, made).filter(pl.col("contribution") != 0)
    assert bars.select("patient_id", "feature", "value").rows() == [("p1", "condition:atrial-fibrillation", "yes")]
    assert "atrial-fibrillation" in model.trace(features, made).filter(patient_id="p1")["text"][10]


@pytest.mark.parametrize(("inr", "said"), [(3.0, "target INR 3,"), (None, "target INR 2.5 (not on record),")])
def test_the_trace_says_which_target_was_taken(inr: float | None, said: str) -> None:
    model, features = WarfarinDose(), frame(REFERENCE | {"target-inr": inr})
    assert said in model.trace(features, model.predict(features))["text"][10]
    assert "no other finding on record: " in model.trace(features, model.predict(features))["text"][10]


def test_what_is_not_on_record_counts_as_absent_but_the_equations_medicines_must_be_known() -> None:
    silent = {name: None for name in WarfarinDose.wants if name not in {"ancestry", "sex"}}
    assert predict(REFERENCE | silent)["value"].item() == predict(REFERENCE)["value"].item()
    assert predict(REFERENCE | {"on:amiodarone": None})["value"].item() is None


def test_the_interval_holds_the_dose_and_is_null_where_there_is_none() -> None:
    rows = predict(WILMA, WILMA | {"weight": None})
    low, high, value = rows.select("low", "high", "value").row(0)
    assert 0 <= low < value < high
    assert rows.select("low", "high").row(1) == (None, None)


@given(st.lists(persons, max_size=6), st.randoms())
@settings(max_examples=40, deadline=None)
def test_batch_equals_one_by_one_in_any_order(people: list[dict[str, Any]], random: Any) -> None:
    model, batch = WarfarinDose(), frame(*people)
    before = batch.clone()
    made = model.predict(batch)
    assert batch.equals(before)
    single = [model.predict(batch[row]) for row in range(batch.height)]
    assert made.equals(pl.concat([made.clear(), *single]))
    order = random.sample(range(batch.height), batch.height)
    assert model.predict(batch[order]).equals(made[order])
    # exactly one of value and reason
    assert (made["value"].is_null() == made["reason"].is_not_null()).all()


def brute_force(person: dict[str, Any]) -> tuple[dict[str, float], float]:
    """Shapley values by their definition, over all subsets of what differs; and the reference patient's dose."""
    person = REFERENCE | person
    names = [name for name in REFERENCE if person[name] != REFERENCE[name]]
    subsets = [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]
    hybrids = [REFERENCE | {name: person[name] for name in some} for some in subsets]
    worth = dict(zip(subsets, predict(*hybrids)["value"], strict=True))
    assert None not in worth.values()
    n = len(names)
    values = {name: sum(
        factorial(len(some)) * factorial(n - len(some) - 1) / factorial(n) * (worth[some | {name}] - worth[some])
        for some in subsets if name not in some) for name in names}
    return values, worth[frozenset()]


def test_every_hybrid_with_the_reference_is_assessed_and_contributions_add_up() -> None:
    values, baseline = brute_force(WILMA)
    dose = predict(REFERENCE | WILMA)["value"].item()
    assert baseline == predict(REFERENCE)["value"].item()
    assert baseline + sum(values.values()) == pytest.approx(dose, abs=1e-8)
    assert values[GENE] < -5
    assert values["on:amiodarone"] < 0


def test_the_explainer_says_the_same_whoever_else_is_explained() -> None:
    model, features = WarfarinDose(), frame(REFERENCE | {SITE: "T/T"}, REFERENCE | WILMA)
    made = DoseExplainer().explain(model, features, model.predict(features)).filter(pl.col("patient_id") == "p1")
    values, baseline = brute_force(WILMA)
    said = {name: value for name, value in made.select("feature", "contribution").rows() if value}
    assert said == pytest.approx({name: value for name, value in values.items() if value})
    assert made["baseline"].unique().to_list() == [baseline]
    assert made["unit"].unique().to_list() == ["mg/week"]
    alone = DoseExplainer().explain(model, features[1:], model.predict(features[1:]))
    assert alone.equals(made)


def test_the_trace_can_be_added_up_by_hand() -> None:
    model, features = WarfarinDose(), frame(WILMA | {"on:phenytoin": True}, dict.fromkeys(WILMA))
    made = model.predict(features)
    steps = model.trace(features, made)
    assert steps["step"].to_list() == list(range(1, 13))
    assert steps["patient_id"].unique().to_list() == ["p0"]
    *terms, total, learned, last = steps["text"].to_list()
    start = float(re.findall(r"[\d.]+", terms[0])[0])
    added = [float(text.rsplit(": ", 1)[1].rstrip(".").replace("−", "-")) for text in terms[1:]]
    by_equation, by_model = (float(re.findall(r"([\d.]+) mg a week", text)[0]) for text in (total, learned))
    assert (start + sum(added)) ** 2 == pytest.approx(by_equation, abs=0.06)
    assert (by_equation + by_model) / 2 == pytest.approx(made["value"][0], abs=0.06)
    assert f"{round(made['value'][0], 1):g} mg a week" in last
    assert "71 years, 7 completed decades" in terms[1]
    assert "(active: phenytoin)" in terms[7]
    assert "not recorded" in terms[6]


def test_empty_frame() -> None:
    model, nobody = WarfarinDose(), frame()
    assert model.predict(nobody).height == 0
    assert model.trace(nobody, model.predict(nobody)).height == 0

"""Every score keeps a predictor's promises: a batch equals its people, unknown stays unknown, explanations add up."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pmed import TABLES, Predictor
from pmed.explain.shapley import ExactShapley
from pmed_risk import register_predictors
from pmed_risk.score import Equation, Score
from pmed_risk.score2 import REGIONS

KINDS = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String()}
SCORES: list[Score] = [one() for one in register_predictors() if issubclass(one, Score)]
every = pytest.mark.parametrize("model", SCORES, ids=lambda one: one.name)


def known(model: Score) -> dict[str, Any]:
    """The reference patient with all that must be known besides."""
    return model.equation.required


def frame(model: Score, *people: dict[str, Any]) -> pl.DataFrame:
    schema = {"patient_id": pl.String(), **{name: KINDS[type(value)] for name, value in model.equation.read.items()}}
    return pl.DataFrame([{"patient_id": f"p{n}", **one} for n, one in enumerate(people)], schema=schema)


def another(model: Score) -> dict[str, Any]:
    """Somebody who differs from the reference patient in every input that is explained, within its limits."""
    changed: dict[str, Any] = {}
    for name, value in model.equation.reference.items():
        low, high = model.equation.limits.get(name, (0.0, 1e9, ""))[:2]
        changed[name] = {str: "female", bool: not value}[type(value)] if not isinstance(value, float) else (
            value * 1.1 + 0.5 if low <= value * 1.1 + 0.5 <= high else value * 0.9)
    keep = {name: value for name, value in known(model).items()
            if name in {*model.equation.only, *model.equation.refused}}
    words = {name: places[-1] for name, places in model.equation.words.items() if name in changed}
    return {**known(model), **changed, **words, **keep}


@every
def test_contract(model: Score) -> None:
    assert isinstance(model, Predictor)
    target, = model.gives
    assert 0 < len(model.reference(target)) <= 12
    assert model.reference("another") == {}
    rows = model.predict(frame(model, known(model), another(model), {}))
    TABLES["predictions"].check(rows.with_columns(predictor=pl.lit(model.name)))
    assert rows["status"].to_list() == ["assessed", "assessed", "not-applicable"]
    low, high = model.card.range
    assert rows["value"].drop_nulls().is_between(low, high).all()
    assert rows["value"].n_unique() == 3


@every
def test_a_batch_is_its_people_one_by_one(model: Score) -> None:
    people = frame(model, another(model), {}, known(model))
    before = people.clone()
    made = model.predict(people)
    assert people.equals(before)
    assert made.equals(pl.concat([model.predict(people[row]) for row in range(people.height)]))
    assert model.predict(people.clear()).height == 0


@every
def test_each_missing_input_keeps_the_value_back(model: Score) -> None:
    for name in model.equation.required:
        row = model.predict(frame(model, known(model) | {name: None})).row(0, named=True)
        assert row["value"] is None, name
        assert f"needs {name}" in row["reason"]
        assert row["status"] in {"not-assessed", "not-applicable"}


@every
def test_contributions_add_up(model: Score) -> None:
    target, = model.gives
    people = frame(model, another(model))
    rows = model.predict(people)
    told = ExactShapley().explain(model, people, rows)
    baseline = model.predict(frame(model, known(model)))["value"].item()
    assert told["contribution"].sum() + baseline == pytest.approx(rows["value"].item(), abs=1e-6)
    assert set(told["feature"]) == set(model.reference(target))


@every
def test_the_trace_ends_with_the_value(model: Score) -> None:
    people = frame(model, another(model), {})
    trace = model.trace(people, model.predict(people))
    assert set(trace["patient_id"]) == {"p0"}
    assert model.card.references[0] in trace["text"][-1]
    assert trace["text"].str.ends_with(".").all()
    assert not trace["text"].str.contains("outdated").any()


def test_what_rules_a_score_out() -> None:
    models = {one.name: one for one in SCORES}
    for name in ("prevent-2023", "score2"):
        model = models[name]
        row = model.predict(frame(model, known(model) | {"ascvd-history": True})).row(0, named=True)
        assert row["value"] is None
        assert row["reason"] == "cardiovascular disease is on record: the equation" + (
            " is for a first event" if name == "score2" else "s are for a first event")
    model = models["meld-3-0"]
    row = model.predict(frame(model, known(model) | {"condition:liver-cirrhosis": False})).row(0, named=True)
    assert (row["status"], row["reason"]) == ("not-applicable", "no cirrhosis of the liver on record")


@pytest.mark.parametrize(("name", "given", "reason"), [
    ("fib-4", {"platelets": 150000.0}, "platelets 150000 is outside 1 to 3000 10*3/uL"),
    ("meld-3-0", {"albumin": 38.0}, "albumin 38 is outside 0.5 to 7 g/dL"),
    ("meld", {"creatinine": 120.0}, "creatinine 120 is outside 0.1 to 25 mg/dL"),
    ("meld", {"inr": 0.0}, "inr 0 is outside 0.5 to 20"),
    ("ukeld", {"age": 9.7}, "age 9 is outside 18 to 120 years"),
    ("child-pugh", {"age": 17.9}, "age 17 is outside 18 to 120 years"), ("meld-na", {"age": None}, "needs age"),
    ("cockcroft-gault", {"weight": 0.08}, "weight 0.08 is outside 20 to 400 kg"),
    *((name, {"creatinine-outdated": True}, "an eGFR reported after the last creatinine is another by a quarter or "
       "more: measure creatinine anew") for name in ("ckd-epi-2021", "cockcroft-gault")),
    ("ckd-epi-2021", {"pregnant": True}, "pregnancy is on record: the equation is not for it")])
def test_whom_and_what_a_score_is_not_for(name: str, given: dict[str, Any], reason: str) -> None:
    model = {one.name: one for one in SCORES}[name]
    row = model.predict(frame(model, known(model) | given)).row(0, named=True)
    assert (row["value"], row["status"], row["reason"]) == (None, "not-assessed", reason)


def test_a_value_that_cannot_be_is_no_input() -> None:
    model = {one.name: one for one in SCORES}["findrisc"]
    row = model.predict(frame(model, known(model) | {"waist": 0.0})).row(0, named=True)
    assert (row["value"], row["reason"]) == (None, "waist is 0, which cannot be")


def test_the_region_is_an_option() -> None:
    made = {one.name: one for one in register_predictors()}["score2"]
    person = frame(made(), {**known(made()), "risk-region": None})
    assert made().predict(person)["status"].item() == "not-applicable"
    values = [made(risk_region=name).predict(person)["value"].item() for name in REGIONS]
    assert len(set(values)) == 4
    assert (min(values), max(values)) == (values[0], values[-1])


def odd_values(name: str, example: Any, about: Equation) -> list[Any]:
    """Values at, within and beyond what the equation takes, and none."""
    if isinstance(example, bool):
        return [None, True, False]
    if isinstance(example, str):
        return [None, "odd", *({"sex": ("male", "female"), **about.words}[name])]
    low, high, _ = about.limits.get(name, (0.0, 1000.0, ""))
    return [None, float("nan"), -1.0, 0.0, low, low - 0.5, high, high + 0.5, (low + high) / 2]


@every
def test_what_is_told_of_one_alone_is_what_is_told_among_all_others(model: Score) -> None:
    """Only reasons that somebody has are put in words; among all others every one of them is."""
    about = model.equation
    people = [{**known(model), name: value} for name, example in about.read.items()
              for value in odd_values(name, example, about)]
    together = model.predict(frame(model, *people)).drop("patient_id")
    assert_frame_equal(together, pl.concat([model.predict(frame(model, one)).drop("patient_id") for one in people]))
    assert 0 < together["reason"].null_count() < together.height


@every
def test_one_who_cannot_be_assessed_changes_nothing_for_another(model: Score) -> None:
    sound = known(model)
    both, alone = (model.predict(frame(model, *people)) for people in ([sound, dict.fromkeys(sound)], [sound]))
    assert alone.equals(both[:1])
    assert both["value"].is_null().to_list() == [False, True]

"""Training: constraints hold, bytes repeat, survival is understood, contributions are Shapley values."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import polars as pl
import pytest

from pmed.errors import InputError, OptionError
from pmed.modelling import (
    Recipe,
    at_random,
    by_patient,
    contributions,
    cross_fit,
    fit,
    judge_survival,
    load_model,
    metrics,
    person_periods,
    save_model,
    search,
    shap_dependence,
    shap_interactions,
    shap_summary,
    stop_early,
    survival_curve,
    tree_explanations,
)
from pmed.modelling.survival import cox_gradient, cox_loss
from pmed.modelling.training import booster
from tests.modelling_people import RECIPE, ToyModel, cohort, people


def dosed(**changes):
    return cohort(outcome="dose", task="regression", **changes)


def test_same_data_same_bytes_other_seed_other_trees():
    recipe = replace(RECIPE, rows=0.7, columns=0.7, patience=0, rounds=10)
    assert fit(cohort(), recipe).text == fit(cohort(), recipe).text
    assert fit(cohort(), recipe).text != fit(cohort(), replace(recipe, seed=1)).text


def test_bags_are_averaged_and_kept(tmp_path):
    recipe = replace(RECIPE, rows=0.7, columns=0.7, patience=0, rounds=8)
    alone = [fit(cohort(), replace(recipe, seed=seed)) for seed in (3, 4)]
    both = fit(cohort(), replace(recipe, seed=3, bags=2))
    wanted = np.mean([one.raw(people()) for one in alone], axis=0)
    np.testing.assert_allclose(both.raw(people()), wanted, atol=1e-12)
    values, baseline = contributions(both, people())
    np.testing.assert_allclose(values.sum(axis=1) + baseline, wanted, atol=1e-9)
    save_model(replace(ToyModel().train(cohort()), trees={"main": both}), tmp_path / "bags")
    assert (tmp_path / "bags/main-2.txt").is_file()
    assert load_model(tmp_path / "bags").trees["main"] == both


def test_early_stopping_ends_where_others_gain_no_more():
    one = at_random(cohort(), 1)[0]
    many = Recipe("binary", rounds=400, patience=10, learning_rate=0.2)
    stopped = fit(cohort().rows(one.train), many, cohort().rows(one.test))
    assert stopped.rounds < 50
    assert booster(stopped.text).num_trees() == stopped.rounds
    assert fit(cohort(), replace(many, rounds=60)).rounds == 60
    assert stop_early(cohort(), many).rounds < 100


def test_cross_fitted_rows_were_never_seen():
    coin = np.repeat(np.random.default_rng(0).integers(0, 2, 600), 2)
    noise = cohort(people().with_columns(y=pl.Series(coin)), features=("x",))
    keen = Recipe("binary", rounds=200, patience=0, leaves=63, smallest_leaf=1, learning_rate=0.3)
    assert metrics.auroc(noise.y, fit(noise, keen).raw(noise.inputs)) > 0.7
    assert metrics.auroc(noise.y, cross_fit(noise, keen, by_patient(noise)).raw) == pytest.approx(0.5, abs=0.06)


def test_monotone_constraints_hold_and_are_refused_where_they_cannot():
    grid = people(200).with_columns(pl.lit("b").alias("kind"), pl.lit(0.0).alias("seldom"), x=np.linspace(-3, 3, 200))
    noisy = Recipe("regression", rounds=80, patience=0, smallest_leaf=2)
    wild = np.diff(fit(dosed(), noisy).raw(grid))
    assert wild.min() < 0
    assert np.diff(fit(dosed(), replace(noisy, monotone={"x": 1})).raw(grid)).min() >= 0
    with pytest.raises(OptionError, match="no monotone constraints with regression_l1"):
        fit(dosed(), replace(noisy, objective="regression_l1", monotone={"x": 1}))
    with pytest.raises(OptionError, match="monotone names 'age'"):
        fit(dosed(), replace(noisy, monotone={"age": 1}))


def test_quantiles_hold_their_share():
    one = at_random(dosed(), 1)[0]
    train, test = dosed().rows(one.train), dosed().rows(one.test)
    low, high = (fit(train, Recipe("quantile", rounds=40, quantile=q)).raw(test.inputs) for q in (0.1, 0.9))
    assert metrics.coverage(test.y, low, high) == pytest.approx(0.8, abs=0.1)


def test_objective_and_task_must_go_together():
    with pytest.raises(OptionError, match="objective 'binary' is not for a regression outcome"):
        fit(dosed(), RECIPE)


def test_cox_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(0)
    raw, time, event = rng.normal(size=30), rng.integers(1, 8, 30).astype(float), rng.integers(0, 2, 30).astype(float)
    gradient, curvature = cox_gradient(raw, time, event)

    def total(place, step):
        return cox_loss(raw + step * (np.arange(30) == place), time, event) * event.sum()

    for place in range(30):
        assert gradient[place] == pytest.approx((total(place, 1e-5) - total(place, -1e-5)) / 2e-5, abs=1e-5)
        second = (total(place, 1e-3) + total(place, -1e-3) - 2 * total(place, 0)) / 1e-6
        assert curvature[place] == pytest.approx(second, abs=1e-4)


def test_survival_by_cox():
    made = cohort(outcome="time", task="survival", event="event")
    one = at_random(made, 1)[0]
    trees = stop_early(made.rows(one.train), Recipe("cox", rounds=200, leaves=4))
    test = made.rows(one.test)
    truth = judge_survival(test.y, test.events, test.frame["x"].to_numpy())["c_index"]
    assert judge_survival(test.y, test.events, trees.raw(test.inputs))["c_index"] > truth - 0.03


def test_person_periods_by_hand():
    frame = people(4).with_columns(time=pl.Series([0.5, 1.5, 1.5, 9.0]), event=pl.Series([1, 1, 0, 0]))
    made = person_periods(cohort(frame, outcome="time", task="survival", event="event"), (1.0, 2.0))
    rows = made.frame.select(pl.col("day"), "period", "event in period").rows()
    # the first has the event in period 0; the second in period 1; the third is censored in it; the last passes both
    assert rows == [(0, 0, 1), (1, 0, 0), (1, 1, 1), (2, 0, 0), (3, 0, 0), (3, 1, 0)]
    np.testing.assert_allclose(survival_curve(np.array([[0.5, 0.2]])), [[0.5, 0.4]])


def expected(node, row, known):
    """What a tree gives on average where only the features in `known` are known (path-dependent, by rows)."""
    if "leaf_value" in node:
        return node["leaf_value"]
    sides = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return expected(sides[0 if row[node["split_feature"]] <= node["threshold"] else 1], row, known)
    counts = [side.get("internal_count", side.get("leaf_count")) for side in sides]
    return sum(count * expected(side, row, known) for count, side in zip(counts, sides, strict=True)) / sum(counts)


def test_contributions_are_brute_force_shapley_values():
    numbers = dosed(frame=people().with_columns(z=(pl.col("x") * 7).sin()), features=("x", "z", "day"))
    trees = fit(numbers, Recipe("regression", rounds=5, leaves=6))
    rows = numbers.inputs.head(20)
    values, baselines = contributions(trees, rows)
    forest = [one["tree_structure"] for one in booster(trees.text).dump_model()["tree_info"]]
    for row, mine, baseline in zip(rows.rows(), values, baselines, strict=True):
        worth = {known: sum(expected(tree, row, known) for tree in forest)
                 for size in range(4) for known in combinations(range(3), size)}
        brute = [sum((worth[tuple(sorted((*known, one)))] - worth[known]) / (3 * comb(2, len(known)))
                     for known in worth if one not in known) for one in range(3)]
        assert mine == pytest.approx(brute, abs=1e-9)
        assert baseline == pytest.approx(worth[()], abs=1e-9)


def test_summary_dependence_and_interactions():
    numbers = dosed(features=("x", "seldom"))
    trees = fit(numbers, replace(RECIPE, objective="regression"))
    rows = numbers.inputs.head(50)
    assert shap_summary(trees, rows)["feature"].to_list() == ["x", "seldom"]
    seen = shap_dependence(trees, rows, "x")
    assert np.corrcoef(seen["value"], seen["contribution"])[0, 1] > 0.9
    both = shap_interactions(trees, rows)
    assert both.shape == (50, 2, 2)
    np.testing.assert_allclose(both.sum(axis=2), contributions(trees, rows)[0], atol=1e-4)


@pytest.mark.parametrize("calibrated", [True, False])
def test_explanations_add_up_in_the_unit_of_the_prediction(calibrated):
    model = ToyModel().train(cohort())
    model = model if calibrated else replace(model, calibration=None)
    frame = people(40).with_columns(patient_id=pl.format("p{}", "day"))
    shown = {"x": "x", "kind": "rest", "seldom": "rest"}
    made = tree_explanations(model, frame, shown, scale=100.0 if calibrated else 1.0,
                             told={"rest": "kind"})
    sums = made.group_by("patient_id", maintain_order=True).agg(
        pl.col("baseline").first() + pl.col("contribution").sum(), pl.col("prediction").first())
    wanted = model.predict(frame) * (100 if calibrated else 1)
    np.testing.assert_allclose(sums["baseline"], wanted, atol=1e-9)
    np.testing.assert_allclose(sums["prediction"], wanted, atol=1e-9)
    assert made.filter(pl.col("feature") == "rest")["value"].to_list() == frame["kind"].to_list()
    assert made["feature"].n_unique() == 2
    assert ("log odds" in made["method"][0]) == calibrated


def test_nobody_is_predicted_and_explained():
    trees = fit(cohort(), replace(RECIPE, rounds=2, patience=0))
    assert trees.raw(people().clear()).shape == (0,)
    assert contributions(trees, people().clear())[0].shape == (0, 3)


def test_a_model_is_read_back_as_it_was(tmp_path):
    model = ToyModel().train(cohort())
    first = [path.read_bytes() for path in save_model(model, tmp_path / "one")]
    again = load_model(tmp_path / "one")
    assert again == model
    np.testing.assert_array_equal(again.predict(people()), model.predict(people()))
    assert [path.read_bytes() for path in save_model(again, tmp_path / "two")] == first


def test_a_manifest_of_something_else_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "other"}))
    with pytest.raises(InputError, match="is not a manifest of pmed/model/1"):
        load_model(tmp_path)


def test_search_keeps_the_best_it_tried():
    bad = Recipe("binary", rounds=40, patience=0, learning_rate=0.2, leaves=63, smallest_leaf=5)
    splits = by_patient(cohort(), 3)
    start = metrics.brier(cohort().y, metrics.expit(cross_fit(cohort(), bad, splits).raw))
    found, loss = search(cohort(), bad, splits, lambda y, raw: metrics.brier(y, metrics.expit(raw)), trials=6)
    assert loss < start
    assert (found.objective, found.rounds) == ("binary", 40)



"""Treatment effects: sound trials, scores, learners, policies, the gate; against known truth and by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from math import factorial

import numpy as np
import polars as pl
import pytest

from pmed.errors import InputError, OptionError, PmedError
from pmed.modelling import Cohort, Model, ModelCard, load_model, save_model
from pmed.modelling.effect import (
    NOTHING_FOUND,
    SMALL,
    Estimate,
    Trial,
    card_metrics,
    chances_of,
    check_overlap,
    compare_arms,
    cross_fitted_scores,
    effect_contributions,
    effect_extra,
    effect_model,
    effect_report,
    estimate,
    heterogeneity,
    judge_effects,
    judge_model,
    learn_effects,
    policy_gain,
    policy_value,
    pseudo_observations,
    recommend,
    restricted_mean,
    simulate,
)
from pmed.modelling.effect.scores import augmented
from pmed.modelling.training import booster

QUICK = replace(SMALL, rounds=15)


def observed(n: int = 1500, strength: float = 1.0, seed: int = 0) -> Trial:
    """Who is ill is treated more often and fares worse; the true effect is 1 for everybody."""
    rng = np.random.default_rng(seed)
    ill = rng.normal(size=n)
    treated = (rng.random(n) < 1 / (1 + np.exp(-strength * ill))).astype(int)
    frame = pl.DataFrame({"patient_id": np.arange(n), "ill": ill, "other": rng.normal(size=n), "treated": treated,
                          "y": treated - 2 * ill + rng.normal(size=n)})
    return Trial(Cohort(frame, ("ill", "other"), "y", "regression"), "treated", ("0", "1"))


@pytest.mark.parametrize(("change", "message"), [
    (lambda t: replace(t, arms=("usual",)), "two or more different arms"),
    (lambda t: replace(t, arm="arms"), "has no column 'arms' of arms"),
    (lambda t: replace(t, arms=("usual", "old"), chances=None), "arm is 'new' in some rows, which is none of"),
    (lambda t: replace(t, chances={"usual": 0.5, "new": 0.4}), "chances must name every arm"),
    (lambda t: replace(t, chances={"usual": 1.0, "new": 0.0}), "chances must name every arm"),
    (lambda t: replace(t, cohort=replace(t.cohort, features=("age", "arm"))), "arm must not be a feature"),
    (lambda t: replace(t, cohort=replace(t.cohort, frame=t.cohort.frame.with_columns(
        coded=(pl.col("arm") == "new").cast(pl.Int8)), features=("age", "coded"))), "coded tells who was in arm"),
    (lambda t: replace(t, cohort=t.cohort.rows(np.arange(40))), "rows: too few, 30 are needed"),
    (lambda t: replace(t, cohort=replace(t.cohort, frame=t.cohort.frame.with_columns(patient_id=pl.lit(1)))),
     "patients with several rows"),
    (lambda t: replace(t, cohort=replace(t.cohort, after=("marker",))), "marker is known only after the outcome"),
])
def test_unsound_trials_are_one_line(change, message):
    with pytest.raises(InputError, match=message):
        change(simulate("none", 200).trial)


def test_scores_are_the_formula():
    y, given = np.array([5.0, 2.0]), np.array([0, 1])
    made = augmented(y, given, np.array([[4.0, 6.0], [1.0, 3.0]]), np.array([[0.5, 0.5], [0.8, 0.2]]))
    assert made.tolist() == [[6.0, 6.0], [1.0, -2.0]]


def test_scores_are_cross_fitted_and_repeatable():
    trial = simulate("linear", 300, seed=3).trial
    first, again = (cross_fitted_scores(trial, QUICK, 3, seed=1) for _ in range(2))
    assert (first.values == again.values).all()
    moved = trial.cohort.frame.with_columns(y=pl.when(pl.int_range(pl.len()) == 7).then(99.0).otherwise("y"))
    other = cross_fitted_scores(replace(trial, cohort=replace(trial.cohort, frame=moved)), QUICK, 3, seed=1)
    assert other.expected[7].tolist() == first.expected[7].tolist()  # its own outcome says nothing of what is expected
    assert (other.expected != first.expected).any()


def test_confounding_is_taken_out():
    trial = observed(strength=0.7)
    y, given = trial.y, trial.given
    crude = y[given == 1].mean() - y[given == 0].mean()
    report = judge_effects(trial, "dr", replace(SMALL, rounds=120, leaves=6), folds=3)
    assert crude < 0
    assert report.best == "1"
    assert report.best_gain.low < 1 < report.best_gain.high + 0.15
    assert report.best_gain.value > 0.7


def test_where_arms_hardly_overlap_rows_are_trimmed_or_all_refused():
    trial = observed(strength=2.5)
    with pytest.raises(InputError, match=r"the arms hardly overlap: \d+% of the rows had a chance below 0.3"):
        check_overlap(trial, least=0.3)
    found = check_overlap(trial, least=0.1, most_trimmed=0.6)
    assert 0 < found.trimmed < 0.6
    assert len(found.kept) == round(len(trial) * (1 - found.trimmed))
    assert np.abs(trial.rows(found.kept).inputs["ill"].to_numpy()).max() < np.abs(trial.inputs["ill"].to_numpy()).max()
    report = judge_effects(trial, "x", QUICK, folds=3, overlap=found)
    assert report.n == len(found.kept)
    assert report.overlap["trimmed"] == found.trimmed


def test_chances_of_three_arms_add_up():
    frame = observed(900).cohort.frame.with_columns(treated=pl.int_range(pl.len()) % 3)
    trial = Trial(Cohort(frame, ("ill", "other"), "y", "regression"), "treated", ("0", "1", "2"))
    made = chances_of(trial, 3)
    assert made.sum(axis=1) == pytest.approx(1)
    assert made.mean(axis=0) == pytest.approx(1 / 3, abs=0.03)
    fixed = replace(trial, chances={"0": 0.2, "1": 0.3, "2": 0.5})
    assert chances_of(fixed)[5].tolist() == [0.2, 0.3, 0.5]
    report = judge_effects(fixed, "t", QUICK, folds=2)
    assert [one["arm"] for one in report.calibration] == ["1", "2"]
    assert sum(report.shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("learner", ["t", "x", "dr"])
def test_learners_find_a_known_effect(learner):
    drawn = simulate("linear", 1500, times_se=4, seed=2)
    found = learn_effects(drawn.trial, learner, replace(SMALL, rounds=80)).effects(drawn.trial.inputs)[:, 0]
    off = np.sqrt(np.mean((found - drawn.effect) ** 2))
    assert off < 0.6 * drawn.effect.std()
    assert np.corrcoef(found, drawn.effect)[0, 1] > 0.85


def test_estimates_by_hand():
    made = estimate(np.array([1.0, 2.0, 3.0, 4.0]))
    assert made.value == 2.5
    assert made.se == pytest.approx(np.std([1, 2, 3, 4], ddof=1) / 2)
    assert made.high - made.value == pytest.approx(1.959964 * made.se)
    scores = cross_fitted_scores(simulate("linear", 300).trial, QUICK, 3)
    policy, best = np.tile([0, 1], 150), np.ones(300, dtype=np.int64)
    assert policy_value(scores, policy).value == pytest.approx(
        (scores.values[::2, 0].sum() + scores.values[1::2, 1].sum()) / 300)
    gain = policy_gain(scores, policy, best)
    assert gain.value == pytest.approx((scores.values[::2, 0] - scores.values[::2, 1]).sum() / 300)
    assert policy_gain(scores, best, best) == Estimate(0, 0, 0, 0)
    rows = compare_arms(scores, ("usual", "new"))
    assert min(row["behind_best"] for row in rows) == 0
    assert sum(row["n"] for row in rows) == 300


def test_the_slope_of_true_effects_is_one_and_of_noise_zero():
    rng = np.random.default_rng(4)
    truth = rng.normal(1, 2, 4000)
    scores = truth + rng.normal(size=4000)
    found = heterogeneity(scores, truth)
    assert found["slope"].low < 1 < found["slope"].high
    assert found["average"].value == pytest.approx(scores.mean())
    assert heterogeneity(scores, 2 * truth)["slope"].value == pytest.approx(found["slope"].value / 2)
    noise = heterogeneity(scores, rng.normal(size=4000))["slope"]
    assert noise.low < 0 < noise.high
    assert heterogeneity(scores, np.full(4000, 3.0)) is None


def expected(node, row, known):
    """Mean of a tree's leaves for a row of which only `known` features are looked at (Lundberg 2018, algorithm 1)."""
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return expected(left if row[node["split_feature"]] <= node["threshold"] else right, row, known)
    counts = [one.get("internal_count", one.get("leaf_count")) for one in (left, right)]
    both = [expected(one, row, known) for one in (left, right)]
    return (counts[0] * both[0] + counts[1] * both[1]) / sum(counts)


def brute_force(model, place, frame):
    """Shapley values of the effect over all coalitions of features."""
    terms = [(json.loads(json.dumps(booster(trees.text).dump_model()))["tree_info"], weight[0],
              trees.encoding.matrix(frame)[0]) for trees, weight in model.terms(place, frame)]
    many = frame.width

    def worth(known):
        return sum(weight * sum(expected(tree["tree_structure"], row, known) for tree in trees)
                   for trees, weight, row in terms)

    values = np.zeros(many)
    for feature in range(many):
        others = [one for one in range(many) if one != feature]
        for size in range(many):
            share = factorial(size) * factorial(many - size - 1) / factorial(many)
            for known in combinations(others, size):
                values[feature] += share * (worth({*known, feature}) - worth(set(known)))
    return values, worth(set())


@pytest.mark.parametrize("learner", ["t", "x", "dr"])
def test_shap_of_the_effect_is_that_of_brute_force_and_adds_up(learner):
    trial = simulate("threshold", 400, times_se=5, seed=5).trial
    model = learn_effects(trial, learner, QUICK, folds=2)
    values, baseline = effect_contributions(model, trial.inputs, "new")
    assert values.sum(axis=1) + baseline == pytest.approx(model.effects(trial.inputs)[:, 0], abs=1e-9)
    assert np.abs(values).mean(axis=0).argmax() == trial.cohort.features.index("genotype")
    for row in (0, 11):
        by_hand, start = brute_force(model, 1, trial.inputs[[row]])
        assert values[row] == pytest.approx(by_hand, abs=1e-9)
        assert baseline[row] == pytest.approx(start, abs=1e-9)


def test_shap_of_an_x_learner_on_observational_data_adds_up_and_asks_for_an_arm():
    trial = observed(400)
    model = learn_effects(trial, "x", QUICK)
    values, baseline = effect_contributions(model, trial.inputs, "1")
    assert values.sum(axis=1) + baseline == pytest.approx(model.effects(trial.inputs)[:, 0], abs=1e-9)
    with pytest.raises(PmedError, match="no effect of '0' compared with '0'"):
        effect_contributions(model, trial.inputs, "0")


def test_the_gate_is_closed_without_and_opens_with_a_difference_between_patients():
    """A smaller run of ``benchmarks/effects.py``, whose table is in docs/effects.md."""
    null = [judge_effects(simulate("none", 400, times_se=1, seed=seed).trial, folds=3).open for seed in range(8)]
    large = [judge_effects(simulate("threshold", 400, times_se=4, seed=seed).trial, folds=3).open for seed in range(4)]
    assert sum(null) <= 1
    assert sum(large) >= 3


def test_the_best_arm_is_chosen_without_the_rows_it_is_judged_on():
    """On pure noise a best arm that had seen its rows would look better than any policy."""
    gains = [judge_effects(simulate("none", 200, times_se=0, seed=seed).trial, recipe=QUICK, folds=2).gain
             for seed in range(14)]
    z = [one.value / one.se for one in gains if one.se]
    assert np.mean(z) < 0.25


def test_closed_says_so_and_recommends_the_average_open_the_prediction():
    null, real = simulate("none", 300, times_se=3, seed=1).trial, simulate("threshold", 600, times_se=5, seed=1).trial
    closed, opened = judge_effects(null, folds=3), judge_effects(real, folds=3)
    assert not closed.open
    assert closed.sentence("mg").startswith(f"{NOTHING_FOUND}: treatment by predicted effect gains ")
    same = recommend(learn_effects(null), closed, null.inputs)
    assert same["arm"].unique().to_list() == [closed.best]
    assert same["effect"].unique().to_list() == [closed.best_gain.value]
    assert not same["personalised"].any()
    assert opened.open
    assert opened.sentence().startswith("Patients differ: ")
    chosen = recommend(learn_effects(real), opened, real.inputs)
    assert set(chosen["arm"]) == {"usual", "new"}
    assert chosen["personalised"].all()
    assert (chosen["effect"] >= 0).all()


def test_the_gate_is_the_lower_bound():
    report = judge_effects(simulate("none", 200).trial, recipe=QUICK, folds=2)
    assert not replace(report, gain=Estimate(1, 1, 0.0, 2)).open
    assert replace(report, gain=Estimate(1, 1, 0.001, 2)).open
    assert "which may be chance" in replace(report, best_gain=Estimate(1, 1, -0.1, 2)).sentence()


def test_a_model_is_shipped_and_judged_on_other_people(tmp_path):
    trial, others = (simulate("threshold", 600, times_se=5, seed=seed).trial for seed in (1, 2))
    report, learned = judge_effects(trial, folds=3), learn_effects(trial)
    card = ModelCard("x", "1", "", "", "", "", "", 1, 1, "", 0, "", {"cross-fitted": card_metrics(report)})
    save_model(Model("x", "regression", learned.trees, card, extra=effect_extra(learned, report)), tmp_path)
    again = load_model(tmp_path)
    assert (effect_model(again).effects(others.inputs) == learned.effects(others.inputs)).all()
    assert effect_report(again).to_json() == report.to_json()
    assert "policy_gain" in again.card.to_markdown()
    found = judge_model(effect_model(again), report.best, others)
    assert found.open
    assert found.best == report.best
    with pytest.raises(InputError, match="has the arms 0, 1, the model usual, new"):
        judge_model(learned, "new", observed(200))


def test_restricted_means_by_hand():
    time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 0.0, 1.0, 0.0])
    # survival 1, then 3/4 from day 1, then 3/8 from day 3
    assert restricted_mean(time, event, 4.0) == pytest.approx(1 + 2 * 0.75 + 0.375)
    with pytest.raises(InputError, match="nobody was followed to 5; the longest was 4"):
        restricted_mean(time, event, 5.0)


def test_pseudo_observations_are_times_where_all_are_followed_and_mean_the_curve_where_not():
    rng = np.random.default_rng(0)
    time = rng.exponential(10, 300)
    assert pseudo_observations(time, np.ones(300), 8.0) == pytest.approx(np.minimum(time, 8))
    until = rng.uniform(2, 30, 300)
    seen, event = np.minimum(time, until), (time <= until).astype(float)
    made = pseudo_observations(seen, event, 8.0)
    assert made.mean() == pytest.approx(restricted_mean(seen, event, 8.0), abs=0.02)
    without = np.delete(np.arange(300), 5)
    by_hand = 300 * restricted_mean(seen, event, 8.0) - 299 * restricted_mean(seen[without], event[without], 8.0)
    assert made[5] == pytest.approx(by_hand)
    group = np.arange(300) % 2
    apart = pseudo_observations(seen, event, 8.0, group)
    assert apart[group == 1] == pytest.approx(pseudo_observations(seen[group == 1], event[group == 1], 8.0))


def test_simulated_truth():
    with pytest.raises(OptionError, match="no kind 'curved' of trials"):
        simulate("curved")  # type: ignore[arg-type]
    for kind in ("linear", "threshold"):
        drawn = simulate(kind, 200_000, times_se=2)
        best = np.maximum(drawn.effect, 0).mean() - max(drawn.effect.mean(), 0)
        assert drawn.gain == pytest.approx(2 * drawn.se)
        assert best == pytest.approx(drawn.gain, rel=0.03)
        assert np.mean(drawn.effect < 0) == pytest.approx(0.3, abs=0.01)
    flat = simulate("none", 100, times_se=2)
    assert flat.gain == 0
    assert flat.effect == pytest.approx(2 * flat.se)

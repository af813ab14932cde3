"""Metrics, calibration and intervals, beside other people's implementations and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics

from pmed.errors import InputError
from pmed.modelling import (
    bootstrap,
    judge_binary,
    judge_regression,
    learn_conformal,
    learn_isotonic,
    learn_platt,
    metrics,
)
from pmed.modelling.calibration import calibration_from
from pmed.modelling.conformal import conformal_from


@pytest.fixture
def told() -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and well calibrated probabilities, with ties."""
    rng = np.random.default_rng(5)
    p = np.round(metrics.expit(rng.normal(-1.5, 1, 4000)), 2).clip(0.01, 0.99)
    return (rng.random(4000) < p).astype(float), p


def test_ranks_and_errors_agree_with_sklearn(told):
    y, p = told
    assert metrics.auroc(y, p) == pytest.approx(sklearn.metrics.roc_auc_score(y, p), abs=1e-12)
    assert metrics.average_precision(y, p) == pytest.approx(sklearn.metrics.average_precision_score(y, p), abs=1e-12)
    assert metrics.brier(y, p) == pytest.approx(sklearn.metrics.brier_score_loss(y, p), abs=1e-12)
    assert metrics.brier_null(y) == pytest.approx(metrics.brier(y, np.full_like(y, y.mean())), abs=1e-12)
    assert metrics.r2(y, p) == pytest.approx(sklearn.metrics.r2_score(y, p), abs=1e-12)
    assert metrics.mae(y, p) == pytest.approx(sklearn.metrics.mean_absolute_error(y, p), abs=1e-12)


def test_delong_is_the_variance_of_placements(told):
    y, p = told[0][:300], told[1][:300]
    wins = (p[y > 0][:, None] > p[y == 0]) + 0.5 * (p[y > 0][:, None] == p[y == 0])
    by_hand = wins.mean(axis=1).var(ddof=1) / wins.shape[0] + wins.mean(axis=0).var(ddof=1) / wins.shape[1]
    assert metrics.auroc_error(y, p) == pytest.approx(np.sqrt(by_hand), abs=1e-12)


def test_calibration_line_undoes_a_known_distortion():
    rng = np.random.default_rng(5)
    p = metrics.expit(rng.normal(-1.5, 1, 40000))
    y = (rng.random(40000) < p).astype(float)
    slope, intercept = metrics.calibration_line(y, metrics.expit((metrics.logit(p) - 0.4) / 0.8))
    assert (slope, intercept) == (pytest.approx(0.8, abs=0.05), pytest.approx(0.4, abs=0.1))
    assert metrics.calibration_in_the_large(y, metrics.expit(metrics.logit(p) - 0.5)) == pytest.approx(0.5, abs=0.05)
    assert metrics.ece(y, p) < 0.01
    assert metrics.ece(y, metrics.expit(metrics.logit(p) + 0.5)) > 0.04


def test_ece_by_chance_is_the_mean_of_true_probabilities():
    rng = np.random.default_rng(6)
    p = metrics.expit(rng.normal(-2, 0.6, 4000))
    drawn = [metrics.ece((rng.random(len(p)) < p).astype(float), p) for _ in range(400)]
    assert metrics.ece_by_chance(p) == pytest.approx(np.mean(drawn), rel=0.06)
    assert metrics.ece_by_chance(np.tile(p, 4)) == pytest.approx(metrics.ece_by_chance(p) / 2)


def test_ece_net_benefit_and_pw20_by_hand():
    y, p = np.array([0.0, 1, 0, 1]), np.array([0.1, 0.1, 0.95, 1.0])
    assert metrics.ece(y, p) == pytest.approx(0.5 * 0.4 + 0.5 * 0.475)  # bins [.1, .2) and [.9, 1]
    assert metrics.net_benefit(y, p, 0.5) == pytest.approx(0.25 - 0.25)
    assert metrics.net_benefit_all(y, 0.2) == pytest.approx(0.5 - 0.5 * 0.25)
    assert metrics.pw20(np.array([10.0, 10, 10]), np.array([12.0, 11.9, 8.1])) == pytest.approx(200 / 3)


def test_c_index_by_hand():
    # pairs in known order: (1, all three others), (2, 4); of time 3 the end is censored
    time, event = np.array([1.0, 2, 3, 4]), np.array([1.0, 1, 0, 0])
    assert metrics.c_index(time, event, np.array([4.0, 3, 2, 1])) == 1
    assert metrics.c_index(time, event, np.array([4.0, 2, 3, 2])) == pytest.approx(3.5 / 5)
    with pytest.raises(InputError, match="no pair of rows"):
        metrics.c_index(time, np.zeros(4), time)


def test_one_class_cannot_be_judged():
    with pytest.raises(InputError, match="the outcome is 1 in every row"):
        metrics.auroc(np.ones(4), np.arange(4.0))


def test_drawing_patients_sees_that_their_rows_are_not_independent(told):
    y, p = told
    alone = bootstrap({"brier": metrics.brier}, y, p, np.arange(len(y)), draws=100)["brier"]
    many = bootstrap({"brier": metrics.brier}, np.tile(y, 9), np.tile(p, 9), np.tile(np.arange(len(y)), 9), draws=100)
    assert np.ptp(many["brier"]) == pytest.approx(np.ptp(alone), rel=0.01)
    assert alone[0] < metrics.brier(y, p) < alone[1]


def test_a_much_worse_group_is_told(told):
    y, p = told
    site = np.where(np.arange(len(y)) % 4, "north", "south")
    blind = np.where(site == "south", np.random.default_rng(1).permutation(p), p)
    found = judge_binary(y, blind, np.arange(len(y)), {"site": site}, draws=3)
    assert [one.partition(":")[0] for one in found["warnings"]] == ["site south"]
    rare = np.where(np.arange(len(y)) < 9, "few", None)
    fair = judge_binary(y, p, np.arange(len(y)), {"site": site, "rare": rare}, draws=3)
    assert fair["warnings"] == []
    assert [one["value"] for one in fair["subgroups"] if one.get("note")] == ["few"]
    dose = 30 + 10 * p
    worse = judge_regression(dose, dose + np.where(site == "south", 5, 1) * np.where(y > 0, 1, -1), np.arange(len(y)),
                             {"site": site}, draws=3)
    assert worse["warnings"] == ["site south: MAE 5.00, 2.00 overall"]


@pytest.mark.parametrize("learn", [learn_platt, learn_isotonic])
def test_calibration_is_learned_and_kept(learn):
    rng = np.random.default_rng(3)
    raw = rng.normal(-1, 1.5, 20000)
    y = (rng.random(20000) < metrics.expit(0.7 * raw - 0.3)).astype(float)
    made = learn(y[:10000], raw[:10000])
    p = made.apply(raw[10000:])
    assert metrics.ece(y[10000:], metrics.expit(raw[10000:])) > 0.03
    assert metrics.ece(y[10000:], p) < 0.02
    assert np.all(np.diff(made.apply(np.linspace(-9, 9, 50))) >= 0)
    np.testing.assert_array_equal(calibration_from(made.to_json()).apply(raw), made.apply(raw))


@pytest.fixture
def dosed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Doses, predictions and a group whose errors are three times as large."""
    rng = np.random.default_rng(7)
    group = np.where(rng.random(6000) < 0.3, "wild", "calm")
    predicted = rng.uniform(20, 50, 6000)
    return predicted + rng.normal(size=6000) * np.where(group == "wild", 9, 3), predicted, group


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_margins_are_those_of_mapie(dosed, level):
    from mapie.regression import SplitConformalRegressor
    from sklearn.base import BaseEstimator, RegressorMixin

    class Same(RegressorMixin, BaseEstimator):
        fitted_ = True

        def fit(self, x, y):
            return self

        def predict(self, x):
            return x[:, 0]

    y, predicted, _ = (part[:500] for part in dosed)
    theirs = SplitConformalRegressor(Same(), confidence_level=level, prefit=True).conformalize(predicted[:, None], y)
    _, ends = theirs.predict_interval(np.array([[40.0]]))
    mine = learn_conformal(y, predicted, predicted, level)
    assert [float(end[0]) for end in mine.interval(np.array([40.0]), np.array([40.0]))] == pytest.approx(
        ends[0, :, 0].tolist(), abs=1e-9)


def test_mondrian_covers_each_group(dosed):
    y, predicted, group = dosed
    old, new = slice(0, 3000), slice(3000, None)
    plain = learn_conformal(y[old], predicted[old], predicted[old], 0.9)
    own = learn_conformal(y[old], predicted[old], predicted[old], 0.9, group[old])
    wild = group[new] == "wild"
    low, high = plain.interval(predicted[new], predicted[new])
    assert metrics.coverage(y[new][wild], low[wild], high[wild]) < 0.8
    low, high = conformal_from(own.to_json()).interval(predicted[new], predicted[new], group[new])
    for rows in (wild, ~wild):
        assert metrics.coverage(y[new][rows], low[rows], high[rows]) == pytest.approx(0.9, abs=0.03)


def test_a_group_too_small_for_a_margin_has_that_of_everybody(dosed):
    y, predicted, _ = (part[:100] for part in dosed)
    made = learn_conformal(y, predicted, predicted, 0.9, np.where(np.arange(100) < 5, "few", "many"))
    assert set(made.margins) == {"", "many"}
    with pytest.raises(InputError, match="5 rows are too few for 90% intervals"):
        learn_conformal(y[:5], predicted[:5], predicted[:5], 0.9)

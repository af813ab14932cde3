"""Exact Shapley values: against the definition, additive, and refused where they cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pmed.errors import TableError
from pmed.explain.shapley import ExactShapley, shapley, undecided
from pmed.tables import TOGETHER


def by_definition(values: np.ndarray) -> np.ndarray:
    """Average gain over all orders of arrival, for one case."""
    n = len(values).bit_length() - 1
    total = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        inside = 0
        for player in order:
            total[player] += values[inside | (1 << player)] - values[inside]
            inside |= 1 << player
    return total / len(orders)


@given(st.integers(1, 5).flatmap(lambda n: arrays(float, (2, 2**n), elements=st.floats(-100, 100))))
def test_it_is_the_average_over_all_orders(values):
    expected = np.array([by_definition(case) for case in values])
    np.testing.assert_allclose(shapley(values), expected, atol=1e-9)


@dataclass(frozen=True)
class Product:
    """dose × weight, plus 5 when on the drug; null ancestry counts as 1."""

    name: ClassVar[str] = "product"
    gives: ClassVar[tuple[str, ...]] = ("out",)

    def reference(self, target: str) -> dict[str, Any]:
        return {"dose": 1.0, "weight": 10.0, "on": False, "ancestry": "A"}

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        bonus = pl.when("on").then(5.0).otherwise(0.0) + pl.col("ancestry").is_null().cast(pl.Float64)
        value = pl.when(pl.col("dose") < 100).then(pl.col("dose") * pl.col("weight") + bonus)
        return features.select(
            "patient_id", target=pl.lit("out"), value=value, unit=pl.lit("mg"),
            status=pl.when(value.is_null()).then(pl.lit("not-assessed")).otherwise(pl.lit("assessed")),
            reason=pl.when(value.is_null()).then(pl.lit("dose too high")))


FEATURES = pl.DataFrame({
    "patient_id": ["p", "q", "r"], "dose": [2.0, 3.0, 2.0], "weight": [20.0, 30.0, 20.0], "on": [True, False, True],
    "ancestry": ["A", None, "A"]})


def explain(features=FEATURES):
    return ExactShapley().explain(Product(), features, Product().predict(features))


def test_contributions_add_up_for_every_patient():
    table = explain()
    sums = table.group_by("patient_id").agg(
        total=pl.col("baseline").first() + pl.col("contribution").sum(), said=pl.col("prediction").first())
    assert dict(zip(sums["patient_id"], sums["total"], strict=True)) == pytest.approx({"p": 45.0, "q": 91.0, "r": 45.0})
    assert sums["said"].to_list() == pytest.approx(sums["total"].to_list())


def test_numbers_of_one_patient_by_hand():
    row = explain().filter(pl.col("patient_id") == "p").to_dicts()
    assert {one["feature"]: one["contribution"] for one in row} == pytest.approx(
        {"dose": 15.0, "weight": 15.0, "on": 5.0, "ancestry": 0.0})
    assert {one["feature"]: (one["value"], one["reference"]) for one in row} == {
        "dose": ("2", "1"), "weight": ("20", "10"), "on": ("yes", "no"), "ancestry": ("A", "A")}
    assert row[0]["baseline"] == 10.0


def test_an_unknown_input_stays_unknown_in_the_explanation():
    rows = explain().filter((pl.col("patient_id") == "q") & (pl.col("feature") == "ancestry"))
    assert rows["value"][0] is None
    assert rows["contribution"][0] == pytest.approx(1.0)


def test_batch_equals_one_by_one():
    alone = pl.concat([explain(FEATURES[i]) for i in range(3)]).sort("patient_id", "feature")
    assert alone.equals(explain().sort("patient_id", "feature"))


class Far(Product):
    def reference(self, target):
        return {**super().reference(target), "dose": 500.0}


def test_a_reference_patient_that_cannot_be_assessed_is_an_error():
    with pytest.raises(TableError, match="out: the reference patient is not assessed: dose too high"):
        ExactShapley().explain(Far(), FEATURES, Product().predict(FEATURES))


class Either(Product):
    """3 on one of two medicines: one that is taken is enough to know, none needs both."""

    def reference(self, target):
        return {"one": False, "other": False}

    def predict(self, features):
        taken = pl.col("one").cast(pl.Boolean) | pl.col("other").cast(pl.Boolean)
        return features.select(
            "patient_id", target=pl.lit("out"), value=taken.cast(pl.Float64) * 3, unit=pl.lit("mg"),
            status=pl.when(taken.is_null()).then(pl.lit("not-assessed")).otherwise(pl.lit("assessed")),
            reason=pl.when(taken.is_null()).then(pl.lit("needs one, other")))


EITHER = pl.DataFrame({"patient_id": ["p", "q", "r"], "one": [True, True, False], "other": [None, False, True]})


def test_inputs_whose_mixtures_are_undecided_share_a_bar_that_says_why():
    rows = ExactShapley().explain(Either(), EITHER, Either().predict(EITHER))
    why = "cannot be told apart, as a mixture with the reference patient is not assessed: needs one, other"
    assert rows.filter(patient_id="p").select("feature", "value", "reference", "baseline", "contribution").rows() == [
        (TOGETHER, why, "reference patient", 0.0, 3.0)]
    apart = rows.filter(pl.col("patient_id") != "p").sort("patient_id", "feature")
    assert apart.select("patient_id", "feature", "contribution").rows() == [
        ("q", "one", 3.0), ("q", "other", 0.0), ("r", "one", 0.0), ("r", "other", 3.0)]


def test_undecided_names_the_patients():
    assert undecided(Either(), EITHER, Either().predict(EITHER)).rows() == [("p", "needs one, other")]


class Many(Product):
    def reference(self, target):
        return {f"f{i}": 0.0 for i in range(13)}


def test_too_many_inputs_are_refused():
    with pytest.raises(TableError, match="13 inputs"):
        ExactShapley().explain(Many(), FEATURES, Product().predict(FEATURES))

"""Of few people rows are put together one by one, of many by joins: the rows are the same."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.demo import patients
from pmed.result import Result
from pmed_pgx import adviser, alternatives, cases, explainer, trace
from pmed_pgx.adviser import GuidelineAdviser
from pmed_pgx.cases import inputs
from pmed_pgx.checks import covered, reads
from pmed_pgx.explainer import GuidelineExplainer
from pmed_pgx.predictor import GuidelinePredictor


@pytest.fixture(scope="module", params=patients(), ids=lambda one: str(one.name))
def result(request: pytest.FixtureRequest) -> Result:
    """An embedded patient, who has begun two medicines that act on much."""
    one = request.param
    return pmed.run(one.genome, one.history).what_if(start=["fluconazole", "paroxetine"]).after


def mine(result: Result) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = result.tables["predictions"].filter(predictor="pgx-guidelines", status="assessed")
    return result.tables["features"], rows


def test_bars(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: tuple[Any, ...] = (GuidelinePredictor(), *mine(result))
    few = GuidelineExplainer().explain(*asked)
    monkeypatch.setattr(explainer, "FEW", 0)
    many = GuidelineExplainer().explain(*asked)
    assert few.height > 10
    assert_frame_equal(few, many)


def test_steps(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    few = trace.trace(*mine(result))
    monkeypatch.setattr(trace, "FEW", 0)
    assert few.height > 10
    assert_frame_equal(few, trace.trace(*mine(result)))


def test_advice(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    few = GuidelineAdviser().advise(result.tables)
    for module in (adviser, alternatives):
        monkeypatch.setattr(module, "FEW", 0)
    many = GuidelineAdviser().advise(result.tables)
    assert (few["alternatives"].list.len() > 0).any()
    assert_frame_equal(few, many)


def test_outcomes_of_a_patient_like_another_are_their_own() -> None:
    """Whoever was read before: of what differs, every drug that looks at it is read anew, and 1 is not True."""
    every = tuple(covered().values())
    names = inputs(every)
    known = [{}, {"weight": 60.0}, {"weight": 60.0, "age": 70.0}, {"weight": 60.0, "pregnant": True},
             {"phenotype:CYP2C19": "Poor Metabolizer", "age": 70.0}, {"pregnant": 1}, {"pregnant": True}, {}]
    for one in known:
        cases._outcomes.cache_clear()  # what is told of exactly the same values is not asked here
        found = cases._outcomes(every, *(one.get(name) for name in names))
        assert all(mine is cases.remembered(drug, *(one.get(name) for name in reads(drug)))
                   for drug, mine in zip(every, found, strict=True))

"""Both scores on forty real-shaped FHIR records, through the whole host (skipped where they are not here)."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import pmed


@pytest.fixture(scope="module")
def result(shared: Path) -> pmed.Result:
    return pmed.run(history=sorted((shared / "data/fhir/synthea").glob("*.json")))


def of(result: pmed.Result, predictor: str) -> pl.DataFrame:
    return result.tables["predictions"].filter(pl.col("predictor") == predictor)


def test_nothing_of_this_plugin_failed(result: pmed.Result) -> None:
    assert [failure for failure in result.failures if "risk" in str(failure)] == []


def test_everybody_has_a_risk_or_a_reason(result: pmed.Result) -> None:
    rows = of(result, "ascvd-pce-2013")
    assert rows.height == result.tables["patients"].height == 40
    assert rows.filter(pl.col("status") == "assessed").height == 19
    assert rows.filter(pl.col("status") == "not-assessed")["reason"].null_count() == 0


def test_the_stroke_score_is_for_those_with_atrial_fibrillation(result: pmed.Result) -> None:
    conditions = result.tables["conditions"]
    with_af = set(conditions.filter(pl.col("code") == "49436004")["patient_id"])
    rows = of(result, "cha2ds2-vasc")
    assert set(rows.filter(pl.col("status") == "assessed")["patient_id"]) == with_af
    assert len(with_af) == 6
    assert set(rows.filter(pl.col("status") != "assessed")["reason"]) == {"no atrial fibrillation on record"}


def test_explanations_add_up_and_every_step_is_there(result: pmed.Result) -> None:
    explained = result.tables["explanations"].filter(pl.col("predictor").is_in(["ascvd-pce-2013", "cha2ds2-vasc"]))
    sums = explained.group_by("patient_id", "predictor").agg(
        total=pl.col("baseline").first() + pl.col("contribution").sum(), prediction=pl.col("prediction").first())
    assert sums.height == 19 + 6
    assert (sums["total"] - sums["prediction"]).abs().max() < 1e-9  # type: ignore[operator]
    traced = result.tables["traces"].group_by("patient_id", "predictor").len()
    assert sums.join(traced, on=["patient_id", "predictor"], how="semi").height == sums.height

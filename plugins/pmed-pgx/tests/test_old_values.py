"""Whoever takes a medicine is told of a measurement that is too old, where it would have been a cause for alarm."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pmed.normalise.loinc import LOINC
from pmed.tables import TABLES
from pmed_pgx import adviser, alternatives
from pmed_pgx.adviser import GuidelineAdviser
from pmed_pgx.predictor import GuidelinePredictor

TODAY = date(2026, 1, 15)
UNITS = {"6301-6": "1", "2823-3": "mmol/L", "2160-0": "mg/dL", "777-3": "10*3/uL", "29463-7": "kg"}


def advised(drug: str, *measured: tuple[str, float | str, int], taken: bool = True,
            **known: Any) -> dict[str, Any] | None:
    """The suggestion for a drug; values as (code, value or limit, days ago), `known` what the features have."""
    names = {"patient_id": "p", "egfr": 90.0, "creatinine-clearance": 90.0, "medicines-not-recognised": "", **known}
    features = pl.DataFrame([names], schema_overrides={"egfr": pl.Float64, "creatinine-clearance": pl.Float64})
    rows = [{"patient_id": "p", "row": row, "system": LOINC, "code": code, "unit": UNITS[code],
             **({"value_text": value} if isinstance(value, str) else {"value": value}),
             "start": TODAY - timedelta(days=ago), "status": "final"}
            for row, (code, value, ago) in enumerate(measured, 1)]
    medicine = {"patient_id": "p", "row": 1, "ingredients": [drug if taken else "zinc"], "active": True}
    predictions = GuidelinePredictor().predict(features).with_columns(predictor=pl.lit("pgx-guidelines"))
    made = GuidelineAdviser().advise({
        "features": features, "predictions": predictions.select(TABLES["predictions"].names),
        "gene_results": TABLES["gene_results"].empty(), "medications": TABLES["medications"].frame([medicine]),
        "patients": TABLES["patients"].frame([
            {"patient_id": "p", "birth_date": date(1960, 1, 1), "index_date": TODAY}]),
        "observations": TABLES["observations"].frame(rows)})
    return next(iter(made.filter(drug=drug).iter_rows(named=True)), None)


def told(row: dict[str, Any] | None) -> list[str]:
    assert row
    return [one["text"] for one in row["cautions"] if one["code"] == "old-value"]


@pytest.fixture(params=[32, 0], ids=["few", "many"], autouse=True)
def people(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are put together one by one or by joins."""
    for module in (adviser, alternatives):
        monkeypatch.setattr(module, "FEW", request.param)


def test_an_inr_of_long_ago_is_told_and_gives_no_alarm() -> None:
    row = advised("warfarin", ("6301-6", 4.8, 400))
    assert row
    assert told(row) == ["the INR of 400 days ago (4.8) is too old to count: measure it anew"]
    assert "Leave out" not in row["text"]
    assert "latest:6301-6" in row["unknown"]


@pytest.mark.parametrize(("value", "ago"), [(2.5, 400), (4.8, 20)])
def test_a_value_without_alarm_or_of_today_is_not_told(value: float, ago: int) -> None:
    assert told(advised("warfarin", ("6301-6", value, ago))) == []


@pytest.mark.parametrize(("drug", "code", "value", "ago", "said"), [
    ("phenprocoumon", "6301-6", "> 8", 3,
     "the INR of 3 days ago (> 8) is beyond a limit and was not weighed: look at it"),
    ("spironolactone", "2823-3", ">6.0", 3,
     "potassium of 3 days ago (>6.0 mmol/L) is beyond a limit and was not weighed: look at it"),
    ("phenprocoumon", "6301-6", "> 8", 300, None), ("phenprocoumon", "6301-6", "<1.0", 3, None),
    ("zinc", "6301-6", "> 8", 3, None)])
def test_a_value_beyond_a_limit_is_told_where_it_may_alarm(drug: str, code: str, value: str, ago: int,
                                                           said: str | None) -> None:
    row = advised(drug, (code, value, ago))
    assert [one["text"] for one in (row or {"cautions": []})["cautions"] if one["code"] == "limit-value"] == (
        [said] if said else [])
    if said and row:
        assert f"latest:{code}" in row["unknown"]


def test_who_does_not_take_it_is_not_told() -> None:
    row = advised("warfarin", ("6301-6", 4.8, 400), taken=False)
    assert told(row) == []
    assert row
    assert "latest:6301-6" not in row["unknown"]


def test_a_drug_without_rows_is_advised_on_where_an_alarm_is_too_old() -> None:
    row = advised("spironolactone", ("2823-3", 5.9, 200))
    assert row
    assert (row["action"], row["urgency"]) == ("test", "soon")
    assert row["text"] == "Test potassium before relying on the usual dose of spironolactone."
    assert row["why"] == "Whether a check speaks against it is open: no recent value of potassium."
    assert row["unknown"] == ["latest:2823-3"]
    assert advised("spironolactone", ("2823-3", 4.2, 200)) is None
    assert advised("spironolactone", ("2823-3", 5.9, 200), taken=False) is None


def test_what_is_asked_for_and_what_is_too_old_are_one_test() -> None:
    row = advised("spironolactone", ("2823-3", 5.9, 200), egfr=None)
    assert row
    assert row["text"].startswith("Test kidney function (eGFR) and potassium before")
    assert row["unknown"] == ["egfr", "latest:2823-3"]


def test_unknown_kidneys_are_a_test_for_who_takes_what_hangs_on_them() -> None:
    row = advised("metformin", egfr=None)
    assert row
    assert (row["action"], row["urgency"], row["unknown"], row["cautions"]) == ("test", "routine", ["egfr"], [])
    assert row["text"] == "Test kidney function (eGFR) before relying on the usual dose of metformin."
    assert advised("metformin", egfr=None, taken=False) is None
    assert advised("metformin") is None


def test_creatinine_of_long_ago_is_told_where_kidney_function_is_asked_for() -> None:
    row = advised("metformin", ("2160-0", 1.1, 700), egfr=None)
    assert told(row) == ["creatinine of 700 days ago (1.1 mg/dL) is too old to count: measure it anew"]
    assert row
    assert row["unknown"] == ["egfr"]


def test_kidney_function_is_among_what_is_unknown_beside_advice_of_genes() -> None:
    row = advised("celecoxib", egfr=None, **{"activity-score:CYP2C9": 2.0, "phenotype:CYP2C9": "Normal Metabolizer"})
    assert row
    assert (row["action"], row["unknown"]) == ("standard", ["egfr"])


def test_a_weight_of_long_ago_is_told_where_the_dose_hangs_on_it() -> None:
    row = advised("prasugrel", ("29463-7", 55.0, 400), weight=None)
    assert row
    assert (row["action"], row["unknown"]) == ("test", ["weight"])
    assert told(row) == ["weight of 400 days ago (55 kg) is too old to count: measure it anew"]
    assert told(advised("metformin", ("29463-7", 55.0, 400), egfr=None, weight=None)) == []


@pytest.mark.parametrize(("known", "asked"), [
    ({"age": 85.0, "condition:atrial-fibrillation": True, "latest:2160-0": 1.0}, ["weight"]),
    ({"age": 85.0, "condition:atrial-fibrillation": True}, ["weight", "latest:2160-0"]),
    # A diagnosis is nothing to measure.
    ({"age": 85.0, "condition:atrial-fibrillation": None, "latest:2160-0": 1.0}, ["weight"]),
    ({"age": 85.0, "condition:atrial-fibrillation": False}, None),
    ({"age": 50.0, "condition:atrial-fibrillation": True, "latest:2160-0": 1.0}, None),
    ({"age": 50.0, "condition:atrial-fibrillation": True, "latest:2160-0": 1.8}, ["weight"])])
def test_apixaban_asks_for_the_weight_where_it_decides(known: dict[str, Any], asked: list[str] | None) -> None:
    row = advised("apixaban", weight=None, **known)
    assert (row and row["unknown"]) == asked

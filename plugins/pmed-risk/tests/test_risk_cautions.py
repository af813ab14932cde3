"""Cautions of high scores: whom they are for, what is counted, and what is only named."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pmed import TABLES
from pmed_risk import check_suggestions

THREE = {"atrial-fibrillation": True, "age": 70.0, "stroke-or-tia": True, "condition:gi-bleeding": True}
REST = {"systolic-bp": 130.0, "creatinine": 1.0, "condition:liver-cirrhosis": False, "bleeding-medicine": False,
        "labile-inr": False, "drinks-per-week": 0.0}


def told(drug: str = "warfarin", *, current: bool = True, meld: float | None = None, others: tuple[str, ...] = (),
         **known: Any) -> dict[str, str]:
    """Code → text of the cautions on `drug`."""
    rows = [{"patient_id": "p", "drug": one, "current": current} for one in (drug, *others)]
    suggestions = pl.DataFrame(rows, schema={"patient_id": pl.String, "drug": pl.String, "current": pl.Boolean})
    score = {"patient_id": "p", "predictor": "meld-3-0", "target": "meld-3-0-score", "value": meld, "unit": "points",
             "status": "assessed" if meld else "not-assessed"}
    found = check_suggestions(suggestions, {"features": pl.DataFrame([{"patient_id": "p", **known}]),
                                            "predictions": TABLES["predictions"].frame([score])})
    return {row["code"]: row["text"] for row in found.filter(drug=drug).iter_rows(named=True)}


@pytest.mark.parametrize("changed", [{"age": 65.9}, {"stroke-or-tia": False}, {"condition:gi-bleeding": None}])
def test_three_points_are_high_and_two_are_not(changed: dict[str, Any]) -> None:
    assert "HAS-BLED is at least 3" in told(**THREE)["bleeding-risk"]
    assert told(**{**THREE, **changed}) == {}


@pytest.mark.parametrize(("name", "value"), [
    ("systolic-bp", 160.1), ("creatinine", 2.27), ("condition:liver-cirrhosis", True), ("bleeding-medicine", True),
    ("labile-inr", True), ("drinks-per-week", 8.0)])
def test_every_finding_is_a_point(name: str, value: Any) -> None:
    assert "HAS-BLED is 3 (" in told(**THREE, **REST)["bleeding-risk"]
    assert "HAS-BLED is 4 (" in told(**THREE, **{**REST, name: value})["bleeding-risk"]


def test_what_is_unknown_adds_nothing_and_is_named() -> None:
    said = told(**THREE, **{**REST, "labile-inr": None, "drinks-per-week": None})["bleeding-risk"]
    assert "at least 3" in said
    assert "could add to it: swings of the INR, alcohol." in said
    assert "could add" not in told(**THREE, **REST)["bleeding-risk"]


def test_what_can_be_mended_is_named() -> None:
    said = told(others=("naproxen",), **THREE, **{**REST, "systolic-bp": 172.0, "bleeding-medicine": True})
    assert "What can be mended: systolic pressure 172 mm[Hg], naproxen." in said["bleeding-risk"]
    assert "mended" not in told(**THREE, **REST)["bleeding-risk"]


@pytest.mark.parametrize(("drug", "more"), [
    ("metformin", {}), ("warfarin", {"current": False}), ("warfarin", {"atrial-fibrillation": False}),
    ("warfarin", {"atrial-fibrillation": None})])
def test_whom_it_does_not_concern(drug: str, more: dict[str, Any]) -> None:
    assert told(drug, meld=None, **{**THREE, **more}) == {}


@pytest.mark.parametrize("drug", ["apixaban", "dabigatran etexilate", "clopidogrel", "aspirin", "enoxaparin"])
def test_whom_it_concerns(drug: str) -> None:
    assert set(told(drug, meld=22.0, **THREE)) == {"bleeding-risk", "liver-failing"}


@pytest.mark.parametrize(("meld", "codes"), [(14.9, set()), (15.0, {"liver-failing"}), (None, set())])
def test_a_failing_liver(meld: float | None, codes: set[str]) -> None:
    assert set(told(meld=meld)) == codes

"""Every worked example of the two scores, through the predictors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed_risk.ascvd import REFERENCE as ASCVD
from pmed_risk.ascvd import AscvdRisk
from pmed_risk.chads import POINTS, cha2ds2_vasc
from pmed_risk.stroke import REFERENCE as STROKE
from pmed_risk.stroke import StrokeRisk

PCE = {"age": "age", "total_chol_mg_dl": "total-cholesterol", "hdl_mg_dl": "hdl-cholesterol",
       "sbp_mmhg": "systolic-bp", "bp_treated": "bp-treated", "smoker": "smoker", "diabetes": "diabetes", "sex": "sex",
       "race": "pce-race"}
FINDINGS = {"Congestive Heart Faliure": "heart-failure", "chf_or_lvef_lte_40": "heart-failure",
            "Hypertension history": "hypertension", "hypertension": "hypertension", "Diabetes history": "diabetes",
            "diabetes": "diabetes", "Stroke": "stroke-or-tia", "Transient Ischemic Attacks History": "stroke-or-tia",
            "Thromboembolism history": "stroke-or-tia", "stroke_tia_or_te_history": "stroke-or-tia",
            "Vascular disease history": "vascular-disease", "vascular_disease": "vascular-disease"}


def cases(shared: Path, score: str) -> list[dict[str, Any]]:
    everything = json.loads((shared / "cases/risk/vectors.json").read_text(encoding="utf-8"))
    return [one for one in everything if one["score"] == score]


def test_pooled_cohort_equations(shared: Path) -> None:
    known = cases(shared, "ASCVD-PCE-2013")
    assert len(known) == 5
    for one in known:
        person = {PCE[name]: value for name, value in one["inputs"].items()}
        row = AscvdRisk().predict(pl.DataFrame([{"patient_id": "p", **ASCVD, **person}])).row(0, named=True)
        assert row["value"] == pytest.approx(one["expected"]["risk_10y_pct"], abs=one["tolerance"]), one
        assert row["status"] == "assessed"


def stroke_person(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs of both spellings in the file as features."""
    person: dict[str, Any] = dict(STROKE)
    for name, value in inputs.items():
        if name in FINDINGS:
            person[FINDINGS[name]] = person[FINDINGS[name]] or value
    band = {"age_gte_75": 75.0, "age_65_to_74": 65.0}
    ages = [age for name, age in band.items() if inputs.get(name)]
    person["age"] = inputs["age"][0] if "age" in inputs else ages[0] if ages else 55.0
    female = inputs.get("female_sex") or inputs.get("sex") == "Female"
    return person | {"sex": "female" if female else "male"}


def test_the_score_itself_knows_no_absence() -> None:
    """A finding that is not known makes an unknown score, not zero points."""
    frame = pl.DataFrame({"age": [70.0, 70.0], "sex": ["female"] * 2, **{name: [True, True] for name in POINTS},
                          "diabetes": [True, None]})
    score = cha2ds2_vasc(pl.col("age"), pl.col("sex"), {name: pl.col(name) for name in POINTS})
    assert frame.select(score).to_series().to_list() == [8, None]


def test_cha2ds2_vasc(shared: Path) -> None:
    known = cases(shared, "CHA2DS2-VASc")
    assert len(known) == 14
    for one in known:
        row = StrokeRisk().predict(pl.DataFrame([{"patient_id": "p", **stroke_person(one["inputs"])}]))
        assert [row["value"].item()] == list(one["expected"].values()), one


@pytest.mark.parametrize(("sex", "race", "percent"), [
    ("female", "white", 2.1), ("female", "black", 3.0), ("male", "white", 5.4), ("male", "black", 6.1)])
def test_example_of_the_guideline(sex: str, race: str, percent: float) -> None:
    """Goff 2013, table A: 55 years, cholesterol 213, HDL 50, pressure 120 untreated.

    The paper prints 5.3 for the white man, whose 5.38 it must have cut off rather than rounded.
    """
    person = {**ASCVD, "sex": sex, "pce-race": race, "total-cholesterol": 213.0, "systolic-bp": 120.0}
    value = AscvdRisk().predict(pl.DataFrame([{"patient_id": "p", **person}]))["value"].item()
    assert value == pytest.approx(percent, abs=0.05)

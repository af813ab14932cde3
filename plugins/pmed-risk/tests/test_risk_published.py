"""Every worked example of the scores, through the predictors, by the published names of its inputs and results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed_risk import register_predictors
from pmed_risk.organ_scores import ChildPugh, Meld, Meld3, MeldNa, Ukeld
from pmed_risk.score import Score

PREDICTORS: dict[str, Any] = {one.name: one() for one in register_predictors()}
#: Examples of each score; QRISK3 is left out (see README).
COUNTS = {
    "ascvd-pce-2013": 5, "cha2ds2-vasc": 14,
    "ckd-epi-2021": 8, "ckd-epi-2009": 1, "cockcroft-gault": 1, "meld": 1, "meld-na": 1, "meld-3-0": 6, "ukeld": 1,
    "child-pugh": 6, "fib-4": 10, "has-bled": 12, "cha2ds2-va-esc-2024": 3, "score2": 6, "score2-op": 5,
    "score2-diabetes": 10, "score2-asia-pacific": 4,
}


def name_of(score: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", score.lower()).strip("-")


def assess(name: str, item: dict[str, Any]) -> dict[str, Any]:
    """One object of inputs through a predictor, as ``pmed predict`` does it."""
    predictor = PREDICTORS[name]
    wanted = [*predictor.needs, *predictor.wants]
    features = {**dict.fromkeys(wanted), **predictor.read_input(item)}
    rows = predictor.predict(pl.DataFrame([{"patient_id": "p", **features}]))
    made: dict[str, Any] = predictor.result(item, rows.rows(named=True))
    return made


@pytest.mark.parametrize("name", COUNTS)
def test_worked_examples(shared: Path, name: str) -> None:
    everything = json.loads((shared / "cases/risk/vectors.json").read_text(encoding="utf-8"))
    known = [one for one in everything if name_of(one["score"]) == name]
    assert len(known) == COUNTS[name]
    for one in known:
        made = assess(name, one["inputs"])
        assert made["status"] == "assessed", (one, made)
        for key, value in one["expected"].items():
            assert made[key] == pytest.approx(value, abs=one.get("tolerance") or 1e-9, rel=0), one


FINDRISC = {"age": 44, "sex": "male", "bmi": 24.9, "waist_cm": 93, "physical_activity_daily": True,
            "vegetables_daily": True, "bp_treated": False, "high_glucose_history": False, "family_diabetes": "none"}


@pytest.mark.parametrize(("changes", "points"), [
    ({}, 0), ({"age": 45}, 2), ({"age": 54.9}, 2), ({"age": 55}, 3), ({"age": 64.9}, 3), ({"age": 65}, 4),
    ({"bmi": 25}, 1), ({"bmi": 30}, 1), ({"bmi": 30.1}, 3),
    ({"waist_cm": 94}, 3), ({"waist_cm": 102}, 3), ({"waist_cm": 102.1}, 4),
    ({"sex": "female", "waist_cm": 79}, 0), ({"sex": "female", "waist_cm": 80}, 3),
    ({"sex": "female", "waist_cm": 88}, 3), ({"sex": "female", "waist_cm": 88.1}, 4),
    ({"physical_activity_daily": False}, 2), ({"vegetables_daily": False}, 1), ({"bp_treated": True}, 2),
    ({"high_glucose_history": True}, 5), ({"family_diabetes": "second_degree"}, 3),
    ({"family_diabetes": "first_degree"}, 5),
    ({"age": 65, "bmi": 31, "waist_cm": 110, "physical_activity_daily": False, "vegetables_daily": False,
      "bp_treated": True, "high_glucose_history": True, "family_diabetes": "first_degree"}, 26)])
def test_findrisc_at_the_borders_of_its_bands(changes: dict[str, Any], points: float) -> None:
    assert assess("findrisc", FINDRISC | changes)["score"] == points


LACE = {"length_of_stay_days": 0, "acute_admission": False, "charlson": 0, "ed_visits_6m": 0}


@pytest.mark.parametrize(("changes", "points"), [
    ({}, 0), ({"length_of_stay_days": 1}, 1), ({"length_of_stay_days": 2}, 2), ({"length_of_stay_days": 3}, 3),
    ({"length_of_stay_days": 4}, 4), ({"length_of_stay_days": 6}, 4), ({"length_of_stay_days": 7}, 5),
    ({"length_of_stay_days": 13}, 5), ({"length_of_stay_days": 14}, 7), ({"length_of_stay_days": 90}, 7),
    ({"acute_admission": True}, 3), ({"charlson": 3}, 3), ({"charlson": 4}, 5), ({"charlson": 9}, 5),
    ({"ed_visits_6m": 3}, 3), ({"ed_visits_6m": 4}, 4), ({"ed_visits_6m": 7}, 4),
    ({"length_of_stay_days": 14, "acute_admission": True, "charlson": 4, "ed_visits_6m": 4}, 19)])
def test_lace_at_the_borders_of_its_bands(changes: dict[str, Any], points: float) -> None:
    assert assess("lace", LACE | changes)["score"] == points


NEWS2 = {"respiratory_rate": 16, "spo2": 98, "supplemental_oxygen": False, "sbp_mmhg": 120, "pulse": 70,
         "consciousness": "alert", "temperature_c": 37.5}


def bands(name: str, *pairs: tuple[float, int], **more: Any) -> list[tuple[dict[str, Any], int]]:
    return [({name: value, **more}, points) for value, points in pairs]


@pytest.mark.parametrize(("changes", "points"), [
    *bands("respiratory_rate", (8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3)),
    *bands("spo2", (91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0)),
    *bands("spo2", (83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0), (98, 0), hypercapnic=True),
    *bands("spo2", (83, 5), (87, 3), (92, 2), (93, 3), (94, 3), (95, 4), (96, 4), (97, 5), hypercapnic=True,
           supplemental_oxygen=True),
    *bands("sbp_mmhg", (90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3)),
    *bands("pulse", (40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3)),
    *bands("temperature_c", (35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (37.5, 0), (38.0, 0), (38.1, 1), (39.0, 1),
           (39.1, 2)),
    ({"supplemental_oxygen": True}, 2), ({"consciousness": "confusion"}, 3), ({"consciousness": "Voice"}, 3)])
def test_news2_at_the_borders_of_its_bands(changes: dict[str, Any], points: float) -> None:
    made = assess("news2", NEWS2 | changes)
    assert (made["score"], made["status"]) == (points, "assessed")


def test_what_is_missing_is_named() -> None:
    made = assess("meld", {"inr": 1.2})
    assert made["score"] is None
    assert (made["status"], made["reason"]) == ("not-assessed", "needs bilirubin, creatinine")
    made = assess("ckd-epi-2021", {"age": 50, "sex": "Male"})
    assert (made["value"], made["status"], made["reason"]) == (None, "not-assessed", "needs creatinine")


@pytest.mark.parametrize("score", [Meld, MeldNa, Meld3, Ukeld, ChildPugh])
@pytest.mark.parametrize("people", [1, 3000])  # few are worked out one by one
def test_why_the_inr_is_not_known_is_said(score: type[Score], people: int) -> None:
    why = "an oral anticoagulant that is or may be taken: warfarin"
    given = {**score().examples()[0], "inr": None, "inr-found": why}
    made = score().predict(pl.DataFrame([{"patient_id": str(one), **given} for one in range(people)]))
    assert set(made["reason"]) == {f"needs inr; inr is left open by {why}"}
    silent = score().predict(pl.DataFrame([{"patient_id": "p", **given, "inr-found": None}]))
    assert silent["reason"].to_list() == ["needs inr"]
    known = score().predict(pl.DataFrame([{"patient_id": "p", **given, "inr": 1.2, "inr-found": "2026-03-02"}]))
    assert (known["status"][0], known["reason"][0]) == ("assessed", None)


def test_what_was_assumed_is_said() -> None:
    known = {"bilirubin": 1.5, "albumin": 4.0, "inr": 1.3}
    assert assess("child-pugh", known)["assumed"] == ["age", "ascites-points", "encephalopathy-grade"]
    assert assess("child-pugh", {**known, "ascites": "mild"})["assumed"] == ["age", "encephalopathy-grade"]


@pytest.mark.parametrize(("name", "age", "inside"), [
    ("score2", 39, False), ("score2", 40, True), ("score2", 69, True), ("score2", 70, False),
    ("score2-op", 69, False), ("score2-op", 70, True), ("score2-op", 89, True), ("score2-op", 90, False)])
def test_ages_of_the_validated_range(name: str, age: float, inside: bool) -> None:
    person = {"risk_region": "Low", "age": age, "gender": "male", "is_current_smoker": 0, "systolic_bp": 130,
              "have_diabetes": 0, "total_chol_mmol_L": 5, "total_hdl_mmol_L": 1.3}
    made = assess(name, person)
    assert (made["status"] == "assessed") is inside
    assert inside or made["reason"].startswith(f"age {age} is outside")


def test_a_person_in_the_year_after_the_last_birthday_of_the_range_is_inside() -> None:
    rows = PREDICTORS["score2"].predict(pl.DataFrame([{
        "patient_id": "p", "age": 69.9, "sex": "male", "smoker": False, "systolic-bp": 130.0, "diabetes": False,
        "total-cholesterol": 190.0, "hdl-cholesterol": 50.0, "ascvd-history": False, "risk-region": "low"}]))
    assert rows["status"].to_list() == ["assessed"]


def test_no_word_of_the_topic_is_no_gap() -> None:
    """Of somebody without cirrhosis, liver tests or a stated region, the scores have nothing to say."""
    for name in ("meld-3-0", "fib-4", "score2", "has-bled", "lace"):
        rows = PREDICTORS[name].predict(pl.DataFrame([{"patient_id": "p", "age": 50.0, "sex": "male"}]))
        assert rows["status"].to_list() == ["not-applicable"], name
        assert rows["value"].null_count() == 1


def test_worked_examples_of_prevent(shared: Path) -> None:
    """All five models, both horizons; of coronary disease and stroke the coefficients of two models are held."""
    everything = json.loads((shared / "cases/risk/vectors.json").read_text(encoding="utf-8"))
    known = [one for one in everything if one["score"] == "PREVENT-2023"]
    assert len(known) == 5
    compared = 0
    for one in known:
        made = assess("prevent-2023", one["inputs"])
        assert (made["status"], made["model"]) == ("assessed", one["inputs"]["model"])
        for years, risks in one["expected"].items():
            held = risks if made["model"] in {"base", "hba1c"} else list(risks)[:3]
            for outcome in held:
                near = pytest.approx(risks[outcome], abs=one["tolerance"], rel=0)
                assert made[years][outcome] == near, (one, outcome)
                compared += 1
            assert all(made[years][outcome] is None for outcome in set(risks) - set(held))
    assert compared == 2 * (2 * 5 + 3 * 3)


PREVENT = {"age": 50, "sex": "female", "sbp_mmhg": 160, "bp_tx": True, "total_c_mg_dl": 200, "hdl_c_mg_dl": 45,
           "statin": False, "dm": True, "smoking": False, "egfr": 90, "bmi": 35}


@pytest.mark.parametrize(("changes", "model", "ten", "thirty"), [
    # Table S25 of the supplement, as preventr 0.11 repeats it
    ({}, "base", (0.147, 0.092, 0.081), (0.530, 0.354, 0.390)),
    ({"hba1c_pct": 9.2}, "hba1c", (0.165, 0.103, 0.107), (0.541, 0.356, 0.449)),
    ({"uacr_mg_g": 92}, "uacr", (0.181, 0.111, 0.105), (0.565, 0.381, 0.437)),
    ({"sdi": 3}, "sdi", (0.127, 0.080, 0.070), (0.485, 0.322, 0.358)),
    ({"hba1c_pct": 9.2, "uacr_mg_g": 92, "sdi": 3}, "full", (0.174, 0.105, 0.114), (0.534, 0.348, 0.443))])
def test_prevent_takes_the_model_for_what_is_known(changes: dict[str, Any], model: str, ten: tuple[float, ...],
                                                   thirty: tuple[float, ...]) -> None:
    made = assess("prevent-2023", PREVENT | changes)
    assert made["model"] == model
    assert list(made["10y"].values())[:3] == pytest.approx(ten, abs=0.0005)
    assert list(made["30y"].values())[:3] == pytest.approx(thirty, abs=0.0005)


def test_prevent_says_what_its_model_lacks() -> None:
    made = assess("prevent-2023", PREVENT | {"model": "sdi", "zip": "00000"})
    assert (made["status"], made["reason"]) == ("not-assessed", "needs sdi, which the model asks for")
    assert made["10y"]["total_cvd"] is None
    assert assess("prevent-2023", PREVENT | {"zip": "00000"})["model"] == "base"


@pytest.mark.parametrize(("age", "ten", "thirty"), [(29, False, False), (30, True, True), (59, True, True),
                                                    (60, True, False), (79, True, False), (80, False, False)])
def test_prevent_has_an_age_for_each_horizon(age: int, ten: bool, thirty: bool) -> None:
    made = assess("prevent-2023", PREVENT | {"age": age})
    assert (made["10y"]["ascvd"] is not None, made["30y"]["ascvd"] is not None) == (ten, thirty)


@pytest.mark.parametrize(("sex", "creatinine", "rate"), [
    # by hand: 142 × (0.5/0.7)^−0.241 × 0.9938^40 × 1.012 and 142 × (0.6/0.9)^−0.302 × 0.9938^40
    ("Female", 0.5, 121.5), ("Male", 0.6, 125.2)])
def test_ckd_epi_below_the_bend_of_each_sex(sex: str, creatinine: float, rate: float) -> None:
    made = assess("ckd-epi-2021", {"age": 40, "sex": sex, "creatinine": creatinine})
    assert made["value"] == pytest.approx(rate, abs=0.1)


def test_dialysis_counts_as_the_highest_creatinine() -> None:
    liver = {"inr": 2.0, "bilirubin_mg_dl": 3.0, "creatinine_mg_dl": 1.0}
    assert assess("meld", liver | {"dialysis": True})["score"] == assess(
        "meld", liver | {"creatinine_mg_dl": 4.0})["score"]
    more = liver | {"sodium_mmol_l": 130, "albumin_g_dl": 3, "female": False}
    assert assess("meld-3-0", more | {"dialysis": True})["score"] == assess(
        "meld-3-0", more | {"creatinine_mg_dl": 3.0})["score"]


def test_prevent_knows_three_bands_of_deprivation() -> None:
    risks = [assess("prevent-2023", PREVENT | {"sdi": decile})["10y"]["ascvd"] for decile in (1, 3, 4, 6, 7, 10)]
    assert risks[0] == risks[1] < risks[2] == risks[3] < risks[4] == risks[5]


def test_prevent_in_full_with_a_gap_lies_near_the_model_without() -> None:
    """One addition unknown: the full model has a term for that."""
    made = assess("prevent-2023", PREVENT | {"hba1c_pct": 9.2, "uacr_mg_g": 92})
    assert made["model"] == "full"
    assert made["10y"]["total_cvd"] > assess("prevent-2023", PREVENT | {"hba1c_pct": 9.2, "uacr_mg_g": 92, "sdi": 1})[
        "10y"]["total_cvd"]

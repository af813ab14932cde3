"""The adviser, the knowledge release and what the package registers."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import pmed_response
from pmed import TABLES
from pmed_response.advice import WarfarinAdvice
from pmed_response.knowledge import release
from pmed_response.nrti import NrtiResponse
from pmed_response.nrti_advice import NrtiAdvice
from pmed_response.warfarin import GENE, REFERENCE, SITE, WarfarinDose

LOW = {GENE: "*1/*3", SITE: "C/T", "on:amiodarone": True, "age": 71.7}
USUAL = {SITE: "C/T"}
HIGH = {"on:rifampin": True, "on:phenytoin": True}


def advise(*changes: dict[str, Any], taking: tuple[str, ...] = (), active: bool | None = True) -> list[dict[str, Any]]:
    features = pl.DataFrame([{"patient_id": f"p{n}", **REFERENCE, **change} for n, change in enumerate(changes)],
                            infer_schema_length=None)
    made = WarfarinDose().predict(features).with_columns(predictor=pl.lit("warfarin-dose"))
    drugs = TABLES["medications"].frame([{"patient_id": "p0", "row": n, "ingredients": [drug], "active": active}
                                         for n, drug in enumerate(taking, 1)])
    rows = WarfarinAdvice().advise({"features": features, "predictions": made, "medications": drugs})
    TABLES["suggestions"].check(rows.with_columns(adviser=pl.lit("warfarin-dose")))
    return rows.to_dicts()


def test_a_low_dose_for_somebody_on_warfarin() -> None:
    row, = advise(LOW | {"ancestry": None}, taking=("aspirin", "warfarin"))
    assert (row["drug"], row["current"], row["action"], row["urgency"]) == ("warfarin", True, "adjust", "soon")
    assert (row["concern"], row["strength"]) == (2.0, "moderate")
    assert 14.6 / 35 < row["dose_factor"] < 20 / 35  # the equation alone says 14.6
    assert row["text"].startswith("Estimated stable dose 16 mg a week (about 2.2 mg a day, in tablets 2 mg), 56 % "
                                  "below the usual 35 mg a week")
    assert "The published equation, which CPIC advises to dose by, gives 15 mg." in row["text"]
    assert "where the INR has been stable" in row["text"]
    assert row["why"].endswith("CYP2C9 *1/*3, VKORC1 rs9923231 C/T, 71 years, 170 cm, 80 kg, amiodarone.")
    assert row["evidence"][0]["citation"] == "PMID:19228618"
    assert row["explained_by"] == [{"predictor": "warfarin-dose", "target": "warfarin-weekly-dose"}]
    assert row["unknown"] == ["ancestry"]


def test_about_the_usual_dose() -> None:
    row, = advise(USUAL)
    assert (row["action"], row["urgency"], row["concern"], row["dose_factor"]) == ("standard", "routine", 0.0, None)
    assert "within a fifth of the usual 35 mg a week" in row["text"]
    assert row["unknown"] == []


@pytest.mark.parametrize(("factor", "action"), [
    (0.81, "standard"), (0.79, "adjust"), (1.19, "standard"), (1.21, "adjust")])
def test_a_fifth_is_where_a_dose_differs(factor: float, action: str) -> None:
    features = pl.DataFrame([{"patient_id": "p", **REFERENCE}], infer_schema_length=None)
    made = WarfarinDose().predict(features).with_columns(predictor=pl.lit("warfarin-dose"), value=pl.lit(35 * factor))
    row, = WarfarinAdvice().advise({"features": features, "predictions": made,
                                    "medications": TABLES["medications"].empty()}).to_dicts()
    assert row["action"] == action


def test_an_estimate_below_any_dose_in_use_is_no_advice() -> None:
    frail = {GENE: "*3/*3", SITE: "T/T", "on:amiodarone": True, "age": 100.0, "height": 130.0, "weight": 30.0}
    assert advise(frail, USUAL)[0]["patient_id"] == "p1"


@pytest.mark.parametrize(("factor", "loud"), [(0.65, True), (0.68, False), (1.3, False), (1.35, True)])
def test_loud_where_estimate_and_published_equation_are_more_than_a_third_apart(factor: float, loud: bool) -> None:
    features = pl.DataFrame([{"patient_id": "p", **REFERENCE}], infer_schema_length=None)
    made = WarfarinDose().predict(features).with_columns(predictor=pl.lit("warfarin-dose"),
                                                         value=pl.lit(6.539 ** 2 * factor))
    row, = WarfarinAdvice().advise({"features": features, "predictions": made,
                                    "medications": TABLES["medications"].empty()}).to_dicts()
    assert [one["code"] for one in row["cautions"]] == ["disagreement"] * loud


def test_a_high_dose_for_somebody_not_on_warfarin() -> None:
    row, = advise(HIGH)
    assert (row["action"], row["urgency"], row["current"]) == ("adjust", "routine", False)
    assert "% above the usual" in row["text"]
    assert "INR has been stable" not in row["text"]
    assert row["why"].endswith(", phenytoin, rifampin.")


@pytest.mark.parametrize(("active", "current"), [(False, False), (None, True)])
def test_a_stopped_warfarin_is_not_current_and_an_unclear_one_is(active: bool | None, current: bool) -> None:
    assert advise(LOW, taking=("warfarin",), active=active)[0]["current"] is current


def test_no_dose_no_advice() -> None:
    assert [row["patient_id"] for row in advise(LOW, LOW | {GENE: None}, USUAL)] == ["p0", "p2"]
    assert advise({GENE: "*1/*11"}) == []


def test_no_advice_where_nobody_gives_genotypes() -> None:
    features = pl.DataFrame({"patient_id": ["p"], "age": [60.0]})
    made = WarfarinDose().predict(features).with_columns(predictor=pl.lit("warfarin-dose"))
    given = {"features": features, "predictions": made, "medications": TABLES["medications"].empty()}
    assert WarfarinAdvice().advise(given).is_empty()


def test_release_brings_the_names_of_its_medicines() -> None:
    names = TABLES["drug_names"].check(release().tables["drug_names"])
    codes = names.filter(pl.col("kind") == "code").select("ingredient", "name").rows()
    assert set(codes) == {("warfarin", "11289"), ("amiodarone", "703"), ("carbamazepine", "2002"),
                          ("phenytoin", "8183"), ("rifampin", "9384")}
    found = {name: ingredient for ingredient, _, name in names.select("ingredient", "kind", "name").iter_rows()}
    assert (found["coumadin"], found["rifampicin"]) == ("warfarin", "rifampin")


def test_release_changes_its_hash_with_its_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = release().sha256
    assert release().sha256 == before
    monkeypatch.setattr("pmed_response.iwpc.AMIODARONE", -0.55)
    assert release().sha256 != before


def test_package_registers_everything() -> None:
    assert list(pmed_response.register_predictors()) == [WarfarinDose, NrtiResponse]
    assert list(pmed_response.register_advisers()) == [WarfarinAdvice, NrtiAdvice]
    assert [one.name for one in pmed_response.register_knowledge()] == ["pmed-response"]

"""Allergies to medicines taken of which the release has no row."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from pmed.tables import TABLES
from pmed_pgx.adviser import PREDICTOR, GuidelineAdviser
from pmed_pgx.checks import allergy_rows, covered
from pmed_pgx.knowledge import table
from pmed_pgx.predictor import GuidelinePredictor

TODAY = date(2026, 1, 15)


def advise(*taken: dict[str, Any], allergic: dict[str, Any]) -> pl.DataFrame:
    features = pl.DataFrame({"patient_id": ["p"], "allergic-to": ["amlodipine"]})
    tables = {name: TABLES[name].frame([{"patient_id": "p", "row": at, **row} for at, row in enumerate(rows)])
              for name, rows in (("medications", taken), ("allergies", [allergic]))}
    said = GuidelinePredictor().predict(features).with_columns(predictor=pl.lit(PREDICTOR))
    made = GuidelineAdviser().advise({
        **tables, "features": features, "predictions": said, "gene_results": TABLES["gene_results"].empty(),
        "patients": TABLES["patients"].frame([{"patient_id": "p", "index_date": TODAY}])})
    return TABLES["suggestions"].check(made.with_columns(adviser=pl.lit(PREDICTOR)))


def test_an_inhibitor_without_rows_is_not_covered() -> None:
    assert set(table("modifiers")["drug"]) - set(covered())


@pytest.mark.parametrize("drug", ["terbinafine", "metamizole"])
def test_what_is_taken_in_spite_of_an_allergy_is_to_be_avoided(drug: str) -> None:
    both = {"ingredients": [drug], "active": True}
    made = advise(both, {"ingredients": ["amlodipine"], "active": True}, allergic=both)
    row = made.filter(drug=drug).row(0, named=True)
    one = allergy_rows(drug)[0]
    assert (row["action"], row["urgency"], row["strength"], row["concern"], row["text"]) == (
        "avoid", "today", one.strength, one.concern, one.text)
    assert row["current"]
    assert row["evidence"] == [one.evidence]
    assert row["cautions"] == []
    # Worded as of a drug that is covered.
    like = advise({"ingredients": ["amlodipine"], "active": True}, allergic=both).filter(drug="amlodipine")
    assert row["why"] == like["why"].item().replace("amlodipine", drug)


@pytest.mark.parametrize(("taken", "allergic", "code"), [
    ({"active": None}, {"active": None}, "drug-unclear"), ({"active": True}, {"active": False}, None),
    ({"active": False}, {"active": True}, None),
    ({"active": True, "ingredients": ["modafinil"]}, {"active": True}, None)])
def test_only_what_may_be_taken_and_may_do_harm_is_told(taken: dict[str, Any], allergic: dict[str, Any],
                                                        code: str | None) -> None:
    found = advise({"ingredients": ["terbinafine"], **taken}, allergic={"ingredients": ["terbinafine"], **allergic})
    rows = found.filter(pl.col("drug").is_in(["terbinafine", "modafinil"]))
    assert [[one["code"] for one in row] for row in rows["cautions"].to_list()] == ([[code]] if code else [])

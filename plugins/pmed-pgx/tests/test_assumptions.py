"""Advice that rests on reading absent sites as reference says so (design invariant I3)."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pmed.tables import TABLES
from pmed_pgx.adviser import GuidelineAdviser
from pmed_pgx.caller import PgxCaller
from pmed_pgx.guidelines import drugs
from pmed_pgx.predictor import GuidelinePredictor


def cautions(tables: dict[str, pl.DataFrame]) -> dict[str, list[str]]:
    made = tables | PgxCaller().run(tables, GuidelinePredictor.wants)
    predictions = GuidelinePredictor().predict(made["features"]).with_columns(predictor=pl.lit("pgx-guidelines"))
    made["predictions"] = TABLES["predictions"].check(predictions)
    made["medications"] = TABLES["medications"].empty()
    rows = GuidelineAdviser().advise(made)
    return {row["drug"]: [one["text"] for one in row["cautions"] if one["code"] == "absent-as-ref"]
            for row in rows.iter_rows(named=True)}


@pytest.mark.parametrize("drug", ["clopidogrel", "warfarin"])
def test_suggestion_names_the_genes_whose_sites_were_assumed(drug: str, make: Any) -> None:
    named = " and ".join(sorted(drugs()[drug].genes))
    said = cautions(make({"p": {}}, absent="assumed-reference"))[drug]
    assert len(said) == 1
    assert said[0].startswith(f"sites of {named} that are absent from the file were taken as reference")


def test_only_the_genes_concerned_are_named(make: Any, plain: Any) -> None:
    read = {name: call for name, call in plain().items() if name != "rs4149056"}
    said = cautions(make({"p": read}, absent="assumed-reference"))
    assert {drug for drug, texts in said.items() if texts} == {
        name for name, drug in drugs().items() if "SLCO1B1" in drug.genes} >= {"simvastatin", "atorvastatin"}


def test_nothing_assumed_nothing_said(make: Any, plain: Any) -> None:
    assert not any(cautions(make({"p": plain()})).values())

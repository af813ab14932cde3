"""What-if questions: what is not worked out again is what working it out again gives."""

from __future__ import annotations

from typing import Any

import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed import engine

TABLES = ("predictions", "explanations", "traces", "suggestions")


@pytest.fixture(scope="module")
def stent(root):
    demo = root / "pmed" / "demo" / "stent"
    return pmed.run(f"{demo}.vcf", f"{demo}.json")


@pytest.mark.parametrize(("asked", "again"), [
    ({"stop": "clopidogrel"}, {"pgx-guidelines"}), ({"start": "paroxetine"}, {"pgx-guidelines"}),
    ({"genotype": {"CYP2C19": "*1/*1"}}, {"pgx-guidelines"}),
    ({"weight": 50.0}, {"pgx-guidelines", "warfarin-dose", "cockcroft-gault", "findrisc", "prevent-2023"})])
def test_a_predictor_whose_features_did_not_change_keeps_its_rows(
        stent: pmed.Result, asked: dict[str, Any], again: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[frozenset[str]] = []
    inner = engine._kept
    monkeypatch.setattr(engine, "_kept", lambda *given: names.append(inner(*given)) or names[-1])
    quick = stent.what_if(**asked).after
    monkeypatch.setattr(engine, "_kept", lambda *_: frozenset())
    whole = stent.what_if(**asked).after
    assert names == [set(stent.tables["predictions"]["predictor"]) - again]
    for table in TABLES:
        assert_frame_equal(quick.tables[table], whole.tables[table])

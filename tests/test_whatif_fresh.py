"""What if: the answer is, to the bit, what everything worked out anew from the changed tables gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.demo import patients
from pmed.engine import Engine
from pmed.result import Result

KINDS: dict[str, dict[str, Any]] = {
    "start": {"start": "paroxetine"}, "genotype": {"genotype": {"CYP2D6": "*1/*4"}},
    "weight": {"weight": 55.0}, "height": {"height": 150.0}, "creatinine": {"creatinine": 2.1},
    "potassium": {"potassium": 3.0}, "inr": {"inr": 2.5}, "heart_rate": {"heart_rate": 50.0},
    "several": {"start": "fluconazole", "genotype": {"CYP2C9": "*2/*3"}, "creatinine": 3.0}}
RECORDS = range(0, 40, 13)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, pl.DataFrame]]:
    """The tables of each question, as they were changed."""
    found: list[Mapping[str, pl.DataFrame]] = []
    inner = Engine.conclude_anew
    monkeypatch.setattr(Engine, "conclude_anew",
                        lambda self, tables, before: found.append(tables) or inner(self, tables, before))
    return found


def must_be_fresh(result: Result, kinds: Mapping[str, dict[str, Any]], asked: list[Mapping[str, pl.DataFrame]]) -> None:
    taken = result.tables["medications"].filter(pl.col("ingredients").list.len() == 1)["ingredients"].explode()
    stops = {"stop": {"stop": taken[0]}} if len(taken) else {}
    engine = Engine.start(pmed.Settings())
    for kind, question in {**kinds, **stops}.items():
        after = result.what_if(**question).after
        fresh = engine.conclude(asked[-1])
        assert set(fresh) <= set(after.tables), kind
        for name, frame in fresh.items():
            assert_frame_equal(after.tables[name], frame)


@pytest.mark.parametrize("one", patients(), ids=lambda one: str(one.name))
def test_of_an_embedded_patient(one: Any, asked: list[Mapping[str, pl.DataFrame]]) -> None:
    must_be_fresh(pmed.run(one.genome, one.history), KINDS, asked)


@pytest.mark.parametrize("number", RECORDS)
def test_of_a_record_without_a_genome(number: int, shared: Path, asked: list[Mapping[str, pl.DataFrame]]) -> None:
    records = sorted((shared / "data/fhir/synthea").glob("*.json"))
    must_be_fresh(pmed.run(None, records[number]), KINDS, asked)

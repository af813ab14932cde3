"""Of few people a score's rows are put together one by one, of many by expressions: the rows are the same."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pmed_risk import register_predictors, score
from pmed_risk.score import Score

SCORES: list[Score] = [one() for one in register_predictors() if issubclass(one, Score)]


def people(one: Score) -> pl.DataFrame:
    """One who can be assessed, and others of whom one input each is unknown, zero, too high or a strange word."""
    known: dict[str, Any] = {**one.equation.read, **one.examples()[0]}
    odd: dict[type, tuple[Any, ...]] = {bool: (None, True, False), float: (None, 0.0, -1.0, 1e6), str: (None, "other")}
    rows = [known, *({**known, name: value} for name, example in known.items() for value in odd[type(example)]),
            dict.fromkeys(known)]
    types = {name: {bool: pl.Boolean, float: pl.Float64, str: pl.String}[type(value)] for name, value in known.items()}
    return pl.DataFrame([{"patient_id": f"p{n}", "medicines-not-recognised": "Zzz" * (n % 2), **row}
                         for n, row in enumerate(rows)],
                        schema={"patient_id": pl.String, "medicines-not-recognised": pl.String, **types})


@pytest.mark.parametrize("one", SCORES, ids=lambda one: str(one.name))
def test_rows(one: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    few = one.predict(people(one))
    monkeypatch.setattr(score, "FEW", 0)
    assert few["value"].count()
    assert_frame_equal(few, one.predict(people(one)))

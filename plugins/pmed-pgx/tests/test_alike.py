"""Rows that are alike are worked out once: what is said of each patient is what is said of them alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import pmed
from pmed.demo import patients
from pmed_pgx import adviser, alike, alternatives
from pmed_pgx.adviser import GuidelineAdviser
from pmed_pgx.cases import distinct
from pmed_pgx.predictor import GuidelinePredictor

USED = ("predictions", "features", "gene_results", "present_phenotypes", "medications", "patients", "conditions")
SURE = pl.col("gene").is_in(["CYP2C19", "SLCO1B1"])
UNRULED = {"phenotype:CYP2C19": pl.lit("Indeterminate")}
Change = Callable[[pl.DataFrame], pl.DataFrame]
# Copies of the embedded patients, each with something changed that advice looks at.
CHANGES: dict[str, dict[str, Change]] = {
    "nothing": {"patients": lambda rows: rows},
    "other-reasons": {"features": lambda rows: rows.with_columns(**UNRULED)},
    "no-doses": {"predictions": lambda rows: rows.filter(pl.col("predictor") == adviser.PREDICTOR)},
    "other-words": {"gene_results": lambda rows: rows.with_columns(
        diplotypes=pl.when(SURE).then(pl.lit(["*1/*99"])).otherwise("diplotypes"))},
    "no-results": {"gene_results": lambda rows: rows.filter(~SURE)},
    "hints": {"gene_results": lambda rows: rows.with_columns(messages=pl.when(SURE).then(
        pl.lit([{"code": "hint", "text": "so they say"}])).otherwise("messages"))},
    "other-causes": {"present_phenotypes": lambda rows: rows.with_columns(because=pl.lit(["clopidogrel"]))},
    "no-row": {"features": lambda rows: rows.with_columns(**UNRULED)},
    "kidneys": {"features": lambda rows: rows.with_columns(egfr=pl.lit(9.0), **{"creatinine-clearance": pl.lit(9.0)})},
    "no-findings": {"conditions": lambda rows: rows.clear()},
    "stroke": {"conditions": lambda rows: rows.with_columns(
        system=pl.lit("http://snomed.info/sct"), code=pl.lit("230690007")), "medications": lambda rows: rows.clear()},
    "no-medicines": {"medications": lambda rows: rows.clear()},
    "long-ago": {"medications": lambda rows: rows.with_columns(
        pl.lit(value=True).alias("active"), pl.lit(None, pl.Date).alias("end"), pl.col("start") - timedelta(days=6000),
        recorded=pl.lit(None, pl.Date))},
    "begun-later": {"medications": lambda rows: rows.with_columns(pl.col("start") + timedelta(days=200))},
}


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    """The embedded patients and their copies."""
    demos = patients()
    result = pmed.run([one.genome for one in demos], [one.history for one in demos])
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in USED}
    for what, changes in CHANGES.items():
        for name, parts in found.items():
            mine = result.tables[name].with_columns(pl.col("patient_id") + f" {what}")
            parts.append(changes.get(name, lambda rows: rows)(mine))
    made = {name: pl.concat(parts) for name, parts in found.items()}
    said = GuidelinePredictor().predict(made["features"]).with_columns(predictor=pl.lit(adviser.PREDICTOR))
    others = made["predictions"].filter(pl.col("predictor") != adviser.PREDICTOR)
    again = said.select(others.columns).with_columns(reason=pl.when(
        pl.col("patient_id").str.ends_with("other-reasons")).then(pl.col("reason") + "; so far").otherwise("reason"))
    return {**made, "predictions": pl.concat([others, again])}


def test_what_is_said_of_alike_rows_is_what_is_said_of_each(tables: dict[str, pl.DataFrame],
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[int] = []

    def counted(*given: Any) -> Any:
        made = alike.alike(*given)
        kinds.append(len(made[1]))
        return made

    monkeypatch.setattr(adviser, "alike", counted)
    ways = []
    for few in (10_000, 0):
        for module in (adviser, alternatives):
            monkeypatch.setattr(module, "FEW", few)
        ways.append(GuidelineAdviser().advise(tables))
    each, together = ways
    assert_frame_equal(together, each)
    assert 0 < kinds[0] < each.height / 2
    old = pl.col("cautions").list.eval(pl.element().struct.field("code") == "old-entry").list.any()
    counts = dict(each.filter(old).group_by(pl.col("patient_id").str.split(" ").list.last()).len().iter_rows())
    assert counts["long-ago"] > counts.get("nothing", 0)


@given(st.integers(0, 9000), st.lists(st.integers(1, 300), max_size=6), st.integers(0, 99))
def test_combinations_are_numbered(height: int, sizes: list[int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    columns = [draw.integers(0, size, height) for size in sizes]
    where, first = distinct(columns, height)
    rows = list(zip(*columns, strict=True)) if columns else [()] * height
    assert len(first) == len(set(rows))
    assert [rows[row] for row in first[where]] == rows
    assert all(rows.index(rows[row]) == row for row in first[:50])

"""A medicine that was not recognised does not cost a risk: the risk says for what it was taken."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pmed.render import messages, words
from pmed_risk.ascvd import AscvdRisk
from pmed_risk.findings import UNREAD
from pmed_risk.point_scores import Findrisc, HasBled, News2
from pmed_risk.prevent_score import Prevent

CARDS: list[Any] = [Prevent(), AscvdRisk(), Findrisc(), HasBled()]


def said(model: Any, **changed: Any) -> pl.DataFrame:
    target, = model.gives
    patient = {**model.reference(target), **getattr(model, "examples", lambda: [{}])()[0], UNREAD: "Xyzzyforte"}
    return model.predict(pl.DataFrame([{"patient_id": "p", **patient, **changed}]))


@pytest.mark.parametrize(("model", "none"), [
    (Prevent(), "blood-pressure medicine or statin"), (AscvdRisk(), "blood-pressure medicine"),
    (Findrisc(), "blood-pressure medicine"), (HasBled(), "medicine that lets bleed")], ids=lambda one: str(one)[:8])
def test_what_was_not_recognised_is_named_with_what_it_was_counted_as(model: Any, none: str) -> None:
    made = said(model)
    assert made["status"].to_list() == ["assessed"]
    assert made["reason"].to_list() == [f"not recognised, and counted as no {none}: Xyzzyforte"]


@pytest.mark.parametrize("model", CARDS, ids=lambda one: one.name)
@pytest.mark.parametrize("unread", [None, ""])
def test_where_all_is_recognised_nothing_is_assumed(model: Any, unread: str | None) -> None:
    assert said(model, **{UNREAD: unread})["reason"].to_list() == [None]


def test_a_medicine_that_is_taken_already_is_not_assumed() -> None:
    assert said(Prevent(), statin=True)["reason"].to_list() == [
        "not recognised, and counted as no blood-pressure medicine: Xyzzyforte"]
    assert said(Prevent(), **{"statin": True, "bp-treated": True})["reason"].to_list() == [None]
    assert said(AscvdRisk(), **{"bp-treated": True})["reason"].to_list() == [None]


def test_what_is_unknown_stays_so() -> None:
    made = said(Prevent(), statin=None)
    assert made.row(0, named=True)["status"] == "not-assessed"
    assert made["reason"].to_list() == ["needs statin"]


@pytest.mark.parametrize("model", CARDS, ids=lambda one: one.name)
def test_the_trace_says_it_too(model: Any) -> None:
    target, = model.gives
    patient = {**model.reference(target), **getattr(model, "examples", lambda: [{}])()[0], UNREAD: "Xyzzyforte"}
    frame = pl.DataFrame([{"patient_id": "p", **patient}])
    steps = model.trace(frame, model.predict(frame))["text"]
    assert steps.str.contains("Not recognised, and counted as no .*: Xyzzyforte[.]").sum() == 1
    frame = frame.with_columns(pl.lit("").alias(UNREAD))
    assert not model.trace(frame, model.predict(frame))["text"].str.contains("(?i)not recognised").any()


def test_a_score_that_asks_for_no_medicine_reads_none() -> None:
    assert UNREAD not in News2.wants
    assert UNREAD in Prevent.wants


def test_german_pages_say_it_in_german() -> None:
    with messages.speaking("de"):
        assert str(words.told(said(Prevent())["reason"][0])) == (
            "nicht erkannt und nicht als Blutdruckmittel oder Statin gezählt: Xyzzyforte")
        assert not words.told(said(HasBled())["reason"][0]).english

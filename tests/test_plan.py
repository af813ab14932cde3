"""The order of the plan, sources that disagree, the sentence under the bars, and how much is shown first."""

from __future__ import annotations

from itertools import product
from typing import Any

import polars as pl
import pytest

from pmed.render.sentence import sentence
from pmed.stages.advise import join_sources, rank
from pmed.tables import FEW, STRENGTHS, TABLES, URGENCIES


def rows(*given: dict[str, Any]) -> pl.DataFrame:
    plain = {"patient_id": "p", "current": True, "action": "adjust", "urgency": "soon", "strength": "strong",
             "concern": 2.0, "text": "Do.", "adviser": "a", "cautions": []}
    return TABLES["suggestions"].frame([{**plain, **row} for row in given])


def order(*given: dict[str, Any]) -> list[str]:
    return rank(rows(*given))["drug"].to_list()


def test_what_is_for_today_comes_first_whatever_its_strength() -> None:
    assert order({"drug": "a"}, {"drug": "b", "urgency": "today", "strength": "none"}) == ["b", "a"]


def test_what_is_taken_comes_before_what_is_not() -> None:
    assert order({"drug": "a", "current": False, "urgency": "today"}, {"drug": "b", "urgency": "routine"}) == ["b", "a"]


def test_each_of_many_people_has_the_order_of_one() -> None:
    doubt = [{"code": "gene-unknown", "text": "?"}]
    kinds = list(product((True, False), ("avoid", "monitor", "not-assessed"), URGENCIES, STRENGTHS[::2],
                         (None, 0.0, 2.5), ([], doubt)))
    each = [{"drug": f"{'ä' * (place % 3)}{place}", "current": current, "action": action, "urgency": urgency,
             "strength": strength, "concern": concern, "cautions": cautions}
            for place, (current, action, urgency, strength, concern, cautions) in enumerate(kinds)]
    people = [rows(*({"patient_id": name, **one} for one in each)) for name in ("q", "p10", "p9", "Ö", "p", "o")]
    many = pl.concat(people).sample(fraction=1.0, shuffle=True, seed=1)
    assert people[0].height < FEW < many.height
    assert rank(many).equals(pl.concat([rank(one) for one in (people[i] for i in (5, 4, 1, 2, 0, 3))]))


def test_stronger_comes_first_and_doubt_counts_half() -> None:
    doubt = [{"code": "gene-unknown", "text": "?"}]
    assert order({"drug": "a", "strength": "moderate"}, {"drug": "b"}) == ["b", "a"]
    # strong and doubtful is 4 × ½, moderate and certain 3
    assert order({"drug": "a", "cautions": doubt}, {"drug": "b", "strength": "moderate"}) == ["b", "a"]
    other = [{"code": "check", "text": "!"}]
    assert order({"drug": "b", "cautions": other}, {"drug": "a", "strength": "moderate"}) == ["b", "a"]


def test_concern_and_name_decide_the_rest() -> None:
    worst = {"drug": "c", "concern": 3.0, "action": "alternative"}
    assert order({"drug": "b"}, worst, {"drug": "a"}) == ["c", "a", "b"]


@pytest.mark.parametrize(("other", "told"), [
    ({"action": "standard", "concern": 0.0}, True), ({"action": "adjust", "concern": 2.0}, True),
    ({"action": "alternative", "concern": 3.0}, False), ({"action": "test", "concern": None}, False)])
def test_sources_that_disagree_are_both_named(other: dict[str, Any], told: bool) -> None:
    made = join_sources(rows({"drug": "a", "action": "avoid", "concern": 4.0}, {"drug": "a", "adviser": "b", **other}))
    (row,) = made.iter_rows(named=True)
    texts = [one["text"] for one in row["cautions"] if one["code"] == "disagreement"]
    assert (row["action"], row["adviser"]) == ("avoid", "a, b")
    assert bool(texts) is told
    if told:
        assert "a says avoid" in texts[0]
        assert f"b says {other['action']}" in texts[0]


def said(*parts: tuple[str, float], baseline: float = 0.0) -> str:
    total = baseline + sum(size for _, size in parts)
    return sentence({"baseline": baseline, "prediction": total, "unit": "concern level",
                     "contributions": [{"feature": name, "contribution": size} for name, size in parts]}, {"g": "GENE"})


@pytest.mark.parametrize(("parts", "words"), [
    ([("x", 4.0)], "All of the concern comes from x."),
    ([("x", 3.0), ("g", 1.0)], "Three quarters of the concern comes from x, one quarter from GENE."),
    ([("x", 2.0), ("y", 2.0)], "Half of the concern comes from x, half from y."),
    ([("x", 3.9), ("y", 0.1)], "All of the concern comes from x; a little from y."),
    ([("x", 3.0), ("y", -1.0)], "All of the concern comes from x; y pulls the other way."),
    ([("x", 0.0)], ""), ([("x", 1.0), ("y", -1.0)], "")])
def test_the_sentence_says_the_shares(parts: list[tuple[str, float]], words: str) -> None:
    assert said(*parts) == words


def test_a_lower_dose_is_told_by_what_lowers_it() -> None:
    made = sentence({"baseline": 40.0, "prediction": 20.0, "unit": "mg/week", "contributions": [
        {"feature": "x", "contribution": -15.0}, {"feature": "y", "contribution": -5.0}]}, {})
    assert made == "Three quarters of the difference from the reference patient comes from x, one quarter from y."

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.render import words
from pmed.render.bars import MOST_BARS, waterfall

AMOUNTS = st.lists(st.floats(-50, 50).filter(lambda x: abs(x) > 1e-6), max_size=MOST_BARS + 6)


@pytest.mark.parametrize(("name", "said"), [
    ("on:amio", "taking amio"), ("phenotype:ABC1", "ABC1 phenotype"), ("activity-score:ABC1", "ABC1 activity score"),
    ("genotype:rs1", "rs1 genotype"), ("systolic-bp", "systolic blood pressure"), ("observation:1-1", "LOINC 1-1"),
    ("observation:2823-3", "potassium"), ("latest:1742-6", "latest ALT"),
    ("observation:2-2", "Luck"), ("strange:thing", "strange:thing"), ("on:", "on:")])
def test_feature_names_in_words(name: str, said: str) -> None:
    assert words.feature(name, {"2-2": "Luck"}) == said


def test_reason_names_features_in_words() -> None:
    assert words.reason("needs phenotype:ABC1, on:amio; see note") == "needs ABC1 phenotype, taking amio; see note"


@pytest.mark.parametrize(("value", "shown"), [
    (None, "unknown"), (float("nan"), "unknown"), (0.0, "0"), (-0.0, "0"), (-2.0, "−2"), (0.25, "0.25"),
    (12.34, "12.3"), (1234.5, "1234"), (0.004, "0.004"), (71.0, "71")])
def test_numbers(value: float | None, shown: str) -> None:
    assert words.number(value) == shown


@pytest.mark.parametrize(("url", "kept"), [
    ("https://a.example/x?y=1", True), ("http://a.example", True), ("javascript:alert(1)", False),
    (" JavaScript:x", False), ("data:text/html,x", False), ("//a.example", False), ("https:", False),
    ("http://[", False), (None, False), (7, False)])
def test_only_web_addresses_become_links(url: object, kept: bool) -> None:
    assert bool(words.web_link(url)) is kept


@pytest.mark.parametrize(("name", "said"), [
    ("pregnant", "pregnancy"), ("breastfeeding", "breast-feeding"), ("smoker", "smoking")])
def test_what_a_concern_comes_from_is_a_noun(name: str, said: str) -> None:
    assert words.feature(name) == said


def test_first_sentence_is_not_cut_inside_numbers() -> None:
    text = "Start with 2.5 mg a day, which is about half of the usual dose. Then look again."
    assert words.first_sentence(text) == "Start with 2.5 mg a day, which is about half of the usual dose."
    assert words.first_sentence("Plan the dose and then titrate it by the INR. Look again.").endswith("INR.")
    assert words.first_sentence("Avoid it. Take another.") == "Avoid it. Take another."
    assert words.first_sentence("") == ""


def test_examples_in_the_docstrings_run() -> None:
    done = doctest.testmod(words)
    assert done.attempted >= 5
    assert done.failed == 0


@given(AMOUNTS, st.floats(-20, 60))
def test_waterfall_bars_join_up_inside_the_chart(amounts: list[float], baseline: float) -> None:
    chart = waterfall(_explanation(amounts, baseline))
    first, *changes, last = chart["bars"]
    assert len(changes) <= MOST_BARS + 1
    assert all(0 <= bar["x"] <= 100 and bar["x"] + bar["width"] <= 101 for bar in chart["bars"])
    edge = _far(first, baseline)
    for bar in changes:
        near, far = (bar["x"], bar["x"] + bar["width"])[:: 1 if bar["sign"] == "up" else -1]
        assert near == pytest.approx(edge, abs=1.7)
        edge = far
    assert edge == pytest.approx(_far(last, baseline + sum(amounts)), abs=1.7)


def test_contributions_are_signed_ordered_and_the_idle_ones_named() -> None:
    chart = waterfall(_explanation([0.5, -3.0, 0.0], 4.0))
    assert [bar["text"] for bar in chart["bars"]] == ["4.0", "−3.0", "+0.5", "1.5"]
    assert [bar["sign"] for bar in chart["bars"]] == ["total", "down", "up", "total"]
    assert chart["without_effect"] == ["input 2"]
    assert chart["zero"] == 0


def test_what_is_unknown_is_not_said_to_make_no_difference() -> None:
    """Nor is a gene of which several phenotypes are possible; nor what is not known of the reference patient either."""
    rows = [{"feature": name, "value": value, "reference": reference, "contribution": amount}
            for name, value, reference, amount in (
                ("phenotype:CYP2C9", None, "Normal Metabolizer", 0.0), ("on:x", "yes", "no", 2.0),
                ("phenotype:CYP2C19", "Normal Metabolizer or Poor Metabolizer", "Normal Metabolizer", 0.0),
                ("finding:stroke", None, None, 0.0), ("finding:bleeding", "yes", None, 0.0),
                ("phenotype:TPMT", "Normal Metabolizer", "Normal Metabolizer", 0.0),
                ("smoking-status", None, "never", 0.0), ("weight", "unknown", "", 0.0))]
    chart = waterfall({"contributions": rows, "baseline": 0.0, "prediction": 2.0, "unit": "x", "method": "m"})
    assert chart["open"] == ["CYP2C9 phenotype", "CYP2C19 phenotype", "stroke on record", "smoking status", "weight"]
    assert chart["without_effect"] == ["bleeding on record", "TPMT phenotype"]


def test_many_small_contributions_are_drawn_as_one() -> None:
    chart = waterfall(_explanation([1.0] * (MOST_BARS + 3), 0.0))
    assert chart["bars"][-2]["name"] == "3 smaller inputs"
    assert chart["bars"][-2]["text"] == "+3"


def _far(bar: dict[str, float], value: float) -> float:
    return bar["x"] + bar["width"] if value > 0 else bar["x"]


def _explanation(amounts: list[float], baseline: float) -> dict[str, object]:
    rows = [{"feature": f"input-{i}", "value": "a", "reference": "b", "contribution": x} for i, x in enumerate(amounts)]
    return {"unit": "mg", "method": "exact", "baseline": baseline, "prediction": baseline + sum(amounts),
            "contributions": rows}

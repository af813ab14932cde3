"""The explorer without a browser: state from Python, answers, many patients a page at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

import pmed
from pmed.errors import OptionError
from pmed.notebook.people import BINS, PAGE, People
from pmed.result import Result
from pmed.tables import TABLES

pytest.importorskip("anywidget")


@pytest.fixture(scope="module")
def everybody() -> Result:
    return pmed.demo()


@pytest.fixture(scope="module")
def paroxetine() -> Result:
    """A man on paroxetine who would be a normal metaboliser of CYP2D6 without it."""
    return pmed.demo("stent").what_if(start="paroxetine", genotype={"CYP2D6": "*1/*1"}).after


def test_switching_a_medicine_off_changes_the_gene_it_inhibits(paroxetine: Result) -> None:
    explorer = paroxetine.explore()
    assert "paroxetine" in [one["name"] for one in explorer.form["drugs"]]
    assert explorer.result.gene("CYP2D6").row["present_phenotype"] == "Poor Metabolizer"
    explorer.stop = ["paroxetine"]
    assert explorer.result.gene("CYP2D6").row["present_phenotype"] == "Normal Metabolizer"
    assert 'data-gene="CYP2D6"' in explorer.change_html
    assert "What if paroxetine is stopped?" in explorer.change_html
    explorer.reset()
    assert explorer.change_html == ""
    assert explorer.result.gene("CYP2D6").row["present_phenotype"] == "Poor Metabolizer"


def test_answers_are_those_of_what_if(everybody: Result) -> None:
    explorer = everybody.explore("demo-warfarin")
    explorer.set(stop=["amiodarone"], measures={"weight": 50.0})
    asked = everybody.what_if(patient_id="demo-warfarin", stop="amiodarone", weight=50.0)
    assert explorer.result.suggestions.equals(asked.after.suggestions)
    assert explorer.answered == 2


def test_browser_messages_are_one_question_each(everybody: Result) -> None:
    explorer = everybody.explore()
    before = explorer.answered
    explorer.set_state({"filters": {"gene": "CYP2C19"}, "page": 0, "patient": ""})
    assert explorer.answered == before + 1
    explorer.set_state({"patient": "demo-stent"})
    assert explorer.form["patient"] == "demo-stent"
    explorer.set_state({"start": ["paroxetine"]})
    assert "paroxetine" in explorer.result.suggestions.filter("current")["drug"].to_list()
    explorer.set_state({"patient": ""})
    assert explorer.cohort["count"] == 4


@pytest.mark.parametrize(("state", "words"), [
    ({"start": ["nonsense"]}, "no medicine is called 'nonsense'"),
    ({"stop": ["nonsense"]}, "not among the medicines on record"),
    ({"measures": {"shoe_size": 44}}, "no measure is called 'shoe_size'"),
    ({"patient": "nobody"}, "no patient is called 'nobody'"),
    ({"filters": {"target": "x", "low": "much"}, "patient": ""}, "'low' must be a number")])
def test_what_cannot_be_answered_is_said_and_nothing_else_changes(everybody: Result, state: Any, words: str) -> None:
    explorer = everybody.explore("demo-stent")
    shown = explorer.plan_html
    explorer.set(**state)
    assert explorer.wrong
    assert words in explorer.said
    assert explorer.plan_html == shown


def test_a_genotype_that_nobody_knows_is_unknown_and_said(everybody: Result) -> None:
    explorer = everybody.explore("demo-stent")
    explorer.genotype = {"CYP2C19": "nonsense"}
    assert explorer.said == "No phenotype is known of CYP2C19 nonsense."


def test_state_that_does_not_exist_is_refused(everybody: Result) -> None:
    with pytest.raises(OptionError, match="has no 'stopp'"):
        everybody.explore("demo-stent").set(stopp=["x"])
    with pytest.raises(OptionError, match="no patient is called 'x'"):
        everybody.explore("x")


def cohort(count: int) -> Result:
    """So many patients on one drug each; every tenth is a poor metaboliser with something to avoid."""
    ids = pl.Series([f"p{number:06}" for number in range(count)])
    poor = pl.int_range(count, eager=True) % 10 == 0
    base = pl.DataFrame({"patient_id": ids, "poor": poor, "n": pl.int_range(count, eager=True)})
    frames = {
        "patients": base.select("patient_id", birth_date=pl.lit(date(1960, 5, 2)), index_date=pl.lit(date(2026, 5, 1)),
                                sex=pl.lit("female")),
        "suggestions": base.select(
            "patient_id", drug=pl.lit("zappa"), current=pl.lit(value=True), urgency=pl.lit("routine"),
            action=pl.when("poor").then(pl.lit("avoid")).otherwise(pl.lit("standard")), strength=pl.lit("none"),
            concern=pl.when("poor").then(4.0).otherwise(0.0), text=pl.lit("Text."), adviser=pl.lit("guild")),
        "gene_results": base.select("patient_id", gene=pl.lit("ABC1"), status=pl.lit("called"),
                                    complete=pl.lit(value=True),
                                    phenotype=pl.when("poor").then(pl.lit("Poor")).otherwise(pl.lit("Normal"))),
        "predictions": base.select("patient_id", predictor=pl.lit("guild"), target=pl.lit("risk"),
                                   value=pl.col("n") / count * 100, unit=pl.lit("%"), status=pl.lit("assessed")),
    }
    return Result({name: pl.concat([table.empty(), *([frames[name]] if name in frames else [])], how="diagonal_relaxed")
                   for name, table in TABLES.items()})


def test_many_patients_a_page_at_a_time() -> None:
    people = People(cohort(1003))
    seen: list[str] = []
    first = people.shown({}, 0)
    for page in range(first["pages"]):
        rows = people.shown({}, page)["rows"]
        assert len(rows) <= PAGE
        seen += [row[0] for row in rows]
    assert len(seen) == len(set(seen)) == first["count"] == 1003
    assert first["rows"][0] == ["p000000", "65", "female", "1", "zappa: avoid"]  # the day before her birthday
    assert sum(first["histogram"]["counts"]) == 1003


@pytest.mark.parametrize(("filters", "count"), [
    ({"gene": "ABC1", "phenotype": "Poor"}, 100), ({"phenotype": "Normal"}, 900), ({"gene": "ABC2"}, 0),
    ({"drug": "zappa", "action": "avoid"}, 100), ({"action": "avoid", "phenotype": "Normal"}, 0),
    ({"target": "risk", "low": "50"}, 500), ({"target": "risk", "low": "10", "high": "20"}, 101),
    ({"target": "risk", "high": "9.95", "action": "avoid"}, 10), ({"patient": "p00001"}, 10)])
def test_filters(filters: dict[str, str], count: int) -> None:
    shown = People(cohort(1000)).shown(filters, 0)
    assert shown["count"] == count
    assert sum(shown["histogram"]["counts"]) == count


def test_a_histogram_of_one_value_is_one_bar() -> None:
    """Not thirty bars, each from 66.5 to 66.5."""
    drawn = People(cohort(1)).shown({}, 0)["histogram"]
    assert (drawn["counts"], drawn["labels"], drawn["ends"]) == ([1], ["65\N{NO-BREAK SPACE}years"],
                                                                ["65\N{NO-BREAK SPACE}years"])
    assert drawn["title"] == "Age of 1 patient, in years"
    drawn = People(cohort(200)).shown({"target": "risk"}, 0)["histogram"]
    assert len(drawn["counts"]) == len(drawn["labels"]) == BINS
    assert drawn["ends"] == ["0\N{NO-BREAK SPACE}%", "99.5\N{NO-BREAK SPACE}%"]


def test_a_filter_that_does_not_exist_is_refused() -> None:
    with pytest.raises(OptionError, match="no filter is called 'colour'"):
        People(cohort(3)).chosen({"colour": "red"})


def test_the_page_is_small_however_many_there_are() -> None:
    import msgspec
    few, many = (len(msgspec.json.encode(People(cohort(count)).shown({}, 0))) for count in (1_000, 100_000))
    assert many < few * 1.2


def test_phenotype_today_is_what_is_filtered_by(paroxetine: Result) -> None:
    people = People(paroxetine)
    assert people.chosen({"gene": "CYP2D6", "phenotype": "Poor Metabolizer"}).height == 1
    assert people.chosen({"gene": "CYP2D6", "phenotype": "Normal Metabolizer"}).height == 0

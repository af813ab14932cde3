"""A medicine that ended on a day which nobody recorded, beside one that was begun, perhaps too soon after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.render.html import HtmlExporter
from pmed_pgx import adviser, alternatives
from pmed_pgx.adviser import GuidelineAdviser
from pmed_pgx.undated import END_UNKNOWN
from tests.vignette_files import write

DAY = date(2026, 1, 15)
Row = dict[str, Any]


def gone(drug: str, **more: Any) -> Row:
    return {"drug": drug, "dose": 15, "start": date(2024, 12, 1), "status": "stopped", **more}


def begun(drug: str, days: int) -> Row:
    return {"drug": drug, "dose": 50, "start": DAY - timedelta(days=days)}


def said(folder: Path, *medicines: Row) -> Mapping[str, list[str]]:
    """Drug taken → the cautions about unknown days, of a whole run on a record."""
    result = pmed.run(**write({"name": "anna", "index_date": DAY, "born": date(1978, 3, 4), "sex": "female",
                               "genome": False, "medications": medicines}, folder), index_date=str(DAY))
    assert not result.failures
    return {drug: [one["text"] for one in cautions if one["code"] == END_UNKNOWN] for drug, cautions in
            result.suggestions.filter("current")["drug", "cautions"].iter_rows()}


def test_it_is_told_of_what_should_not_follow_at_once(tmp_path: Path) -> None:
    found = said(tmp_path, gone("phenelzine"), begun("sertraline", 3), begun("bupropion", 3), begun("ibuprofen", 3))
    told = "When phenelzine ended is not on record: 14 days should lie between its last dose and the first of {}."
    # No check of bupropion holds, so that nothing else would be said of it.
    assert found["bupropion"] == [told.format("bupropion")]
    assert found["sertraline"] == [told.format("sertraline")]
    assert not any(texts for drug, texts in found.items() if drug not in {"sertraline", "bupropion"})


@pytest.mark.parametrize(("before", "drug", "days", "told"), [
    (gone("phenelzine"), "sertraline", 13, True), (gone("phenelzine"), "sertraline", 14, False),
    (gone("phenelzine", status="completed"), "sertraline", 3, True),
    (gone("phenelzine", status="cancelled"), "sertraline", 3, False),
    (gone("phenelzine", end=date(2025, 1, 1)), "sertraline", 3, False),
    (gone("phenelzine", end=DAY - timedelta(days=4)), "sertraline", 3, False),
    (gone("phenelzine", status="active"), "sertraline", 3, False),
    (gone("fluoxetine"), "sertraline", 3, False), (gone("fluoxetine"), "phenelzine", 3, True),
    (gone("oxycodone"), "naltrexone", 3, True), (gone("oxycodone"), "lorazepam", 3, False),
    (gone("lisinopril"), "sacubitril", 1, True), (gone("lisinopril"), "bisoprolol", 1, False)])
def test_who_is_told(tmp_path: Path, before: Row, drug: str, days: int, *, told: bool) -> None:
    assert bool(said(tmp_path, before, begun(drug, days)).get(drug)) is told


@pytest.mark.parametrize("status", ["active", "unknown"])
def test_what_is_or_may_be_taken_is_told_as_such(tmp_path: Path, status: str) -> None:
    again = gone("phenelzine", status=status, start=date(2025, 12, 1))
    assert not said(tmp_path, gone("phenelzine"), again, begun("sertraline", 3))["sertraline"]


def test_what_was_never_taken_is_not_told_beside_what_is_over(tmp_path: Path) -> None:
    found = said(tmp_path, gone("phenelzine", status="cancelled"), gone("ibuprofen"), begun("sertraline", 3))
    assert not found["sertraline"]


def run(folder: Path, *medicines: Row, allergic_to: str = "ibuprofen") -> pmed.Result:
    return pmed.run(**write({"name": "anna", "index_date": DAY, "born": date(1978, 3, 4), "sex": "female",
                             "genome": False, "medications": medicines,
                             "allergies": [{"drug": allergic_to, "start": DAY}]}, folder), index_date=str(DAY))


def offered(result: pmed.Result, drug: str) -> Mapping[str, tuple[str, str]]:
    """Candidate → its status and reason, in place of a drug."""
    (listed,) = result.suggestions.filter(drug=drug)["alternatives"]
    return {one["drug"]: (one["status"], one["reason"]) for one in listed}


@pytest.mark.parametrize("current", [True, False])
def test_an_alternative_is_held_against_it(tmp_path: Path, *, current: bool) -> None:
    """In place of what is taken, and of what is not."""
    result = run(tmp_path, gone("phenelzine"), *([begun("tramadol", 300)] if current else []), allergic_to="tramadol")
    found = offered(result, "tramadol")
    assert found["morphine"][0] == "caution"
    assert ("When phenelzine ended is not on record: 14 days should lie between its last dose and the first of morphine"
            in found["morphine"][1])


def test_what_if_tells_it_of_what_is_begun(tmp_path: Path) -> None:
    result = run(tmp_path, gone("phenelzine"), begun("clopidogrel", 300))
    told = ("When phenelzine ended is not on record: 14 days should lie between its last dose and the first of "
            "sertraline.")
    asked = result.what_if(start="sertraline")
    assert told in asked.text
    assert told in asked._repr_html_()
    assert "phenelzine" not in result.what_if(start="bisoprolol").text


def test_of_many_people_alternatives_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = run(tmp_path, gone("phenelzine"), begun("tramadol", 300), allergic_to="tramadol").tables
    few = GuidelineAdviser().advise(tables)
    for module in (adviser, alternatives):
        monkeypatch.setattr(module, "FEW", 0)
    assert "When phenelzine ended" in str(few["alternatives"].to_list())
    assert_frame_equal(GuidelineAdviser().advise(tables), few)


def test_what_stays_in_the_body_is_told_as_that(tmp_path: Path) -> None:
    """No label asks for 90 days between amiodarone and another antiarrhythmic."""
    result = run(tmp_path, gone("amiodarone"), begun("sotalol", 3))
    (cautions,) = result.suggestions.filter(drug="sotalol")["cautions"]
    assert {"code": END_UNKNOWN, "text": "When amiodarone ended is not on record: it may act for 90 days after its "
                                         "last dose."} in cautions
    page = HtmlExporter(language="de").export(result).decode()
    assert "Wann Amiodarone endete, steht nicht in der Akte: Es kann bis 90 Tage nach der letzten Dosis wirken" in page
    assert not said(tmp_path, gone("amiodarone"), begun("sotalol", 90))["sotalol"]


def test_the_german_report_says_so_of_alternatives(tmp_path: Path) -> None:
    result = run(tmp_path, gone("phenelzine"), begun("tramadol", 300), allergic_to="tramadol")
    page = HtmlExporter(language="de").export(result).decode()
    assert "Zwischen dessen letzter Dosis und der ersten Morphine sollten 14 Tage liegen" in page
    assert "ended is not on record" not in page


def test_the_german_report_says_so(tmp_path: Path) -> None:
    result = pmed.run(**write({"name": "anna", "index_date": DAY, "born": date(1978, 3, 4), "sex": "female",
                               "genome": False, "medications": [gone("phenelzine"), begun("bupropion", 3)]}, tmp_path),
                      index_date=str(DAY))
    page = HtmlExporter(language="de").export(result).decode()
    assert "Wann Phenelzine endete, steht nicht in der Akte: Zwischen dessen letzter Dosis und der ersten" in page

"""A medicine that is listed as taken by an entry of years ago: it counts, and the doubt goes with it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import pmed
from pmed.old_entries import old_drugs, with_years
from pmed.render.html import HtmlExporter
from pmed.tables import TABLES

TODAY = date(2024, 6, 1)


def medications(*rows: dict[str, Any]) -> pl.DataFrame:
    filled = [{"patient_id": "p", "row": number, "display": "x", "ingredients": ["warfarin"], "active": True, **row}
              for number, row in enumerate(rows, 1)]
    return TABLES["medications"].frame(filled)


PATIENTS = TABLES["patients"].frame([{"patient_id": "p", "index_date": TODAY}, {"patient_id": "q", "index_date": None}])
OLD, NEW = {"start": date(2012, 5, 1)}, {"start": date(2023, 5, 1)}


@pytest.mark.parametrize(("rows", "years"), [
    ([OLD], [12]), ([NEW], [None]), ([{"start": date(2022, 6, 2)}], [None]), ([{"start": date(2022, 5, 30)}], [2]),
    ([OLD, NEW], [None, None]), ([OLD, NEW | {"active": False}], [None, None]),
    ([OLD, {"start": date(2020, 1, 1), "active": False}], [4, None]),
    ([OLD | {"recorded": date(2024, 1, 1)}], [None]), ([OLD | {"recorded": date(2030, 1, 1)}], [12]),
    ([OLD | {"end": date(2025, 1, 1)}], [None]), ([OLD | {"active": False}], [None]),
    ([OLD | {"active": None}], [None]),
    ([{"start": None}], [None]), ([OLD | {"patient_id": "q"}], [None]), ([OLD, NEW | {"patient_id": "q"}], [12, None]),
    ([OLD | {"ingredients": None}, NEW | {"ingredients": None}], [None, None]),
    ([OLD | {"ingredients": None}, NEW | {"ingredients": None, "display": "y"}], [12, None]),
    ([OLD | {"ingredients": ["aspirin"]}, NEW], [12, None])])
def test_how_old_an_entry_is(rows: list[dict[str, Any]], years: list[int | None]) -> None:
    marked = with_years(medications(*rows), PATIENTS)
    assert marked["years_since_entry"].to_list() == years
    assert marked.drop("years_since_entry").equals(medications(*rows))


def test_a_drug_is_old_where_no_newer_entry_has_it() -> None:
    both = medications(OLD | {"ingredients": ["aspirin", "warfarin"]}, NEW)
    assert old_drugs(both, PATIENTS).rows() == [("p", "aspirin", 12)]
    assert old_drugs(medications(), PATIENTS).is_empty()


def record(tmp_path: Path, *orders: tuple[str, str]) -> Path:
    entries = [{"resourceType": "Patient", "id": "p", "birthDate": "1950-01-01"}, *({
        "resourceType": "MedicationRequest", "id": f"m{number}", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": day, "medicationCodeableConcept": {"text": name}}
        for number, (name, day) in enumerate(orders))]
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection",
                                "entry": [{"resource": one} for one in entries]}), "utf-8")
    return file


def test_it_counts_and_whatever_rests_on_it_carries_the_doubt(tmp_path: Path) -> None:
    history = record(tmp_path, ("Fluconazole 100 mg", "2012-05-01"), ("Warfarin 5 mg", "2024-05-01"))
    result = pmed.run(history=[history], index_date="2024-06-01")
    assert result.tables["medications"]["active"].to_list() == [True, True]
    issues = result.tables["issues"].filter(code="old-entry")
    assert issues["text"].to_list() == [
        "nothing was recorded about 'Fluconazole 100 mg' for 12 years, and it is listed as taken: please ask whether "
        "it still is"]
    cautions = {drug: [one["text"] for one in said if one["code"] == "old-entry"]
                for drug, said in result.suggestions.select("drug", "cautions").iter_rows()}
    assert cautions["warfarin"] == [
        "Nothing was recorded about fluconazole for 12 years: ask whether it is still taken."]
    assert not cautions.get("amoxicillin")
    text = HtmlExporter().export(result).decode("utf-8")
    assert text.count("last entry 12 years ago") == 1


def test_nothing_is_said_of_what_is_new(tmp_path: Path) -> None:
    history = record(tmp_path, ("Fluconazole 100 mg", "2012-05-01"), ("Fluconazole 200 mg", "2024-05-01"))
    result = pmed.run(history=[history], index_date="2024-06-01")
    assert "old-entry" not in result.tables["issues"]["code"].to_list()

"""A height or weight that is too old to count: who is told that it is needed is told that there is one."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pmed.render.view import _name
from pmed.stages.predict import aged_measures
from pmed.tables import TABLES, Tables

TODAY = date(2024, 6, 1)


def tables(*measures: tuple[str, float, str, date]) -> Tables:
    rows = [{"patient_id": "p", "row": number, "system": "http://loinc.org", "code": code, "value": value,
             "unit": unit, "start": day, "status": "final"} for number, (code, value, unit, day) in enumerate(measures)]
    return {"observations": TABLES["observations"].frame(rows), "patients": TABLES["patients"].frame([
        {"patient_id": "p", "birth_date": date(1990, 1, 1), "index_date": TODAY}])}


def reason(said: str, found: Tables, status: str = "not-assessed") -> str:
    row = {"patient_id": "p", "predictor": "toy", "target": "t", "status": status, "reason": said}
    other = row | {"target": "u", "reason": "needs age"}
    first, second = aged_measures(TABLES["predictions"].frame([row, other]), found)["reason"]
    assert second == "needs age"
    return str(first)


WEIGHT = ("29463-7", 70.0, "kg", date(2022, 6, 1))
HEIGHT = ("8302-2", 120.0, "cm", date(2000, 6, 1))
OLD_WEIGHT = "the last weight (70 kg, of 731 days ago) is too old to count"
OLD_HEIGHT = "the last height (120 cm, of 8766 days ago) is too old to count"


@pytest.mark.parametrize(("said", "more"), [
    ("needs weight", [OLD_WEIGHT]), ("needs age, height, weight, genotype:x", [OLD_WEIGHT, OLD_HEIGHT]),
    ("needs height; age 3 is outside 18 to 99", [OLD_HEIGHT]), ("needs body-weight", []),
    ("weight 900 is outside 1 to 300; needs age", []), ("it takes weight, needs sex", [])])
def test_the_reason_says_that_there_is_one_and_how_old(said: str, more: list[str]) -> None:
    assert set(reason(said, tables(WEIGHT, HEIGHT)).removeprefix(said).strip("; ").split("; ")) - {""} == {*more}


def test_where_there_is_none_the_reason_is_as_it_was() -> None:
    assert reason("needs weight", tables()) == "needs weight"
    assert reason("needs weight", tables(HEIGHT)) == "needs weight"
    young = ("29463-7", 71.0, "kg", date(2024, 5, 1))
    assert reason("needs weight", tables(WEIGHT, young)) == "needs weight"


@pytest.mark.parametrize(("feature", "value", "said"), [
    ("sex", "female", "female sex"), ("sex", "male", "male sex"), ("sex", None, "sex"), ("age", "45", "age 45")])
def test_sex_reads_well_in_a_sentence(feature: str, value: str | None, said: str) -> None:
    assert _name(feature, value, {}, {}) == said


def test_patients_without_a_record_stay_as_they_are() -> None:
    rows = TABLES["predictions"].frame([{"patient_id": "q", "predictor": "toy", "target": "t",
                                         "status": "not-assessed", "reason": "needs weight"}])
    assert aged_measures(rows, {})["reason"].to_list() == ["needs weight"]
    assert aged_measures(rows, tables(WEIGHT)).select(pl.col("reason")).item() == "needs weight"

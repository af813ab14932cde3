"""What is aimed at: goals of a record become observations under codes of their own, and the target INR a feature."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import pmed
from pmed.features.derived_step import DerivedFeatures
from pmed.features.history import HistoryFeatures
from pmed.normalise.units import GOALS, canonical_units
from pmed.sources.fhir import FhirSource
from pmed.sources.tabular import TableSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-07-03"}
DAY = "2024-06-15"
INR = {"coding": [{"system": "http://loinc.org", "code": "6301-6", "display": "INR in Platelet poor plasma"}]}
Json = dict[str, Any]


def inr(value: float, **more: str) -> Json:
    return {"value": value, "unit": "{INR}", "system": "http://unitsofmeasure.org", "code": "{INR}"} | more


def between(low: float, high: float) -> Json:
    return {"detailRange": {"low": inr(low), "high": inr(high)}}


def goal(target: Json | list[Json], **more: Any) -> Json:
    """As an anticoagulation clinic's system writes it."""
    targets = target if isinstance(target, list) else [{"measure": INR} | target]
    return {"resourceType": "Goal", "id": "g1", "lifecycleStatus": "active", "startDate": "2024-05-02",
            "description": {"text": "INR in the therapeutic range"}, "subject": {"reference": "Patient/p1"},
            "achievementStatus": {"text": "in progress"}, "target": targets} | more


def read(folder: Path, *resources: Json) -> dict[str, pl.DataFrame]:
    path = folder / "b.json"
    entries = [{"resource": one} for one in (PATIENT, *resources)]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}), encoding="utf-8")
    return FhirSource().read([path], ReadRequest(TABLES["sites"].empty(), index_date=DAY))


def target(tables: dict[str, pl.DataFrame]) -> float | None:
    found: float | None = DerivedFeatures().run(tables, ["target-inr"])["features"]["target-inr"].item()
    return found


def test_a_range_is_its_middle_and_no_measured_value(tmp_path: Path) -> None:
    tables = read(tmp_path, goal(between(2.5, 3.5)))
    row = tables["observations"].row(0, named=True)
    assert (row["system"], row["code"], row["display"]) == (GOALS, "goal:6301-6", "Goal: INR in Platelet poor plasma")
    assert (row["value"], row["unit"], row["value_text"], row["status"]) == (3.0, "{INR}", "2.5 to 3.5", "active")
    assert str(row["start"]) == "2024-05-02"
    assert tables["issues"].is_empty()
    assert target(tables) == 3.0
    found = HistoryFeatures().run(tables, ["observation:6301-6", "observation:goal:6301-6"])["features"]
    assert found.row(0)[1:] == (None, 3.0)


@pytest.mark.parametrize(("made", "wanted"), [
    (goal({"detailQuantity": inr(2.5)}), 2.5),
    (goal({"detailQuantity": inr(2.5, comparator="<")}), None),
    (goal({"detailRange": {"low": inr(2)}}), None),
    (goal(between(3, 2)), None),
    (goal({"detailRange": {"low": inr(2), "high": inr(3, code="%", unit="%")}}), None),
    (goal({"detailQuantity": inr(70, code="%", unit="%")}), None),  # Quick's percentage is no INR
    (goal({"detailQuantity": inr(250)}), None),
    (goal({"detailString": "2 to 3"}), None),
    (goal([]), None),
    (goal([{"detailRange": {"low": inr(2), "high": inr(3)}}]), None),  # of what is not said
    (goal(between(2, 3), lifecycleStatus="planned"), 2.5),
    (goal(between(2, 3), lifecycleStatus="proposed"), None),
    (goal(between(2, 3), lifecycleStatus="on-hold"), None),
    (goal(between(2, 3), lifecycleStatus="completed"), None),
    (goal(between(2, 3), lifecycleStatus="entered-in-error"), None),
    (goal(between(2, 3), startDate="2024-07-01"), None),  # after the index date
    (goal(between(2, 3), startDate=None, statusDate="2024-05-01"), 2.5),
    (goal(between(2, 3), startDate=None), None),
    (goal([{"measure": {"coding": [{"system": "http://loinc.org", "code": "38875-1"}]}, **between(2, 3)}]), 2.5),
    (goal([{"measure": {"coding": [{"system": "http://loinc.org", "code": "34714-6"}]}, **between(2, 3)}]), 2.5)])
def test_what_says_what_is_aimed_at(tmp_path: Path, made: Json, wanted: float | None) -> None:
    assert target(read(tmp_path, made)) == wanted


def test_the_newest_goal_counts_and_each_target_is_a_row(tmp_path: Path) -> None:
    weight = {"measure": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
              "detailQuantity": {"value": 176.37, "code": "[lb_av]", "system": "http://unitsofmeasure.org"}}
    tables = read(tmp_path, goal([{"measure": INR, **between(2.5, 3.5)}, weight]),
                  goal(between(2, 3), id="g0", startDate="2023-01-01"))
    assert target(tables) == 3.0
    rows, _ = canonical_units(tables["observations"])
    assert rows["canonical_code"].to_list() == ["goal:6301-6", "goal:29463-7", "goal:6301-6"]
    assert rows["value"][1] == pytest.approx(80, abs=0.01)


def test_odd_goals_are_told(tmp_path: Path) -> None:
    tables = read(tmp_path, goal(between(3, 2)), goal({"detailQuantity": inr(250)}, id="g2"))
    assert tables["issues"].select("severity", "code", "place").row(0) == (
        "warning", "bad-range", "entry[1] Goal/g1 $.target[0].detailRange")
    assert tables["observations"]["value_text"].to_list() == ["3 to 2", None]
    assert canonical_units(tables["observations"])[1].select("code", "text").rows() == [
        ("implausible-value", "INR 250.0 {INR}: outside 0.4 to 20 1, not used")]


def test_a_goal_given_twice_is_used_once(tmp_path: Path) -> None:
    tables = read(tmp_path, goal(between(2, 3)), goal(between(2, 3)), goal([], id="g3"), goal([], id="g3"))
    assert tables["observations"].height == 1
    assert tables["issues"]["code"].to_list() == ["duplicate-resource"]


def test_a_table_says_it_with_the_code_of_a_goal(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("id,date,inr,inr_target\np1,2024-05-02,1.1,3\n", encoding="utf-8")
    mapping = tmp_path / "x.mapping.toml"
    mapping.write_text('[[file]]\npath = "l.csv"\ntable = "observations"\n[file.columns]\npatient_id = "id"\nstart = '
                       '"date"\n[file.measurements.inr]\ncode = "6301-6"\nunit = "1"\n[file.measurements.inr_target]\n'
                       'code = "goal:6301-6"\nunit = "1"\n', encoding="utf-8")
    tables = TableSource().read([mapping], ReadRequest(TABLES["sites"].empty(), index_date=DAY))
    assert tables["observations"]["system"].to_list() == ["http://loinc.org", GOALS]
    assert target(tables) == 3.0
    assert HistoryFeatures().run(tables, ["observation:6301-6"])["features"]["observation:6301-6"].item() == 1.1


def test_a_higher_target_on_record_is_a_higher_dose(tmp_path: Path) -> None:
    """From a whole record to the dose: what is on record is what the model is told."""
    demo = files("pmed.demo")
    genome, record = tmp_path / "w.vcf", json.loads(demo.joinpath("warfarin.json").read_text("utf-8"))
    genome.write_bytes(demo.joinpath("warfarin.vcf").read_bytes())
    name = next(one["resource"]["id"] for one in record["entry"] if one["resource"]["resourceType"] == "Patient")
    doses = []
    for ends in (None, (2.0, 3.0), (2.5, 3.5), (4.5, 5.5)):
        made = [] if ends is None else [{"resource": goal(between(*ends), subject={"reference": f"Patient/{name}"})}]
        path = tmp_path / "r.json"
        path.write_text(json.dumps(record | {"entry": [*record["entry"], *made]}), encoding="utf-8")
        row = pmed.run([genome], [path]).tables["predictions"].row(by_predicate=pl.col("predictor") == "warfarin-dose",
                                                                   named=True)
        doses.append((row["value"], row["reason"]))
    assert doses[0] == doses[1]
    assert doses[2][0] > doses[1][0] + 0.5
    assert doses[3] == (None, "target-inr 5 is outside 1.5 to 4 INR")

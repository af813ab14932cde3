from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import msgspec
import pytest

from pmed.render.json import JsonExporter
from pmed.render.view import age_at
from pmed.result import Result
from pmed.schema import json_schemas
from tests import render_cases as cases


def exported(result: Result) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(JsonExporter().export(result))
    return decoded


def test_format_has_the_promised_keys() -> None:
    whole = exported(cases.full())
    assert whole["format"] == "pmed/result/1"
    (ann,) = whole["patients"]
    assert {"patient_id", "suggestions", "genes", "predictions", "not_assessed", "failures"} <= set(ann)
    promised = {"drug", "current", "action", "urgency", "strength", "text", "dose_factor", "evidence", "explanation",
                "alternatives", "cautions"}
    assert all(promised <= set(row) for row in ann["suggestions"])
    assert ann["genes"]["ABC1"]["present_phenotype"] == "Very slow"
    assert ann["genes"]["ABC1"]["because"] == ["yolk"]
    assert ann["genes"]["DEF2"]["because"] == []
    assert ann["record"]["birth_date"] == "1960-05-02"
    assert ann["record"]["age"] == 65
    assert whole["provenance"]["pmed"] == "0.1.0"


def test_json_is_what_its_schema_says() -> None:
    rules = jsonschema.Draft202012Validator(json_schemas()["pmed-result-1"])
    assert [fault.message for fault in rules.iter_errors(exported(cases.full()))] == []
    assert not rules.is_valid({**exported(cases.full()), "format": "pmed/result/2"})


def test_explanation_is_additive_and_has_its_trace_in_order() -> None:
    rows = {row["drug"]: row for row in exported(cases.full())["patients"][0]["suggestions"]}
    told = rows["zappa"]["explanation"]
    total = told["baseline"] + sum(one["contribution"] for one in told["contributions"])
    assert total == pytest.approx(told["prediction"], abs=1e-6)
    assert told["trace"] == ["First step.", "Second step."]
    assert told["contributions"][0] == {
        "feature": "phenotype:ABC1", "value": "changed", "reference": "usual", "contribution": 2.5}
    assert rows["queer"]["explanation"] is None


def test_predictions_have_an_interval_or_null() -> None:
    rows = {row["target"]: row for row in exported(cases.full())["patients"][0]["predictions"]}
    assert rows["ten-year-luck"]["interval"] == [8.0, 20.0]
    assert rows["ten-year-luck"]["kind"] == "risk"
    assert rows["weekly-dose"]["interval"] is None
    assert rows["weekly-dose"]["value"] is None
    assert rows["weekly-dose"]["status"] == "not-assessed"


def test_everything_not_assessed_is_listed_once_with_a_reason() -> None:
    gaps = exported(cases.full())["patients"][0]["not_assessed"]
    assert {gap["what"] for gap in gaps} == {
        "DEF2", "GHI3", "queer", "weekly-dose", "Mystery forte", "Plain pill", "dark", "unheard"}
    assert len(gaps) == 8
    assert all(gap["reason"] for gap in gaps)


def test_what_was_asked_for_and_looked_at_is_told_apart_from_what_nobody_knows() -> None:
    rows = cases.full_rows()
    before = exported(cases.result(rows, settings={"drugs": ["unheard"]}))["patients"][0]["not_assessed"]
    rows["predictions"].append(cases.prediction("checks", "unheard", None, status="not-applicable",
                                              reason="nothing was found"))
    after = exported(cases.result(rows, settings={"drugs": ["unheard"]}))["patients"][0]["not_assessed"]
    assert [next(gap["reason"] for gap in gaps if gap["what"] == "unheard") for gaps in (before, after)] == [
        "no installed plugin gives advice on unheard",
        "no gene advice exists for unheard; nothing was found"]


@pytest.mark.parametrize(("value", "label", "card", "said"), [
    (2.0, "high", {"raised": 2.0}, "; raised, and not weighed against it: hyperkalaemia risk (high); no reason given"),
    (7.25, None, {"raised": 5.0},
     "; raised, and not weighed against it: hyperkalaemia risk (7.25 level); no reason given"),
    (1.0, "low", {"raised": 2.0}, "; no reason given"),
    (2.0, "high", {}, "; no reason given"),
    (None, None, {"raised": 2.0}, "; no reason given")])
def test_a_raised_risk_is_not_contradicted(value: float | None, label: str | None, card: dict[str, Any],
                                           said: str) -> None:
    rows = cases.full_rows()
    rows["medications"] = [cases.medicine(1, "Unheard 5 mg", ["unheard"])]
    reason = None if value else "needs it"
    rows["predictions"] += [
        cases.prediction("checks", "unheard", None, status="not-applicable"),
        cases.prediction("potassium", "hyperkalaemia-risk", value, label=label, unit="level", reason=reason)]
    about = {"kind": "risk", "gives": ["hyperkalaemia-risk"], "card": card}
    made = exported(cases.result(rows, predictors={"potassium": about}, settings={"drugs": ["unheard"]}))
    patient = made["patients"][0]
    reasons = {gap["what"]: gap["reason"] for gap in patient["not_assessed"]}
    assert reasons["Unheard 5 mg"] == f"no gene advice exists for unheard{said}"
    assert reasons["unheard"] == reasons["Unheard 5 mg"]
    assert patient["predictions"][-1]["raised"] is ("raised" in said)


def test_half_covered_combination_and_renewed_order_are_each_one_gap() -> None:
    rows = cases.full_rows()
    rows["medications"] = [cases.medicine(1, "Duo", ["yolk", "plain"]), cases.medicine(2, "Plain pill", ["plain"]),
                           cases.medicine(3, "Plain pill", ["plain"])]
    gaps = exported(cases.result(rows))["patients"][0]["not_assessed"]
    assert [(gap["what"], gap["reason"]) for gap in gaps if gap["kind"] == "medicine"] == [
        ("Duo", "no installed plugin gives advice on plain"),
        ("Plain pill", "no installed plugin gives advice on plain")]


def test_missing_inputs_are_gaps() -> None:
    rows = cases.full_rows()
    nobody = cases.result({"samples": rows["samples"]})
    assert [gap["what"] for gap in exported(nobody)["patients"][0]["not_assessed"]] == ["patient record"]
    record = cases.result({"patients": rows["patients"]})
    assert [gap["what"] for gap in exported(record)["patients"][0]["not_assessed"]] == ["genome"]


def test_patients_are_sorted_and_keep_their_own_rows() -> None:
    rows = cases.full_rows()
    rows["samples"].append({**rows["samples"][0], "sample": "S0", "patient_id": "aaron"})
    rows["suggestions"].append(cases.suggestion("zappa", "standard", patient_id="aaron"))
    aaron, ann = exported(cases.result(rows))["patients"]
    assert (aaron["patient_id"], ann["patient_id"]) == ("aaron", "ann")
    assert [row["action"] for row in aaron["suggestions"]] == ["standard"]
    assert aaron["record"] is None
    assert aaron["genes"] == {}
    assert aaron["issues"] == []


def test_messages_of_failures_stay_out_where_they_may_be_about_somebody_else() -> None:
    alone = exported(cases.full())["patients"][0]["failures"][0]
    assert alone["message"] == "division by zero"
    rows = cases.full_rows()
    rows["samples"].append({**rows["samples"][0], "sample": "S0", "patient_id": "aaron"})
    both = Result(cases.result(rows).tables, cases.full().failures)
    assert [one["failures"][0]["message"] for one in exported(both)["patients"]] == ["", ""]


def test_what_json_cannot_hold_is_null() -> None:
    rows = cases.full_rows()
    rows["predictions"][2]["low"] = float("nan")
    assert exported(cases.result(rows))["patients"][0]["predictions"][2]["interval"] == [None, 20.0]


def test_assumed_reference_sites_are_counted() -> None:
    rows = cases.full_rows()
    site = {"sample": "S1", "chrom": "chr1", "ref": "A", "alt": "C"}
    rows["genotypes"] = [{**site, "pos": 1, "state": "assumed-reference"}, {**site, "pos": 2, "state": "absent"},
                         {**site, "pos": 3, "state": "called"}]
    assert exported(cases.result(rows))["patients"][0]["samples"][0]["assumed_reference_sites"] == 1


@pytest.mark.parametrize("tables", [{}, {"patients", "samples"}])
def test_nobody_at_all_is_an_empty_list(tables: set[str]) -> None:
    everything = cases.result({}).tables
    assert exported(Result({name: everything[name] for name in tables}))["patients"] == []


@pytest.mark.parametrize(("birth", "day", "age"), [
    (date(1960, 5, 2), date(2026, 5, 1), 65), (date(1960, 5, 2), date(2026, 5, 2), 66),
    (date(2000, 2, 29), date(2026, 2, 28), 25), (None, date(2026, 1, 1), None), (date(2026, 1, 1), None, None),
    (date(1906, 1, 2), date(2026, 1, 1), 119), (date(1906, 1, 1), date(2026, 1, 1), None),
    (date(2026, 1, 2), date(2026, 1, 1), None)])
def test_age_in_completed_years(birth: date | None, day: date | None, age: int | None) -> None:
    assert age_at(birth, day) == age

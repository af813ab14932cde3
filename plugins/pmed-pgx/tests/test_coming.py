"""What is ordered and yet to begin, or perhaps taken, and what it will do to the medicines taken now."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed.tables import TABLES
from pmed_pgx.checks import covered, doubtful
from pmed_pgx.explainer import attributed, game
from pmed_pgx.medicines import PresentPhenotypes
from pmed_pgx.outcomes import outcome
from pmed_pgx.wording import advice, because, cautions, to_ask

TODAY = date(2026, 1, 15)
CYP, NORMAL, POOR = "phenotype:CYP2D6", "Normal Metabolizer", "Poor Metabolizer"
STRONG = "CYP3A4-strong-inhibitor"


def features(*rows: dict[str, Any]) -> dict[str, Any]:
    """What a record with those entries says of two inputs."""
    listed = [{"patient_id": "p", "row": at, "active": True, **row} for at, row in enumerate(rows)]
    made = PresentPhenotypes().run({
        "patients": TABLES["patients"].frame([{"patient_id": "p", "index_date": TODAY}]),
        "medications": TABLES["medications"].frame(listed), "allergies": TABLES["allergies"].empty(),
        "gene_results": TABLES["gene_results"].frame([{"patient_id": "p", "gene": "CYP2D6", "status": "called",
                                                       "phenotype": NORMAL, "activity_score": 2.0, "complete": True}])},
        ["modifiers:CYP2D6", f"taking:{STRONG}", "taking:ssri-or-snri"])
    return {**made["features"].row(0, named=True), "present": made["present_phenotypes"].filter(gene="CYP2D6")}


def ordered(name: str, days: int, **more: Any) -> dict[str, Any]:
    return {"ingredients": [name], "kind": "order", "status": "active", "active": False,
            "start": TODAY + timedelta(days=days), **more}


@pytest.mark.parametrize(("row", "said"), [
    (ordered("clarithromycin", 7), "clarithromycin|to begin"),
    (ordered("clarithromycin", 90), "clarithromycin|to begin"),
    (ordered("clarithromycin", 91), ""), (ordered("clarithromycin", 7, status="cancelled"), ""),
    (ordered("clarithromycin", 7, route="Topical"), ""),
    ({"ingredients": ["clarithromycin"], "active": None}, "clarithromycin|perhaps taken"),
    ({"ingredients": ["clarithromycin"]}, "clarithromycin")])
def test_a_class_says_who_is_in_it_for_certain(row: dict[str, Any], said: str) -> None:
    assert features(row)[f"taking:{STRONG}"] == said


def test_what_is_to_begin_changes_no_phenotype_today() -> None:
    found = features(ordered("paroxetine", 7))
    assert found["modifiers:CYP2D6"] == "paroxetine|inhibitor|strong|to begin"
    row = found["present"].row(0, named=True)
    assert (row["present_phenotype"], row["because"], row["reverts_after"]) == (NORMAL, [], None)
    assert "ordered and yet to begin" in row["acting"][0]


def test_the_dose_of_an_order_counts_before_it_begins() -> None:
    assert "moderate" not in features(ordered("sertraline", 7, daily_dose=50.0, dose_unit="mg"))["modifiers:CYP2D6"]
    assert "moderate" in features(ordered("sertraline", 7))["modifiers:CYP2D6"]


@pytest.mark.parametrize("stopped", [3, 600])
def test_what_was_stopped_once_and_is_perhaps_taken_again_is_perhaps_taken(stopped: int) -> None:
    old = {"ingredients": ["paroxetine"], "active": False, "end": TODAY - timedelta(days=stopped)}
    found = features(old, {"ingredients": ["paroxetine"], "active": None})
    # Three days after the last dose it surely acts still.
    state = "stopped" if stopped == 3 else "perhaps taken"
    assert found["modifiers:CYP2D6"] == f"paroxetine|inhibitor|strong|{state}"
    assert found["taking:ssri-or-snri"] == "paroxetine|perhaps taken"


@pytest.mark.parametrize(("entry", "action", "begins"), [
    ("clarithromycin", "avoid", "Do not give"),
    ("clarithromycin|to begin", "monitor", "Once clarithromycin is taken: Do not give"),
    ("clarithromycin|perhaps taken", "monitor", "If clarithromycin is taken: Do not give"),
    ("clarithromycin|to begin;itraconazole", "avoid", "Do not give")])
def test_a_check_is_foreseen(entry: str, action: str, begins: str) -> None:
    one = outcome(covered()["simvastatin"], {f"taking:{STRONG}": entry, "phenotype:SLCO1B1": "Normal Function"})
    assert one.lead
    assert (one.lead.action, one.lead.strength) == (action, "strong")
    assert begins in str(advice(one))
    assert "clarithromycin" in str(because(one)) or ";" in entry
    assert one.lead.evidence


def test_what_is_foreseen_is_told_beside_a_gene_that_is_not_known() -> None:
    one = outcome(covered()["simvastatin"], {f"taking:{STRONG}": "clarithromycin|to begin"})
    assert one.lead is None
    assert "Once clarithromycin is taken: Do not give" in cautions(one)[0]["text"]


def test_a_row_of_the_guideline_is_foreseen() -> None:
    known = {CYP: NORMAL, "activity-score:CYP2D6": 2.0, "modifiers:CYP2D6": "paroxetine|inhibitor|strong|to begin",
             "age": 50.0, "egfr": 90.0}
    one = outcome(covered()["codeine"], known)
    assert one.lead
    assert (one.lead.action, one.lead.dose_factor) == ("monitor", None)
    assert str(advice(one)).startswith("Once paroxetine is taken: Do not use codeine")
    assert str(because(one)).startswith("once paroxetine is taken: hardly any")
    assert one.applied[0].action == "standard"
    poor = outcome(covered()["codeine"], {**known, CYP: POOR, "activity-score:CYP2D6": 0.0})
    assert poor.lead
    assert poor.lead.action == "avoid"
    assert "Once" not in str(advice(poor))


@pytest.mark.parametrize(("entry", "phenotype", "asked"), [
    ("paroxetine|inhibitor|strong|perhaps taken", NORMAL, "paroxetine"),
    ("paroxetine|inhibitor|strong|taken", NORMAL, ""),
    ("paroxetine|inhibitor|strong|perhaps taken", None, ""), ("", None, "")])
def test_what_is_perhaps_taken_is_to_be_asked_for_where_it_alone_leaves_a_gene_open(
        entry: str, phenotype: str | None, asked: str) -> None:
    known = {CYP: phenotype, "activity-score:CYP2D6": phenotype and 2.0, "modifiers:CYP2D6": entry, "age": 50.0,
             "egfr": 90.0}
    assert to_ask(outcome(covered()["codeine"], known)) == asked


def test_a_drug_that_is_to_begin_is_not_foreseen_beside_itself() -> None:
    one = outcome(covered()["paroxetine"], {"taking:ssri-or-snri": "paroxetine|to begin"})
    assert not one.checks


def test_a_dose_that_may_be_too_low_is_no_doubt_whether_it_is_taken() -> None:
    assert doubtful({"modifiers:CYP2D6": "sertraline|inhibitor|moderate|perhaps taken", "taking:a": "sertraline"}) == {}


@settings(deadline=None, max_examples=60)
@given(st.fixed_dictionaries({
    CYP: st.sampled_from([None, NORMAL, POOR]),
    "modifiers:CYP2D6": st.sampled_from(["", "paroxetine|inhibitor|strong|to begin",
                                         "bupropion|inhibitor|strong|taken;paroxetine|inhibitor|strong|to begin"]),
    "taking:CYP2D6-strong-inhibitor": st.sampled_from([None, "", "paroxetine|to begin", "paroxetine|perhaps taken",
                                                       "bupropion;paroxetine|to begin"]),
    "heart-rate": st.sampled_from([None, 45.0])}), st.sampled_from(["metoprolol", "codeine", "tamoxifen", "tramadol"]))
def test_what_is_foreseen_is_explained(known: dict[str, Any], name: str) -> None:
    one = outcome(covered()[name], known)
    _, total, added = attributed(game(one))
    if one.lead:
        assert total == one.lead.concern
    if "paroxetine" in str(because(one)):
        assert "on:paroxetine" in added

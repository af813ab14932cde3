"""What if: the same as a run over other input, told as a difference; and what cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.demo import patients
from pmed.errors import OptionError, ResultError
from pmed.render.json import JsonExporter
from pmed.result import Result
from pmed.settings import Settings
from pmed.tables import TABLES

STENT = next(one for one in patients() if one.name == "stent")
# LOINC and unit as a laboratory would send them, not as `pmed.whatif` has them
SENT = {"weight": ("29463-7", "kg"), "height": ("8302-2", "cm"), "creatinine": ("2160-0", "mg/dL"),
        "potassium": ("2823-3", "mmol/L"), "inr": ("6301-6", "{INR}"), "heart_rate": ("8867-4", "/min")}
SAID = ("drug", "current", "action", "urgency", "strength", "concern", "text", "why", "alternatives")


@pytest.fixture(scope="module")
def result() -> Result:
    return pmed.run(STENT.genome, STENT.history)


def without(ingredient: str, folder: Path) -> Path:
    """The patient's bundle without the orders of a medicine."""
    bundle = json.loads(Path(STENT.history).read_text("utf-8"))
    bundle["entry"] = [one for one in bundle["entry"] if ingredient not in json.dumps(
        one["resource"].get("medicationCodeableConcept", "")).lower()]
    path = folder / "record.json"
    path.write_text(json.dumps(bundle), "utf-8")
    return path


def same(one: Result, other: Result) -> None:
    for made in (one, other):
        assert not made.failures
    frames = [made.suggestions.select(SAID).sort("drug") for made in (one, other)]
    assert_frame_equal(*frames)


@pytest.mark.parametrize("name", ["clopidogrel", "omeprazole", "metoprolol"])
def test_a_stopped_medicine_is_a_run_without_it(name: str, result: Result, tmp_path: Path) -> None:
    same(result.what_if(stop=name).after, pmed.run(STENT.genome, without(name, tmp_path)))


def test_who_stops_the_only_medicine_takes_none(tmp_path: Path) -> None:
    """An empty list of medicines would leave unknown what is taken."""
    bundle = json.loads(Path(STENT.history).read_text("utf-8"))
    drugs = [one for one in bundle["entry"] if one["resource"]["resourceType"].startswith("Medication")]
    one = next(one for one in drugs if "clopidogrel" in json.dumps(one).lower())
    bundle["entry"] = [entry for entry in bundle["entry"] if entry not in drugs or entry is one]
    (tmp_path / "one.json").write_text(json.dumps(bundle), "utf-8")
    after = pmed.run(STENT.genome, tmp_path / "one.json").what_if(stop="clopidogrel").after
    assert after.tables["features"]["on:amiodarone"].to_list() == [False]
    gaps = json.loads(JsonExporter().export(after))["patients"][0]["not_assessed"]
    assert "no known medications" not in str(gaps)


def added(folder: Path, *resources: dict[str, object]) -> Path:
    """The patient's bundle with more resources in it."""
    bundle = json.loads(Path(STENT.history).read_text("utf-8"))
    patient = next(one["resource"]["id"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient")
    bundle["entry"] += [{"resource": {**one, "subject": {"reference": f"Patient/{patient}"}}} for one in resources]
    path = folder / "more.json"
    path.write_text(json.dumps(bundle), "utf-8")
    return path


def as_measured(name: str, value: float, day: str) -> dict[str, object]:
    code, unit = SENT[name]
    return {"resourceType": "Observation", "status": "final", "effectiveDateTime": day,
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}}


def all_same(one: Result, other: Result) -> None:
    same(one, other)
    for table in ("predictions", "explanations", "traces", "suggestions"):
        assert_frame_equal(one.tables[table], other.tables[table])


@pytest.mark.parametrize(("name", "value"), [
    ("creatinine", 3.1), ("weight", 48.0), ("potassium", 2.9), ("inr", 5.0), ("heart_rate", 44.0), ("height", 150.0)])
def test_a_measure_is_a_run_over_a_record_with_it(name: str, value: float, result: Result, tmp_path: Path) -> None:
    day = str(result.tables["patients"]["index_date"][0])
    history = added(tmp_path, as_measured(name, value, day))
    asked = result.what_if(**{name: value})
    all_same(asked.after, pmed.run(STENT.genome, history, index_date=day))
    code = SENT[name][0]
    assert asked.after.tables["features"].height == 1
    if f"latest:{code}" in asked.after.tables["features"].columns:
        assert asked.after.tables["features"][f"latest:{code}"].to_list() == [value]


def test_a_stopped_medicine_that_only_could_be_it_is_a_run_without(result: Result, tmp_path: Path) -> None:
    """Code and text disagree: the row could be either, and neither is left when one is stopped."""
    odd = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "authoredOn": "2026-01-10",
           "medicationCodeableConcept": {"text": "Fluconazole 150 MG", "coding": [{
               "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "11289"}]}}
    doubtful = pmed.run(STENT.genome, added(tmp_path, odd))
    row = doubtful.tables["medications"].filter(pl.col("possible_ingredients").is_not_null())
    assert row["possible_ingredients"].to_list() == [["fluconazole", "warfarin"]]
    assert row["ingredients"].to_list() == [None]
    assert doubtful.suggestions.filter(drug="warfarin")["current"].to_list() == [True]
    for name in ("warfarin", "fluconazole"):
        all_same(doubtful.what_if(stop=name).after, result)


def test_a_genotype_takes_the_place_of_what_another_tool_said(result: Result, tmp_path: Path) -> None:
    """Only of that gene: the other gene's call stays."""
    calls = tmp_path / "calls.tsv"
    calls.write_text("CYP2C19\t*2/*2\nCYP2D6\t*4/*4\n", "utf-8")
    told = pmed.run(STENT.genome, STENT.history, outside_calls=calls)
    calls.write_text("CYP2D6\t*4/*4\nCYP2C19\t*17/*17\n", "utf-8")
    after = told.what_if(genotype={"CYP2C19": "*17/*17"}).after
    all_same(after, pmed.run(STENT.genome, STENT.history, outside_calls=calls))
    found = dict(after.tables["gene_results"].select("gene", "phenotype").rows())
    assert (found["CYP2C19"], found["CYP2D6"]) == ("Ultrarapid Metabolizer", "Poor Metabolizer")


def test_one_of_two_patients_is_asked_by_name(result: Result) -> None:
    """The other one's medicines and results are neither changed nor looked at."""
    keyed = {name: frame for name, frame in result.tables.items() if "patient_id" in frame.columns}
    other = {name: frame.with_columns(patient_id=pl.lit("other")) for name, frame in keyed.items()}
    two = Result({**result.tables, **{name: pl.concat([keyed[name], frame]) for name, frame in other.items()}},
                 (), result.provenance)
    asked = two.what_if(patient_id="other", stop="clopidogrel")
    assert set(asked.after.suggestions["patient_id"]) == {"other"}
    mine = result.what_if(stop="clopidogrel").after.suggestions.with_columns(patient_id=pl.lit("other"))
    assert_frame_equal(asked.after.suggestions, mine)
    assert two.tables["medications"].height == 2 * result.tables["medications"].height
    with pytest.raises(OptionError, match="warfarin is not among the medicines on record") as caught:
        two.what_if(patient_id="other", stop="warfarin")
    assert str(caught.value).startswith("other")


def test_another_genotype_is_a_run_with_an_outside_call(result: Result, tmp_path: Path) -> None:
    calls = tmp_path / "calls.tsv"
    calls.write_text("CYP2C19\t*1/*1\n", "utf-8")
    after = result.what_if(genotype={"CYP2C19": "*1/*1"}).after
    same(after, pmed.run(STENT.genome, STENT.history, outside_calls=calls))
    # Omeprazole is still to be watched beside it.
    assert after.suggestions.filter(drug="clopidogrel")["action"].to_list() == ["monitor"]


def test_a_started_inhibitor_changes_the_phenotype_of_today(result: Result) -> None:
    asked = result.what_if(start="paroxetine")
    gene = asked.phenotypes.filter(gene="CYP2D6").row(0, named=True)
    assert gene["present_phenotype_after"] == "Poor Metabolizer"
    drug = asked.suggestions.filter(drug="metoprolol").row(0, named=True)
    assert (drug["action_before"], drug["action_after"]) == ("test", "adjust")
    assert asked.text.startswith("What if paroxetine is started?\nCYP2D6: unknown → Poor Metabolizer")
    assert str(asked.question) in repr(asked)
    assert pl.Series(["paroxetine"]).is_in(asked.after.suggestions.filter("current")["drug"].implode()).all()


def test_a_measure_changes_the_dose(result: Result) -> None:
    asked = result.what_if(weight=60)
    dose = asked.predictions.filter(target="warfarin-weekly-dose").row(0, named=True)
    assert dose["value_after"] < dose["value_before"]


def test_the_word_for_a_value_stands_beside_it(result: Result) -> None:
    worded = pl.when(pl.col("unit") != "concern level").then(pl.lit("as a word")).otherwise("label")
    told = Result({**result.tables, "predictions": result.tables["predictions"].with_columns(label=worded)},
                  result.failures, result.provenance)
    asked = told.what_if(creatinine=3.1)
    assert "ckd-epi-2021-egfr: 84.5 mL/min/1.73 m2 (as a word) → 21.2 mL/min/1.73 m2\n" in asked.text
    assert "(as a word)" in asked._repr_html_()
    assert asked.predictions.filter(pl.col("value_before") == pl.col("value_after")).is_empty()


def test_there_and_back_is_where_it_began(result: Result) -> None:
    before = result.suggestions.clone()
    there = result.what_if(start="fluconazole").after
    same(there.what_if(stop="fluconazole").after, result)
    assert_frame_equal(result.suggestions, before)


def test_a_result_that_was_saved_can_be_asked(result: Result, tmp_path: Path) -> None:
    loaded = Result.load(result.save(tmp_path / "saved"))
    assert loaded.what_if(stop="omeprazole").text == result.what_if(stop="omeprazole").text


def test_nothing_changes_where_nothing_does(result: Result) -> None:
    assert result.what_if(weight=74).after.suggestions.height == result.suggestions.height


@pytest.mark.parametrize(("asked", "words"), [
    ({"start": "paroxetime"}, "did you mean paroxetine"), ({"start": "moonshine"}, "no medicine is called 'moonshine'"),
    ({"stop": "warfarin"}, "warfarin is not among the medicines"), ({}, "nothing to change"),
    ({"shoe_size": 43}, "no measure is called 'shoe_size'")])
def test_what_cannot_be_asked_is_one_line(asked: dict[str, object], words: str, result: Result) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        result.what_if(**asked)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_it_must_be_clear_whose_result_is_meant(result: Result) -> None:
    nobody = Result({name: frame.clear() for name, frame in result.tables.items()})
    with pytest.raises(ResultError, match="0 patients"):
        nobody.what_if(stop="x")
    other = {name: result.tables[name].with_columns(patient_id=pl.lit("other")) for name in ("patients", "samples")}
    two = Result({**result.tables, **{name: pl.concat([result.tables[name], frame]) for name, frame in other.items()}})
    with pytest.raises(ResultError, match="2 patients"):
        two.what_if(stop="omeprazole")


def test_what_went_wrong_in_another_question_is_not_told(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("pmed_pgx.adviser.GuidelineAdviser.advise", broken)
    assert [one.stage for one in result.what_if(start="fluconazole").after.failures] == ["advise"]
    monkeypatch.undo()
    assert not result.what_if(start="fluconazole").after.failures


def test_explanations_wait_until_somebody_looks(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """The difference needs none; what goes wrong in them is told with the result that has them."""
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("pmed_pgx.explainer.GuidelineExplainer.explain", broken)
    monkeypatch.setattr("pmed.explain.shapley.ExactShapley.explain", broken)
    asked = result.what_if(start="fluconazole")
    assert asked.suggestions.height
    monkeypatch.undo()
    whole = asked.after
    assert not whole.failures
    assert asked.after is whole
    assert whole.tables["explanations"].filter(pl.col("feature") == "on:fluconazole").height
    monkeypatch.setattr("pmed_pgx.explainer.GuidelineExplainer.explain", broken)
    assert "explanations" in {one.stage for one in result.what_if(start="fluconazole").after.failures}


def test_an_adviser_that_reads_explanations_gets_them(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def advise(_: object, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        looked.append(tables["explanations"].filter(pl.col("feature") == "on:fluconazole").height)
        return TABLES["suggestions"].empty()

    monkeypatch.setattr("pmed_response.advice.WarfarinAdvice.advise", advise)
    result.what_if(start="fluconazole")
    assert looked[0] > 0


@pytest.mark.parametrize(("given", "said"), [
    ({"rs4149056": "C/C"}, "no gene is called 'rs4149056'"), ({"slco1b1": "*5/*5"}, "did you mean 'SLCO1B1'"),
    ("SLCO1B1=*5/*5", "by gene and diplotype")])
def test_what_is_no_genotype_is_refused(result: Result, given: object, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        result.what_if(genotype=given)  # type: ignore[arg-type]


def test_a_failure_at_a_question_is_told_first(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("pmed_pgx.adviser.GuidelineAdviser.advise", broken)
    lines = result.what_if(start="fluconazole").text.splitlines()
    assert lines[1] == "pmed-pgx failed, and what it gives is missing: broken"
    assert any("no advice" in line for line in lines)
    assert not any("not taken" in line for line in lines if line.startswith("clopidogrel"))
    page = result.what_if(start="fluconazole")._repr_html_()
    assert "1 failure of plugins" in page
    told = page.partition("<strong>clopidogrel</strong>")[2].partition("</p>")[0]
    assert "no advice" in told
    assert "not taken" not in told


def test_plugins_that_the_run_did_not_have_stay_out(result: Result, tmp_path: Path) -> None:
    """Switched off, not allowed or installed since: what they say is no difference that the question makes."""
    without_risk = pmed.run(STENT.genome, STENT.history, settings=Settings().without(["pmed-risk"]))
    asked = [one.what_if(start="paroxetine").after for one in (
        without_risk, Result.load(without_risk.save(tmp_path / "saved")), result)]
    made = [set(one.tables["predictions"]["predictor"]) for one in asked]
    assert made[0] == made[1] == set(without_risk.tables["predictions"]["predictor"])
    assert "cockcroft-gault" in made[2] - made[0]
    assert [set(one.provenance["plugins"]) for one in asked] == [
        set(one.provenance["plugins"]) for one in (without_risk, without_risk, result)]


def test_options_of_the_run_are_those_of_the_question(result: Result, tmp_path: Path) -> None:
    """Also those of a plugin's own table in the settings file."""
    settings = tmp_path / "pmed.toml"
    settings.write_text("[plugins.pmed-pgx.pgx-caller]\nall_matches = true\n[derived]\nrecent_days = 1.0\n", "utf-8")
    later = str(result.tables["patients"]["index_date"][0] + timedelta(days=30))
    known = []
    for chosen in (Settings(), pmed.load_settings(settings)):
        run = pmed.run(STENT.genome, STENT.history, index_date=later, settings=chosen)
        known.append(run.what_if(weight=70).after.tables["features"]["egfr"].is_not_null().to_list())
    assert known == [[True], [False]]

"""What if: the same as a run over other input, told as a difference; and what cannot be asked."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.demo import patients
from pmed.errors import OptionError, ResultError
from pmed.result import Result

STENT = next(one for one in patients() if one.name == "stent")
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
    ({"start": "paroxetin"}, "did you mean paroxetine"), ({"start": "moonshine"}, "no medicine is called 'moonshine'"),
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

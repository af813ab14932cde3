"""One rotation of the survey: 40 real records, each with a real genome of the panel."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks import survey

KEY = ["patient_id", "predictor", "target"]
LOINC = r"\b\d{3,5}-\d\b"
SENTENCES = ("text", "why")


@pytest.fixture(scope="module")
def files(shared):
    return survey.genome_files(), survey.record_files()


@pytest.fixture(scope="module")
def patients(files):
    return survey.patients_of(files[1])


@pytest.fixture(scope="module")
def pairs(files, patients):
    return survey.paired(survey.people(files[0]), list(patients), 7)


@pytest.fixture(scope="module")
def result(files, pairs):
    return survey.rotation(pairs, *files)


def test_forty_pairs_run_without_a_failure_and_each_has_suggestions(result, pairs):
    assert result.failures == ()
    assert len(pairs) == survey.BLOCK
    assert set(result.suggestions["patient_id"]) == set(pairs.values())
    assert set(result.tables["samples"].select("sample", "patient_id").iter_rows()) == set(pairs.items())


def test_a_batch_gives_what_its_patients_give_one_by_one(result, files, patients, pairs):
    of = {patient: sample for sample, patient in pairs.items()}
    for number in (3, 17, 38):
        patient = list(patients)[number]
        alone = survey.rotation({of[patient]: patient}, files[0], [patients[patient]])
        assert_frame_equal(alone.suggestions, result.suggestions.filter(patient_id=patient))


def test_every_assessed_suggestion_has_an_explanation_that_adds_up(result):
    sums = result.tables["explanations"].group_by(KEY).agg(
        total=pl.col("baseline").first() + pl.col("contribution").sum(), prediction=pl.col("prediction").first())
    rests = result.suggestions.filter(pl.col("concern").is_not_null()).select(
        "patient_id", "concern", one=pl.col("explained_by").list.first()).unnest("one").join(
        result.tables["predictions"].select(*KEY, "unit"), on=KEY)
    both = rests.join(sums, on=KEY, how="left")
    assert both.height > 1000
    assert both.filter(pl.col("total").is_null()).is_empty()
    assert (both["total"] - both["prediction"]).abs().max() < 1e-6
    levels = both.filter(pl.col("unit") == "concern level")
    assert levels.filter(pl.col("prediction") != pl.col("concern")).is_empty()


def _said(frame):
    """Every text that a reader of the report sees, with the drug it is about."""
    listed = (("cautions", "text"), ("alternatives", "reason"))
    lists = [frame.select("drug", said=pl.col(name).list.eval(pl.element().struct.field(field))).explode(
        "said", empty_as_null=True, keep_nulls=True) for name, field in listed]
    return pl.concat([*(frame.select("drug", said=name) for name in SENTENCES), *lists]).drop_nulls().unique()


@pytest.mark.parametrize("slip", [r"[{}]", LOINC, r"\.\.", r"\. \."])
def test_no_text_has_a_slip(result, slip):
    said = _said(result.suggestions)
    assert said.height > 1000
    wrong = said.filter(pl.col("said").str.contains(slip))
    assert wrong.rows() == []


def test_forty_rotations_pair_each_with_each(files, patients):
    people = survey.people(files[0])
    each = {pair for turn in range(survey.BLOCK) for pair in survey.paired(people, list(patients), turn).items()}
    assert len(each) == survey.BLOCK ** 2


def test_the_summary_counts_what_the_rotation_found(result, pairs):
    done = survey.summarised(result, list(pairs.values()), 2.0)
    lines = survey.summary([done]).splitlines()
    assert lines[0] == "40 pairs, 0 failures, 50 ms CPU a pair"
    avoided = result.suggestions.filter("current", pl.col("action") == "avoid").height
    assert ["avoid", "taken", str(avoided)] in [line.split() for line in lines]


def test_the_summary_tells_failures(result, pairs):
    done = replace(survey.summarised(result, [next(iter(pairs.values()))], 1.0), failures=("pmed-x broke",))
    assert survey.summary([done]).splitlines()[:2] == ["1 pairs, 1 failures, 1000 ms CPU a pair", "pmed-x broke"]

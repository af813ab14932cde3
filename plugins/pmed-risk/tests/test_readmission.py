"""Readmission within 30 days: the layout, the training, the shipped model and its predictor."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import pmed_risk
from pmed import hookimpl
from pmed.cli import main
from pmed.engine import Engine
from pmed.errors import InputError
from pmed.modelling import by_patient, contributions, fit, judge_binary, load_model, metrics
from pmed.plugins import Plugins
from pmed.stages.predict import feature_frame
from pmed_risk import readmission
from pmed_risk.admissions import FEATURES, HISTORY, TOLD, features, read_admissions
from pmed_risk.readmission import RECIPE, SHIPPED, ReadmissionModel, first_admissions
from pmed_risk.readmission_score import _TYPICAL, Readmission, ReadmissionExplainer
from tests.toy import tables

TARGET = "readmission-30d-risk"


def admissions(n: int = 600, seed: int = 0) -> pl.DataFrame:
    """Invented admissions in the layout of the data set: who was there often comes back."""
    rng = np.random.default_rng(seed)
    often = rng.poisson(0.7, n)
    back = rng.random(n) < 1 / (1 + np.exp(2.2 - 0.8 * often))
    typical = {name: [str(value).removesuffix(".0")] * n for name, value in _TYPICAL.items()}
    varied = {
        "encounter_id": np.arange(n) + 10, "patient_nbr": rng.integers(0, n // 2, n), "number_inpatient": often,
        "age": rng.choice(["[50-60)", "[70-80)"], n), "gender": rng.choice(["Female", "Male"], n),
        "discharge_disposition_id": rng.choice(["1", "3", "11", "13"], n, p=[0.7, 0.2, 0.05, 0.05]),
        "diag_1": rng.choice(["428", "250.02", "V58", "?"], n), "readmitted": np.where(back, "<30", "NO")}
    return pl.DataFrame({**typical, **varied, "weight": ["?"] * n})


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.csv"
    admissions().write_csv(path)
    return path


def test_the_layout_is_read(tmp_path):
    rows = admissions(8).with_columns(
        diag_1=pl.Series(["250.83", "428", "786", "V45", "?", "197", "E909", "410"]), diag_2=pl.lit("?"),
        diag_3=pl.lit("?"),
        discharge_disposition_id=pl.Series(["1", "11", "13", "18", "25", "1", "1", "1"]), A1Cresult=pl.lit("None"),
        age=pl.Series(["[0-10)", "?", *["[90-100)"] * 6]), readmitted=pl.Series(["<30", ">30", "NO"] + [">30"] * 5))
    rows.write_csv(tmp_path / "few.csv")
    made = read_admissions(tmp_path / "few.csv")
    assert made.frame["encounter_id"].to_list() == [10, 13, 14, 15, 16, 17]  # 11 died, 12 went to a hospice
    assert made.y.tolist() == [1, 0, 0, 0, 0, 0]
    assert made.frame["age"].to_list()[:2] == [5, 95]
    assert made.frame["discharge_disposition_id"].to_list() == ["1", None, None, "1", "1", "1"]
    assert made.frame["A1Cresult"].unique().to_list() == ["None"]
    assert made.frame["diag_1_chapter"].to_list() == ["diabetes", "other", None, "neoplasm", "other", "circulatory"]
    assert made.frame["icd9_250"].to_list() == [1, 0, None, 0, 0, 0]
    assert made.frame["icd9_V45"].to_list() == [0, 1, None, 0, 0, 0]


@pytest.mark.parametrize(("change", "message"), [
    (lambda rows: rows.rename({"diag_1": "diag1"}), "has no column 'diag_1' .did you mean 'diag1'"),
    (lambda rows: rows.with_columns(readmitted=pl.lit("yes")), "readmitted must be <30, >30 or NO. Got 'yes'"),
    (lambda rows: rows.with_columns(age=pl.lit("70")), r"age must be a band like .70-80.. Got '70'"),
    (lambda rows: rows.with_columns(time_in_hospital=pl.lit("long")), "time_in_hospital must be a number. Got 'long'"),
    (lambda rows: rows.with_columns(patient_nbr=pl.lit("?")), "patient_nbr is unknown in some rows"),
    (lambda rows: rows.clear(), "has no rows"),
])
def test_bad_layouts_are_one_line(tmp_path, change, message):
    change(admissions(20)).write_csv(tmp_path / "bad.csv")
    with pytest.raises(InputError, match=message) as error:
        read_admissions(tmp_path / "bad.csv")
    assert "bad.csv" in str(error.value)


def test_no_file_and_no_table(tmp_path):
    with pytest.raises(InputError, match=r"none.csv: cannot be read"):
        read_admissions(tmp_path / "none.csv")
    (tmp_path / "torn.csv").write_text('a,b\n"1,2\n3')
    with pytest.raises(InputError, match=r"torn.csv: "):
        read_admissions(tmp_path / "torn.csv")


def test_earlier_admissions_are_those_of_smaller_numbers(tmp_path):
    rows = admissions(6).with_columns(
        encounter_id=pl.Series([50, 10, 30, 20, 40, 60]), patient_nbr=pl.Series([1, 1, 1, 2, 1, 3]),
        readmitted=pl.Series(["NO", "<30", ">30", "<30", "<30", "NO"]),
        discharge_disposition_id=pl.Series(["1", "1", "1", "1", "13", "1"]))  # 40 is left out, and still an earlier one
    rows.write_csv(tmp_path / "few.csv")
    made = read_admissions(tmp_path / "few.csv").frame
    assert dict(zip(made["encounter_id"], made.select(HISTORY).rows(), strict=True)) == {
        50: (3, 2, 1), 10: (0, 0, 0), 30: (1, 1, 1), 20: (0, 0, 0), 60: (0, 0, 0)}


def test_trees_know_rows_without_a_history(quick, data):
    made = replace(quick(data), features=("number_inpatient", *HISTORY))
    trees = readmission._grown(made)
    known = made.inputs.with_columns(earlier_admissions=pl.lit(0.0), earlier_returns=pl.lit(0.0),
                                     soon_after_last=pl.lit(0.0))
    unknown = made.inputs.with_columns(pl.lit(None, pl.Float64).alias(name) for name in HISTORY)
    assert not np.array_equal(trees.raw(known), trees.raw(unknown))


def test_the_answer_itself_is_refused_as_a_feature(data):
    made = read_admissions(data)
    with pytest.raises(InputError, match="readmitted is known only after the outcome"):
        replace(made, features=(*FEATURES, "readmitted"))


def test_first_admissions_are_by_number_of_the_encounter(data):
    made = read_admissions(data)
    mixed = replace(made, frame=made.frame.sample(fraction=1, shuffle=True, seed=1))
    first = mixed.frame[first_admissions(mixed)]
    assert first["patient_nbr"].is_unique().all()
    assert dict(first.select("patient_nbr", "encounter_id").rows()) == dict(
        made.frame.group_by("patient_nbr").agg(pl.col("encounter_id").min()).rows())


@pytest.fixture
def quick(monkeypatch):
    """Fewer trees, and features that change among the invented admissions."""
    monkeypatch.setattr(readmission, "RECIPE", replace(RECIPE, rounds=20, smallest_leaf=20, fewest=1))
    changing = ("age", "gender", "number_inpatient", "discharge_disposition_id", "diag_1_chapter")
    return lambda path: replace(read_admissions(path), features=changing)


def test_training_judges_rows_that_the_trees_did_not_see(data, tmp_path, quick):
    made = ReadmissionModel().train(quick(data))
    assert set(made.card.metrics) == {"held-out patients (cross-validated)", "new patients of the last fifth"}
    own = made.card.metrics["held-out patients (cross-validated)"]["auroc"]
    admissions(seed=1).write_csv(tmp_path / "others.csv")
    found = ReadmissionModel().evaluate(made, quick(tmp_path / "others.csv"))
    assert found["auroc"] == pytest.approx(own, abs=0.1)
    assert not [one for one in found["warnings"] if "learned from" in one]
    seen = ReadmissionModel().evaluate(made, quick(data))
    assert seen["warnings"][0] == "these are the rows that the model learned from"


def test_shipped_model_is_whole_small_and_honest():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 1_000_000
    card = load_model(SHIPPED).card
    held = card.metrics["held-out patients (cross-validated)"]
    assert 0.675 <= held["auroc"] < 0.72
    assert 0.95 <= held["calibration_slope"] <= 1.05
    assert held["ece"] <= 0.005
    assert card.metrics["new patients of the last fifth"]["auroc"] < held["auroc"]
    assert (SHIPPED / "card.md").read_text(encoding="utf-8") == card.to_markdown()


def asked(*rows):
    """A feature frame of these admissions; an empty one is of somebody who was never in hospital."""
    typical = {f"admission:{name}": value for name, value in _TYPICAL.items()}
    whole = [{**(typical if one is not None else dict.fromkeys(typical)), **(one or {}), "patient_id": f"p{number}"}
             for number, one in enumerate(rows)]
    return feature_frame(Readmission(), pl.DataFrame(whole, infer_schema_length=None))


def test_prediction_is_that_of_the_model_and_rises_with_earlier_admissions():
    made = Readmission().predict(asked({}, {"admission:number_inpatient": 5.0}))
    row = features(pl.DataFrame([{name: _TYPICAL[name] for name in TOLD}]))
    assert made["value"][0] == 100 * load_model(SHIPPED).predict(row)[0]
    assert made["value"][1] > 2 * made["value"][0]


def test_who_was_not_in_hospital_or_cannot_come_back_is_not_assessed():
    made = Readmission().predict(asked(None, {"admission:discharge_disposition_id": "11"}, {"admission:age": None},
                                       {"admission:time_in_hospital": 40.0}))
    assert made["value"].null_count() == 4
    assert made["status"].to_list() == ["not-applicable", "not-applicable", "not-assessed", "not-assessed"]
    assert made["reason"].to_list() == [
        "needs an admission to hospital: none is known", "died, or left for a hospice", "needs age",
        "time_in_hospital 40 is outside 1 to 14 (the range of the training rows)"]


def test_an_empty_frame_and_a_batch():
    rows = [{}, {"admission:number_inpatient": 3.0}, {"admission:diag_1": "V58"}, {"admission:race": None}]
    whole = Readmission().predict(asked(*rows))["value"].to_list()
    assert whole == [Readmission().predict(asked(one))["value"][0] for one in rows]
    assert Readmission().predict(asked({}).clear()).is_empty()


def test_explanation_adds_up_in_percentage_points():
    frame = asked({"admission:number_inpatient": 4.0}, {"admission:diag_1": None, "admission:payer_code": None})
    rows = Readmission().predict(frame).with_columns(predictor=pl.lit("readmission-30d"))
    made = ReadmissionExplainer().explain(Readmission(), frame, rows)
    for patient, value in rows.select("patient_id", "value").rows():
        mine = made.filter(patient_id=patient)
        assert mine["baseline"][0] + mine["contribution"].sum() == pytest.approx(value, abs=1e-9)
    first = made.filter(patient_id="p0").sort(pl.col("contribution").abs(), descending=True)
    assert first["feature"][0] == "admission:number_inpatient"
    assert first["value"][0] == "4"
    assert made.filter(patient_id="p1", feature="admission:diagnoses")["value"].to_list() == ["276, 250"]


def test_takes_part_in_a_run_without_saying_anything_of_who_was_not_in_hospital():
    plugins = Plugins().load(only=())
    plugins.add(SimpleNamespace(register_predictors=hookimpl(lambda: [Readmission]),
                                choose_explainer=pmed_risk.choose_explainer), "risk", "1")
    made = Engine.using(plugins).conclude(tables(2))
    assert not plugins.failures
    assert made["predictions"].filter(predictor="readmission-30d")["status"].to_list() == ["not-applicable"] * 2


def told(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(one) for one in arguments])
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


def test_predict_takes_inputs_as_the_data_set_names_them(tmp_path, capsys):
    typical = {**_TYPICAL, "age": "[70-80)", "discharge_disposition_id": 1, "payer_code": "?"}
    asked_of = [typical, {**typical, "number_inpatient": 6}, {"age": 70}, {**typical, "discharge_disposition_id": 11}]
    (tmp_path / "in.json").write_text(json.dumps(asked_of))
    code, out, _ = told(capsys, "predict", "readmission-30d", "--features", tmp_path / "in.json")
    made = json.loads(out)
    assert code == 0
    assert made[1][TARGET] > made[0][TARGET] > 0
    assert made[2]["reason"].startswith("needs time_in_hospital, number_inpatient")
    assert made[3]["status"] == "not-applicable"
    (tmp_path / "bad.json").write_text(json.dumps([{**typical, "age": "old"}]))
    code, _, err = told(capsys, "predict", "readmission-30d", "--features", tmp_path / "bad.json")
    assert code == 1
    assert "item 1: age: must be years or a band like [70-80). Got 'old'" in err


def test_evaluate_takes_the_original_layout(tmp_path, capsys):
    admissions(seed=4).write_csv(tmp_path / "others.csv")
    code, out, _ = told(capsys, "model", "evaluate", "readmission-30d", "--data", tmp_path / "others.csv", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["n"] == read_admissions(tmp_path / "others.csv").frame.height
    assert {"auroc", "auprc", "brier", "brier_null", "ece", "calibration_slope", "calibration_intercept", "ci",
            "subgroups", "temporal_new_patients", "first_admissions_auroc"} <= found.keys()


@pytest.fixture(scope="module")
def real(shared):
    return read_admissions(shared / "data/readmission/diabetic_data_dev.csv")


def test_held_out_patients_of_the_real_data(real):
    one = by_patient(real, 5)[0]
    trees = fit(real.rows(one.train), replace(RECIPE, rounds=120, learning_rate=0.08))
    held = real.rows(one.test)
    p = metrics.expit(trees.raw(held.inputs))
    found = judge_binary(held.y, p, held.groups("patient_nbr"), draws=0)
    assert 0.655 < found["auroc"] < 0.72  # more would be a leak
    assert found["brier"] < found["brier_null"]


def test_contributions_of_a_hundred_thousand_rows_add_up(real):
    many = pl.concat([real.inputs, real.inputs.head(100_000 - len(real))])
    small = fit(real, replace(RECIPE, rounds=20))
    values, baseline = contributions(small, many)
    assert values.shape == (100_000, len(FEATURES))
    np.testing.assert_allclose(values.sum(axis=1) + baseline, small.raw(many), atol=1e-9)



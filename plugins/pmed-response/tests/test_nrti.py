"""``hiv-nrti-response``: the trial's layout, the gate that stays closed, the predictor that is silent elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import pmed
from pmed import TABLES
from pmed.cli import cli
from pmed.errors import InputError
from pmed.modelling import load_model
from pmed.modelling.effect import Estimate, effect_model, effect_report
from pmed_response import nrti
from pmed_response.actg175 import AFTER, ARMS, FEATURES, as_trial, read_trial, refused
from pmed_response.nrti import PREFIX, REFERENCE, TARGET, TYPICAL, NrtiExplainer, NrtiResponse
from pmed_response.nrti_advice import NrtiAdvice
from pmed_response.nrti_model import SHIPPED, NrtiModel


def patients(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """Invented patients in the published layout; every second treatment gains some 100 days."""
    rng = np.random.default_rng(seed)
    arms = np.arange(n) % 4
    days = np.minimum(rng.exponential(900, n) + 100 * (arms > 0), 1200).round()
    rows = {name: [value] * n for name, value in TYPICAL.items()}
    return pl.DataFrame({**rows, "pidnum": np.arange(n) + 1, "age": rng.integers(18, 65, n),
                         "cd40": rng.integers(200, 500, n), "cd420": rng.integers(200, 500, n), "arms": arms,
                         "treat": (arms > 0).astype(int), "days": days, "cens": (days < 1100).astype(int)})


@pytest.mark.parametrize("separator", [" ", ",", ";", "\t"])
def test_the_layout_is_read_and_later_columns_are_named(tmp_path: Path, separator: str) -> None:
    patients(160).write_csv(tmp_path / "f.txt", separator=separator)
    cohort = read_trial(tmp_path / "f.txt")
    assert len(cohort) == 160
    assert cohort.features == FEATURES
    assert [line.split()[0] for line in refused(cohort)] == ["cd420", "cens", "days", "treat", "arms"]
    assert as_trial(cohort).arms == tuple(ARMS.values())


def test_names_of_another_publication_are_the_same(tmp_path: Path) -> None:
    patients(160).write_csv(tmp_path / "a.csv")
    patients(160).rename({"days": "time", "arms": "trt", "cens": "label"}).drop("pidnum").write_csv(tmp_path / "b.csv")
    one, other = (read_trial(tmp_path / name) for name in ("a.csv", "b.csv"))
    assert (one.y == other.y).all()


@pytest.mark.parametrize("name", [one for one in AFTER if one not in ("r", "offtrt", "cd496", "cd820")])
def test_what_was_measured_after_randomisation_is_refused_as_a_feature(tmp_path: Path, name: str) -> None:
    patients(160).write_csv(tmp_path / "f.csv")
    with pytest.raises(InputError, match=f"{name} is known only after the outcome or treatment: it leaks"):
        read_trial(tmp_path / "f.csv", (*FEATURES, name))


@pytest.mark.parametrize(("change", "message"), [
    (lambda rows: rows.drop("cd40"), "has no column 'cd40'"),
    (lambda rows: rows.with_columns(arms=pl.lit(7)), "arms must be 0, 1, 2, 3. Got 7"),
    (lambda rows: rows.with_columns(cens=pl.lit(2)), "cens must be 0, 1. Got 2"),
    (lambda rows: rows.with_columns(age=pl.lit("old")), "age must be a number. Got 'old'"),
    (lambda rows: rows.with_columns(days=pl.lit(None)), "days is unknown in 160 rows"),
    (lambda rows: rows.with_columns(days=pl.lit(-1)), "days must not be negative"),
    (lambda rows: rows.with_columns(days=pl.lit(100), cens=pl.lit(0)), "nobody was followed to 900"),
])
def test_bad_files_are_one_line(tmp_path: Path, change, message: str) -> None:
    change(patients(160)).write_csv(tmp_path / "f.csv")
    with pytest.raises(InputError, match=message):
        read_trial(tmp_path / "f.csv")


def test_the_shipped_gate_is_closed_and_the_average_recovered() -> None:
    model = load_model(SHIPPED)
    report = effect_report(model)
    assert not report.open
    assert (report.best, report.versus) == ("zidovudine + didanosine", "zidovudine")
    assert abs(report.best_gain.value - 79.7) < 12
    assert report.best_gain.se == pytest.approx(12.0, abs=0.3)
    assert "Research use" in model.card.summary
    assert not {name for trees in model.trees.values() for name in trees.encoding.names} & set(AFTER)
    assert sorted(path.suffix for path in SHIPPED.iterdir() if path.suffix != ".txt") == [".json", ".md"]


def test_on_the_trial_itself(shared: Path) -> None:
    data = shared / "data/actg175/ACTG175.txt"
    found = NrtiModel().evaluate(load_model(SHIPPED), read_trial(data))
    assert found["gate"] == "closed"
    assert abs(found["average_effect"]["value"] - 79.7) < 3
    assert found["average_effect"]["se"] == pytest.approx(12.0, abs=0.3)
    assert "these are the rows that the model learned from" in found["warnings"][0]
    assert "model_policy_gain" not in found


def features(*changes: dict[str, float | None] | None) -> pl.DataFrame:
    """Patients of the trial; None: somebody of whom nothing of it is known."""
    rows = [{"patient_id": f"p{n}", **({} if one is None else {**REFERENCE, **{PREFIX + k: v for k, v in one.items()}})}
            for n, one in enumerate(changes)]
    return pl.DataFrame(rows, schema={"patient_id": pl.String, **dict.fromkeys(REFERENCE, pl.Float64)})


def test_everybody_gets_the_average_who_can_be_assessed_and_others_are_silent() -> None:
    made = NrtiResponse().predict(features({}, {"cd40": 480, "age": 60}, None, {"cd40": None}, {"age": 99}))
    assert made["status"].to_list() == ["assessed", "assessed", "not-applicable", "not-assessed", "not-assessed"]
    assert made["value"][0] == made["value"][1] == effect_report(load_model(SHIPPED)).best_gain.value
    assert made["low"][0] < made["value"][0] < made["high"][0]
    assert made["reason"].to_list()[3:] == ["needs cd40", "actg175:age 99 is outside 12 to 70 (the range of the "
                                            "training rows)"]


def explained(frame: pl.DataFrame) -> pl.DataFrame:
    made = NrtiResponse().predict(frame)
    return NrtiExplainer().explain(NrtiResponse(), frame, made.filter(status="assessed"))


def test_closed_bars_are_zero_and_open_ones_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = features({}, {"cd40": 480, "age": 60, "preanti": 0}, {"cd40": 210, "karnof": 70})
    closed = explained(frame)
    assert closed["contribution"].abs().max() == 0
    assert (closed["baseline"] == closed["prediction"]).all()
    opened = replace(nrti.report(), gain=Estimate(9, 1, 7, 11))
    monkeypatch.setattr(nrti, "report", lambda: opened)
    made, bars = NrtiResponse().predict(frame), explained(frame)
    sums = bars.group_by("patient_id", maintain_order=True).agg(
        pl.col("baseline").first() + pl.col("contribution").sum(), pl.col("prediction").first())
    assert sums["baseline"].to_list() == pytest.approx(sums["prediction"].to_list())
    learned = effect_model(nrti.model()).effects(frame.select(pl.col(PREFIX + n).alias(n) for n in FEATURES))
    assert made["value"].to_list() == pytest.approx(learned.max(axis=1).tolist())
    assert bars["contribution"].abs().max() > 0


def test_the_advice_says_research_use_and_only_where_there_is_something_to_say() -> None:
    def advised(frame: pl.DataFrame) -> pl.DataFrame:
        made = NrtiResponse().predict(frame).with_columns(predictor=pl.lit("hiv-nrti-response"))
        table = TABLES["predictions"]
        return NrtiAdvice().advise({"predictions": table.check(made).select(table.names),
                                    "medications": TABLES["medications"].empty()})

    said = advised(features({}, None))
    assert said["patient_id"].to_list() == ["p0"]
    assert said["text"][0].startswith("Research use, not a reason to treat. In ACTG 175 zidovudine + didanosine ")
    assert "No reliable difference between patients was found" in said["text"][0]
    assert advised(features(None)).is_empty()


def test_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('[{"age": 40, "cd40": 350}, {"age": 41, "cd420": 500}]')
    done = CliRunner().invoke(cli, ["predict", "hiv-nrti-response", "--features", str(tmp_path / "f.json")])
    assert "item 2: cd420" in str(done.exception)
    assert "known only after randomisation" in str(done.exception)
    (tmp_path / "f.json").write_text('[{"age": 40, "cd40": 350}]')
    done = CliRunner().invoke(cli, ["predict", "hiv-nrti-response", "--features", str(tmp_path / "f.json")])
    assert json.loads(done.output)[0][TARGET] == effect_report(load_model(SHIPPED)).best_gain.value
    patients(400).write_csv(tmp_path / "others.csv")
    done = CliRunner().invoke(cli, ["model", "evaluate", "hiv-nrti-response", "--data", str(tmp_path / "others.csv"),
                                    "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert "model_policy_gain" in found
    assert found["n"] == 400
    assert "cd420 is the CD4 count 20 weeks after randomisation: not an input" in found["refused"]


def test_a_report_of_somebody_else_does_not_mention_it() -> None:
    result = pmed.demo("stent")
    mine = result.tables["predictions"].filter(predictor="hiv-nrti-response")
    assert mine["status"].unique().to_list() == ["not-applicable"]
    assert "ACTG" not in str(result.suggestions.to_dicts())

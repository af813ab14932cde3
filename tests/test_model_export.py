"""``pmed model export``: a trained model becomes a package that pip installs and that says the same."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from pmed.cli import cli
from pmed.errors import InputError, OptionError
from pmed.modelling import MAIN, Cohort, Model, ModelCard, Recipe, fit, learn_platt, load_model, made_with, save_model
from pmed.scaffold.learned import export_model
from tests.fresh import PIP, run

#: A text that would end a string, and a word with a mark of its own, as a card may hold them.
SUMMARY = 'Who "comes" back; it\'s \\ an {{ example }}.'
ROWS = 400


def learned(task: str = "binary", **more: Any) -> Model:
    """A model of invented people: age is known of all, creatinine of two thirds, ward is a word."""
    rng = np.random.default_rng(1)
    age = rng.normal(66, 12, ROWS)
    outcome = (rng.random(ROWS) < 1 / (1 + np.exp((66 - age) / 6))).astype(int) if task == "binary" else age * 2
    frame = pl.DataFrame({
        "patient_id": np.arange(ROWS), "age": age, "ward": rng.choice(["north", "south"], ROWS), "outcome": outcome,
        "observation:2160-0": np.where(rng.random(ROWS) < 0.3, None, rng.lognormal(0.1, 0.3, ROWS)).astype(float)})
    frame = frame.with_columns(pl.col("observation:2160-0").fill_nan(None))
    cohort = Cohort(frame, ("age", "observation:2160-0", "ward"), "outcome", task)  # type: ignore[arg-type]
    recipe = Recipe("binary" if task == "binary" else "regression", rounds=12, patience=0, leaves=5)
    trees = fit(cohort, recipe)
    card = ModelCard("back", "1.5", SUMMARY, "A test.", "back", "invented", "CC0-1.0", ROWS, ROWS, "never", 0, "trees",
                     limits=("Invented.", "Twice."), made_with=made_with())
    calibration = learn_platt(cohort.y, trees.raw(cohort.inputs)) if task == "binary" else None
    return Model("back", task, {MAIN: trees}, card, calibration, **more)  # type: ignore[arg-type]


PEOPLE = [{"age": 50.0, "ward": "north", "observation:2160-0": 1.0}, {"age": 80.0, "ward": "south"},
          {"ward": "north"}, {"age": 70.0, "ward": "elsewhere"}, {"age": 700.0, "ward": "north"}]


def test_from_a_folder_to_an_installed_predictor(fresh_python: Path, tmp_path: Path) -> None:
    model = learned()
    save_model(model, tmp_path / "mine")
    made = run(sys.executable, "-m", "pmed", "model", "export", "mine", "-o", "package", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.endswith("next: pip install package && pmed plugins check back-model\n")
    installed = run(fresh_python, *PIP, "./package", cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr

    plugin = json.loads(run(fresh_python, "-m", "pmed", "plugins", cwd=tmp_path).stdout)["plugins"]["back-model"]
    assert plugin["version"] == "0.1.0"
    assert "back-model" in json.dumps(plugin["components"])

    (tmp_path / "people.json").write_text(json.dumps(PEOPLE))
    said = run(fresh_python, "-m", "pmed", "predict", "back-model", "--features", "people.json", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    rows = json.loads(said.stdout)
    expected = model.predict(pl.DataFrame(PEOPLE[:2], schema=["age", "ward", "observation:2160-0"])) * 100
    assert [row["back-model"] for row in rows] == [*expected, None, None, None]
    assert [row["reason"] for row in rows[2:4]] == ["needs age", "ward is none of those that the model learned from"]
    assert rows[4]["reason"].startswith("age 700 is outside")

    checked = run(fresh_python, "-m", "pmed", "plugins", "check", "back-model", cwd=tmp_path)
    assert {one["status"] for one in json.loads(checked.stdout)} == {"passed"}, checked.stdout
    tested = run(fresh_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path / "package")
    assert tested.returncode == 0, tested.stdout


def test_the_package_has_the_model_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = learned()
    first = save_model(model, tmp_path / "mine")
    written = export_model(model, tmp_path / "package", "back-model")
    assert all(path.is_file() for path in written)
    kept = tmp_path / "package/back_model/model"
    assert {path.name: path.read_bytes() for path in first} == {path.name: path.read_bytes() for path in kept.iterdir()}
    assert load_model(kept).card.summary == SUMMARY
    code = (tmp_path / "package/back_model/__init__.py").read_text()
    assert max(map(len, code.splitlines())) <= 120
    monkeypatch.syspath_prepend(str(tmp_path / "package"))
    made = importlib.import_module("back_model").BackModel
    assert made.card.summary == SUMMARY
    assert (made.needs, made.wants) == (("age", "ward"), ("observation:2160-0",))


def test_a_number_has_the_unit_that_is_given(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="unit and limits"):
        export_model(learned("regression"), tmp_path / "package", "twice-age")
    export_model(learned("regression"), tmp_path / "package", "twice-age", "a", (0.0, 300.0))
    code = (tmp_path / "package/twice_age/__init__.py").read_text()
    assert "UNIT = 'a'" in code
    assert "range=(0.0, 300.0)" in code


def test_what_cannot_be_exported_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    model = learned()
    with pytest.raises(OptionError, match="per cent"):
        export_model(model, tmp_path / "package", "back-model", "mg", (0.0, 1.0))
    with pytest.raises(OptionError, match="cannot be a plugin's name"):
        export_model(model, tmp_path / "package", "Back Model")
    survival = Model("back", "survival", model.trees, model.card)
    with pytest.raises(InputError, match="survival"):
        export_model(survival, tmp_path / "package", "back-model")
    done = CliRunner().invoke(cli, ["model", "export", "warfarin-dose", "-o", str(tmp_path / "package")])
    assert done.exit_code == 1
    assert "has no trees" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_model_of_a_name_can_be_exported(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["model", "export", "readmission-30d", "-o", str(tmp_path / "package")],
                              catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "package/readmission_30d_model/model/card.md").is_file()

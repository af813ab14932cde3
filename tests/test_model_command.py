"""`pmed model` trains, judges and describes what a plugin registers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

import pmed
from pmed import hookimpl
from pmed.cli import main
from pmed.modelling import load_model, save_model
from pmed.plugins import Plugins
from tests.modelling_people import ToyModel, people


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """The command line with a stranger's plugin beside the host's own, and files of learned and of other people."""
    load = Plugins.load

    def with_toy(self, *given, **named):
        plugins = load(self, only=())
        plugins.add(SimpleNamespace(register_models=hookimpl(lambda: [ToyModel])), "stranger", "1")
        return plugins

    monkeypatch.setattr(Plugins, "load", with_toy)
    people().write_csv(tmp_path / "known.csv")
    people(seed=2).write_csv(tmp_path / "others.csv")
    return tmp_path


def run(capsys, *arguments) -> str:
    with pytest.raises(SystemExit) as end:
        main([str(one) for one in arguments])
    captured = capsys.readouterr()
    assert end.value.code == 0, captured.err
    return captured.out


def refused(capsys, *arguments) -> str:
    with pytest.raises(SystemExit) as end:
        main([str(one) for one in arguments])
    captured = capsys.readouterr()
    assert end.value.code == 1
    assert captured.err.count("\n") == 1
    return captured.err


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_hook_register_models():
    plugins = Plugins().load(only=())
    plugins.add(SimpleNamespace(register_models=hookimpl(lambda: [ToyModel])), "stranger", "1")
    plugins.add(SimpleNamespace(register_models=hookimpl(lambda: [SimpleNamespace])), "broken", "1")
    assert [one.name for one in plugins.components("register_models")] == ["toy-model"]
    assert [failure.plugin for failure in plugins.failures] == ["broken"]


def test_the_public_names_do_what_the_command_does(toy, capsys):
    run(capsys, "model", "train", "toy-model", "--data", toy / "known.csv", "-o", toy / "one")
    said = json.loads(run(capsys, "model", "evaluate", "toy-model", "--data", toy / "others.csv", "--model",
                          toy / "one", "--json"))
    learned = pmed.train("toy-model", toy / "known.csv")
    save_model(learned, toy / "two")
    assert files(toy / "one") == files(toy / "two")
    others = ToyModel().read(toy / "others.csv")
    by_object, by_folder = (pmed.evaluate("toy-model", others, model=one) for one in (learned, toy / "one"))
    assert by_object == by_folder == {name: said[name] for name in by_object}
    with pytest.raises(pmed.PmedError, match="not shipped"):
        pmed.evaluate("toy-model", others)


def test_train_evaluate_card(toy, capsys):
    run(capsys, "model", "train", "toy-model", "--data", toy / "known.csv", "-o", toy / "one")
    run(capsys, "model", "train", "toy-model", "--data", toy / "known.csv", "-o", toy / "two")
    assert files(toy / "one") == files(toy / "two")
    assert set(files(toy / "one")) == {"main.txt", "manifest.json", "card.md"}
    found = json.loads(run(capsys, "model", "evaluate", "toy-model", "--data", toy / "others.csv", "--model",
                           toy / "one", "--json"))
    card = json.loads(run(capsys, "model", "card", "toy-model", "--model", toy / "one", "--json"))
    own = card["metrics"]["cross-validated"]
    assert found["auroc"] == pytest.approx(own["auroc"], abs=0.04)
    assert found["n"] == 1200
    assert "# toy-model 1.0" in run(capsys, "model", "card", "toy-model", "--model", toy / "one")


def test_card_tells_of_drift(toy, capsys):
    run(capsys, "model", "train", "toy-model", "--data", toy / "known.csv", "-o", toy / "one")
    people(seed=2).with_columns(pl.col("x") + 1).write_csv(toy / "moved.csv")
    said = run(capsys, "model", "card", "toy-model", "--model", toy / "one", "--data", toy / "moved.csv")
    assert "! x: shift" in said
    assert "  kind: shift" in said


def test_a_changed_model_is_refused(toy, capsys):
    run(capsys, "model", "train", "toy-model", "--data", toy / "known.csv", "-o", toy / "one")
    evaluate = ("model", "evaluate", "toy-model", "--data", toy / "others.csv", "--model", toy / "one")
    text, manifest = toy / "one/main.txt", toy / "one/manifest.json"
    whole = text.read_text()
    text.write_text(whole.replace("leaf_value=", "leaf_value=9", 1))
    assert "main.txt: does not have the hash that the manifest states" in refused(capsys, *evaluate)
    text.write_text(whole)
    run(capsys, *evaluate)
    manifest.write_text(manifest.read_text().replace('"slope": ', '"slope": 9', 1))
    assert "manifest.json: its contents do not have the hash" in refused(capsys, *evaluate)


@pytest.mark.parametrize(("change", "message"), [
    (pl.lit(1).alias("y"), "y is 1 in every row: there is nothing to learn"),
    (pl.lit(3.0).alias("x"), "x never changes"),
    (pl.when(pl.col("x") > 0).then("y").alias("y"), "y is unknown in"),
    (pl.lit("p1").alias("patient_id"), "has 1 patients: too few for 3 folds"),
])
def test_bad_data_is_one_line(toy, capsys, change, message):
    people().with_columns(change).write_csv(toy / "bad.csv")
    said = refused(capsys, "model", "train", "toy-model", "--data", toy / "bad.csv", "-o", toy / "out")
    assert message in said
    assert "bad.csv" in said
    assert not (toy / "out").exists()


def test_an_unknown_model_and_one_that_is_not_shipped(toy, capsys):
    assert "did you mean 'toy-model'" in refused(capsys, "model", "card", "toy-mode")
    assert "toy-model: is not shipped trained" in refused(capsys, "model", "card", "toy-model")
    assert "manifest.json: cannot be read" in refused(capsys, "model", "card", "toy-model", "--model", toy)


def test_the_example_of_the_guide_runs(root, capsys):
    guide = (root / "docs/models.md").read_text(encoding="utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    made = {}
    exec(compile(code, "docs/models.md", "exec"), made)
    assert 0.5 < made["found"]["auroc"] < 0.9
    assert capsys.readouterr().out.startswith("[0.")


def test_columns_are_left_out(toy, capsys):
    train = ("model", "train", "toy-model", "--data", toy / "known.csv", "-o")
    run(capsys, *train, toy / "whole")
    run(capsys, *train, toy / "less", "--without", "kind", "--without", "seldom")
    assert load_model(toy / "whole").encoding().names == ["x", "kind", "seldom"]
    assert load_model(toy / "less").encoding().names == ["x"]
    limits = "Learned without kind, seldom, which the model of that name has."
    assert limits in run(capsys, "model", "card", "toy-model", "--model", toy / "less")
    assert limits not in run(capsys, "model", "card", "toy-model", "--model", toy / "whole")
    found = json.loads(run(capsys, "model", "evaluate", "toy-model", "--data", toy / "others.csv", "--model",
                           toy / "less", "--json"))
    assert found["n"] == 1200
    save_model(pmed.train("toy-model", toy / "known.csv", without=["seldom", "kind"]), toy / "python")
    assert files(toy / "python") == files(toy / "less")


@pytest.mark.parametrize(("names", "message"), [
    (["kin"], "has no feature 'kin' to leave out (did you mean 'kind'?)"), (["y"], "has no feature 'y' to leave out"),
    (["x", "kind", "seldom"], "has no features")])
def test_what_cannot_be_left_out_is_one_line(toy, capsys, names, message):
    without = [one for name in names for one in ("--without", name)]
    said = refused(capsys, "model", "train", "toy-model", "--data", toy / "known.csv", "-o", toy / "out", *without)
    assert message in said
    assert not (toy / "out").exists()


def test_a_model_that_chooses_its_columns_leaves_none_out(toy, capsys, monkeypatch):
    train = ("model", "train", "toy-model", "--data", toy / "known.csv", "-o", toy / "out", "--without", "kind")
    learn = ToyModel.train
    monkeypatch.setattr(ToyModel, "train", lambda self, cohort: learn(self, replace(cohort, features=("x", "kind"))))
    assert "toy-model: learned from kind, which was to be left out" in refused(capsys, *train)
    monkeypatch.setattr(ToyModel, "learns_from_features", False)
    assert "toy-model learns from columns of its own choice: none can be left out" in refused(capsys, *train)
    assert not (toy / "out").exists()

"""A stranger's predictor, installed with pip, takes part without any change to pmed; a broken one costs only itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from pmed.demo import patients
from tests.test_cli import PROGRAM

STENT = next(patient for patient in patients() if patient.name == "stent")

GOOD = '''
"""A predictor by a stranger: body mass index."""
from dataclasses import dataclass
from typing import ClassVar
import polars as pl
from pmed import Card, hookimpl

@dataclass(frozen=True)
class BodyMassIndex:
    """Body mass index from height and weight."""
    name: ClassVar = "body-mass-index"
    kind: ClassVar = "risk"
    needs: ClassVar = ("height", "weight")
    wants: ClassVar = ()
    gives: ClassVar = ("bmi",)
    card: ClassVar = Card("1.0", "Body mass index.", "Show how it is done.", "Adults", ("PMID:1",), "kg/m2", (5, 100))

    def reference(self, target):
        return {"height": 170.0, "weight": 65.0}

    def predict(self, features):
        value = pl.col("weight") / (pl.col("height") / 100) ** 2
        missing = value.is_null()
        null = pl.lit(None, dtype=pl.Float64)
        return features.select("patient_id", target=pl.lit("bmi"), value=value, unit=pl.lit("kg/m2"), low=null,
            high=null, label=pl.lit(None, dtype=pl.String),
            status=pl.when(missing).then(pl.lit("not-assessed")).otherwise(pl.lit("assessed")),
            reason=pl.when(missing).then(pl.lit("needs height, weight")))

@hookimpl
def register_predictors():
    return [BodyMassIndex]
'''
AT_IMPORT = "raise RuntimeError('broken at import')\n"
AT_REGISTRATION = '''
from pmed import hookimpl
@hookimpl
def register_predictors():
    raise RuntimeError("broken at registration")
'''
IN_PREDICT = GOOD.replace('"body-mass-index"', '"breaks"').replace(
    "value = pl.col", "raise RuntimeError('broken in predict')\n        value = pl.col")
PROJECT = '''
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "0.7"
[project.entry-points.pmed]
{name} = "{module}"
'''


@pytest.fixture
def install(tmp_path):
    """Install one-file packages with pip into a folder of their own; returns the environment that sees them."""
    site = tmp_path / "site"

    def pip(**packages):
        for module, code in packages.items():
            folder = tmp_path / module
            folder.mkdir()
            (folder / "pyproject.toml").write_text(PROJECT.format(name=module.replace("_", "-"), module=module))
            (folder / f"{module}.py").write_text(code)
            subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
                            "--no-index", "--target", str(site), str(folder)], check=True, capture_output=True)
        return {**os.environ, "PYTHONPATH": str(site)}

    return pip


def report(env, tmp_path):
    done = subprocess.run([*PROGRAM, "report", str(STENT.genome), "--history", str(STENT.history), "-o",
                           str(tmp_path / "r.html"), "--json", str(tmp_path / "r.json")],
                          capture_output=True, text=True, check=False, env=env)
    return done, json.loads((tmp_path / "r.json").read_text())["patients"][0], (tmp_path / "r.html").read_text()


def test_a_strangers_predictor_is_listed_and_in_the_report(install, tmp_path):
    env = install(stranger_bmi=GOOD)
    listed = subprocess.run([*PROGRAM, "plugins"], capture_output=True, text=True, check=True, env=env).stdout
    assert json.loads(listed)["plugins"]["stranger-bmi"]["version"] == "0.7"
    assert "Body mass index from height and weight." in listed
    done, patient, html = report(env, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [said] = [one for one in patient["predictions"] if one["predictor"] == "body-mass-index"]
    assert said["status"] == "assessed"
    assert 10 < said["value"] < 60
    assert "body-mass-index" in html


def test_broken_plugins_cost_only_their_own_rows(install, tmp_path):
    _, whole, _ = report(dict(os.environ), tmp_path)
    env = install(breaks_at_import=AT_IMPORT, breaks_at_registration=AT_REGISTRATION, breaks_in_predict=IN_PREDICT)
    done, patient, html = report(env, tmp_path)
    assert done.returncode == 3
    assert {failure["plugin"] for failure in patient["failures"]} == {
        "breaks-at-import", "breaks-at-registration", "breaks-in-predict"}
    for part in ("suggestions", "predictions", "genes"):
        assert patient[part] == whole[part]
    for name in ("breaks-at-import", "breaks-at-registration", "breaks-in-predict"):
        assert name in html
        assert name in done.stderr

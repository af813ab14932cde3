"""The example plugins of strangers: short, sound, and in the report of a run."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from pmed import TABLES
from pmed.engine import Engine
from pmed.plugins import Plugins
from pmed.testing import run_checks
from tests.toy import suggestion, tables

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(path.parent for path in ROOT.glob("plugins/examples/*/pyproject.toml"))


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(request.param))
    return request.param


def example(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "plugins/examples" / name))
    return importlib.import_module(f"example_{name.replace('-', '_')}")


def test_there_are_three_of_different_kinds() -> None:
    assert [folder.name for folder in FOLDERS] == ["corrected-calcium", "metformin-response", "reading-guide"]


def test_an_example_passes_every_check(folder: Path) -> None:
    module = f"example_{folder.name.replace('-', '_')}"
    outcomes = run_checks(module)
    assert {one.check: one.message for one in outcomes if one.status != "passed"} == {}
    assert len(outcomes) > 6


def test_an_example_is_one_short_file_with_its_entry_point(folder: Path) -> None:
    [source] = folder.glob("*.py")
    assert len(source.read_text(encoding="utf-8").splitlines()) < 120
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["pmed"] == {project["project"]["name"]: source.stem}


def laboratory(calcium: float) -> dict[str, pl.DataFrame]:
    """A patient with calcium (mg/dL) and an albumin of 2.5 g/dL, and one of whom nothing is known."""
    day = date(2026, 1, 31)
    rows = [("17861-6", calcium, "mg/dL"), ("1751-7", 2.5, "g/dL")]
    return tables(2) | {
        "patients": TABLES["patients"].frame([{"patient_id": "p0", "index_date": day}, {"patient_id": "p1"}]),
        "observations": TABLES["observations"].frame([
            {"patient_id": "p0", "row": row, "system": "http://loinc.org", "code": code, "start": day, "value": value,
             "unit": unit, "status": "final"} for row, (code, value, unit) in enumerate(rows)])}


def test_the_laboratory_rule_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = Plugins().load(only=())
    plugins.add(example("corrected-calcium", monkeypatch), "example", "1")
    made = Engine.using(plugins).conclude(laboratory(10.0))
    assert plugins.failures == []
    assert made["predictions"].select("patient_id", "value", "label", "reason").rows() == [
        ("p0", pytest.approx(11.2), "high", None), ("p1", None, None, "needs calcium, albumin")]
    assert made["traces"]["text"].to_list() == [
        "Calcium 10 mg/dL, albumin 2.5 g/dL.", "Calcium + 0.8 × (4 − albumin): 11.2 mg/dL."]


@pytest.mark.parametrize(("calcium", "cautioned"), [(10.0, ["aspirin"]), (9.0, [])])
def test_the_laboratory_rule_cautions_beside_medicines(
        monkeypatch: pytest.MonkeyPatch, calcium: float, cautioned: list[str]) -> None:
    module = example("corrected-calcium", monkeypatch)
    plugins = Plugins().load(only=())
    plugins.add(module, "example", "1")
    made = Engine.using(plugins).conclude(laboratory(calcium))
    cautions = module.check_suggestions(suggestion(["p0", "p1"]), made)
    assert cautions["drug"].to_list() == cautioned
    assert cautions["patient_id"].to_list() == ["p0"] * len(cautioned)


def test_the_linear_explainer_agrees_with_exact_shapley_values(monkeypatch: pytest.MonkeyPatch) -> None:
    from pmed.explain.shapley import ExactShapley

    module = example("metformin-response", monkeypatch)
    people = pl.DataFrame({"patient_id": ["a", "b"], "age": [40.0, 75.0], "bmi": [25.0, 41.0], "egfr": [90.0, 50.0],
                           module.HBA1C: [9.5, 7.0]})
    predictor = module.MetforminResponse()
    rows = predictor.predict(people)
    assert rows["value"].to_list() == [pytest.approx(1.85, abs=0.1), pytest.approx(0.6, abs=0.1)]
    columns = ["patient_id", "feature", "contribution", "baseline"]
    own, exact = (explainer.explain(predictor, people, rows).select(columns).sort("patient_id", "feature")
                  for explainer in (module.LinearExplainer(), ExactShapley()))
    assert own["feature"].to_list() == exact["feature"].to_list()
    for column in ("contribution", "baseline"):
        assert own[column].to_list() == pytest.approx(exact[column].to_list(), abs=1e-9)


def test_the_section_escapes_and_marks_what_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("reading-guide", monkeypatch)
    given = laboratory(9.0)
    given["conditions"] = TABLES["conditions"].frame([
        {"patient_id": "p0", "row": 1, "display": "<b>gout</b>", "start": date(2020, 1, 1)}])
    mine = {name: frame.filter(patient_id="p0") for name, frame in given.items() if "patient_id" in frame.columns}
    said = module.ReadingGuide().render(mine, "p0")
    assert "1 (&lt;b&gt;gout&lt;/b&gt;)" in said
    assert "<td class='old'>2020-01-01, 2222 days ago</td>" in said
    assert "<td>2026-01-31</td>" in said
    assert "none on record" in said

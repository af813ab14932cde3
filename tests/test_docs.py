"""The documents are true: examples run, names exist, links lead somewhere."""

from __future__ import annotations

import ast
import doctest
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import polars as pl
import pytest
from click.testing import CliRunner

from pmed import TABLES, Release, hookimpl, hookspecs
from pmed.cli import cli
from pmed.engine import Engine
from pmed.plugins import HOOKS, Plugins
from tests.toy import tables

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")])


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def fenced(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def example(hook: str) -> Any:
    """Run a hook's docstring example and return the implementation it defines."""
    doc = getattr(hookspecs, hook).__doc__
    stand_ins = {name: type(name, (), {"name": name}) for name in set(re.findall(r"\b[A-Z]\w+(?=[\](])", doc))}
    names = {**stand_ins, "Release": Release, "hookimpl": hookimpl, "pl": pl}
    test = doctest.DocTestParser().get_doctest(doc, names, hook, None, None)
    assert test.examples, f"{hook} has no example"
    runner = doctest.DocTestRunner()
    runner.run(test, clear_globs=False)
    assert not runner.failures
    return test.globs[hook]


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_has_an_example_that_runs_and_registers(hook: str) -> None:
    implementation = example(hook)
    Plugins().add(SimpleNamespace(**{hook: implementation}), "example", "1")
    if hook.startswith("register_") and hook != "register_commands":
        assert [made.name for made in implementation()]


def test_examples_of_behaviour_hooks_do_what_they_say() -> None:
    assert example("choose_explainer")(SimpleNamespace(name="other")) is None
    assert example("choose_explainer")(SimpleNamespace(name="my-trees")) is not None
    cautions = example("check_suggestions")(pl.DataFrame({"patient_id": ["p"], "drug": ["d"]}), {})
    assert cautions.row(0) == ("p", "d", "my-check", "Look twice.")
    group = click.Group()
    example("register_commands")(group)
    assert list(group.commands) == ["hello"]


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_named_in_the_guide(hook: str) -> None:
    assert re.search(rf"^\| `{hook}` \|", text_of("docs/plugins.md"), re.MULTILINE), f"add {hook} to docs/plugins.md"


@cache
def functions_of_tests() -> set[str]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.glob("tests/**/test_*.py")]
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_has_a_test_of_its_own(hook: str) -> None:
    assert any(re.match(rf"test_hook_{hook}(_|$)", name) for name in functions_of_tests()), f"write test_hook_{hook}"


@pytest.fixture
def renal() -> Iterator[ModuleType]:
    """The plugin of the guide, made from the text of the guide."""
    [code] = [block for block in fenced(text_of("docs/plugins.md"), "python") if "register_predictors" in block]
    module = ModuleType("pmed_renal")
    sys.modules[module.__name__] = module
    try:
        exec(compile(code, "docs/plugins.md", "exec"), vars(module))
        yield module
    finally:
        del sys.modules[module.__name__]


def test_example_plugin_predicts(renal: ModuleType) -> None:
    features = pl.DataFrame({
        "patient_id": list("abcde"), "age": [60.0, 60.0, None, 60.0, 200.0], "weight": [72.0] * 5,
        "sex": ["male", "female", "male", None, "male"], "observation:2160-0": [1.0, 1.0, 1.0, None, 1.0]})
    out = renal.CreatinineClearance().predict(features)
    assert out["value"].to_list() == [80.0, pytest.approx(68.0), None, None, None]  # (140 - 60) * 72 / 72
    assert out["reason"].to_list() == [
        None, None, "needs age", "needs sex, observation:2160-0", "clearance -60 is outside 0 to 300 mL/min"]


def recorded() -> dict[str, pl.DataFrame]:
    """Tables of a woman of 60 with weight and creatinine, and of a patient of whom nothing is known."""
    day = date(2026, 1, 31)
    rows = [("29463-7", 72.0, "kg"), ("2160-0", 1.0, "mg/dL")]
    return tables(2) | {
        "patients": TABLES["patients"].frame([
            {"patient_id": "p0", "sex": "female", "birth_date": day.replace(year=day.year - 60), "index_date": day},
            {"patient_id": "p1"}]),
        "observations": TABLES["observations"].frame([
            {"patient_id": "p0", "row": row, "system": "http://loinc.org", "code": code, "start": day, "value": value,
             "unit": unit, "status": "final"} for row, (code, value, unit) in enumerate(rows)])}


def test_example_plugin_takes_part_in_a_run_and_is_explained(renal: ModuleType) -> None:
    plugins = Plugins().load(only=())
    plugins.add(renal, "pmed-renal", "1.0")
    made = Engine.using(plugins).conclude(recorded())
    assert not plugins.failures
    assert made["predictions"].select("patient_id", "value", "reason").rows() == [
        ("p0", pytest.approx(68.0), None), ("p1", None, "needs age, sex, weight, observation:2160-0")]
    why = made["explanations"]
    assert set(why["feature"]) == set(renal.REFERENCE)
    assert why["baseline"][0] + why["contribution"].sum() == pytest.approx(68.0, abs=1e-6)
    assert why.filter(feature="age")["contribution"][0] < 0


def test_example_project_declares_the_module_as_entry_point() -> None:
    blocks = [tomllib.loads(block) for block in fenced(text_of("docs/plugins.md"), "toml")]
    [project] = [block for block in blocks if "project" in block]
    assert project["project"]["entry-points"]["pmed"] == {"pmed-renal": "pmed_renal"}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_named_in_documents_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^|\n)make ([a-z]+)", text))
    assert named <= make_targets()


def test_make_help_names_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in shown.stdout.splitlines()} == make_targets()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = {link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link}
    missing = {link for link in links if not (path.parent / link).exists()}
    missing |= {name for name in re.findall(r"`((?:pmed|docs|tests|benchmarks|plugins|schemas|\.ci)/[\w./-]*\w)`", text)
                if not (ROOT / name).exists() and name.count("/") and not name.endswith("/1")}
    assert not missing


def between(text: str, mark: str) -> str:
    """The part of a document between ``<!-- mark: begin …-->`` and ``<!-- mark: end -->``."""
    [part] = re.findall(rf"<!-- {mark}: begin.*?-->\n(.*?)<!-- {mark}: end -->", text, re.DOTALL)
    return str(part)


def test_readme_lists_the_commands_there_are() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", between(text_of("README.md"), "commands"), re.MULTILINE)
    shown = CliRunner().invoke(cli, ["--help"]).output.partition("Commands:")[2]
    assert listed == re.findall(r"^  (\w+)", shown, re.MULTILINE)


def test_readme_example_runs(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for code in fenced(text_of("README.md"), "python"):
        exec(compile(code, "README.md", "exec"), {})
    assert "mg/week" in capsys.readouterr().out

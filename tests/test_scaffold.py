"""A plugin made by ``pmed plugins new`` installs with pip, passes its checks and its own tests, whatever its kind."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pmed import TABLES
from pmed.cli import cli
from pmed.errors import OptionError, PmedError
from pmed.scaffold import KINDS, new_plugin, render
from pmed.testing import run_checks
from tests.fresh import PIP, run
from tests.test_cli import pmed
from tests.toy import tables


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_installs_and_passes(fresh_python: Path, tmp_path: Path, kind: str) -> None:
    name = f"new-{kind}"
    made = pmed("plugins", "new", name, "--kind", kind, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    installed = run(fresh_python, *PIP, f"./{name}", cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    checked = run(fresh_python, "-m", "pmed", "plugins", "check", name)
    outcomes = json.loads(checked.stdout)
    assert {one["status"] for one in outcomes} == {"passed"}, checked.stdout
    tested = run(fresh_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path / name)
    assert tested.returncode == 0, tested.stdout
    listed = json.loads(run(fresh_python, "-m", "pmed", "plugins").stdout)
    assert listed["plugins"][name]["version"] == "0.1.0"
    assert listed["plugins"][name]["components"]


@pytest.mark.parametrize(("name", "message"), [
    ("Renal", "cannot be a plugin's name"), ("renal risk", "cannot be"), ("../renal", "cannot be"), ("", "cannot be"),
    ("1st", "cannot be"), ("class", "cannot be"), ("a--b", "cannot be"), ("json", "is taken"), ("pmed", "is taken")])
def test_a_name_that_would_not_do_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        new_plugin(name, "risk", tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_an_installed_plugin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'pmed-pgx' is installed already"):
        CliRunner().invoke(cli, ["plugins", "new", "pmed-pgx", "--kind", "risk", "-o", str(tmp_path / "new")],
                           catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x")
    with pytest.raises(PmedError, match="is there already"):
        new_plugin("renal", "risk", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_template_and_nothing_is_left_to_fill_in(tmp_path: Path, kind: str) -> None:
    for path in new_plugin("renal-risk", kind, tmp_path / "new"):
        text = path.read_text()
        assert "{%" not in text
        assert "{{" not in text.replace("${{", "")
        assert max(map(len, text.splitlines())) <= 120


def test_the_requirement_is_this_release() -> None:
    assert '"pmed>=0.1,<0.2"' in render("renal", "risk", "pyproject.toml.j2")


@pytest.mark.parametrize(("alleles", "state", "expected"), [
    ((0, 0), "called", 0.0), ((0, 1), "called", 1.0), ((1, 1), "called", 2.0), ((0, None), "half-call", None),
    ((0, 2), "called", None), ((None, None), "absent", None), ((0, 0), "filtered", None),
    ((0, 0), "assumed-reference", 0.0)])
def test_the_genotype_of_the_template_is_counted_and_never_guessed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alleles: tuple, state: str, expected: float | None) -> None:
    (tmp_path / "new_site.py").write_text(render("new-site", "pharmacogenomic", "kinds/pharmacogenomic.py.j2"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "new_site", raising=False)
    step = importlib.import_module("new_site").NewSiteDosage()
    [site] = step.sites().filter(build="GRCh38").to_dicts()
    call = {name: site[name] for name in ("chrom", "pos", "ref", "alt")}
    given = tables(1) | {"genotypes": TABLES["genotypes"].frame([
        {**call, "sample": "p0", "allele_1": alleles[0], "allele_2": alleles[1], "state": state}])}
    given["features"] = given["patients"].select("patient_id")
    assert step.run(given, ["dosage:rs671"])["features"]["dosage:rs671"].to_list() == [expected]


def test_a_change_for_the_worse_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks look at the new plugin, and not at something else."""
    code = render("worse-risk", "risk", "kinds/risk.py.j2").replace(
        "verdicts.needs(self.needs), ", "").replace("frame = ", "features = features.fill_null(1.0)\n        frame = ")
    (tmp_path / "worse_risk.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    broken = {one.check for one in run_checks("worse_risk") if not one.is_good}
    assert "worse-risk.missing_input_is_not_assessed" in broken

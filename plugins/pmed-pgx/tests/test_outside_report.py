"""Outside calls from the command line: ``pmed report`` and ``pmed call`` to the advice, and errors in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pmed.cli import cli, main
from pmed.demo import patients
from pmed_pgx.guidelines import drugs
from pmed_pgx.knowledge import genes


def run(*arguments: Any) -> Result:
    made = CliRunner().invoke(cli, list(map(str, arguments)))
    if made.exception and not isinstance(made.exception, SystemExit):
        raise made.exception
    return made


def listed(folder: Path, *lines: str) -> Path:
    path = folder / "outside.tsv"
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def reported(folder: Path, calls: Path, *arguments: Any) -> dict[str, Any]:
    """The patient of the JSON result."""
    made = run("report", *arguments, "--outside-calls", calls, "-o", folder / "r.html", "--json", folder / "r.json")
    assert made.exit_code == 0, made.output
    said: dict[str, Any] = json.loads((folder / "r.json").read_text("utf-8"))["patients"][0]
    return said


def suggestion(patient: dict[str, Any], drug: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in patient["suggestions"] if one["drug"] == drug)
    return found


@pytest.fixture(scope="module")
def demo() -> Any:
    """An embedded patient."""
    return next(one for one in patients() if one.name == "stent")


@pytest.mark.parametrize(("status", "action"), [("*57:01/*08:01", "avoid"), ("*08:01/*07:02", "standard"),
                                                ("*57/*08:01", "not-assessed")])
def test_hla_typing_decides_abacavir(tmp_path: Path, demo: Any, status: str, action: str) -> None:
    patient = reported(tmp_path, listed(tmp_path, f"HLA-B\t{status}"), demo.genome, "--history", demo.history)
    assert suggestion(patient, "abacavir")["action"] == action


@pytest.mark.skipif("codeine" not in drugs(), reason="the release has no rows of codeine")
@pytest.mark.parametrize(("diplotype", "actions"), [
    ("*4/*5", {"avoid", "alternative"}), ("*1/*1x2", {"avoid", "alternative"}), ("*1/*1xN", {"avoid", "alternative"}),
    ("*1/*2", {"standard"}), ("*1/*999", {"not-assessed"}), ("*1/*10xN", {"not-assessed"})])
def test_copies_decide_codeine(tmp_path: Path, demo: Any, diplotype: str, actions: set[str]) -> None:
    patient = reported(tmp_path, listed(tmp_path, f"CYP2D6\t{diplotype}"), "--history", demo.history)
    said = suggestion(patient, "codeine")
    assert said["action"] in actions
    if said["explanation"]:
        assert any(diplotype.partition("/")[0] in step for step in said["explanation"]["trace"])


def test_a_report_says_what_came_from_outside(tmp_path: Path, demo: Any) -> None:
    calls = listed(tmp_path, "CYP2C19\t*38/*38", "CYP2D6\t*4/*4")
    patient = reported(tmp_path, calls, demo.genome, "--history", demo.history)
    codes = [one["code"] for one in patient["genes"]["CYP2C19"]["messages"]]
    assert codes[:2] == ["outside-call", "outside-overrides"]
    assert "outside-conflict" in codes
    assert "outside.tsv, line 1" in (tmp_path / "r.html").read_text("utf-8")
    inputs = json.loads((tmp_path / "r.json").read_text("utf-8"))["provenance"]["inputs"]
    assert [one["file"] for one in inputs if one["kind"] == "outside-calls"] == ["outside.tsv"]


def test_pmed_call_has_outside_results(tmp_path: Path, demo: Any) -> None:
    made = run("call", demo.genome, "--outside-calls", listed(tmp_path, "CYP2D6\t*1/*1x7", "NAT2\t./."))
    found = json.loads(made.stdout)["samples"][0]["genes"]
    assert (found["CYP2D6"]["status"], found["CYP2D6"]["phenotype"]) == ("outside", "Ultrarapid Metabolizer")
    assert found["NAT2"]["status"] == "not-called"
    assert set(found) == set(genes())


def test_several_files(tmp_path: Path, demo: Any) -> None:
    more = tmp_path / "ann_result.tsv"
    more.write_text("\tA1\tA2\tB1\tB2\tC1\tC2\tReads\tObjective\n"
                    "0\tA*01:01\tA*31:01\tB*57:01\tB*08:01\tC*06:02\tC*07:01\t906.0\t887.8\n", "utf-8")
    made = run("call", demo.genome, "--outside-calls", listed(tmp_path, "CYP2D6\t*4/*4"), "--outside-calls", more)
    found = json.loads(made.stdout)["samples"][0]["genes"]
    assert found["HLA-A"]["phenotype"] == "*31:01 positive"
    assert found["CYP2D6"]["phenotype"] == "Poor Metabolizer"


@pytest.mark.parametrize(("line", "said"), [
    ("CYP2D6\t*1/*2/*3", "line 1: CYP2D6: 3 alleles"), ("NOGENE\t*1/*1", "line 1: 'NOGENE' is no gene of the release"),
    ("HLA-B\tB5701", "is no HLA-B allele"), ("", "holds no outside call")])
def test_bad_files_are_one_line(tmp_path: Path, demo: Any, capsys: pytest.CaptureFixture[str], line: str,
                                said: str) -> None:
    calls, report = listed(tmp_path, line), tmp_path / "r.html"
    with pytest.raises(SystemExit) as stop:
        main(["report", str(demo.genome), "--outside-calls", str(calls), "-o", str(report)])
    assert stop.value.code == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("pmed: ")
    assert said in error
    assert "\n" not in error
    assert not report.exists()


def test_outside_calls_alone_are_not_enough_and_are_not_overwritten(tmp_path: Path, demo: Any) -> None:
    calls = listed(tmp_path, "CYP2D6\t*4/*4")
    assert run("report", "--outside-calls", calls).exit_code == 2
    with pytest.raises(SystemExit) as stop:
        main(["report", str(demo.genome), "--outside-calls", str(calls), "-o", str(calls)])
    assert stop.value.code == 1
    assert calls.read_text("utf-8") == "CYP2D6\t*4/*4\n"

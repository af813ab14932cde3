"""The notebooks: all that are there are stripped of outputs, run from top to bottom, and start with a question."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pmed.cli import cli, main
from pmed.errors import PmedError
from pmed.notebook import lab

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
EVERY = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
TEMPLATES = lab.extensions() / "pmed-lab/static/templates.json"


def cells(path: Path, kind: str = "code") -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_bytes())["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_the_first_notebooks_are_there() -> None:
    assert [path.name for path in NOTEBOOKS][:2] == ["01-first-report.ipynb", "02-a-real-genome.ipynb"]


@EVERY
def test_outputs_are_stripped(path: Path) -> None:
    assert cells(path)
    assert not [cell for cell in cells(path) if cell["outputs"] or cell["execution_count"] is not None]
    assert not [cell for cell in json.loads(path.read_bytes())["cells"] if cell["metadata"]]


@EVERY
def test_reads_like_a_tutorial(path: Path) -> None:
    """A question first, few lines in a cell, words between them."""
    title = source(cells(path, "markdown")[0]).splitlines()[0]
    assert title.startswith("# ")
    assert title.endswith("?")
    assert max(source(cell).count("\n") + 1 for cell in cells(path)) <= 15
    assert len(cells(path, "markdown")) * 2 >= len(cells(path))


def run(path: Path, folder: Path) -> Any:
    """Run a notebook as JupyterLab would, in a folder of its own; the executed notebook."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}},
                            ).execute()
    return book


def texts(book: Any) -> str:
    return "\n".join(str(out.get("data", {}).get("text/html", "")) + str(out.get("data", {}).get("text/plain", ""))
                     for cell in book.cells if cell.cell_type == "code" for out in cell.outputs)


SEEN = {"01-first-report": ("clopidogrel", "CYP2C19", "CYP2D6 is *1/*1?"), "02-a-real-genome": ("CYP2C19", "Absent"),
        "03-a-cohort": ("Phenotypes of CYP2C19: all (n = ", "Intermediate Metabolizer", "'unlinked_snps'",
                        "First two principal components of", "-1639 AA", "SLCO1B1 of those who take simvastatin",
                        "the least p is of SLCO1B1 Decreased Function"),
        "04-a-risk-model": ("back must not be a feature", "Calibration of 3,000 people", "Decision curve",
                            "calibration_slope", "CC0-1.0", "'manifest.json', 'card.md'], True)", "drifted"),
        "05-warfarin-dose": ("CYP2C9", "without amiodarone", "mg/week", "Leaving one site out"),
        "06-write-a-predictor": ("needs glucose", "passed: Every assessed row is explained", "136.0", "report.html",
                                 "missing_input_is_not_assessed", "tests/test_corrected_sodium.py", "True"),
        "07-polygenic-scores": ("matched", "at percentile", "95 %", "imputed", "core in group B")}
USES_SHARED = pytest.mark.parametrize("path", [path for path in NOTEBOOKS if "../shared" in path.read_text("utf-8")],
                                      ids=lambda path: path.stem)
QUIET = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning",
                                   "ignore::pytest.PytestUnraisableExceptionWarning")


def must_go_well(path: Path, book: Any) -> str:
    """What was said, if all that should be is there and nothing went to stderr."""
    said = texts(book)
    assert not [word for word in SEEN.get(path.stem, ()) if word not in said]
    errors = [out.text for cell in book.cells if cell.cell_type == "code" for out in cell.outputs
              if out.output_type == "stream" and out.name == "stderr"]
    assert errors == []
    return said


@EVERY
@QUIET
def test_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    """Where nothing is beside the project."""
    must_go_well(path, run(path, tmp_path))


@USES_SHARED
@QUIET
def test_runs_with_the_shared_files(path: Path, tmp_path: Path, shared: Path) -> None:
    (tmp_path / "shared").symlink_to(shared)
    folder = tmp_path / "work"
    folder.mkdir()
    said = must_go_well(path, run(path, folder))
    assert "invented" not in said.lower()


@pytest.mark.parametrize("kind", ["new-patient", "new-predictor"])
def test_templates_of_the_launcher_run(kind: str, tmp_path: Path) -> None:
    code = "\n".join(text for what, text in json.loads(TEMPLATES.read_bytes())[kind] if what == "code")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_predictor_template_computes_what_it_cites() -> None:
    code = json.loads(TEMPLATES.read_bytes())["new-predictor"][1][1]
    names: dict[str, Any] = {"__name__": "template"}
    exec(compile(code, "template", "exec", dont_inherit=True), names)
    pl = names["pl"]
    features = pl.DataFrame({"patient_id": list("abc"), "age": [60.0, 60.0, None], "sex": ["male", "female", "male"],
                             "weight": [72.0] * 3, "observation:2160-0": [1.0] * 3})
    assert names["Clearance"]().predict(features)["value"].to_list() == [80.0, pytest.approx(68.0), None]
    assert isinstance(names["Clearance"](), __import__("pmed").Predictor)


def test_a_working_copy_is_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = lab.working_copy(None), lab.working_copy(None)
    assert (str(first), str(second)) == ("pmed-lab", "pmed-lab-2")
    assert sorted(path.name for path in first.iterdir()) == [path.name for path in NOTEBOOKS]
    with pytest.raises(PmedError):
        lab.working_copy(first)


def test_the_server_shows_the_copy_and_the_launcher_entries(tmp_path: Path) -> None:
    pytest.importorskip("jupyterlab")
    command = lab.command(tmp_path, ["--no-browser"])
    assert f"--ServerApp.root_dir={tmp_path}" in command
    assert f"--LabApp.extra_labextensions_path={lab.extensions()}" in command
    assert command[-1] == "--no-browser"
    package = json.loads((lab.extensions() / "pmed-lab/package.json").read_bytes())
    assert (lab.extensions() / package["name"] / package["jupyterlab"]["_build"]["load"]).is_file()


def test_no_lab_is_one_line_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as end:
        main(["lab", "-o", str(tmp_path / "copy")])
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert said.startswith("pmed: JupyterLab is not installed")
    assert said.count("\n") == 1
    assert not (tmp_path / "copy").exists()


def test_options_go_on_to_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(lab, "start", lambda folder, more: given.append((folder, more)))
    done = CliRunner().invoke(cli, ["lab", "-o", str(tmp_path / "x"), "--", "--no-browser", "--port=9"])
    assert done.exit_code == 0, done.output
    assert given == [(tmp_path / "x", ("--no-browser", "--port=9"))]

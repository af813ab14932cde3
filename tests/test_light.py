"""Nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HEAVY = ("IPython", "allel", "babel", "jupyter_core", "jupyterlab", "lightgbm", "mapie", "matplotlib", "numba",
         "optuna", "pandas", "pysam", "scipy", "shap", "sklearn", "weasyprint")
PROBE = """
import json, sys
from pmed.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print(json.dumps({"code": code or 0, "modules": sorted(name for name in sys.modules if "." not in name)}))
"""


@cache
def modules_after(*arguments: str | Path) -> set[str]:
    """Top modules in memory after a command that must go well, run in a process of its own."""
    done = subprocess.run([sys.executable, "-c", PROBE, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["code"] == 0, done.stderr
    return set(said["modules"])


def test_version() -> None:
    assert not modules_after("--version") & set(HEAVY)


def test_call(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "genes.json"
    loaded = modules_after("call", root / "pmed/demo/stent.vcf", "--format", "json", "-o", out)
    assert json.loads(out.read_bytes())["samples"]
    assert not loaded & set(HEAVY)


def test_report(root: Path, tmp_path: Path) -> None:
    demo = root / "pmed/demo"
    out = tmp_path / "report.html"
    loaded = modules_after("report", demo / "stent.vcf", "--history", demo / "stent.json", "-o", out)
    assert out.stat().st_size
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("module", ["json", "pmed"])
def test_the_probe_sees_modules(module: str) -> None:
    assert module in modules_after("--version")


def test_a_notebook_needs_no_command_line() -> None:
    shown = ("import pmed, sys; pmed.demo('stent')._repr_html_(); "
             "print({'click', 'pysam', 'tomlkit'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

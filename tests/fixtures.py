"""Fixtures every test folder may use (loaded by ``-p tests.fixtures``)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.fresh import environment
from tests.once import made_once

# A slow machine is no failure: no test looks at a clock. The examples are the same each time, so that a change is
# judged by what it changes; PMED_SEARCH=1 looks for new ones.
hypothesis.settings.register_profile("pmed", deadline=None, derandomize=not os.environ.get("PMED_SEARCH"))
hypothesis.settings.load_profile("pmed")

ROOT = Path(__file__).resolve().parents[1]

# Some hundred programs are started, and half of the start of pmed is to compile its modules: what is compiled once is
# kept, whatever the environment says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Of these single tests take ten seconds and more. They are begun first, so that no process of a run is left alone with
# them while the others have nothing to do.
_LONG = {f"test_{name}.py" for name in (
    "docs_browser", "docs_run", "guidelines", "lab_browser", "model_export", "notebooks", "omop_parts", "pdf",
    "pharmcat_cases", "pools", "report_quality", "scaffold", "scan", "tabular_parts", "vcf_spec")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests take longest."""
    items.sort(key=lambda item: item.path.name not in _LONG)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "README.md").is_file():
        pytest.skip("no ../shared beside the project: real data is not here")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own folder."""
    return ROOT


@pytest.fixture(scope="session")
def docs_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents as a site, built without a warning."""
    pytest.importorskip("material", reason="mkdocs-material is not installed")

    def build(folder: Path) -> None:
        # Not --quiet: it leaves out the warnings before --strict counts them.
        done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)], cwd=ROOT,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "site", build)


@pytest.fixture(scope="session")
def demo_results() -> dict[str, Any]:
    """The results (`pmed.Result`) of the embedded patients by their names."""
    from pmed.demo import patients
    from pmed.engine import run
    from pmed.settings import Settings

    return {one.name: run([one.genome], [one.history], settings=Settings()) for one in patients()}


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment of the module's own, to install into."""
    return environment(tmp_path_factory.mktemp("fresh") / "venv")


@pytest.fixture(scope="module")  # a process can have one Playwright at a time
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; skips the test where one of them is absent."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()

"""Every python and shell block of the documents runs, page by page, as a reader would run it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests import docs_files
from tests.docs_blocks import PAGES, ROOT, blocks
from tests.fresh import environment

WITH_CODE = [page for page in PAGES if any(not one.skipped for one in blocks(page))]
#: Pages run by one process, each in names of its own: those of hooks are short, and all in python.
HOOKS = [page for page in WITH_CODE if page.parent.name == "hooks"]
RUNS = [*([page] for page in WITH_CODE if page not in HOOKS), HOOKS]
#: Page → first words of the reason why a block of it is not run. Each is marked where it stands.
NOT_RUN = {
    "README.md": ["sets up an environment from the package index"],
    "docs/cohorts.md": ["needs Java, a Spark cluster and packages from the index; tests/test_cohort_spark.py runs it",
                        "needs a Hadoop file system; tests/test_cohort_away.py runs one"],
    "docs/howto.md": ["for the shell of a person"],
    "docs/records.md": ["needs a distribution of RxNorm or Athena, which each user gets under a licence of their own"],
    "docs/tutorial.md": ["a line of the function above; tests/test_docs_site.py puts it there"]}
SOURCES = [ROOT, *ROOT.glob("plugins/pmed-*/src"), *ROOT.glob("plugins/examples/*")]
PROGRAMS = {"pmed": "pmed", "pip": "pip", "pytest": "pytest"}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def name_of_run(pages: list[Path]) -> str:
    return name_of(pages[0] if len(pages) == 1 else pages[0].parent)


def reader(folder: Path) -> dict[str, str]:
    """The environment of a reader: a fresh venv, which sees this one's packages and installs without an index."""
    environment(folder)
    for name, module in PROGRAMS.items():
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" -m {module} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": ":".join(map(str, SOURCES)), "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1", "OMP_THREAD_LIMIT": "1", "POLARS_MAX_THREADS": "1"}


def run(pages: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    env = reader(folder / "venv")
    work = folder / "work"
    work.mkdir()
    docs_files.lay(work, *(page.name for page in pages))
    return subprocess.run([str(folder / "venv/bin/python"), "-m", "tests.docs_blocks", *map(str, pages)], cwd=work,
                          env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("pages", RUNS, ids=name_of_run)
def test_the_blocks_of_a_page_run(pages: list[Path], tmp_path: Path) -> None:
    done = run(pages, tmp_path)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    begun = dict.fromkeys(re.findall(r"^(\S+\.md) line \d+$", done.stdout, re.MULTILINE))
    assert list(begun) == [page.name for page in pages]


def test_pages_that_share_a_process_have_python_alone() -> None:
    assert {one.language for page in HOOKS for one in blocks(page)} == {"python"}


def test_what_is_not_run_says_why() -> None:
    marked = {name_of(page): [one.skipped for one in blocks(page) if one.skipped] for page in PAGES}
    assert {page: reasons for page, reasons in marked.items() if reasons} == NOT_RUN


def test_no_command_hides_from_the_test() -> None:
    """A block of another language, or one that is only indented, would never be run."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        words = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        assert not re.findall(r"^    (?:pmed|pip|make) .*$", words, re.MULTILINE)
        assert set(re.findall(r"^```(\w+)$", text, re.MULTILINE)) <= {"python", "sh", "toml", "text", "po"}
        assert not re.findall(r"^```\n(?:pmed|pip|make) .*$", text, re.MULTILINE)


@pytest.mark.parametrize(("text", "line"), [
    ("\n```sh\ntrue\n```\n\n```sh\nfalse | cat\ntrue\n```\n", 7), ("```python\nraise ValueError\n```\n", 2),
    ("```python\n>>> 1 + 1\n3\n\n```\n", 2), ("```python\nseen\n```\n", 2)])
def test_a_block_that_fails_is_seen(tmp_path: Path, text: str, line: int) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    before = tmp_path / "before.md"
    before.write_text("```python\nseen = 1\n```\n")
    done = run([before, page], tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == f"page.md line {line}"

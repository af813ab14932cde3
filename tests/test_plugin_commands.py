"""``pmed plugins``: a table on a terminal, JSON in a pipe; check says what is broken and ends accordingly."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pmed.cli import cli
from pmed.scaffold import render
from tests.test_cli import PROGRAM


@pytest.fixture
def score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that keeps its promises, by the name of new_score."""
    path = tmp_path / "new_score.py"
    path.write_text(render("new-score", "risk", "kinds/risk.py.j2"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "new_score", raising=False)
    return path


def broken(path: Path, more: str = "") -> None:
    path.write_text(path.read_text().replace('populations="Adults."', 'populations=""') + more)


def test_check_of_a_good_plugin(score: Path) -> None:
    done = CliRunner().invoke(cli, ["plugins", "check", "new_score", "--table"])
    assert (done.exit_code, done.output) == (0, "26 passed\n")


def test_check_of_a_broken_plugin_names_the_check_and_ends_with_one(score: Path) -> None:
    broken(score)
    done = CliRunner().invoke(cli, ["plugins", "check", "new_score", "--table"])
    assert done.exit_code == 1
    assert done.output == "failed   new-score.card_is_complete: card.populations is empty\n1 failed, 25 passed\n"


def test_check_in_a_pipe_is_json(score: Path) -> None:
    broken(score)
    done = CliRunner().invoke(cli, ["plugins", "check", "new_score"])
    [bad] = [one for one in json.loads(done.output) if not one["good"]]
    assert (bad["check"], bad["status"], bad["message"]) == (
        "new-score.card_is_complete", "failed", "card.populations is empty")


def test_an_expected_failure_is_shown_with_its_reason_and_is_no_failure(score: Path) -> None:
    broken(score, '\nEXPECTED_FAILURES = {"new-score.card_is_complete": "The cohort is not described yet."}\n')
    done = CliRunner().invoke(cli, ["plugins", "check", "new_score", "--table"])
    assert done.exit_code == 0
    assert done.output == ("expected new-score.card_is_complete: The cohort is not described yet.\n"
                           "1 expected, 25 passed\n")


def test_a_package_that_is_not_there_is_one_line() -> None:
    done = subprocess.run([*PROGRAM, "plugins", "check", "pmed-rsik"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "pmed: no plugin 'pmed-rsik' is installed (did you mean 'pmed-risk'?)\n"


def test_the_list_is_a_table_on_a_terminal_and_json_in_a_pipe() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.Popen([*PROGRAM, "plugins"], stdout=theirs, env={**os.environ, "COLUMNS": "150"})
    os.close(theirs)
    said = b""
    while piece := _read(ours):
        said += piece
    assert done.wait() == 0
    assert said.decode().splitlines()[0].split() == ["plugin", "brings", "component", "what", "it", "is"]
    piped = subprocess.run([*PROGRAM, "plugins"], capture_output=True, text=True, check=True)
    assert set(json.loads(piped.stdout)) == {"api", "plugins", "disabled", "hooks", "failures"}


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the program has closed it
        return b""


def test_the_bare_command_takes_the_options_of_the_list() -> None:
    table = CliRunner().invoke(cli, ["plugins", "--table"])
    assert table.exit_code == 0, table.output
    assert table.output.startswith("plugin ")
    assert CliRunner().invoke(cli, ["plugins", "--json"]).output.startswith("{")

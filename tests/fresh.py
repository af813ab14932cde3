"""A new environment for tests that install: it sees the third-party packages of this one, and none of its plugins."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Arguments of an interpreter, before what is to be installed.
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps",
       "--no-build-isolation")


def environment(folder: Path) -> Path:
    """Make the environment, and say where its interpreter is."""
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "beside.pth").write_text(sysconfig.get_paths()["purelib"])
    return folder / "bin" / "python"


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program that finds pmed, and nothing else, in this folder."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd, env=env)

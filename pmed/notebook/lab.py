"""``pmed lab``: JupyterLab with the notebooks in a fresh working copy."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ..compatibility import install_extra
from ..errors import PmedError
from ..files import whole_folder

HERE = Path(__file__).parent
FIRST = "01-first-report.ipynb"
# In the wheel the notebooks are beside this file, in a clone at the top
PLACES = (HERE / "notebooks", HERE.parents[1] / "notebooks")
NAME = "pmed-lab"


def notebooks() -> Path:
    """The folder of the notebooks.

    Raises:
        PmedError: where they are not installed.
    """
    found = next((folder for folder in PLACES if (folder / FIRST).is_file()), None)
    if found is None:
        raise PmedError("the notebooks are not installed", where=str(PLACES[0]), hint="install pmed again, or work in "
                        "a clone of it")
    return found


def working_copy(folder: Path | None) -> Path:
    """Copy the notebooks into a new folder; without one named, ``pmed-lab`` here, or the next free number of it.

    Raises:
        PmedError: where the folder is there already and is not empty.
    """
    target = folder or next(path for number in range(1, 1000)
                            if not (path := Path(NAME if number == 1 else f"{NAME}-{number}")).exists())
    with whole_folder(target) as temporary:
        for path in sorted(notebooks().glob("*.ipynb")):
            shutil.copyfile(path, temporary / path.name)
    return target


def command(folder: Path, more: Sequence[str] = ()) -> list[str]:
    """The program that serves `folder`, with pmed's launcher entries, the first notebook open.

    Raises:
        PmedError: where JupyterLab is not installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise PmedError("JupyterLab is not installed",
                        hint=install_extra("lab"))
    return [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}",
            f"--LabApp.default_url=/lab/tree/{FIRST}", f"--LabApp.extra_labextensions_path={extensions()}", *more]


def extensions() -> Path:
    """The folder that holds pmed's extension under its name, as JupyterLab looks for it."""
    return HERE / "labextensions"


def start(folder: Path | None, more: Sequence[str] = ()) -> NoReturn:
    """Become the server of a fresh working copy, so that whoever stops this process stops the server.

    Raises:
        PmedError: where JupyterLab or the notebooks are not installed, or the folder is not empty.
    """
    command(Path(), more)  # says what is missing before anything is written
    program = command(working_copy(folder), more)
    os.execv(program[0], program)  # noqa: S606 - our own arguments, no shell

"""The collector is out of the way while pmed is loaded, and as it was afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from pmed.collecting import lasting, uncollected

FILE_IN_A_CYCLE = """
import sys
class Writer:
    def __init__(self):
        self.file, self.me = open(sys.argv[1], "w"), self
        self.file.write("all of it")
    def __del__(self):
        self.file.close()
kept = Writer()
if sys.argv[2] == "garbage":
    del kept
import pmed
pmed.demo_files("stent")
"""


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("context", [uncollected, lasting])
def test_it_is_as_it_was(context: Callable[[], AbstractContextManager[Any]], enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    try:
        with context():
            assert not gc.isenabled()
        assert gc.isenabled() == enabled
        assert not gc.get_freeze_count()
    finally:
        gc.enable()


def test_what_is_loaded_is_old() -> None:
    with lasting():
        made = [[number] for number in range(5000)]
    young = {id(one) for one in gc.get_objects(generation=0)}
    assert not young & set(map(id, made))


def test_what_is_frozen_stays_frozen() -> None:
    mine: list[list[int]] = [[]]
    gc.freeze()
    try:
        with lasting():
            pass
        assert not any(one is mine for one in gc.get_objects())  # of a frozen object it does not tell
    finally:
        gc.unfreeze()
    assert any(one is mine for one in gc.get_objects())


@pytest.mark.parametrize("how", ["kept", "garbage"])
def test_what_a_script_leaves_open_is_written_when_it_ends(how: str, tmp_path: Path) -> None:
    path = tmp_path / "told.txt"
    subprocess.run([sys.executable, "-c", FILE_IN_A_CYCLE, path, how], check=True)
    assert path.read_text("utf-8") == "all of it"

"""What is costly to make and only read: made by one of the test processes of a run, and found there by the others."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name`, filled by `make` in the process that asks first; the others wait until it is whole.

    Whoever finds that `make` failed tries again, so that each test that needs the folder tells the failure.
    """
    # Each worker of pytest-xdist has a folder of its own in that of the run.
    own = factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-once" / name
    place.parent.mkdir(exist_ok=True)
    whole = place.with_name(f"{name}.whole")
    with place.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            place.mkdir(exist_ok=True)
            make(place)
            whole.touch()
    return place

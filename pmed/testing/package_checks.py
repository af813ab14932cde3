"""The package as a whole: it loads quickly, reaches nowhere, writes nowhere, and says true things of its failures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..plugins import HOOKS
from .guard import Refused, guarded
from .subject import EXPECTED, Subject, must, names_taken

MOST_IMPORT: Final = 0.3  # seconds of processor time, beside what pmed itself imports
_ROUNDS: Final = 3
_PROBE: Final = """
import json, sys, time
import pmed.builtin, pmed.engine, pmed.testing.guard as guard
with guard.guarded() as seen:
    start = time.process_time()
    __import__(sys.argv[1])
    used = time.process_time() - start
print(json.dumps({"used": used, "network": seen.network, "writes": seen.writes}))
"""


def check_loads(subject: Subject, _: Callable[[], None]) -> None:
    """It registers, and every component that it brings has the right shape."""
    must(not subject.failures, "; ".join(map(str, subject.failures)))
    must(any(owner.plugin == subject.name for hook in HOOKS for owner, _ in subject.plugins.implementations(hook)),
         "brings nothing: is @hookimpl missing above its functions, or has none of them the name of a hook?")
    must(not (taken := names_taken(subject)), "; ".join(taken))


def check_imports_quickly(subject: Subject, _: Callable[[], None]) -> None:
    """Its import takes less than 300 ms of processor time (the best of three) and touches nothing."""
    if not subject.module:
        return
    said = [_probe(subject.module) for _ in range(_ROUNDS)]
    must(not said[0]["network"], f"reaches out when it is imported: {said[0]['network']}")
    must(not said[0]["writes"], f"writes when it is imported: {said[0]['writes']}")
    best = min(one["used"] for one in said)
    must(best < MOST_IMPORT, f"its import takes {best * 1000:.0f} ms of processor time, allowed are "
                             f"{MOST_IMPORT * 1000:.0f}: import heavy libraries where they are used")


def _probe(module: str) -> Mapping[str, Any]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", _PROBE, module], capture_output=True,  # noqa: S603 - a module's name
                          text=True, check=False, env=env)
    must(done.returncode == 0, f"does not import in a process of its own: {done.stderr.strip().splitlines()[-1:]}")
    said: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def check_reaches_nowhere(_: Subject, everything: Callable[[], None]) -> None:
    """No network and no other program while its components work."""
    with guarded() as seen:
        _despite(everything)
    must(not seen.network, f"reaches out of the process: {'; '.join(seen.network[:3])}")


def check_writes_nowhere(_: Subject, everything: Callable[[], None]) -> None:
    """Nothing is written but to the temporary folder while its components work."""
    with guarded() as seen:
        _despite(everything)
    must(not seen.writes, f"writes outside the temporary folder: {'; '.join(seen.writes[:3])}")


def _despite(everything: Callable[[], None]) -> None:
    """Run it; what it was refused is remembered, so the error itself tells nothing more."""
    try:
        everything()
    except Refused:
        return


def check_expected_failures_are_named(subject: Subject, _: Callable[[], None]) -> None:
    """Every expected failure has a reason that a reader can weigh."""
    for name, reason in subject.expected.items():
        must(isinstance(reason, str) and len(reason.split()) > 2, f"{EXPECTED}[{name!r}] gives no reason")


CHECKS: Final[tuple[Callable[[Subject, Callable[[], None]], None], ...]] = (
    check_loads, check_imports_quickly, check_reaches_nowhere, check_writes_nowhere, check_expected_failures_are_named)

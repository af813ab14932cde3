"""The front door: every public name is listed, explained by an example that runs, and stays what it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pmed


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert pmed.__all__ == sorted(pmed.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(getattr(pmed, name) is not None for name in pmed.__all__)
    assert set(pmed.__all__) == set(pmed._module_of)
    assert dir(pmed) == sorted([*pmed.__all__, "__version__"])


def test_every_public_name_has_an_example(root: Path) -> None:
    """tests/test_docs_run.py runs them."""
    text = (root / "docs/api.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    missing = [name for name in pmed.__all__ if not re.search(rf"pmed\.{name}\b", code)]
    assert not missing, f"add an example to docs/api.md: {', '.join(missing)}"


@pytest.mark.parametrize("first", ["pmed.demo", "pmed.plugins"])
def test_functions_stay_functions_when_their_module_is_imported(first: str) -> None:
    """Python sets a submodule as an attribute of its package; the function of that name must win, in any order."""
    code = f"""if True:
        import importlib, json, pmed
        importlib.import_module({first!r})
        from pmed.demo import patients
        from pmed.plugins import Plugins
        print(json.dumps([callable(pmed.demo), callable(pmed.plugins), len(patients()), Plugins.__name__]))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, True, 4, "Plugins"]

"""What others build on does not change by accident: public names and signatures, hook by hook and word by word."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import pluggy
import pytest

from pmed import hookimpl, hookspecs
from pmed.listing import describe_plugins
from pmed.plugins import HOOKS, Plugins
from pmed.settings import Settings
from tests.api import GOLDEN, described

ROOT = Path(__file__).resolve().parents[1]


def test_the_public_api_is_the_golden_one() -> None:
    # In a process of its own, so that it does not matter what other tests imported.
    done = subprocess.run([sys.executable, "-c", "from tests.api import described; print(described(), end='')"],
                          cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == GOLDEN.read_text(encoding="utf-8"), (
        "the public API changed: if that is meant, say so in CHANGELOG.md (docs/plugins.md has the policy), and write "
        "the golden file anew with python -m tests.api")


@pytest.mark.parametrize("name", ["hook choose_explainer(predictor", "class pmed.Card(", "  pmed.Card.range: ",
                                  "def pmed.verdicts.needs(names: ", "  pmed.Result.panel(self", "def pmed.run(genome",
                                  "def pmed.testing.parametrize_with_checks(package", "pmed.TABLES: dict"])
def test_the_golden_file_holds_names_and_signatures(name: str) -> None:
    assert any(line.startswith(name) for line in GOLDEN.read_text(encoding="utf-8").splitlines())


def test_a_changed_signature_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from pmed import verdicts

    before = described()
    monkeypatch.setattr(verdicts, "needs", lambda names, shown, more: None)
    assert described() != before


def test_a_hook_that_is_to_change_warns_who_implements_it() -> None:
    """How a hook is deprecated: `warn_on_impl` in its specification; the plugin works on, and the list says so."""
    marker = pluggy.HookspecMarker("pmed")
    old = SimpleNamespace(register_old=marker(lambda: None, warn_on_impl=DeprecationWarning(
        "register_old goes with 0.3: use register_new")))
    manager = pluggy.PluginManager("pmed")
    manager.add_hookspecs(old)
    with pytest.warns(DeprecationWarning, match="use register_new"):
        manager.register(SimpleNamespace(register_old=hookimpl(lambda: None)))


def test_a_deprecated_hook_is_told_by_plugin_and_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = dict(hookspecs.register_advisers.pmed_spec)
    monkeypatch.setitem(hookspecs.register_advisers.pmed_spec, "warn_on_impl", DeprecationWarning("goes with 0.3"))
    assert spec["warn_on_impl"] is None
    plugins = Plugins().load(only=())

    def none():
        return []

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plugins.add(SimpleNamespace(register_advisers=hookimpl(none)), "old", "1")
    assert plugins.notes == {"old": ["goes with 0.3"]}
    assert "old" in plugins.versions


def test_the_hooks_have_a_version() -> None:
    assert hookspecs.API == 1
    assert describe_plugins(Settings())["api"] == 1
    assert len(HOOKS) >= 10

"""`pmed.score` asks the scorer that a plugin brings; the core knows none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import polars as pl
import pytest

import pmed
from pmed.errors import OptionError
from pmed.plugins import Plugins


@dataclass(frozen=True)
class Count:
    """How many files there are, in place of a score."""

    name: ClassVar[str] = "count"
    factor: float = pmed.option(1.0, doc="A factor.", low=0.0)

    def score(self, genome, scorefiles, *, build="", progress=print):
        progress("counting")
        table = pl.DataFrame({"files": [len(genome) + self.factor * len(scorefiles)], "build": [build]})
        return pmed.Scored(table, table.clear())


@pytest.fixture
def bring(monkeypatch: pytest.MonkeyPatch):
    """Load only these scorers."""
    def load(*scorers: type) -> None:
        def loaded(plugins: Plugins, only=None) -> Plugins:
            plugins.add(SimpleNamespace(register_scorers=pmed.hookimpl(lambda: list(scorers))), "stranger", "1")
            return plugins
        monkeypatch.setattr(Plugins, "load", loaded)
    return load


def test_hook_register_scorers(bring):
    bring(Count)
    told = []
    found = pmed.score("a.vcf", [Path("b.txt"), Path("c.txt")], build="GRCh38", progress=told.append)
    assert found.table.row(0) == (3.0, "GRCh38")
    assert told == ["counting"]
    assert pmed.score("a.vcf", "b.txt", options={"count": {"factor": 4.0}}).table["files"][0] == 5.0
    with pytest.raises(OptionError, match="'factor' must be in"):
        pmed.score("a.vcf", "b.txt", options={"count": {"factor": -1.0}})


def test_without_a_plugin_one_line_says_what_to_install(bring):
    bring()
    with pytest.raises(OptionError, match="no installed plugin scores genomes") as told:
        pmed.score("a.vcf", "b.txt")
    assert "pip install pmed-risk" in str(told.value)


def test_of_several_one_is_named(bring):
    other = type("Other", (Count,), {"name": "other"})
    bring(Count, other)
    with pytest.raises(OptionError, match="several plugins score genomes") as told:
        pmed.score("a.vcf", "b.txt")
    assert "count, other" in str(told.value)
    assert pmed.score("a.vcf", "b.txt", scorer="other").table["files"][0] == 2.0
    with pytest.raises(OptionError, match="no scorer 'counts'"):
        pmed.score("a.vcf", "b.txt", scorer="counts")


@dataclass(frozen=True)
class Mute:
    """It has no score."""

    name: ClassVar[str] = "mute"


def test_a_class_that_cannot_score_is_refused():
    plugins = Plugins().load(only=())
    plugins.add(SimpleNamespace(register_scorers=pmed.hookimpl(lambda: [Mute])), "broken", "1")
    assert plugins.components("register_scorers") == []
    assert "has no method score()" in str(plugins.failures[0])

"""What was read of the rule files before is what they say."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from pmed_pgx import rule_files


def test_what_was_read_is_of_these_files() -> None:
    kept = (files("pmed_pgx") / rule_files.READ).read_text("utf-8")
    assert kept == rule_files.read(rule_files.embedded_texts()), "python plugins/pmed-pgx/tools/read_rules.py"


def test_the_same_as_toml_says_to_the_type() -> None:
    for text in rule_files.embedded_texts():
        assert repr(rule_files.loads(text)) == repr(tomllib.loads(text))


def test_toml_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = rule_files.embedded_texts()
    monkeypatch.setattr(rule_files.tomllib, "loads", lambda _: pytest.fail("a text that is known"))
    assert all(map(rule_files.loads, texts))


def test_a_changed_text_is_read_itself() -> None:
    text = 'added = "here"\n' + rule_files.embedded_texts()[0]
    assert rule_files.loads(text)["added"] == "here"


def test_nobody_changes_what_is_kept() -> None:
    text = rule_files.embedded_texts()[0]
    rule_files.loads(text).clear()
    assert rule_files.loads(text)

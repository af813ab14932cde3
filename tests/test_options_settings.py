"""Options and settings say what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from pmed.errors import OptionError
from pmed.options import build, option
from pmed.settings import Settings, load_settings


@dataclass(frozen=True)
class Dose:
    name: ClassVar[str] = "dose"
    slope: float = option(2.0, unit="mg/a", low=0, high=5, doc="Dose per year of age.")
    mode: str = option("plain", choices=("plain", "log"), doc="Scale.")
    strict: bool = option(default=False, doc="Be strict.")
    count: int = option(1, doc="How often.")


@pytest.mark.parametrize(("given", "message"), [
    ({"slop": 1}, "unknown option 'slop'; known: slope, mode, strict, count"),
    ({"slope": 9}, r"'slope' must be in \[0, 5\] mg/a. Got 9"),
    ({"slope": "9"}, "'slope' must be a float. Got '9'"),
    ({"slope": True}, "'slope' must be a float"),
    ({"mode": "x"}, "'mode' must be one of 'plain', 'log'"),
    ({"strict": 1}, "'strict' must be a bool"),
    ({"count": True}, "'count' must be a int"),
])
def test_a_wrong_option_is_refused(given, message):
    with pytest.raises(OptionError, match=message):
        build(Dose, given)


def test_all_faults_are_named_together():
    with pytest.raises(OptionError, match=r"dose: unknown option 'a'.*'mode' must be"):
        build(Dose, {"a": 1, "mode": "x"})


def test_a_whole_number_will_do_for_a_float():
    assert build(Dose, {"slope": 3, "strict": True}) == Dose(slope=3, strict=True)


def test_settings_are_read(tmp_path):
    file = tmp_path / "pmed.toml"
    file.write_text('[plugins]\ndisabled = ["x"]\n[vcf]\nfilters = "ignore"\n')
    assert load_settings(file) == Settings(frozenset({"x"}), {"vcf": {"filters": "ignore"}})


def test_no_settings_file_is_no_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings() == Settings()


@pytest.mark.parametrize(("text", "message"), [
    ("a = ", "not a TOML file"), ("[plugins]\nenabled = []", "knows only 'disabled'"),
    ('[plugins]\ndisabled = "x"', "must be a list"), ("filters = 1", r"'filters' must be a table \[filters\]")])
def test_bad_settings_are_one_clear_line(tmp_path, text, message):
    file = tmp_path / "pmed.toml"
    file.write_text(text)
    with pytest.raises(OptionError, match=message) as caught:
        load_settings(file)
    assert "pmed.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_named_settings_file_must_be_there(tmp_path):
    with pytest.raises(OptionError, match="cannot read settings"):
        load_settings(tmp_path / "none.toml")


def test_options_are_laid_over_settings():
    merged = Settings(options={"vcf": {"a": 1, "b": 2}}).with_options({"vcf": {"b": 3}, "fhir": {"c": 4}})
    assert merged.options == {"vcf": {"a": 1, "b": 3}, "fhir": {"c": 4}}

"""The record of what published texts were met for the safety knowledge: well formed, and about rows that exist."""

from __future__ import annotations

import csv
import tomllib
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

DATA = files("pmed_pgx") / "data"
RECORD = Path(__file__).parents[1] / "tools/labels_met.tsv"
KEYS = {"classes.tsv": ("class", "drug"), "modifiers.tsv": ("gene", "drug", "kind")}
#: Check rows that no line is about; it may only fall.
CHECKS_WITHOUT_A_LINE = 18


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def keys_of(name: str) -> set[str]:
    text = (DATA / name).read_text("utf-8")
    if name in KEYS:
        return {" ".join(row[column] for column in KEYS[name]) for row in table(text)}
    return {row["key"] for row in tomllib.loads(text)["check"]}


LINES = table(RECORD.read_text("utf-8"))
CHECK_FILES = sorted(file.name for file in DATA.iterdir() if file.name.startswith("check-"))


def test_every_line_is_about_a_row_that_exists() -> None:
    known = {name: keys_of(name) for name in [*CHECK_FILES, *KEYS]}
    assert [(line["file"], line["key"]) for line in LINES if line["key"] not in known.get(line["file"], ())] == []


def test_every_line_says_what_was_met_and_with_which_outcome() -> None:
    assert list(LINES[0]) == ["file", "key", "fact", "met_in", "outcome", "note"]
    assert {line["outcome"] for line in LINES} <= {"confirmed", "differs", "partly", "not_met"}
    assert [line["key"] for line in LINES if None in line.values() or not line["fact"]] == []
    assert [line["key"] for line in LINES if not line["met_in"] and line["outcome"] != "not_met"] == []


def test_lines_are_in_order_and_none_is_twice() -> None:
    keys = [(line["file"], line["key"]) for line in LINES]
    assert [after for before, after in pairwise(keys) if after <= before] == []


def test_ever_fewer_checks_are_without_a_line() -> None:
    met = {(line["file"], line["key"]) for line in LINES}
    without = [(name, key) for name in CHECK_FILES for key in keys_of(name) if (name, key) not in met]
    assert len(without) <= CHECKS_WITHOUT_A_LINE

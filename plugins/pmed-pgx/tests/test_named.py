"""Every drug that a table of the release names is one that a record can name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import polars as pl
import pytest

from pmed.engine import Engine
from pmed.normalise.drugs import Vocabulary
from pmed.settings import Settings
from pmed_pgx.medicines import LEAST, members

DATA = files("pmed_pgx") / "data"
VOCABULARY = Vocabulary.of(Engine.start(Settings()).drug_names)
COLUMNS = [("classes", "drug"), ("modifiers", "drug"), ("washouts", "drug"), ("substitutes", "drug"),
           ("allergies", "drug_or_class"), ("drug_names", "ingredient")]
ASKING = ("taking:", "on:", "daily-dose:", "days-taken:", "days:")


def tables(beginning: str) -> Iterator[dict[str, Any]]:
    for one in sorted(DATA.iterdir(), key=lambda path: path.name):
        if one.name.startswith(beginning):
            yield tomllib.loads(one.read_text("utf-8"))


def held(entry: Any) -> Iterator[str]:
    """The drugs of a table of rules, and the drugs or classes that its conditions ask for, however deep."""
    if isinstance(entry, dict):
        for key, value in entry.items():
            if key in ("drug", "drugs"):
                yield from [value] if isinstance(value, str) else value
            yield from (key.removeprefix(one) for one in ASKING if key.startswith(one))
            yield from held(value)
    elif isinstance(entry, list):
        for one in entry:
            yield from held(one)


def named() -> set[str]:
    found = {drug for made in (*tables("check-"), *tables("guideline-")) for drug in held(made)}
    for table, column in COLUMNS:
        rows = pl.read_csv((DATA / f"{table}.tsv").read_bytes(), separator="\t", infer_schema=False, quote_char=None)
        found |= set(rows[column].drop_nulls())
    return {*found, *LEAST} - set(members())


@pytest.mark.parametrize("drug", sorted(named()))
def test_each_drug_of_the_release_is_named(drug: str) -> None:
    for written in (drug, drug.upper(), f"{drug} 10 MG Oral Tablet"):
        found = VOCABULARY.match(None, None, written)
        assert (found.ingredients, found.how, found.unread) == ({drug}, "name", False)

"""Guideline rows: which inputs a drug depends on, and what to do for each combination of them.

One TOML file a guideline in ``data/``; the facts are the guideline's, the words are ours. Adding a drug adds rows,
never code. A row fits when every input has one of the values that the row lists for it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import polars as pl

from .knowledge import folder

CONCERN = {"standard": 0.0, "monitor": 1.0, "adjust": 2.0, "alternative": 3.0, "avoid": 4.0}
PUBMED = "https://pubmed.ncbi.nlm.nih.gov/"

Evidence = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One guideline row; `concern` counts from 0 (standard) to 4 (avoid).

    `expected` is the maintenance dose that the guideline's table gives; ``{alternatives}`` in `text` stands for those
    that fit the patient.
    """

    key: str
    when: Mapping[str, list[Any]]
    action: str
    strength: str
    text: str
    because: str
    dose_factor: float | None
    expected: str

    @property
    def concern(self) -> float:
        """Concern level of the action."""
        return CONCERN[self.action]

    def fits(self) -> pl.Expr:
        """Whether a patient's features are those of this row; null where an input is unknown."""
        # One comparison a value: is_in would insist on the column's own type, which is Null where nobody knows it.
        return pl.all_horizontal(reduce(pl.Expr.or_, [pl.col(name).eq(value) for value in wanted])
                                 for name, wanted in self.when.items())


@dataclass(frozen=True)
class Alternative:
    """A drug to use instead, for the rows it is meant for, and the finding that rules it out."""

    drug: str
    status: str
    reason: str
    rows: tuple[str, ...]
    ruled_out_by: str


@dataclass(frozen=True)
class Drug:
    """What one guideline says of one drug.

    `reference` names every required input with the value for which the drug is used as labelled; `dose_from` is the
    target of a predictor, if one is installed, that works out the dose the guideline asks for.
    """

    name: str
    guideline: str
    reference: Mapping[str, Any]
    rows: tuple[Row, ...]
    alternatives: tuple[Alternative, ...]
    evidence: tuple[Evidence, ...]
    population: str
    caution: str
    dose_from: str

    @property
    def genes(self) -> tuple[str, ...]:
        """Genes the rows look at, in the order of the inputs."""
        return tuple(dict.fromkeys(name.partition(":")[2] for name in self.reference if ":" in name))


@cache
def drugs() -> dict[str, Drug]:
    """Every covered drug by its RxNorm ingredient name, in alphabetical order."""
    paths = [path for path in folder().iterdir() if path.name.startswith("guideline-")]
    found = [drug for path in sorted(paths, key=lambda path: path.name) for drug in parse(path.read_text("utf-8"))]
    return {drug.name: drug for drug in sorted(found, key=lambda drug: drug.name)}


def parse(text: str) -> list[Drug]:
    """The drugs of one guideline file.

    Raises:
        KeyError: where a required field is missing, or an action is not one of ``CONCERN``.
    """
    made = tomllib.loads(text)
    return [_drug(made, group, name) for group in made["group"] for name in group["drugs"]]


def _drug(guideline: dict[str, Any], group: dict[str, Any], name: str) -> Drug:
    rows = tuple(_row(row, name) for row in group["row"])
    main = {"source": guideline["source"], "level": group["level"], "citation": guideline["citation"],
            "url": PUBMED + guideline["citation"].removeprefix("PMID:") + "/"}
    said = f"{guideline['source']} {guideline['year']} ({guideline['citation']})"
    concerned = tuple(row.key for row in rows if row.concern >= CONCERN["adjust"])
    alternatives = tuple(_alternative(one, concerned) for one in group.get("alternative", ()))
    return Drug(name, said, group["reference"], rows, alternatives, (main, *group.get("also", ())),
                group["population"], group.get("caution", ""), group.get("dose_from", ""))


def _row(row: dict[str, Any], drug: str) -> Row:
    text, because = (row[name].replace("{drug}", drug) for name in ("text", "because"))
    if row["action"] not in CONCERN:
        raise KeyError(row["action"])
    return Row(row["key"], row["when"], row["action"], row["strength"], text, because, row.get("dose_factor"),
               row.get("expected", ""))


def _alternative(one: dict[str, Any], concerned: tuple[str, ...]) -> Alternative:
    return Alternative(one["drug"], one.get("status", "fits"), one["reason"], tuple(one.get("rows", concerned)),
                       one.get("ruled_out_by", ""))

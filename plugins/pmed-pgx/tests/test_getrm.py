"""Reference people with consensus genotypes (GeT-RM): the committed table is what the tool makes."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import pmed_pgx

TOOL = Path(pmed_pgx.__file__).parents[2] / "tools" / "concordance.py"
PAGE = Path(pmed_pgx.__file__).parents[4] / "docs" / "concordance.md"
# Least share of strict agreement, and most people with a complete result that does not hold the consensus.
AIMS = {"CYP2C19": (0.99, 0), "CYP2C9": (0.96, 1), "CYP3A5": (0.99, 0), "TPMT": (0.99, 0), "CYP3A4": (0.98, 0),
        "SLCO1B1": (0.97, 0), "CYP4F2": (0.97, 1), "CYP2B6": (0.0, 0), "CYP2D6": (0.0, 0), "NUDT15": (0.9, 1)}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("concordance", TOOL)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["concordance"] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def page(tool: ModuleType, shared: Path) -> str:
    return str(tool.page(shared))


def test_the_committed_page_is_what_the_tool_makes(page: str) -> None:
    assert page == PAGE.read_text("utf-8"), "run plugins/pmed-pgx/tools/concordance.py"


def test_aims_are_kept(page: str) -> None:
    rows = {row[0]: row[1:] for row in re.findall(
        r"^\| (\w+) \| (\d+) \| (\d+) \([\d.%]+\) \| (\d+) \([\d.%]+\) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)}
    assert rows.keys() == AIMS.keys()
    for gene, (share, wrong) in AIMS.items():
        people, strict, held, uncalled, confident = map(int, rows[gene])
        assert people >= 12
        assert strict / people >= share, gene
        assert confident <= wrong, gene
        assert held <= people - (uncalled if gene not in {"CYP2B6", "CYP2C9"} else 0), gene
    assert int(rows["CYP2B6"][2]) / int(rows["CYP2B6"][0]) >= 0.96


def test_every_disagreement_has_a_reason(page: str) -> None:
    assert "no reason found" not in page


def test_every_call_of_cyp2d6_is_marked(tool: ModuleType, shared: Path) -> None:
    rows = [row for row in tool.calls(shared) if row["gene"] == "CYP2D6" and row["status"] in {"called", "ambiguous"}]
    assert len(rows) > 2000
    assert all("copy-number-not-assessed" in {one["code"] for one in row["messages"]} and row["phenotype"] is None
               and not row["complete"] for row in rows)


@pytest.mark.parametrize(("gene", "text", "found"), [
    ("CYP2C19", "*1/*2 || *1/*38", {("*1", "*2"), ("*1", "*38")}),
    ("CYP2C19", "2/(15,35)", {("*2", "*15"), ("*2", "*35")}),
    ("SLCO1B1", "1A/1B", {("*1", "*37")}),
    ("CYP2C9", "*2/*3 (*18)", {("*2", "*3")}),
    ("CYP2B6", "18/(20)", {("*18", "*20")}),
    ("TPMT", "*1/*3A;*3B/*3C", {("*1", "*3A"), ("*3B", "*3C")}),
    ("TPMT", "unknown", set()),
])
def test_consensus_texts_are_read(tool: ModuleType, gene: str, text: str, found: set[tuple[str, ...]]) -> None:
    assert set(tool.pairs(gene, text)) == found

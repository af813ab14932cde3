"""PharmCAT 3.1.1's own test cases, as VCF in and diplotypes out, for the genes of the release.

Golden values: shared/cases/pharmcat-3.1.1 (facts from PharmCAT's tests). Every case where we differ is in `EXCEPTIONS`
with the reason.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pmed
from pmed_pgx import phenotype
from pmed_pgx.knowledge import genes

KINDS = {"pipeline", "pipeline_cli", "matcher_real"}
EXCEPTIONS: dict[tuple[str, str], str] = {}  # (case, gene): why we differ


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "cases/pharmcat-3.1.1"


def expectations(case: dict[str, Any]) -> Iterator[tuple[str, str, list[str] | None]]:
    """(gene, kind, diplotypes): what the case asserts of the genes that we call from the VCF."""
    expect, outside = case["expect"], {one["gene"] for one in case["input"].get("outside_calls", [])}
    mine = set(genes()) - outside
    if "diplotypes" in expect and case["primary_gene"] in mine:
        yield case["primary_gene"], "diplotypes", expect["diplotypes"]
    for gene, said in expect.get("genes", {}).items():
        labels = said.get("source_labels")
        if gene in mine and labels and not said.get("outside_call"):
            yield gene, "diplotypes", labels
    for gene in expect.get("called_by_matcher", []):
        if gene in mine:
            yield gene, "called", None
    for gene in expect.get("not_called_by_matcher", []):
        if gene in mine:
            yield gene, "not called", None


def asked(case: dict[str, Any]) -> bool:
    """A case about our genes from a VCF, without options that are not built yet."""
    options = case["input"].get("options") or {}
    return (case["kind"] in KINDS and bool(case["input"].get("vcf")) and not options.get("find_combinations")
            and any(True for _ in expectations(case)))


def results(folder: Path, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    given = case["input"].get("options") or {}
    everything = bool(given.get("all_matches")) or given.get("top_candidate_only") is False
    options = {"pgx-caller": {"all_matches": everything}}
    made = pmed.call([folder / case["input"]["vcf"]], options=options, build="GRCh38")
    return {row["gene"]: row for row in made.tables["gene_results"].iter_rows(named=True)}


def agrees(row: dict[str, Any], kind: str, diplotypes: list[str] | None) -> bool:
    if kind == "diplotypes":
        return (row["diplotypes"] or []) == diplotypes
    return bool(row["diplotypes"]) is (kind == "called")


def test_we_agree_with_pharmcat(folder: Path) -> None:
    cases = [case for case in json.loads((folder / "cases_dev.json").read_text()) if asked(case)]
    assert len(cases) >= 40
    wrong, checked = {}, 0
    for case in cases:
        found = results(folder, case)
        for gene, kind, diplotypes in expectations(case):
            checked += 1
            if not agrees(found[gene], kind, diplotypes):
                wrong[case["id"], gene] = (kind, diplotypes, found[gene]["diplotypes"], found[gene]["messages"])
    assert set(wrong) == set(EXCEPTIONS), wrong
    assert checked >= 50
    assert len(EXCEPTIONS) <= 0.02 * checked


def test_functions_and_phenotypes_are_the_published_ones(folder: Path) -> None:
    """All published diplotypes and allele functions of our genes."""
    phenotypes = tsv(folder / "phenotype_truth.tsv")
    assert len(phenotypes) > 4000
    for row in phenotypes:
        gene = genes()[row["gene"]]
        predicted, score = phenotype.agreed(gene, (tuple(row["diplotype"].split("/")),))
        assert predicted == row["phenotype"], row
        if row.get("activity_score", "").replace(".", "").isdigit():
            assert score == float(row["activity_score"]), row
    for row in tsv(folder / "allele_function_truth.tsv"):
        assert genes()[row["gene"]].functions.get(row["allele"]) == row["function"], row


def tsv(path: Path) -> list[dict[str, str]]:
    """Rows about our genes, with columns in lower case."""
    with path.open(encoding="utf-8") as file:
        rows = [{key.lower(): value for key, value in row.items()} for row in csv.DictReader(file, delimiter="\t")]
    return [row for row in rows if row["gene"] in genes()]

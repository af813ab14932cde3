"""What PharmCAT 3.1.1's own tests assert about diplotypes, as checks on our gene results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pmed_pgx.knowledge import genes

FOLDER = ("cases", "pharmcat-3.1.1")
LABELS = ("print_calls", "source_labels", "source_allele_names", "matcher_diplotypes")
# Only for combinations, which are asked for and not yet part of pmed (rule 8).
CALLED = {"called", "ambiguous"}


@dataclass(frozen=True)
class Check:
    """One assertion: of `kind`, about `gene`, in a case."""

    case: str
    vcf: str
    all_matches: bool
    gene: str
    kind: str
    expected: Any

    def holds(self, found: dict[str, Any]) -> bool:
        """Whether a ``gene_results`` row agrees."""
        if self.kind == "called":
            return (found["status"] in CALLED) is bool(self.expected)
        if self.kind == "recommended_include":
            wanted = {"/".join(sorted(pair)) for pair in self.expected}
            return wanted <= {"/".join(sorted(one.split("/"))) for one in found["diplotypes"]}
        if self.kind == "phased":
            return bool(found["phased"]) is self.expected
        if self.kind == "n_missing_positions":
            return len(found["missing_sites"]) == self.expected
        if self.kind == "missing_variants":
            return set(self.expected) <= set(found["missing_sites"])
        if self.kind == "recommended_activity_score":
            return found["activity_score"] == float(self.expected)
        return list(found["diplotypes"]) == ["/".join(one) if isinstance(one, list) else one for one in self.expected]

    @property
    def name(self) -> str:
        """How the list of exceptions names it."""
        return f"{self.case} {self.gene} {self.kind}"


def checks(shared: Path) -> list[Check]:
    """Every assertion about our genes' diplotypes in the cases that have a VCF and no outside call of the gene."""
    cases = json.loads(shared.joinpath(*FOLDER, "cases_dev.json").read_text("utf-8"))
    return [check for case in cases if case["input"].get("vcf") for check in _of(case)]


def _of(case: dict[str, Any]) -> Iterator[Check]:
    options, outside = case["input"].get("options", {}), {one["gene"] for one in case["input"].get("outside_calls", ())}
    all_matches = options.get("all_matches", not options.get("top_candidate_only", True))
    for gene, kind, expected in _asserted(case):
        if gene in genes() and gene not in outside:
            yield Check(case["id"], case["input"]["vcf"], all_matches, gene, kind, expected)


def _asserted(case: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    expect = case["expect"]
    if "diplotypes" in expect and len(case["genes"]) == 1:
        yield case["genes"][0], "diplotypes", expect["diplotypes"]
    if "n_missing_positions" in expect and len(case["genes"]) == 1:
        yield case["genes"][0], "n_missing_positions", expect["n_missing_positions"]
    for gene in expect.get("called_by_matcher", ()):
        yield gene, "called", True
    for gene in expect.get("not_called_by_matcher", ()):
        yield gene, "called", False
    for gene, facts in expect.get("genes", {}).items():
        for kind in (*LABELS, "recommended_include", "phased", "n_missing_positions", "missing_variants",
                     "recommended_activity_score"):
            if kind in facts:
                yield gene, kind, facts[kind]

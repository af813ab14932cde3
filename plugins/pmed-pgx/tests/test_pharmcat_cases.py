"""PharmCAT 3.1.1's own test cases, as VCF in and diplotypes out, for the genes of the release.

Golden values: shared/cases/pharmcat-3.1.1 (facts from PharmCAT's tests). Every assertion where we differ is in
`EXCEPTIONS` with the reason.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pmed_pgx
from pmed import ReadRequest
from pmed.sources.vcf import VcfSource
from pmed_pgx import phenotype
from pmed_pgx.caller import PgxCaller
from pmed_pgx.knowledge import genes

REASONS = Path(pmed_pgx.__file__).parents[2] / "tools" / "pharmcat_reasons.tsv"  # docs/concordance.md has them, too
with REASONS.open(encoding="utf-8", newline="") as listed:
    EXCEPTIONS = {(row["case"], row["gene"], row["assertion"]): row["reason"]
                  for row in csv.DictReader(listed, delimiter="\t")}
# Of the cases that run the published definitions.
KINDS_FROM_VCF = ("pipeline", "pipeline_cli", "matcher_real")
# How PharmCAT prints that nothing was called.
NO_CALL = ("Unknown/Unknown", "Not called")
# Genes whose call with the reference allele PharmCAT labels "X (heterozygous)".
HETEROZYGOUS = {"CACNA1S": "Reference", "CFTR": "ivacaftor non-responsive CFTR sequence", "DPYD": "Reference",
                "RYR1": "Reference"}
# Genes of the release that no case calls from a VCF: status by outside calls, and one that PharmCAT does not read.
NO_CASES = {"HLA-A", "HLA-B", "MT-RNR1"}
KINDS = ("print_calls", "source_labels", "source_allele_names", "matcher_diplotypes", "recommended_include", "phased",
         "n_missing_positions", "missing_variants", "recommended_activity_score", "first_source_label",
         "print_calls_unordered", "n_source")


@dataclass(frozen=True)
class Run:
    """One VCF and the options it is called with."""

    vcf: str
    all_matches: bool
    combinations: bool


@dataclass(frozen=True)
class Check:
    """One assertion: of `kind`, about `gene`, in a case."""

    case: str
    run: Run
    gene: str
    kind: str
    expected: Any

    def holds(self, found: dict[str, Any]) -> bool:
        """Whether a ``gene_results`` row agrees."""
        named = ["/".join(one) if isinstance(one, list) else one for one in self.expected
                 if one not in NO_CALL] if isinstance(self.expected, list) else []
        shown = [labelled(self.gene, one) for one in found["diplotypes"]]
        facts = {
            "called": lambda: (found["status"] in {"called", "ambiguous"}) is self.expected,
            "recommended_include": lambda: {in_order(one) for one in named} <= {
                in_order(one) for one in found["lookup_diplotypes"] + found["diplotypes"]},
            "phased": lambda: found["phased"] is self.expected,
            "n_missing_positions": lambda: len(found["missing_sites"]) == self.expected,
            "missing_variants": lambda: bool(found["missing_sites"]) is self.expected,
            "recommended_activity_score": lambda: found["activity_score"] == float(self.expected),
            "source_labels": lambda: shown == named,
            "print_calls": lambda: shown == named,
            "print_calls_unordered": lambda: sorted(shown) == sorted(named),
            "n_source": lambda: len(shown) == self.expected,
            "first_source_label": lambda: shown[:1] == [self.expected],
        }
        return bool(facts.get(self.kind, lambda: found["diplotypes"] == named)())


def labelled(gene: str, diplotype: str) -> str:
    """A diplotype as PharmCAT shows it: ``X (heterozygous)`` for ``Reference/X`` in some genes."""
    reference = HETEROZYGOUS.get(gene)
    rest = [part for part in split(diplotype) if part != reference]
    mixed = reference in split(diplotype) and len(rest) == 1 and "/" in diplotype
    return f"{rest[0]} (heterozygous)" if mixed else diplotype


def split(diplotype: str) -> list[str]:
    return diplotype.split("/")


def in_order(diplotype: str) -> tuple[str, ...]:
    return tuple(sorted(split(diplotype)))


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "cases/pharmcat-3.1.1"


@pytest.fixture(scope="module")
def checks(folder: Path) -> list[Check]:
    """Every assertion on diplotypes that are to be called from a VCF with the published definitions."""
    cases = json.loads((folder / "cases_dev.json").read_text("utf-8"))
    return [check for case in cases if case["input"].get("vcf") and case["kind"] in KINDS_FROM_VCF
            for check in checks_of(case)]


def checks_of(case: dict[str, Any]) -> Iterator[Check]:
    options = case["input"].get("options", {})
    outside = {one["gene"] for one in case["input"].get("outside_calls", ())}
    run = Run(case["input"]["vcf"], options.get("all_matches", not options.get("top_candidate_only", True)),
              options.get("find_combinations", False))
    for gene, kind, expected in asserted(case):
        if gene in genes() and gene not in outside:
            yield Check(case["id"], run, gene, kind, expected)


def asserted(case: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(gene, kind, expected) of a case."""
    expect = case["expect"]
    for kind in ("diplotypes", "n_missing_positions"):
        if kind in expect:
            yield case["primary_gene"], kind, expect[kind]
    for name, called in (("called_by_matcher", True), ("not_called_by_matcher", False)):
        yield from ((gene, "called", called) for gene in expect.get(name, ()))
    for gene, facts in expect.get("genes", {}).items():
        yield from ((gene, kind, facts[kind]) for kind in KINDS if kind in facts)


def called(folder: Path, run: Run) -> dict[str, dict[str, Any]]:
    caller = PgxCaller(all_matches=run.all_matches, combinations=run.combinations)
    tables = VcfSource().read([folder / run.vcf], ReadRequest(caller.sites()))
    return {row["gene"]: row for row in caller.run(tables, ())["gene_results"].iter_rows(named=True)}


def test_we_agree_with_pharmcat(folder: Path, checks: list[Check]) -> None:
    found = {run: called(folder, run) for run in {check.run for check in checks}}
    wrong = {(one.case, one.gene, one.kind): (one.expected, found[one.run][one.gene]) for one in checks
             if not one.holds(found[one.run][one.gene])}
    assert set(wrong) == set(EXCEPTIONS), wrong
    assert len(checks) >= 950
    assert len(EXCEPTIONS) <= 0.02 * len(checks)
    cases = {(one.case, one.gene) for one in checks}
    agreeing = Counter(gene for case, gene in cases if not any(key[:2] == (case, gene) for key in EXCEPTIONS))
    print({gene: f"{agreeing[gene]} of {n}" for gene, n in sorted(Counter(gene for _, gene in cases).items())})  # noqa: T201
    assert len(agreeing) == len(genes()) - len(NO_CASES)


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
        else:
            assert score is None, row
    for row in tsv(folder / "allele_function_truth.tsv"):
        assert genes()[row["gene"]].functions.get(row["allele"]) == row["function"], row


def tsv(path: Path) -> list[dict[str, str]]:
    """Rows about our genes."""
    with path.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["gene"] in genes()]

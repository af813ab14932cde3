"""PharmCAT 3.1.1's own cases about outside calls: the list in, the gene's result out.

Golden values: shared/cases/pharmcat-3.1.1 (facts from PharmCAT's tests). Every assertion where we differ is in
`EXCEPTIONS` with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed import ReadRequest
from pmed.errors import InputError
from pmed.tables import TABLES
from pmed_pgx.knowledge import genes
from pmed_pgx.outside import OutsideCalls, apply
from pmed_pgx.outside.evaluate import result

Facts = dict[str, Any]
Run = dict[str, Facts] | str
KINDS = ("outside_call_unit", "outside_call_parser", "diplotype_unit", "pipeline", "pipeline_cli")
EXCEPTIONS = {
    ("OutsideCallTest.checkHlaSuballelePattern#2", "HLA-A", "n_warnings"):
        "a gene's name before an allele is dropped without a remark; only the third field that is left out is told",
    ("OutsideCallTest.testGood#10", "UGT1A1", "n_warnings"): "that the other allele is unknown is told",
    ("LowestFunctionGeneCallerTest.infer_outsideCall_noMatch", "DPYD", "n_inferred"):
        "nothing is looked up with alleles that the release does not know; the phenotype is unknown in both",
    ("LowestFunctionGeneCallerTest.infer_outsideCall_noMatch", "DPYD", "inferred_alleles"): "as before",
    ("DiplotypeTest.testOutsideCall#5", "CYP2D6", "activity_score"):
        "the phenotype given is that of the alleles given, so that their activity score holds as well",
    ("Cyp2d6Test.testCyp2d6PhenotypeHasMultipleActivityScore", "CYP2D6", "print_calls"):
        "a phenotype is no diplotype: it is in the column of phenotypes",
}
# Assertions about the reports and classes of PharmCAT itself.
NOT_OURS = {"raw_asserts", "n_parsed", "lookup_keys", "lookup_map", "n_lookup_keys", "called_by_matcher",
            "not_called_by_matcher", "any_match", "no_match", "drug_message_count", "matched_annotations", "report",
            "report_css_counts", "recommended_lookup_keys", "n_recommended", "function_text_in_order", "genes",
            "parsed", "first_lookup_key", "report_genotype_text"}


@pytest.fixture(scope="module")
def cases(shared: Path) -> list[Facts]:
    """The cases that have outside calls, or that look a diplotype up."""
    read = json.loads((shared / "cases/pharmcat-3.1.1/cases_dev.json").read_text("utf-8"))
    return [case for case in read if case["kind"] == "diplotype_unit"
            or (case["kind"] in KINDS and case["input"].get("outside_calls"))]


def test_we_agree_with_pharmcat(shared: Path, tmp_path: Path, cases: list[Facts]) -> None:
    wrong, asked = {}, 0
    for case in cases:
        found = run(case, shared, tmp_path)
        for gene, kind, expected in asserted(case):
            asked += 1
            if not holds(found, gene, kind, expected):
                wrong[case["id"], gene, kind] = (expected, found if isinstance(found, str) else found[gene])
    assert set(wrong) == set(EXCEPTIONS), wrong
    assert (len(cases), asked) == (48, 97)


def run(case: Facts, shared: Path, tmp_path: Path) -> Run:
    """Rows by gene, or the error's text."""
    if case["kind"] == "diplotype_unit":
        given = case["input"]["diplotype_in"]
        calls = [("/".join(given["haplotypes"]), None, None, "")]
        return {given["gene"]: result(genes()[given["gene"]], calls, male=True)}
    paths = []
    for number in sorted({one["file"] for one in case["input"]["outside_calls"]}):
        if "outside_lines" in case["input"]:
            paths.append(tmp_path / f"{number}.tsv")
            paths[-1].write_text("\n".join(case["input"]["outside_lines"]), "utf-8")
        else:
            paths.append(shared / "cases/pharmcat-3.1.1" / case["input"]["outside_tsv"][number])
    try:
        read = OutsideCalls().read(paths, ReadRequest(TABLES["sites"].empty()))["outside_calls"]
    except InputError as error:
        return str(error)
    calls = read.with_columns(patient_id=pl.lit("p"))
    made = apply(TABLES["gene_results"].empty(), calls, TABLES["samples"].empty())
    return {row["gene"]: row for row in made.iter_rows(named=True)}


def asserted(case: Facts) -> Iterator[tuple[str, str, Any]]:
    """(gene, kind, expected)."""
    outside = {one["gene"] for one in case["input"].get("outside_calls", ())}
    expect = case["expect"]
    if case["kind"] not in ("pipeline", "pipeline_cli"):
        yield from ((case["primary_gene"], kind, value) for kind, value in expect.items() if kind not in NOT_OURS)
        parsed = expect.get("parsed", {}).values()
        yield from ((one["gene"], kind, value) for one in parsed for kind, value in one.items())
    for gene in outside & set(expect.get("reportable", ())):
        yield gene, "reportable", True
    for gene, facts in expect.get("genes", {}).items():
        if gene in outside:
            yield from ((gene, kind, value) for kind, value in facts.items() if kind not in NOT_OURS)


def holds(found: Run, gene: str, kind: str, expected: Any) -> bool:
    if kind == "throws" or isinstance(found, str):
        return (kind == "throws") is isinstance(found, str)
    row = found[gene]
    shown, codes = row["diplotypes"], [one["code"] for one in row["messages"]]
    mismatch, score = "outside-mismatch" in codes, row["activity_score"]
    checks: dict[str, Callable[[], bool]] = {
        "parsed_diplotype": lambda: shown == [expected],
        "diplotype": lambda: shown == [expected], "gene": lambda: row["gene"] == expected,
        "phenotype": lambda: row["phenotype"] == expected,
        "accepted": lambda: row["status"] == "outside",
        "n_warnings": lambda: sum(code != "outside-call" for code in codes) == expected,
        "print_calls": lambda: shown == expected, "label": lambda: shown == [expected],
        "alleles": lambda: "/".join(expected) in shown, "first_source_alleles": lambda: "/".join(expected) == shown[0],
        "outside_call": lambda: (row["status"] == "outside") is expected,
        "reportable": lambda: row["phenotype"] is not None,
        "unknown_alleles": lambda: (not row["lookup_diplotypes"]) is expected,
        "phenotypes": lambda: [row["phenotype"]] == expected,
        "source_phenotypes_include": lambda: set(expected) <= set((row["phenotype"] or "").split("; ")),
        "recommended_phenotypes_in_order": lambda: [[one] for one in row["possible_phenotypes"]] == expected,
        "activity_score": lambda: ("n/a" if score is None else str(score)) == expected,
        "phenotype_mismatch": lambda: mismatch or not expected,
        "activityscore_mismatch": lambda: mismatch is expected,
        "inferred_label": lambda: row["lookup_diplotypes"] == [expected],
        "inferred_alleles": lambda: row["lookup_diplotypes"] == ["/".join(expected)],
        "inferred_functions": lambda: row["functions"] == expected,
        "n_inferred": lambda: len(row["lookup_diplotypes"]) == expected,
        "messages_include": lambda: "outside-call" in codes,
    }
    return checks[kind]()

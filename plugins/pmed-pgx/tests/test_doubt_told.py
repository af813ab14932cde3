"""Doubt is told: probabilities, HLA hints, what would fit out of phase, rare alleles, and why a call was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import pmed
from pmed.cli import cli
from pmed.render.phrases import said
from pmed.tables import TABLES
from pmed_pgx import doubts
from pmed_pgx.calls import call
from pmed_pgx.hints import hints, told
from pmed_pgx.knowledge import frequency, genes
from pmed_pgx.matcher import ABSENT, ONE_SET, UNPHASED
from pmed_pgx.probabilities import in_words, weighed
from pmed_pgx.why import why


def codes(row: dict[str, Any]) -> set[str]:
    return {message["code"] for message in row["messages"]}


def pattern(gene: str, **changed: tuple[int, int]) -> tuple[Any, Any]:
    """Everything REF but for the sites named; (ABSENT, ABSENT) takes one away; heterozygous ones unphased."""
    sites = [site.name for site in genes()[gene].sites]
    made = np.zeros((len(sites), 2), dtype=np.int8)
    for name, pair in changed.items():
        made[sites.index(name)] = pair
    return made, np.where(made[:, 0] == made[:, 1], 0, UNPHASED)


def called(gene: str, *, phase: int = UNPHASED, **changed: tuple[int, int]) -> dict[str, Any]:
    made, groups = pattern(gene, **changed)
    return call(genes()[gene], made, np.where(groups == UNPHASED, phase, groups), assumed=False)


GONE = (ABSENT, ABSENT)


def test_probabilities_follow_hardy_weinberg() -> None:
    gene, share = genes()["CYP2B6"], {name: frequency("CYP2B6", name, "European") for name in ("*1", "*4")}
    one, four = share["*1"] or 0, share["*4"] or 0
    rows = [row for row in weighed(gene, [("*1", "*1"), ("*1", "*4"), ("*4", "*4")]) if row["population"] == "European"]
    assert sum(row["probability"] for row in rows) == pytest.approx(1)
    by = {row["phenotype"]: row["probability"] for row in rows}
    assert by["Rapid Metabolizer"] / by["Normal Metabolizer"] == pytest.approx(2 * four / one)
    assert in_words(rows).startswith("European: Normal Metabolizer 85%")


def test_a_rare_phenotype_is_not_said_to_be_excluded() -> None:
    row = called("NUDT15", rs116855232=GONE)
    [text] = [one["text"] for one in row["messages"] if one["code"] == "probabilities"]
    assert "AFR: Normal Metabolizer >99%, Intermediate Metabolizer <1%, Poor Metabolizer <1%; EAS: " in text
    assert "100%" not in text
    assert " 0%" not in text
    german = said(text, "de", str)
    assert german.startswith("AFR: normaler Metabolisierer >99 %, intermediärer Metabolisierer <1 %")
    assert german.count(": normaler Metabolisierer ") == len(german.split("; ")) == 4


def test_no_number_no_probability() -> None:
    assert weighed(genes()["CYP2B6"], [("*1", "*1"), ("*1", "*23")]) == []
    assert weighed(genes()["VKORC1"], [("x", "y")]) == []


def test_missing_site_leaves_a_set_with_probabilities_and_no_phenotype() -> None:
    row = called("CYP2B6", rs2279343=GONE)
    assert (row["status"], row["diplotypes"]) == ("ambiguous", ["*1/*1"])
    assert (row["phenotype"], row["complete"]) == (None, False)
    assert set(row["possible_diplotypes"]) == {"*1/*1", "*1/*4", "*4/*4"}
    assert set(row["possible_phenotypes"]) == {"Normal Metabolizer", "Rapid Metabolizer", "Ultrarapid Metabolizer"}
    assert {"key-site-missing", "probabilities"} <= codes(row)
    assert {one["population"] for one in row["probabilities"]} >= {"European"}


def test_a_sure_phenotype_of_an_open_diplotype_is_no_call() -> None:
    row = called("CYP2C9", rs1799853=(0, 1), rs7900194=GONE)
    assert (row["status"], row["phenotype"], row["complete"]) == ("ambiguous", "Intermediate Metabolizer", True)
    assert row["possible_diplotypes"] == ["*1/*2", "*1/*8", "*2/*8", "*8/*8"]
    assert [one["text"] for one in row["messages"] if one["code"] == "diplotype-open"] == [
        "rs7900194 is absent from the file: *8 cannot be excluded"]
    assert called("CYP2C9", rs1799853=(0, 1))["status"] == "called"


def test_what_is_too_much_to_list_has_no_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the diplotypes called alone, one would be 100% likely."""
    monkeypatch.setattr(doubts, "MOST", 2)
    row = called("CYP2B6", rs2279343=GONE)
    assert row["possible_diplotypes"] == ["*1/*1"]
    assert len(row["possible_phenotypes"]) == 3
    assert (row["probabilities"], "probabilities" in codes(row)) == ([], False)


def test_set_of_one_phenotype_is_relied_on() -> None:
    """*6 and *9 cannot be told apart without rs2279343, and both have decreased function."""
    row = called("CYP2B6", rs2279343=GONE, rs3745274=(1, 1))
    assert {"*6/*6", "*6/*9", "*9/*9"} <= set(row["diplotypes"])
    assert (row["phenotype"], row["complete"]) == ("Poor Metabolizer", True)


def test_rare_alleles_at_unread_sites_are_named_and_not_assumed() -> None:
    gene = genes()["CYP2C9"]
    rare = next(site.name for site in gene.sites
                if gene.defined[gene.alleles.index("*68"), gene.sites.index(site)] and site.name != "rs1057910")
    row = called("CYP2C9", rs1057910=(0, 1), **{rare: GONE})
    assert row["diplotypes"] == ["*1/*3", "*1/*68"]
    assert (row["lookup_diplotypes"], row["phenotype"]) == (["*1/*3"], "Intermediate Metabolizer")
    assert "rare-alleles-open" in codes(row)
    assert called("CYP2C9", rs1057910=(0, 1))["diplotypes"] == ["*1/*3"]


def test_what_would_fit_out_of_phase_is_told_and_not_called() -> None:
    row = called("CYP2C9", phase=ONE_SET, rs2256871=(0, 1), rs28371685=(0, 1))
    assert (row["status"], row["diplotypes"], row["possible_diplotypes"]) == ("not-called", [], ["*9/*11"])
    assert "phase-doubt" in codes(row)
    assert row.get("phenotype") is None


def test_not_called_still_says_what_follows_where_all_agree() -> None:
    """A second change on the strand of an allele without function leaves it without function."""
    row = called("CYP2C19", phase=ONE_SET, rs12248560=(1, 0), rs12769205=(1, 1), rs4244285=(1, 1), rs3758581=(1, 1))
    assert (row["status"], row["diplotypes"]) == ("not-called", [])
    assert (row["phenotype"], row["complete"]) == ("Poor Metabolizer", True)
    assert {"no-match", "concluded"} <= codes(row)


def test_cyp2d6_is_always_marked_and_never_has_a_phenotype() -> None:
    for changed in ({}, {"rs35742686": (1, 1)}, {"rs35742686": (0, 1)}):
        row = called("CYP2D6", **changed)
        assert "copy-number-not-assessed" in codes(row)
        assert (row["phenotype"], row["complete"], row["possible_phenotypes"]) == (None, False, [])


def test_undocumented_base_in_a_toxicity_gene_is_reference_without_phenotype() -> None:
    row = called("DPYD", rs3918290=(-6, 0))
    assert (row["diplotypes"], row["phenotype"], row["complete"]) == (["Reference/Reference"], None, False)
    assert "undocumented-as-reference" in codes(row)


def test_one_strand_of_a_male_and_a_mixture_of_mitochondria() -> None:
    deficient = called("G6PD", **{site.name: (0, -7) for site in genes()["G6PD"].sites} | {"rs5030868": (1, -7)})
    assert (deficient["diplotypes"][0].split(",")[0], deficient["phenotype"]) == ("Mediterranean", "Deficient")
    mixed = called("MT-RNR1", **{site.name: (0, -7) for site in genes()["MT-RNR1"].sites} | {"rs267606617": (-8, -8)})
    assert (mixed["status"], mixed.get("phenotype")) == ("not-called", None)
    assert "heteroplasmy" in codes(mixed)


def test_hints_are_messages_and_never_a_status() -> None:
    carried = hints(pl.Series("patient_id", ["a", "b", "c"]),
                    lambda row: ["T/G", "T/T", None] if row["site"] == "rs2395029" else [None] * 3)
    assert carried.select("patient_id", "gene").rows() == [("a", "HLA-B")]
    results = TABLES["gene_results"].frame([
        {"patient_id": name, "gene": "HLA-B", "status": status, "complete": False, "messages": []}
        for name, status in (("a", "no-data"), ("b", "no-data"))])
    one, two = told(results, carried).iter_rows(named=True)
    assert codes(one) == {"hint"}
    assert one["messages"][0]["text"].startswith("rs2395029 G often comes with HLA-B*57:01")
    assert (one["phenotype"], one["diplotypes"], codes(two)) == (None, None, set())
    typed = results.with_columns(status=pl.lit("outside"))
    assert not codes(told(typed, carried).row(0, named=True))


def run(*arguments: Any) -> str:
    made = CliRunner().invoke(cli, ["call", *map(str, arguments)])
    assert made.exit_code == 0, made.output
    return made.stdout


def test_why_in_words_and_as_a_table() -> None:
    from pmed.demo import patients

    genome = next(one.genome for one in patients() if one.name == "warfarin")
    text = run(genome, "--why", "--gene", "CYP2C9")
    assert "CYP2C9: called, *1/*3, Intermediate Metabolizer" in text
    assert "rs1057910 chr10:94981296 A/C: carried by *3" in text
    assert "sites read: 83 of 83" in text
    assert "VKORC1" not in text
    table = why(pmed.call([genome]))
    row = table.filter(gene="CYP2C9", site="rs1057910").row(0, named=True)
    assert (row["genotype"], row["differs"], row["key"], row["alleles"][0]) == ("A/C", True, True, "*3")
    assert table.filter(gene="RYR1")["genotype"].unique().to_list() == ["absent"]


def test_why_rejects_nothing_where_a_key_site_was_not_read(tmp_path: Path) -> None:
    """``*1/*2`` explains what was read of CYP2C9 without rs1799853, too."""
    lines = [f"{gene.chrom}\t{site.pos}\t.\t{site.alleles[0]}\t{','.join(site.alleles[1:])}\t.\tPASS\t.\tGT\t0/0\n"
             for gene in [genes()["CYP2C9"]] for site in gene.sites if site.name != "rs1799853"]
    path = tmp_path / "x.vcf"
    head = "##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP\n"
    path.write_text(head + "".join(lines))
    text = run(path, "--why", "--gene", "CYP2C9")
    assert "CYP2C9: ambiguous, *1/*1 as far as it was read, not certain\n" in text
    assert "explains the genotypes that were read; those that were not may change it\n" in text
    assert "explains the genotypes\n" not in text


def test_why_names_what_was_rejected(tmp_path: Path) -> None:
    lines = [(94761900, "C", "T", "0/1"), (94762706, "A", "G", "0/1"), (94842866, "A", "G", "1/1")]
    path = tmp_path / "x.vcf"
    head = "##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP\n"
    path.write_text(head + "".join(
        f"chr10\t{pos}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t{gt}\n" for pos, ref, alt, gt in lines))
    text = run(path, "--why", "--gene", "CYP2C19", "--absent-as-ref")
    assert "CYP2C19: called, *1/*4" in text
    assert "rejected: *4/*17, which has" in text


def test_combinations_on_request(tmp_path: Path) -> None:
    gene = genes()["CYP2B6"]
    carried = {site.name: site.alleles.index("T") for site in gene.sites if site.name in {"rs8192709", "rs3211371"}}
    rows = "".join(f"{gene.chrom}\t{site.pos}\t.\t{site.alleles[0]}\t{','.join(site.alleles[1:])}\t.\tPASS\t.\tGT\t"
                   f"{carried.get(site.name, 0)}/{carried.get(site.name, 0)}\n" for site in gene.sites)
    path = tmp_path / "x.vcf"
    path.write_text("##fileformat=VCFv4.2\n##reference=GRCh38\n"
                    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP\n" + rows)
    assert "\tcalled\t[*2 + *5]/[*2 + *5]\t" in run(path, "--combinations", "--format", "tsv")
    assert "\tCYP2B6\tnot-called\t" in run(path, "--format", "tsv")

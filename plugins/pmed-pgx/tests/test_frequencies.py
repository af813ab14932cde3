"""Frequencies: exact intervals, who is counted and who is not, groups, the command, and the 1000 Genomes people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from pmed.cli import cli
from pmed.errors import InputError, OptionError
from pmed.tables import TABLES
from pmed_pgx.frequencies import FREQUENCIES, UNGROUPED, frequencies, interval, read_groups

SHARED = Path(__file__).resolve().parents[4] / "shared"
PANEL = SHARED / "data/1kgp/GRCh38"
PEOPLE = SHARED / "cases/pgs/ancestry/ref.psam"


def result(name: str, *diplotypes: str, gene: str = "CYP2C19", status: str = "", **more: Any) -> dict[str, Any]:
    many = {0: "no-data", 1: "called"}.get(len(diplotypes), "ambiguous")
    return {"patient_id": name, "gene": gene, "status": status or many, "diplotypes": list(diplotypes),
            "complete": bool(diplotypes), **more}


def counted(*rows: Mapping[str, Any], groups: Mapping[str, str] | None = None) -> pl.DataFrame:
    of = None if groups is None else pl.DataFrame({"patient_id": list(groups), "group": list(groups.values())})
    return frequencies(TABLES["gene_results"].frame(rows), of)


def counts(made: pl.DataFrame, kind: str, group: str = "all", gene: str = "CYP2C19") -> dict[str, tuple[int, int]]:
    rows = made.filter(kind=kind, group=group, gene=gene)
    return {name: (count, of) for name, count, of in rows.select("name", "count", "of").iter_rows()}


def denominators(made: pl.DataFrame, kind: str, group: str = "all") -> tuple[int, int, int]:
    [row] = made.filter(kind=kind, group=group).select("resolved", "unresolved", "people").unique().rows()
    return row[0], row[1], row[2]


# Printed values: Newcombe, Stat Med 1998;17:857-872 (PMID:9595616), table I, method 5 (Clopper-Pearson);
# 0 of n is the closed form 1 - 0.025 ** (1 / n), of which the "rule of three" is the one-sided approximation.
@pytest.mark.parametrize(("hits", "tries", "low", "high"), [
    (81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)])
def test_intervals_are_those_in_print(hits: int, tries: int, low: float, high: float) -> None:
    found = interval(pl.Series([hits]), pl.Series([tries]))
    assert [float(one[0]) for one in found] == [pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5)]


def test_interval_at_its_ends() -> None:
    low, high = interval(pl.Series([0, 12, 0]), pl.Series([12, 12, 0]))
    assert low.to_list() == [0.0, pytest.approx(0.025 ** (1 / 12)), None]
    assert high.to_list() == [pytest.approx(1 - 0.025 ** (1 / 12)), 1.0, None]


def test_ends_of_an_interval_have_the_tail_that_was_asked_for() -> None:
    from math import comb

    [low], [high] = (one.to_list() for one in interval(pl.Series([7]), pl.Series([50])))
    above = sum(comb(50, k) * low ** k * (1 - low) ** (50 - k) for k in range(7, 51))
    below = sum(comb(50, k) * high ** k * (1 - high) ** (50 - k) for k in range(8))
    assert (above, below) == (pytest.approx(0.025), pytest.approx(0.025))


def test_a_plain_cohort_is_counted() -> None:
    made = counted(result("a", "*1/*2", phenotype="Intermediate Metabolizer"),
                   result("b", "*1/*1", phenotype="Normal Metabolizer"),
                   result("c", "*2/*10", phenotype="Poor Metabolizer"))
    assert counts(made, "allele") == {"*1": (3, 6), "*2": (2, 6), "*10": (1, 6)}
    assert counts(made, "diplotype") == {"*1/*1": (1, 3), "*1/*2": (1, 3), "*2/*10": (1, 3)}
    assert counts(made, "phenotype")["Poor Metabolizer"] == (1, 3)
    assert counts(made, "status") == {"called": (3, 3)}
    assert made.filter(name="*2")["frequency"].item() == pytest.approx(2 / 6)
    assert made.columns == FREQUENCIES.names
    assert made.filter(kind="allele")["name"].to_list() == ["*1", "*2", "*10"]


def test_who_is_not_resolved_is_counted_beside_and_never_as_star_1() -> None:
    made = counted(result("a", "*1/*17", phenotype="Rapid Metabolizer"),
                   result("b", "*1/*4", "*4/*17", phenotype="Intermediate Metabolizer"),
                   result("c"), result("d", status="not-called", complete=False),
                   result("e", "*1/*1", complete=False))
    assert counts(made, "allele") == {"*1": (1, 2), "*17": (1, 2)}
    assert counts(made, "diplotype") == {"*1/*17": (1, 1)}
    assert denominators(made, "allele") == denominators(made, "diplotype") == (1, 4, 5)
    # The two diplotypes of b agree on the phenotype.
    assert counts(made, "phenotype") == {"Intermediate Metabolizer": (1, 2), "Rapid Metabolizer": (1, 2)}
    assert denominators(made, "phenotype") == (2, 3, 5)
    assert counts(made, "status") == {"ambiguous": (1, 5), "called": (1, 5), "called, key site missing": (1, 5),
                                      "no-data": (1, 5), "not-called": (1, 5)}


def test_a_gene_nobody_is_resolved_in_still_shows_by_its_status() -> None:
    made = counted(result("a"), result("b"))
    assert set(made["kind"]) == {"status"}
    assert counts(made, "status") == {"no-data": (2, 2)}
    assert frequencies(TABLES["gene_results"].empty()).is_empty()


def test_outside_calls_count_where_they_are_one_diplotype() -> None:
    made = counted(result("a", "*1/*4", gene="CYP2D6", status="outside"),
                   result("b", "*1x2/*5", gene="CYP2D6", status="outside"),
                   result("c", "*1/*1", "*1/*2", gene="CYP2D6", status="outside"))
    assert counts(made, "allele", gene="CYP2D6") == {"*1": (1, 4), "*1x2": (1, 4), "*4": (1, 4), "*5": (1, 4)}
    assert denominators(made, "allele") == (2, 1, 3)


def test_one_chromosome_and_lists_of_variants() -> None:
    made = counted(result("a", "Canton, Taiwan-Hakka, Gifu-like, Agrigento-like", gene="G6PD"),
                   result("b", "B (reference)/B (reference)", gene="G6PD"),
                   result("c", "[c.85T>C (*9A) + c.2846A>T]/c.85T>C (*9A)", gene="DPYD"),
                   result("d", "c.2846A>T (heterozygous)", gene="DPYD"),
                   result("e", "c.61C>T (homozygous)", gene="DPYD"),
                   result("f", "D1270N (heterozygous)", gene="CFTR"),
                   result("g", "[*2 + *3]/*1", gene="CYP2C9"))
    assert counts(made, "allele", gene="G6PD") == {
        "B (reference)": (2, 3), "Canton, Taiwan-Hakka, Gifu-like, Agrigento-like": (1, 3)}
    assert counts(made, "allele", gene="DPYD") == {
        "Reference": (1, 6), "c.61C>T": (2, 6), "c.85T>C (*9A)": (2, 6), "c.2846A>T": (2, 6)}
    assert counts(made, "allele", gene="CFTR") == {"D1270N": (1, 2), "ivacaftor non-responsive CFTR sequence": (1, 2)}
    assert counts(made, "allele", gene="CYP2C9") == {"*1": (1, 2), "[*2 + *3]": (1, 2)}


def test_unphased_lists_of_variants() -> None:
    """As the caller writes them: each variant once, and in a message those that are on both chromosomes."""
    both = "c.1129-5923C>G, c.1236G>A (HapB3)"
    made = counted(result("a", "c.61C>T", both, gene="DPYD", status="called",
                          messages=[{"code": "phase-unknown", "text": "no phase"},
                                    {"code": "homozygous", "text": f"homozygous: {both}"}]),
                   result("b", "Reference", "c.61C>T", gene="DPYD", status="called"),
                   result("c", "Reference/c.61C>T", gene="DPYD"))
    assert counts(made, "allele", gene="DPYD") == {"Reference": (1, 6), "c.61C>T": (3, 6), both: (2, 6)}
    assert counts(made, "diplotype", gene="DPYD")[f"c.61C>T; {both}"] == (1, 3)
    assert denominators(made, "allele") == (3, 0, 3)


def test_groups_share_their_names_and_nobody_is_lost() -> None:
    made = counted(result("a", "*1/*2"), result("b", "*1/*1"), result("c", "*1/*1"), groups={"a": "x", "b": "y"})
    assert counts(made, "allele", "x") == {"*1": (1, 2), "*2": (1, 2)}
    assert counts(made, "allele", "y") == {"*1": (2, 2), "*2": (0, 2)}
    assert counts(made, "allele", UNGROUPED)["*1"] == (2, 2)
    unseen = made.filter(group="y", name="*2")
    assert unseen["high"].item() == pytest.approx(1 - 0.025 ** (1 / 2))


def test_groups_are_read_with_and_without_heading() -> None:
    for text in ("sample\tgroup\na\tx\r\n\nb\ty\n", "#IID\tPop\na\tx\nb\ty"):
        assert read_groups(text, "g.tsv").rows() == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize(("text", "said"), [
    ("a\tx\nb y\n", "g.tsv: line 2: expected sample, a tab and group. Got 'b y'"),
    ("a\tx\tz\n", "g.tsv: line 1: expected sample, a tab and group"),
    ("a\t\n", "g.tsv: line 1: expected sample"),
    ("# nothing\n", "g.tsv: no line says sample and group"),
    ("a\tx\n\na\tx\n", "g.tsv: line 3: a line is repeated")])
def test_groups_that_cannot_be_read_are_one_line(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_groups(text, "g.tsv")
    assert str(caught.value).startswith(said)


HEAD = ("##fileformat=VCFv4.3\n##contig=<ID=chr7,length=159345973,assembly=GRCh38>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tanna\tbela\tcleo\n")
ROWS = ("chr7\t99652770\trs41303343\tT\tTA\t.\tPASS\t.\tGT\t0/0\t0/0\t0/0\n"
        "chr7\t99660516\trs28371764\tG\tA\t.\tPASS\t.\tGT\t0/0\t0/0\t0/0\n"
        "chr7\t99665212\trs10264272\tC\tT\t.\tPASS\t.\tGT\t0/0\t0/0\t0/0\n"
        "chr7\t99672916\trs776746\tT\tC\t.\tPASS\t.\tGT\t0/1\t1/1\t./.\n")


@pytest.fixture
def vcf(tmp_path: Path) -> Path:
    path = tmp_path / "three.vcf"
    path.write_text(HEAD + ROWS)
    return path


def run(*arguments: Any) -> Result:
    made = CliRunner().invoke(cli, ["frequencies", *map(str, arguments)])
    if made.exception and not isinstance(made.exception, SystemExit):
        raise made.exception
    return made


def test_command_counts_a_file(vcf: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.tsv"
    groups.write_text("anna\tnorth\nbela\tnorth\ncleo\tsouth\ndora\tsouth\n")
    made = run(vcf, "--gene", "CYP3A5", "--groups", groups)
    assert "1 of 4 samples are not in the genomes" in made.stderr
    rows = pl.read_csv(made.stdout.encode(), separator="\t")
    assert counts(rows, "allele", "north", "CYP3A5") == {"*1": (1, 4), "*3": (3, 4)}
    assert counts(rows, "allele", "south", "CYP3A5") == {"*1": (0, 0), "*3": (0, 0)}
    assert rows.filter(group="south", kind="allele")["frequency"].null_count() == 2
    assert rows.filter(group="south", kind="allele")["unresolved"].to_list() == [1, 1]


def test_outside_calls_of_the_command_take_the_place_of_their_gene(vcf: Path, tmp_path: Path) -> None:
    calls = tmp_path / "cyrius.tsv"
    calls.write_text("Sample\tGenotype\tFilter\nanna\t*4/*5\tPASS\nbela\t*1/*4\tPASS\n")
    before, made = (pl.read_csv(run(vcf, *more).stdout.encode(), separator="\t")
                    for more in ((), ("--outside-calls", calls)))
    assert counts(before, "status", gene="CYP2D6") == {"no-data": (3, 3)}
    assert counts(made, "status", gene="CYP2D6") == {"no-data": (1, 3), "outside": (2, 3)}
    assert counts(made, "allele", gene="CYP2D6") == {"*1": (1, 4), "*4": (2, 4), "*5": (1, 4)}
    assert made.filter(gene="CYP3A5").equals(before.filter(gene="CYP3A5"))


def test_command_writes_json_and_parquet(vcf: Path, tmp_path: Path) -> None:
    said = json.loads(run(vcf, "--gene", "CYP3A5", "--format", "json").stdout)
    assert said["format"] == "pmed/frequencies/1"
    assert said["provenance"]["knowledge"]
    run(vcf, "--gene", "CYP3A5", "--format", "parquet", "-o", tmp_path / "f.parquet")
    assert pl.read_parquet(tmp_path / "f.parquet").to_dicts() == said["rows"]
    assert run(vcf, "--format", "parquet").exit_code == 2


def test_command_refuses_in_one_line(vcf: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"^--gene: the release has no gene 'CYP3A55'"):
        run(vcf, "--gene", "CYP3A55")
    groups = tmp_path / "groups.tsv"
    groups.write_text("HG1\tx\n")
    with pytest.raises(InputError, match=r"none of its samples is in the genomes \(the genomes have anna"):
        run(vcf, "--groups", groups)
    with pytest.raises(InputError, match=r"gone.tsv: cannot be read"):
        run(vcf, "--groups", tmp_path / "gone.tsv")


@pytest.mark.skipif(not (PANEL.is_dir() and PEOPLE.is_file()), reason="no ../shared with the 1000 Genomes files")
def test_people_of_1000_genomes_have_the_frequencies_of_their_continent(tmp_path: Path) -> None:
    """Wide limits around what is in print.

    CYP2C19*2 and *17 of 1.7 million Europeans are 15 % and 21.7 % (doi:10.2217/pme-2021-0175), *2 of East Asians 30 %;
    CYP3A5*3 after the CPIC guideline of tacrolimus (PMID:25801146).
    """
    groups, out = tmp_path / "groups.tsv", tmp_path / "out.parquet"
    people = pl.read_csv(PEOPLE, separator="\t", infer_schema=False)
    people.select("#IID", "SuperPop").write_csv(groups, separator="\t", include_header=False)
    made = run(PANEL / "CYP2C19.vcf.gz", PANEL / "CYP3A5.vcf.gz", "--groups", groups, "--gene", "CYP2C19", "--gene",
               "CYP3A5", "--format", "parquet", "-o", out)
    assert made.exit_code == 0
    found = pl.read_parquet(out)
    expected = {("CYP2C19", "*2"): {"EUR": (.12, .17), "AFR": (.14, .20), "EAS": (.27, .36), "SAS": (.30, .40)},
                ("CYP2C19", "*17"): {"EUR": (.19, .25), "AFR": (.20, .27), "EAS": (.005, .03), "SAS": (.11, .17)},
                ("CYP3A5", "*3"): {"EUR": (.91, .97), "AFR": (.14, .34), "EAS": (.68, .77), "SAS": (.62, .72)}}
    for (gene, allele), shares in expected.items():
        rows = found.filter(gene=gene, kind="allele", name=allele)
        share = dict(rows.select("group", "frequency").iter_rows())
        assert {group: low < share[group] < high for group, (low, high) in shares.items()} == dict.fromkeys(
            shares, True), (gene, allele, share)
        assert (rows["low"] < rows["frequency"]).all()
    people_of = dict(found.filter(kind="status").select("group", "people").unique().iter_rows())
    assert sum(people_of.values()) == 2562

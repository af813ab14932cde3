"""A gene of which the file tells more copies, of the whole or a part, has no phenotype of its bases alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pmed

HEAD = """##fileformat=VCFv4.2
##reference=GRCh38
##INFO=<ID=END,Number=1,Type=Integer,Description="end">
##FILTER=<ID=LowQual,Description="low">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
##FORMAT=<ID=CN,Number=1,Type=Integer,Description="copies">
"""
BLOCKS = [("chr10", 94760000, 94860000), ("chr10", 94938600, 94990000), ("chr22", 42126000, 42133000)]
SAMPLES = ("S", "T")


def genome(folder: Path, *records: str, people: tuple[str, ...] = SAMPLES) -> Path:
    """CYP2C19, CYP2C9 and CYP2D6 all reference; records are "CHROM POS ALT END FILTER FORMAT CALL…"."""
    lines = [("chr", start, f"{chrom}\t{start}\t.\tA\t<NON_REF>\t.\tPASS\tEND={end}\tGT" + "\t0/0" * len(people))
             for chrom, start, end in BLOCKS]
    for chrom, pos, alt, end, flt, form, *calls in map(str.split, records):
        fields = [chrom, pos, ".", "N", alt, ".", flt, f"END={end}", form, *calls]
        lines.append(("chr", int(pos), "\t".join(fields)))
    file = folder / "x.vcf"
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(people)
    body = sorted(lines, key=lambda one: (one[2].split("\t")[0], one[1]))
    file.write_text(HEAD + "\n".join([columns, *(one[2] for one in body)]) + "\n")
    return file


def rows(*files: Path, **more: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["patient_id"], row["gene"]): row for one in pmed.calls(list(files), **more)
            for row in one.tables["gene_results"].iter_rows(named=True)}


def codes(row: dict[str, Any]) -> set[str]:
    return {one["code"] for one in row["messages"]}


PART, WHOLE = "chr10 94781000 {} 94782000", "chr10 94700000 {} 94900000"


@pytest.mark.parametrize("record", [
    PART.format("<DUP>") + " PASS GT 0/1 0/0", WHOLE.format("<DUP>") + " PASS GT 1/1 0/0",
    PART.format("<CNV>") + " PASS GT:CN ./.:3 ./.:2", PART.format(".") + " PASS GT:CN ./.:4 ./.:2",
    PART.format("<DUP:TANDEM>") + " PASS GT 0|1 0|0", PART.format("<CN2>") + " . GT 0/1 0/0"])
def test_the_gene_has_no_phenotype_and_says_why(tmp_path, record):
    found = rows(genome(tmp_path, record))
    row = found["S", "CYP2C19"]
    assert (row["complete"], row["phenotype"], row["activity_score"], row["possible_phenotypes"]) == (False, None, None,
                                                                                                     [])
    assert row["diplotypes"] == ["*38/*38"]
    assert {"more-copies", "phenotype-withheld"} <= codes(row)
    for other in (found["T", "CYP2C19"], found["S", "CYP2C9"]):
        assert other["complete"]
        assert "more-copies" not in codes(other)


@pytest.mark.parametrize("record", [
    PART.format("<DUP>") + " LowQual GT 0/1 0/0", PART.format("<DUP>") + " PASS GT 0/0 0/0",
    PART.format("<CNV>") + " PASS GT:CN ./.:2 ./.:2", "chr10 94000000 <DUP> 94000900 PASS GT 0/1 0/0"])
def test_no_copy_more_leaves_it(tmp_path, record):
    row = rows(genome(tmp_path, record))["S", "CYP2C19"]
    assert (row["complete"], codes(row) & {"more-copies"}) == (True, set())


BROKEN = "chr10 94770000 {} PASS GT 0/1 0/0"


@pytest.mark.parametrize("record", [
    BROKEN.format("<INV> 94970000"), BROKEN.format("<INS> 94770000"), BROKEN.format("<INS:ME:L1> 94770000"),
    BROKEN.format("N[chr22:5[ 94770000"), BROKEN.format("N. 94770000"), BROKEN.format("<DEL> 94770900"),
    "chr1 5 N]chr10:94770000] 5 PASS GT 0|1 ./.", BROKEN.format("<BND> 94770000")])
def test_a_broken_gene_has_no_phenotype_and_says_why(tmp_path, record):
    found = rows(genome(tmp_path, record))
    row = found["S", "CYP2C19"]
    assert (row["complete"], row["phenotype"], row["possible_phenotypes"]) == (False, None, [])
    assert {"structural", "phenotype-withheld"} <= codes(row)
    assert any("chr10:94" in one["text"] for one in row["messages"])
    assert found["T", "CYP2C19"]["complete"]


def test_an_inversion_of_the_whole_gene_leaves_it_whole(tmp_path):
    found = rows(genome(tmp_path, "chr10 94700000 <INV> 94900000 PASS GT 0/1 0/0"))
    assert found["S", "CYP2C19"]["phenotype"] == found["T", "CYP2C19"]["phenotype"]
    assert found["S", "CYP2C19"]["complete"]


def test_a_lost_stretch_of_a_gene_where_unknown_alleles_count_as_reference(tmp_path):
    file = genome(tmp_path, "chr1 97500000 <DEL> 97600000 PASS GT 0/1 0/0")
    line = "chr1\t97070000\t.\tA\t<NON_REF>\t.\tPASS\tEND=97930000\tGT\t0/0\t0/0\n"
    text = file.read_text()
    at = text.index("chr1\t")
    file.write_text(text[:at] + line + text[at:])
    found = rows(file)
    assert "structural" in codes(found["S", "DPYD"])
    assert (found["S", "DPYD"]["complete"], found["T", "DPYD"]["complete"]) == (False, True)


def test_genes_have_a_region_of_their_own():
    from pmed_pgx.knowledge import genes, regions

    found = {(row["build"], row["gene"]): row for row in regions().iter_rows(named=True)}
    for gene in (one for one in genes().values() if one.sites):
        for build in ("GRCh38", "GRCh37"):
            row = found[build, gene.name]
            places = [pos for site in gene.sites for pos, _, _ in site.rows(build)]
            assert 900 <= row["last"] - row["first"] <= 900_000, gene.name
            assert all(row["first"] <= pos <= row["last"] for pos in places)
    sizes = {key: row["last"] - row["first"] for key, row in found.items()}
    assert all(abs(sizes["GRCh38", name] - size) < 3000 for (build, name), size in sizes.items() if build == "GRCh37")


def test_cyp2d6_says_that_the_file_tells_of_copies(tmp_path):
    row = rows(genome(tmp_path, "chr22 42126000 <DUP> 42133000 PASS GT 0/1 0/0"))["S", "CYP2D6"]
    assert not row["complete"]
    assert {"more-copies", "copy-number-not-assessed"} <= codes(row)


def test_a_copy_number_of_another_tool_decides(tmp_path):
    outside = tmp_path / "o.tsv"
    outside.write_text("CYP2D6\t*1/*2x2\n")
    file = genome(tmp_path, "chr22 42126000 <DUP> 42133000 PASS GT 0/1", people=("S",))
    row = rows(file, outside_calls=[outside])["S", "CYP2D6"]
    assert row["phenotype"] == "Ultrarapid Metabolizer"
    assert "more-copies" not in codes(row)


def test_a_file_of_copies_beside_one_of_bases(tmp_path):
    (tmp_path / "sv").mkdir()
    bases, copies = genome(tmp_path), genome(tmp_path / "sv", PART.format("<DUP>") + " PASS GT 0/1 0/0")
    text = copies.read_text().splitlines(keepends=True)
    copies.write_text("".join(line for line in text if "NON_REF" not in line))
    found = rows(bases, copies)
    assert [found[name, "CYP2C19"]["complete"] for name in SAMPLES] == [False, True]

"""Builds and contig names: what a header, an accession or the user says, what is refused, and who has how many copies.

Accessions and lengths: NCBI assembly reports GCF_000001405.13 (GRCh37), .40 (GRCh38) and .12 (NCBI36).
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.errors import GenomeError
from pmed.genomics.alleles import with_chr
from pmed.genomics.builds import (
    Evidence,
    build_named,
    declared_build,
    foreign_contigs,
    inferred_build,
    known_build,
    must_not_contradict,
)
from pmed.genomics.contigs import accession_build
from pmed.genomics.header import read_header
from pmed.genomics.ploidy import PAR, copies, copies_of
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS"
CHROMOSOMES = [*map(str, range(1, 23)), "X", "Y"]
GRCH37 = [f"NC_{number:06}.{version}" for number, version in enumerate(
    (10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9), 1)]
GRCH38 = [f"NC_{number:06}.{version}" for number, version in enumerate(
    (11, 12, 12, 12, 10, 12, 14, 11, 12, 11, 10, 12, 11, 9, 10, 10, 11, 10, 10, 11, 9, 11, 11, 10), 1)]


@pytest.fixture
def head(tmp_path):
    """Lines of meta information → the header of a file that has them, and records."""
    def made(*lines, records=()):
        path = tmp_path / "x.vcf"
        path.write_text("\n".join(["##fileformat=VCFv4.2", *lines, COLUMNS, *records, ""]))
        return read_header(path)
    return made


@pytest.mark.parametrize(("name", "chrom"), [
    *((name, "chr10") for name in ("10", "chr10", "Chr10", "CHR10", "NC_000010.10", "nc_000010.11", "NC_000010",
                                   "CM000672.1", "CM000672.2", "CM000672")),
    *((name, "chrM") for name in ("M", "MT", "chrM", "chrMT", "mt", "ChrMt", "26", "NC_012920.1", "J01415.2")),
    *((name, "chrX") for name in ("X", "x", "chrx", "23", "chr23", "25", "XY", "PAR1", "PAR2", "NC_000023.11")),
    *((name, "chrY") for name in ("Y", "chrY", "24", "CM000686.2"))])
def test_a_chromosome_has_one_name_whatever_the_file_calls_it(name, chrom):
    assert with_chr(name) == chrom


@pytest.mark.parametrize("name", [
    "chr1_KI270706v1_random", "chr10_GL383545v1_alt", "chrUn_GL000220v1", "GL000191.1", "hs37d5", "HLA-A*01:01:01:01",
    "chrEBV", "NC_007605", "chr1_gl000191_random", "27", "0", "chr", "", "NC_000025.1", "CM000687.2", "NC_000010.12",
    "NC_060925.1", "CP068277.2", "NC_001807.4", "NC_000010.9"])
def test_other_contigs_are_never_taken_for_a_chromosome(name):
    """Decoys, alternatives, a virus, other assemblies (NC_000010.9 is NCBI36's), the mitochondrion of UCSC's hg19."""
    assert with_chr(name) == name


def test_accessions_are_those_of_the_assembly_reports():
    for build, accessions in (("GRCh37", GRCH37), ("GRCh38", GRCH38)):
        assert [with_chr(one) for one in accessions] == [f"chr{name}" for name in CHROMOSOMES]
        assert {accession_build(one) for one in accessions} == {build}
    assert {accession_build(f"CM{663 + n:06}.1") for n in range(24)} == {"GRCh37"}
    assert {accession_build(f"CM{663 + n:06}.2") for n in range(24)} == {"GRCh38"}
    assert [with_chr(f"CM{663 + n:06}.2") for n in range(24)] == [f"chr{name}" for name in CHROMOSOMES]


@pytest.mark.parametrize(("lines", "build"), [
    (["##contig=<ID=NC_000006.11>"], "GRCh37"), (["##contig=<ID=NC_000006.12>"], "GRCh38"),
    (["##contig=<ID=CM000668.1>"], "GRCh37"), (["##contig=<ID=CM000668.2>"], "GRCh38"),
    (["##contig=<ID=NC_000006.12,length=170805979>", "##reference=hg38.fa"], "GRCh38"),
    (["##contig=<ID=CM000668.1,length=171115067>"], "GRCh37"), (["##contig=<ID=23,length=155270560>"], "GRCh37"),
    (["##reference=file:///broad/Homo_sapiens_assembly19.fasta"], "GRCh37"),
    (["##reference=Homo_sapiens_assembly38.fasta"], "GRCh38"),
    (["##contig=<ID=6,assembly=b37>"], "GRCh37"), (["##contig=<ID=chr6,assembly=HG19>"], "GRCh37"),
    (["##contig=<ID=NC_000006>", "##contig=<ID=NC_012920.1,length=16569>", "##contig=<ID=chr6>"], ""),
    (["##contig=<ID=chr6_GL000250v2_alt,length=4672374>"], "")])
def test_what_a_header_says(head, lines, build):
    assert declared_build(head(*lines)) == build


@pytest.mark.parametrize("lines", [
    ["##contig=<ID=NC_000006.11>", "##contig=<ID=NC_000007.14>"], ["##contig=<ID=NC_000006.11>", "##reference=GRCh38"],
    ["##contig=<ID=CM000668.2,length=171115067>"], ["##contig=<ID=6,length=171115067,assembly=hg38>"]])
def test_a_header_that_contradicts_itself_is_refused(head, lines):
    with pytest.raises(GenomeError, match=r"x\.vcf: the header names both GRCh37 and GRCh38"):
        declared_build(head(*lines))


@pytest.mark.parametrize("line", [
    "##reference=NCBI36", "##reference=hg18.fa", "##reference=human_b36_both.fasta", "##reference=NCBI Build 36.3",
    "##contig=<ID=1,assembly=b36>", "##contig=<ID=1,length=247249719>", "##contig=<ID=chrY,length=57772954>",
    "##contig=<ID=NC_000001.9>"])
@pytest.mark.parametrize("stated", ["", "GRCh37"])
def test_build_36_is_refused_in_one_line(head, line, stated):
    with pytest.raises(GenomeError, match=r"x\.vcf: is on NCBI36 \(hg18\), which is not read") as caught:
        known_build(head(line), stated)
    assert "GRCh38 or GRCh37" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("stated", "build"), [
    ("GRCh37", "GRCh37"), ("grch37", "GRCh37"), ("hg19", "GRCh37"), ("HG19", "GRCh37"), ("b37", "GRCh37"),
    ("B37", "GRCh37"), ("GRCh38", "GRCh38"), ("hg38", "GRCh38"), ("Hg38", "GRCh38")])
def test_a_build_may_be_stated_by_any_of_its_names(head, stated, build):
    assert known_build(head("##contig=<ID=1>"), stated) == (build, "stated")


@pytest.mark.parametrize("stated", ["hg18", "NCBI36", "b36", "mm10", "37"])
def test_other_builds_cannot_be_stated(head, stated):
    with pytest.raises(GenomeError, match=f"unknown genome build '{stated}'.*GRCh38 or GRCh37"):
        known_build(head("##contig=<ID=1>"), stated)


@pytest.mark.parametrize(("line", "stated", "message"), [
    ("##reference=hg38.fa", "hg19", "the header says GRCh38, but GRCh37 was stated"),
    ("##contig=<ID=NC_000006.11>", "GRCh38", "the header says GRCh37, but GRCh38 was stated")])
def test_header_and_statement_must_agree(head, line, stated, message):
    with pytest.raises(GenomeError, match=message):
        known_build(head(line), stated)


@pytest.mark.parametrize(("text", "build"), [
    ("hg18", "NCBI36"), ("ncbi36", "NCBI36"), ("hg18ToHg19", ""), ("NCBI Build 36.1", "NCBI36"), ("b360", ""),
    ("grc37", ""), ("hs37d5.fa.gz", "GRCh37"), ("GRCh37.p13", "GRCh37")])
def test_a_text_names_one_build_or_none(text, build):
    assert build_named(text) == build


@pytest.mark.parametrize(("mine", "other", "refused"), [
    ((0, 0), (3, 1), True), ((0, 0), (2, 0), False), ((0, 0), (3, 2), False), ((2, 90), (80, 0), True),
    ((1, 0), (3, 0), True), ((2, 0), (5, 0), False), ((80, 0), (2, 90), False), (None, (3, 0), True)])
def test_records_may_overrule_what_is_said(head, mine, other, refused):
    """Among millions of records a few are on a site of the wrong build by chance: they do not vouch for it."""
    evidence = {"GRCh37": Evidence(*other)} | ({"GRCh38": Evidence(*mine)} if mine else {})
    message = "said to be GRCh38, but its records fit GRCh37"
    with pytest.raises(GenomeError, match=message) if refused else nullcontext():
        must_not_contradict(head(), "GRCh38", evidence)


@pytest.mark.parametrize("build", ["GRCh37", "GRCh38"])
def test_each_build_can_be_inferred(head, build):
    evidence = {name: Evidence(int(name == build), 0) for name in ("GRCh38", "GRCh37")}
    assert inferred_build(head(), evidence) == build


@pytest.mark.parametrize(("lines", "build", "foreign"), [
    (["##contig=<ID=chrM,length=16571>"], "", {"chrM"}),
    (["##contig=<ID=MT,length=16571>", "##contig=<ID=1,length=249250621>"], "", {"MT", "chrM"}),
    (["##contig=<ID=chrM,length=16571>", "##contig=<ID=chrMT,length=16569>"], "", {"chrM"}),
    (["##contig=<ID=chrM,length=16569>", "##reference=hg19.fa"], "", set()),
    (["##contig=<ID=MT,length=16569>", "##reference=human_g1k_v37.fasta"], "", {"chrM"}),
    # UCSC's spelling on GRCh37, and no length: either of the two sequences.
    (["##contig=<ID=chrM>", "##reference=hg19.fa"], "", {"chrM"}), ([], "GRCh37", {"chrM"}),
    (["##contig=<ID=chrM>", "##reference=hg38.fa"], "", set()), (["##contig=<ID=chr1,length=16571>"], "", set())])
def test_the_other_mitochondrion_is_told_apart(head, lines, build, foreign):
    assert foreign_contigs(head(*lines), build) == foreign


# First and last base of the pseudo-autosomal regions, and the bases beside them (Genome Reference Consortium).
EDGES = {("GRCh38", "X"): ((10_001, 2_781_479), (155_701_383, 156_030_895)),
         ("GRCh38", "Y"): ((10_001, 2_781_479), (56_887_903, 57_217_415)),
         ("GRCh37", "X"): ((60_001, 2_699_520), (154_931_044, 155_260_560)),
         ("GRCh37", "Y"): ((10_001, 2_649_520), (59_034_050, 59_363_566))}


@pytest.mark.parametrize(("build", "chrom"), EDGES)
def test_copies_at_the_edges_of_the_shared_regions(build, chrom):
    for first, last in EDGES[build, chrom]:
        found = [copies(build, chrom, pos) for pos in (first - 1, first, last, last + 1)]
        assert found == [chrom.lower(), "diploid", "diploid", chrom.lower()]


def test_copies_elsewhere():
    assert [copies("GRCh37", chrom, 100_000) for chrom in ("1", "chr22", "MT", "chrM", "NC_012920.1", "chrX_alt")] == [
        "diploid", "diploid", "mt", "mt", "mt", "diploid"]
    assert (copies("GRCh37", "X", 20_000), copies("GRCh38", "X", 20_000)) == ("x", "diploid")
    with pytest.raises(KeyError):
        copies("NCBI36", "X", 20_000)


@pytest.mark.parametrize("build", sorted(PAR))
def test_the_two_copies_of_a_shared_region_are_of_one_length(build):
    x, y = ([last - first for first, last in PAR[build][name]] for name in ("chrX", "chrY"))
    assert x == y


NEAR = [pos + step for spans in EDGES.values() for span in spans for pos in span for step in (-1, 0, 1)]
PLACES = st.tuples(st.sampled_from(["1", "X", "chrX", "Y", "MT", "23", "24"]),
                   st.one_of(st.integers(1, 160_000_000), st.sampled_from(NEAR)))


@given(st.sampled_from(sorted(PAR)), st.lists(PLACES, max_size=20))
def test_copies_of_many_positions_are_those_of_each(build, places):
    chroms, positions = [chrom for chrom, _ in places], np.array([pos for _, pos in places], dtype=np.int64)
    assert copies_of(build, chroms, positions).tolist() == [copies(build, *place) for place in places]


# A site whose REF and ALT are swapped between the builds, and a plain one.
BOTH = TABLES["sites"].frame([
    {"build": build, "chrom": "chr6", "pos": pos, "ref": ref, "alt": alt, "site": name}
    for name, *places in (("rs1", ("GRCh38", 500, "A", "G"), ("GRCh37", 300, "G", "A")),
                          ("rs2", ("GRCh38", 900, "C", "T"), ("GRCh37", 700, "C", "T")))
    for build, pos, ref, alt in places])


@pytest.mark.parametrize(("line", "stated", "how"), [
    ("##contig=<ID=6,length=171115067>", "", "header"), ("##contig=<ID=6>", "hg19", "stated"),
    ("##contig=<ID=6>", "", "inferred")])
def test_a_grch37_file_is_read_on_its_own_sites(head, line, stated, how):
    """REF is that build's REF: whoever has no change there has the other build's ALT twice."""
    records = ["6\t300\trs1\tG\tA\t.\tPASS\t.\tGT\t0/0", "6\t700\t.\tC\tT\t.\tPASS\t.\tGT\t0/1"]
    out = VcfSource().read([head(line, records=records).path], ReadRequest(BOTH, build=stated))
    assert out["samples"].select("build", "build_from").row(0) == ("GRCh37", how)
    assert out["genotypes"].select("pos", "ref", "alt", "allele_1", "allele_2").rows() == [
        (300, "G", "A", 0, 0), (700, "C", "T", 0, 1)]


def test_files_by_accession_are_read(head):
    records = ["NC_000006.11\t300\t.\tG\tA\t.\tPASS\t.\tGT\t1|1"]
    out = VcfSource().read([head("##contig=<ID=NC_000006.11>", records=records).path], ReadRequest(BOTH))
    assert out["samples"]["build"].to_list() == ["GRCh37"]
    assert out["genotypes"].filter(pl.col("state") == "called").select("pos", "allele_1", "allele_2").rows() == [
        (300, 1, 1)]


def test_files_on_two_builds_are_not_one_genome(head, tmp_path):
    old = tmp_path / "old.vcf"
    old.write_text(head("##reference=hg19", records=["6\t700\t.\tC\tT\t.\tPASS\t.\tGT\t0/1"]).path.read_text())
    new = head("##reference=hg38", records=["6\t900\t.\tC\tT\t.\tPASS\t.\tGT\t0/1"]).path
    with pytest.raises(GenomeError, match="files of one run are on different builds"):
        VcfSource().read([old, new], ReadRequest(BOTH))

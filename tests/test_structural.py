"""Structural changes around the known sites: read whatever the kind of file, and told where they break a sequence."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pysam
import pysam.bcftools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.genomics.blocks import Block
from pmed.genomics.reaches import suspects
from pmed.genomics.structural import SUSPECT_TEXT, breaks, is_suspect, neighbourhoods, with_mate
from tests.genome_files import META, read, sites, vcf

ROWS = [(100_000, "A", "G"), (130_000, "A", "G")]
HEAD = (*META, "##contig=<ID=chr7>", '##INFO=<ID=CHR2,Number=1,Type=String,Description="chromosome">',
        '##INFO=<ID=POS2,Number=1,Type=Integer,Description="position">',
        '##FORMAT=<ID=CN,Number=1,Type=Integer,Description="copies">')
REF = "100000 A . GT 0/0"


def told(out):
    """(kind, contig, first, last) of what is told beside the sites."""
    return out["coverage"].filter(pl.col("kind").is_in(["structural", "more-copies"])).select(
        "kind", "chrom", "start", "end").rows()


def here(first, last=None, kind="structural"):
    return kind, "chr2", first, last or first + 1


@pytest.mark.parametrize(("record", "expected"), [
    ("110000 N <INV> GT;END=120000 0/1", [here(110000), here(120000)]),
    ("1000 N <INV> GT;END=120000 0/1", [here(1000), here(120000)]),
    ("110000 N <INS> GT 0/1", [here(110000)]), ("110000 N <INS:ME:ALU> GT;SVLEN=280 ./1", [here(110000)]),
    ("110000 N N[chr9:5[ GT 0/1", [here(110000), ("structural", "chr9", 4, 5)]),
    ("110000 N ]chr9:5]N GT 1/1", [here(109999), ("structural", "chr9", 5, 6)]),
    ("110000 N N. GT 0|1", [here(110000)]), ("110000 N .N GT 0|1", [here(109999)]),
    ("110000 N <BND> GT 1", [here(110000)]), ("110000 N <CPX> GT;END=110900 0/1", [here(110001, 110900)]),
    ("110000 N <DEL> GT;END=110900 0/1", [here(110001, 110900)]),
    ("110000 N <DUP> GT;END=110900 0/1", [here(110001, 110900, "more-copies")]),
    ("110000 N <CNV> GT:CN;END=110900 ./.:1", [here(110001, 110900)]),
    ("110000 N <CNV> GT:CN;END=110900 0/1:3", [here(110001, 110900, "more-copies")]),
    ("110000 N <CNV> GT:CN;END=110900 0/1:2", []), ("110000 N <CN0>,<CN2> GT;END=110900 0/2",
                                                    [here(110001, 110900, "more-copies")]),
    ("110000 N . GT:CN;END=110900 ./.:3", [here(110000, 110900, "more-copies")]),
    ("110000 N . GT:CN;END=110900 0/0:1", [here(110000, 110900)]),
    ("110000 N . CN;END=110900 1", [here(110000, 110900)]),
    ("110000 N . GT:CN;END=110900 ./.:2", []), ("110000 N . GT;END=110900 0/0", []),
    ("100000 A <*:DEL> GT 0/1", []), ("110000 N <INV> GT;END=120000 0/0", []), ("110000 N <INV> GT;END=120000 ./.", []),
    ("110000 N <INV> GT@LowQual;END=120000 0/1", []), ("110000 N <INV> GT:FT;END=120000 0/1:bad", []),
    ("110000 N C,<NON_REF> GT 0/1", []), ("110000 N <*> GT;END=120000 0/0", []),
    ("400000 N <INV> GT;END=420000 0/1", [])])
def test_what_is_carried_is_told_where_it_breaks(tmp_path, record, expected):
    assert told(read(vcf(tmp_path, REF, record, meta=HEAD), rows=ROWS)) == expected


FAR = "chr7\t5\t.\tN\t{}\t.\tPASS\t{}\tGT\t0/1"


@pytest.mark.parametrize("far", [
    FAR.format("N[chr2:110000[", "."), FAR.format("<BND>", "CHR2=chr2;POS2=110000;END=6"),
    FAR.format("<TRA>", "CHR2=2;END=110000"), "chr2\t110000\t.\tN\t<INV>\t.\tPASS\tEND=300000\tGT\t0/1",
    "chr2\t40000\t.\tN\t<INV>\t.\tPASS\tEND=110000\tGT\t0/1",
    "chr2\t110000\t.\tN\t.\t.\tPASS\tEND=115000\tGT:CN\t./.:1"])
def test_all_kinds_of_files_tell_the_same(tmp_path, far):
    file = vcf(tmp_path, REF, meta=HEAD)
    lines = [*file.read_text().splitlines(), far]
    body = sorted((line for line in lines if line[0] != "#"), key=lambda line: (line[:4], int(line.split("\t")[1])))
    file.write_text("\n".join([*(line for line in lines if line[0] == "#"), *body]) + "\n")
    packed, other, cache = tmp_path / "x.vcf.gz", tmp_path / "y.bcf", tmp_path / "z.pmed"
    pysam.tabix_compress(str(file), str(packed))
    pysam.tabix_index(str(packed), preset="vcf")
    with pysam.VariantFile(str(file)) as source, pysam.VariantFile(str(other), "wb", header=source.header) as sink:
        for record in source:
            sink.write(record)
    subprocess.run([sys.executable, "-m", "pmed", "import", file, "-o", cache], check=True, capture_output=True)
    found = [told(read(one, rows=ROWS)) for one in (file, packed, other, cache)]
    pysam.bcftools.index(str(other))
    found.append(told(read(other, rows=ROWS)))
    assert any(109_999 <= first <= 110_001 for _, chrom, first, _ in found[0] if chrom == "chr2")
    assert found == [found[0]] * 5


def test_a_cache_without_notes_of_them_is_looked_through(tmp_path):
    from pmed.genomics import cache
    from pmed.genomics.header import read_header

    file = vcf(tmp_path, REF, "110000 N <INV> GT;END=120000 0/1", meta=HEAD)
    made = cache.write_cache([read_header(file)], tmp_path / "z.pmed")
    table = pl.scan_parquet(tmp_path / "z.pmed")
    old = cache.About(**{**{name: getattr(made, name) for name in made.__struct_fields__}, "structural": None})
    wanted = {"chr2": [100_000, 130_000]}
    assert [list(cache._structural(table, one, wanted)) for one in (made, old)] == [[1, 1], [1, 1]]


ALT = st.sampled_from(["A.", ".A"]) | st.lists(st.sampled_from([
    "A", "*", ".", "<*>", "<NON_REF>", "<INV>", "<NEW>", "N[1:5[", "]1:5]N", "CAT", "<CN0>"]), min_size=1,
    max_size=3).map(",".join)


@given(st.lists(ALT, min_size=1, max_size=5))
def test_three_ways_of_seeing_them_are_one(alts):
    lines = [f"chr2\t5\t.\tN\t{alt}\t.\t.\tX=[1]<A>\tGT\t0/1\n" for alt in alts]
    block = suspects(Block("".join(["#[<\n", *lines]).encode(), 1)) - 1
    plain = [number for number, alt in enumerate(alts) if list(breaks("chr2", 5, 5, alt.split(",")))]
    regex = [number for number, alt in enumerate(alts) if is_suspect(alt.encode())]
    frame = pl.Series(alts).str.contains(SUSPECT_TEXT).arg_true().to_list()
    assert set(plain) <= set(regex) == set(frame)
    assert set(plain) <= set(block.tolist())


def test_neighbourhoods_are_merged():
    assert neighbourhoods({"chr2": [100_000, 150_000, 900_000], "chr3": []}) == {
        "chr2": [(50_000, 200_000), (850_000, 950_000)]}


def test_a_mate_in_info_is_written_as_breakend():
    assert with_mate(b"<BND>", b"END=9;CHR2=chr7;POS2=5") == b"N]chr7:5]"
    assert with_mate(b"<DEL>", b"CHR2=chr7;END=5") == b"<DEL>"
    assert with_mate(b"<TRA>", b"CHR2=chr7") == b"<TRA>"


def test_the_sites_themselves_are_none_the_worse(tmp_path):
    out = read(vcf(tmp_path, REF, "110000 N <INV> GT;END=120000 0/1", "130000 A G GT 0/1"), rows=sites(*ROWS))
    assert out["genotypes"].select("state", "allele_1", "allele_2").rows() == [("called", 0, 0), ("called", 0, 1)]

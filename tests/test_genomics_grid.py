"""Joining what several records and files say of one site; and absence that must not become reference."""

from __future__ import annotations

import gzip
import json
import re

import polars as pl
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed.errors import GenomeError, PmedError
from pmed.genomics.builds import Evidence, build_named
from pmed.genomics.files import quiet_htslib
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
# UGT1A1 rs3064744: a TA repeat with three ALTs; and a plain base further down.
REPEAT = [(100, "CAT", "C"), (100, "CAT", "CATAT"), (100, "CAT", "CATATAT"), (400, "G", "A")]
ABSENT = (None, None, "absent")


def sites(rows=REPEAT, chrom="chr2"):
    return TABLES["sites"].frame([{"build": "GRCh38", "chrom": chrom, "pos": pos, "ref": ref, "alt": alt,
                                   "site": f"rs{pos}"} for pos, ref, alt in rows])


def vcf(folder, *records, samples=("S",), name="x.vcf"):
    """A GRCh38 file; a record is "POS REF ALT FORMAT call…", FILTER after the FORMAT as ``GT@LowQual``."""
    lines = []
    for record in records:
        pos, ref, alt, form, *calls = record.split()
        form, _, flt = form.partition("@")
        lines.append("\t".join(["chr2", pos, ".", ref, alt, ".", flt or "PASS", ".", form, *calls]))
    file = folder / name
    file.write_text("\n".join(["##fileformat=VCFv4.2", "##reference=GRCh38", COLUMNS + "\t".join(samples), *lines, ""]))
    return file


def read(*files, rows=REPEAT, **options):
    return VcfSource(**options).read(files, ReadRequest(sites(rows)))


def said(out, alt, sample="S", pos=100):
    row = out["genotypes"].filter(pos=pos, alt=alt, sample=sample).row(0, named=True)
    return row["allele_1"], row["allele_2"], row["state"]


def test_records_of_one_repeat_with_other_padding_are_joined(tmp_path):
    out = read(vcf(tmp_path, "100 C CAT GT 1|0", "100 CAT C GT 0|1", "100 C CATAT GT 0|0"))
    assert {alt: said(out, alt)[:2] for alt in ("C", "CATAT", "CATATAT")} == {
        "C": (2, 1), "CATAT": (1, 2), "CATATAT": (2, 2)}


def test_a_record_that_covers_a_part_does_not_vouch_for_reference(tmp_path):
    out = read(vcf(tmp_path, "100 C CAT GT 0|0 1|0 1|1", samples=("S", "T", "U")))
    assert said(out, "CATATAT") == (0, 0, "called")
    assert said(out, "C") == ABSENT
    assert said(out, "C", "T") == (2, None, "half-call")
    assert said(out, "C", "U") == (2, 2, "called")


@pytest.mark.parametrize(("one", "two", "first", "second"), [
    ("1/.", "./1", (1, 2, "called"), (2, 1, "called")),
    ("0/.", "0/1", (None, 2, "half-call"), (0, 1, "called")),
    ("./.", "0/1", (None, 2, "half-call"), (0, 1, "called")),
    ("0/0", "./1", (0, 2, "called"), (None, 1, "half-call")),
    ("0/1", "0|1", (2, 1, "called"), (1, 2, "called")),
    ("1", "0", (1, None, "called"), (2, None, "called"))])
def test_split_records_tell_each_other_what_they_left_open(tmp_path, one, two, first, second):
    rows = [(100, "A", "G"), (100, "A", "T")]
    out = read(vcf(tmp_path, f"100 A G GT {one}", f"100 A T GT {two}"), rows=rows)
    assert sorted(map(str, said(out, "G"))) == sorted(map(str, first))
    assert sorted(map(str, said(out, "T"))) == sorted(map(str, second))
    assert out["issues"].is_empty()


def test_a_join_with_an_unphased_record_is_not_phased(tmp_path):
    out = read(vcf(tmp_path, "100 A G GT 0|1", "100 A T GT 0/1"), rows=[(100, "A", "G"), (100, "A", "T")])
    assert out["genotypes"]["phased"].to_list() == [False, False]


def test_an_undocumented_alt_in_its_own_record_is_no_reference(tmp_path):
    out = read(vcf(tmp_path, "400 G A GT 0/0", "400 G T GT 0/1"))
    assert said(out, "A", pos=400) == (0, 2, "called")


def test_a_failed_call_is_unknown_by_its_own_filter(tmp_path):
    file = vcf(tmp_path, "400 G A GT:FT 0/1:LowGQ 0/1:PASS 0/1:. 0/1", samples=("S", "T", "U", "V"))
    out = read(file)
    assert [said(out, "A", name, 400) for name in "STUV"] == [(None, None, "filtered"), *[(0, 1, "called")] * 3]
    assert said(read(file, filters="ignore"), "A", "S", 400) == (0, 1, "called")


@pytest.mark.parametrize(("record", "expected"), [
    ("398 TTG T GT 0/1", ABSENT),               # a deletion further up takes the base away
    ("398 TTG T GT ./.", ABSENT),               # … or may do
    ("398 TTG T GT@LowQual 0/0", ABSENT),
    ("398 TTG T GT 0/0", (0, 0, "assumed-reference")),
    ("398 TTG CTG GT 0/1", (0, 0, "assumed-reference")),
    ("400 T A GT 0/0", ABSENT),                 # REF contradicts: looked at, and refused
    ("500 T A GT 0/0", (0, 0, "assumed-reference")),
])
def test_absent_is_assumed_reference_only_where_nothing_reaches(tmp_path, record, expected):
    file = vcf(tmp_path, record)
    assert said(read(file, absent_as_ref=True), "A", pos=400) == expected
    assert said(read(file), "A", pos=400) == ABSENT


def test_what_files_contradict_stays_unknown_whatever_a_third_says(tmp_path):
    files = [vcf(tmp_path, f"400 G A GT {call}", name=f"{n}.vcf") for n, call in enumerate(("0/1", "1/1", "0/1"))]
    for order in (files, files[::-1], [files[0], files[2], files[1]]):
        out = read(*order)
        assert said(out, "A", pos=400) == (None, None, "no-call")
        assert "contradiction" in set(out["issues"]["code"])


def test_a_call_in_one_file_counts_over_no_call_in_another(tmp_path):
    one, two = vcf(tmp_path, "400 G A GT ./.", name="1.vcf"), vcf(tmp_path, "400 G A GT 0/1", name="2.vcf")
    for order in ((one, two), (two, one)):
        assert said(read(*order), "A", pos=400) == (0, 1, "called")


def test_reading_together_is_reading_one_by_one(tmp_path):
    """A cohort file gives each person what their own file gives."""
    records = ["100 C CAT GT:DP 1|0:3 0/1:. ./1:9", "100 CAT C GT 0/0 1/0 0/1", "400 G A,T GT 1/2 0|2 0/0"]
    names = ("S", "T", "U")
    whole = read(vcf(tmp_path, *records, samples=names))["genotypes"]
    for i, name in enumerate(names):
        mine = [" ".join([*one.split()[:4], one.split()[4 + i]]) for one in records]
        alone = read(vcf(tmp_path, *mine, samples=(name,), name=f"{name}.vcf"))["genotypes"]
        assert whole.filter(sample=name).equals(alone)


def slow(records, pos, ref, alt, wide):
    """The obvious reader: one sample after the other, one record, the same position and REF."""
    for record in records:
        at, its_ref, alts, _, *calls = record.split()
        if (int(at), its_ref) == (pos, ref):
            codes = ["0", *("1" if one == alt else "2" for one in alts.split(","))]
            return [[None if part == "." else int(codes[int(part)]) for part in re.split(r"[/|]", call.split(":")[0])]
                    for call in calls]
    return [[None, None]] * wide


ALLELES = st.sampled_from("0012.")
CALL = st.builds("{}{}{}".format, ALLELES, st.sampled_from("|/"), ALLELES)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(1, 6), st.sampled_from(["GT", "GT:DP", "DP:GT"]))
def test_every_cell_agrees_with_the_slow_reader(tmp_path_factory, data, wide, form):
    rows = [(pos, "A", alt) for pos in (10, 20, 30) for alt in ("C", "G")]
    records, plain = [], []
    for pos in data.draw(st.lists(st.sampled_from([10, 20, 30]), unique=True, min_size=1)):
        calls = data.draw(st.lists(CALL, min_size=wide, max_size=wide))
        plain.append(f"{pos} A C,T GT " + " ".join(calls))
        records.append(f"{pos} A C,T {form} " + " ".join(form.replace("GT", call).replace("DP", "5") for call in calls))
    names = [f"P{i}" for i in range(wide)]
    out = read(vcf(tmp_path_factory.mktemp("v"), *records, samples=names), rows=rows)["genotypes"]
    for pos, ref, alt in rows:
        mine = out.filter(pos=pos, alt=alt).select("allele_1", "allele_2").rows()
        assert [list(row) for row in mine] == slow(plain, pos, ref, alt, wide)


def test_a_long_record_that_two_regions_reach_is_read_once(tmp_path):
    far = "A" * 9_000
    file = vcf(tmp_path, f"10 C{far} C GT 0/1", "9000 A C GT 0/1")
    packed = tmp_path / "x.vcf.gz"
    pysam.tabix_compress(str(file), str(packed))
    pysam.tabix_index(str(packed), preset="vcf")
    rows = [(10, "C" + far, "C"), (9000, "A", "C")]
    assert read(packed, rows=rows)["genotypes"].equals(read(file, rows=rows)["genotypes"])
    assert read(packed, rows=rows)["issues"].is_empty()


def test_an_unusable_index_costs_speed_and_nothing_else(tmp_path, capfd):
    file = vcf(tmp_path, "400 G A GT 0/1")
    packed = tmp_path / "x.vcf.gz"
    pysam.tabix_compress(str(file), str(packed))
    (tmp_path / "x.vcf.gz.tbi").write_bytes(b"not an index")
    assert said(read(packed), "A", pos=400) == (0, 1, "called")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("indexed", [True, False])
def test_a_bgzip_damaged_inside_is_refused_quietly(tmp_path, capfd, indexed):
    records = [f"{pos} G A GT {'0/1' if pos % 3 else '1|0'}" for pos in range(400, 40_000, 2)]
    packed = tmp_path / "x.vcf.gz"
    pysam.tabix_compress(str(vcf(tmp_path, *records)), str(packed))
    if indexed:
        pysam.tabix_index(str(packed), preset="vcf")
    data = bytearray(packed.read_bytes())
    middle = len(data) // 2
    data[middle:middle + 64] = bytes(64)
    packed.write_bytes(data)
    with pytest.raises(GenomeError, match=r"x\.vcf\.gz: cannot be"):
        read(packed, rows=[(pos, "G", "A") for pos in range(400, 40_000, 100)])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("place", [10, 20, -8])
def test_a_gzip_damaged_anywhere_is_refused(tmp_path, place):
    """The first block's type, its codes, and the checksum at the end."""
    data = bytearray(gzip.compress(vcf(tmp_path, "400 G A GT 0/1").read_bytes(), mtime=0))
    data[place] ^= 0xFF
    packed = tmp_path / "y.vcf.gz"
    packed.write_bytes(data)
    with pytest.raises(GenomeError, match=r"y\.vcf\.gz: (cannot be|is not a VCF)"):
        read(packed)


def test_htslib_speaks_as_before_afterwards():
    before = pysam.get_verbosity()
    with quiet_htslib():
        assert pysam.get_verbosity() == 0
    assert pysam.get_verbosity() == before


def test_windows_line_ends_and_lower_case(tmp_path):
    file = vcf(tmp_path, "400 g a GT 0|1")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert said(read(file), "A", pos=400) == (0, 1, "called")


@pytest.mark.parametrize(("text", "build"), [
    ("GRCh38.p14", "GRCh38"), ("file:///x/GRCh38_full_analysis_set_plus_decoy_hla.fa", "GRCh38"), ("hs37d5", "GRCh37"),
    ("human_g1k_v37.fasta", "GRCh37"), ("hg19ToHg38.over", ""), ("hg19_to_hg38", ""), ("b370", ""), ("mm10", "")])
def test_a_build_is_read_from_its_names(text, build):
    assert build_named(text) == build


def test_a_few_chance_matches_are_no_evidence():
    assert Evidence(3, 1).fits
    assert not Evidence(2, 1).fits
    assert not Evidence(0, 0).fits


def test_lengths_that_fit_no_build_say_nothing(tmp_path):
    """Some writers put the last position there."""
    file = vcf(tmp_path, "400 G A GT 0/1")
    file.write_text(file.read_text().replace("##reference=GRCh38", "##contig=<ID=chr2,length=401>"))
    assert read(file)["samples"]["build_from"].to_list() == ["inferred"]


@pytest.fixture(scope="module")
def all_sites(shared):
    """Every defining position of twenty genes."""
    rows = [{"build": "GRCh38", "chrom": one["chromosome"], "pos": one["position"], "ref": one["ref"], "alt": alt,
             "site": one["rsid"] or str(one["position"])}
            for file in sorted(shared.glob("reference/pharmcat-3.1.1/definitions/*_translation.json"))
            for one in json.loads(file.read_text())["variants"] for alt in one["alts"]]
    return TABLES["sites"].frame(rows)


def test_the_repeat_of_real_people_has_one_allele_a_strand(shared, all_sites):
    """rs3064744 in three records; one person of the panel has two repeat lengths on one strand, which is refused."""
    out = VcfSource().read([shared / "data/1kgp/GRCh38/UGT1A1.vcf.gz"], ReadRequest(all_sites))
    grid = out["genotypes"].filter(pos=233760233)
    assert set(grid.filter(state="no-call")["sample"]) == {"HG02648"}
    assert "HG02648" in out["issues"].filter(code="duplicate-record")["text"][0]
    called = grid.filter(pl.col("sample") != "HG02648")
    assert set(called["state"]) == {"called"}
    for name in ("allele_1", "allele_2"):
        strands = called.group_by("sample").agg(pl.col(name).sort())[name].unique().to_list()
        assert sorted(strands) == [[0, 0, 0], [1, 2, 2]]


def test_haploid_males_of_real_people(shared, all_sites):
    out = VcfSource().read([shared / "data/1kgp/GRCh38/G6PD.vcf.gz"], ReadRequest(all_sites))
    called = out["genotypes"].filter(state="called")
    assert set(called["ploidy"]) == {1, 2}
    assert called.filter(ploidy=1)["allele_2"].null_count() == called.filter(ploidy=1).height
    assert called.filter(ploidy=2)["allele_2"].null_count() == 0


def test_every_case_of_another_tool_is_read(shared, all_sites):
    files = sorted(shared.glob("cases/pharmcat-3.1.1/vcf_dev/*.vcf"))[::6]
    for file in files:
        out = VcfSource().read([file], ReadRequest(all_sites, build="GRCh38"))
        TABLES["genotypes"].check(out["genotypes"])
    assert len(files) >= 50


def test_the_specification_s_files_are_read_or_refused_in_one_line(shared):
    everywhere = TABLES["sites"].frame([{"build": "GRCh38", "chrom": f"chr{chrom}", "pos": pos, "ref": "C", "alt": "T",
                                         "site": f"rs{pos}"} for chrom in (1, 2) for pos in range(100, 2000, 100)])
    refused = [error for file in sorted(shared.glob("data/vcf-spec/*/*/*.vcf")) if (error := refusal(file, everywhere))]
    assert len(refused) > 100
    assert not any("\n" in error for error in refused)


def refusal(file, wanted):
    try:
        VcfSource().read([file], ReadRequest(wanted, build="GRCh38"))
    except PmedError as error:
        return str(error)
    return ""

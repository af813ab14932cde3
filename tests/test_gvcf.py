"""Blocks of reference, depth and quality, target intervals: what was looked at and what was not."""

from __future__ import annotations

import os

import polars as pl
import pysam
import pytest

from pmed.errors import GenomeError
from tests.genome_files import META, NEWER, read, said, sites, vcf

ROWS = [(100, "A", "G"), (200, "CAT", "C"), (5_000, "T", "C"), (9_000, "G", "A")]
ABSENT, REFERENCE, NO_CALL = (None, None, "absent"), (0, 0, "called"), (None, None, "no-call")
FORM = "GT:DP:GQ:MIN_DP"


def block(first, last, call, alt="<NON_REF>", form=FORM):
    return f"{first} N {alt} {form};END={last} {call}"


def test_a_block_is_reference_at_each_of_its_sites(tmp_path):
    out = read(vcf(tmp_path, block(50, 6_000, "0/0:30:60:22")), rows=ROWS)
    assert [said(out, pos, alt) for pos, _, alt in ROWS] == [REFERENCE, REFERENCE, REFERENCE, ABSENT]
    assert out["coverage"].rows() == [("S", "chr2", 50, 6_000, "block", 22, 60)]
    row = out["genotypes"].row(0, named=True)
    assert (row["dp"], row["gq"]) == (22, 60)


@pytest.mark.parametrize("alt", ["<NON_REF>", "<*>", "."])
def test_each_way_to_write_a_block(tmp_path, alt):
    assert said(read(vcf(tmp_path, block(50, 150, "0/0:9:9:9", alt)), rows=ROWS), 100, "G") == REFERENCE


def test_a_block_of_vcf_4_5_ends_by_its_length(tmp_path):
    """VCF 4.5 gives the length of a block for each sample."""
    out = read(vcf(tmp_path, "50 N <*> GT:LEN 0/0:100", meta=NEWER), rows=ROWS)
    assert (said(out, 100, "G"), said(out, 200, "C")) == (REFERENCE, ABSENT)
    both = read(vcf(tmp_path, "50 N <*> GT:LEN 0/0:100 0/0:20", samples=("S", "T"), meta=NEWER), rows=ROWS)
    assert (said(both, 100, "G"), said(both, 100, "G", "T")) == (REFERENCE, ABSENT)
    assert both["coverage"]["end"].to_list() == [149, 69]


@pytest.mark.parametrize("call", ["0/0:0:0:0", "0/0:3:0:3", "0/0:5:20:0", "0/0:1:20:1", "0/0:9:3:9", "./.:0:0:0",
                                  "./.:30:60:22"])
def test_reference_without_evidence_is_no_call(tmp_path, call):
    """GATK writes 0/0 where there was not one read."""
    out = read(vcf(tmp_path, block(50, 150, call)), rows=ROWS)
    assert said(out, 100, "G") == NO_CALL
    assert ("no-evidence" in set(out["issues"]["code"])) == (call[0] == "0")


@pytest.mark.parametrize("call", ["0/1:0:30", "0/1:9:0", "1/1:1:30", "1|1:9:3", "1:0:30", "./1:0:30"])
def test_a_change_without_evidence_is_no_call(tmp_path, call):
    out = read(vcf(tmp_path, f"100 A G GT:DP:GQ {call}"), rows=ROWS)
    assert said(out, 100, "G") == NO_CALL
    assert out["issues"]["code"].to_list() == ["no-evidence"]


@pytest.mark.parametrize(("call", "state"), [("0/1:2:4", "called"), ("0/1:.:.", "called"), ("1:1:4", "called"),
                                             ("./1:1:4", "half-call")])
def test_as_many_reads_as_copies_are_a_call(tmp_path, call, state):
    """One read shows one copy: enough for a haploid call and half a call."""
    out = read(vcf(tmp_path, f"100 A G GT:DP:GQ {call}"), rows=ROWS)
    assert said(out, 100, "G")[2] == state
    assert out["issues"].is_empty()


FITS, DISAGREE, AGAINST = [], ["reads-disagree"], ["reads-contradict"]


@pytest.mark.parametrize(("call", "codes"), [
    ("0/1:26,4", DISAGREE), ("0/1:1,29", DISAGREE), ("0/1:25,5", DISAGREE), ("0/0:24,6", DISAGREE),
    ("0/0:8,2", DISAGREE), ("1/1:9,21", DISAGREE), ("1:9,21", DISAGREE),  # a fifth or more, less than a third
    ("0/1:24,6", FITS), ("0/0:29,1", FITS), ("1/1:1,29", FITS), ("0/1:15,15", FITS), ("0:30,0", FITS),
    ("0/0:7,2", FITS), ("0/1:9,0", FITS), ("0/0:1,2", FITS),  # too few to tell
    ("./1:30,0", FITS), ("1/.:15,15", FITS), ("0/1:.", FITS), ("0/1:30", FITS), ("./.:15,15", FITS),
    ("0/1:x,y", FITS), ("0/1:.,.", FITS),
    ("0/0:1,29", AGAINST), ("0/0:0,3", AGAINST), ("0/0:20,10", AGAINST), ("1/1:30,0", AGAINST),
    ("1/1:10,20", AGAINST), ("0:1,29", AGAINST), ("1:29,1", AGAINST), ("0/1:30,0", AGAINST), ("0|1:28,2", AGAINST),
    ("0/1:10,0", AGAINST)])
def test_calls_that_their_reads_do_not_fit_are_told_and_contradicted_ones_are_none(tmp_path, call, codes):
    out = read(vcf(tmp_path, f"100 A G GT:AD {call}"), rows=ROWS)
    assert out["issues"]["code"].to_list() == codes
    state = "half-call" if "." in call[:3] and "1" in call[:3] else "no-call" if "." in call[:3] else "called"
    assert said(out, 100, "G")[2] == ("no-call" if codes == AGAINST else state)


@pytest.mark.parametrize(("call", "codes"), [
    ("0/1:0,30:30", AGAINST), ("0/1:2,28:30", AGAINST), ("0/1:3,27:30", DISAGREE), ("0/1:10,10:30", FITS),
    ("0/1:0,15:30", FITS), ("0/1:0,15:15", AGAINST), ("0/1:0,15:.", DISAGREE), ("1/0:0,15:31", FITS)])
def test_a_zero_beside_a_change_has_all_other_reads(tmp_path, call, codes):
    """Of a multi-allelic split in records, AD has REF's reads and one change's: ``0`` may be the other change."""
    out = read(vcf(tmp_path, f"100 A G GT:AD:DP {call}"), rows=ROWS)
    assert out["issues"]["code"].to_list() == codes


def test_two_changes_in_two_records_do_not_contradict_their_reads(tmp_path):
    out = read(vcf(tmp_path, "100 A C GT:AD:DP 0/1:0,14:30", "100 A G GT:AD:DP 1/0:0,16:30"),
               rows=[(100, "A", "C"), (100, "A", "G")])
    assert sorted(said(out, 100, "C")[:2]) == sorted(said(out, 100, "G")[:2]) == [1, 2]
    assert out["issues"].is_empty()


@pytest.mark.parametrize(("call", "state"), [
    ("0:1000,1000", (None, None, "no-call")), ("0/0:1200,800", (None, None, "no-call")),
    ("0:1800,200", (None, None, "no-call")), ("0:1810,190", (0, None, "called")),
    ("1:1000,1000", (1, None, "called")), ("1:1800,200", (1, None, "called")), ("0/1:200,1800", (0, 1, "called")),
    ("0/1:0,2000", (1, 1, "called"))])
def test_in_a_mixture_reads_of_reference_do_not_contradict_a_change(tmp_path, call, state):
    """Of mitochondrial DNA a part may be changed; that there is none of it is not said by a call of REF alone."""
    head = [line.replace("chr2", "chrM") for line in META]
    file = vcf(tmp_path, f"1555 A G GT:AD:DP {call}:2000", chrom="chrM", meta=head)
    assert said(read(file, rows=sites((1555, "A", "G"), chrom="chrM")), 1555, "G") == state


@pytest.mark.parametrize(("call", "codes"), [
    ("1/2:0,14,16", FITS), ("1/2:14,0,16", AGAINST), ("0/1:5,5,20", AGAINST), ("0/0:30,0,0", FITS),
    ("0/2:15,0,15", FITS), ("0/2:15,15,0", AGAINST), ("2/2:0,15,15", AGAINST), ("0/1:12,12,6", DISAGREE)])
def test_reads_of_several_changes(tmp_path, call, codes):
    out = read(vcf(tmp_path, f"100 A C,G GT:AD {call}"), rows=[(100, "A", "C"), (100, "A", "G")])
    assert out["issues"]["code"].to_list() == codes


@pytest.mark.parametrize(("call", "options", "codes"), [
    ("0/1:26,4:30:2", {}, ["no-evidence"]), ("0/1:26,4:8:9", {"min_dp": 10}, ["low-quality"]),
    ("0/1:26,4:30:99", {"min_dp": 10}, DISAGREE), ("0/1:30,0:30:2", {}, ["no-evidence"]),
    ("0/1:30,0:8:9", {"min_dp": 10}, AGAINST)])
def test_a_call_that_is_not_used_is_not_told_twice(tmp_path, call, options, codes):
    out = read(vcf(tmp_path, f"100 A G GT:AD:DP:GQ {call}"), rows=ROWS, **options)
    assert out["issues"]["code"].to_list() == codes


def test_the_quality_of_reference_may_have_another_name(tmp_path):
    assert said(read(vcf(tmp_path, "100 A . GT:DP:RGQ 0/0:4:0"), rows=ROWS), 100, "G") == NO_CALL


def test_blocks_that_meet_inside_a_site_cover_it_together(tmp_path):
    whole = read(vcf(tmp_path, block(50, 201, "0/0:30:60:22"), block(202, 300, "0/0:9:40:7")), rows=ROWS)
    assert said(whole, 200, "C") == REFERENCE
    assert whole["genotypes"].filter(pos=200).select("dp", "gq").row(0) == (7, 40)
    gap = read(vcf(tmp_path, block(50, 200, "0/0:30:60:22"), block(202, 300, "0/0:9:40:7")), rows=ROWS)
    assert said(gap, 200, "C") == ABSENT
    poor = read(vcf(tmp_path, block(50, 201, "0/0:30:60:22"), block(202, 300, "0/0:0:0:0")), rows=ROWS)
    assert said(poor, 200, "C") == ABSENT


def test_a_variant_beside_blocks_counts(tmp_path):
    records = [block(50, 99, "0/0:30:60:22"), "100 A G,<NON_REF> GT:DP:GQ 0/1:30:99", block(101, 300, "0/0:9:40:7")]
    out = read(vcf(tmp_path, *records), rows=ROWS)
    assert (said(out, 100, "G"), said(out, 200, "C")) == ((0, 1, "called"), REFERENCE)


def test_any_other_allele_is_other(tmp_path):
    assert said(read(vcf(tmp_path, "100 A <NON_REF> GT 0/1"), rows=ROWS), 100, "G") == (0, 2, "called")


def test_each_sample_has_its_own_coverage(tmp_path):
    out = read(vcf(tmp_path, block(50, 150, "0/0:9:9:9 ./.:0:0:0"), samples=("S", "T")), rows=ROWS)
    assert out["coverage"]["sample"].to_list() == ["S"]
    assert said(out, 100, "G", "T") == NO_CALL


def packed(file):
    target = file.with_suffix(".vcf.gz")
    pysam.tabix_compress(str(file), str(target), force=True)
    pysam.tabix_index(str(target), preset="vcf", force=True)
    return target


def as_bcf(file, index):
    target = file.with_suffix(".bcf")
    with pysam.VariantFile(str(file)) as source, pysam.VariantFile(str(target), "wb", header=source.header) as sink:
        for record in source:
            sink.write(record)
    if index:
        pysam.tabix_index(str(target), preset="bcf", force=True)
    return target


def test_far_blocks_are_found_in_every_kind_of_file(tmp_path):
    """A block that began long before the site, beyond any window; with and without an index, and in BCF."""
    records = [block(10, 4_999, "0/0:30:60:22"), "5000 T C,<NON_REF> GT:DP:GQ 0/1:30:99",
               block(5_001, 20_000, "0/0:9:40:7")]
    file = vcf(tmp_path, *records)
    plain = read(file, rows=ROWS)
    assert [said(plain, pos, alt) for pos, _, alt in ROWS] == [REFERENCE, REFERENCE, (0, 1, "called"), REFERENCE]
    others = [packed(file), as_bcf(file, index=False)]
    for other in others:
        out = read(other, rows=ROWS)
        assert out["genotypes"].equals(plain["genotypes"])
        assert out["coverage"].equals(plain["coverage"])
    assert read(as_bcf(file, index=True), rows=ROWS)["genotypes"].equals(plain["genotypes"])


def test_an_index_of_an_older_file_is_not_used(tmp_path):
    """It would miss records, and missing must not become reference."""
    old = packed(vcf(tmp_path, "100 A G GT 0/1"))
    index = (tmp_path / "x.vcf.gz.tbi").read_bytes()
    new = packed(vcf(tmp_path, "100 A G GT 0/1", "5000 T C GT 1/1"))
    (tmp_path / "x.vcf.gz.tbi").write_bytes(index)
    now = new.stat().st_mtime
    os.utime(tmp_path / "x.vcf.gz.tbi", (now - 3600, now - 3600))
    out = read(old, rows=ROWS)
    assert said(out, 5_000, "C") == (1, 1, "called")
    assert "index-stale" in set(out["issues"]["code"])


def test_a_large_deletion_reaches_the_sites_within(tmp_path):
    """Its END says how far; absence there is not reference."""
    for form in ("GT;END=6000", "GT;SVLEN=-5900"):
        file = vcf(tmp_path, f"100 A <DEL> {form} 0/1", "9000 G A GT 0/1")
        out = read(file, rows=ROWS, absent_as_ref=True)
        assert said(out, 5_000, "C") == ABSENT


@pytest.mark.parametrize("alone", [True, False])
def test_a_deletion_s_length_counts_where_no_header_names_it(tmp_path, alone):
    """One strand of the site is gone: neither absent, which may be reference, nor two copies of reference."""
    file = vcf(tmp_path, "3000 A <DEL> GT;SVLEN=-5900 0/1", *([] if alone else ["5000 T C GT 0/0"]), "9000 G A GT 0/1")
    text = file.read_text()
    file.write_text("".join(line for line in text.splitlines(keepends=True) if "ID=SVLEN" not in line))
    state = said(read(file, rows=ROWS, absent_as_ref=True), 5_000, "C")
    assert state == (ABSENT if alone else (0, 2, "called"))


@pytest.mark.parametrize(("options", "expected"), [
    ({"min_dp": 10}, {"S": (0, 1, "called"), "T": (None, None, "filtered"), "U": (None, None, "filtered")}),
    ({"min_gq": 50}, {"S": (None, None, "filtered"), "T": (0, 0, "called"), "U": (None, None, "filtered")}),
    ({}, {"S": (0, 1, "called"), "T": (0, 0, "called"), "U": (0, 1, "called")})])
def test_calls_below_a_threshold_are_unknown(tmp_path, options, expected):
    file = vcf(tmp_path, "100 A G GT:DP:GQ 0/1:30:40 0/0:5:60 0/1:.:.", samples=("S", "T", "U"))
    out = read(file, rows=ROWS, **options)
    assert {name: said(out, 100, "G", name) for name in "STU"} == expected
    assert ("low-quality" in set(out["issues"]["code"])) == bool(options)


def bed(folder, *lines):
    file = folder / "targets.bed"
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file)


def test_targets_bound_what_absence_may_mean(tmp_path):
    file = vcf(tmp_path, "100 A G GT 0/1")
    targets = bed(tmp_path, "track name=x", "#c", "2\t190\t202", "chr2 4990 5000 x", "chr2\t4000\t4995",
                  "chr2 8999 9001")
    out = read(file, rows=ROWS, absent_as_ref=True, targets=targets)
    assert [said(out, pos, alt) for pos, _, alt in ROWS] == [
        (0, 1, "called"), (0, 0, "assumed-reference"), (0, 0, "assumed-reference"), (0, 0, "assumed-reference")]
    assert out["coverage"].select("start", "end", "kind").rows() == [
        (191, 202, "target"), (4001, 5000, "target"), (9000, 9001, "target")]
    narrow = bed(tmp_path, "chr2\t200\t202", "chr2\t4990\t4999")
    out = read(file, rows=ROWS, absent_as_ref=True, targets=narrow)
    assert [said(out, pos, alt) for pos, _, alt in ROWS[1:]] == [ABSENT] * 3
    assert said(read(file, rows=ROWS, targets=targets), 5_000, "C") == ABSENT


@pytest.mark.parametrize(("chrom", "pos", "expected"), [
    ("chrX", 200, (0, None, None)), ("chrX", 20_000, (0, 0, 2)), ("chrY", 3_000_000, (0, None, None)),
    ("MT", 200, (0, None, 1)), ("2", 200, (0, 0, 2))])
def test_what_is_assumed_has_as_many_copies_as_are_known(tmp_path, chrom, pos, expected):
    rows = sites((pos, "A", "G"), chrom=chrom)
    out = read(vcf(tmp_path, "100 A G GT 0/1", chrom=chrom), rows=rows, absent_as_ref=True)
    row = out["genotypes"].row(0, named=True)
    assert (row["allele_1"], row["allele_2"], row["ploidy"]) == expected
    assert row["state"] == "assumed-reference"


@pytest.mark.parametrize(("text", "message"), [
    ("chr2\t5", r"targets\.bed line 1: not a BED line"), ("chr2\t9\t5", "line 1: not a BED"), ("chr2 a b", "line 1")])
def test_a_bad_bed_file_is_one_line(tmp_path, text, message):
    with pytest.raises(GenomeError, match=message):
        read(vcf(tmp_path, "100 A G GT 0/1"), rows=ROWS, targets=bed(tmp_path, text))
    with pytest.raises(GenomeError, match="no such BED file"):
        read(vcf(tmp_path, "100 A G GT 0/1"), rows=ROWS, targets=str(tmp_path / "none.bed"))


def test_faults_are_told_with_their_line_and_not_for_ever(tmp_path):
    first = len(META) + 2
    file = vcf(tmp_path, *(f"{pos} A R GT 0/1" for pos in range(100, 120)))
    out = read(file, rows=[(pos, "A", "G") for pos in range(100, 120)])
    told = out["issues"].filter(code="alt-malformed")
    assert told["place"][0] == f"line {first}"
    assert told.height == 11
    assert set(out["genotypes"]["state"]) == {"half-call"}


@pytest.mark.parametrize(("records", "code"), [
    (["200 C G GT 0/1", "100 A G GT 0/1"], "unsorted"), (["100 A G GT 0/3"], "allele-unknown"),
    (["100 A G DP 3", "200 C G GT 0/1"], "no-genotype"), (["100 A G GT 0/1:7"], "values-malformed"),
    (["100 A G GT@a;a 0/1"], "filter-malformed"), (["100 A G GT:9 0/1:7"], "format-malformed"),
    (["100 R G GT 0/1"], "ref-malformed"),
    (["100 A G GT 0/1", "100 A G GT 0/1"], "duplicate-record")])
def test_what_is_wrong_is_told(tmp_path, records, code):
    out = read(vcf(tmp_path, *records), rows=ROWS)
    assert code in set(out["issues"]["code"])
    assert out["issues"].filter(pl.col("code") == code)["place"][0].startswith("line ")


def test_a_file_without_a_last_line_end_may_be_cut_off(tmp_path):
    file = vcf(tmp_path, "100 A G GT 0/1")
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    out = read(file, rows=ROWS)
    assert said(out, 100, "G") == (0, 1, "called")
    assert "no-final-newline" in set(out["issues"]["code"])

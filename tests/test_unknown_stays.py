"""Ways in which absence, doubt or contradiction might become a confident genotype, and do not."""

from __future__ import annotations

import os

import polars as pl
import pysam
import pytest

from pmed.errors import GenomeError
from pmed.genomics import records
from tests.genome_files import META, NEWER, read, said, sites, vcf

ROWS = [(105, "A", "G"), (205, "A", "G"), (305, "A", "G"), (405, "A", "G")]
REFERENCE, NO_CALL, FILTERED = (0, 0, "called"), (None, None, "no-call"), (None, None, "filtered")
ABSENT = (None, None, "absent")
SHORT = (*META, '##INFO=<ID=XVLEN,Number=A,Type=Integer,Description="what an older htslib does not know">')


def packed(file, index):
    target = file.with_suffix(".vcf.gz")
    pysam.tabix_compress(str(file), str(target), force=True)
    pysam.tabix_index(str(target), preset="vcf", csi=index == ".csi", force=True)
    return target


def as_bcf(file):
    target = file.with_suffix(".bcf")
    with pysam.VariantFile(str(file)) as source, pysam.VariantFile(str(target), "wb", header=source.header) as sink:
        for one in source:
            sink.write(one)
    pysam.tabix_index(str(target), preset="bcf", force=True)
    return target


def test_a_csi_alone_is_an_index(tmp_path, monkeypatch):
    file = packed(vcf(tmp_path, "105 A G GT 0/1"), ".csi")
    monkeypatch.setattr(records, "_streamed", None)
    assert said(read(file, rows=ROWS), 105, "G") == (0, 1, "called")


def test_a_stale_index_beside_a_fresh_one_is_not_used(tmp_path):
    old = packed(vcf(tmp_path, "105 A G GT 0/1"), ".tbi").with_name("x.vcf.gz.tbi").read_bytes()
    file = packed(vcf(tmp_path, "105 A G GT 0/1", "405 A G GT 1/1"), ".csi")
    stale = tmp_path / "x.vcf.gz.tbi"
    stale.write_bytes(old)
    os.utime(stale, (0, 0))
    assert said(read(file, rows=ROWS, absent_as_ref=True), 405, "G") == (1, 1, "called")


@pytest.mark.parametrize(("above", "here", "expected"), [
    ("100 CTTTTATTT C GT 1/1", "105 A . GT 0/0", (2, 2, "called")),
    ("100 CTTTTATTT C GT 0/1", "105 A G GT 0/0", (0, 2, "called")),
    ("100 CTTTTATTT C GT 0/1", "105 A G GT 0/1", (2, 1, "called")),
    ("100 CTTTTATTT C GT 1|0", "105 A G GT 0|1", (2, 1, "called")),
    ("100 CTTTTATTT C GT 0|1", "105 A G GT 0|1", NO_CALL),
    ("100 CTTTTATTT C GT 1/1", "105 A G GT 0/1", NO_CALL),
    ("100 CTTTTATTT C GT 0/1", "105 A G GT ./0", NO_CALL),
    ("100 CTTTTATTT C GT 0/1", "105 A G,* GT 1/2", (1, 2, "called")),
    ("100 CTTTTATTT C GT 0/1", "105 A * GT 0/1", (0, 2, "called")),
    ("100 CTTTTATTT C GT@LowQual 1/1", "105 A . GT 0/0", FILTERED),
    ("100 CTTTTATTT C GT@LowQual 0/0", "105 A . GT 0/0", REFERENCE),
    ("100 CTTTTATTT C GT@LowQual 1/1", "205 A . GT 0/0", ABSENT),
    ("100 CTTTTATTT C GT 0/0", "105 A . GT 0/0", REFERENCE),
    ("100 C <DEL> GT;END=109 1/1", "105 A . GT 0/0", (2, 2, "called")),
    ("100 C <DUP> GT;END=109 0/1", "105 A . GT 0/0", REFERENCE),
    ("100 CTTTTATTT C GT 1/1", "205 A G GT 0/0", ABSENT)])
def test_where_a_deletion_takes_the_base_away_is_no_reference(tmp_path, above, here, expected):
    assert said(read(vcf(tmp_path, above, here), rows=ROWS), 105, "G") == expected
    apart = [vcf(tmp_path, above, name="sv.vcf"), vcf(tmp_path, here, name="snv.vcf")]
    for order in (apart, apart[::-1]):
        assert said(read(*order, rows=ROWS), 105, "G") == expected


@pytest.mark.parametrize(("one", "two", "expected"), [
    ("105 A G GT@LowQual 1/1", "105 A G GT 0/0", FILTERED), ("105 A G GT:FT 0/1:bad", "105 A . GT 0/0", FILTERED),
    ("105 A G GT ./.", "105 A G GT 0/1", (0, 1, "called"))])
def test_another_file_does_not_overrule_a_filter(tmp_path, one, two, expected):
    files = [vcf(tmp_path, one, name="a.vcf"), vcf(tmp_path, two, name="b.vcf")]
    for order in (files, files[::-1]):
        assert said(read(*order, rows=ROWS), 105, "G") == expected


def test_another_file_does_not_settle_a_contradiction(tmp_path):
    files = [vcf(tmp_path, "105 A G GT 0/0", "105 A G GT 1/1", name="a.vcf"),
             vcf(tmp_path, "105 A G GT 0/0", name="b.vcf")]
    for order in (files, files[::-1]):
        assert said(read(*order, rows=ROWS), 105, "G") == NO_CALL


@pytest.mark.parametrize(("first", "second"), [("x1", "x2"), ("-5", "-9"), ("3000000001", "3000000002")])
def test_phase_sets_that_cannot_be_read_are_not_one(tmp_path, first, second):
    out = read(vcf(tmp_path, f"105 A G GT:PS 0|1:{first}", f"205 A G GT:PS 0|1:{second}"), rows=ROWS)["genotypes"]
    phased = out.filter(state="called").select("phased", "phase_set").rows()
    assert phased in ([(False, None)] * 2, [(True, 3000000001), (True, 3000000002)])


@pytest.mark.parametrize("record", [
    "100 C <NON_REF> GT;END=99999999999999999999 0/0", "9" * 5000 + " C T GT 0/1",
    "105 A . GT;END=" + "9" * 5000 + " 0/0"])
def test_numbers_beyond_all_bounds_are_no_traceback(tmp_path, record):
    try:
        read(vcf(tmp_path, record), rows=ROWS)
    except GenomeError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are fine


def test_each_base_by_itself_is_reference_too(tmp_path):
    """As written at base-pair resolution."""
    bases = [f"{100 + i} {base} <NON_REF> GT 0/0" for i, base in enumerate("CTTT")]
    assert said(read(vcf(tmp_path, *bases), rows=[(100, "CTTT", "C")]), 100, "C") == REFERENCE
    assert said(read(vcf(tmp_path, *bases[:3]), rows=[(100, "CTTT", "C")]), 100, "C") == ABSENT


@pytest.mark.parametrize(("alt", "expected"), [
    ("N", (0, None, "half-call")), ("<DEL>", REFERENCE), ("<INS>", REFERENCE), ("<NON_REF>", (0, 2, "called")),
    ("*", (0, 2, "called"))])
def test_what_an_odd_alt_says_of_a_base(tmp_path, alt, expected):
    assert said(read(vcf(tmp_path, f"105 A {alt} GT 0/1"), rows=ROWS), 105, "G") == expected


@pytest.mark.parametrize("record", ["100 C <*> GT:DP:LEN ./.:0:50000", "100 C <DEL> GT;SVLEN=-50000 1/1"])
@pytest.mark.parametrize("kind", ["plain", "tbi", "bcf", "csi of bcf"])
def test_what_reaches_a_site_by_its_length_alone_is_seen_in_every_kind_of_file(tmp_path, record, kind):
    rows = [(40_105, "A", "G"), (60_000, "A", "G")]
    file = vcf(tmp_path, record, "60000 A G GT 0/1", meta=NEWER)
    if kind == "tbi":
        file = packed(file, ".tbi")
    elif kind != "plain":
        file = as_bcf(file)
        if kind == "bcf":
            file.with_name(file.name + ".csi").unlink()
    out = read(file, rows=rows, absent_as_ref=True)
    assert said(out, 40_105, "G") in (ABSENT, NO_CALL)
    assert said(out, 60_000, "G") == (0, 1, "called")


def test_two_people_of_one_name_are_told_apart(tmp_path):
    one = vcf(tmp_path, *(f"{pos} A G GT 1/1" for pos, _, _ in ROWS), name="a.vcf")
    two = vcf(tmp_path, *(f"{pos} A G GT 0/0" for pos, _, _ in ROWS), name="b.vcf")
    with pytest.raises(GenomeError, match="sample S: its files contradict each other on 4 of 4 sites"):
        read(one, two, rows=ROWS)


@pytest.mark.parametrize(("line", "message"), [
    ("##contig=<ID=chr2,length=242696752>", "chr2 is longer"), ("##reference=chm13v2.0.fa", "not read")])
def test_a_genome_of_another_sequence_is_refused(tmp_path, line, message):
    meta = [META[0], line, *META[3:]]
    with pytest.raises(GenomeError, match=message):
        read(vcf(tmp_path, "105 A G GT 0/1", meta=meta), rows=ROWS, build="GRCh38", absent_as_ref=True)


def test_records_that_fit_no_build_are_refused(tmp_path):
    file = vcf(tmp_path, *(f"{pos} C T GT 0/1" for pos, _, _ in ROWS))
    with pytest.raises(GenomeError, match="4 records have other REFs"):
        read(file, rows=ROWS)


@pytest.mark.parametrize("call", ["0", "1", "."])
def test_a_file_cut_off_inside_its_last_genotype_is_refused(tmp_path, call):
    file = vcf(tmp_path, f"105 A G GT {call}")
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    with pytest.raises(GenomeError, match="the file is cut off"):
        read(file, rows=ROWS)


def test_a_file_of_other_contigs_is_told(tmp_path):
    out = read(vcf(tmp_path, "105 A G GT 0/1", chrom="chromosome2"), rows=ROWS)
    assert "nothing-known" in set(out["issues"]["code"])


@pytest.mark.parametrize("version", ["VCFv3.3", "VCFv5.0"])
def test_other_versions_are_refused(tmp_path, version):
    with pytest.raises(GenomeError, match=f"{version} is not read"):
        read(vcf(tmp_path, "105 A G GT 0/1", meta=[f"##fileformat={version}", *META[1:]]), rows=ROWS)


@pytest.mark.parametrize("kind", [".tbi", ".csi"])
def test_an_index_that_does_not_know_a_length_does_not_hide_a_deletion(tmp_path, kind):
    """As htslib made it before 1.21: a record without END ended with its REF."""
    file = vcf(tmp_path, "100 C <DEL> GT;SVLEN=-50000 0/1", "40105 A G GT 0/0", meta=SHORT)
    old = vcf(tmp_path, "100 C <DEL> GT;XVLEN=-50000 0/1", "40105 A G GT 0/0", meta=SHORT, name="old.vcf")
    made, other = packed(file, kind), packed(old, kind)
    made.with_name(made.name + kind).write_bytes(other.with_name(other.name + kind).read_bytes())
    out = read(made, rows=[(40_105, "A", "G")], build="GRCh38")
    assert said(out, 40_105, "G") == (0, 2, "called")


@pytest.mark.parametrize(("records", "state", "told"), [
    (["1105 A G GT 0/1"], "absent", True), (["1105 A G GT 0/1", "1205 A G GT 1/1"], "absent", True),
    (["1105 A G GT 0/1", "205 A G GT 0/1"], "assumed-reference", False),
    (["9999 C T GT 0/1"], "assumed-reference", False)])
def test_absence_is_no_reference_where_the_build_is_doubtful(tmp_path, records, state, told):
    """One or two records at known sites of the other build, and none at those of the build that is stated."""
    both = pl.concat([sites(*ROWS), sites(*((pos + 1000, ref, alt) for pos, ref, alt in ROWS), build="GRCh37")])
    file = vcf(tmp_path, *records)
    out = read(file, rows=both, absent_as_ref=True)
    assert said(out, 405, "G")[2] == state
    assert ("build-doubtful" in set(out["issues"]["code"])) == told
    beside = vcf(tmp_path, "305 A G GT 0/1", name="y.vcf")
    assert said(read(file, beside, rows=both, absent_as_ref=True), 405, "G")[2] == "assumed-reference"

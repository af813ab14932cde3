"""The VCF source: every shape of record against a slow and obvious reader, cell by cell; and real genomes."""

from __future__ import annotations

import gzip
import json
import re
from itertools import pairwise

import polars as pl
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed.errors import GenomeError
from pmed.genomics.alleles import Event, trim
from pmed.genomics.matching import touches
from pmed.sources.vcf import VcfSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

HEAD = ('##fileformat=VCFv4.2\n##contig=<ID=chr1,assembly=GRCh38>\n'
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="GT">\n')
SITES = [(100, "A", "G"), (100, "A", "T"), (200, "C", "CT"), (300, "CAG", "C"), (400, "G", "A")]


def sites(rows=SITES, build="GRCh38"):
    return TABLES["sites"].frame([{"build": build, "chrom": "chr1", "pos": pos, "ref": ref, "alt": alt,
                                   "site": f"rs{pos}"} for pos, ref, alt in rows])


def vcf(tmp_path, *records, samples=("S",), name="x.vcf", head=HEAD):
    """A VCF file of `records`, each (pos, ref, alts, filter, format, *calls)."""
    lines = [f"chr1\t{pos}\t.\t{ref}\t{alt}\t.\t{flt}\t.\t{form}\t" + "\t".join(calls)
             for pos, ref, alt, flt, form, *calls in records]
    file = tmp_path / name
    file.write_text(head + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(samples) + "\n"
                    + "".join(f"{line}\n" for line in lines))
    return file


def read(*files, request=None, **options):
    return VcfSource(**options).read(files, request or ReadRequest(sites()))


def cell(out, pos, alt, sample="S"):
    row = out["genotypes"].filter(pl.col("pos") == pos, pl.col("alt") == alt, pl.col("sample") == sample)
    return row.row(0, named=True)


def said(out, pos, alt, sample="S"):
    row = cell(out, pos, alt, sample)
    return row["allele_1"], row["allele_2"], row["state"]


def test_absence_is_a_row(tmp_path):
    out = read(vcf(tmp_path, (400, "G", "A", "PASS", "GT", "0/1"), samples=("S",)))
    grid = TABLES["genotypes"].check(out["genotypes"])
    assert grid.height == len(SITES)
    assert said(out, 400, "A") == (0, 1, "called")
    assert said(out, 200, "CT") == (None, None, "absent")


@pytest.mark.parametrize(("call", "expected"), [
    ("0/0", (0, 0, "called")), ("0|1", (0, 1, "called")), ("1/1", (1, 1, "called")), ("./.", (None, None, "no-call")),
    (".", (None, None, "no-call")), ("./1", (None, 1, "half-call")), ("0|.", (0, None, "half-call")),
    ("1", (1, None, "called")), ("0", (0, None, "called")), ("0/0/1", (None, None, "no-call")),
    ("/0/1", (0, 1, "called")), (".|.", (None, None, "no-call"))])
def test_every_kind_of_call(tmp_path, call, expected):
    assert said(read(vcf(tmp_path, (400, "G", "A", "PASS", "GT", call))), 400, "A") == expected


def test_ploidy_and_phase_are_kept(tmp_path):
    file = vcf(tmp_path, (400, "G", "A", "PASS", "GT:PS:DP:GQ", "0|1:77:31:99", "1:.:.:.", "0/1:.:4:2.5"),
               samples=("S", "H", "U"))
    out = read(file)
    keys = ("ploidy", "phased", "phase_set", "dp", "gq")
    assert [tuple(cell(out, 400, "A", name)[key] for key in keys) for name in ("S", "H", "U")] == [
        (2, True, 77, 31, 99), (1, False, None, None, None), (2, False, None, 4, 2)]


def test_a_failed_filter_is_unknown_and_not_reference(tmp_path):
    file = vcf(tmp_path, (400, "G", "A", "LowQual", "GT", "0/1"), (200, "C", "CT", ".", "GT", "0/1"))
    assert said(read(file), 400, "A") == (None, None, "filtered")
    assert cell(read(file), 400, "A")["filter"] == "LowQual"
    assert said(read(file), 200, "CT") == (0, 1, "called")
    assert said(read(file, filters="ignore"), 400, "A") == (0, 1, "called")


def test_a_filtered_record_is_not_overruled_by_its_neighbour(tmp_path):
    file = vcf(tmp_path, (100, "A", "G", "LowQual", "GT", "0/1"), (100, "A", "T", "PASS", "GT", "0/0"))
    assert said(read(file), 100, "G") == (None, None, "filtered")


def test_absent_as_reference_leaves_its_mark_and_touches_only_what_is_absent(tmp_path):
    file = vcf(tmp_path, (400, "G", "A", "PASS", "GT", "./."), (200, "C", "CT", "x", "GT", "0/1"))
    out = read(file, absent_as_ref=True)
    assert said(out, 300, "C") == (0, 0, "assumed-reference")
    assert said(out, 400, "A") == (None, None, "no-call")
    assert said(out, 200, "CT") == (None, None, "filtered")


@pytest.mark.parametrize(("record", "call", "site", "expected"), [
    ((100, "A", "G,T"), "1/2", (100, "G"), (1, 2, "called")),
    ((100, "A", "G,T"), "1/2", (100, "T"), (2, 1, "called")),
    ((100, "A", "C"), "0/1", (100, "G"), (0, 2, "called")),
    ((100, "A", "*,G"), "1/2", (100, "G"), (2, 1, "called")),
    ((100, "A", "<NON_REF>"), "0/0", (100, "G"), (0, 0, "called")),
    ((100, "A", "."), "0/0", (100, "G"), (0, 0, "called")),
    ((99, "TA", "TG"), "0/1", (100, "G"), (0, 1, "called")),
    ((100, "AC", "GC,A"), "1/2", (100, "G"), (1, 0, "called")),
    ((100, "ACC", "A"), "1/1", (100, "G"), (0, 0, "called")),
    ((200, "CA", "CTA"), "0/1", (200, "CT"), (0, 1, "called")),
    ((200, "C", "CTT"), "0/1", (200, "CT"), (0, 2, "called")),
    ((200, "C", "G"), "0/1", (200, "CT"), (0, 0, "called")),
    ((300, "CAGAG", "CAG"), "0/1", (300, "C"), (0, 1, "called")),
    ((300, "C", "T"), "0/1", (300, "C"), (None, None, "absent")),
    ((398, "TTG", "T"), "0/1", (400, "A"), (None, None, "absent")),
    ((400, "g", "a"), "0/1", (400, "A"), (0, 1, "called")),
])
def test_a_record_is_matched_by_the_event(tmp_path, record, call, site, expected):
    assert said(read(vcf(tmp_path, (*record, "PASS", "GT", call))), *site) == expected


def test_a_contradicting_ref_is_not_used_and_is_reported(tmp_path):
    out = read(vcf(tmp_path, (400, "T", "A", "PASS", "GT", "1/1")))
    assert said(out, 400, "A") == (None, None, "absent")
    issue = out["issues"].row(0, named=True)
    assert (issue["code"], issue["file"], issue["place"]) == ("ref-mismatch", "x.vcf", "line 5")


@pytest.mark.parametrize(("one", "two", "expected"), [
    ("0/1", "0/0", {"G": (0, 1), "T": (0, 2)}), ("1/0", "0/1", {"G": (1, 2), "T": (2, 1)}),
    ("0/1", "0/1", {"G": (2, 1), "T": (1, 2)}), ("0|0", "0|1", {"G": (0, 2), "T": (0, 1)})])
def test_a_split_multi_allelic_is_joined(tmp_path, one, two, expected):
    out = read(vcf(tmp_path, (100, "A", "G", "PASS", "GT", one), (100, "A", "T", "PASS", "GT", two)))
    for alt, alleles in expected.items():
        assert sorted(said(out, 100, alt)[:2]) == sorted(alleles)


def test_two_alts_on_one_phased_strand_are_a_contradiction(tmp_path):
    out = read(vcf(tmp_path, (100, "A", "G", "PASS", "GT", "0|1"), (100, "A", "T", "PASS", "GT", "0|1")))
    assert said(out, 100, "G") == (None, None, "no-call")
    assert set(out["issues"]["code"]) == {"duplicate-record"}


def test_duplicates_that_agree_are_one_and_others_are_unknown(tmp_path):
    twice = (400, "G", "A", "PASS", "GT", "0/1")
    assert said(read(vcf(tmp_path, twice, twice)), 400, "A") == (0, 1, "called")
    out = read(vcf(tmp_path, twice, (400, "G", "A", "PASS", "GT", "1/1")))
    assert said(out, 400, "A") == (None, None, "no-call")
    assert "not called in S" in " ".join(out["issues"]["text"])


def test_the_usable_one_of_two_duplicates_counts(tmp_path):
    out = read(vcf(tmp_path, (400, "G", "A", "PASS", "GT", "./."), (400, "G", "A", "PASS", "GT", "0/1")))
    assert said(out, 400, "A") == (0, 1, "called")


def test_one_sample_in_several_files(tmp_path):
    one = vcf(tmp_path, (400, "G", "A", "PASS", "GT", "0/1", "0/0"), samples=("S", "T"), name="one.vcf")
    two = vcf(tmp_path, (200, "C", "CT", "PASS", "GT", "1/1"), (400, "G", "A", "PASS", "GT", "1/1"), name="two.vcf")
    out = read(one, two)
    assert out["samples"]["source"].to_list() == ["one.vcf, two.vcf", "one.vcf"]
    assert said(out, 200, "CT") == (1, 1, "called")
    assert said(out, 200, "CT", "T") == (None, None, "absent")
    assert said(out, 400, "A") == (None, None, "no-call")
    assert said(out, 400, "A", "T") == (0, 0, "called")
    assert out["issues"]["code"].to_list() == ["contradiction"]


def test_chosen_samples_in_file_order(tmp_path):
    file = vcf(tmp_path, (400, "G", "A", "PASS", "GT", "0/0", "0/1", "1/1"), samples=("S", "T", "U"))
    out = read(file, request=ReadRequest(sites(), samples=("U", "S")))
    assert out["samples"]["sample"].to_list() == ["S", "U"]
    assert said(out, 400, "A", "U") == (1, 1, "called")
    with pytest.raises(GenomeError, match=r"no sample 'Q'.*there are S, T, U"):
        read(file, request=ReadRequest(sites(), samples=("Q",)))


GENERAL = st.sampled_from(["0/0", "0|1", "1|0", "1/2", "./.", "./1", "0|.", "1", "0", ".", "2/2", "2|1"])
FIXED = st.sampled_from(["0/0", "0|1", "1|0", "1/2", "./.", "2|2", ".|1"])


def slow(call, index):
    """What a call says of the ALT number `index`: the obvious reading."""
    parts = re.split(r"[/|]", call)
    alleles = [None if part == "." else 0 if part == "0" else 1 if int(part) == index else 2 for part in parts]
    if all(one is None for one in alleles):
        return None, None, "no-call"
    state = "half-call" if None in alleles else "called"
    return alleles[0], alleles[1] if len(alleles) > 1 else None, state


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.lists(FIXED, min_size=1, max_size=5), st.lists(GENERAL, min_size=1, max_size=5)), st.booleans())
def test_any_calls_agree_with_the_slow_reader(tmp_path_factory, calls, extra):
    names = [f"S{i}" for i in range(len(calls))]
    form = "GT:DP" if extra else "GT"
    cells = [f"{call}:7" if extra else call for call in calls]
    folder = tmp_path_factory.mktemp("v")
    out = read(vcf(folder, (100, "A", "G,T", "PASS", form, *cells), samples=names))
    for name, call in zip(names, calls, strict=True):
        assert said(out, 100, "G", name) == slow(call, 1)
        assert said(out, 100, "T", name) == slow(call, 2)


@given(st.text("ACGT", min_size=1, max_size=6), st.text("ACGT", min_size=1, max_size=6), st.text("ACGT", max_size=4),
       st.text("ACGT", max_size=4))
def test_padding_changes_nothing(ref, alt, before, after):
    if ref != alt:
        padded = trim(100 - len(before), before + ref + after, before + alt + after)
        bare = trim(100, ref, alt)
        assert (padded.ref == bare.ref and padded.alt == bare.alt and padded.pos == bare.pos) or len(ref) != len(alt)
        assert trim(*padded) == padded


@given(st.tuples(st.integers(1, 6), st.text("ACGT", min_size=1, max_size=3), st.text("ACGT", min_size=1, max_size=3)),
       st.tuples(st.integers(1, 6), st.text("ACGT", min_size=1, max_size=3), st.text("ACGT", min_size=1, max_size=3)))
def test_touching_is_mutual_and_every_change_touches_itself(one, two):
    first, second = trim(*one), trim(*two)
    assert touches(first, second) == touches(second, first)
    if first.ref != first.alt:
        assert touches(first, first)


def test_touching_by_hand():
    assert not touches(Event(100, "CT", "C"), Event(100, "C", "A"))
    assert touches(Event(100, "CT", "C"), Event(101, "T", "A"))
    assert touches(Event(100, "C", "CA"), Event(100, "C", "CT"))
    assert not touches(Event(100, "C", "CA"), Event(100, "C", "T"))


def packed(file, how):
    if how == "gzip":
        target = file.with_suffix(".vcf.gz")
        target.write_bytes(gzip.compress(file.read_bytes()))
        return target
    target = file.with_name(f"{how}.vcf.gz")
    pysam.tabix_compress(str(file), str(target))
    if how == "indexed":
        pysam.tabix_index(str(target), preset="vcf")
    return target


@pytest.mark.parametrize("how", ["gzip", "bgzip", "indexed"])
def test_packing_and_index_change_nothing(tmp_path, how):
    records = [(pos, ref, alt, "PASS", "GT", "0/1") for pos, ref, alt in [SITES[0], *SITES[2:]]]
    file = vcf(tmp_path, *records)
    assert read(packed(file, how))["genotypes"].equals(read(file)["genotypes"])


def test_contigs_without_chr(tmp_path):
    file = vcf(tmp_path, (400, "G", "A", "PASS", "GT", "0/1"))
    file.write_text(file.read_text().replace("chr1", "1"))
    assert said(read(file), 400, "A") == (0, 1, "called")


def build_head(text):
    return f"##fileformat=VCFv4.2\n{text}\n"


@pytest.mark.parametrize(("line", "stated", "how"), [
    ("##contig=<ID=chr1,length=248956422>", "", "header"), ("##reference=file:///x/hg38.fa", "", "header"),
    ("##contig=<ID=chr1>", "GRCh38", "stated"), ("##contig=<ID=chr1>", "hg38", "stated"),
    ("##contig=<ID=chr1>", "", "inferred")])
def test_how_the_build_is_known(tmp_path, line, stated, how):
    file = vcf(tmp_path, (400, "G", "A", "PASS", "GT", "0/1"), head=build_head(line))
    out = read(file, request=ReadRequest(sites(), build=stated))
    assert out["samples"].select("build", "build_from").row(0) == ("GRCh38", how)
    assert ("build-inferred" in out["issues"]["code"]) == (how == "inferred")


@pytest.mark.parametrize(("line", "stated", "record", "message"), [
    ("##contig=<ID=chr1,length=247249719>", "", (400, "G", "A"), r"is on NCBI36 \(hg18\), which is not read"),
    ("##contig=<ID=chr1,assembly=hg19>", "GRCh38", (400, "G", "A"), "the header says GRCh37, but GRCh38 was stated"),
    ("##contig=<ID=chr1,assembly=hg38>\n##reference=hg19.fa", "", (400, "G", "A"), "names both GRCh37 and GRCh38"),
    ("##contig=<ID=chr1>", "mm10", (400, "G", "A"), "unknown genome build 'mm10'"),
    ("##contig=<ID=chr1>", "", (401, "G", "A"), "the genome build is not declared"),
    ("##contig=<ID=chr1>", "", (400, "T", "A"), "the genome build is not declared"),
    ("##contig=<ID=chr1>", "", (400, "G", "C"), "the genome build is not declared"),
])
def test_a_wrong_or_unknown_build_is_refused(tmp_path, line, stated, record, message):
    file = vcf(tmp_path, (*record, "PASS", "GT", "0/1"), head=build_head(line))
    with pytest.raises(GenomeError, match=message) as caught:
        read(file, request=ReadRequest(sites(), build=stated))
    assert "x.vcf" in str(caught.value)


def test_a_build_is_not_inferred_where_two_fit(tmp_path):
    both = pl.concat([sites(), sites(SITES[:2], "GRCh37")])
    file = vcf(tmp_path, (400, "G", "A", "PASS", "GT", "0/1"), (100, "A", "G", "PASS", "GT", "0/1"),
               head=build_head("##contig=<ID=chr1>"))
    with pytest.raises(GenomeError, match="the genome build is not declared"):
        read(file, request=ReadRequest(both))


@pytest.mark.parametrize(("line", "message"), [
    ("chr1\t400\t.\tG\tA,,T\t.\tPASS\t.\tGT\t0/2", r"line 5: ALT 2 is empty"),
    ("chr1\t400\t.\tG\tA\t.\tPASS\t.\tGT:DP:GT\t0/0:1:0/1", r"line 5: FORMAT names GT twice"),
    ("chr1\t400\t.\tG\tA\t.\tPASS\t.\tGT\t0/x", r"line 5: the genotype '0/x' cannot be read"),
    ("chr1\t400\t.\tG\tA\t.\tPASS\t.\tGT", "line 5: the record has 9 columns"),
    ("chr1\tx\t.\tG\tA\t.\tPASS\t.\tGT\t0/1", "line 5: the record's POS is not a whole number"),
    ("chr1\t400\t.\tG\tA\t.\tPASS\t.\tGT\t0/1\t0/1", "line 5: the record has 2 samples, the header names 1"),
])
def test_a_malformed_record_names_its_line(tmp_path, line, message):
    file = vcf(tmp_path)
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(GenomeError, match=message):
        read(file)


@pytest.mark.parametrize(("content", "message"), [
    (b"", "is empty"), (b"hello", "is not a VCF file"), (b"##fileformat=VCFv4.2\n", "no #CHROM line"),
    (b"##fileformat=VCFv4.2\n#CHROM\tPOS\n", "eight fixed columns"),
    (b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "has no genotypes"),
    (b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tA\n", "'A' more than once"),
    (gzip.compress(b"##fileformat=VCFv4.2\n" * 9, mtime=0)[:30], "cannot be unpacked")])
def test_what_is_not_a_vcf_is_one_line(tmp_path, content, message):
    file = tmp_path / "bad.vcf.gz"
    file.write_bytes(content)
    with pytest.raises(GenomeError, match=message) as caught:
        read(file)
    assert str(caught.value).startswith(str(file))


def test_a_bgzip_cut_anywhere_is_refused(tmp_path):
    whole = packed(vcf(tmp_path, (400, "G", "A", "PASS", "GT", "0/1")), "indexed")
    data = whole.read_bytes()
    for cut in (len(data) - 1, len(data) - 28, len(data) // 2, 20):
        whole.write_bytes(data[:cut])
        with pytest.raises(GenomeError, match="truncated"):
            read(whole)


GENES = ("CYP2C19", "CYP2C9", "VKORC1", "SLCO1B1", "CYP3A5")


@pytest.fixture(scope="module")
def known(shared):
    """The defining sites of five genes as a ``sites`` table."""
    rows = []
    for gene in GENES:
        text = (shared / f"reference/pharmcat-3.1.1/definitions/{gene}_translation.json").read_text()
        rows += [{"build": "GRCh38", "chrom": one["chromosome"], "pos": one["position"], "ref": one["ref"], "alt": alt,
                  "site": one["rsid"] or str(one["position"])} for one in json.loads(text)["variants"]
                 for alt in one["alts"]]
    return TABLES["sites"].frame(rows)


@pytest.fixture(scope="module")
def panel(shared, known):
    files = [shared / f"data/1kgp/GRCh38/{gene}.vcf.gz" for gene in GENES]
    return files, VcfSource().read(files, ReadRequest(known))


def test_the_panel_reads_as_htslib_reads_it(panel):
    """Every called site of 2,562 people against ``pysam.VariantFile``, record by record."""
    files, out = panel
    grid = TABLES["genotypes"].check(out["genotypes"])
    assert out["samples"].height == 2562
    called = grid.filter(pl.col("state") == "called")
    assert called.select("pos", "alt").unique().height > 50
    checked = 0
    for file in files:
        with pysam.VariantFile(str(file)) as variants:
            for record in variants:
                for alt in record.alts or ():
                    mine = called.filter(pl.col("pos") == record.pos, pl.col("ref") == record.ref, pl.col("alt") == alt)
                    if mine.height:
                        index = record.alts.index(alt) + 1
                        expected = [tuple(int(one == index) if one in (0, index) else 2 for one in call["GT"])
                                    for call in record.samples.values()]
                        assert list(zip(mine["allele_1"], mine["allele_2"], strict=True)) == expected
                        checked += 1
    assert checked > 50


def test_the_grid_is_sorted_and_complete(panel, known):
    grid = panel[1]["genotypes"]
    assert grid.height == 2562 * known.height
    keys = grid.select("chrom", "pos", "ref", "alt").gather_every(2562).rows()
    assert all(one < two for one, two in pairwise(keys))


def test_deep_genomes_and_panel_say_the_same_of_the_same_people(shared, known, panel):
    deep = VcfSource().read(sorted((shared / "data/wgs").glob("*.vcf.bgz")), ReadRequest(known))
    assert set(deep["samples"]["build_from"]) == {"header"}
    both = deep["genotypes"].join(panel[1]["genotypes"], on=["sample", "chrom", "pos", "ref", "alt"])
    shared_calls = both.filter((pl.col("state") == "called") & (pl.col("state_right") == "called"))
    assert shared_calls.height >= 50
    mine, theirs = (shared_calls.select(pl.concat_list(*columns).list.sort()).to_series()
                    for columns in (("allele_1", "allele_2"), ("allele_1_right", "allele_2_right")))
    assert mine.to_list() == theirs.to_list()


def test_absence_is_never_assumed_on_a_contig_without_a_record(tmp_path):
    elsewhere = sites().with_columns(chrom=pl.lit("chr2"))
    file = vcf(tmp_path, (400, "G", "A", "PASS", "GT", "0/1"))
    out = read(file, request=ReadRequest(pl.concat([sites(), elsewhere])), absent_as_ref=True)
    states = out["genotypes"].group_by("chrom").agg(pl.col("state").unique().sort()).sort("chrom")["state"].to_list()
    assert states == [["assumed-reference", "called"], ["absent"]]


def test_a_stated_build_that_the_records_contradict_is_refused(tmp_path):
    moved = [(pos + 7, ref, alt) for pos, ref, alt in SITES]
    both = pl.concat([sites(moved), sites(SITES, "GRCh37")])
    records = [(pos, ref, alt, "PASS", "GT", "0/1") for pos, ref, alt in (SITES[0], *SITES[2:])]
    for head, stated in ((build_head("##contig=<ID=chr1>"), "GRCh38"), (HEAD, "")):
        with pytest.raises(GenomeError, match="said to be GRCh38, but its records fit GRCh37"):
            read(vcf(tmp_path, *records, head=head), request=ReadRequest(both, build=stated))

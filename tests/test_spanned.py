"""What goes over a site from further up: copy numbers, ``*``, longer changes; and stretches that tell no bases."""

from __future__ import annotations

import pytest

from pmed.genomics.cache import write_cache
from tests.genome_files import META, read, said, sites, vcf

ROWS = [(105, "A", "G"), (205, "A", "G")]
REFERENCE, NO_CALL, FILTERED = (0, 0, "called"), (None, None, "no-call"), (None, None, "filtered")
ABSENT, ASSUMED = (None, None, "absent"), (0, 0, "assumed-reference")
CN = (*META, '##FORMAT=<ID=CN,Number=1,Type=Integer,Description="copies">')
HERE = "105 A G GT 0/0"


def both_ways(folder, *records):
    """The file itself, and the cache that is made of it."""
    file = vcf(folder, *records, meta=CN)
    cache = folder / "x.parquet"
    write_cache([file], cache)
    return file, cache


@pytest.mark.parametrize(("above", "here", "expected", "codes"), [
    ("100 C <CNV> GT;END=109 0/1", HERE, NO_CALL, {"spanned"}),          # a copy more, or one less
    ("100 C <CNV> GT;END=109 0/1", "105 A G GT 1/1", NO_CALL, {"spanned"}),
    ("100 C <CNV:TR> GT;END=109 0/1", HERE, NO_CALL, {"spanned"}),
    ("100 C <CPX> GT;END=109 ./1", HERE, NO_CALL, {"spanned"}),          # nobody knows what this is
    ("100 CTTTTA * GT 0/1", HERE, NO_CALL, {"spanned"}),                 # nobody knows how far that goes
    ("100 C <CNV> GT;END=109 0/1", "105 A * GT 0/1", (0, 2, "called"), set()),
    ("100 C <CNV> GT;END=109 0/0", HERE, REFERENCE, set()),
    ("100 C <CNV> GT;END=109 ./.", HERE, REFERENCE, set()),              # says no more than no record
    ("100 C <DEL> GT;END=109 ./.", HERE, REFERENCE, set()),
    ("100 C <CNV> GT;END=109@LowQual 0/1", HERE, FILTERED, set()),
    ("100 C <CNV> GT;END=104 0/1", HERE, REFERENCE, set()),
    ("100 C <CNV> GT:CN;END=109 ./.:1", HERE, NO_CALL, {"spanned"}),
    ("100 C <DEL> GT:CN;END=109 ./.:0", HERE, NO_CALL, {"spanned"}),
    ("100 C <CNV> GT:CN;END=109 ./.:2", HERE, REFERENCE, set()),
    ("100 C <CNV> GT:CN;END=109 0/1:3", HERE, REFERENCE, {"more-copies"}),
    ("100 C <DUP> GT;END=109 0/1", "105 A G GT 1/1", (1, 1, "called"), {"more-copies"}),
    ("100 C <DUP> GT;END=109@LowQual 0/1", HERE, REFERENCE, set()),
    ("100 C <CN0>,<CN2> GT;END=109 0/2", HERE, REFERENCE, {"more-copies"}),
    ("100 C <CN0>,<CN2> GT;END=109 0/1", HERE, (0, 2, "called"), set()),
    ("100 C <INV> GT;END=109 0/1", HERE, REFERENCE, set()),
    ("100 C <INS> GT;END=109 0/1", HERE, REFERENCE, set()),
    ("103 TTA CCGG GT 0/1", HERE, (0, 2, "called"), set()),              # as long or longer, and the base is another
    ("103 TTA CCC GT 1/1", HERE, (2, 2, "called"), set()),
    ("103 TTA TTAC GT 0/1", HERE, REFERENCE, set())])                    # put in behind it: the base stays
def test_what_goes_over_a_site_leaves_no_false_reference(tmp_path, above, here, expected, codes):
    for file in both_ways(tmp_path, above, here):
        out = read(file, rows=ROWS, build="GRCh38")
        assert said(out, 105, "G") == expected
        assert set(out["issues"]["code"]) == codes


def test_it_does_so_from_another_file_too(tmp_path):
    apart = [vcf(tmp_path, "100 C <CNV> GT;END=109 0/1", name="cnv.vcf"), vcf(tmp_path, HERE, name="snv.vcf")]
    for order in (apart, apart[::-1]):
        out = read(*order, rows=ROWS, build="GRCh38")
        assert said(out, 105, "G") == NO_CALL
        assert "a change of unknown copies goes over it: rs105 was not called in S" in out["issues"]["text"].to_list()


def test_of_others_it_says_nothing(tmp_path):
    file = vcf(tmp_path, "100 C <CNV> GT;END=109 0/1 0/0", "105 A G GT 0/0 0/0", samples=("S", "T"))
    out = read(file, rows=ROWS, build="GRCh38")
    assert [said(out, 105, "G", name) for name in "ST"] == [NO_CALL, REFERENCE]


@pytest.mark.parametrize("pos", [100, 105])
@pytest.mark.parametrize("call", ["0/0:2", "0:2", "./.:2"])
def test_a_segment_of_a_copy_number_is_no_block_of_reference(tmp_path, pos, call):
    """Copy-number callers write their normal stretches without ALT, as a gVCF does: they have not seen a base."""
    for file in both_ways(tmp_path, f"{pos} N . GT:CN;END=199 {call}", "205 A G GT 0/1"):
        out = read(file, rows=ROWS, build="GRCh38")
        assert said(out, 105, "G") == ABSENT
        assert out["coverage"].height == 0


def test_a_segment_of_fewer_copies_is_not_reference_by_absence(tmp_path):
    for call, expected in (("./.:1", ABSENT), ("0/0:2", ASSUMED)):
        file = vcf(tmp_path, f"100 N . GT:CN;END=199 {call}", "205 A G GT 0/1", meta=CN)
        assert said(read(file, rows=ROWS, build="GRCh38", absent_as_ref=True), 105, "G") == expected


def test_one_copy_of_x_is_a_man_s(tmp_path):
    rows = [(10_000_005, "A", "G")]
    meta = tuple(line.replace("chr2", "chrX") for line in CN)
    for call, expected in (("./.:1", (0, None, "called")), ("./.:0", NO_CALL)):
        above = f"10000000 C <CNV> GT:CN;END=10000009 {call}"
        file = vcf(tmp_path, above, "10000005 A G GT 0", chrom="chrX", meta=meta)
        out = read(file, rows=sites(*rows, chrom="chrX"), build="GRCh38")
        assert said(out, 10_000_005, "G") == expected

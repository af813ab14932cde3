"""A site whose ALTs stand in several records: reference is what all of them say, not what one of them says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pmed

HEAD = """##fileformat=VCFv4.2
##reference=GRCh38
##FILTER=<ID=LowQual,Description="low">
##INFO=<ID=END,Number=1,Type=Integer,Description="end">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	S
"""
REPEAT = "rs3064744"  # UGT1A1: CAT>C is *36, C>CAT *28, C>CATAT *37
# The other sites of UGT1A1, read: they are reference.
OTHERS = "chr2\t233757000\t.\tA\t<NON_REF>\t.\tPASS\tEND=233760232\tGT\t0/0"
BEHIND = "chr2\t{}\t.\tA\t<NON_REF>\t.\tPASS\tEND=233762000\tGT\t0/0"
AFTER, AT_ONCE = 233760250, 233760234


def result(folder: Path, *records: str, behind: int = AFTER, **options: Any) -> dict[str, Any]:
    """UGT1A1's row where the repeat has those records, "REF ALT FILTER GT"; `behind` on all is reference."""
    lines = [f"chr2\t233760233\t.\t{ref}\t{alt}\t.\t{flt}\t.\tGT\t{gt}"
             for ref, alt, flt, gt in map(str.split, records)]
    file = folder / "x.vcf"
    file.write_text(HEAD + "\n".join([OTHERS, *lines, BEHIND.format(behind)]) + "\n")
    [found] = pmed.calls([file], options={"vcf": options})
    return found.tables["gene_results"].filter(gene="UGT1A1").row(0, named=True)


@pytest.mark.parametrize("records", [
    ["C CAT PASS 0/0"], ["C CAT PASS 0/0", "C CATAT PASS 0/0"], ["C CAT PASS 0/0", "CAT C PASS ./."],
    ["C CAT PASS 0/0", "CAT C LowQual 0/1"], ["C CAT PASS 0|0"]])
def test_reference_beside_an_alt_that_nobody_looked_at_is_not_known(tmp_path, records):
    row = result(tmp_path, *records)
    assert REPEAT in row["missing_sites"]
    assert not row["complete"]
    assert row["phenotype"] is None


@pytest.mark.parametrize(("records", "diplotype"), [
    (["C CAT PASS 0/0", "CAT C PASS 0/0"], "*1/*1"), (["CAT C,CATAT PASS 0/0"], "*1/*1"),
    (["CAT C PASS 0/0"], "*1/*1"),  # its REF has all bases of the site
    (["C CAT PASS 1/1"], "*28/*28"), (["C CAT PASS 1/1", "CAT C PASS ./."], "*28/*28"),
    (["C CAT PASS 0/1", "CAT C PASS 0/0"], "*1/*28"), (["C CAT PASS 0/1", "CAT C PASS 1/0"], "*28/*36"),
    (["C CAT PASS 0|1", "CAT C PASS 1|0", "C CATAT PASS 0|0"], "*28/*36")])
def test_what_the_records_say_together_is_known(tmp_path, records, diplotype):
    row = result(tmp_path, *records)
    assert (row["diplotypes"], row["complete"]) == ([diplotype], True)


@pytest.mark.parametrize("records", [["C CAT PASS 0/1"], ["C CAT PASS 0/1", "CAT C PASS ./."]])
def test_beside_an_alt_the_other_strand_is_open_where_nobody_looked(tmp_path, records):
    row = result(tmp_path, *records)
    assert (row["phenotype"], row["complete"]) == (None, False)
    assert "half-call" in [one["code"] for one in row["messages"]]


@pytest.mark.parametrize(("records", "diplotype"), [
    (["C CAT PASS 0/0"], "*1/*1"), (["C CAT PASS 0/1"], "*1/*28"), (["C CAT,<NON_REF> PASS 0/1"], "*1/*28"),
    (["C CAT PASS 1|0", "C CATAT PASS 0|0"], "*1/*28"), (["C CAT,CATAT PASS 1/2"], "*28/*37")])
def test_a_block_right_behind_tells_the_rest(tmp_path, records, diplotype):
    """As gVCFs have it: the record has one base of the three, and reference begins again at the next."""
    row = result(tmp_path, *records, behind=AT_ONCE)
    assert (row["diplotypes"], row["complete"]) == ([diplotype], True)
    if diplotype != "*28/*37":
        assert not result(tmp_path, *records, behind=AT_ONCE + 1)["complete"]


@pytest.mark.parametrize(("records", "diplotype"), [
    (["C CAT PASS 0/0"], "*1/*1"), (["C CAT PASS 0/1"], "*1/*28"), (["C CAT PASS 1|0"], "*1/*28")])
def test_what_is_absent_behind_counts_as_reference_where_the_user_says_so(tmp_path, records, diplotype):
    row = result(tmp_path, *records, absent_as_ref=True)
    assert row["diplotypes"] == [diplotype]
    assert "absent-as-ref" in [one["code"] for one in row["messages"]]


@pytest.mark.parametrize("records", [
    ["C CATATATAT PASS 0/1"], ["C CAT PASS ./1"], ["C CAT PASS 0/1", "CAT C PASS ./."],
    ["C CAT PASS 0/1", "CAT C LowQual 0/1"], ["C CAT PASS 0/1", "CAG C PASS 0/1"]])
def test_what_is_not_absent_is_not_taken_for_reference(tmp_path, records):
    row = result(tmp_path, *records, absent_as_ref=True)
    assert (row["phenotype"], row["complete"]) == (None, False)

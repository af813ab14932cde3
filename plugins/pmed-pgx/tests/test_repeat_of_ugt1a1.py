"""UGT1A1's TA repeat (rs3064744) as some writers place it: a longer one is never *1."""

from __future__ import annotations

from pathlib import Path

import pytest

import pmed

HEAD = """##fileformat=VCFv4.2
##reference=GRCh38
##INFO=<ID=END,Number=1,Type=Integer,Description="end">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	S
"""
# The repeat is the bases 233760234 to 233760248; REF has seven times AT and one more A.
PLACES = ["233760233 C CAT", "233760235 T TAT", "233760240 A ATA", "233760248 A ATA", "233760247 T TAT",
          "233760237 TATATATATATAA TATATATATATATAA"]


@pytest.mark.parametrize("written", PLACES)
@pytest.mark.parametrize("absent_as_ref", [False, True])
def test_a_longer_repeat_is_not_1(tmp_path: Path, written: str, *, absent_as_ref: bool) -> None:
    pos, ref, alt = written.split()
    lines = ["chr2\t233759900\t.\tA\t<NON_REF>\t.\tPASS\tEND=233760236\tGT\t0/0",
             f"chr2\t{pos}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t1/1",
             "chr2\t233760300\t.\tA\t<NON_REF>\t.\tPASS\tEND=233761000\tGT\t0/0"]
    file = tmp_path / "x.vcf"
    file.write_text(HEAD + "\n".join(sorted(lines)) + "\n")
    [result] = pmed.calls([file], options={"vcf": {"absent_as_ref": absent_as_ref}})
    row = result.tables["gene_results"].filter(gene="UGT1A1").row(0, named=True)
    assert row["phenotype"] in {None, "Poor Metabolizer"}
    assert "*28/*28" in row["possible_diplotypes"]
    assert row["complete"] == (row["diplotypes"] == ["*28/*28"])

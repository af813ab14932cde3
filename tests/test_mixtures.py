"""Mitochondrial genotypes by their shares of reads: all copies, a mixture, or a reference that reads deny."""

from __future__ import annotations

import pytest

from pmed.genomics.cache import write_cache
from pmed.genomics.header import read_header
from tests.genome_files import META, read, said, sites, vcf

HEAD = (*META, "##contig=<ID=chrM>", '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="reads">',
        *(f'##FORMAT=<ID={key},Number=A,Type=Float,Description="{key}">' for key in ("AF", "VAF", "HL", "HF")))
CHANGED, MIXED, REFERENCE = (1, 1, "called"), (0, 1, "called"), (0, 0, "called")
NOTHING = (None, None, "no-call")


@pytest.mark.parametrize(("alt", "form", "call", "expected"), [
    ("G", "GT:AD:AF", "0/1:2,998:0.998", CHANGED), ("G", "GT:AF", "0|1:0.95", CHANGED),
    ("G", "GT:HL", "1/0:1", CHANGED), ("G", "GT:AD", "0/1:10,990", CHANGED), ("G", "GT:VAF", "0/1:0.949", MIXED),
    ("G", "GT:AD:AF", "0/1:500,500:0.98", MIXED), ("G", "GT:AF", "0/1:0.05", MIXED), ("G", "GT:AF", "0/1:.", MIXED),
    ("G", "GT", "0/1", MIXED), ("C,G", "GT:AF", "0/2:0.01,0.98", CHANGED),
    ("C,G", "GT:AF", "0/1:0.98,0.01", (2, 2, "called")),
    ("G", "GT:AD", "0/1:0,9", MIXED), ("G", "GT:AF", "1:0.98", (1, None, "called")),
    ("G", "GT:AF", "0/0:0.01", REFERENCE), ("G", "GT:AF", "0/0:0.1", NOTHING), ("G", "GT:HF", "0:0.9", NOTHING),
    ("G", "GT:AD", "0/0:85,15", NOTHING), ("G", "GT:AD", "0/0:95,5", REFERENCE),
    ("C,G", "GT:AF", "0/0:0.06,0.06", NOTHING)])
def test_shares_of_reads_decide(tmp_path, alt, form, call, expected):
    rows = sites((1555, "A", "G"), chrom="chrM")
    file = vcf(tmp_path, f"1555 A {alt} {form} {call}", meta=HEAD, chrom="chrM")
    assert said(read(file, rows=rows), 1555, "G") == expected
    write_cache([read_header(file)], tmp_path / "x.pmed")
    assert said(read(tmp_path / "x.pmed", rows=rows), 1555, "G") == expected


def test_a_chromosome_is_no_mixture(tmp_path):
    file = vcf(tmp_path, "1555 A G GT:AF 0/1:0.998", meta=HEAD)
    assert said(read(file, rows=[(1555, "A", "G")]), 1555, "G") == MIXED

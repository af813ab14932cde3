"""Genotypes, reads and likelihoods of a sample's local alleles (LGT, LAA, LAD, LPL) are those of the record's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.genomics.cache import write_cache
from pmed.genomics.calls import decode
from pmed.genomics.header import read_header
from pmed.genomics.records import Record
from tests.genome_files import META, read, said, vcf

ROWS = [(100, "A", "G")]
HEAD = (*META, *(f'##FORMAT=<ID={key},Number=.,Type=Integer,Description="{key}">'
                 for key in ("LAA", "LA", "LAD", "LPL")),
        '##FORMAT=<ID=LGT,Number=1,Type=String,Description="local genotype">')


@pytest.mark.parametrize(("form", "call", "expected"), [
    ("LGT:LAA", "0/1:2", (0, 1, "called")), ("LGT:LAA", "1/2:1,2", (2, 1, "called")),
    ("LGT:LAA", "0/0:.", (0, 0, "called")), ("LGT:LAA", "0/0:3", (0, 0, "called")),
    ("LGT:LAA", "0/0", (0, 0, "called")), ("LGT:LAA", "1:2", (1, None, "called")),
    ("LGT:LAA", "./.:2", (None, None, "no-call")), ("LGT:LAA", "0/1:.", (0, None, "half-call")),
    ("LGT:LAA", "0/2:2", (0, None, "half-call")), ("LGT:LAA", "1/1:9", (None, None, "no-call")),
    ("LGT", "0/1", (0, None, "half-call")), ("LGT:LA", "0/1:0,2", (0, 1, "called")),
    ("GT:LGT:LAA", "0/2:0/1:1", (0, 1, "called")), ("GT:LGT:LAA", "./.:0/1:2", (None, None, "no-call")),
    ("LGT:LAA:LAD", "0/0:2:20,9", (0, 0, "called")), ("LGT:LAA:LAD", "0/0:2:5,20", (None, None, "no-call")),
    ("GT:LAA:LAD", "0/2:2:20,0", (None, None, "no-call")), ("GT:LAA:LAD", "0/2:2:20,20", (0, 1, "called")),
    ("LGT:LAA:GQ:LPL", "0/0:2:99:120,0,200", (None, None, "no-call")),
    ("LGT:LAA:GQ:LPL", "0/1:2:99:120,0,200", (0, 1, "called")), ("LGT:GQ:LPL", "0/0:99:0", (0, 0, "called")),
    ("GT:LAA:GQ:LPL", "0/2:2:99:0,99,120", (None, None, "no-call")),
    ("GT:LAA:GQ:LPL", "0/2:2:99:120,0,99", (0, 1, "called")),
    ("LGT:LAA:LPL", "0/1:2:2,0,90", (None, None, "no-call"))])
def test_local_alleles_are_the_records(tmp_path, form, call, expected):
    file = vcf(tmp_path, f"100 A C,G,T {form} {call}", meta=HEAD)
    assert said(read(file, rows=ROWS), 100, "G") == expected
    write_cache([read_header(file)], tmp_path / "x.pmed")
    assert said(read(tmp_path / "x.pmed", rows=ROWS), 100, "G") == expected


def test_likelihoods_of_local_alleles_are_a_quality(tmp_path):
    out = read(vcf(tmp_path, "100 A C,G LGT:LAA:LPL 0/1:2:60,0,80", meta=HEAD), rows=ROWS)
    assert out["genotypes"]["gq"].to_list() == [60]


def test_a_number_beyond_the_alts_is_told(tmp_path):
    out = read(vcf(tmp_path, "100 A C,G LGT:LAA 0/1:7", meta=HEAD), rows=ROWS)
    assert said(out, 100, "G") == (0, None, "half-call")
    assert out["issues"]["code"].to_list() == ["allele-unknown"]


@st.composite
def local_and_whole(draw):
    """A call in local alleles, and the same in those of a record with four ALTs."""
    listed = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
    pair = [draw(st.integers(0, len(listed))) for _ in range(2)]
    reads = [draw(st.integers(0, 40)) for _ in range(len(listed) + 1)]
    whole = [0] * 5
    for local, count in enumerate(reads):
        whole[([0, *listed])[local]] = count
    mark = draw(st.sampled_from("/|"))
    text = ",".join(map(str, listed)) or "."
    gt = mark.join(str([0, *listed][one]) for one in pair)
    return (f"{mark.join(map(str, pair))}:{text}:{','.join(map(str, reads))}", f"{gt}:{','.join(map(str, whole))}")


@given(st.lists(local_and_whole(), min_size=1, max_size=5))
def test_reads_of_local_alleles_are_judged_like_those_of_all(cells):
    def calls(form, which):
        text = "\t".join(cell[which] for cell in cells).encode()
        return decode([Record(1, "", "chr2", 1, (), "A", ("C", "G", "T", "AC"), None, form, text, 1)], len(cells))[0][0]

    one, two = calls("LGT:LAA:LAD", 0), calls("GT:AD", 1)
    for name in ("alleles", "ploidy", "phased", "uneven", "against"):
        assert (getattr(one, name) == getattr(two, name)).all(), name

"""Calls without GQ are as sure as posteriors, dosages or likelihoods say, and none where these say one in two."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.genomics.cache import write_cache
from pmed.genomics.calls import decode
from pmed.genomics.cells import cell_calls
from pmed.genomics.header import read_header
from pmed.genomics.records import Record
from tests.genome_files import META, read, said, vcf

ROWS = [(105, "A", "G")]
HEAD = (*META, *(f'##FORMAT=<ID={key},Number=.,Type=Float,Description="{key}">'
                 for key in ("GP", "DS", "PL", "GL", "PP")))


@pytest.mark.parametrize(("form", "call", "gq"), [
    ("GT:GP", "0|0:0.9,0.1,0", 10), ("GT:GP", "0|1:0.005,0.99,0.005", 20), ("GT:GP", "1|1:0,0,1", 99),
    ("GT:DS:GP", "1|0:0.99:0.01,0.99,0", 20), ("GT:GP", "1:0.1,0.9", 10), ("GT:DS", "0|0:0.01", 20),
    ("GT:DS", "0|1:1.1", 10), ("GT:DS", "1|1:2", 99), ("GT:DS", "1|1:1.9", 10), ("GT:DS:GP", "0|0:0.01:.", 20),
    ("GT:GP:GQ", "0|0:0.9,0.1,0:45", 45), ("GT:PL", "0/0:0,30,400", 30), ("GT:PL", "0/1:90,0,60", 60),
    ("GT:PL", "1/1:500,33,0", 33), ("GT:PL", "1:99,0", 99), ("GT:PL", "0/0:1,31,400", 30),
    ("GT:PL", "0/0:0,700,900", 99),
    ("GT:GL", "0/1:-9,-0.1,-4.1", 40), ("GT:GL", "0/0:0,-2,-20", 20), ("GT:PL:GQ", "0/0:0,90,900:40", 40),
    ("GT:DS:GL", "0|0:0.01:-0.18,-0.47,-2.42", 20), ("GT:GP", "0|0:1e-05,0,0.99999", None)])
def test_posteriors_and_dosages_are_a_quality(tmp_path, form, call, gq):
    out = read(vcf(tmp_path, f"105 A G {form} {call}", meta=HEAD), rows=ROWS)
    row = out["genotypes"].row(0, named=True)
    assert row["gq"] == (0 if gq is None else gq)
    assert row["state"] == ("no-call" if gq is None else "called")


@pytest.mark.parametrize(("form", "call"), [
    ("GT:GP", "0|0:0.4,0.35,0.25"), ("GT:GP", "0|0:0.5,0.5,0"), ("GT:GP", "0|0:0.1,0.9,0"), ("GT:DS", "0|0:0.5"),
    ("GT:PL", "0/0:0,3,30"), ("GT:PL", "0/0:900,90,0"), ("GT:PL", "1/1:30,3,0"), ("GT:PL", "0/0:0,0,0"),

    ("GT:GL", "0/0:-90,-9,0"), ("GT:GL", "1/1:-3,-0.3,0"),
    ("GT:DS", "0|0:0.9"), ("GT:DS", "1|1:1.4"), ("GT:DS:GP", "0|1:1:0.3,0.4,0.3")])
def test_one_in_two_is_no_call(tmp_path, form, call):
    out = read(vcf(tmp_path, f"105 A G {form} {call}", meta=HEAD), rows=ROWS)
    assert said(out, 105, "G") == (None, None, "no-call")
    assert out["issues"]["code"].to_list() == ["no-evidence"]


@pytest.mark.parametrize(("form", "call"), [
    ("GT:GP", "0|0:."), ("GT:GP", "0|0:x,y,z"),
    ("GT:GP", "0|0:0,12,120"), ("GT:GP", "0|0:"), ("GT:DS", "0|0:."),

    ("GT:PL", "0/0:0"), ("GT:PL", "0/1:900,450,430"), ("GT:GL", "0/1:-90,-45,-43"), ("GT:PL", "0/0:."),
    ("GT:GL", "0/0:."),
    ("GT:DS", "0|0:0.1,0.2"), ("GT:GP", "0|0:0.4,0.1"), ("GT:GP", "0|0")])
def test_what_tells_nothing_is_not_used(tmp_path, form, call):
    """Phred posteriors of older files among it, and likelihoods of a few genotypes only, where records are split."""
    out = read(vcf(tmp_path, f"105 A G {form} {call}", meta=HEAD), rows=ROWS)
    assert said(out, 105, "G") == (0, 1 if "0/1" in call else 0, "called")
    assert out["genotypes"]["gq"].to_list() == [None]


def test_the_threshold_counts_for_them(tmp_path):
    file = vcf(tmp_path, "105 A G GT:GP 0|0:0.97,0.03,0", meta=HEAD)
    assert said(read(file, rows=ROWS, min_gq=20), 105, "G") == (None, None, "filtered")


def test_several_changes_have_genotypes_in_the_order_of_vcf(tmp_path):
    """00 01 11 02 12 22."""
    out = read(vcf(tmp_path, "105 A C,G GT:GP 1|2:0,0,0,0.01,0.99,0", meta=HEAD), rows=ROWS)
    assert out["genotypes"]["gq"].to_list() == [20]


@pytest.mark.parametrize(("alt", "form", "call"), [
    ("G", "GT:GQ:PL", "0/0:99:120,0,200"), ("G", "GT:PL:GQ", "0/0:900,90,0:40"), ("G", "GT:GQ:PL", "1/1:50:40,0,60"),
    ("G", "GT:GQ:PL", "0|1:99:0,99,900"), ("G", "GT:GQ:GL", "0/0:99:-12,0,-20"), ("G", "GT:GQ:PL", "0:99:120,0"),
    ("G", "GT:GQ:GP", "0/0:99:0,1,0"), ("G", "GT:GQ:GP", "0/0:99:120.5,1e-3,200"), ("G", "GT:GQ:PP", "0/0:99:30,0,99"),
    ("G", "GT:GQ:DS", "0/0:99:1"), ("G,T", "GT:GQ:PL", "0/0:99:99,90,90,0,90,90"),
    ("G", "GT:GQ:PL:GP", "0/0:9:120,0,99:0,1,0"),
    ("T,G", "GT:GQ:PL", "0/2:99:0,99,99,99,99,99"), ("G,<NON_REF>", "GT:RGQ:PL", "0/0:99:99,0,99,99,99,99")])
def test_a_call_that_its_own_likelihoods_contradict_is_none(tmp_path, alt, form, call):
    out = read(vcf(tmp_path, f"105 A {alt} {form} {call}", meta=HEAD), rows=ROWS)
    assert said(out, 105, "G") == (None, None, "no-call")
    assert out["issues"]["code"].to_list() == ["likelihoods-contradict"]


@pytest.mark.parametrize(("alt", "form", "call"), [
    ("G", "GT:GQ:PL", "0/0:99:0,120,200"), ("G", "GT:GQ:PL", "0/1:99:120,0,200"), ("G", "GT:GQ:PL", "0/0:99:."),
    ("G", "GT:GQ:PL", "0/0:99:.,.,."), ("G", "GT:GQ:PL", "0/0:12:15,0,90"), ("G", "GT:GQ:PL", "0/0:99:0,0,0"),
    ("G", "GT:GQ:PL", "0:99:120,0,200"), ("G", "GT:GQ:PL", "0/0:99:120,0"), ("G", "GT:GQ:PL", "0/0:99:2,0,90"),
    ("G", "GT:GQ:PL", "0/1:99:900,400,700"), ("G", "GT:GQ:PL:GP", "0/0:40:20,0,90:0.1,40,99"),
    ("G", "GT:GQ:GP", "0/0:99:4.8e-05,40.1,99"), ("G", "GT:GQ:GP", "0/0:20:0.6,0.4,0"),
    ("T,G", "GT:GQ:PL", "0/2:99:9,9,9,0,9,9"),
    ("G", "GT:GQ:DS", "0/0:99:0.4"), ("G,T", "GT:GQ:PL", "1/2:99:99,90,90,90,0,90")])
def test_what_does_not_contradict_a_call_leaves_it(tmp_path, alt, form, call):
    out = read(vcf(tmp_path, f"105 A {alt} {form} {call}", meta=HEAD), rows=ROWS)
    assert said(out, 105, "G")[2] == "called"
    assert not out["issues"]["code"].to_list()


_NUMBER = st.sampled_from(["0", "5", "40", "99", "100", "1230", "12340", "123450", "1234560", "."])
_CELL = st.tuples(st.sampled_from(["0/0", "0/1", "1|1", "0", "1", "1/2", "./.", "./1", "2/3"]),
                  st.sampled_from(["99", "30", "."]), st.lists(_NUMBER, min_size=1, max_size=10).map(",".join),
                  st.sampled_from(["", ":.", ":0,1,0"])).map(lambda one: f"{one[0]}:{one[1]}:{one[2]}{one[3]}")


@given(st.lists(_CELL, min_size=1, max_size=8), st.sampled_from(["GT:GQ:PL", "GT:GQ:PL:GP", "GT:GQ:GL"]))
def test_no_contradiction_is_missed_where_all_cells_are_read_at_once(cells, form):
    alts = ("C", "G", "T")
    records = [Record(1, "", "chr2", 1, (), "A", alts, None, form, cell.encode(), 1) for cell in cells]
    calls, _ = decode(records, 1)
    _, odd = cell_calls("\n".join(cells).encode(), np.array([len(cell) for cell in cells]), [form],
                        np.zeros(len(cells), dtype=np.int64))
    unlikely = np.array([bool(one.unlikely is not None and one.unlikely[0]) for one in calls])
    assert not (unlikely & ~odd).any()


@pytest.mark.parametrize("samples", [1, 30])
def test_the_cache_keeps_contradictions(tmp_path, samples):
    names = tuple(f"S{number}" for number in range(samples))
    cells = " ".join(["0/0:99:0,99,900"] * (samples - 1) + ["0/0:99:120,0,200"])
    file = vcf(tmp_path, f"105 A G GT:GQ:PL {cells}", meta=HEAD, samples=names)
    write_cache([read_header(file)], tmp_path / "x.pmed")
    out = read(tmp_path / "x.pmed", rows=ROWS)
    assert said(out, 105, "G", names[-1])[2] == "no-call"
    assert out["genotypes"].equals(read(file, rows=ROWS)["genotypes"])

"""Calls without GQ are as sure as posteriors, dosages or likelihoods say, and none where these say one in two."""

from __future__ import annotations

import pytest

from tests.genome_files import META, read, said, vcf

ROWS = [(105, "A", "G")]
HEAD = (*META, *(f'##FORMAT=<ID={key},Number=.,Type=Float,Description="{key}">' for key in ("GP", "DS", "PL", "GL")))


@pytest.mark.parametrize(("form", "call", "gq"), [
    ("GT:GP", "0|0:0.9,0.1,0", 10), ("GT:GP", "0|1:0.005,0.99,0.005", 20), ("GT:GP", "1|1:0,0,1", 99),
    ("GT:DS:GP", "1|0:0.99:0.01,0.99,0", 20), ("GT:GP", "1:0.1,0.9", 10), ("GT:DS", "0|0:0.01", 20),
    ("GT:DS", "0|1:1.1", 10), ("GT:DS", "1|1:2", 99), ("GT:DS", "1|1:1.9", 10), ("GT:DS:GP", "0|0:0.01:.", 20),
    ("GT:GP:GQ", "0|0:0.9,0.1,0:45", 45), ("GT:PL", "0/0:0,30,400", 30), ("GT:PL", "0/1:90,0,60", 60),
    ("GT:PL", "1/1:500,33,0", 33), ("GT:PL", "1:99,0", 99), ("GT:PL", "0/0:1,31,400", 30),
    ("GT:PL", "0/0:0,700,900", 99),
    ("GT:GL", "0/1:-9,-0.1,-4.1", 40), ("GT:GL", "0/0:0,-2,-20", 20), ("GT:PL:GQ", "0/0:900,90,0:40", 40),
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

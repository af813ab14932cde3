"""Features of genes: which there are, and how values of somebody else are written."""

from __future__ import annotations

from typing import Any

import pytest

from pmed.errors import InputError
from pmed_pgx.caller import PgxCaller
from pmed_pgx.knowledge import proxies, sites_table
from pmed_pgx.medicines import PresentPhenotypes, members


@pytest.mark.parametrize(("name", "given", "meant"), [
    ("genotype:rs9923231", "T/C", "C/T"), ("genotype:rs9923231", "C/T", "C/T"), ("genotype:rs4149056", "C/T", "T/C"),
    ("genotype:rs72549356", "TGGGGCGAAA/T", "T/TGGGGCGAAA"), ("diplotype:CYP2D6", "*10/*4", "*4/*10"),
    ("diplotype:CYP2D6", "*1x2/*1", "*1x2/*1"), ("diplotype:DPYD", "c.61C>T/Reference", "Reference/c.61C>T"),
    ("diplotype:G6PD", "B (reference)", "B (reference)"), ("status:HLA-B*57:01", "positive", "positive"),
    ("activity-score:CYP2D6", 1.0, 1.0)])
def test_a_pair_is_written_in_one_order(name: str, given: Any, meant: Any) -> None:
    assert PgxCaller().written(name, given) == meant


@pytest.mark.parametrize(("name", "given"), [
    ("genotype:rs9923231", "C/G"), ("genotype:rs9923231", "C|T"), ("genotype:rs9923231", "C"),
    ("genotype:rs9923231", "c/t"), ("status:HLA-B*57:01", "Positive"), ("status:HLA-B*57:01", "yes")])
def test_what_no_genome_says_is_refused(name: str, given: str) -> None:
    with pytest.raises(InputError, match=f"Got '{given}'".replace("|", r"\|")):
        PgxCaller().written(name, given)


def test_every_site_that_is_read_for_a_gene_is_named() -> None:
    named = {name.removeprefix("genotype:") for name in PgxCaller().names() if name.startswith("genotype:")}
    assert named == set(sites_table()["site"]) - set(proxies()["site"])


def test_every_class_is_named() -> None:
    there = PresentPhenotypes().names()
    assert {f"taking:{one}" for one in members()} <= set(there)
    assert "taking" in PresentPhenotypes.by_medicine

"""Genotypes of few reads or a low quality: the call stays, and whoever reads the gene or its advice is told."""

import polars as pl
import pytest

from pmed_pgx.caller import PgxCaller
from pmed_pgx.reasons import remarks

KEY, RARE = "rs4244285", "rs17885179"  # CYP2C19 *2; of no key allele


def called(tables, **numbers):
    """gene_results where the cells of the sites named have those numbers: ``rs4244285={"dp": 3}``."""
    places = {name: site for name, site in _places().items() if name in numbers}
    cells = tables["genotypes"]
    for name, (chrom, pos) in places.items():
        here = (pl.col("chrom") == chrom) & (pl.col("pos") == pos)
        cells = cells.with_columns(pl.when(here).then(pl.lit(value)).otherwise(column).cast(pl.Int32).alias(column)
                                   for column, value in numbers[name].items())
    return PgxCaller().run({**tables, "genotypes": cells}, ())["gene_results"]


def _places():
    from pmed_pgx.knowledge import genes
    gene = genes()["CYP2C19"]
    return {site.name: (gene.chrom, site.pos) for site in gene.sites}


def told(results, gene="CYP2C19"):
    row = results.filter(gene=gene).row(0, named=True)
    return [one["text"] for one in row["messages"] if one["code"] == "weak-evidence"]


@pytest.mark.parametrize(("numbers", "words"), [
    ({"dp": 3}, "DP 3"), ({"gq": 19}, "GQ 19"), ({"dp": 9, "gq": 99}, "DP 9, GQ 99"), ({"dp": 10, "gq": 20}, None),
    ({}, None)])
def test_a_weak_key_site_is_told_and_the_call_stays(make, plain, numbers, words):
    results = called(make({"a": plain()}), **{KEY: numbers})
    row = results.filter(gene="CYP2C19").row(0, named=True)
    assert (row["status"], row["diplotypes"], row["complete"]) == ("called", ["*1/*1"], True)
    text = f"few reads or a low quality (DP below 10, of one copy below 5, or GQ below 20) at {KEY} ({words}): a " \
           "genotype there may be wrong"
    assert told(results) == ([text] if words else [])
    assert told(results, "CYP2C9") == []


@pytest.mark.parametrize(("call", "dp", "weak"), [("A", 4, True), ("A", 5, False), ("./A", 9, True), ("./A", 10, False),
                                                  ("./.", 3, False)])
def test_one_copy_needs_fewer_reads_and_half_a_call_as_many(make, plain, call, dp, weak):
    assert len(told(called(make({"a": plain(**{KEY: call})}), **{KEY: {"dp": dp}}))) == weak


def test_other_sites_count_where_they_are_not_reference(make, plain):
    assert RARE in _places()
    low = {RARE: {"dp": 3, "gq": 9}}
    assert told(called(make({"a": plain()}), **low)) == []
    assert len(told(called(make({"a": plain(rs17885179="A/C")}), **low))) == 1


def test_many_sites_are_counted(make, plain):
    results = called(make({"a": plain()}), **{name: {"dp": 4} for name in _places()})
    [text] = told(results)
    assert text.count("(DP 4)") == 3
    assert " more: a genotype" in text


def test_one_person_s_reads_are_not_another_s(make, plain):
    tables = make({"a": plain(), "b": plain()})
    weak = pl.when(pl.col("sample") == "b").then(2).otherwise(40).cast(pl.Int32).alias("dp")
    results = PgxCaller().run({**tables, "genotypes": tables["genotypes"].with_columns(weak)}, ())["gene_results"]
    codes = results.explode("messages", empty_as_null=False, keep_nulls=False).unnest("messages")
    assert set(codes.filter(code="weak-evidence")["patient_id"]) == {"b"}


def test_advice_that_looks_at_the_gene_has_a_caution(make, plain):
    said = remarks(called(make({"a": plain()}), **{KEY: {"gq": 5}}))
    assert "clopidogrel" in said["drug"].to_list()
    assert "warfarin" not in said["drug"].to_list()
    [caution] = said.filter(drug="clopidogrel")["remarked"][0].to_list()
    assert caution["code"] == "weak-evidence"
    assert caution["text"].startswith("CYP2C19: few reads")

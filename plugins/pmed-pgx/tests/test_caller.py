"""Absence, half-calls and doubt: what was not looked at is never read as normal."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pmed.errors import TableError
from pmed.tables import TABLES
from pmed_pgx.caller import PgxCaller
from pmed_pgx.knowledge import genes, proxies, sites_table

WANTED = ("diplotype:CYP2C9", "phenotype:CYP2C9", "activity-score:CYP2C9", "phenotype:CYP2C19", "genotype:rs9923231")


def features(tables: dict[str, pl.DataFrame], *wanted: str) -> dict[str, Any]:
    return PgxCaller().run(tables, wanted or WANTED)["features"].row(0, named=True)


def codes(row: dict[str, Any]) -> set[str]:
    return {message["code"] for message in row["messages"]}


def test_sites_are_a_valid_table_on_both_builds() -> None:
    sites = TABLES["sites"].check(sites_table())
    assert set(sites["build"]) == {"GRCh37", "GRCh38"}
    known = {site.name for gene in genes().values() for site in (*gene.sites, *gene.extras)}
    assert set(sites.filter(build="GRCh38")["site"]) == known | set(proxies()["site"])


def test_results_are_valid_tables(make: Any, plain: Any) -> None:
    made = PgxCaller().run(make({"a": plain(), "b": {}}), WANTED)
    TABLES["gene_results"].check(made["gene_results"])
    TABLES["features"].check(made["features"])
    assert made["gene_results"].height == 2 * len(genes())


def test_nothing_read_is_no_data_and_never_normal(call_one: Any) -> None:
    for row in call_one({}).values():
        assert (row["status"], row["diplotypes"], row["phenotype"], row["complete"]) == ("no-data", [], None, False)


@pytest.mark.parametrize("state", ["absent", "./.", "filtered"])
@pytest.mark.parametrize(("site", "gene", "allele"), [
    ("rs4244285", "CYP2C19", "*2"), ("rs4986893", "CYP2C19", "*3"), ("rs1799853", "CYP2C9", "*2"),
    ("rs1057910", "CYP2C9", "*3"), ("rs4149056", "SLCO1B1", "*5"), ("rs776746", "CYP3A5", "*3"),
])
def test_missing_key_site_withholds_the_result(state: str, site: str, gene: str, allele: str, call_one: Any,
                                               plain: Any, make: Any) -> None:
    person = plain(**{site: state})
    row = call_one(person)[gene]
    assert not row["complete"]
    assert site in row["missing_sites"]
    assert row["phenotype"] is None
    said = next(one["text"] for one in row["messages"] if one["code"] == "key-site-missing")
    assert site in said
    assert allele in said
    known = features(make({"p": person}), f"diplotype:{gene}", f"phenotype:{gene}", f"activity-score:{gene}")
    assert set(known.values()) == {"p", None}


def test_missing_site_cannot_harm_where_both_alleles_have_no_function_anyway(call_one: Any, plain: Any) -> None:
    row = call_one(plain(rs4244285="A/A", rs12769205="G/G", rs4986893="./."))["CYP2C19"]
    assert (row["phenotype"], row["complete"]) == ("Poor Metabolizer", True)
    assert row["missing_sites"] == ["rs4986893"]


def test_missing_rare_site_is_listed_and_does_not_withhold(call_one: Any, plain: Any) -> None:
    row = call_one(plain(rs113934938="./."))["CYP2C19"]
    assert (row["phenotype"], row["complete"], row["missing_sites"]) == ("Normal Metabolizer", True, ["rs113934938"])


@pytest.mark.parametrize(("call", "code"), [
    ("./A", "half-call"), ("A", "haploid-call"), ("G/T", "undocumented-allele")])
def test_calls_that_cannot_be_used_leave_the_gene_uncalled(call: str, code: str, call_one: Any, plain: Any) -> None:
    row = call_one(plain(rs4244285=call))["CYP2C19"]
    assert (row["status"], row["diplotypes"], row["phenotype"]) == ("not-called", [], None)
    assert code in codes(row)


@pytest.mark.parametrize("call", ["./C", "./G", "./T"])
def test_half_a_call_of_a_site_of_several_alts_leaves_the_gene_uncalled(call: str, call_one: Any, plain: Any) -> None:
    row = call_one(plain(rs1142345=call))["TPMT"]
    assert (row["status"], row["diplotypes"], row["phenotype"]) == ("not-called", [], None)
    assert codes(row) == {"half-call"}


@pytest.mark.parametrize(("site", "call", "told"), [
    ("rs1142345", "./C", None), ("rs1142345", "T/C", "T/C"), ("rs1142345", "C/G", "C/G"), ("rs4244285", "./A", None),
    ("rs4244285", "A", None), ("rs4244285", "G/T", None), ("rs4244285", "A/G", "G/A")])
def test_a_genotype_is_told_whole_or_not_at_all(make: Any, plain: Any, site: str, call: str, told: str | None) -> None:
    wanted = f"genotype:{site}"
    found = PgxCaller().run(make({"a": plain(**{site: call})}), [wanted])["features"]
    assert found[wanted].to_list() == [told]


def test_assumed_reference_counts_and_says_so(call_one: Any) -> None:
    called = call_one({"rs3758581": "G/G"}, absent="assumed-reference")
    assert called["CYP2C19"]["phenotype"] == "Normal Metabolizer"
    read = [row for row in called.values() if row["status"] != "no-data"]
    assert len(read) > 5
    assert all("absent-as-ref" in codes(row) for row in read)


def test_assumption_is_not_mentioned_where_nothing_was_assumed(call_one: Any, plain: Any) -> None:
    assert not any(codes(row) for row in call_one(plain()).values() if row["status"] != "no-data")


def test_ambiguous_call_keeps_a_phenotype_that_all_share(call_one: Any, plain: Any) -> None:
    row = call_one(plain(rs2306283="./.", rs4149056="T/C"))["SLCO1B1"]
    assert (row["status"], row["diplotypes"]) == ("ambiguous", ["*1/*5", "*1/*15"])
    assert row["phenotype"] == "Decreased Function"
    assert "ambiguous" in codes(row)


def test_features(make: Any, plain: Any) -> None:
    person = plain(rs1799853="C/T", rs9923231="T/C")
    assert features(make({"p": person})) == {
        "patient_id": "p", "diplotype:CYP2C9": "*1/*2", "phenotype:CYP2C9": "Intermediate Metabolizer",
        "activity-score:CYP2C9": 1.5, "phenotype:CYP2C19": "Normal Metabolizer", "genotype:rs9923231": "C/T"}


def test_features_of_nobody_and_of_unknown_names(make: Any, plain: Any) -> None:
    empty = {name: frame.clear() for name, frame in make({"p": plain()}).items()}
    assert PgxCaller().run(empty, WANTED)["features"].shape == (0, 1 + len(WANTED))
    assert features(make({"p": plain()}), "phenotype:NO-SUCH-GENE", "genotype:rs1") == {
        "patient_id": "p", "phenotype:NO-SUCH-GENE": None, "genotype:rs1": None}


def test_gap_in_the_grid_is_refused(make: Any, plain: Any) -> None:
    tables = make({"a": plain(), "b": plain()})
    with pytest.raises(TableError, match="dense grid"):
        PgxCaller().run({**tables, "genotypes": tables["genotypes"][1:]}, ())

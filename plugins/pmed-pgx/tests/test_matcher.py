"""The matching rules (notes of PharmCAT's behaviour, rules 1 to 7, 12 and 20) and what must always hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed_pgx.caller import PgxCaller
from pmed_pgx.knowledge import Gene, Site, genes
from pmed_pgx.matcher import UNPHASED, match

SITES = {site.name: site for gene in genes().values() for site in gene.sites}
COMMON = ("rs12248560", "rs28399504", "rs12769205", "rs4244285", "rs4986893", "rs3758581", "rs1799853", "rs1057910",
          "rs28371686", "rs7900194", "rs4149056", "rs2306283", "rs776746", "rs10264272", "rs9923231")
# Of the genes that the made people of conftest have.
KEYS = {gene.sites[p].name for gene in genes().values() for p in gene.key_sites
        if gene.name in {"CYP2B6", "CYP2C19", "CYP2C9", "CYP3A5", "SLCO1B1", "TPMT", "VKORC1"}}


@st.composite
def genotype(draw: st.DrawFn, name: str) -> str:
    base = st.sampled_from(SITES[name].alleles)
    first, second = draw(base), draw(base)
    return draw(st.sampled_from([f"{first}/{second}", f"{first}|{second}", f"{first}|{second}:7", "./.", "filtered"]))


people = st.fixed_dictionaries({}, optional={name: genotype(name) for name in COMMON})


def rows(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return PgxCaller().run(tables, ())["gene_results"].sort("patient_id", "gene")


@pytest.mark.parametrize(("changed", "gene", "diplotypes"), [
    ({"rs3758581": "A/A"}, "CYP2C19", ["*38/*38"]),
    ({}, "CYP2C19", ["*1/*1"]),
    ({"rs3758581": "A/G"}, "CYP2C19", ["*1/*38"]),
    ({"rs4244285": "A/A", "rs12769205": "G/G"}, "CYP2C19", ["*2/*2"]),
    # Rule 1: *4 names both sites, so *1/*4 outscores *4/*17 where nothing is phased ...
    ({"rs12248560": "C/T", "rs28399504": "A/G"}, "CYP2C19", ["*1/*4"]),
    # ... but not where the strands are told apart.
    ({"rs12248560": "C|T", "rs28399504": "G|A"}, "CYP2C19", ["*4/*17"]),
    ({"rs12248560": "T|C", "rs28399504": "G|A"}, "CYP2C19", ["*1/*4"]),
    ({"rs4244285": "A|G", "rs12769205": "G|A", "rs12248560": "C|T"}, "CYP2C19", ["*2/*17"]),
    # Both strands must be explained at every site (rule 2).
    ({"rs4244285": "A/A"}, "CYP2C19", []),
    ({"rs4244285": "A|G", "rs12769205": "A|G"}, "CYP2C19", []),
    # Phase sets flip against each other, as unphased sites do (rule 7).
    ({"rs4244285": "A|G:1", "rs12769205": "G|A:1", "rs12248560": "T|C:2"}, "CYP2C19", ["*2/*17"]),
    ({"rs1799853": "C/T", "rs1057910": "A/C"}, "CYP2C9", ["*2/*3"]),
    ({"rs9923231": "C/T"}, "VKORC1", ["rs9923231 reference (C)/rs9923231 variant (T)"]),
    ({"rs9923231": "T/T"}, "VKORC1", ["rs9923231 variant (T)/rs9923231 variant (T)"]),
    ({"rs776746": "C/C"}, "CYP3A5", ["*3/*3"]),
    ({"rs4149056": "T/C"}, "SLCO1B1", ["*1/*5"]),
    # Output order (rule 20): equal scores in natural order of names.
    ({"rs2306283": "A/G", "rs4149056": "T/C"}, "SLCO1B1", ["*1/*15"]),
])
def test_rules(changed: dict[str, str], gene: str, diplotypes: list[str], plain: Any, call_one: Any) -> None:
    assert call_one(plain(**changed))[gene]["diplotypes"] == diplotypes


def test_all_matches_keeps_what_scores_less(plain: Any, call_one: Any) -> None:
    person = plain(rs12248560="C/T", rs28399504="A/G")
    assert call_one(person, all_matches=True)["CYP2C19"]["diplotypes"] == ["*1/*4", "*4/*17"]


def test_allele_that_cannot_be_told_apart_is_reported_with_the_others(plain: Any, call_one: Any) -> None:
    person = plain(rs4149056="T/C", rs2306283="./.")
    assert call_one(person)["SLCO1B1"]["diplotypes"] == ["*1/*5", "*1/*15"]


def test_wobble_that_is_reference_in_the_sample_earns_nothing() -> None:
    """Rule 5, on a made-up gene: *4 may carry either base of the first site, *5 names only the second one."""
    sites = (Site("s1", 1, ("C", "T"), None, None), Site("s2", 2, ("A", "G"), None, None))
    bases = {"*1": ("C", "A"), "*4": ("CT", "G"), "*5": ("C", "G")}
    allowed = np.array([[[base in some for base in site.alleles] for some, site in zip(one, sites, strict=True)]
                        for one in bases.values()])
    defined = np.array([[True, True], [True, True], [False, True]])
    gene = Gene("MADE-UP", "chr1", sites, tuple(bases), allowed, defined, {name: name for name in bases}, {}, {},
                "function", {}, {}, "")
    unphased = np.array([UNPHASED, UNPHASED])
    found = match(gene, np.array([[0, 0], [0, 1]], dtype=np.int8), unphased)
    assert found.calls == (("*1", "*4"), ("*1", "*5"))
    found = match(gene, np.array([[0, 1], [0, 1]], dtype=np.int8), unphased)
    assert found.calls == (("*1", "*4"),)


def test_swapped_reference_between_builds(plain: Any, call_one: Any) -> None:
    """rs3758581 and rs776746 have REF and ALT swapped on GRCh37: bases count, not their roles."""
    person = plain(rs4244285="A/G", rs12769205="G/A", rs776746="C/T")
    both = [call_one(person, build=build) for build in ("GRCh38", "GRCh37")]
    for gene, expected in (("CYP2C19", ["*1/*2"]), ("CYP3A5", ["*1/*3"])):
        assert [called[gene]["diplotypes"] for called in both] == [expected, expected]


@settings(deadline=None, max_examples=30)
@given(drawn=st.lists(people, min_size=2, max_size=4), order=st.randoms(use_true_random=False))
def test_batch_is_one_by_one_in_any_order(drawn: list[dict[str, str]], order: Any, make: Any) -> None:
    named = {f"p{i}": person for i, person in enumerate(drawn)}
    shuffled = list(named)
    order.shuffle(shuffled)
    together = rows(make(named))
    assert_frame_equal(together, rows(make({name: named[name] for name in shuffled})))
    alone = pl.concat([rows(make({name: person})) for name, person in named.items()])
    assert_frame_equal(together, alone.sort("patient_id", "gene"))


@settings(deadline=None, max_examples=30)
@given(person=st.fixed_dictionaries({name: genotype(name) for name in COMMON}))
def test_homozygotes_do_not_care_about_phase(person: dict[str, str], call_one: Any, plain: Any) -> None:
    same = {name: call[0] + "/" + call[0] for name, call in person.items() if call[0] in "ACGT"}
    unphased, phased = (call_one(plain(**{name: call.replace("/", sign) for name, call in same.items()}))
                        for sign in "/|")
    assert unphased == phased
    assert all(row["phased"] for row in phased.values() if row["diplotypes"])


@settings(deadline=None, max_examples=30)
@given(person=st.fixed_dictionaries({name: st.sampled_from([f"{a}/{b}" for a in SITES[name].alleles[:2]
                                                            for b in SITES[name].alleles[:2]]) for name in COMMON}),
       lost=st.sets(st.sampled_from(sorted(KEYS)), min_size=1, max_size=4))
def test_losing_key_sites_never_makes_another_result_certain(person: dict[str, str], lost: set[str], call_one: Any,
                                                             plain: Any) -> None:
    """What is still relied on after key sites were lost is what was true with them."""
    full = call_one(plain(**person))
    less = call_one({name: call for name, call in plain(**person).items() if name not in lost})
    for gene, row in less.items():
        if full[gene]["status"] == "no-data":  # a gene that no made person has
            continue
        mine = lost & {site.name for site in genes()[gene].sites}
        assert set(row["missing_sites"]) == mine
        if not mine:
            assert row == full[gene]
        elif row["complete"] and full[gene]["phenotype"] is not None:
            assert row["phenotype"] == full[gene]["phenotype"]

"""Copies, tandems and deletions: activity scores by CPIC's rules, and what stays open where nobody counted copies."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed_pgx.knowledge import genes
from pmed_pgx.outside import structural
from pmed_pgx.outside.structural import Copies, activity, haplotypes, phenotypes, score

CYP2D6 = "CYP2D6"
RANK = ("Poor Metabolizer", "Intermediate Metabolizer", "Normal Metabolizer", "Ultrarapid Metabolizer")


@pytest.mark.parametrize(("diplotype", "number", "phenotype"), [
    ("*1/*1", 2.0, "Normal Metabolizer"), ("*4/*4", 0.0, "Poor Metabolizer"), ("*5/*5", 0.0, "Poor Metabolizer"),
    ("*1/*5", 1.0, "Intermediate Metabolizer"), ("*1x2/*1", 3.0, "Ultrarapid Metabolizer"),
    ("*1x2/*4", 2.0, "Normal Metabolizer"), ("*1x2/*10", 2.25, "Normal Metabolizer"),
    ("*1/*4x2", 1.0, "Intermediate Metabolizer"), ("*1x3/*1", 4.0, "Ultrarapid Metabolizer"),
    ("*36+*10/*1", 1.25, "Normal Metabolizer"), ("*36+*10/*36+*10", 0.5, "Intermediate Metabolizer"),
    ("*68+*4/*4", 0.0, "Poor Metabolizer"), ("*68+*4/*1", 1.0, "Intermediate Metabolizer"),
    ("*13/*4", 0.0, "Poor Metabolizer"), ("[*36 + *10]x2/*1", 1.5, "Normal Metabolizer"),
    ("*36x2+*10/*1", 1.25, "Normal Metabolizer"), ("*13 + *1/*36 + *10x2", 1.5, "Normal Metabolizer"),
    ("*13 + *68x2 + *4/*68 + *2", 1.0, "Intermediate Metabolizer"),
    ("*1xN/*1", None, "Ultrarapid Metabolizer"), ("*1x≥3/*4", None, "Ultrarapid Metabolizer"),
    ("*1x>=3/*10", None, "Ultrarapid Metabolizer"), ("*2xN/*4", None, None), ("*10xN/*1", None, None),
    ("*4xN/*1", 1.0, "Intermediate Metabolizer"), ("*5/*4xN", 0.0, "Poor Metabolizer"),
    ("*1/*22", None, "Indeterminate"), ("*1/*22x2", None, "Indeterminate"), ("*1/*999", None, None),
    ("*1x0/*1", None, None), ("*1/*27x2", None, None)])
def test_cyp2d6(diplotype: str, number: float | None, phenotype: str | None) -> None:
    assert score(CYP2D6, diplotype) == (number, phenotype)
    turned = "/".join(reversed(structural.split(diplotype)))
    assert score(CYP2D6, turned) == (number, phenotype)


def test_what_open_copies_leave_possible() -> None:
    pair = [haplotypes(CYP2D6, text)[0] for text in ("*10xN", "*1")]
    assert structural.possible(genes()[CYP2D6], pair) == (["Normal Metabolizer", "Ultrarapid Metabolizer"], None)


@pytest.mark.parametrize(("gene", "diplotype", "expected"), [
    ("CYP2C19", "*36/*2", (None, "Poor Metabolizer")),  # *36 and *37 are deletions of CYP2C19
    ("CYP2C19", "*2x2/*1", (None, "Intermediate Metabolizer")), ("CYP2C19", "*17x2/*1", (None, None)),
    ("CYP2C19", "*2+*1/*1", (None, None)),
    ("CYP2B6", "*29/*30", (None, "Poor Metabolizer")), ("CYP2B6", "*6x2/*1", (None, None)),
    ("UGT1A1", "*80+*28/*1", (None, "Intermediate Metabolizer")),
    ("UGT1A1", "[*80 + *28]/*1", (None, "Intermediate Metabolizer")),
    ("CYP2C9", "*1/*3", (1.0, "Intermediate Metabolizer")), ("CYP2C9", "*1x2/*1", (None, None))])
def test_other_genes(gene: str, diplotype: str, expected: tuple[float | None, str | None]) -> None:
    made = score(gene, diplotype)
    assert made[1] == expected[1]
    if expected[0] is not None:
        assert made[0] == expected[0]


@pytest.mark.parametrize(("text", "parts"), [
    ("*36+*10x2", (Copies("*36"), Copies("*10", 2, 2))), ("[*36 + *10]x2", (Copies("*36", 2, 2), Copies("*10", 2, 2))),
    ("*2xN", (Copies("*2", 2, math.inf),)), ("*2×2", (Copies("*2", 2, 2),)), ("*4.013", (Copies("*4"),)),
    ("*16", (Copies("*13"),))])
def test_haplotypes(text: str, parts: tuple[Copies, ...]) -> None:
    assert haplotypes(CYP2D6, text) == (parts,)


def test_names_that_nobody_knows_are_named() -> None:
    assert structural.unknown(CYP2D6, "[*1 + *999x2]xN") == ["*999"]
    assert structural.unknown(CYP2D6, "*4.021.ALDY") == ["*4.021.ALDY"]
    assert structural.unknown(CYP2D6, "*1-like") == ["*1-like"]


@cache
def valued() -> list[str]:
    return sorted(genes()[CYP2D6].activities)


ALLELE = st.deferred(lambda: st.sampled_from(valued()))
PART = st.tuples(ALLELE, st.sampled_from(["", "x2", "x3", "x7", "xN", "x≥3"])).map("".join)
STRAND = st.lists(PART, min_size=1, max_size=4).map("+".join)


@given(STRAND, STRAND)
def test_scores_add_up(one: str, two: str) -> None:
    gene = genes()[CYP2D6]
    values = [activity(gene, haplotypes(CYP2D6, text)[0]) or (0.0, 0.0) for text in (one, two)]
    low, high = (sum(value[end] for value in values) for end in (0, 1))
    counted = sum(gene.activities[part.rpartition("x")[0] if "x" in part else part] *
                  {"": 1, "2": 2, "3": 3, "7": 7, "N": 2, "≥3": 3}[part.rpartition("x")[2] if "x" in part else ""]
                  for text in (one, two) for part in text.split("+"))
    assert low == pytest.approx(counted)
    number, phenotype = score(CYP2D6, f"{one}/{two}")
    assert number == (pytest.approx(low) if low == high else None)
    assert phenotype is None or phenotype in phenotypes(CYP2D6, low)
    assert score(CYP2D6, f"{two}/{one}") == (number, phenotype)


@given(STRAND, ALLELE, st.integers(1, 9))
def test_a_copy_more_never_lowers_the_phenotype(other: str, allele: str, copies: int) -> None:
    fewer, more = (score(CYP2D6, f"{other}/{allele}x{n}")[1] for n in (copies, copies + 1))
    if fewer and more:
        assert RANK.index(fewer) <= RANK.index(more)


@given(ALLELE, ALLELE)
def test_pairs_of_plain_alleles_are_the_rules_of_the_release(one: str, two: str) -> None:
    gene = genes()[CYP2D6]
    total = gene.activities[one] + gene.activities[two]
    assert score(CYP2D6, f"{one}/{two}") == (total, phenotypes(CYP2D6, total)[0])


@given(st.floats(0, 20))
def test_every_score_has_one_phenotype(number: float) -> None:
    assert len(phenotypes(CYP2D6, number)) == 1
    assert len(phenotypes(CYP2D6, number, math.inf)) == RANK[::-1].index(phenotypes(CYP2D6, number)[0]) + 1


def test_labels_are_the_published_ones() -> None:
    names = {"*1x7": "*1x≥3", "*2x3": "*2x≥3", "*4xN": "*4xN", "*41x3": "*41x3", "*36+*10": "*36 + *10",
             "*9x≥4": "*9x≥4"}
    assert {text: structural.label(CYP2D6, haplotypes(CYP2D6, text)[0]) for text in names} == names

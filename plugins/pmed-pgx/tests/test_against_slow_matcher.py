"""Calls of every gene are those of a matcher that writes out every way in which the strands can lie."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmed_pgx.knowledge import genes
from tests import pgx_people as made
from tests import slow_matcher

SEARCH = settings(max_examples=25, suppress_health_check=list(HealthCheck))
BIG, FEW = 100, settings(SEARCH, max_examples=8)  # genes of more alleles than that are slow to write out


@pytest.mark.parametrize("gene", [name for name in made.NAMED if genes()[name].ploidy != "MT"])
@pytest.mark.parametrize("every", [False, True], ids=["best", "all"])
def test_diplotypes(gene: str, every: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    @(FEW if len(genes()[gene].alleles) > BIG else SEARCH)
    @given(made.crowds(gene, undocumented=True))
    def agree(crowd: list[Any]) -> None:
        found = made.call(gene, crowd, monkeypatch, all_matches=every)
        for row, person in zip(found.values(), crowd, strict=True):
            assert row["diplotypes"] == slow_matcher.diplotypes(gene, person, every=every), person
    agree()


@pytest.mark.parametrize("gene", ["G6PD", "MT-RNR1"])
def test_one_strand(gene: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @SEARCH
    @given(made.crowds(gene, shape=made.one_strand))
    def agree(crowd: list[Any]) -> None:
        for row, person in zip(made.call(gene, crowd, monkeypatch).values(), crowd, strict=True):
            assert row["diplotypes"] == slow_matcher.diplotypes(gene, person), person
    agree()


@pytest.mark.parametrize("gene", made.LISTED)
@pytest.mark.parametrize("phase", made.PHASES)
def test_lists_of_variants(gene: str, phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = slow_matcher.definitions(gene)

    @SEARCH
    @given(made.crowds(gene, phases=(phase,), undocumented=True))
    def agree(crowd: list[Any]) -> None:
        for row, person in zip(made.call(gene, crowd, monkeypatch).values(), crowd, strict=True):
            labels, ranks = slow_matcher.variants(gene, person)
            assert row["diplotypes"] == labels, person
            two = tuple(sorted(slow_matcher.rank(known, name) for name in row["lookup_diplotypes"][0].split("/")))
            assert two == min(ranks, key=sum), person
    agree()


def test_the_made_people_are_no_crowd_of_the_uncalled() -> None:
    called: list[bool] = []

    @SEARCH
    @given(st.sampled_from(made.NAMED).flatmap(lambda name: st.tuples(st.just(name), made.people(name))))
    def count(drawn: tuple[str, Any]) -> None:
        called.append(bool(slow_matcher.diplotypes(*drawn)))
    count()
    assert sum(called) >= len(called) / 4

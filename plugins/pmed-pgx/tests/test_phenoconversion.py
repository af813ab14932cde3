"""The phenotype of today: factors and ladders against their published rules, and what must hold of any medicines."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed_pgx.knowledge import table
from pmed_pgx.phenoconversion import PERHAPS, RECENT, TAKEN, Ability, Acting, matters, parsed, present, written

POOR, INTERMEDIATE, NORMAL, ULTRARAPID = (
    f"{name} Metabolizer" for name in ("Poor", "Intermediate", "Normal", "Ultrarapid"))
ORDER = ("Poor Function", POOR, "Likely Poor Metabolizer", "Decreased Function", "Possible Decreased Function",
         "Likely Intermediate Metabolizer", INTERMEDIATE, "Normal Function", NORMAL, "Rapid Metabolizer",
         "Increased Function", ULTRARAPID)


def acting(strength: str, kind: str = "inhibitor", state: str = TAKEN, drug: str = "x") -> Acting:
    return Acting(drug, kind, strength, state)


def by_consensus(score: float) -> str:
    """Phenotype of a CYP2D6 activity score by the consensus of 2020 (PMID:31647186)."""
    if score < 1.25:
        return POOR if score < 0.25 else INTERMEDIATE
    return NORMAL if score <= 2.25 else ULTRARAPID


@pytest.mark.parametrize("score", [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.25, 2.5, 3.0, 4.0])
@pytest.mark.parametrize(("strength", "factor"), [("strong", 0.0), ("moderate", 0.5), ("weak", 1.0)])
def test_cyp2d6_is_multiplied_by_the_factor(score: float, strength: str, factor: float) -> None:
    now = present("CYP2D6", Ability(by_consensus(score), score), [acting(strength)])
    assert now == Ability(by_consensus(score * factor), score * factor)


@pytest.mark.parametrize(("score", "now"), [(2.0, (INTERMEDIATE, 1.0)), (1.5, (POOR, 0.5)), (1.0, (POOR, 0.5))])
def test_a_moderate_inhibitor_halves_cyp2c9_and_counts_the_lower_step(score: float, now: tuple[str, float]) -> None:
    made = present("CYP2C9", Ability(NORMAL if score == 2.0 else INTERMEDIATE, score), [acting("moderate")])
    assert (made.phenotype, made.score) == now


def test_of_several_inhibitors_the_strongest_counts() -> None:
    both = [acting("moderate", drug="a"), acting("moderate", drug="b")]
    assert present("CYP2D6", Ability(NORMAL, 2.0), both) == Ability(INTERMEDIATE, 1.0)
    assert present("CYP2D6", Ability(NORMAL, 2.0), [*both, acting("strong", drug="c")]) == Ability(POOR, 0.0)


def test_a_strong_inhibitor_makes_poor_of_the_unknown_and_nothing_else_does() -> None:
    nothing = Ability(None, None)
    for gene, lowest in (("CYP2D6", POOR), ("CYP2C19", POOR), ("CYP1A2", POOR), ("SLCO1B1", "Poor Function")):
        assert present(gene, nothing, [acting("strong")]).phenotype == lowest
        assert present(gene, nothing, [acting("moderate")]).phenotype is None
        assert present(gene, nothing, [acting("strong", "inducer")]).phenotype is None


def test_inhibitor_and_inducer_leave_both_results_possible() -> None:
    now = present("CYP2C19", Ability(NORMAL, None), [acting("moderate"), acting("strong", "inducer", drug="y")])
    assert now.phenotype == f"{INTERMEDIATE} or Rapid Metabolizer"


def test_a_strong_inhibitor_beside_an_inducer_leaves_both_results_possible() -> None:
    both = [acting("strong"), acting("strong", "inducer", drug="y")]
    assert present("CYP2C19", Ability(NORMAL, None), both).phenotype == f"{POOR} or Rapid Metabolizer"
    assert present("CYP2C19", Ability(None, None), both).phenotype is None


def test_what_is_perhaps_taken_leaves_the_genetic_phenotype_possible() -> None:
    now = present("CYP2D6", Ability(NORMAL, 2.0), [acting("strong", state=PERHAPS)])
    assert now == Ability(f"{NORMAL} or {POOR}", None)
    assert present("CYP2D6", Ability(NORMAL, 2.0), [acting("strong", state=RECENT)]) == Ability(POOR, 0.0)


def test_an_inducer_gives_nothing_to_an_enzyme_without_function() -> None:
    for gene in ("CYP2C19", "CYP2B6"):
        assert present(gene, Ability(POOR, None), [acting("strong", "inducer")]).phenotype == POOR
        assert present(gene, Ability(NORMAL, None), [acting("strong", "inducer")]).phenotype == "Rapid Metabolizer"


def test_every_phenotype_of_a_gene_with_a_ladder_has_a_step() -> None:
    ladders = table("ladders")
    known = set(ladders.select("gene", "phenotype").iter_rows())
    for gene, phenotype in table("phenotypes").select("gene", "phenotype").unique().iter_rows():
        if gene in set(ladders["gene"]) and phenotype != "Indeterminate":
            assert (gene, phenotype) in known
    assert set(table("modifiers")["gene"]) <= set(ladders["gene"])


def test_only_what_changes_something_is_a_cause() -> None:
    both = [acting("weak", drug="a"), acting("strong", drug="b")]
    assert [one.drug for one in matters("CYP2D6", Ability(NORMAL, 2.0), both)] == ["b"]
    assert matters("CYP2D6", Ability(POOR, 0.0), both) == ()


drugs = st.lists(st.builds(Acting, st.sampled_from("abcdef"), st.sampled_from(["inhibitor", "inducer"]),
                           st.sampled_from(["strong", "moderate", "weak"]), st.sampled_from([TAKEN, RECENT, PERHAPS])),
                 max_size=4, unique_by=lambda one: one.drug)
genetic = st.sampled_from([(gene, phenotype) for gene, phenotype in table("ladders").select(
    "gene", "phenotype").iter_rows() if phenotype])


def least(text: str | None) -> int:
    return min(ORDER.index(name) for name in text.split(" or ")) if text else -1


@given(genetic, drugs, st.permutations(range(4)))
def test_order_changes_nothing_and_weak_ones_change_nothing(
        one: tuple[str, str], taken: list[Acting], order: list[int]) -> None:
    gene, ability = one[0], Ability(one[1], None)
    shuffled = [taken[at] for at in order if at < len(taken)]
    assert present(gene, ability, shuffled) == present(gene, ability, taken)
    assert present(gene, ability, [*taken, acting("weak", drug="z")]) == present(gene, ability, taken)


@given(genetic, drugs)
def test_one_more_inhibitor_never_adds_ability(one: tuple[str, str], taken: list[Acting]) -> None:
    gene, ability = one[0], Ability(one[1], None)
    before = present(gene, ability, taken)
    for strength in ("strong", "moderate", "weak"):
        assert least(present(gene, ability, [*taken, acting(strength, drug="z")]).phenotype) <= least(before.phenotype)


@given(drugs)
def test_what_is_written_is_read(taken: list[Acting]) -> None:
    assert list(parsed(";".join(map(written, taken)))) == taken


def test_of_two_that_are_perhaps_taken_either_may_be_alone() -> None:
    both = [acting("strong", state=PERHAPS, drug="a"), acting("moderate", state=PERHAPS, drug="b")]
    assert present("CYP2D6", Ability(NORMAL, 2.0), both).phenotype == f"{NORMAL} or {POOR} or {INTERMEDIATE}"
    either = [both[0], acting("strong", "inducer", PERHAPS, "b")]
    assert present("CYP2C19", Ability(NORMAL, None), either).phenotype == f"{NORMAL} or {POOR} or Rapid Metabolizer"


@given(genetic, drugs)
def test_each_combination_of_what_is_perhaps_taken_stays_possible(one: tuple[str, str], taken: list[Acting]) -> None:
    gene, ability = one[0], Ability(one[1], None)
    sure = [each for each in taken if each.state != PERHAPS]
    doubtful = [each for each in taken if each.state == PERHAPS]
    possible: set[str] = set()
    for mask in product([False, True], repeat=len(doubtful)):
        chosen = [replace(each, state=TAKEN) for each, there in zip(doubtful, mask, strict=True) if there]
        possible |= set((present(gene, ability, [*sure, *chosen]).phenotype or "unknown").split(" or "))
    found = present(gene, ability, taken).phenotype
    assert set((found or "unknown").split(" or ")) == ({"unknown"} if "unknown" in possible else possible)

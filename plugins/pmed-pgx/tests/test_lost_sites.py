"""What nobody looked at never makes a call surer; the order of people and the phase of homozygotes change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmed_pgx.knowledge import genes
from tests import pgx_people as made
from tests.slow_matcher import Seen

SEARCH = settings(max_examples=8, suppress_health_check=list(HealthCheck))
GENES = [name for name in made.DIPLOID if name != "CYP2D6"]  # no phenotype of which rests on small variants at all


@pytest.mark.parametrize("gene", GENES)
def test_a_lost_key_site_never_makes_certain_what_was_not(gene: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strands are published alleles: one that nobody has described is taken for a published one if nobody looks."""
    keys = {genes()[gene].sites[p].name for p in genes()[gene].key_sites}

    @SEARCH
    @given(made.people(gene, published=True))
    def holds(person: Any) -> None:
        lost = sorted(keys & person.keys())[:30]
        crowd = {"whole": person, **{f"-{one}": made.without(person, [one]) for one in lost}}
        rows = made.call(gene, crowd, monkeypatch)
        whole = rows.pop("whole")
        for name, row in rows.items():
            assert made.certain(whole) or not made.certain(row), (name, whole["diplotypes"], row["diplotypes"])
            assert not made.certain(row) or row["phenotype"] == whole["phenotype"], name
    holds()


@pytest.mark.parametrize("gene", GENES)
def test_every_lost_site_is_told(gene: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @SEARCH
    @given(made.people(gene, lose=False), st.data())
    def holds(person: Any, data: st.DataObject) -> None:
        lost = data.draw(st.lists(st.sampled_from(sorted(person)), min_size=1, max_size=4, unique=True))
        row = made.call(gene, {"p": made.without(person, lost)}, monkeypatch)["p"]
        assert set(lost) == set(row["missing_sites"])
        assert len(lost) < len(person) or row["status"] == "no-data"
    holds()


@pytest.mark.parametrize("gene", GENES)
def test_the_order_of_people_and_the_phase_of_homozygotes_change_nothing(gene: str,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    @SEARCH
    @given(made.crowds(gene, phases=("unphased",)))
    def holds(crowd: list[Any]) -> None:
        named = {f"p{number}": person for number, person in enumerate(crowd)}
        straight = made.call(gene, named, monkeypatch)
        assert made.call(gene, dict(reversed(named.items())), monkeypatch) == straight
        tied = {name: {site: Seen(seen.bases, "set") if len(set(seen.bases)) == 1 else seen
                       for site, seen in person.items()} for name, person in named.items()}
        assert made.call(gene, tied, monkeypatch) == straight
    holds()

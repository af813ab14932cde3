"""What goes wrong costs only those whom it is about, and few runs where that is everybody."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.apart import ASKED, MOST, Tried, apart
from pmed.batch import Asked as Reports
from pmed.batch import Cohort as People
from pmed.batch import batch
from pmed.cohort import Cohort, run
from pmed.engine import Engine
from pmed.errors import InputError, PmedError
from pmed.settings import Settings
from pmed.stages import features
from tests.test_cohort import people_vcf

PEOPLE = 40
Wrong = Callable[[str], str]


def told(people: int, wrong: Callable[[int], Collection[str]], *,
         lost: Callable[[int], bool]) -> tuple[dict[int, Tried[list[int]]], int]:
    """The run that counts for each person, and how many runs there were."""
    sizes: list[int] = []

    def attempt(some: Sequence[int]) -> Tried[list[int]]:
        sizes.append(len(some))
        return Tried(None if any(map(lost, some)) else [*some],
                     frozenset(what for one in some for what in wrong(one)))

    found = [(one, tried) for some, tried in apart(range(people), attempt) for one in some]
    assert sorted(one for one, _ in found) == [*range(people)]
    return dict(found), len(sizes)


@pytest.mark.parametrize(("bad", "lost"), [({57}, False), ({57}, True), ({0, 999}, True), (set(range(6)), False)])
def test_what_goes_wrong_with_few_costs_these_alone(bad: set[int], lost: bool) -> None:
    found, runs = told(1000, lambda one: {"odd"} if one in bad else (), lost=lambda one: lost and one in bad)
    assert {one for one, tried in found.items() if tried.wrong} == bad
    assert {one for one, tried in found.items() if tried.made is None} == (bad if lost else set())
    assert runs <= 2 + ASKED + 2 * len(bad) * 10


@pytest.mark.parametrize("lost", [False, True])
def test_what_goes_wrong_with_everybody_is_seen_in_a_few(lost: bool) -> None:
    found, runs = told(1000, lambda _: {"odd"}, lost=lambda _: lost)
    assert runs == 1 + ASKED
    assert {tried.wrong for tried in found.values()} == {frozenset({"odd"})}
    assert all((tried.made is None) == lost for tried in found.values())


def test_what_goes_wrong_with_one_is_found_beside_what_does_with_everybody() -> None:
    found, runs = told(1000, lambda one: {"always", "odd"} if one == 700 else {"always"}, lost=lambda _: False)
    assert [one for one, tried in found.items() if "odd" in tried.wrong] == [700]
    assert runs <= 1 + ASKED + 20


def test_everybody_for_a_reason_of_their_own_is_told_it() -> None:
    found, _ = told(100, lambda one: {f"of {one}"}, lost=lambda _: True)
    assert all(tried.wrong == {f"of {one}"} for one, tried in found.items())


def test_a_part_that_many_lack_is_looked_for_no_longer() -> None:
    """The first is sound, so that a few who were asked do not speak for all."""
    found, runs = told(1000, lambda one: {"odd"} if one % 2 else (), lost=lambda _: False)
    assert sum(bool(tried.wrong) for tried in found.values()) >= 500
    assert runs < 2 * MOST * 10 + ASKED


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    return people_vcf(tmp_path / "crowd.vcf", PEOPLE)


def failing(monkeypatch: pytest.MonkeyPatch, gives: str, error: Exception, whom: str = "") -> list[int]:
    """A step that fails for one, or for everybody; how many people there were in each run."""
    inner, sizes = features._run, list[int]()

    def odd(step: Any, asked: Any, made: Any) -> Any:
        if gives in step.gives:
            sizes.append(made["samples"].height)
            if not whom or whom in made["samples"]["patient_id"]:
                raise error
        return inner(step, asked, made)

    monkeypatch.setattr(features, "_run", odd)
    return sizes


def test_a_step_that_fails_for_one_costs_only_that_one(tmp_path: Path, crowd: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    run(crowd, output=tmp_path / "whole", jobs=1)
    failing(monkeypatch, "gene_results", ValueError("odd"), "p33")
    done = run(crowd, output=tmp_path / "out", jobs=1)
    assert (done.people, done.lost) == (PEOPLE, {})
    assert [one for one in done.failures if "features failed: ValueError: odd" in one]
    for name in ("gene_results", "suggestions"):
        rows, whole = (Cohort.open(tmp_path / one).table(name).collect() for one in ("out", "whole"))
        key = ["patient_id", "gene" if name == "gene_results" else "drug"]
        assert rows.sort(key).equals(whole.filter(pl.col("patient_id") != "p33").sort(key))


def test_a_step_that_fails_for_all_is_seen_in_a_few_and_loses_what_it_gives(
        tmp_path: Path, crowd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = failing(monkeypatch, "gene_results", ValueError("odd"))
    done = run(crowd, output=tmp_path / "out", jobs=1)
    assert sizes == [PEOPLE, *[1] * ASKED]
    assert (done.people, done.lost) == (PEOPLE, {})
    assert done.table("gene_results").collect().is_empty()
    assert done.summary("qc").is_empty()
    assert "features failed: ValueError: odd [test_apart.py:" in done.failures[0]


@pytest.mark.parametrize("lost", [False, True])
def test_reports_of_people_for_whom_the_same_fails_take_few_runs(tmp_path: Path, crowd: Path, lost: bool,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of 40 people take 2 x 40 runs where each is looked for by himself."""
    if lost:
        monkeypatch.setattr(Engine, "joined", lambda *_: (_ for _ in ()).throw(InputError("never works", where="x")))
    sizes = [] if lost else failing(monkeypatch, "gene_results", ValueError("odd"))
    done = batch(People(genome=(crowd,)), Reports(tmp_path / "out", Settings()), jobs=1)
    assert len(done.lines) == PEOPLE
    assert [one.error for one in done.lines] == ["x: never works" if lost else ""] * PEOPLE
    assert all(one.partial for one in done.lines) != lost
    assert sizes == ([] if lost else [PEOPLE, *[1] * ASKED])


def test_what_fails_for_all_is_told_of_all(tmp_path: Path, crowd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def joined(*_: Any) -> Any:
        runs.append(1)
        raise InputError("never works", where="x")

    monkeypatch.setattr(Engine, "joined", joined)
    done = run(crowd, output=tmp_path / "out", jobs=1)
    assert (done.people, len(runs)) == (0, 1 + ASKED)
    assert done.lost == {f"p{number}": "x: never works" for number in range(PEOPLE)}


@pytest.mark.parametrize("where", ["plugin", "pmed"])
def test_a_disk_that_is_full_is_about_nobody_and_ends_the_run(tmp_path: Path, crowd: Path, where: str,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        if where == "plugin":
            failing(patch, "gene_results", full)
        else:
            patch.setattr(Engine, "joined", lambda *_: (_ for _ in ()).throw(full))
        with pytest.raises(PmedError, match="could not go on: .*No space left on device") as caught:
            run(crowd, output=tmp_path / "out", jobs=1)
    assert caught.value.hint == "run the same again when there is room: what is done stays"
    assert run(crowd, output=tmp_path / "out", jobs=1).failures == ()

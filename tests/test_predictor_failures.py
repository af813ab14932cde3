"""A predictor, explainer or trace that fails for a few patients costs their rows, and no more runs than it may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

from pmed.batch import Asked, Cohort, batch
from pmed.demo import patients
from pmed.engine import Engine
from pmed.explain.shapley import ExactShapley
from pmed.plugins import Plugins
from pmed.render.view import patient_views
from pmed.result import Result
from pmed.settings import Settings
from pmed_risk.organ_scores import Meld
from tests.toy import ToyPredictor, ToyStep, plugin, tables

ONE = "ValueError: odd: see the record"


class Frail(ToyPredictor):
    """Fails for whom its tests say."""

    bad: ClassVar[frozenset[str]] = frozenset()
    alone: ClassVar[bool] = True
    sizes: ClassVar[list[int]] = []

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        self.sizes.append(features.height)
        if self.bad & {*features["patient_id"]} or (features.height > 1 and not self.alone):
            raise ValueError("odd: see the record")
        return super().predict(features)


def run(people: int, bad: Iterable[int] = (), *, alone: bool = True) -> Result:
    """The toy world with a predictor that fails for patients of these numbers; with all who are not `alone`."""
    kind = type("Frail", (Frail,), {"bad": frozenset(f"p{one}" for one in bad), "alone": alone, "sizes": []})
    plugins = Plugins().load(only=())
    plugins.add(plugin(register_features=[ToyStep], register_predictors=[kind]), "toy-plugin", "1")
    engine = Engine.using(plugins)
    engine.conclude(tables(people), explained=False)
    sizes = [*kind.sizes]
    plugins.failures.clear()
    return Result(engine.conclude(tables(people)), tuple(plugins.failures), {"sizes": sizes})


def told(result: Result) -> set[str]:
    return {*result.tables["predictions"]["patient_id"]}


@pytest.mark.parametrize(("people", "bad"), [(2, [1]), (3, [0]), (100, [57]), (100, [0, 50, 99]), (9, range(8))])
def test_it_costs_only_the_rows_of_these_patients(people: int, bad: list[int], tmp_path: Path) -> None:
    result, names = run(people, bad), [f"p{one}" for one in bad]
    everybody = {f"p{one}" for one in range(people)}
    assert told(result) == everybody - {*names} == {*result.tables["explanations"]["patient_id"]}
    [failure] = result.failures
    assert failure.patients == tuple(names)
    assert len(result.provenance["sizes"]) <= 1 + len(names) * 2 * people.bit_length()
    assert Result.load(result.save(tmp_path / "kept")).failures == result.failures
    assert result.for_patient("p57" if people == 100 and 57 not in bad else "p8").failures == ()
    assert result.for_patient(names[0]).failures == (failure,)
    assert ONE in str(failure)
    assert not any(name in str(failure) for name in names)


def test_each_view_shows_its_own_failures() -> None:
    views: list[Any] = patient_views(run(3, [1]))
    assert [[one["error"] for one in view["failures"]] for view in views] == [[], ["ValueError"], []]
    assert not any("patients" in one for view in views for one in view["failures"])


@pytest.mark.parametrize(("people", "bad"), [(1, [0]), (2, [0, 1]), (400, range(400)), (400, range(0, 400, 40))])
def test_where_it_fails_for_all_or_many_all_is_given_up(people: int, bad: list[int]) -> None:
    result = run(people, bad)
    assert told(result) == set()
    assert [failure.patients for failure in result.failures] == [()]
    assert len(result.provenance["sizes"]) <= 1 + 9 * 2 * people.bit_length()


def test_where_it_fails_for_nobody_alone_it_is_not_believed() -> None:
    result = run(1000, alone=False)
    assert told(result) == set()
    assert [failure.patients for failure in result.failures] == [()]
    assert len(result.provenance["sizes"]) <= 1 + 16 * 10


def test_who_gives_wrong_rows_for_one_is_not_believed_of_another() -> None:
    class Wild(Frail):
        bad = frozenset({"p0"})

        def predict(self, features: pl.DataFrame) -> pl.DataFrame:
            wild = pl.when(patient_id="p2").then(1e9).otherwise("value")
            return super().predict(features).with_columns(value=wild)

    plugins = Plugins().load(only=())
    plugins.add(plugin(register_features=[ToyStep], register_predictors=[Wild]), "toy-plugin", "1")
    assert Engine.using(plugins).conclude(tables(4))["predictions"].is_empty()
    assert [(failure.error, failure.patients) for failure in plugins.failures] == [("ValueError", ())]


class Unclear(ToyPredictor):
    """Cannot tell the steps for some."""

    bad: ClassVar[frozenset[str]] = frozenset()

    def trace(self, features: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        if self.bad & {*features["patient_id"]}:
            raise ValueError("odd: see the record")
        return rows.select("patient_id", "target", step=pl.lit(0, pl.Int64), text=pl.lit("because"))


@dataclass(frozen=True)
class FrailExplainer:
    """The host's, which fails for some."""

    bad: frozenset[str]

    def explain(self, predictor: Any, features: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        if self.bad & {*features["patient_id"]}:
            raise ValueError("odd: see the record")
        return ExactShapley().explain(predictor, features, rows)


@pytest.mark.parametrize(("people", "bad", "left"), [(100, [57], 99), (100, [0, 50, 99], 97), (40, range(40), 0),
                                                     (1, [0], 0)])
@pytest.mark.parametrize("table", ["explanations", "traces"])
def test_what_cannot_be_explained_of_one_is_of_the_others(table: str, people: int, bad: Iterable[int], left: int,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    names = frozenset(f"p{one}" for one in bad)
    monkeypatch.setattr(Unclear, "bad", names if table == "traces" else frozenset())
    if table == "explanations":
        monkeypatch.setattr("pmed.builtin.ExactShapley", lambda: FrailExplainer(names))
    plugins = Plugins().load(only=())
    plugins.add(plugin(register_features=[ToyStep], register_predictors=[Unclear]), "toy-plugin", "1")
    made = Engine.using(plugins).conclude(tables(people))
    assert made["predictions"].height == people
    sizes = {name: made[name]["patient_id"].n_unique() for name in ("explanations", "traces")}
    assert sizes == {"explanations": people, "traces": people, table: left}
    assert not names & {*made[table]["patient_id"]}
    [failure] = plugins.failures
    assert (failure.component, failure.stage, failure.error) == ("toy", table, "ValueError")
    assert {*failure.patients} == (names if left else set())


def test_a_predictor_that_raises_for_one_costs_no_second_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = next(one for one in patients() if one.name == "stent").history.read_text()
    for name in ("ann", "bob"):
        (tmp_path / f"{name}.json").write_text(text.replace("demo-stent", name))
    predict, sizes = Meld.predict, list[int]()

    def frail(self: Meld, features: pl.DataFrame) -> pl.DataFrame:
        sizes.append(features.height)
        if "bob" in features["patient_id"]:
            raise ValueError("odd")
        return predict(self, features)

    monkeypatch.setattr(Meld, "predict", frail)
    done = batch(Cohort(history=tuple(sorted(tmp_path.glob("*.json")))), Asked(tmp_path / "out", Settings()), jobs=1)
    assert [(line.patient_id, line.partial) for line in done.lines] == [("ann", ()), ("bob", ("pmed-risk",))]
    assert sizes == [2, 1, 1]

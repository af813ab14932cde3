"""What a component does wrong costs its own rows, is recorded in place, and costs nothing else."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import ClassVar

import polars as pl
import pytest

from pmed import TABLES, hookimpl
from pmed.engine import Engine
from pmed.errors import GenomeError, HistoryError, InputError, TableError
from pmed.plugins import Component, Plugins
from pmed.stages.advise import join_sources, rank
from pmed.stages.link import link
from pmed.stages.predict import checked
from pmed.stages.read import read
from pmed.types import ReadRequest
from tests.toy import ToyAdviser, ToyPredictor, ToyStep, plugin, suggestion, tables


def run(*more, steps=(ToyStep,), predictors=(ToyPredictor,), advisers=(ToyAdviser,)):
    """The toy world plus further plugins, run from tables on."""
    plugins = Plugins().load(only=())
    plugins.add(plugin(register_features=list(steps), register_predictors=list(predictors),
                       register_advisers=list(advisers)), "toy-plugin", "1")
    for number, other in enumerate(more):
        plugins.add(other, f"other{number}", "0.1")
    engine = Engine.using(plugins)
    return engine.conclude(tables()), engine.plugins.failures


def test_the_toy_world_runs_whole():
    made, failures = run()
    assert failures == []
    assert made["predictions"]["value"].to_list() == [10.0, 20.0]
    assert made["explanations"]["contribution"].to_list() == [10.0, 20.0]
    assert made["suggestions"]["adviser"].to_list() == ["toy-adviser", "toy-adviser"]
    for name in ("predictions", "explanations", "traces", "suggestions", "features"):
        TABLES[name].check(made[name])


def broken(base, method, error=RuntimeError):
    """A component class like `base`, with another name, whose `method` raises."""
    def fail(self, *_):
        raise error("boom")
    return type(f"Broken{base.__name__}", (base,), {"name": f"broken-{base.name}", "gives": (f"broken-{base.name}",)
                                                    if method != "advise" else (), method: fail})


@pytest.mark.parametrize(("hook", "base", "method", "stage"), [
    ("register_features", ToyStep, "run", "features"),
    ("register_predictors", ToyPredictor, "predict", "predict"),
    ("register_advisers", ToyAdviser, "advise", "advise"),
])
def test_a_component_that_raises_costs_only_its_own_rows(hook, base, method, stage):
    whole, _ = run()
    made, failures = run(plugin(**{hook: [broken(base, method)]}))
    assert [(failure.plugin, failure.stage, failure.error) for failure in failures] == [
        ("other0", stage, "RuntimeError")]
    for name in ("predictions", "explanations", "suggestions"):
        assert made[name].equals(whole[name])


class Wrong(ToyPredictor):
    name = "wrong"
    gives = ("wrong-dose",)

    def rows(self, features):
        return super().predict(features).with_columns(target=pl.lit("wrong-dose"))


def wrong(change):
    return type("Changed", (Wrong,), {"predict": lambda self, features: change(self.rows(features))})


@pytest.mark.parametrize(("change", "message"), [
    (lambda rows: rows.drop("unit"), "predictions.unit is missing"),
    (lambda rows: rows.drop("status"), "predictions.status is missing (pmed.verdicts.predictions makes them all; "
     "`status` is assessed, not-assessed or not-applicable"),
    (lambda rows: rows.lazy(), "predict() must return a polars DataFrame. Got LazyFrame"),
    (lambda rows: rows.head(1), "gave 1 rows, expected 2"),
    (lambda rows: rows.with_columns(target=pl.lit("else")), "does not declare"),
    (lambda rows: rows.with_columns(value=pl.lit(1e9)), "outside the card's range"),
    (lambda rows: rows.with_columns(value=pl.lit(float("nan"))), "outside the card's range"),
    (lambda rows: rows.with_columns(status=pl.lit("not-assessed")), "not-assessed but has a value"),
    (lambda rows: rows.with_columns(patient_id=pl.lit("p0")), "repeats the key"),
    (lambda rows: rows.with_columns(patient_id=pl.lit("z") + pl.col("patient_id")), "one for each patient"),
])
def test_a_predictor_that_says_nonsense_is_not_believed(change, message):
    made, failures = run(plugin(register_predictors=[wrong(change)]))
    assert message in failures[0].message
    assert set(made["predictions"]["predictor"]) == {"toy"}


class Both(ToyPredictor):
    gives = ("a-dose", "b-dose")

    def predict(self, features):
        each = [super(Both, self).predict(features).with_columns(target=pl.lit(target)) for target in self.gives]
        return pl.concat(each).sort("patient_id", maintain_order=True)


@pytest.mark.parametrize("people", [3, 1200])
@pytest.mark.parametrize(("change", "message"), [
    (lambda rows: rows, ""),
    (lambda rows: rows.sort("target", maintain_order=True), ""),
    (lambda rows: rows.reverse(), ""),
    (lambda rows: pl.concat([rows.head(-2), rows[:2]]), "repeats the key"),
    (lambda rows: pl.concat([rows.head(-1), rows[:1]]), "repeats the key"),
    (lambda rows: rows.with_columns(target=pl.lit("a-dose")), "repeats the key"),
    (lambda rows: rows.with_columns(rows["target"].scatter(rows.height - 1, "a-dose")), "repeats the key"),
    (lambda rows: rows.with_columns(pl.col("target").replace("b-dose", "c-dose")), "does not declare"),
    (lambda rows: rows.with_columns(pl.col("patient_id").replace("p0002", "p9999")), "one for each patient"),
    (lambda rows: rows.head(-2), "one for each patient"),
])
def test_each_patient_has_each_target_once(change, message, people):
    predictor = type("Changed", (Both,), {"predict": lambda self, features: change(Both.predict(self, features))})()
    features = pl.DataFrame({"patient_id": [f"p{one:04}" for one in range(people)], "toy:dose": [1.0] * people})
    if not message:
        assert checked(predictor, features).height == 2 * people
        return
    with pytest.raises(TableError, match=message):
        checked(predictor, features)


def test_a_need_that_nobody_gives_is_unknown_not_an_error():
    made, failures = run(steps=())
    assert failures == []
    assert made["predictions"]["reason"].to_list() == ["needs toy:dose"] * 2
    assert made["suggestions"].is_empty()


class Greedy(ToyStep):
    name = "greedy"

    def run(self, given, wanted):
        return {**super().run(given, wanted), "patients": given["patients"]}


def test_a_step_may_give_only_what_it_declares():
    made, failures = run(steps=(Greedy,))
    assert "does not declare" in failures[0].message
    assert made["predictions"]["status"].to_list() == ["not-assessed"] * 2


class Twin(ToyStep):
    name = "twin"


def test_two_steps_that_give_one_feature_are_a_failure():
    _, failures = run(steps=(ToyStep, Twin))
    assert "'toy:dose' is given by another step already" in failures[0].message


class Off(ToyPredictor):
    """An explanation must add up to the prediction."""

    def explain(self, predictor, features, predictions):
        return predictions.select(
            "patient_id", "target", feature=pl.lit("toy:dose"), value=pl.lit("1"), reference=pl.lit("0"),
            contribution=pl.lit(1.0), baseline=pl.lit(0.0), prediction=pl.col("value"), unit=pl.lit("mg"),
            method=pl.lit("made up")).select(*[pl.col(name) for name in (
                "patient_id", "target", "feature", "reference", "contribution", "baseline", "prediction", "unit",
                "method")], value=pl.lit("1"))


def test_a_class_is_no_explainer():
    made, failures = run(SimpleNamespace(choose_explainer=hookimpl(lambda predictor: ToyPredictor)))
    assert "choose_explainer returned the class ToyPredictor, where an instance is wanted" in failures[0].message
    assert made["explanations"].height  # by the host's own


def test_hook_choose_explainer():
    asked = []

    @hookimpl
    def choose_explainer(predictor):
        asked.append(predictor.name)

    made, failures = run(SimpleNamespace(choose_explainer=choose_explainer))
    assert asked == ["toy"]
    assert failures == []
    assert made["explanations"].height == 2


def test_an_explanation_that_does_not_add_up_is_not_shown():
    made, failures = run(SimpleNamespace(choose_explainer=hookimpl(lambda predictor: Off())))
    assert "adds up to 1.0, the prediction is" in failures[0].message
    assert failures[0].plugin == "other0"
    assert made["explanations"]["method"].str.contains("exact Shapley").all()


def test_hook_register_predictors():
    made, _ = run(plugin(register_predictors=[type("More", (Wrong,), {"predict": Wrong.rows})]))
    assert set(made["predictions"]["predictor"]) == {"toy", "wrong"}


def test_hook_register_advisers_joins_what_two_say_of_one_drug():
    class Second(ToyAdviser):
        name = "second"

        def advise(self, given):
            return suggestion(["p0"], action="avoid", concern=4.0, text="Stop it.", urgency="today")

    made, _ = run(plugin(register_advisers=[Second]))
    first = made["suggestions"].row(0, named=True)
    assert (first["action"], first["adviser"], first["text"]) == (
        "avoid", "second, toy-adviser", "Stop it. Halve it.")
    assert made["suggestions"].height == 2


def test_hook_check_suggestions_adds_and_cannot_remove():
    @hookimpl
    def check_suggestions(suggestions, tables):
        return suggestions.head(1).select("patient_id", "drug", code=pl.lit("look"), text=pl.lit("Look twice."))

    @hookimpl(specname="check_suggestions")
    def empties(suggestions, tables):
        raise RuntimeError("boom")

    made, failures = run(SimpleNamespace(check_suggestions=check_suggestions), SimpleNamespace(empties=empties))
    assert made["suggestions"]["cautions"].to_list() == [[{"code": "look", "text": "Look twice."}], []]
    assert [failure.stage for failure in failures] == ["check_suggestions"]


def test_a_recorded_allergy_is_a_caution_on_the_drug_and_on_an_alternative():
    given = tables(1)
    given["explanations"] = TABLES["explanations"].empty()
    given["allergies"] = TABLES["allergies"].frame([
        {"patient_id": "p0", "row": 0, "active": True, "ingredients": ["ticagrelor"]},
        {"patient_id": "p0", "row": 1, "active": False, "ingredients": ["aspirin"]}])
    offered = suggestion(["p0"], alternatives=[{"drug": "ticagrelor", "status": "fits", "reason": ""}])
    plugins = Plugins().load(only=())
    _, impl = next(iter(plugins.implementations("check_suggestions")))
    found = impl.function(offered, given)
    assert found["text"].to_list() == ["Recorded allergy or intolerance to ticagrelor."]


@pytest.mark.parametrize(("allergies", "changes", "told"), [
    ([], {}, True), ([], {"current": False}, False), ([], {"alternatives": []}, False),
    ([], {"action": "adjust"}, False),
    ([], {"alternatives": [{"drug": "ticagrelor", "status": "ruled-out", "reason": ""}]}, False),
    ([{"display": "Peanut"}], {}, False), ([{"ingredients": []}], {}, False),
    ([{"display": "No known food allergy"}], {}, True)])
def test_that_no_allergies_are_listed_is_a_caution_where_another_medicine_is_proposed(allergies, changes, told):
    given = tables(1)
    given["explanations"] = TABLES["explanations"].empty()
    given["allergies"] = TABLES["allergies"].frame([{"patient_id": "p0", "row": at, "active": True, **one}
                                                    for at, one in enumerate(allergies)])
    offered = suggestion(["p0"], **{"current": True, "action": "avoid", "alternatives": [
        {"drug": "ticagrelor", "status": "fits", "reason": ""}], **changes})
    _, impl = next(iter(Plugins().load(only=()).implementations("check_suggestions")))
    assert impl.function(offered, given)["code"].to_list() == ["allergies-unknown"] * told


class Weighs(ToyPredictor):
    """Its dose rests on a medicine, whether or not anybody explains it."""

    wants = ("on:amiodarone",)

    def reference(self, target):
        return {**super().reference(target), "on:amiodarone": False}


def doubted(*displays, predictor=Weighs, explained=True, said=None):
    """The cautions of the one suggestion to somebody who takes those medicines, none of which is known."""
    given = tables(1)
    given["medications"] = TABLES["medications"].frame([
        {"patient_id": "p0", "row": row, "display": display, "active": display != "Stopped thing"}
        for row, display in enumerate(displays)])
    own = pl.lit([] if said is None else [said], TABLES["suggestions"].columns["cautions"].dtype)
    adviser = type("Told", (ToyAdviser,), {
        "advise": lambda self, given: ToyAdviser.advise(self, given).with_columns(cautions=own)})
    plugins = Plugins().load(only=())
    plugins.add(plugin(register_features=[ToyStep], register_predictors=[predictor], register_advisers=[adviser]),
                "toy-plugin", "1")
    engine = Engine.using(plugins)
    made = engine.conclude(given, explained=explained)
    assert engine.plugins.failures == []
    (cautions,) = made["suggestions"]["cautions"].to_list()
    return [one["text"] for one in cautions if one["code"] == "unread-medicine"]


@pytest.mark.parametrize("explained", [True, False])
def test_a_medicine_nobody_knows_is_a_caution_where_medicines_were_weighed(explained):
    told = "Not recognised, so an interaction with it was not weighed: Cordarex 200 mg."
    drugs = ("Cordarex 200 mg", "Stopped thing", "Influenza vaccine")
    assert doubted(*drugs, explained=explained) == [told]
    assert doubted(*drugs, predictor=ToyPredictor, explained=explained) == []
    assert doubted(*drugs[1:], explained=explained) == []
    already = {"code": "unread-medicine", "text": "the adviser has told it already"}
    assert doubted(*drugs, explained=explained, said=already) == [already["text"]]


class Twice(ToyStep):
    """Doubles what another step gives by a pattern, and what a third gives by name."""

    name, needs, gives = "twice", ("toy:dose", "own-table", "plain"), ("twice",)

    def run(self, given, wanted):
        return {"features": given["features"].select("patient_id", twice=pl.col("toy:dose") * 2 + pl.col("plain"))}


class Plain(ToyStep):
    """Gives a table of its own, and a feature by name."""

    name, gives = "plain-step", ("own-table", "plain")

    def run(self, given, wanted):
        ids = given["features"].select("patient_id")
        return {"own-table": ids, "features": ids.with_columns(plain=pl.lit(10.0))}


def test_what_only_a_step_needs_is_made():
    wants = type("WantsTwice", (ToyPredictor,), {"needs": ("twice",), "predict": lambda self, features: (
        ToyPredictor().predict(features.rename({"twice": "toy:dose"})))})
    made, failures = run(steps=(ToyStep, Plain, Twice), predictors=(wants,))
    assert [failure for failure in failures if failure.stage == "features"] == []
    assert made["features"].select("toy:dose", "twice", "plain").rows() == [(1.0, 12.0, 10.0), (2.0, 14.0, 10.0)]
    assert made["predictions"]["value"].to_list() == [120.0, 140.0]


class Interacts(ToyPredictor):
    """Needs to know of one medicine, wants to know of another; says so only of the first."""

    name = "interacts"
    needs, wants = ("on:amiodarone",), ("on:aspirin",)

    def reference(self, target):
        return {"on:amiodarone": False}

    def predict(self, features):
        dose = pl.col("on:amiodarone").cast(pl.Float64)
        told = features.select("patient_id", pl.when(dose.is_not_null()).then(dose).alias("toy:dose"))
        reason = pl.when(pl.col("status") == "not-assessed").then(pl.lit("needs on:amiodarone"))
        return super().predict(told).with_columns(reason=reason)


@pytest.mark.parametrize(("drugs", "reason"), [
    ([("Sedacoron", None), ("Cor, forte", None), ("Aspirin", ["aspirin"])],
     "needs on:amiodarone; medicines not recognised: Sedacoron, Cor, forte"),
    ([], "needs on:amiodarone; the record lists no medicines"),
    ([("Aspirin", ["aspirin"])], None), ([("No known medications", [])], None),
    ([("Sedacoron", None), ("amiodarone", ["amiodarone"])], None)])
def test_a_reason_names_the_medicine_that_was_not_recognised(drugs, reason):
    plugins = Plugins().load(only=())
    plugins.add(plugin(register_predictors=[Interacts]), "toy-plugin", "1")
    given = tables(2)
    given["medications"] = TABLES["medications"].frame([
        {"patient_id": "p0", "row": row, "display": display, "ingredients": found, "active": True}
        for row, (display, found) in enumerate(drugs)] + [
        {"patient_id": "p1", "row": 9, "display": "Aspirin", "ingredients": ["aspirin"], "active": True}])
    made = Engine.using(plugins).conclude(given)["predictions"]
    assert made["reason"].to_list() == [reason, None]
    assert made["status"].to_list() == ["not-assessed" if reason else "assessed", "assessed"]


def test_a_reason_names_the_medicine_behind_a_feature_that_a_step_makes():
    class Either(ToyStep):
        name, needs, gives = "either", ("on:amiodarone", "on:aspirin"), ("toy:dose",)

        def run(self, given, wanted):
            taken = pl.any_horizontal("on:amiodarone", "on:aspirin").cast(pl.Float64)
            return {"features": given["features"].select("patient_id", taken.alias("toy:dose"))}

    given = tables(2)
    given["medications"] = TABLES["medications"].frame([
        {"patient_id": "p0", "row": 1, "display": "Sedacoron", "active": True},
        {"patient_id": "p1", "row": 1, "display": "Aspirin", "ingredients": ["aspirin"], "active": True}])
    plugins = Plugins().load(only=())
    plugins.add(plugin(register_features=[Either], register_predictors=[ToyPredictor]), "toy-plugin", "1")
    made = Engine.using(plugins).conclude(given)["predictions"]
    assert made["reason"].to_list() == ["needs toy:dose; medicines not recognised: Sedacoron", None]


def test_a_reason_says_that_no_medicine_is_listed_where_a_step_says_that_its_feature_rests_on_that():
    class Taken(ToyStep):
        name, needs, gives, of_medicines = "taken", ("medications",), ("toy:dose", "toy:else"), ("toy:dose",)

        def run(self, given, wanted):
            null = pl.lit(None, dtype=pl.Float64)
            return {"features": given["features"].select("patient_id", *(null.alias(name) for name in wanted))}

    class Else(ToyPredictor):
        name, needs, gives = "else", ("toy:else",), ("else-dose",)

        def predict(self, features):
            rows = super().predict(features.rename({"toy:else": "toy:dose"}))
            return rows.with_columns(target=pl.lit("else-dose"))

    plugins = Plugins().load(only=())
    plugins.add(plugin(register_features=[Taken], register_predictors=[ToyPredictor, Else]), "toy-plugin", "1")
    made = Engine.using(plugins).conclude(tables(1))["predictions"].sort("predictor")
    assert made["reason"].to_list() == ["needs toy:dose", "needs toy:dose; the record lists no medicines"]


def test_a_medicine_that_was_not_recognised_is_no_reason_where_something_else_is_missing():
    given = tables(1)
    given["medications"] = TABLES["medications"].frame([{"patient_id": "p0", "row": 1, "display": "x", "active": True}])
    plugins = Plugins().load(only=())
    plugins.add(plugin(register_predictors=[type("Wants", (ToyPredictor,), {
        "name": "wants", "wants": ("on:aspirin",)})]), "toy-plugin", "1")
    assert Engine.using(plugins).conclude(given)["predictions"]["reason"].to_list() == ["needs toy:dose"]


def test_the_leading_adviser_keeps_a_dose_factor_of_the_other():
    both = pl.concat([suggestion(["p"], concern=None, action="test").with_columns(adviser=pl.lit("a")),
                      suggestion(["p"], dose_factor=0.5).with_columns(adviser=pl.lit("b"))])
    row = join_sources(both).row(0, named=True)
    assert (row["action"], row["dose_factor"], row["adviser"]) == ("adjust", 0.5, "b, a")


def test_rank_puts_current_and_pressing_first():
    rows = [("z", True, "routine", 0.0), ("b", True, "soon", 2.0), ("a", True, "soon", 3.0), ("c", False, "today", 4.0)]
    frames = [suggestion(["p"], drug=drug, current=current, urgency=urgency, concern=concern)
              for drug, current, urgency, concern in rows]
    assert rank(pl.concat(frames))["drug"].to_list() == ["a", "b", "z", "c"]


def joined(samples, patients, pairs=None):
    genome = {"samples": TABLES["samples"].frame(
        [{"sample": one, "patient_id": one, "source": "g.vcf", "build": "GRCh38"} for one in samples])}
    record = {"patients": TABLES["patients"].frame([{"patient_id": one} for one in patients])}
    return link(genome, record, pairs or {})["patient_id"].to_list()


@pytest.mark.parametrize(("samples", "patients", "pairs", "expected"), [
    (["s"], ["p"], {}, ["p"]),
    (["s", "t"], [], {}, ["s", "t"]),
    ([], ["p"], {}, []),
    (["a", "b"], ["b", "a"], {}, ["a", "b"]),
    (["s", "t"], ["p", "q"], {"s": "q", "t": "p"}, ["q", "p"]),
])
def test_samples_find_their_patient(samples, patients, pairs, expected):
    assert joined(samples, patients, pairs) == expected


@pytest.mark.parametrize(("samples", "patients"), [(["s", "t"], ["p"]), (["s"], ["p", "q"])])
def test_whose_genome_it_is_is_never_guessed(samples, patients):
    with pytest.raises(InputError, match=r"g.vcf: cannot tell whose genome it is: .*--sample"):
        joined(samples, patients)


def test_a_source_that_breaks_ends_the_run_in_one_line(tmp_path):
    class Broken:
        name, kind = "broken", "genome"

        def matches(self, path):
            return True

        def read(self, paths, request):
            raise ZeroDivisionError("oops")

    from pmed.plugins import Component
    file = tmp_path / "x.vcf"
    file.write_text("x")
    component = Component("broken", Broken(), "stranger", "2.0")
    with pytest.raises(InputError, match="the broken source of stranger 2.0 broke: ZeroDivisionError"):
        read([component], "genome", [file], None)
    with pytest.raises(GenomeError, match="no such file"):
        read([component], "genome", [tmp_path / "none.vcf"], None)
    with pytest.raises(GenomeError, match="is a folder"):
        read([component], "genome", [tmp_path], None)
    with pytest.raises(GenomeError, match="no genome source reads this file"):
        read([], "genome", [file], None)


@pytest.mark.parametrize(("held", "said"), [
    (b"", "is empty"), (b" " * 100_000, "begins with blanks only"), (b"x", "no history source reads this file")])
def test_a_source_that_reads_anything_does_not_say_what_a_file_is(tmp_path, held, said):
    class Anything:
        name, kind, anything = "anything", "outside-calls", True

        def matches(self, path):
            return True

    file = tmp_path / "x.json"
    file.write_bytes(held)
    with pytest.raises(HistoryError, match=said):
        read([Component("anything", Anything(), "stranger", "2.0")], "history", [file], None)


class Weights:
    """A source of somebody else, which says nothing of the day of the question."""

    name, kind = "weights", "history"
    entries: ClassVar = [{"patient_id": "a", "row": 1, "start": date(2025, 3, 1)}]
    day: ClassVar = None

    def matches(self, path):
        return True

    def read(self, paths, request):
        people = [{"patient_id": "a", "birth_date": date(1965, 3, 1), "index_date": self.day}]
        return {"patients": TABLES["patients"].frame(people),
                "observations": TABLES["observations"].frame(self.entries)}


@pytest.mark.parametrize(("changed", "asked", "day", "told"), [
    ({}, "", date(2025, 3, 1), [("info", "no index date was asked for; the last entry of the record, 2025-03-01, is "
                                 "used")]),
    ({}, "2024-01-01", date(2024, 1, 1), []), ({"day": date(2020, 1, 1)}, "", date(2020, 1, 1), []),
    ({"entries": []}, "", None, [("warning", "no index date was asked for and the record has no dated entry; age stays "
                                 "unknown")])])
def test_a_source_need_not_say_the_day_of_the_question(tmp_path, changed, asked, day, told):
    file = tmp_path / "w"
    file.write_text("x")
    source = Component("weights", type("Changed", (Weights,), changed)(), "other", "1")
    made = read([source], "history", [file], ReadRequest(TABLES["sites"].empty(), index_date=asked))
    assert made["patients"]["index_date"].to_list() == [day]
    assert made["issues"].select("severity", "text").rows() == told
    assert set(made["issues"]["file"]) <= {str(file)}


@pytest.mark.parametrize(("name", "kind", "error", "message"), [
    ("stent.json", "genome", GenomeError, r"is a patient record, not a genome \(give it as .*history=FILE\)"),
    ("stent.vcf", "history", HistoryError, r"is a genome, not a patient record \(give it as .*pmed report FILE")])
def test_a_file_of_another_kind_is_told_what_it_is(root, name, kind, error, message):
    sources = Plugins().load(only=()).components("register_sources")
    with pytest.raises(error, match=message):
        read(sources, kind, [root / "pmed/demo" / name], None)


@pytest.mark.parametrize(("hook", "base", "change", "message"), [
    ("register_predictors", ToyPredictor, {"needs": None}, "`needs` must be a tuple of names"),
    ("register_predictors", ToyPredictor, {"needs": ("patient_id",)}, "must not name patient_id"),
    ("register_predictors", ToyPredictor, {"card": None}, "`card` must be a pmed.Card"),
    ("register_predictors", ToyPredictor, {"kind": "magic"}, "`kind` must be one of"),
    ("register_predictors", ToyPredictor, {"predict": None}, "has no method predict"),
    ("register_features", ToyStep, {"gives": None}, "`gives` must be a tuple of names"),
    ("register_advisers", ToyAdviser, {"advise": None}, "has no method advise"),
])
def test_a_component_of_the_wrong_shape_is_left_out(hook, base, change, message):
    whole, _ = run()
    made, failures = run(plugin(**{hook: [type("Odd", (base,), {"name": "odd", **change})]}))
    assert [(failure.plugin, failure.stage) for failure in failures] == [("other0", "build")]
    assert message in failures[0].message
    assert made["suggestions"].equals(whole["suggestions"])


def test_a_release_of_the_wrong_shape_is_left_out():
    from pmed import Release

    good = Release("good", "1", "2026-01-01", "CC0-1.0", "x", "0" * 64)
    odd = [Release("odd", 1, "2026-01-01", "CC0-1.0", "x", "0"),
           Release("names", "1", "d", "l", "s", "h", tables={"drug_names": pl.DataFrame({"x": [1]})})]
    plugins = Plugins().load(only=())
    plugins.add(plugin(register_knowledge=[good, *odd]), "p", "1")
    assert [one.name for one in plugins.releases()] == ["pmed-drugs", "good"]
    assert [failure.component for failure in plugins.failures] == ["odd", "names"]


class Spoiler(ToyAdviser):
    name = "spoiler"

    def advise(self, given):
        given["predictions"].drop_in_place("value")
        given["features"][0, "patient_id"] = "nobody"
        given.clear()
        return suggestion([])


def test_what_a_component_does_to_its_tables_stays_with_it():
    @hookimpl
    def check_suggestions(suggestions, tables):
        suggestions[0, "text"] = "fine"
        tables.clear()

    whole, _ = run()
    made, _ = run(plugin(register_advisers=[Spoiler]), SimpleNamespace(check_suggestions=check_suggestions))
    for name in ("predictions", "features", "suggestions"):
        assert made[name].equals(whole[name])


class Leaving(ToyPredictor):
    name = "leaving"
    gives = ("leaving",)

    def predict(self, features):
        raise SystemExit(0)


def test_a_predictor_that_exits_costs_only_its_own_rows():
    made, failures = run(plugin(register_predictors=[Leaving]))
    assert [(failure.plugin, failure.error) for failure in failures] == [("other0", "SystemExit")]
    assert set(made["predictions"]["predictor"]) == {"toy"}


class One(ToyStep):
    name = "one"
    needs = ("two:x",)
    gives = ("one:x",)


class Two(ToyStep):
    name = "two"
    needs = ("one:x",)
    gives = ("two:x",)


def test_steps_that_need_each_other_are_left_out_and_the_rest_runs():
    made, failures = run(plugin(register_features=[One, Two]))
    assert {failure.component for failure in failures} == {"one", "two"}
    assert made["predictions"]["status"].to_list() == ["assessed"] * 2


@pytest.mark.parametrize(("change", "message"), [
    ({"concern": 9.0}, "outside 0 to 4"), ({"action": "standard"}, "standard use with a concern"),
    ({"patient_id": "nobody"}, "patients that this run does not have")])
def test_a_suggestion_that_contradicts_itself_is_not_kept(change, message):
    class Wild(ToyAdviser):
        name = "wild"

        def advise(self, given):
            return suggestion(["p0"], **{"drug": "other", **change})

    made, failures = run(plugin(register_advisers=[Wild]))
    assert message in failures[0].message
    assert set(made["suggestions"]["drug"]) == {"aspirin"}


def test_a_drug_is_current_if_one_adviser_says_so():
    both = pl.concat([suggestion(["p"], current=False, urgency="routine", dose_factor=0.5, adviser="a"),
                      suggestion(["p"], current=True, urgency="soon", adviser="b")]).with_columns(adviser=pl.lit("a"))
    row = join_sources(both).row(0, named=True)
    assert (row["current"], row["urgency"], row["dose_factor"]) == (True, "soon", 0.5)


def test_two_samples_of_one_patient_are_not_mixed():
    with pytest.raises(InputError, match="two samples for one patient 'p'"):
        joined(["s", "t"], ["p"], {"s": "p", "t": "p"})


@pytest.mark.parametrize(("name", "held", "said"), [
    ("labs.csv", b"id;x", "a table is read by a mapping file, which is given in its place: pmed history --template"),
    ("labs.XLSX", b"PK", "pmed history --template NAME.mapping.toml"),
    ("record.json", "{}".encode("utf-16"), "it is text in UTF-16: save it as UTF-8")])
def test_a_record_that_no_source_reads_says_what_to_do(tmp_path, name, held, said):
    (tmp_path / name).write_bytes(held)
    with pytest.raises(HistoryError) as caught:
        read([], "history", [tmp_path / name], None)
    assert said in str(caught.value)


def test_a_folder_of_tables_names_its_mapping(tmp_path):
    (tmp_path / "lab.mapping.toml").write_text("")
    with pytest.raises(HistoryError) as caught:
        read([], "history", [tmp_path], None)
    assert f"give {tmp_path / 'lab.mapping.toml'}" in str(caught.value)


def test_an_explainer_that_returns_no_frame_is_told():
    from pmed.stages.explain import _explain

    class Silent:
        def explain(self, predictor, features, rows):
            return None

    with pytest.raises(TableError, match=r"explain\(\) must return a polars DataFrame. Got NoneType"):
        _explain(Silent(), None, pl.DataFrame(), pl.DataFrame())

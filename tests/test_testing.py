"""The checks of ``pmed.testing`` see what they look for: for each, a small plugin that breaks that promise only."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import polars as pl
import pytest

from pmed import TABLES, Card, Release, hookimpl, option, verdicts
from pmed.errors import InputError, PluginError
from pmed.testing import Check, checks_of, parametrize_with_checks, run_checks
from tests.toy import ToyPredictor, plugin, suggestion

SITE = "genotype:rs9923231"
REFERENCE = {"weight": 70.0, SITE: "C/C", "ward": "north"}
CARD = Card("1.0", "Dose.", "Tests.", "Nobody.", ("PMID:1",), "mg", (0.0, 1000.0))


@dataclass(frozen=True)
class Dose:
    """A dose by weight and genotype."""

    name: ClassVar[str] = "dose"
    kind: ClassVar[str] = "treatment-response"
    needs: ClassVar[tuple[str, ...]] = ("weight", "ward")
    wants: ClassVar[tuple[str, ...]] = (SITE,)
    gives: ClassVar[tuple[str, ...]] = ("dose",)
    card: ClassVar[Card] = CARD
    slope: float = option(1.0, doc="mg a kg.", low=0.5, high=2.0)

    def reference(self, target: str) -> dict[str, Any]:
        return REFERENCE

    def value(self, frame: pl.DataFrame) -> pl.Expr:
        return pl.col("weight") * self.slope * pl.col(SITE).replace_strict({"C/C": 1.0, "C/T": 0.5}, default=None)

    def reason(self) -> pl.Expr:
        odd = pl.when(~pl.col(SITE).is_in(["C/C", "C/T"])).then(pl.lit("another genotype"))
        return verdicts.all_reasons(verdicts.needs([*self.needs, SITE]), odd)

    def predict(self, features: pl.DataFrame) -> pl.DataFrame:
        frame = verdicts.inputs(features, REFERENCE)
        return verdicts.predictions(frame, target="dose", value=self.value(features), unit="mg", reason=self.reason())


class Good(Dose):
    pass


def variant(**changed: Any) -> type[Dose]:
    """The good predictor with other attributes or methods."""
    return type("Variant", (Dose,), changed)


def predict_with(change: Any) -> type[Dose]:
    """The good predictor whose answer goes through `change(answer, features)`."""
    return variant(predict=lambda self, features: change(Dose.predict(self, features), features))


def card(**changed: Any) -> type[Dose]:
    return variant(card=replace(CARD, **changed))


def one_unknown(rows: pl.DataFrame) -> pl.DataFrame:
    """The value of whoever comes first, changed."""
    return rows.with_columns(value=pl.when(pl.int_range(pl.len()) == 0).then(pl.col("value") + 1)
                             .otherwise(pl.col("value")))


def spoilt(features: pl.DataFrame) -> None:
    if features.height:
        features[0, "weight"] = 71.0


def unguarded_null() -> type[Dose]:
    """Reads an unknown genotype as C/C."""
    def value(self, frame):
        return pl.col("weight") * pl.col(SITE).replace_strict({"C/T": 0.5}, default=1.0)

    return variant(value=value, reason=lambda self: verdicts.needs(self.needs))


def knows(pair: str, **more: Any) -> type[Dose]:
    """Knows this genotype of a het, and no other; the reference is given by it."""
    def value(self, frame):
        factor = pl.col(SITE).replace_strict({"C/C": 1.0, "T/T": 0.2, pair: 0.5}, default=None)
        return pl.col("weight") * self.slope * factor

    return variant(**{"value": value, "reason": lambda self: verdicts.needs([*self.needs, SITE]),
                      "reference": lambda self, target: {**REFERENCE, SITE: pair}, **more})


def guesses() -> type[Dose]:
    """Takes 70 kg where no weight is known, and says so of a patient of whom something else is known."""
    def predict(self, features):
        frame = features.with_columns(pl.when(pl.col("ward").is_not_null()).then(
            pl.col("weight").cast(pl.Float64).fill_null(70.0)).alias("weight"))
        return Dose.predict(self, frame)

    return variant(predict=predict)


def from_nothing() -> type[Dose]:
    def predict(self, features):
        filled = features.with_columns(pl.col(name).fill_null(value) for name, value in REFERENCE.items())
        return Dose.predict(self, filled)

    return variant(needs=(), wants=tuple(REFERENCE), predict=predict)


def reads_undeclared() -> type[Dose]:
    def predict(self, features):
        factor = pl.col("age").cast(pl.Float64).fill_null(1.0) if "age" in features.columns else pl.lit(1.0)
        rows = Dose.predict(self, features)
        return rows.with_columns(value=pl.col("value") * pl.Series(features.select(factor).to_series()))

    return variant(predict=predict)


class Wrong:
    """Explains by something that nobody declared."""

    name = "wrong"

    def explain(self, predictor, features, predictions):
        return predictions.select(
            "patient_id", "target", feature=pl.lit("the moon"), value=pl.lit("full"), reference=pl.lit("new"),
            contribution=pl.col("value"), baseline=pl.lit(0.0), prediction=pl.col("value"), unit="unit",
            method=pl.lit("astrology"))


def breaks_on_text() -> type[Dose]:
    def predict(self, features):
        if "script" in "".join(features["ward"].cast(pl.String).fill_null("")):
            raise ValueError("what is this?")
        return Dose.predict(self, features)

    return variant(predict=predict)


def calls(work: Any) -> type[Dose]:
    """Does something else besides, and hides what comes of it."""
    def predict(self, features):
        with suppress(OSError):
            work()
        return Dose.predict(self, features)

    return variant(predict=predict)


def undocumented() -> type:
    made = type("Undocumented", (Dose,), {"__annotations__": {"extra": float}, "extra": 1.0})
    return dataclass(frozen=True)(made)


def loose() -> type:
    return type("Loose", (Dose,), {"__dataclass_params__": SimpleNamespace(frozen=False)})


SEEN: list[int] = []


BAD_PREDICTORS = {
    "card_is_complete": card(intended_use=" "),
    "reference_is_declared": variant(reference=lambda self, target: {**REFERENCE, "moon": 1.0}),
    "output_is_sound": predict_with(lambda rows, _: rows.with_columns(value=pl.col("value") * 1e6)),
    "reads_only_what_it_declares": reads_undeclared(),
    "missing_input_is_not_assessed": guesses(),
    "nothing_known_is_not_assessed": from_nothing(),
    "null_genotype_is_not_reference": unguarded_null(),
    "batch_equals_one_by_one": predict_with(lambda rows, _: rows.with_columns(value=pl.col("value") + rows.height)),
    "order_and_chunks_do_not_matter": predict_with(lambda rows, _: one_unknown(rows)),
    "is_deterministic": predict_with(lambda rows, _: rows.with_columns(value=pl.col("value") + random.random())),
    "input_is_not_changed": predict_with(lambda rows, features: (spoilt(features), rows)[1]),
    "empty_frame": predict_with(lambda rows, features: rows.with_columns(extra=pl.lit(1)) if features.height else rows),
    "can_be_written": predict_with(lambda rows, _: rows.with_columns(
        low=pl.when(status="assessed").then(float("-inf")))),
    "hostile_text": breaks_on_text(),
    "options": undocumented(),
    "inputs_exist": variant(wants=(SITE, "on:lisinoprill")),
    "values_are_written_as_given": knows("T/C"),
}


@parametrize_with_checks(plugin(register_predictors=[Good]))
def test_a_good_predictor_passes(check: Check) -> None:
    check()


def failed(*modules: Any) -> dict[str, str]:
    """Failed checks of a plugin, by promise, with their messages."""
    return {one.check.partition(".")[2]: one.message for module in modules for one in run_checks(module)
            if not one.is_good}


@pytest.mark.parametrize("promise", BAD_PREDICTORS)
def test_a_predictor_that_breaks_a_promise_is_caught(promise: str) -> None:
    assert promise in failed(plugin(register_predictors=[BAD_PREDICTORS[promise]]))


@pytest.mark.parametrize(("pair", "message"), [
    ("T/C", "reference('dose'): 'genotype:rs9923231' is never 'T/C', it is written 'C/T'"),
    ("C/G", "reference('dose'): genotype:rs9923231: must be two of the alleles C, T. Got 'C/G'")])
def test_an_allele_pair_that_no_genome_gives_is_named(pair: str, message: str) -> None:
    assert message in failed(plugin(register_predictors=[knows(pair)]))["values_are_written_as_given"]


def test_what_no_genome_gives_is_named_in_an_example_too() -> None:
    said = failed(plugin(register_predictors=[variant(examples=lambda self: [{**REFERENCE, SITE: "T/C"}])]))
    assert "examples()[0]: 'genotype:rs9923231' is never 'T/C'" in said["values_are_written_as_given"]


def test_a_predictor_is_tried_on_pairs_as_genomes_give_them() -> None:
    """One that knows the het only the other way round has no value for a real one."""
    backwards = knows("T/C", reference=lambda self, target: REFERENCE)
    assert "dose is None, outside" in failed(plugin(register_predictors=[backwards]))["output_is_sound"]


@pytest.mark.parametrize(("changed", "message"), [
    ({"references": ()}, "references is empty"), ({"references": ("word",)}, "'word' is no PMID"),
    ({"range": (0.0, float("inf"))}, "must be finite"), ({"unit": ""}, "card.unit is empty"),
    ({"raised": 2000.0}, "card.raised must be a value of the range"),
    ({"populations": ""}, "card.populations is empty")])
def test_each_gap_of_a_card_is_named(changed: dict[str, Any], message: str) -> None:
    assert message in failed(plugin(register_predictors=[card(**changed)]))["card_is_complete"]


@pytest.mark.parametrize(("change", "message"), [
    (lambda rows: rows.with_columns(unit=pl.lit("g")), "unit 'g' is not the card's 'mg'"),
    (lambda rows: rows.with_columns(value=pl.lit(float("nan"))), "outside the card's range"),
    (lambda rows: rows.with_columns(low=pl.col("value") + 1), "outside its own interval"),
    (lambda rows: rows.head(1), "expected")])
def test_each_fault_of_an_answer_is_named(change: Any, message: str) -> None:
    bad = predict_with(lambda rows, _: change(rows))
    assert message in failed(plugin(register_predictors=[bad]))["output_is_sound"]


def test_an_explanation_by_something_else_is_caught() -> None:
    bad = SimpleNamespace(register_predictors=hookimpl(lambda: [Good]), choose_explainer=hookimpl(
        lambda predictor: Wrong()))
    assert "the moon" in failed(bad)["explanation_is_of_declared_inputs"]


def test_an_explanation_that_does_not_add_up_is_caught() -> None:
    class Half(Wrong):
        def explain(self, predictor, features, predictions):
            return super().explain(predictor, features, predictions).with_columns(feature=pl.lit("weight"),
                                                                                  contribution=pl.col("prediction") / 2)

    bad = SimpleNamespace(register_predictors=hookimpl(lambda: [Good]), choose_explainer=hookimpl(
        lambda predictor: Half()))
    assert "adds up to" in failed(bad)["explanation_adds_up"]


def either() -> type[Dose]:
    """On one of two medicines: one that is taken is enough to know; that none is needs both."""
    both = {"on:warfarin": False, "on:aspirin": False}

    def predict(self, features):
        frame = verdicts.inputs(features, both)
        taken = pl.col("on:warfarin") | pl.col("on:aspirin")
        reason = pl.when(taken.is_null()).then(pl.lit("needs on:warfarin or on:aspirin"))
        return verdicts.predictions(frame, target="dose", value=taken.cast(pl.Float64), unit="mg", reason=reason)

    return variant(needs=(), wants=tuple(both), reference=lambda self, target: both, predict=predict)


def test_a_mixture_that_is_undecided_is_caught_and_how_to_mend_it_is_said() -> None:
    messages = failed(plugin(register_predictors=[either()]))
    assert messages.keys() == {"mixtures_are_assessed"}
    message = messages["mixtures_are_assessed"]
    assert "a patient with on:aspirin unknown is assessed, and mixed with the reference patient is not (" in message
    assert "register_features" in message


def test_who_explains_alone_may_leave_mixtures_undecided() -> None:
    class Whole(Wrong):
        def explain(self, predictor, features, predictions):
            return super().explain(predictor, features, predictions).with_columns(feature=pl.lit("on:warfarin"))

    own = SimpleNamespace(register_predictors=hookimpl(lambda: [either()]), choose_explainer=hookimpl(
        lambda predictor: Whole()))
    assert failed(own) == {}


def test_many_inputs_need_an_explainer_of_their_own() -> None:
    many = {f"input:{number}": 1.0 for number in range(13)}
    wide = variant(wants=(SITE, *many), reference=lambda self, target: {**REFERENCE, **many})
    assert "names 16 inputs, expected 1 to 12" in failed(plugin(register_predictors=[wide]))["reference_is_declared"]
    own = SimpleNamespace(register_predictors=hookimpl(lambda: [wide]), choose_explainer=hookimpl(
        lambda predictor: Wrong()))
    assert "reference_is_declared" not in failed(own)


def test_a_mutable_component_is_caught() -> None:
    assert "must be frozen" in failed(plugin(register_predictors=[loose()]))["options"]


def test_an_option_that_takes_anything_is_caught() -> None:
    @dataclass(frozen=True)
    class Deaf(Dose):
        word: Any = option("a", doc="A word.", choices=("a", "b", "no-such-option"))  # noqa: RUF009 - as a plugin has it

    assert "no-such-option" in failed(plugin(register_predictors=[Deaf]))["options"]


@pytest.mark.parametrize("work", [
    lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    lambda: urllib.request.urlopen("http://127.0.0.1:9/", timeout=1),
    lambda: socket.getaddrinfo("localhost", 80),
    lambda: __import__("subprocess").run(["true"], check=False)])
def test_reaching_out_is_refused_and_caught_though_it_is_hidden(work: Any) -> None:
    assert "reaches out" in failed(plugin(register_predictors=[calls(work)]))["reaches_nowhere"]


@pytest.mark.parametrize("relative", [True, False])
def test_writing_is_refused_and_caught_though_it_is_hidden(tmp_path: Path, relative: bool) -> None:
    target = Path("written.txt") if relative else tmp_path / "written.txt"
    messages = failed(plugin(register_predictors=[calls(lambda: target.write_text("x"))]))
    assert "written.txt" in messages["writes_nowhere"]
    Path("written.txt").unlink(missing_ok=True)  # other checks run without the guard


def test_writing_past_python_is_caught_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    messages = failed(plugin(register_predictors=[calls(lambda: pl.DataFrame({"a": [1]}).write_csv("past.csv"))]))
    assert "past.csv" in messages["writes_nowhere"]


def test_a_temporary_file_is_allowed() -> None:
    def work():
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x")

    assert failed(plugin(register_predictors=[calls(work)])) == {}


def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> str:
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


SLOW = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"


@pytest.mark.parametrize(("code", "message"), [
    (SLOW, "its import takes"),
    ("import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    pass\n", "reaches out"),
    ("try:\n    open('/tmp/x/written', 'w')\nexcept OSError:\n    pass\n", "writes when it is imported"),
    ("import sys\nif 'pytest' not in sys.modules: raise RuntimeError('alone')\n", "in a process of its own")])
def test_an_import_that_takes_long_or_touches_something_is_caught(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str) -> None:
    name = module(tmp_path, monkeypatch, f"imported_{abs(hash(message))}", code)
    assert message in failed(name)["imports_quickly"]
    sys.modules.pop(name, None)


def test_components_that_do_not_load_are_caught() -> None:
    assert "has no name" in failed(plugin(register_predictors=[SimpleNamespace()]))["loads"]


@pytest.mark.parametrize("column", ["status", "label"])
def test_a_column_that_is_left_out_is_told_once_with_what_makes_it(column: str) -> None:
    bad = predict_with(lambda rows, _: rows.drop(column))
    said = failed(plugin(register_predictors=[bad]))
    assert f"predictions.{column} is missing (pmed.verdicts.predictions makes them all" in said["can_be_tried"]
    assert set(said.values()) == {said["can_be_tried"], "can_be_tried comes first"}


@pytest.mark.parametrize(("modifiable", "message"), [
    (("wieght",), "`card.modifiable` names 'wieght', which is not in `needs` or `wants` (did you mean 'weight'?)"),
    (("smoker",), "is not in `needs` or `wants` (there are: weight, ward, genotype:rs9923231)"),
    ("weight", "`card.modifiable` must be a tuple of names")])
def test_what_can_be_changed_is_an_input(modifiable: Any, message: str) -> None:
    assert message in failed(plugin(register_predictors=[card(modifiable=modifiable)]))["loads"]
    assert failed(plugin(register_predictors=[card(modifiable=("weight",))])) == {}


def test_a_package_that_brings_nothing_is_caught() -> None:
    assert "is @hookimpl missing" in failed(SimpleNamespace(register_predictors=lambda: [ToyPredictor]))["loads"]


def test_a_name_that_an_installed_plugin_has_is_caught() -> None:
    class Taken(ToyPredictor):
        name = "findrisc"

    assert "'findrisc' is already registered by pmed-risk" in failed(
        plugin(register_predictors=[dataclass(frozen=True)(Taken)]))["loads"]


def test_there_must_be_such_a_package() -> None:
    with pytest.raises(PluginError, match="no plugin 'no-such-plugin' is installed"):
        checks_of("no-such-plugin")
    with pytest.raises(PluginError, match="did you mean 'pmed-risk'"):
        checks_of("pmed-rsik")


def test_a_step_may_need_features_of_others() -> None:
    """As one that makes one feature of two medicines."""
    def either(self, tables, wanted):
        taken = pl.any_horizontal("on:aspirin", "on:warfarin")
        return {"features": tables["features"].select("patient_id", letters=taken.cast(pl.Float64))}

    assert failed(plugin(register_features=[made(Names, needs=("on:aspirin", "on:warfarin"), run=either)])) == {}


def test_what_breaks_is_no_reaching_out() -> None:
    def breaks(self, tables, wanted):
        raise ValueError("boom")

    said = failed(plugin(register_features=[made(Names, run=breaks)]))
    assert {"reaches_nowhere", "writes_nowhere"}.isdisjoint(said)


def test_what_is_left_out_is_told_when_a_missing_input_gives_an_unsound_row() -> None:
    bare = variant(reason=lambda self: pl.when(~pl.col(SITE).is_in(["C/C", "C/T"]).fill_null(value=False)).then(
        pl.lit("another genotype, or none")))
    messages = failed(plugin(register_predictors=[bare]))
    assert "without weight: " in messages["missing_input_is_not_assessed"]


def wrong_argument() -> type[Dose]:
    def predict(self, features):
        return verdicts.predictions(features, target="dose", value=pl.col("weight"), units="mg", reason=self.reason())

    return variant(predict=predict)


def test_one_cause_is_told_first_and_once() -> None:
    outcomes = [one for one in run_checks(plugin(register_predictors=[wrong_argument()])) if one.status != "passed"]
    assert [one.status for one in outcomes] == ["failed", *["not-run"] * (len(outcomes) - 1)]
    assert len(outcomes) > 10
    first = outcomes[0]
    assert first.check == "dose.can_be_tried"
    assert first.message.startswith("predict() fails: TypeError: predictions() got an unexpected keyword argument")
    assert "[test_testing.py:" in first.message
    assert {one.message for one in outcomes[1:]} == {"can_be_tried comes first"}
    assert not any(one.is_good for one in outcomes)


def test_the_same_reason_is_not_told_twice_of_a_step() -> None:
    def fails(self, tables, wanted):
        raise ValueError("boom")

    said = failed(plugin(register_features=[made(Names, run=fails)]))
    assert [promise for promise, message in said.items() if "boom" in message] == ["step_is_sound"]
    assert said["step_one_by_one"] == "names.step_is_sound comes first: it fails for the same reason"


@pytest.mark.parametrize(("changed", "message"), [
    ({"reference": lambda self, target: {**REFERENCE, "weight": None}, "examples": lambda self: [{"weight": None}]},
     "the reference patient is not assessed: needs weight"),
    ({"predict": lambda self, features: Dose.predict(self, features).with_columns(
        value=None, status=pl.lit("not-assessed"), reason=pl.lit("no"))}, "the reference patient is not assessed: no;"),
    ({"reference": lambda self, target: 1 / 0}, "`reference` or `examples` fails: ZeroDivisionError"),
    ({"needs": ("weight", "ward", "x"), "reason": lambda self: verdicts.needs(["nothing"])}, "predict() fails: ")])
def test_what_cannot_be_tried_says_why(changed: dict[str, Any], message: str) -> None:
    assert message in failed(plugin(register_predictors=[variant(**changed)]))["can_be_tried"]


def test_in_pytest_what_cannot_be_made_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from pmed.testing import parametrize_with_checks\nfrom tests.test_testing import wrong_argument\n"
        "from tests.toy import plugin\n\n@parametrize_with_checks(plugin(register_predictors=[wrong_argument()]))\n"
        "def test_conformance(check):\n    check()\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "test_it.py")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parents[1])])}
    said = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=tmp_path).stdout
    assert re.search(r"\n1 failed, \d+ passed, 1\d skipped", said), said


# Expected failures

def expecting(reasons: dict[str, str], made: type = BAD_PREDICTORS["card_is_complete"]) -> SimpleNamespace:
    return SimpleNamespace(**vars(plugin(register_predictors=[made])), EXPECTED_FAILURES=reasons)


def test_an_expected_failure_is_told_with_its_reason() -> None:
    said = {one.check: one for one in run_checks(expecting({"dose.card_is_complete": "It is a test."}))}
    mine = said["dose.card_is_complete"]
    assert (mine.status, mine.message) == ("expected", "It is a test.")
    assert all(one.is_good for one in said.values())


def test_an_expected_failure_that_passes_is_a_failure() -> None:
    said = {one.check: one.status for one in run_checks(expecting({"dose.card_is_complete": "It is a test."}, Good))}
    assert said["dose.card_is_complete"] == "stale"


@pytest.mark.parametrize(("reasons", "promise"), [
    ({"dose.card_is_complete": ""}, "expected_failures_are_named"),
    ({"dose.cart": "It is a test."}, "expected_failures_exist")])
def test_an_expected_failure_must_have_a_reason_and_a_check(reasons: dict[str, str], promise: str) -> None:
    assert promise in failed(expecting(reasons))


def test_expected_failures_are_strict_xfails_in_pytest() -> None:
    mark = parametrize_with_checks(expecting({"dose.card_is_complete": "It is a test."}))
    [param] = [one for one in mark.args[1] if one.marks]
    assert (param.id, param.marks[0].name, param.marks[0].kwargs) == (
        "dose.card_is_complete", "xfail", {"strict": True, "reason": "It is a test."})


# Other components

@dataclass(frozen=True)
class Lines:
    """Patients as lines of a file."""

    name: ClassVar[str] = "lines"
    kind: ClassVar[str] = "history"

    def matches(self, path: Path) -> bool:
        return path.suffix == ".lines"

    def examples(self) -> dict[str, bytes]:
        return {"two.lines": b"anna\nbert\n"}

    def read(self, paths: Any, request: Any) -> dict[str, pl.DataFrame]:
        try:
            names = [line for path in paths for line in path.read_text("utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError("cannot be read", where=str(paths[0])) from error
        return {"patients": TABLES["patients"].frame({"patient_id": one} for one in names)}


@dataclass(frozen=True)
class Names:
    """How long a patient's name is."""

    name: ClassVar[str] = "names"
    needs: ClassVar[tuple[str, ...]] = ("patients",)
    gives: ClassVar[tuple[str, ...]] = ("letters",)

    def run(self, tables: Any, wanted: Any) -> dict[str, pl.DataFrame]:
        return {"features": tables["features"].select("patient_id", letters=pl.col("patient_id").str.len_chars().cast(
            pl.Float64))}


@dataclass(frozen=True)
class Advice:
    """Adjust aspirin."""

    name: ClassVar[str] = "advice"
    needs: ClassVar[tuple[str, ...]] = ("predictions",)

    def advise(self, given: Any) -> pl.DataFrame:
        rows = given["predictions"].filter(predictor="dose", status="assessed")
        return suggestion(rows["patient_id"].unique(maintain_order=True).to_list())


@dataclass(frozen=True)
class Findings:
    """What was diagnosed."""

    name: ClassVar[str] = "findings"
    title: ClassVar[str] = "Findings"
    needs: ClassVar[tuple[str, ...]] = ("conditions",)

    def render(self, tables: Any, patient_id: str) -> Any:
        return {"conditions": tables["conditions"]["display"].to_list()}


@dataclass(frozen=True)
class Page:
    """A page of medicines."""

    name: ClassVar[str] = "page"
    suffix: ClassVar[str] = ".html"

    def export(self, result: Any) -> bytes:
        from html import escape

        return "".join(f"<p>{escape(one or '')}</p>" for one in result.tables["medications"]["display"]).encode()


@dataclass(frozen=True)
class Learned:
    """A model that brings no file."""

    name: ClassVar[str] = "learned"

    def read(self, path: Path) -> Any:
        raise InputError("is no cohort", where=str(path))

    def train(self, cohort: Any) -> Any:
        return None

    def evaluate(self, model: Any, cohort: Any) -> dict[str, Any]:
        return {}

    def shipped(self) -> Path | None:
        return None


FACTS = Release("facts", "1", "2026-01-31", "CC0-1.0", "PMID:1", "0" * 64)
GOOD = plugin(register_sources=[Lines], register_features=[Names], register_predictors=[Good],
              register_advisers=[Advice], register_sections=[Findings], register_exporters=[Page],
              register_models=[Learned], register_knowledge=[FACTS])


@parametrize_with_checks(GOOD)
def test_good_components_of_every_kind_pass(check: Check) -> None:
    check()


def made(base: type, **changed: Any) -> type:
    return type(base.__name__, (base,), changed)


def shifting(self, tables, wanted):
    SEEN.append(1)
    return {"features": tables["features"].select("patient_id", letters=pl.lit(float(len(SEEN))))}


def counting(self, tables, wanted):
    return {"features": tables["features"].select("patient_id", letters=pl.lit(float(tables["features"].height)))}


def needs_somebody(self, tables, wanted):
    tables["features"]["patient_id"].to_list()[0]
    return Names.run(self, tables, wanted)


def meddling(self, tables, wanted):
    tables["more"] = tables["features"]
    return Names.run(self, tables, wanted)


def raw(self, tables, patient_id):
    return "".join(f"<p>{one}</p>" for one in tables["conditions"]["display"])


def raw_page(self, result):
    return "".join(f"<p>{one}</p>" for one in result.tables["medications"]["display"]).encode()


def counted(self, *_):
    SEEN.append(1)
    return {"n": len(SEEN)}


BAD_COMPONENTS = {
    "source_reads_its_example": ("register_sources", made(Lines, matches=lambda self, path: False)),
    "source_refuses_clearly": ("register_sources", made(Lines, read=lambda self, paths, request: {
        "patients": TABLES["patients"].frame({"patient_id": one} for one in paths[0].read_text("utf-8").split())})),
    "step_needs_exist": ("register_features", made(Names, needs=("observation:2823-4",))),
    "step_is_sound": ("register_features", made(Names, run=shifting)),
    "step_one_by_one": ("register_features", made(Names, run=counting)),
    "step_without_patients": ("register_features", made(Names, run=needs_somebody)),
    "step_does_not_change_its_input": ("register_features", made(Names, run=meddling)),
    "section_is_sound": ("register_sections", made(Findings, render=counted)),
    "section_escapes": ("register_sections", made(Findings, render=raw)),
    "exporter_is_sound": ("register_exporters", made(Page, export=lambda self, result: str(counted(self)).encode())),
    "exporter_without_patients": ("register_exporters", made(
        Page, export=lambda self, result: result.tables["medications"]["display"].to_list()[0].encode())),
    "exporter_escapes": ("register_exporters", made(Page, export=raw_page)),
    "model_ships_what_it_says": ("register_models", made(Learned, shipped=lambda self: Path("/no/such/folder"))),
    "release_is_described": ("register_knowledge", replace(FACTS, date="yesterday")),
}


@pytest.mark.parametrize("promise", BAD_COMPONENTS)
def test_a_component_that_breaks_a_promise_is_caught(promise: str) -> None:
    hook, bad = BAD_COMPONENTS[promise]
    assert promise in failed(plugin(**{hook: [bad]}))


def test_a_source_without_an_example_is_told_to_bring_one() -> None:
    bad = type("Bare", (), {name: value for name, value in vars(Lines).items() if name != "examples"})
    assert "examples()" in failed(plugin(register_sources=[bad]))["source_reads_its_example"]


@pytest.mark.parametrize(("advise", "message"), [
    (lambda self, given: suggestion(["stranger"]), "patients that this run does not have"),
    (lambda self, given: Advice.advise(self, given).with_columns(concern=pl.lit(9.0)), "outside 0 to 4"),
    (lambda self, given: suggestion(given["features"]["patient_id"].to_list()).with_columns(
        drug=pl.lit(f"{len(SEEN)}-{counted(None)}")), "other suggestions")])
def test_advice_that_breaks_a_promise_is_caught(advise: Any, message: str) -> None:
    bad = plugin(register_predictors=[Good], register_advisers=[made(Advice, advise=advise)])
    assert message in failed(bad)["adviser_is_sound"]


def test_every_check_is_proven() -> None:
    """Each promise that there is stands in one of the tests above."""
    source = Path(__file__).read_text(encoding="utf-8")
    promises = {check.promise for check in checks_of(GOOD)}
    assert not {promise for promise in promises if f'"{promise}"' not in source}

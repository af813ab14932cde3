"""Plugins are found, kept apart from each other, and listed with what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import ClassVar

import pytest

from pmed import Release, hookimpl, option
from pmed.errors import HistoryError, OptionError, PluginError
from pmed.plugins import HOOKS, Component, Plugins


def named(name):
    return SimpleNamespace(name=name)


def plugin(**hooks):
    """A plugin object with these hook implementations."""
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


@pytest.fixture
def plugins() -> Plugins:
    return Plugins().load(only=())


def test_the_hooks_are_those_of_the_hookspecs():
    assert set(HOOKS) == {
        "register_sources", "register_knowledge", "register_features", "register_predictors", "choose_explainer",
        "register_advisers", "check_suggestions", "register_sections", "register_exporters",
        "register_commands", "register_models", "register_scorers"}


def test_a_raising_registration_costs_only_its_plugin(plugins):
    def broken():
        raise RuntimeError("boom")

    plugins.add(plugin(register_predictors=broken), "bad", "0.1")
    plugins.add(plugin(register_predictors=lambda: [named("fine")]), "good", "0.2")
    assert [(one.name, one.plugin) for one in plugins.collect("register_predictors")] == [("fine", "good")]
    [failure] = plugins.failures
    assert str(failure).startswith("bad 0.1: register_predictors failed: RuntimeError: boom [test_plugins.py:")


def test_a_generator_that_raises_half_way_loses_all_its_rows(plugins):
    def broken():
        yield named("first")
        raise RuntimeError("boom")

    plugins.add(plugin(register_predictors=broken), "bad", "0.1")
    assert plugins.collect("register_predictors") == []
    assert plugins.failures[0].plugin == "bad"


def test_a_name_clash_names_both_and_renames_nothing(plugins):
    plugins.add(plugin(register_predictors=lambda: [named("risk")]), "first", "1")
    plugins.add(plugin(register_predictors=lambda: [named("risk")]), "second", "1")
    assert [one.plugin for one in plugins.collect("register_predictors")] == ["first"]
    assert "second 1" in str(plugins.failures[0])
    assert "'risk' is already registered by first" in str(plugins.failures[0])


def test_something_without_a_name_is_refused(plugins):
    plugins.add(plugin(register_predictors=lambda: [SimpleNamespace()]), "anon", "1")
    assert plugins.collect("register_predictors") == []
    assert "has no name" in str(plugins.failures[0])


class Risk:
    name = "risk"


@pytest.mark.parametrize(("hook", "returned", "line"), [
    ("register_predictors", lambda: [Risk()], "register_predictors returned an instance of Risk, where the class is "
     "wanted (return [Risk], not [Risk()]: pmed builds it with its options)"),
    ("register_exporters", lambda: Risk, "returned the class Risk, where a list is wanted (return [Risk])")])
def test_an_instance_is_no_class_and_a_class_no_list(plugins, hook, returned, line):
    plugins.add(plugin(**{hook: returned}), "slip", "1")
    assert [one for one in plugins.components(hook) if one.plugin == "slip"] == []
    assert [one.message for one in plugins.failures] == [line]


def test_a_class_is_no_release(plugins):
    plugins.add(plugin(register_knowledge=lambda: [Risk]), "slip", "1")
    assert "risk" not in {one.name for one in plugins.releases()}
    assert "returned the class Risk, where an instance is wanted (return Risk(...))" in plugins.failures[0].message


def test_a_hook_that_raises_is_told_once_though_it_is_asked_twice(plugins):
    plugins.add(plugin(register_predictors=lambda: 1 / 0), "bad", "0.1")
    assert plugins.collect("register_predictors") == plugins.collect("register_predictors") == []
    assert len(plugins.failures) == 1


def test_an_unknown_hook_is_refused_with_the_nearest_name(plugins):
    with pytest.raises(PluginError, match="typo: unknown hook .*did you mean 'register_predictors'"):
        plugins.add(plugin(register_predictor=lambda: None), "typo", "0")
    assert not plugins.manager.has_plugin("typo")
    plugins.add(plugin(register_predictors=lambda: [named("later")]), "later", "0")
    assert [one.name for one in plugins.collect("register_predictors")] == ["later"]


def test_an_unknown_hook_argument_is_refused(plugins):
    with pytest.raises(PluginError, match="wrong-argument"):
        plugins.add(plugin(choose_explainer=lambda model: None), "wrong-argument", "0")
    assert not plugins.manager.has_plugin("wrong-argument")


def entry_point(tmp_path, monkeypatch, name, code):
    """Install a fake distribution whose module runs `code`."""
    module = name.replace("-", "_")
    (tmp_path / f"{module}.py").write_text(code)
    info = tmp_path / f"{module}-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(f"[pmed]\n{name} = {module}\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_plugin_that_does_not_import_is_recorded_and_the_next_one_loads(tmp_path, monkeypatch):
    entry_point(tmp_path, monkeypatch, "a-broken-import", "import no_such_module_at_all")
    entry_point(tmp_path, monkeypatch, "b-exits", "raise ValueError('at import')")
    entry_point(tmp_path, monkeypatch, "c-fine", "x = 1")
    plugins = Plugins().load(only={"a-broken-import", "b-exits", "c-fine"})
    assert [(failure.plugin, failure.version, failure.stage) for failure in plugins.failures] == [
        ("a-broken-import", "0.3", "load"), ("b-exits", "0.3", "load")]
    assert plugins.versions["c-fine"] == "0.3"


@pytest.mark.parametrize(("code", "said", "place"), [
    ("x = 1\nimport no_such_module_at_all", "No module named 'no_such_module_at_all'", "e_broken.py:2"),
    ("x = 1\ny = (", "'(' was never closed (e_broken.py, line 2)", "e_broken.py:2")])
def test_what_does_not_import_is_told_with_its_line(tmp_path, monkeypatch, code, said, place):
    entry_point(tmp_path, monkeypatch, "e-broken", code)
    failure, = Plugins().load(only={"e-broken"}).failures
    assert (failure.message, failure.place) == (said, place)


def test_an_entry_point_without_its_module_is_told(tmp_path, monkeypatch):
    entry_point(tmp_path, monkeypatch, "f-nowhere", "x = 1")
    (tmp_path / "f_nowhere.py").unlink()
    failure, = Plugins().load(only={"f-nowhere"}).failures
    assert "the entry point f-nowhere = f_nowhere names a module that is not installed" in failure.message
    assert "pyproject.toml" in failure.message
    assert failure.place == ""


def test_the_place_of_a_failure_is_in_the_plugins_own_file(tmp_path, monkeypatch, plugins):
    code = "import json\nclass Mine:\n    def predict(self):\n        json.loads('{')\n"
    entry_point(tmp_path, monkeypatch, "g-lines", code)
    made = import_module("g_lines").Mine()
    assert plugins.attempt(Component("x", made, "p", "1"), "predict", made.predict) is None
    assert plugins.failures[0].place == "g_lines.py:4"


def test_a_disabled_plugin_is_not_imported(tmp_path, monkeypatch):
    entry_point(tmp_path, monkeypatch, "d-disabled", "raise ValueError('imported')")
    plugins = Plugins(disabled=frozenset({"d-disabled"})).load(only={"d-disabled"})
    assert plugins.failures == []
    assert "d-disabled" not in plugins.versions


@dataclass(frozen=True)
class Tunable:
    name: ClassVar[str] = "tunable"
    needs: ClassVar[tuple[str, ...]] = ()
    gives: ClassVar[tuple[str, ...]] = ()
    slope: float = option(2.0, doc="Slope.", low=0, high=5)

    def run(self, tables, wanted):
        return {}


def test_components_are_built_with_their_options():
    plugins = Plugins(options={"tunable": {"slope": 3}}).load(only=())
    plugins.add(plugin(register_features=lambda: [Tunable]), "p", "1")
    assert Tunable(slope=3) in [one.made for one in plugins.components("register_features")]


def test_a_wrong_option_is_the_users_to_mend_and_stops():
    plugins = Plugins(options={"tunable": {"slope": 9}}).load(only=())
    plugins.add(plugin(register_features=lambda: [Tunable]), "p", "1")
    with pytest.raises(OptionError, match=r"tunable: 'slope' must be in \[0, 5\]. Got 9"):
        plugins.components("register_features")


class Odd(BaseException):
    pass


@pytest.mark.parametrize("error", [HistoryError("mine"), OptionError("mine"), SystemExit(7), Odd("x")])
def test_whatever_a_component_raises_is_its_own_failure(plugins, error):
    def predict():
        raise error

    assert plugins.attempt(Component("x", None, "p", "1"), "predict", predict) is None
    assert [(failure.plugin, failure.error) for failure in plugins.failures] == [("p", type(error).__name__)]
    assert plugins.failures[0].place.startswith("test_plugins.py:")


def test_the_user_can_still_interrupt(plugins):
    def predict():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plugins.attempt(Component("x", None, "p", "1"), "predict", predict)


def test_options_for_nobody_are_refused_with_the_nearest_name():
    from pmed.engine import Engine

    with pytest.raises(OptionError, match="options for 'vfc', which no plugin brings .did you mean 'vcf'"):
        Engine.using(Plugins(options={"vfc": {}}).load(only=()))


def test_hook_register_sources(plugins):
    assert {one.name for one in plugins.collect("register_sources")} >= {"vcf", "fhir"}


def test_hook_register_knowledge(plugins):
    release = Release("facts", "1", "2026-01-01", "CC0-1.0", "PMID:1", "0" * 64)
    plugins.add(plugin(register_knowledge=lambda: [release]), "p", "1")
    assert [one.made for one in plugins.collect("register_knowledge") if one.name != "pmed-drugs"] == [release]


def test_hook_register_features(plugins):
    assert "history" in {one.name for one in plugins.collect("register_features")}


def test_hook_register_exporters(plugins):
    assert {one.name for one in plugins.collect("register_exporters")} >= {"html", "json"}


def test_a_command_of_the_host_cannot_be_taken_over(plugins):
    import click

    from pmed.terminal import add_commands

    group = click.Group(commands={"report": click.Command("report")})
    mine = group.commands["report"]
    plugins.add(plugin(register_commands=lambda cli: cli.add_command(click.Command("report"))), "thief", "1")
    plugins.add(plugin(register_commands=lambda cli: cli.add_command(click.Command("new"))), "good", "1")
    add_commands(plugins, group)
    assert group.commands["report"] is mine
    assert "new" in group.commands
    assert [failure.plugin for failure in plugins.failures] == ["thief"]


def test_a_stranger_that_sorts_first_takes_no_name_of_the_projects_own(tmp_path, monkeypatch):
    code = ("from pmed import hookimpl\nclass Meld:\n    name = {!r}\n"
            "@hookimpl\ndef register_predictors():\n    return [Meld]\n")
    entry_point(tmp_path, monkeypatch, "aaa", code.format("meld"))
    entry_point(tmp_path, monkeypatch, "pmed-aaa", code.format("meld"))
    entry_point(tmp_path, monkeypatch, "c-late", code.format("mine"))
    entry_point(tmp_path, monkeypatch, "b-soon", code.format("mine"))
    plugins = Plugins().load()
    found = {one.name: one.plugin for one in plugins.collect("register_predictors")}
    assert (found["meld"], found["mine"]) == ("pmed-risk", "b-soon")
    hint = ("the first keeps a name: pmed's own plugins, then the others in the order of their names; give yours "
            "another")
    said = "{} 0.3: register_predictors failed: PluginError: {!r} is already registered by {} ({})"
    assert [str(one) for one in plugins.failures] == [
        said.format(*one, hint) for one in (("aaa", "meld", "pmed-risk"), ("c-late", "mine", "b-soon"),
                                            ("pmed-aaa", "meld", "pmed-risk"))]

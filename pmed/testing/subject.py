"""The package that is checked: loaded beside the host's own plugins and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module, metadata
from typing import Any
from unittest import SkipTest

from ..errors import PluginError, PmedError
from ..plugins import Component, Failure, Plugins, installed
from ..settings import load_settings
from ..spelling import Names
from ..stages.normalise import vocabulary

#: Attribute of a plugin's module: "component.check" (or "check") → why it fails and is meant to.
EXPECTED = "EXPECTED_FAILURES"
_NAMED = tuple(f"register_{what}" for what in ("sources", "features", "predictors", "advisers", "models", "scorers",
                                               "sections", "exporters"))


class Broken(AssertionError):
    """A promise that a plugin does not keep."""


class NotRun(SkipTest):
    """A check that cannot be made, because another one that failed has to be mended first."""


def must(held: object, message: str) -> None:
    """Fail a check.

    Raises:
        Broken: with `message`, unless `held`.
    """
    if not held:
        raise Broken(message)


@dataclass(frozen=True)
class Subject:
    """A plugin as it was found.

    Attributes:
        name: Of its entry point, or of the module or object that was given.
        module: Import name; empty for an object.
        plugins: The host's own plugins and this one.
        expected: Failures that the plugin says it has, with the reason.
    """

    name: str
    module: str
    plugins: Plugins
    expected: Mapping[str, str]

    def components(self, hook: str) -> Sequence[Component]:
        """The built components that the plugin brings by a registration hook."""
        return [one for one in self.plugins.components(hook) if one.plugin == self.name]

    @property
    def failures(self) -> list[Failure]:
        """What went wrong with this plugin so far."""
        return [failure for failure in self.plugins.failures if failure.plugin == self.name]


def names_there_are(plugins: Plugins) -> Names:
    """The features that these plugins, and all others that are installed, can give."""
    steps, releases = _of_all_installed()
    mine = [one.made for one in plugins.components("register_features")]
    brought = [one.made for one in plugins.releases()]
    return Names.of([*steps, *mine], vocabulary([*releases, *brought]))


def names_taken(subject: Subject) -> list[str]:
    """What the plugin calls as a component of another installed plugin is called."""
    there = _all_installed()
    faults = []
    for hook in _NAMED:
        owners = {one.name: one.plugin for one in there.collect(hook)}
        mine = [one.name for one in subject.plugins.collect(hook) if one.plugin == subject.name]
        faults += [f"{name!r} is already registered by {owners[name]}: give it another name"
                   for name in mine if owners.get(name, subject.name) != subject.name]
    ours = f"is already registered by {subject.name}"
    return faults + [f"{one.message}, and so by {one.plugin}: give it another name"
                     for one in there.failures if ours in one.message]


@cache
def _all_installed() -> Plugins:
    """What is installed and allowed here, loaded once."""
    return Plugins.of(load_settings()).load()


@cache
def _of_all_installed() -> tuple[list[Any], list[Any]]:
    """Its feature steps and releases; what fails there is not this plugin's fault."""
    there = _all_installed()
    return [one.made for one in there.components("register_features")], [one.made for one in there.releases()]


def find(package: Any) -> Subject:
    """The plugin of that entry point, distribution or module name; or a module or object with hook implementations.

    Raises:
        PluginError: where there is no such package, or it cannot be registered.
    """
    if not isinstance(package, str):
        name = getattr(package, "__name__", type(package).__name__)
        return _registered(package, name, name if hasattr(package, "__spec__") else "", "-")
    for point in _points(package):
        version = point.dist.version if point.dist else "-"
        return _registered(_imported(point.value), point.name, point.value.partition(":")[0], version)
    return _registered(_imported(package), package, package, "-")


def _points(package: str) -> Iterator[metadata.EntryPoint]:
    plain = _plain(package)
    for point in sorted(metadata.entry_points(group="pmed"), key=lambda point: point.name):
        names = {point.name, point.dist.name if point.dist else "", point.value.partition(":")[0]}
        if plain in {_plain(name) for name in names}:
            yield point


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(value: str) -> Any:
    module, _, attribute = value.partition(":")
    if not re.fullmatch(r"\w+(\.\w+)*", module):
        raise _no_such(value)
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise PluginError(f"does not import: {error}", where=module) from error
        raise _no_such(value) from error
    except PmedError:
        raise
    except Exception as error:
        raise PluginError(f"does not import: {type(error).__name__}: {error}", where=module) from error
    return getattr(found, attribute) if attribute else found


def _no_such(name: str) -> PluginError:
    near = get_close_matches(name, [point.name for point in installed()], n=1)
    return PluginError(f"no plugin {name!r} is installed", hint=f"did you mean {near[0]!r}?" if near else
                       "pip install it first; pmed plugins lists them")


def _registered(plugin: Any, name: str, module: str, version: str) -> Subject:
    plugins = Plugins().load(only=())
    plugins.add(plugin, name, version)
    expected = getattr(plugin, EXPECTED, {})
    return Subject(name, module, plugins, dict(expected))

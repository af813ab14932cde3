"""Find, load and list plugins. A broken plugin is recorded, never fatal.

pluggy alone aborts a whole hook call when one implementation raises, and stops loading at the first plugin that
does not import. So the host loads entry points itself, in sorted order, and calls implementations one by one.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pluggy

from . import hookspecs
from .components import must_be_sound
from .errors import OptionError, PluginError
from .options import build

T = TypeVar("T")
P = ParamSpec("P")
BUILT_IN = ("pmed.builtin",)
BUILD = "build"
HOOKS = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, "pmed_spec"))


@dataclass(frozen=True)
class Failure:
    """What a plugin did wrong: kept for ``pmed plugins`` and shown in place in the report.

    `message` may hold patient data (it quotes the exception), so it is for the local user's eyes only.
    """

    plugin: str
    version: str
    stage: str
    component: str
    error: str
    message: str
    place: str = ""

    def __str__(self) -> str:
        part = f" ({self.component})" if self.component else ""
        place = f" [{self.place}]" if self.place else ""
        return f"{self.plugin} {self.version}{part}: {self.stage} failed: {self.error}: {self.message}{place}"


@dataclass(frozen=True)
class Component:
    """A registered class or release and the plugin that brought it."""

    name: str
    made: Any
    plugin: str
    version: str


@dataclass
class Plugins:
    """The plugins of one run. There is no global instance: tests and services make their own."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager("pmed"))
    versions: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.manager.add_hookspecs(hookspecs)

    def load(self, only: Iterable[str] | None = None) -> Plugins:
        """Load the built-in plugins and the installed ones (or just those named in `only`)."""
        for module in BUILT_IN:
            self.add(import_module(module), module, metadata.version("pmed"))
        wanted = None if only is None else set(only)
        for point in sorted(metadata.entry_points(group="pmed"), key=lambda point: point.name):
            if (wanted is None or point.name in wanted) and point.name not in self.disabled:
                self._load_point(point)
        return self

    def _load_point(self, point: metadata.EntryPoint) -> None:
        version = point.dist.version if point.dist else "?"
        try:
            self.add(point.load(), point.name, version)
        except (KeyboardInterrupt, OptionError):  # a wrong setting is the user's to mend, and stops the run
            raise
        except BaseException as error:  # a stranger's import may raise anything; it costs only that plugin
            self.fail(Component("", None, point.name, version), "load", error)

    def add(self, plugin: object, name: str, version: str) -> None:
        """Register one plugin.

        Raises:
            PluginError: for a hook that does not exist (with the nearest name) or does not fit its specification.
        """
        try:
            self.manager.register(plugin, name=name)
        except (pluggy.PluginValidationError, ValueError) as error:
            self._forget(plugin)
            raise PluginError(" ".join(str(error).split()), where=name) from error
        strange = [caller.name for caller in self.manager.get_hookcallers(plugin) or () if caller.name not in HOOKS]
        if strange:
            self._forget(plugin)
            near = difflib.get_close_matches(strange[0], HOOKS, n=1)
            raise PluginError(f"unknown hook {strange[0]!r}", where=name,
                              hint=f"did you mean {near[0]!r}?" if near else f"hooks: {', '.join(HOOKS)}")
        self.versions[name] = version

    def _forget(self, plugin: object) -> None:
        if self.manager.is_registered(plugin):
            self.manager.unregister(plugin)
        for name in [name for name in vars(self.manager.hook) if not name.startswith("_") and name not in HOOKS]:
            delattr(self.manager.hook, name)

    def fail(self, component: Component, stage: str, error: BaseException) -> None:
        """Record what went wrong, and where in the code."""
        message = " ".join(str(error).split())
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        self.failures.append(
            Failure(component.plugin, component.version, stage, component.name, type(error).__name__, message, place))

    def attempt(self, component: Component, stage: str, call: Callable[P, T], *args: P.args,
                **kwargs: P.kwargs) -> T | None:
        """Call a component; what it raises becomes a failure and None, so that only its own rows are lost.

        Raises:
            OptionError: while a component is built: a wrong option is the user's to mend, and stops the run.
        """
        try:
            return call(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # isolation: whatever a component raises, sys.exit too, is recorded and shown
            if stage == BUILD and isinstance(error, OptionError):
                raise
            self.fail(component, stage, error)
            return None

    def implementations(self, hook: str) -> Iterator[tuple[Component, pluggy.HookImpl]]:
        """Each plugin's implementation of a hook, in the order the plugins were loaded."""
        order = {name: rank for rank, name in enumerate(self.versions)}
        impls = getattr(self.manager.hook, hook).get_hookimpls()
        for impl in sorted(impls, key=lambda impl: order[impl.plugin_name]):
            yield Component("", None, impl.plugin_name, self.versions[impl.plugin_name]), impl

    def collect(self, hook: str) -> list[Component]:
        """What all plugins return for a registration hook, by name; a name clash names both plugins."""
        found: dict[str, Component] = {}
        for owner, impl in self.implementations(hook):
            for made in self.attempt(owner, hook, _listed, impl) or ():
                self._keep(found, owner, hook, made)
        return list(found.values())

    def must_know_options(self, components: Iterable[Component]) -> None:
        """Refuse options for a component that nobody brings.

        Raises:
            OptionError: naming it, with the nearest name.
        """
        known = {component.name for component in components}
        lost = {failure.component for failure in self.failures}
        for name in self.options:
            if name not in known | lost and not self.disabled and not self.failures:
                near = difflib.get_close_matches(name, known, n=1)
                raise OptionError(f"options for {name!r}, which no plugin brings",
                                  hint=f"did you mean {near[0]!r}?" if near else "see pmed plugins")

    def releases(self) -> list[Component]:
        """The knowledge releases whose description and drug names are sound."""
        found = self.collect("register_knowledge")
        return [one for one in found if self.attempt(one, BUILD, must_be_sound, "register_knowledge", one.made) is True]

    def _keep(self, found: dict[str, Component], owner: Component, hook: str, made: Any) -> None:
        name = self.attempt(owner, hook, getattr, made, "name", None)
        if not isinstance(name, str) or not name:
            error = PluginError(f"a {type(made).__name__} has no name")
        elif name in found:
            error = PluginError(f"{name!r} is already registered by {found[name].plugin}")
        else:
            found[name] = Component(name, made, owner.plugin, owner.version)
            return
        self.fail(owner, hook, error)

    def components(self, hook: str) -> list[Component]:
        """Built components of a registration hook: classes made with their validated options."""
        built = []
        for component in self.collect(hook):
            made = self.attempt(component, BUILD, _built, hook, component.made, self.options.get(component.name, {}))
            if made is not None:
                built.append(Component(component.name, made, component.plugin, component.version))
        return built


def _built(hook: str, made: type[T], options: Mapping[str, Any]) -> T:
    component = build(made, options)
    must_be_sound(hook, component)
    return component


def _listed(impl: pluggy.HookImpl) -> list[Any]:
    """What one registration hook returns; calling it and walking it may both raise."""
    made: Any = impl.function()
    return list(made or ())

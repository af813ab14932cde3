"""Find, load and list plugins. A broken plugin is recorded, never fatal.

pluggy alone aborts a whole hook call when one implementation raises, and stops loading at the first plugin that
does not import. So the host loads entry points itself, in sorted order, and calls implementations one by one.
"""

from __future__ import annotations

import difflib
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pluggy

from . import allowlist, hookspecs
from .compatibility import must_fit, must_know_api
from .components import must_be_class, must_be_instance, must_be_sound
from .errors import OptionError, PluginError
from .options import build
from .settings import OF_PLUGIN, Settings

T = TypeVar("T")
P = ParamSpec("P")
BUILT_IN = ("pmed.builtin",)
# Distributions of the project: what they bring has its name before any stranger's.
_OWN = ("pmed-pgx", "pmed-response", "pmed-risk")
BUILD = "build"
#: Names of the only plugins to load, with commas between; empty loads none but pmed's own.
ONLY = "PMED_PLUGINS"
#: A site's list and key go before what a settings file says.
ALLOW_LIST, ALLOW_KEY = "PMED_ALLOW_LIST", "PMED_ALLOW_KEY"
HOOKS = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, "pmed_spec"))
#: Registration hooks whose components are built by the host, with options.
BUILT = tuple(name for name in HOOKS
              if name.startswith("register_") and name not in {"register_knowledge", "register_commands"})
_CLASH = "the first keeps a name: pmed's own plugins, then the others in the order of their names; give yours another"
_LIKENESS, _ALIKE = 0.8, 0.6  # of difflib: two slips in a word of ten letters, and its default


@dataclass(frozen=True)
class Failure:
    """What a plugin did wrong: kept for ``pmed plugins`` and shown in place in the report.

    `message` may hold patient data (it quotes the exception), so it is for the local user's eyes only. `patients` are
    those whose rows are missing, empty where they may be anybody's; no line of text names them.
    """

    plugin: str
    version: str
    stage: str
    component: str
    error: str
    message: str
    place: str = ""
    patients: tuple[str, ...] = ()

    def concerns(self, patient_id: str) -> bool:
        """Whether rows of this patient may be missing."""
        return not self.patients or patient_id in self.patients

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


def _place(error: BaseException, made: object) -> str:
    """File and line of an error: in the plugin's own file where it passed there, else where it was raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    kind = made if isinstance(made, type) else type(made)
    own = str(getattr(sys.modules.get(kind.__module__), "__file__", ""))
    last = next((frame for frame in reversed(frames) if frame.filename == own), frames[-1] if frames else None)
    return f"{Path(last.filename).name}:{last.lineno}" if last else ""


@dataclass
class Plugins:
    """The plugins of one run. There is no global instance: tests and services make their own."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager("pmed"))
    versions: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    allowed: Mapping[str, allowlist.Allowed] | None = None
    notes: dict[str, list[str]] = field(default_factory=dict)  # hooks that will go or change, by who uses them
    _collected: dict[str, list[Component]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Plugins:
        """The plugins as the settings and the environment want them, not yet loaded.

        Raises:
            OptionError: where the list of allowed plugins cannot be relied on.
        """
        path = os.environ.get(ALLOW_LIST) or settings.allow_list
        key = os.environ.get(ALLOW_KEY) or settings.allow_key
        if path and not key:
            raise OptionError("a list of allowed plugins needs the key that signed it", where=path,
                              hint="set allow-key beside allow-list")
        allowed = allowlist.read(Path(path), Path(key)) if path else None
        return cls(settings.options, settings.disabled, allowed=allowed)

    @classmethod
    def ready(cls, settings: Settings) -> Plugins:
        """The plugins as the settings want them, loaded; what the settings say is of one of them.

        Raises:
            OptionError: for options of a component or plugin that is not there, with the nearest name.
        """
        plugins = cls.of(settings).load()
        plugins.must_know_options()
        return plugins

    def __post_init__(self) -> None:
        self.manager.add_hookspecs(hookspecs)

    def load(self, only: Iterable[str] | None = None) -> Plugins:
        """Load the built-in plugins and the installed ones (or just those named in `only`)."""
        for module in BUILT_IN:
            self.add(import_module(module), module, metadata.version("pmed"))
        points = installed()
        wanted = _only(points) if only is None else set(only)
        if only is None and wanted is not None:
            self.disabled |= {point.name for point in points} - wanted
        for point in points:
            if (wanted is None or point.name in wanted) and point.name not in self.disabled:
                self._load_point(point)
        return self

    def _load_point(self, point: metadata.EntryPoint) -> None:
        version = point.dist.version if point.dist else "?"
        try:
            if self.allowed is not None:
                allowlist.must_be_allowed(point, self.allowed)
            must_fit(point.dist.requires if point.dist else (), metadata.version("pmed"))
            self.add(point.load(), point.name, version)
        except (KeyboardInterrupt, OptionError):  # a wrong setting is the user's to mend, and stops the run
            raise
        except ModuleNotFoundError as error:
            lost = error.name and error.name.split(".")[0] == point.module.split(".")[0]
            said = PluginError(f"the entry point {point.name} = {point.value} names a module that is not installed",
                               hint="see [project.entry-points.pmed] of its pyproject.toml")
            self.fail(Component("", None, point.name, version), "load", said if lost else error)
        except BaseException as error:  # a stranger's import may raise anything; it costs only that plugin
            self.fail(Component("", None, point.name, version), "load", error)

    def add(self, plugin: object, name: str, version: str) -> None:
        """Register one plugin.

        Raises:
            PluginError: for a hook that does not exist (with the nearest name) or does not fit its specification.
        """
        must_know_api(plugin, hookspecs.API)
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
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
        self._collected.clear()
        self.versions[name] = version
        if told:
            self.notes[name] = [str(one.message) for one in told]

    def _forget(self, plugin: object) -> None:
        if self.manager.is_registered(plugin):
            self.manager.unregister(plugin)
        for name in [name for name in vars(self.manager.hook) if not name.startswith("_") and name not in HOOKS]:
            delattr(self.manager.hook, name)

    def fail(self, component: Component, stage: str, error: BaseException) -> None:
        """Record what went wrong, and where in the code."""
        message = " ".join(str(error).split())
        place = _place(error, component.made)
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
        if hook not in self._collected:
            found: dict[str, Component] = {}
            for owner, impl in self.implementations(hook):
                for made in self.attempt(owner, hook, _listed, impl) or ():
                    self._keep(found, owner, hook, made)
            self._collected[hook] = list(found.values())
        return list(self._collected[hook])

    def must_know_options(self) -> None:
        """Refuse options for a component or a plugin that is not there.

        What is switched off or did not load may have a component of any name: then only what is nearly the name of one
        that is there is refused, and ``[plugins.PLUGIN.component]`` says whose it is.

        Raises:
            OptionError: naming it, with the nearest name.
        """
        if not self.options:
            return
        found = [component for hook in BUILT for component in self.collect(hook)]
        self._must_know_plugins(found)
        known = {component.name for component in found}
        absent = bool(self.disabled or self.failures)
        for name in self.options:
            if name in known or name.startswith(OF_PLUGIN):
                continue
            near = difflib.get_close_matches(name, known, 1, _LIKENESS if absent else _ALIKE)
            if near or not absent or name in self.versions:
                raise OptionError(f"options for {name!r}, which no plugin brings", hint=self._meant(name, near, absent))

    def _meant(self, name: str, near: Sequence[str], absent: bool) -> str:
        if name in self.versions:
            return f"options of a plugin are under [{OF_PLUGIN}{name}]"
        other = f" If it is of a plugin that is not loaded: [{OF_PLUGIN}PLUGIN.{name}]" if absent else ""
        return f"did you mean {near[0]!r}?{other}" if near else "see pmed plugins"

    def _must_know_plugins(self, components: Sequence[Component]) -> None:
        absent = self.disabled | {failure.plugin for failure in self.failures}
        there = {point.name for point in installed()} | set(self.versions)
        for name, given in self._of_plugins():
            if name not in there:
                raise OptionError(f"[plugins.{name}] is of no installed plugin", hint=_nearest(name, there))
            mine = {one.name: _options(one.made) for one in components if one.plugin == name}
            known = {*mine, *(option for options in mine.values() for option in options)}
            for key, value in given.items():
                fits = key in mine if isinstance(value, Mapping) else key in known - set(mine)
                if not fits and name not in absent and name in self.versions:
                    raise OptionError(f"[plugins.{name}] has no option or component {key!r}", hint=_nearest(key, known))

    def _of_plugins(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [(name.removeprefix(OF_PLUGIN), given) for name, given in self.options.items()
                if name.startswith(OF_PLUGIN)]

    def _options_of(self, component: Component) -> dict[str, Any]:
        """What the settings say of a component: by its plugin, by its name within the plugin, by its own name."""
        given = dict(self._of_plugins()).get(component.plugin, {})
        plain = {name: given[name] for name in _options(component.made) if name in given}
        within = given.get(component.name, {})
        return {**plain, **(within if isinstance(within, Mapping) else {}), **self.options.get(component.name, {})}

    def releases(self) -> list[Component]:
        """The knowledge releases whose description and drug names are sound."""
        found = self.collect("register_knowledge")
        return [one for one in found if self.attempt(one, BUILD, _sound_release, one.made) is True]

    def _keep(self, found: dict[str, Component], owner: Component, hook: str, made: Any) -> None:
        name = self.attempt(owner, hook, getattr, made, "name", None)
        if not isinstance(name, str) or not name:
            error = PluginError(f"a {type(made).__name__} has no name")
        elif name in found:
            error = PluginError(f"{name!r} is already registered by {found[name].plugin}", hint=_CLASH)
        else:
            found[name] = Component(name, made, owner.plugin, owner.version)
            return
        self.fail(owner, hook, error)

    def components(self, hook: str) -> list[Component]:
        """Built components of a registration hook: classes made with their validated options."""
        built = []
        for component in self.collect(hook):
            made = self.attempt(component, BUILD, _built, hook, component.made, self._options_of(component))
            if made is not None:
                built.append(Component(component.name, made, component.plugin, component.version))
        return built


def installed() -> list[metadata.EntryPoint]:
    """Entry points of the installed plugins, those of the project first, then by name; nothing is imported."""
    return sorted(metadata.entry_points(group="pmed"),
                  key=lambda point: (not point.dist or point.dist.name not in _OWN, point.name))


def must_be_installed(names: Iterable[str], why: str) -> None:
    """Refuse the name of a plugin that is not there.

    Raises:
        OptionError: with the nearest name.
    """
    there = [point.name for point in installed()]
    for name in names:
        if name not in there:
            raise OptionError(f"{why}: no plugin {name!r} is installed", hint=_nearest(name, there))


def _only(points: Iterable[metadata.EntryPoint]) -> set[str] | None:
    """The plugins that the environment limits this run to; None where it does not."""
    said = os.environ.get(ONLY)
    if said is None:
        return None
    names = {name.strip() for name in said.split(",")} - {""}
    there = {point.name for point in points}
    if unknown := sorted(names - there):
        raise OptionError(f"{ONLY}: no plugin {unknown[0]!r} is installed", hint=_nearest(unknown[0], there))
    return names


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none'}"


def _options(made: Any) -> list[str]:
    """Names of a component's options."""
    return [one.name for one in fields(made) if one.init] if is_dataclass(made) else []


def _built(hook: str, made: type[T], options: Mapping[str, Any]) -> T:
    must_be_class(hook, made)
    component = build(made, options)
    must_be_sound(hook, component)
    return component


def _sound_release(made: Any) -> bool:
    must_be_instance("register_knowledge", made)
    return must_be_sound("register_knowledge", made)


def _listed(impl: pluggy.HookImpl) -> list[Any]:
    """What one registration hook returns; calling it and walking it may both raise."""
    made: Any = impl.function()
    if isinstance(made, type):
        raise PluginError(f"returned the class {made.__name__}, where a list is wanted",
                          hint=f"return [{made.__name__}]")
    return list(made or ())

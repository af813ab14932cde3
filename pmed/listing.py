"""What is installed and what is wrong with it: the job behind ``pmed plugins``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from importlib import metadata
from io import StringIO
from typing import Any, Final

import click

from .hookspecs import API
from .plugins import BUILT, BUILT_IN, HOOKS, Component, Failure, Plugins, installed
from .settings import Settings
from .spelling import Names
from .stages.normalise import vocabulary
from .terminal import add_commands

_FIXES: Final = {
    "load": "update it, or switch it off with --disable {plugin}; pmed plugins check {plugin} says more",
    "build": "its options in pmed.toml, or the plugin itself: pmed plugins check {plugin} says more",
}
_ELSE: Final = "tell who made it: pmed plugins check {plugin} shows what it breaks; --disable {plugin} goes without it"


def describe_plugins(settings: Settings) -> dict[str, Any]:
    """Plugins with version, hooks, components, options, knowledge and models; failures with what to do about them."""
    plugins = Plugins.of(settings).load()
    rows = {name: _about(plugins, name, version) for name, version in plugins.versions.items()}
    for hook in BUILT:
        for component in plugins.components(hook):
            what = hook.removeprefix("register_")
            rows[component.plugin]["components"].setdefault(what, {})[component.name] = _describe(plugins, component)
    plugins.must_know_options()
    for release in plugins.releases():
        rows[release.plugin]["components"].setdefault("knowledge", {})[release.name] = _release(release.made)
    for owner, fault in _never_given(plugins):
        rows[owner.plugin]["notes"].append(f"{owner.name}: {fault}")
    add_commands(plugins, click.Group())
    off = {point.name for point in installed()} - set(plugins.versions) - {one.plugin for one in plugins.failures}
    return {"api": API, "plugins": rows, "disabled": sorted(off), "hooks": list(HOOKS),
            "failures": [{**asdict(failure), "fix": fix(failure)} for failure in plugins.failures]}


def _never_given(plugins: Plugins) -> Iterator[tuple[Component, str]]:
    """What is wrong with the names of features that steps and predictors ask for."""
    steps, predictors = (plugins.components(hook) for hook in ("register_features", "register_predictors"))
    there = Names.of([one.made for one in steps], vocabulary([one.made for one in plugins.releases()]))
    for one in [*steps, *predictors]:
        for fault in there.never_given([*one.made.needs, *getattr(one.made, "wants", ())]):
            yield one, fault


def fix(failure: Failure) -> str:
    """What the user can do about a failure."""
    return _FIXES.get(failure.stage, _ELSE).format(plugin=failure.plugin)


def _about(plugins: Plugins, name: str, version: str) -> dict[str, Any]:
    hooks = [hook for hook in HOOKS if any(owner.plugin == name for owner, _ in plugins.implementations(hook))]
    return {"version": version, "package": "pmed" if name in BUILT_IN else _package(name), "hooks": hooks,
            "components": {}, "notes": [*plugins.notes.get(name, [])]}


def _package(name: str) -> str:
    found = next((point.dist for point in installed() if point.name == name), None)
    return str(found.metadata["Name"]) if isinstance(found, metadata.Distribution) else ""


def _describe(plugins: Plugins, component: Component) -> dict[str, Any]:
    made = component.made
    lines = (type(made).__doc__ or "").strip().splitlines()
    options = {one.name: {"default": one.default, "value": getattr(made, one.name), "doc": one.metadata.get("doc", "")}
               for one in fields(made)} if is_dataclass(made) else {}
    shipped = {"sha256": digest} if (digest := _shipped(plugins, component)) else {}
    return {"summary": lines[0] if lines else "", "options": options, **shipped}


def _shipped(plugins: Plugins, component: Component) -> str:
    """Hash of the model that a trainable component brings."""
    from .files import sha256

    if not hasattr(component.made, "shipped"):
        return ""
    folder = plugins.attempt(component, "models", component.made.shipped)
    manifest = folder / "manifest.json" if folder is not None else None
    return sha256(manifest) if manifest is not None and manifest.is_file() else ""


def _release(made: Any) -> dict[str, str]:
    return {"summary": made.version, "version": made.version, "date": made.date, "licence": made.licence,
            "source": made.source, "sha256": made.sha256}


def plugins_as_text(described: Mapping[str, Any], width: int = 120) -> str:
    """The plugin list for a terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table("plugin", "brings", "component", "what it is", box=None, pad_edge=False, show_edge=False)
    for name, plugin in described["plugins"].items():
        first = f"{name} {plugin['version']}"
        for what, components in plugin["components"].items():
            for one, about in components.items():
                table.add_row(first, what, one, _told(about))
                first, what = "", ""  # noqa: PLW2901 - said once
        if not plugin["components"]:
            table.add_row(first, ", ".join(plugin["hooks"]) or "nothing", "", "")
    for name in described["disabled"]:
        table.add_row(f"{name} (disabled)", "", "", "")
    sink = StringIO()
    Console(file=sink, width=width, markup=False, highlight=False, emoji=False).print(table)
    lines = [line.rstrip() for line in sink.getvalue().splitlines()]
    lines += [f"{name}: {note}" for name, plugin in described["plugins"].items() for note in plugin["notes"]]
    for failure in described["failures"]:
        said = Failure(**{name: value for name, value in failure.items() if name != "fix"})
        lines += [f"FAILED {said}", f"       to mend it: {failure['fix']}"]
    return "\n".join(lines)


def _told(about: Mapping[str, Any]) -> str:
    options = [f"{name}={one['value']}" for name, one in about.get("options", {}).items()]
    digest = f"sha256 {about['sha256'][:12]}" if about.get("sha256") else ""
    return "  ".join(filter(None, [about["summary"], f"[{', '.join(options)}]" if options else "", digest]))

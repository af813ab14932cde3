"""Settings of a run, from ``pmed.toml``.

::

    [plugins]
    disabled = ["some-plugin"]
    allow-list = "allowed.json"   # only these plugins are loaded; with allow-key, see docs/plugins.md
    allow-key = "site-key.pem"

    [plugins.some-plugin]      # what its components have as options, and `enabled`
    slope = 2.0

    [plugins.some-plugin.one-of-its-components]
    slope = 3.0

    [vcf]                      # a component's name: its options
    filters = "ignore"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .errors import OptionError

FILE = "pmed.toml"
#: In front of a plugin's name, where options are of the plugin and not of a component.
OF_PLUGIN = "plugins."
_PATHS = ("allow-list", "allow-key")


@dataclass(frozen=True)
class Settings:
    """What the user chose.

    Attributes:
        disabled: Plugins switched off.
        options: Options by component name; those of a plugin as a whole by ``plugins.NAME``.
        allow_list: File of the plugins that may be loaded; empty allows all.
        allow_key: Public key that must have signed it.
    """

    disabled: frozenset[str] = frozenset()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    allow_list: str = ""
    allow_key: str = ""

    def with_options(self, more: Mapping[str, Mapping[str, Any]]) -> Settings:
        """These settings with further options laid over them."""
        names = {*self.options, *more}
        merged = {name: {**self.options.get(name, {}), **more.get(name, {})} for name in names}
        return replace(self, options=merged)

    def without(self, names: Iterable[str]) -> Settings:
        """These settings with more plugins switched off."""
        return replace(self, disabled=self.disabled | set(names))


def load_settings(path: Path | None = None) -> Settings:
    """Read a settings file, or ``pmed.toml`` of the working folder where there is one.

    Raises:
        OptionError: for a file that is not there, is not TOML, or holds something else than tables.
    """
    chosen = path or Path(FILE)
    if path is None and not chosen.is_file():
        return Settings()
    try:
        data = tomllib.loads(chosen.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"cannot read settings: {error.strerror}", where=str(chosen)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"not a TOML file: {error}", where=str(chosen)) from error
    return _parse(data, str(chosen))


def _parse(data: dict[str, Any], where: str) -> Settings:
    plugins = data.pop("plugins", {})
    own = {name: value for name, value in plugins.items() if not isinstance(value, dict)} \
        if isinstance(plugins, dict) else {"": plugins}
    if odd := set(own) - {"disabled", *_PATHS}:
        raise OptionError(f"[plugins] knows only 'disabled', {', '.join(map(repr, _PATHS))} and [plugins.NAME]. "
                          f"Got {min(odd)!r}", where=where)
    disabled = own.get("disabled", [])
    if not isinstance(disabled, list) or not all(isinstance(name, str) for name in disabled):
        raise OptionError("plugins.disabled must be a list of plugin names", where=where)
    if wrong := [name for name in _PATHS if not isinstance(own.get(name, ""), str)]:
        raise OptionError(f"plugins.{wrong[0]} must be the name of a file", where=where)
    if loose := [name for name, value in data.items() if not isinstance(value, dict)]:
        raise OptionError(f"{loose[0]!r} must be a table [{loose[0]}] of options", where=where)
    of_plugins = {name: dict(value) for name, value in plugins.items() if isinstance(value, dict)}
    off = {name for name, value in of_plugins.items() if not _is_enabled(name, value, where)}
    paths = {name.replace("-", "_"): str(Path(where).parent / own[name]) for name in _PATHS if own.get(name)}
    named = {f"{OF_PLUGIN}{name}": value for name, value in of_plugins.items() if value}
    return Settings(frozenset(disabled) | off, {**data, **named}, **paths)


def _is_enabled(name: str, options: dict[str, Any], where: str) -> bool:
    enabled = options.pop("enabled", True)
    if not isinstance(enabled, bool):
        raise OptionError(f"plugins.{name}.enabled must be true or false", where=where)
    return enabled

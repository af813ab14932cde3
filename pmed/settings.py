"""Settings of a run, from ``pmed.toml``.

::

    [plugins]
    disabled = ["some-plugin"]

    [vcf]                      # a component's name: its options
    filters = "ignore"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import OptionError

FILE = "pmed.toml"


@dataclass(frozen=True)
class Settings:
    """What the user chose: plugins switched off, and options by component name."""

    disabled: frozenset[str] = frozenset()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def with_options(self, more: Mapping[str, Mapping[str, Any]]) -> Settings:
        """These settings with further options laid over them."""
        names = {*self.options, *more}
        merged = {name: {**self.options.get(name, {}), **more.get(name, {})} for name in names}
        return Settings(self.disabled, merged)


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
    if not isinstance(plugins, dict) or set(plugins) - {"disabled"}:
        raise OptionError("[plugins] knows only 'disabled'", where=where)
    disabled = plugins.get("disabled", [])
    if not isinstance(disabled, list) or not all(isinstance(name, str) for name in disabled):
        raise OptionError("plugins.disabled must be a list of plugin names", where=where)
    if loose := [name for name, value in data.items() if not isinstance(value, dict)]:
        raise OptionError(f"{loose[0]!r} must be a table [{loose[0]}] of options", where=where)
    return Settings(frozenset(disabled), data)

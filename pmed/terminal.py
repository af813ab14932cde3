"""What every command says to a person at a terminal; plugins' commands use it too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from .errors import EXIT_PARTIAL, PluginError
from .plugins import Plugins


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A spinner on stderr when it is a terminal; nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


def finish(failures: Sequence[Any], written: Sequence[Path] = ()) -> None:
    """Say what was written and what failed.

    Raises:
        click.exceptions.Exit: exit code 3, where a plugin failed.
    """
    for path in written:
        click.echo(f"wrote {path}")
    for failure in failures:
        click.echo(f"pmed: partial result: {failure}", err=True)
    if failures:
        raise click.exceptions.Exit(EXIT_PARTIAL)


def add_commands(plugins: Plugins, group: click.Group) -> None:
    """Let plugins add commands to `group`; what was there before stays as it was."""
    for owner, impl in plugins.implementations("register_commands"):
        before = dict(group.commands)
        plugins.attempt(owner, "register_commands", impl.function, group)
        if spoilt := [name for name, command in before.items() if group.commands.get(name) is not command]:
            group.commands.update(before)
            plugins.fail(owner, "register_commands", PluginError(f"the command {spoilt[0]!r} is there already"))

"""What every command says to a person at a terminal; plugins' commands use it too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from .errors import EXIT_PARTIAL


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

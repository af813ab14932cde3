"""``pmed plugins``: list, new, check and allow."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .errors import EXIT_EXPECTED, EXIT_PARTIAL
from .scaffold import KINDS
from .settings import Settings
from .terminal import finish

if TYPE_CHECKING:
    from .testing import Outcome

_json = click.option("--json/--table", "as_json", default=None,
                     help="As JSON, or as a table (default: a table on a terminal).")


@click.group(invoke_without_command=True)
@_json
@click.pass_context
def plugins(ctx: click.Context, as_json: bool | None) -> None:
    """Installed plugins, what they bring, and what is wrong with them."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_plugins, as_json=as_json)


@plugins.command("list")
@_json
@click.pass_obj
def list_plugins(settings: Settings, as_json: bool | None) -> None:
    """List plugins with their components."""
    from .listing import describe_plugins, plugins_as_text

    described = describe_plugins(settings)
    if _wants_json(as_json):
        _print_json(described)
    else:
        click.echo(plugins_as_text(described, shutil.get_terminal_size((120, 24)).columns))
    if described["failures"]:
        raise click.exceptions.Exit(EXIT_PARTIAL)


@plugins.command("new")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), required=True, help="What it is to bring.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="New folder (default: ./NAME).")
def new(name: str, kind: str, output: Path | None) -> None:
    """A package of your own from a template, which installs, passes its checks and waits to be changed."""
    from .errors import OptionError
    from .plugins import installed
    from .scaffold import new_plugin

    if name in {point.name for point in installed()}:
        raise OptionError(f"a plugin {name!r} is installed already", hint="choose another name")
    folder = output or Path(name)
    finish((), new_plugin(name, kind, folder))
    click.echo(f"next: pip install -e {folder} && pmed plugins check {name}")


@plugins.command("check")
@click.argument("package")
@_json
def check(package: str, as_json: bool | None) -> None:
    """Whether PACKAGE (an entry point, distribution or module) keeps what plugins promise."""
    from .testing import run_checks

    outcomes = run_checks(package)
    if _wants_json(as_json):
        _print_json([{**asdict(one), "good": one.is_good} for one in outcomes])
    else:
        click.echo(_outcomes_as_text(outcomes))
    if not all(one.is_good for one in outcomes):
        raise click.exceptions.Exit(EXIT_EXPECTED)


@plugins.command("allow")
@click.argument("names", nargs=-1, required=True)
@click.option("--key", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Private key (PEM).")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="List to write.")
def allow(names: Sequence[str], key: Path, output: Path) -> None:
    """A signed list of the plugins NAMES as they are installed here: with it, nothing else is loaded."""
    from .allowlist import SUFFIX, write
    from .plugins import installed, must_be_installed

    must_be_installed(names, "allow")
    write(output, key, [point for point in installed() if point.name in names])
    finish((), [output, output.with_name(output.name + SUFFIX)])


def _wants_json(asked: bool | None) -> bool:
    return asked if asked is not None else not sys.stdout.isatty()


def _print_json(data: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())


def _outcomes_as_text(outcomes: Sequence[Outcome]) -> str:
    lines = [f"{one.status:<8} {one.check}: {one.message or one.about}" for one in outcomes
             if one.status not in {"passed", "not-run"}]
    waiting: dict[tuple[str, str], list[str]] = {}
    for one in outcomes:
        if one.status == "not-run":
            component, _, promise = one.check.rpartition(".")
            waiting.setdefault((component, one.message), []).append(promise)
    lines += [f"not-run  {component}: {why} ({', '.join(promises)})" for (component, why), promises in waiting.items()]
    counts = Counter(one.status for one in outcomes)
    lines.append(", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "nothing to check")
    return "\n".join(lines)

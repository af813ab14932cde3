"""Pages that are made from the code: tables and commands. ``python -m tests.reference`` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pmed import TABLES
from pmed.cli import cli
from pmed.normalise.plausible import PLAUSIBLE
from pmed.normalise.units import CODES, canonical_unit
from pmed.plugins import Plugins
from pmed.tables import Column, Table
from pmed.terminal import add_commands

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
MADE = "<!-- made by python -m tests.reference; do not edit -->"
OWN = {"pmed-pgx", "pmed-risk", "pmed-response"}


def pages() -> dict[str, str]:
    """File name → text."""
    return {"tables.md": tables_page(), "commands.md": commands_page(), "measurements.md": measurements_page()}


def tables_page() -> str:
    """Every table with its columns, types, units and key."""
    parts = ["# Tables", MADE, "The named frames that stages and plugins hand to each other (`pmed.TABLES`). Positions "
             "are 1-based, alleles on the forward strand. The same as JSON Schema: `pmed schema`.",
             *(_table(table) for table in TABLES.values())]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    rows = [f"| `{name}` | {_cell(str(column.dtype))} | {_cell(_about(column))} |" for name, column
            in table.columns.items()]
    key = f"Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else "No key."
    return f"## {table.name}\n\n{table.doc} {key}\n\n| column | type | meaning |\n|---|---|---|\n" + "\n".join(rows)


def _about(column: Column) -> str:
    unit = f", in {column.unit}" if column.unit else ""
    values = f"; one of {', '.join(column.values)}" if column.values else ""
    return f"{column.doc}{unit}{values}" + ("" if column.null else "; never null")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("{", "&#123;")


def measurements_page() -> str:
    """Every measurement that becomes a feature, with its unit."""
    others: dict[str, list[str]] = {}
    for code, (target, _) in CODES.items():
        others.setdefault(target, [])
        others[target] += [code] if code != target else []
    rows = [f"| `observation:{code}` | {PLAUSIBLE[code][0]} | {canonical_unit(CODES[code][1])} | {', '.join(more)} |"
            for code, more in others.items()]
    head = "| feature | measurement | unit | recorded codes that count as it, too |\n|---|---|---|---|\n"
    parts = ["# Measurements", MADE,
             "Observations that become features (`observation:`, `latest:` and `trend:` with the LOINC code), each in "
             "one unit. A code that is not here has no unit that pmed knows: its feature is unknown, and a plugin that "
             "needs it makes it from the table `observations` by [register_features](../hooks/register_features.md).",
             head + "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def commands_page() -> str:
    """The help of every command, of pmed and of its own plugins."""
    group = click.Group("pmed", commands=dict(cli.commands), help=cli.help, params=cli.params,
                        context_settings=cli.context_settings)
    add_commands(Plugins().load(only=OWN), group)
    parts = ["# Commands", MADE, "Exit codes: 0 done, 1 expected error (one line), 2 wrong usage, 3 partial."]
    return "\n\n".join([*parts, *_helps(group, "pmed", None)]) + "\n"


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent, terminal_width=100, max_content_width=100)
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"## {context.command_path}\n\n```text\n{text}\n```"
    if isinstance(command, click.Group):
        for one in sorted(command.commands):
            yield from _helps(command.commands[one], one, context)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")

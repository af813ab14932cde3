"""``pmed call``: gene results only, from genomes to JSON, TSV or Parquet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

import pmed
from pmed.files import write_whole
from pmed.terminal import finish, progress

from .export import FORMATS

GENOME = click.Path(path_type=Path)


@click.command()
@click.argument("genome", nargs=-1, required=True, type=GENOME)
@click.option("--sample", "samples", multiple=True, help="Sample to call; repeatable (default: all).")
@click.option("--all-matches", is_flag=True, help="Every diplotype that fits, not only the best-scoring ones.")
@click.option("--absent-as-ref", is_flag=True, help="Sites missing from the file are reference (marked in the result).")
@click.option("--build", default="", type=click.Choice(["", "GRCh37", "GRCh38"]), help="Genome build, if undeclared.")
@click.option("--format", "kind", default="json", type=click.Choice(list(FORMATS)), show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File (default: stdout).")
@click.pass_obj
def call(settings: Any, *, genome: tuple[Path, ...], samples: tuple[str, ...], all_matches: bool, absent_as_ref: bool,
         build: str, kind: str, output: Path | None) -> None:
    """Gene results (star alleles, phenotypes) of all samples in GENOME file(s)."""
    if kind == "parquet" and output is None:
        raise click.UsageError("--format parquet needs -o FILE")
    options: dict[str, dict[str, Any]] = {"pgx-caller": {"all_matches": True}} if all_matches else {}
    if absent_as_ref:
        options["vcf"] = {"absent_as_ref": True}
    with progress() as say:
        result = pmed.call(genome, samples=samples, build=build, options=options, settings=settings, progress=say)
    _deliver(FORMATS[kind](result), output)
    finish(result.failures)


def _deliver(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        return
    write_whole(output, data)
    click.echo(f"wrote {output}", err=True)

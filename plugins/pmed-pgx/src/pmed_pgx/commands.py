"""``pmed call``: gene results only, from genomes to JSON, TSV or Parquet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TextIO

import click

import pmed
from pmed.files import write_whole
from pmed.terminal import Reading, finish, genome_options, outside_calls_option, progress

from .export import FORMATS

GENOME = click.Path(path_type=Path)


@click.command()
@click.argument("genome", nargs=-1, required=True, type=GENOME)
@outside_calls_option
@click.option("--sample", "samples", multiple=True, help="Sample to call; repeatable (default: all).")
@click.option("--samples-file", type=click.File("r", encoding="utf-8"), help="Samples to call, one name a line.")
@click.option("--all-matches", is_flag=True, help="Every diplotype that fits, not only the best-scoring ones.")
@genome_options
@click.option("--format", "kind", default="json", type=click.Choice(list(FORMATS)), show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File (default: stdout).")
@click.pass_obj
def call(settings: Any, *, genome: tuple[Path, ...], outside_calls: tuple[Path, ...], samples: tuple[str, ...],
         samples_file: TextIO | None, all_matches: bool, reading: Reading, kind: str, output: Path | None) -> None:
    """Gene results (star alleles, phenotypes) of all samples in GENOME file(s); - is standard input."""
    if kind == "parquet" and output is None:
        raise click.UsageError("--format parquet needs -o FILE")
    own: dict[str, dict[str, Any]] = {"pgx-caller": {"all_matches": True}} if all_matches else {}
    listed = [line.strip() for line in samples_file or () if line.strip()]
    if samples_file and not listed:
        raise click.UsageError("--samples-file names nobody")
    with progress() as say:
        result = pmed.call(genome, outside_calls=outside_calls, samples=[*samples, *listed], build=reading.build,
                           options={**own, **reading.options}, settings=settings, progress=say)
    _deliver(FORMATS[kind](result), output)
    finish(result.failures)


def _deliver(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        return
    write_whole(output, data)
    click.echo(f"wrote {output}", err=True)

"""``pmed call``: gene results only, from genomes to JSON, TSV or Parquet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import click
from click.core import ParameterSource

import pmed
from pmed.errors import OptionError
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
@click.option("--combinations", is_flag=True, help="Where no pair of named alleles fits, combine them: [*2 + *5].")
@click.option("--why", is_flag=True, help="Say in words what each call rests on, and what was rejected.")
@click.option("--gene", "genes", multiple=True, help="With --why: only this gene; repeatable.")
@genome_options
@click.option("--format", "kind", default="json", type=click.Choice(list(FORMATS)), show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File (default: stdout).")
@click.pass_obj
def call(settings: Any, *, genome: tuple[Path, ...], outside_calls: tuple[Path, ...], samples: tuple[str, ...],
         samples_file: TextIO | None, all_matches: bool, combinations: bool, why: bool, genes: tuple[str, ...],
         reading: Reading, kind: str, output: Path | None) -> None:
    """Gene results (star alleles, phenotypes) of all samples in GENOME file(s); - is standard input.

    What reading the genome found wrong is told on standard error, one line of each kind.
    """
    if kind == "parquet" and output is None:
        raise click.UsageError("--format parquet needs -o FILE")
    if genes and not why:
        raise click.UsageError("--gene goes with --why")
    if why and click.get_current_context().get_parameter_source("kind") is not ParameterSource.DEFAULT:
        raise click.UsageError("--why is words: it has no --format")
    _must_be_read(genes)
    asked = {"all_matches": all_matches, "combinations": combinations}
    own = {"pgx-caller": {name: True for name, wanted in asked.items() if wanted}}
    listed = _listed(samples_file)
    if samples_file and not listed:
        raise click.UsageError("--samples-file names nobody")
    failures: list[Any] = []
    found: dict[str, list[str]] = {}
    with progress() as say:
        parts = pmed.calls(genome, outside_calls=outside_calls, samples=[*samples, *listed], build=reading.build,
                           options={**own, **reading.options}, settings=settings, progress=say)
        # The first part comes before any byte of output, so that input which cannot be read leaves none.
        results = _noted(chain([next(parts)], parts), failures, found)
        _deliver(_explained(results, genes) if why else FORMATS[kind](results), output)
    for texts in found.values():
        more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
        click.echo(f"pmed: warning: {texts[0]}{more}", err=True)
    finish(failures)


def _must_be_read(asked: tuple[str, ...]) -> None:
    from .knowledge import genes

    known = [gene.name for gene in genes().values() if gene.sites]
    for name in asked:
        if name not in known:
            raise OptionError(f"no gene {name!r} is read from a genome", hint=f"there are {', '.join(known)}")


def _listed(file: TextIO | None) -> list[str]:
    try:
        return [line.strip() for line in file or () if line.strip()]
    except UnicodeDecodeError as error:
        raise OptionError("is not UTF-8 text", where=str(getattr(file, "name", "--samples-file")),
                          hint="one sample's name on each line") from error


def _noted(results: Iterator[pmed.Result], failures: list[Any],
           found: dict[str, list[str]]) -> Iterator[pmed.Result]:
    """The results as they come; what plugins did wrong, and what was `found` wrong, by kind, is remembered."""
    for result in results:
        failures[:] = result.failures
        for issue in result.tables["issues"].filter(severity="warning").iter_rows(named=True):
            place = " ".join(filter(None, (issue["file"], issue["place"])))
            found.setdefault(issue["code"], []).append(f"{place}: {issue['text']}")
        yield result


def _explained(results: Iterator[pmed.Result], only: tuple[str, ...]) -> Iterator[bytes]:
    from .why import in_words

    for result in results:
        yield in_words(result, only).encode()


def _deliver(data: Iterator[bytes], output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.writelines(data)
        return
    write_whole(output, data)
    click.echo(f"wrote {output}", err=True)

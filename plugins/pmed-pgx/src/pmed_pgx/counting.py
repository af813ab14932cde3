"""``pmed frequencies``: how often alleles, diplotypes and phenotypes are in a cohort, by group."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
import polars as pl

import pmed
from pmed import TABLES, Result
from pmed.errors import InputError, OptionError
from pmed.files import write_whole
from pmed.terminal import Reading, finish, genome_options, outside_calls_option, progress

from .frequencies import FREQUENCIES, NEEDS, frequencies, read_groups
from .knowledge import genes

FORMAT = "pmed/frequencies/1"


@click.command("frequencies")
@click.argument("genome", nargs=-1, required=True, type=click.Path(path_type=Path))
@outside_calls_option
@click.option("--groups", "groups_file", type=click.Path(path_type=Path, dir_okay=False),
              help="Sample and group, two columns with a tab between (default: all together).")
@click.option("--gene", "names", multiple=True, help="Gene to count; repeatable (default: all).")
@genome_options
@click.option("--format", "kind", default="tsv", type=click.Choice(["tsv", "json", "parquet"]), show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File (default: stdout).")
@click.pass_obj
def count(settings: Any, *, genome: tuple[Path, ...], outside_calls: tuple[Path, ...], groups_file: Path | None,
          names: tuple[str, ...], reading: Reading, kind: str, output: Path | None) -> None:
    """Allele, diplotype and phenotype frequencies of all samples in GENOME file(s), with exact 95 % intervals.

    Outside calls count in place of what the genomes say of their genes.
    """
    if kind == "parquet" and output is None:
        raise click.UsageError("--format parquet needs -o FILE")
    _must_be_genes(names)
    groups = _read(groups_file) if groups_file else None
    with progress() as say:
        result = _gathered(pmed.calls(genome, outside_calls=outside_calls, build=reading.build,
                                      options=reading.options, settings=settings, progress=say))
    _deliver(WRITERS[kind](result, _counted(result, names, groups, groups_file)), output)
    finish(result.failures)


def _gathered(parts: Iterator[Result]) -> Result:
    """One result with what is counted and no more: the rest of a cohort's would fill the memory."""
    kept: list[tuple[pl.DataFrame, pl.DataFrame]] = []
    for part in parts:
        genes_of = part.tables.get("gene_results", TABLES["gene_results"].empty())
        kept.append((genes_of.select(NEEDS), part.tables["samples"]))
    results, samples = map(pl.concat, zip(*kept, strict=True))
    return Result({"gene_results": results, "samples": samples}, part.failures, part.provenance)


def _must_be_genes(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in genes()]:
        raise OptionError(f"the release has no gene {unknown[0]!r}", where="--gene",
                          hint=f"it has {', '.join(genes())}")


def _read(path: Path) -> pl.DataFrame:
    try:
        return read_groups(path.read_text("utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as text: {error}", where=str(path)) from error


def _counted(result: Result, names: Sequence[str], groups: pl.DataFrame | None, where: Path | None) -> pl.DataFrame:
    """The frequencies; groups and samples that do not meet are told on standard error, none at all is an error."""
    results = result.tables["gene_results"]
    if names:
        results = results.filter(pl.col("gene").is_in(list(names)))
    if groups is not None:
        samples = result.tables["samples"].select("sample", "patient_id")
        known = samples.join(groups, left_on="sample", right_on="patient_id")
        _tell_strangers(samples, groups, known, where)
        groups = known
    return frequencies(results, groups)


def _tell_strangers(samples: pl.DataFrame, groups: pl.DataFrame, known: pl.DataFrame, where: Path | None) -> None:
    if known.is_empty():
        raise InputError("none of its samples is in the genomes", where=str(where),
                         hint=f"the genomes have {samples['sample'][0]} …")
    here, there = known["sample"].n_unique(), groups["patient_id"].n_unique()
    if there > here:
        click.echo(f"pmed: {where}: {there - here} of {there} samples are not in the genomes", err=True)
    if samples.height > here:
        click.echo(f"pmed: {where}: {samples.height - here} of {samples.height} people of the genomes are in no group",
                   err=True)


def _tsv(_: Result, rows: pl.DataFrame) -> bytes:
    return rows.write_csv(separator="\t", float_precision=6).encode()


def _json(result: Result, rows: pl.DataFrame) -> bytes:
    columns = {name: column.doc for name, column in FREQUENCIES.columns.items()}
    said = {"format": FORMAT, "columns": columns, "rows": rows.to_dicts(), "provenance": result.provenance,
            "failures": [str(failure) for failure in result.failures]}
    return msgspec.json.format(msgspec.json.encode(said, enc_hook=str), indent=1) + b"\n"


def _parquet(_: Result, rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    return buffer.getvalue()


WRITERS: Mapping[str, Callable[[Result, pl.DataFrame], bytes]] = {"tsv": _tsv, "json": _json, "parquet": _parquet}


def _deliver(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        return
    write_whole(output, data)
    click.echo(f"wrote {output}", err=True)

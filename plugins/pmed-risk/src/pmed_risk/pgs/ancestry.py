"""``pmed ancestry``: make a reference panel's components, and place people on them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
import polars as pl

from pmed.cohorts import opened
from pmed.errors import InputError
from pmed.files import write_all
from pmed.terminal import progress, spooled

from .loadings import Loadings, make_loadings, read_loadings
from .placing import LEAST_SITES, place
from .scoring import score_cohort
from .store import stored

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_BUILD = click.option("--build", default="", metavar="GRCh38|GRCh37", help="Genome build, if undeclared.")
_GENOME = click.argument("genome", nargs=-1, required=True, type=click.Path(path_type=Path))
# Below this share of the panel's own spread, people are told apart by the making of the axes and not by their genomes.
_WORTH_A_WORD = 0.9


@click.group()
def ancestry() -> None:
    """Where people lie on the principal components of a reference panel."""


@ancestry.command()
@_GENOME
@_BUILD
@click.option("--populations", required=True, type=_FILE, help="Whose population is known (TSV): sample, population.")
@click.option("--scorefile", "scorefiles", multiple=True, type=_FILE,
              help="Also score the panel's people, to compare others with them; repeatable.")
@click.option("-o", "--output", required=True, type=_FOLDER, help="Folder for loadings.tsv and panel.tsv.")
def make(genome: tuple[Path, ...], *, build: str, populations: Path, scorefiles: tuple[Path, ...],
         output: Path) -> None:
    """Make the components of the unrelated people in GENOME file(s) who have a population."""
    with spooled(genome) as files, progress() as say:
        cohort = opened(files, build)
        with stored(scorefiles, cohort.build) as scores:
            made = make_loadings(cohort, read_populations(populations), say)
            if scores.files:
                made = _with_scores(made, score_cohort(cohort, scores, keep=False, progress=say).table)
    for path in made.write(output):
        click.echo(f"wrote {path}", err=True)
    click.echo(f"{len(made.sites)} sites, {len(made.people)} people; {shrinkage(made)}", err=True)


@ancestry.command("place")
@_GENOME
@_BUILD
@click.option("--panel", required=True, type=_FOLDER, help="Folder with loadings.tsv and panel.tsv.")
@click.option("--min-sites", default=LEAST_SITES, show_default=True, type=click.FloatRange(0, 1),
              help="Least share of the panel's sites that must be known of a person.")
@click.option("-o", "--output", type=_FILE, help="TSV (default: stdout).")
def place_people(genome: tuple[Path, ...], *, build: str, panel: Path, min_sites: float,
                 output: Path | None) -> None:
    """Place the people in GENOME file(s): components, nearest population, how far they are from it."""
    known = read_loadings(panel)
    with spooled(genome) as files, progress() as say:
        table = place(opened(files, build), known, least=min_sites, progress=say)
    data = table.write_csv(separator="\t").encode()
    if output is None:
        sys.stdout.buffer.write(data)
    else:
        write_all({output: data})
        click.echo(f"wrote {output}", err=True)
    tell(table, known)


def tell(table: pl.DataFrame, panel: Loadings) -> None:
    """Who could not be placed, who is like nobody, and what the axes do to others than those they were made of."""
    if few := table["PC1"].null_count():
        click.echo(f"{few} people are not placed: too few of the panel's sites are known of them", err=True)
    if far := table.filter(pl.col("closest").is_not_null() & pl.col("population").is_null()).height:
        click.echo(f"{far} people are far from every population of the panel", err=True)
    if not (panel.shrinkage >= _WORTH_A_WORD).all():
        click.echo(f"caution: {shrinkage(panel)}", err=True)


def shrinkage(panel: Loadings) -> str:
    """In words."""
    if np.isnan(panel.shrinkage).any():
        return "the panel does not say how much new people are drawn to the middle"
    shares = ", ".join(f"{one:.0%}" for one in panel.shrinkage)
    return f"new people spread over {shares} of the panel's own width on the five components"


def read_populations(path: Path) -> Mapping[str, str]:
    """Population of each sample, of a tab-separated table with sample and population.

    Raises:
        InputError: no such table, or somebody with two populations.
    """
    try:
        table = pl.read_csv(path, separator="\t", infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot be read as a tab-separated table: {str(error).splitlines()[0]}",
                         where=str(path)) from None
    if missing := [name for name in ("sample", "population") if name not in table.columns]:
        raise InputError(f"has no column {', '.join(missing)}", where=str(path))
    known = table.select("sample", "population").drop_nulls().unique(maintain_order=True)
    if known["sample"].is_duplicated().any():
        twice = known.filter(pl.col("sample").is_duplicated())["sample"][0]
        raise InputError(f"sample {twice} has two populations", where=str(path), hint="name each once")
    return dict(known.iter_rows())


def _with_scores(made: Loadings, table: pl.DataFrame) -> Loadings:
    """The panel with a column for each score.

    Raises:
        InputError: one of its people has no score.
    """
    sums = table.pivot(on="score", index="sample", values="sum")
    people = made.people.join(sums, on="sample", how="left", maintain_order="left")
    if not (lost := people.filter(pl.any_horizontal(pl.all().is_null()))).is_empty():
        raise InputError(f"{lost['sample'][0]} has no score: too few genotypes are known",
                         where="the panel", hint="leave such people out of --populations")
    return Loadings(made.build, made.sites, people, made.shrinkage)

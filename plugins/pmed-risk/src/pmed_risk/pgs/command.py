"""``pmed score``: polygenic scores of a cohort."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import click
import msgspec
import polars as pl

from pmed.cohorts import Cohort, opened
from pmed.files import write_all
from pmed.terminal import progress, spooled

from .absolute import add_risks, read_incidence, read_people
from .ancestry import tell
from .loadings import PANEL, read_loadings
from .matches import Matches
from .matching import MATCHED, Rules
from .placing import place
from .reference import Panel, compare, read_panel
from .scoring import MIN_OVERLAP, score_cohort
from .store import stored
from .sums import LEAST_CALLED

FORMAT = "pmed/scores/1"
_FILE = click.Path(path_type=Path, dir_okay=False)
Counts = Mapping[str, Mapping[str, int]]


@click.command()
@click.argument("genome", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--scorefile", "scorefiles", multiple=True, required=True, type=_FILE,
              help="Scoring file of the PGS Catalog; repeatable, all are scored in one pass.")
@click.option("--build", default="", metavar="GRCh38|GRCh37", help="Genome build, if undeclared.")
@click.option("--min-overlap", default=MIN_OVERLAP, show_default=True, type=click.FloatRange(0, 1),
              help="Least share of a score's variants that must be matched.")
@click.option("--keep-ambiguous", is_flag=True, help="Score A/T and C/G variants, as if on the forward strand.")
@click.option("--keep-multiallelic", is_flag=True, help="Score records with several ALTs.")
@click.option("--ignore-filters", is_flag=True, help="Score records whose FILTER failed.")
@click.option("--reference", type=_FILE, help="Panel (TSV): sample, population, PC1 to PC5, a column for each score.")
@click.option("--pcs", type=_FILE, help="The samples (TSV) on the panel's components: sample, PC1 to PC5.")
@click.option("--panel", "folder", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of `pmed ancestry make`: places the samples and compares them; instead of both.")
@click.option("--risk", "risks", multiple=True, type=_FILE,
              help="Absolute risk (CSV): hazard ratio of a score, incidence and mortality by sex and age; repeatable.")
@click.option("--people", type=_FILE, help="Of whom (TSV): sample, sex, age; goes with --risk.")
@click.option("--years", default=10.0, show_default=True, type=click.FloatRange(0, 100, min_open=True),
              help="How far ahead the risk is told.")
@click.option("--matches", type=_FILE, help="Write what became of each row of the scoring files (TSV).")
@click.option("--format", "kind", default="tsv", type=click.Choice(["tsv", "json", "parquet"]), show_default=True)
@click.option("-o", "--output", type=_FILE, help="File (default: stdout).")
def score(genome: tuple[Path, ...], scorefiles: tuple[Path, ...], *, build: str, min_overlap: float,
          keep_ambiguous: bool, keep_multiallelic: bool, ignore_filters: bool, reference: Path | None,
          pcs: Path | None, folder: Path | None, risks: tuple[Path, ...],
          people: Path | None, years: float, matches: Path | None, kind: str, output: Path | None) -> None:
    """Polygenic scores of all samples in GENOME file(s): VCF, BCF or pmed's cache; - is standard input."""
    if kind == "parquet" and output is None:
        raise click.UsageError("--format parquet needs -o FILE")
    if (reference is None) != (pcs is None):
        raise click.UsageError("--reference and --pcs go together")
    if reference and folder:
        raise click.UsageError("--panel stands for --reference and --pcs: give one or the others")
    if bool(risks) != (people is not None) or (risks and not (reference or folder)):
        raise click.UsageError("--risk and --people go together, and with a panel: a risk is of a place among others")
    known = [read_incidence(path) for path in risks]
    who = read_people(people) if people else None
    rules = Rules(keep_ambiguous, keep_multiallelic, ignore_filters)
    with spooled(genome) as files, progress() as say:
        cohort = opened(files, build)
        with stored(scorefiles, cohort.build) as scores:
            panel = _panel(cohort, reference, pcs, folder, say)
            found = score_cohort(cohort, scores, rules=rules, min_overlap=min_overlap, keep=matches is not None,
                                 progress=say)
            names = [file.name for file in scores.files]
            table = compare(found.table, panel, names) if panel else found.table
            if who is not None:
                table = add_risks(table, known, who, years)
            counts = {name: found.matches.counts(number) for number, name in enumerate(names)}
            _deliver(FORMATS[kind](table, counts), output, {matches: _lines(found.matches)} if matches else {})
    for name in names:
        _tell(name, counts[name], found.table)


def _panel(cohort: Cohort, reference: Path | None, pcs: Path | None, folder: Path | None,
           say: Callable[[str], None]) -> Panel | None:
    """A panel's people, and those of a cohort on its components; None where no panel is given."""
    if reference and pcs:
        return read_panel(reference, pcs)
    if not folder:
        return None
    panel = read_loadings(folder)
    placed = place(cohort, panel, progress=say)
    tell(placed, panel)
    return Panel(folder / PANEL, panel.people, placed.drop_nulls("PC1"))


def to_tsv(table: pl.DataFrame, _: Counts) -> bytes:
    """One row for each sample and score."""
    return table.write_csv(separator="\t").encode()


def to_parquet(table: pl.DataFrame, _: Counts) -> bytes:
    """The same as Parquet."""
    sink = io.BytesIO()
    table.write_parquet(sink)
    return sink.getvalue()


def to_json(table: pl.DataFrame, counts: Counts) -> bytes:
    """The same as JSON, with the counts of each score."""
    whole = {"format": FORMAT, "scores": counts, "samples": table.to_dicts()}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


FORMATS: dict[str, Callable[[pl.DataFrame, Counts], bytes]] = {
    "tsv": to_tsv, "json": to_json, "parquet": to_parquet}


def _lines(matches: Matches) -> Iterator[bytes]:
    """The table of matches as TSV, piece by piece."""
    for number, part in enumerate(matches.table()):
        yield part.write_csv(separator="\t", include_header=not number).encode()


def _deliver(data: bytes, output: Path | None, log: Mapping[Path, Iterable[bytes]]) -> None:
    write_all({**log, **({output: data} if output else {})})
    if output is None:
        sys.stdout.buffer.write(data)
    for path in (*log, *filter(None, [output])):
        click.echo(f"wrote {path}", err=True)


def _tell(name: str, counts: Mapping[str, int], table: pl.DataFrame) -> None:
    """What was matched and what was not known, in a line or two."""
    rest = "".join(f", {many} {what}" for what, many in counts.items() if what != MATCHED)
    click.echo(f"{name}: {counts.get(MATCHED, 0)} of {sum(counts.values())} variants matched{rest}", err=True)
    own = table.filter(score=name)
    imputed, lost = int(own["imputed"].sum()), own.filter(pl.col("left_out") > 0)
    if imputed:
        click.echo(f"{name}: {imputed} unknown genotypes imputed by the allele's frequency", err=True)
    if none := own["sum"].null_count():
        click.echo(f"{name}: {none} people have no score: too few of their genotypes are known", err=True)
    if len(lost):
        click.echo(f"{name}: {lost['left_out'].sum()} unknown genotypes of {len(lost)} people left out: no frequency "
                   f"in the scoring file, and fewer than {LEAST_CALLED} people called", err=True)

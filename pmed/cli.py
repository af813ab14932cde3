"""The ``pmed`` command line. Plugins add commands through ``register_commands``."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from . import __version__
from .errors import PmedError
from .files import write_whole
from .modelcommands import model
from .plugincommands import plugins
from .plugins import Plugins, must_be_installed
from .processors import one_thread
from .readers import Reader, reader_options
from .settings import Settings, load_settings
from .terminal import Reading, add_commands, finish, genome_options, outside_calls_option, progress, spooled

COMMAND = "pmed.command"
ONE_THREAD = {"report", "demo", "cohort"}
READABLE = click.Path(path_type=Path)


class Anywhere(click.ParamType[Any]):
    """A path, or the address of a file system that Spark knows, whose slashes a path would lose."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:  # noqa: ARG002
        """The address as it is; anything else as a path."""
        from .cohort.places import is_away

        return value if is_away(value) else Path(value)


_SENTENCE = 1000  # letters: more than any first sentence has
WRITABLE = click.Path(path_type=Path, dir_okay=False)


def is_folder(output: str) -> bool:
    """Whether reports go into a folder: one that is there, a name with a slash at its end, or without a suffix."""
    path = Path(output)
    return path.is_dir() or output.endswith(("/", os.sep)) or not (path.exists() or path.suffix)


class Commands(click.Group):
    """The commands of pmed and of the installed plugins; plugins are loaded only when a command is looked for."""

    def _with_plugins(self, ctx: click.Context) -> Plugins:
        plugins: Plugins | None = ctx.meta.get("pmed.plugins")
        if plugins is None:
            settings = _chosen(ctx.params.get("config"), ctx.params.get("disable") or ())
            plugins = ctx.meta["pmed.plugins"] = Plugins.of(settings).load()
            add_commands(plugins, self)
        return plugins

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, plugins' included."""
        self._with_plugins(ctx)
        return super().list_commands(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with the whole first sentence of what it does; click cuts it off."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(_SENTENCE)) for name, command in commands if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command; plugins are loaded for those that are not the host's own."""
        found = super().get_command(ctx, cmd_name)
        if found is None:
            self._with_plugins(ctx)
            found = super().get_command(ctx, cmd_name)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pmed")
@click.option("--debug", is_flag=True, help="Show the traceback of an expected error.")
@click.option("--config", type=READABLE, help="Settings file (default: pmed.toml of this folder).")
@click.option("--disable", multiple=True, metavar="PLUGIN", help="Go without this plugin; repeatable.")
@click.pass_context
def cli(ctx: click.Context, debug: bool, config: Path | None,  # noqa: ARG001 - main() looks at --debug itself
        disable: tuple[str, ...]) -> None:
    """Genome + patient history in, explained and cited treatment suggestions out.

    Research and decision-support software, not a medical device.
    """
    ctx.meta[COMMAND] = ctx.obj or ""
    ctx.obj = _chosen(config, disable)


def _chosen(config: Path | None, disable: Sequence[str]) -> Settings:
    must_be_installed(disable, "--disable")
    return load_settings(config).without(disable)


@cli.command()
@click.argument("genome", nargs=-1, type=READABLE)
@click.option("--history", multiple=True, type=READABLE, help="Patient record (FHIR, OMOP, HL7 v2, table); repeatable.")
@outside_calls_option
@click.option("--sample", default="", help="The patient's sample, where the genome holds several.")
@genome_options
@click.option("--index-date", default="", help="Day of the question, YYYY-MM-DD (default: last entry of the record).")
@click.option("--pairs", "pairs_file", type=click.Path(path_type=Path, dir_okay=False),
              help="Sample and patient, two columns with a tab between, where the names differ.")
@click.option("--allow-sex-mismatch", is_flag=True, help="Genome and record are of one person though the sex differs.")
@click.option("--drug", "drugs", multiple=True, help="Also answer for this drug; repeatable.")
@click.option("-o", "--output", type=click.Path(), default="report.html", show_default=True,
              help="HTML report, or PDF (.pdf); a folder (DIR/) gets a report of everybody in the files, and an index.")
@click.option("--jobs", type=click.IntRange(0), default=0, help="Into a folder: processes (default: one a CPU).")
@click.option("--json", "json_file", type=WRITABLE, help="Also write the result as JSON.")
@click.option("--fhir", "fhir_file", type=WRITABLE, help="Also write a FHIR R4 bundle (Genomics Reporting).")
@click.option("--export", "exports", multiple=True, metavar="FORMAT=PATH",
              help="Also write: hl7, markdown or text (a file); csv, tsv, parquet or omop (a new folder); repeatable. "
                   "Into a folder FORMAT alone, json, fhir and pdf too.")
@reader_options
@click.pass_obj
def report(settings: Settings, *, genome: tuple[Path, ...], history: tuple[Path, ...], outside_calls: tuple[Path, ...],
           sample: str, reading: Reading, index_date: str, pairs_file: Path | None, allow_sex_mismatch: bool,
           drugs: tuple[str, ...], output: str, jobs: int, json_file: Path | None, fhir_file: Path | None,
           exports: tuple[str, ...], reader: Reader) -> None:
    """One patient's report from GENOME file(s), record(s) and outside calls; into a folder, everybody's."""
    from .reporting import asked_sample, chosen_outputs, report_cohort, report_one
    from .stages.link import read_pairs

    if not genome and not history:
        raise click.UsageError("give a GENOME file, a --history record, or both")
    settings = settings.with_options(reader.options())
    pairs = read_pairs(pairs_file) if pairs_file else {}
    if is_folder(output):
        if json_file or fhir_file or reader.pdf:
            raise click.UsageError("--json, --fhir and --pdf name one patient's file; into a folder: --export FORMAT")
        report_cohort(genome, history, Path(output), outside_calls=outside_calls, sample=sample, build=reading.build,
                      options=reading.options, index_date=index_date, drugs=drugs, pairs=pairs, jobs=jobs,
                      allow_sex_mismatch=allow_sex_mismatch, settings=settings, exports=exports,
                      command=click.get_current_context().meta.get(COMMAND, ""))
        return
    outputs = chosen_outputs({**reader.outputs(Path(output)), "json": json_file, "fhir": fhir_file}, exports)
    sample = sample or asked_sample(genome, known=pairs)
    with progress() as say:
        result, written = report_one(genome, history, outside_calls=outside_calls, sample=sample,
                                     build=reading.build, options=reading.options, index_date=index_date, drugs=drugs,
                                     pairs=pairs,
                                     allow_sex_mismatch=allow_sex_mismatch,
                                     settings=settings, progress=say,
                                     command=click.get_current_context().meta.get(COMMAND, ""),
                                     outputs=outputs)
    # What may be anybody's is told of everybody.
    if lost := result.tables["issues"].filter(severity="error").unique(["file", "place", "code", "text"]).height:
        click.echo(f"pmed: {lost} problem{'s' * (lost > 1)} left something of the files out; the report says what "
                   "(problems found while reading)", err=True)
    finish(result.failures, written)


@cli.command()
@click.argument("genome", nargs=-1, type=Anywhere())
@click.option("--history", multiple=True, type=Anywhere(), help="Patient records; repeatable.")
@genome_options
@click.option("-o", "--output", required=True, type=Anywhere(), metavar="DIRECTORY",
              help="Folder of this cohort; the same command goes on where an earlier one was ended.")
@click.option("--index-date", default="", help="Day of the question, YYYY-MM-DD (default: last entry of each record).")
@click.option("--pairs", "pairs_file", type=click.Path(path_type=Path, dir_okay=False),
              help="Sample and patient, two columns with a tab between, where the names differ.")
@click.option("--groups", "groups_file", type=click.Path(path_type=Path, dir_okay=False),
              help="Sample or patient and group, two columns with a tab between (default: recorded ancestry).")
@click.option("--samples", "samples_file", type=click.Path(path_type=Path, dir_okay=False),
              help="List of the samples to work out, one a line (default: everybody in the files).")
@click.option("--allow-sex-mismatch", is_flag=True, help="Genome and record are of one person though the sex differs.")
@click.option("--genes-only", is_flag=True, help="Nothing beyond the results of genes.")
@click.option("--explanations", is_flag=True, help="Also why; costs many times the rest.")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True)
@click.option("--jobs", type=click.IntRange(0), default=0, help="Processes (default: one a CPU).")
@click.option("--memory", type=click.IntRange(0), default=0, metavar="MB", help="For all processes together.")
@click.pass_obj
def cohort(settings: Settings, *, genome: tuple[Path | str, ...], history: tuple[Path | str, ...], reading: Reading,
           output: Path | str, index_date: str, pairs_file: Path | None, groups_file: Path | None,
           samples_file: Path | None, allow_sex_mismatch: bool, genes_only: bool, explanations: bool, engine: str,
           jobs: int, memory: int) -> None:
    """Everybody in GENOME file(s) and records as Parquet tables with summaries; resumable, for very many people."""
    from .cohort import Asked, Inputs, here
    from .cohort.command import work_out

    if genes_only and explanations:
        raise click.UsageError("--explanations are of what --genes-only leaves out")
    with here(genome, history, output, engine=engine, jobs=jobs) as files:
        asked = Asked(files.folder, settings.with_options(reading.options), reading.build, index_date,
                      allow_sex_mismatch, explanations, genes_only)
        inputs = Inputs.read(files.genome, files.history, pairs=pairs_file, groups=groups_file, samples=samples_file)
        work_out(inputs, asked, files, engine=engine, jobs=jobs, memory=memory)


@cli.command()
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("pmed-demo"),
              show_default=True, help="Folder for the reports.")
@click.pass_obj
def demo(settings: Settings, output: Path) -> None:
    """Reports of the embedded, invented patients: the main job on a fresh machine."""
    from .reporting import report_demo

    with progress() as say:
        failures, written = report_demo(output, settings=settings, progress=say)
    finish(failures, written)


@cli.command()
@click.argument("paths", nargs=-1, type=READABLE, metavar="PATH...")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="New folder for the tables.")
@click.option("--index-date", default="", help="Day of the question, YYYY-MM-DD (default: last entry of each record).")
@click.option("--format", "kind", default="parquet", type=click.Choice(["parquet", "csv"]), show_default=True)
@click.option("--strict", is_flag=True, help="Any error in a record ends the command, and nothing is written.")
@click.option("--template", type=WRITABLE, help="Write an example of a mapping file for plain tables, and end.")
@click.pass_obj
def history(settings: Settings, *, paths: tuple[Path, ...], output: Path | None, index_date: str, kind: str,
            strict: bool, template: Path | None) -> None:
    """Patient records as tables, with drugs and units understood and every problem listed."""
    from .records import read_histories, write_histories, write_template

    if template:
        write_template(template)
        finish((), [template])
        return
    if not paths or output is None:
        raise click.UsageError("give the record's PATH and -o DIR for the tables")
    with progress() as say:
        found = read_histories(paths, index_date=index_date, settings=settings, progress=say)
        write_histories(found, output, kind, strict=strict)
    click.echo(str(found))
    finish((), [output])


@cli.command()
@click.argument("connection", type=READABLE)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="New folder.")
def fetch(connection: Path, output: Path) -> None:
    """Records from a FHIR server, as a CONNECTION file says, into a folder that --history reads."""
    from .fetching import fetch as fetched
    from .fetching import read_connection

    with progress() as say:
        fetched(read_connection(connection), output, base=connection.parent, progress=say)
    finish((), [output])


@cli.command()
@click.argument("name")
@click.option("--features", required=True, type=READABLE, help="JSON list of input objects, one a person.")
@click.option("-o", "--output", type=WRITABLE, help="JSON file to write (default: to the terminal).")
@click.pass_obj
def predict(settings: Settings, name: str, features: Path, output: Path | None) -> None:
    """What the predictor NAME says of inputs from a file, without a record."""
    from .predicting import predict_file, results_text

    text = results_text(predict_file(name, features, settings))
    if output is None:
        click.echo(text, nl=False)
        return
    write_whole(output, text.encode())
    finish((), [output])


@cli.command("import")
@click.argument("genome", nargs=-1, required=True, type=READABLE)
@click.option("-o", "--output", required=True, type=WRITABLE, help="Parquet file to write.")
def import_(genome: tuple[Path, ...], output: Path) -> None:
    """Keep GENOME file(s) as one Parquet file, which is read again without parsing.

    Genotypes, phase, depth (DP), quality (GQ) and filters are kept. Reads by allele (AD) are kept only where they
    contradict a call: those that merely do not fit (reads-disagree) are told of the VCF alone.
    """
    from .importing import import_genomes

    with progress() as say, spooled(genome) as files:
        import_genomes(files, output, say)
    finish((), [output])


@cli.command()
@click.argument("genome", nargs=-1, required=True, type=READABLE)
@click.option("--sample", "samples", multiple=True, help="Sample to look at; repeatable (default: all).")
@click.option("--build", default="", metavar="GRCh38|GRCh37", help="Genome build, if undeclared.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("pmed-qc"),
              show_default=True, help="New folder for tables and plots.")
def qc(genome: tuple[Path, ...], samples: tuple[str, ...], build: str, output: Path) -> None:
    """Quality of genomes: call rates, heterozygosity, sex, relatives, Hardy-Weinberg; per sample and per site."""
    from .quality import quality

    with progress() as say, spooled(genome) as files:
        quality(files, output, build, samples, say)
    finish((), [output])


@cli.command()
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="New folder for the notebooks (default: pmed-lab here, or the next free number of it).")
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="[-- JUPYTER OPTION...]")
def lab(output: Path | None, more: tuple[str, ...]) -> None:
    """JupyterLab with the notebooks, in a fresh working copy."""
    from .notebook.lab import start

    start(output, more)


@cli.command()
@click.argument("name", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Write all schemas here.")
def schema(name: str | None, output: Path | None) -> None:
    """JSON Schema of the tables and formats: all names, one by NAME, or all into a folder."""
    from .schema import schema_text, schema_texts, write_schemas

    if output:
        write_schemas(output)
        click.echo(f"wrote {output}", err=True)
    else:
        click.echo(schema_text(name) if name else "\n".join(schema_texts()))


cli.add_command(model)
cli.add_command(plugins)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error is one line and its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if ONE_THREAD & set(given):
        # One patient's frames are tiny, and a cohort has its processes: polars' thread pool costs more there than it
        # gives.
        one_thread()
    try:
        cli.main(given, prog_name="pmed", obj=shlex.join(["pmed", *given]))
    except PmedError as error:
        if "--debug" in given:
            raise
        click.echo(f"pmed: {error}", err=True)
        sys.exit(error.exit_code)

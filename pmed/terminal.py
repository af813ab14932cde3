"""What every command says to a person at a terminal, and how it is told of genomes; plugins' commands use it too."""

from __future__ import annotations

import functools
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from .errors import EXIT_PARTIAL, InputError, PluginError
from .plugins import Plugins

_FILE = click.Path(path_type=Path, dir_okay=False)
_STDIN = Path("-")
_Place = TypeVar("_Place", bound=Path | str)


@dataclass(frozen=True)
class Reading:
    """How genomes are to be read: the build the user stated, or "", and options by component name."""

    build: str
    options: dict[str, dict[str, Any]]


_GENOME_OPTIONS = (
    click.option("--build", default="", metavar="GRCh38|GRCh37", help="Genome build, if undeclared."),
    click.option("--absent-as-ref", is_flag=True, help="Sites missing from the file are reference (always marked)."),
    click.option("--targets", type=_FILE, help="BED file of what was looked at; bounds --absent-as-ref."),
    click.option("--reference", type=_FILE, help="Indexed FASTA of the build, to move indels through repeats."),
    click.option("--min-dp", type=click.IntRange(0), default=0, help="Calls of less read depth are unknown."),
    click.option("--min-gq", type=click.IntRange(0), default=0, help="Calls of less genotype quality are unknown."),
    click.option("--ignore-filters", is_flag=True, help="Use calls whose FILTER or FT failed."),
)


def genome_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command with a GENOME argument the options of every command that reads genomes, as one `reading`.

    ``-`` and pipes among the genome files are copied to a temporary file first, which is gone when the command ends.
    """
    @functools.wraps(command)
    def with_reading(*arguments: Any, build: str, genome: Sequence[Path], **given: Any) -> Any:
        names = ("absent_as_ref", "targets", "reference", "min_dp", "min_gq", "ignore_filters")
        said = {name: value for name in names if (value := given.pop(name))}
        if said.pop("ignore_filters", False):
            said["filters"] = "ignore"
        options = {name: str(value) if isinstance(value, Path) else value for name, value in said.items()}
        files = click.get_current_context().with_resource(spooled(genome))
        reading = Reading(build, {"vcf": options} if options else {})
        return command(*arguments, genome=files, reading=reading, **given)

    return functools.reduce(lambda made, option: option(made), reversed(_GENOME_OPTIONS), with_reading)


outside_calls_option = click.option(
    "--outside-calls", multiple=True, type=_FILE,
    help="Gene results of another tool (PharmCAT's TSV, Aldy, Cyrius, ...); repeatable.")


@contextmanager
def spooled(paths: Sequence[_Place]) -> Iterator[tuple[_Place | Path, ...]]:
    """The same files, standard input (``-``) and pipes as temporary copies: a genome is read more than once.

    Addresses (text) stay what they are.

    Raises:
        InputError: where standard input is a terminal, named twice, or a pipe is empty.
    """
    if sum(path == _STDIN for path in paths) > 1:
        raise InputError("standard input is named twice", where="-", hint="name it once")
    with tempfile.TemporaryDirectory(prefix="pmed-") as folder:
        yield tuple(_copied(path, Path(folder) / str(number)) if isinstance(path, Path) and _is_stream(path) else path
                    for number, path in enumerate(paths))


def _is_stream(path: Path) -> bool:
    if path == _STDIN:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False  # whoever reads it says what is wrong
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _copied(path: Path, folder: Path) -> Path:
    if path == _STDIN and (sys.stdin is None or sys.stdin.isatty()):
        raise InputError("standard input is a terminal, or closed", where="-",
                         hint="pipe a genome into it, or name a file")
    folder.mkdir()
    copy = folder / ("stdin" if path == _STDIN else path.name)
    with copy.open("wb") as sink:
        if path == _STDIN:
            shutil.copyfileobj(_binary(sys.stdin), sink)
        else:
            with path.open("rb") as source:
                shutil.copyfileobj(source, sink)
    if not copy.stat().st_size:
        raise InputError("nothing came through the pipe", where=str(path), hint="did the command before it fail?")
    return copy


def _binary(stream: Any) -> BinaryIO:
    return getattr(stream, "buffer", stream)  # type: ignore[no-any-return]


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A spinner on stderr when it is a terminal; nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate and time left on stderr when it is a terminal, told of (done, of all); nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None, rate="")

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.1f}/s" if speed else "")

        yield told


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


def add_commands(plugins: Plugins, group: click.Group) -> None:
    """Let plugins add commands to `group`; what was there before stays as it was."""
    for owner, impl in plugins.implementations("register_commands"):
        before = dict(group.commands)
        plugins.attempt(owner, "register_commands", impl.function, group)
        if spoilt := [name for name, command in before.items() if group.commands.get(name) is not command]:
            group.commands.update(before)
            plugins.fail(owner, "register_commands", PluginError(f"the command {spoilt[0]!r} is there already"))

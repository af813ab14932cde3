"""The jobs behind the command line: one patient's report, the demo."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from . import builtin, engine
from .errors import EXIT_PARTIAL, HistoryError, InputError, OptionError, PmedError
from .files import whole_folder, write_all
from .genomics.opening import head_of
from .plugins import Failure, Plugins
from .result import Result
from .sections import with_sections
from .settings import Settings
from .terminal import counting

Progress = Callable[[str], None]
_SHOWN = 12


def report_one(genome: Sequence[Path], history: Sequence[Path], *, outputs: Mapping[str, Path], settings: Settings,
               progress: Progress, outside_calls: Sequence[Path] = (), sample: str = "", build: str = "",
               options: engine.Options | None = None, index_date: str = "", drugs: Sequence[str] = (),
               pairs: Mapping[str, str] | None = None, allow_sex_mismatch: bool = False,
               command: str = "") -> tuple[Result, list[Path]]:
    """Run one patient and write `outputs` (exporter name → file or folder), all rendered before the first is written.

    Raises:
        InputError: where the files cannot be used or hold more than one patient.
    """
    _must_not_overwrite(outputs.values(), [*genome, *history, *outside_calls])
    _must_be_known(outputs, settings)
    result = engine.run(genome, history, outside_calls=outside_calls, samples=[sample] if sample else [],
                        build=build, index_date=index_date, options=options or {}, pairs=pairs or {},
                        allow_sex_mismatch=allow_sex_mismatch, settings=settings, progress=progress)
    mine = result.for_patient(_only_patient(result, sample))
    asked = {**mine.provenance["settings"], "drugs": [drug.lower() for drug in drugs]}
    told = {**mine.provenance, "settings": asked, **({"command": command} if command else {})}
    return _write(replace(mine, provenance=told), outputs, settings, progress)


def report_cohort(genome: Sequence[Path], history: Sequence[Path], folder: Path, *, settings: Settings, jobs: int = 0,
                  outside_calls: Sequence[Path] = (), sample: str = "", build: str = "",
                  options: engine.Options | None = None, index_date: str = "", drugs: Sequence[str] = (),
                  pairs: Mapping[str, str] | None = None, allow_sex_mismatch: bool = False, command: str = "",
                  exports: Sequence[str] = ()) -> None:
    """Write everybody's report and the index into `folder`, with other formats beside, and say how it went.

    Raises:
        OptionError: `exports` are names of formats, without a path.
        click.exceptions.Exit: exit code 3, where a report is missing or partial.
    """
    from .batch import INDEX, Asked, Cohort, batch

    if paths := [word for word in exports if "=" in word]:
        raise OptionError(f"into a folder --export takes FORMAT alone. Got {paths[0]!r}",
                          hint="the files are named after the patients")
    asked = Asked(folder, settings.with_options(options or {}), tuple(outside_calls), build, index_date, tuple(drugs),
                  allow_sex_mismatch, command, tuple(dict.fromkeys(exports)))
    with counting("reports") as count:
        done = batch(Cohort(tuple(genome), tuple(history), pairs or {}, sample), asked, jobs=jobs, count=count)
    others = f", {done.others} of people who are not in this cohort" if done.others else ""
    click.echo(f"wrote {done.written} reports, {done.kept} were there already{others}; {folder / INDEX}")
    if done.strangers:
        click.echo(f"pmed: outside calls for {done.strangers} other samples were left out", err=True)
    if done.failed or done.partial:
        click.echo(f"pmed: partial result: {len(done.failed)} without a report, {len(done.partial)} with parts "
                   f"missing; {folder / INDEX} says why", err=True)
        raise click.exceptions.Exit(EXIT_PARTIAL)


def chosen_outputs(named: Mapping[str, Path | None], exports: Iterable[str]) -> dict[str, Path]:
    """Exporter name → path, of options of their own and of ``FORMAT=PATH`` words.

    Raises:
        OptionError: a word of another form, or a format that is asked for twice.
    """
    chosen = {name: path for name, path in named.items() if path}
    for word in exports:
        name, sign, path = word.partition("=")
        if not (name and sign and path):
            raise OptionError(f"--export takes FORMAT=PATH. Got {word!r}", hint="for example --export text=summary.txt")
        if name in chosen:
            raise OptionError(f"the format {name!r} is asked for twice", hint="give it one path")
        chosen[name] = Path(path)
    return chosen


def asked_sample(genome: Sequence[Path], *, known: Iterable[str] = ()) -> str:
    """The sample that a person at the terminal chooses of several; "" where there is no choice, or nobody to ask.

    Args:
        genome: Genome files; one that cannot be read is for the run to refuse.
        known: Samples whose patient is stated; nobody is asked then.
    """
    if not sys.stdin.isatty() or any(known):
        return ""
    try:
        names = list(dict.fromkeys(name for path in genome for name in head_of(path).samples))
    except PmedError:
        return ""
    if len(names) < 2:
        return ""
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    click.echo(f"{len(names)} samples: {shown}", err=True)
    answer: str = click.prompt("whose genome is the patient's", err=True, value_proc=lambda text: _one_of(names, text))
    return answer


def _one_of(names: Sequence[str], text: str) -> str:
    if text not in names:
        raise click.UsageError(f"there is no sample {text!r}")
    return text


def _must_not_overwrite(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    taken = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in taken:
            raise OptionError("would overwrite an input or another output", where=str(path), hint="choose another name")
        taken.add(path.resolve())


def _must_be_known(formats: Iterable[str], settings: Settings) -> None:
    """A format that nobody writes is refused before the run; for pmed's own no plugin need be loaded to know that."""
    if not set(formats) <= {made.name for made in builtin.register_exporters()}:
        plugins = Plugins.of(settings).load()
        _refuse_unknown(formats, {component.name for component in plugins.components("register_exporters")})


def _refuse_unknown(formats: Iterable[str], known: Iterable[str]) -> None:
    if unknown := [name for name in formats if name not in known]:
        raise OptionError(f"no exporter {unknown[0]!r}", hint=f"there are: {', '.join(sorted(known))}")


def _only_patient(result: Result, sample: str) -> str:
    samples = result.tables["samples"]
    found = samples["patient_id"].unique().to_list() if sample else result.patient_ids
    if len(found) == 1:
        return str(found[0])
    if samples.height > 1:
        raise InputError(f"{samples.height} samples in one report", where=samples["source"][0],
                         hint="choose the patient's sample with --sample NAME, or a folder for all: -o DIR/")
    raise HistoryError(f"{len(found)} patients in one report",
                       hint="give the record of one patient, or a folder for all: -o DIR/")


def _write(result: Result, outputs: Mapping[str, Path], settings: Settings,
           progress: Progress) -> tuple[Result, list[Path]]:
    progress("writing")
    plugins = Plugins.of(settings).load()
    exporters = {component.name: component for component in plugins.components("register_exporters")}
    _refuse_unknown(outputs, exporters)
    sections = plugins.components("register_sections") if "html" in outputs else []
    known = list(dict.fromkeys([*result.failures, *plugins.failures]))
    told = with_sections(plugins, sections, replace(result, failures=tuple(known)))
    _write_exports({path: exporters[name].made.export(told) for name, path in outputs.items()})
    return told, list(outputs.values())


def _write_exports(ready: Mapping[Path, bytes | Mapping[str, bytes]]) -> None:
    """Write files and folders, each whole or not at all; folders take their places when the files are written."""
    with ExitStack() as stack:
        for path, content in ready.items():
            if not isinstance(content, bytes):
                folder = stack.enter_context(whole_folder(path))
                write_all({folder / name: data for name, data in content.items()})
        write_all({path: content for path, content in ready.items() if isinstance(content, bytes)})


def report_demo(folder: Path, *, settings: Settings, progress: Progress) -> tuple[list[Failure], list[Path]]:
    """Reports of the embedded patients (HTML and JSON), through the same engine as everything."""
    from .demo import patients

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"cannot be made: {error.strerror}", where=str(folder)) from error
    failures: list[Failure] = []
    written: list[Path] = []
    for patient in patients():
        progress(f"patient {patient.name}")
        outputs = {"html": folder / f"{patient.name}.html", "json": folder / f"{patient.name}.json"}
        result, paths = report_one([patient.genome], [patient.history], outputs=outputs, settings=settings,
                                   progress=progress)
        failures += [failure for failure in result.failures if failure not in failures]
        written += paths
    return failures, written

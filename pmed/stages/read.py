"""Files in, tables out: choose a source for each path, read each source once, say whose genome it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import GenomeError, HistoryError, InputError, PmedError
from ..plugins import Component
from ..tables import TABLES
from ..types import ReadRequest

READ_TABLES = ("samples", "genotypes", "coverage", "patients", "conditions", "medications", "observations",
               "allergies", "procedures", "encounters", "immunizations", "family_history", "outside_calls", "issues")
# Of a large cohort so many are worked on at a time.
PEOPLE = 1024
_FAULTS = {"genome": GenomeError, "history": HistoryError}


def empty_tables() -> dict[str, pl.DataFrame]:
    """Every table a source may fill, empty."""
    return {name: TABLES[name].empty() for name in READ_TABLES}


def read(sources: Sequence[Component], kind: str, paths: Sequence[Path],
         request: ReadRequest) -> dict[str, pl.DataFrame]:
    """Read all paths of one kind ("genome", "history" or "outside-calls").

    Raises:
        InputError: for a path that is not there or that no source reads, and whatever a source refuses.
    """
    made = [_read_with(component, chosen, request) for component, chosen in _by_source(sources, kind, paths)]
    tables = {name: pl.concat([empty, *(one[name].select(empty.columns) for one in made if name in one)])
              for name, empty in empty_tables().items()}
    if len(made) > 1:  # each source's own tables are checked already
        for name, frame in tables.items():
            TABLES[name].check(frame, where=f"{kind} files taken together")
    return tables


def _read_with(component: Component, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
    made = _attempt(component, paths, lambda: component.made.read(paths, request))
    return {name: TABLES[name].check(frame) for name, frame in made.items()}


def _attempt(component: Component, paths: Sequence[Path], read: Callable[[], Any]) -> Any:
    """Without its input a run is worth nothing, so a source that breaks ends it, in one line that names it."""
    try:
        return read()
    except PmedError:
        raise
    except Exception as error:
        message = f"the {component.name} source of {component.plugin} {component.version} broke: {error!r}"
        raise InputError(message, where=", ".join(map(str, paths)), hint="see the traceback with --debug") from error


def in_parts(sources: Sequence[Component], paths: Sequence[Path]) -> Component | None:
    """The one source that reads all these genome files, if it can do so some people at a time (``parts``)."""
    chosen = _by_source(sources, "genome", paths)
    return chosen[0][0] if len(chosen) == 1 and hasattr(chosen[0][0].made, "parts") else None


def read_parts(source: Component, paths: Sequence[Path], request: ReadRequest) -> Iterator[dict[str, pl.DataFrame]]:
    """All tables for some people after the other, as `read` has them for all."""
    made = source.made.parts(paths, request, PEOPLE)
    while part := _attempt(source, paths, lambda: next(made, None)):
        yield {name: TABLES[name].check(part[name]) if name in part else empty
               for name, empty in empty_tables().items()}


def _by_source(sources: Sequence[Component], kind: str, paths: Sequence[Path]) -> list[tuple[Component, list[Path]]]:
    chosen: dict[str, tuple[Component, list[Path]]] = {}
    fitting = [component for component in sources if component.made.kind == kind]
    for path in paths:
        source = _source_for(fitting, kind, path)
        chosen.setdefault(source.name, (source, []))[1].append(path)
    return list(chosen.values())


def _source_for(sources: Sequence[Component], kind: str, path: Path) -> Component:
    fault = _FAULTS.get(kind, InputError)
    if not path.exists():
        raise fault("no such file", where=str(path))
    # A folder is only for the sources that say they read one: others judge by the name or the first bytes.
    for component in sources:
        if (getattr(component.made, "folders", False) or not path.is_dir()) and component.made.matches(path):
            return component
    if path.is_dir():
        raise fault("is a folder that no source reads", where=str(path), hint="give the files in it")
    names = ", ".join(component.name for component in sources) or "none"
    raise fault(f"no {kind} source reads this file", where=str(path), hint=f"sources: {names}")


def link(genome: Mapping[str, pl.DataFrame], history: Mapping[str, pl.DataFrame],
         pairs: Mapping[str, str]) -> pl.DataFrame:
    """Return ``samples`` with the patient each sample belongs to.

    `pairs` (sample → patient_id) wins; else equal names; else one sample and one record belong together.

    Raises:
        InputError: where it cannot be told whose genome it is.
    """
    samples, patients = genome["samples"], history["patients"]
    names, records = samples["sample"].to_list(), patients["patient_id"].to_list()
    known = {name: pairs.get(name, name) for name in names}
    if double := [patient for patient, count in Counter(known.values()).items() if count > 1]:
        raise InputError(f"two samples for one patient {double[0]!r}", where=samples["source"][0],
                         hint="choose the patient's sample with --sample NAME")
    if not names or not records or any(patient in records for patient in known.values()):
        return _relabel(samples, known)
    if len(names) == 1 and len(records) == 1:
        return _relabel(samples, {names[0]: records[0]})
    raise InputError(
        f"cannot tell whose genome it is: {_count(names, 'sample')} and {_count(records, 'patient record')}",
        where=samples["source"][0], hint="choose the patient's sample with --sample NAME")


def pairings(samples: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """An ``issues`` row for each genome that was given to a record of another name: only the user knows if rightly."""
    joined = samples.join(patients.select("patient_id"), on="patient_id")
    odd = joined.filter(pl.col("sample") != pl.col("patient_id"))
    text = pl.format("sample {} was read as the genome of patient {}: the names differ, please confirm", "sample",
                     "patient_id")
    return TABLES["issues"].frame(odd.select(
        "patient_id", file="source", place="sample", severity=pl.lit("info"), code=pl.lit("paired"),
        text=text).iter_rows(named=True))


def assign(calls: pl.DataFrame, samples: pl.DataFrame, patients: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Outside calls with the patient each is for, and ``issues``: who was left out, and who has another name.

    A call that came with its patient, as those in a record do, keeps it. A sample's name is looked for among the
    samples, then among the patients. Calls that name nobody, or the only other name of their file, belong to the
    patient where there is just one; those for other people are left out.

    Raises:
        InputError: where a file has no call for anybody who is here, or it cannot be told whose calls they are.
    """
    people = pl.concat([samples["patient_id"], patients["patient_id"]]).unique(maintain_order=True)
    known = pl.concat([samples.select("sample", _by_sample="patient_id"),
                       patients.select(sample="patient_id", _by_sample="patient_id")]).unique("sample", keep="first")
    only = people[0] if people.len() == 1 else None
    alone = pl.col("sample").n_unique().over("file") == 1
    guessed = pl.when(alone).then(pl.lit(only, dtype=pl.String))
    named = calls.join(known, on="sample", how="left", maintain_order="left").with_columns(
        _by_sample=pl.coalesce("patient_id", "_by_sample"))
    placed = named.with_columns(
        _lone=pl.col("_by_sample").is_null() & guessed.is_not_null(), patient_id=pl.coalesce("_by_sample", guessed))
    _must_be_somebodys(placed, people)
    kept = placed.filter(pl.col("patient_id").is_not_null())
    return kept.select(calls.columns), pl.concat([_left_out(placed), _other_names(kept)])


def _must_be_somebodys(placed: pl.DataFrame, people: pl.Series) -> None:
    hint = "choose the patient's sample with --sample NAME"
    nameless = placed.filter(pl.col("sample").is_null() & pl.col("patient_id").is_null())
    if nameless.height:
        text = f"names no sample, and there are {_count(people.to_list(), 'patient')}"
        raise InputError("names a sample in some lines only" if people.len() == 1 else text, where=nameless["file"][0],
                         hint=hint)
    for (file,), part in placed.group_by("file", maintain_order=True):
        if part["patient_id"].null_count() == part.height:
            names = ", ".join(part["sample"].unique(maintain_order=True).head(3))
            raise InputError(f"has no call for anybody in this run: it is about {names}", where=str(file), hint=hint)


def _left_out(placed: pl.DataFrame) -> pl.DataFrame:
    others = placed.filter(pl.col("patient_id").is_null()).group_by("file", maintain_order=True).agg(
        pl.col("sample").n_unique())
    text = pl.format("outside calls for {} other samples were left out", "sample")
    return TABLES["issues"].frame(others.select(
        "file", severity=pl.lit("info"), code=pl.lit("other-samples"), text=text).iter_rows(named=True))


def _other_names(kept: pl.DataFrame) -> pl.DataFrame:
    odd = kept.filter(pl.col("_lone") & pl.col("sample").is_not_null()).unique(
        ["file", "sample"], keep="first", maintain_order=True)
    text = pl.format("outside calls for sample {} were read as those of patient {}: the names differ, please confirm",
                     "sample", "patient_id")
    return TABLES["issues"].frame(odd.select(
        "patient_id", "file", place="sample", severity=pl.lit("warning"), code=pl.lit("paired"),
        text=text).iter_rows(named=True))


def _count(items: Sequence[Any], what: str) -> str:
    return f"{len(items)} {what}{'' if len(items) == 1 else 's'}"


def _relabel(samples: pl.DataFrame, known: Mapping[str, str]) -> pl.DataFrame:
    labels = pl.Series("patient_id", [known[name] for name in samples["sample"]], dtype=pl.String)
    return samples.with_columns(labels)

"""Files in, tables out: choose a source for each path, read each source once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import GenomeError, HistoryError, InputError, PmedError
from ..normalise.dating import NONE, TAKEN, last_entries
from ..plugins import BUILT_IN, Component
from ..tables import TABLES
from ..types import ReadRequest

READ_TABLES = ("samples", "genotypes", "coverage", "patients", "conditions", "medications", "observations",
               "allergies", "procedures", "encounters", "immunizations", "family_history", "outside_calls", "issues")
_BLOCK = 1 << 16
# Of a large cohort so many are worked on at a time.
PEOPLE = 1024
_TABLES = (".csv", ".csv.gz", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".parquet")
_FAULTS = {"genome": GenomeError, "history": HistoryError}
_WHAT = {"genome": "a genome", "history": "a patient record", "outside-calls": "a list of outside calls"}
_ARGUMENT = {"genome": "a genome: pmed.run(FILE), pmed report FILE",
             "history": "the record: pmed.run(history=FILE), pmed report --history FILE",
             "outside-calls": "outside calls: pmed.run(…, outside_calls=FILE), pmed report … --outside-calls FILE"}

# Rows of people who are not in the record, or are there already; files in a folder of records that are none.
_OF_NOBODY = ("unknown-person", "double-person", "not-fhir")
# A part of a file that is lost with all that could say whose it was.
OF_ANYBODY = ("no-json", "cut-off", "incomplete-answer", "lost-row", "no-patient", "bad-identifier")
# Rows and resources that name no patient, where there are fewer of a kind than one in so many patients, are told of
# each and leave what is not found absent: one empty cell would leave it unknown of everybody in a large cohort.
_NAMELESS, _RARE = ("no-patient", "bad-identifier"), 1000
_KIND = r"\b([A-Z][a-z]+(?:[A-Z][a-z]+)*)\b"


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
    tables = {name: pl.concat([empty, *(one[name][empty.columns] for one in made if name in one)])
              for name, empty in empty_tables().items()}
    if len(made) > 1:  # each source's own tables are checked already
        for name, frame in tables.items():
            TABLES[name].check(frame, where=f"{kind} files taken together")
    return {**tables, "issues": _owned(tables["issues"], tables["patients"])} if kind == "history" else tables


def _owned(issues: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """What was left out, or not given, without a patient's name concerns the only one of its file, or of all."""
    whole = pl.col("severity").eq("error") & ~pl.col("code").is_in(_OF_NOBODY) | pl.col("code").eq("more-pages")
    if not issues.select((whole & pl.col("patient_id").is_null()).any()).item():
        return issues
    files = patients.select("patient_id", file=pl.col("source").str.replace(r"#[^#]*$", "")).group_by("file").agg(
        pl.col("patient_id").unique()).filter(pl.col("patient_id").list.len() == 1).explode("patient_id")
    only = pl.lit(patients["patient_id"].first() if patients["patient_id"].n_unique() == 1 else None, dtype=pl.String())
    named = issues.join(files, on="file", how="left", maintain_order="left", suffix="_of_file")
    return named.with_columns(patient_id=pl.coalesce("patient_id", pl.when(whole).then(
        pl.coalesce("patient_id_of_file", only)))).select(issues.columns)


def must_be_there(kind: str, paths: Sequence[Path]) -> None:
    """Check that the paths of one kind exist, before any work.

    Raises:
        InputError: for one that does not.
    """
    for path in paths:
        if not path.exists():
            raise _FAULTS.get(kind, InputError)("no such file", where=str(path))


def _read_with(component: Component, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
    made = _attempt(component, paths, lambda: component.made.read(paths, request))
    checked = {name: _checked(component, name, frame) for name, frame in made.items()}
    # pmed's own sources do that themselves, before they say what is active on that day.
    dated = checked if component.plugin in BUILT_IN else _dated(checked, paths, request)
    return {**dated, "issues": _of_everybody(dated["issues"], dated["patients"])} if _holds_records(dated) else dated


def _holds_records(tables: Mapping[str, pl.DataFrame]) -> bool:
    return {"issues", "patients"} <= {*tables}


def _of_everybody(issues: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """A lost part of a file that may be anybody's is told of everybody whom the source knows, once a file and kind."""
    lost = pl.col("code").is_in(OF_ANYBODY) & pl.col("patient_id").is_null()
    if patients.height < 2 or not issues.select(lost.any()).item():
        return issues
    kind = ["file", "_kind"]
    numbered = issues.with_row_index("_row")
    rows = numbered.filter(lost).with_columns(_kind=pl.col("place").str.extract(_KIND))
    rare = pl.col("code").is_in(_NAMELESS).all().over(kind) & (_rows().sum().over(kind) * _RARE < patients.height)
    first = rows.with_columns(severity=pl.when(rare).then(pl.lit("warning")).otherwise("severity")).unique(
        kind, keep="first", maintain_order=True).drop("_kind")
    everybody = first.drop("patient_id").join(patients.select("patient_id"), how="cross", maintain_order="left_right")
    rest = numbered.join(first, on="_row", how="anti")
    return pl.concat([rest, everybody.select(numbered.columns)]).sort("_row", maintain_order=True).drop("_row")


def _rows() -> pl.Expr:
    """How many rows one issue tells of: "... (12 rows; the first is named)"."""
    return pl.col("text").str.extract(r"\((\d+) rows;").cast(pl.Int64).fill_null(1)


def _dated(tables: dict[str, pl.DataFrame], paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
    """With the day of the question where a source leaves it open: as asked, else the last entry of the record.

    Without it nobody has an age, and no measurement counts.
    """
    patients = tables.get("patients")
    if patients is None or not patients["index_date"].null_count():
        return tables
    asked = date.fromisoformat(request.index_date) if request.index_date else None
    entries = {name: frame for name, frame in tables.items() if {"patient_id", "start"} <= {*frame.columns}}
    last = last_entries(entries) if entries else TABLES["patients"].empty().select("patient_id", "index_date")
    known = patients.join(last.rename({"index_date": "_last"}), on="patient_id", how="left", maintain_order="left")
    day = pl.coalesce("index_date", pl.lit(asked, dtype=pl.Date()), "_last")
    told = known.filter(pl.col("index_date").is_null(), pl.lit(asked is None)).select(
        "patient_id", text=pl.format(TAKEN, "_last"))
    issues = [{"file": ", ".join(map(str, paths)), "severity": "info" if text else "warning", "patient_id": who,
               "code": "index-date" if text else "no-index-date", "text": text or NONE} for who, text in told.rows()]
    return {**tables, "patients": known.with_columns(index_date=day).drop("_last"), "issues": pl.concat([
        tables.get("issues", TABLES["issues"].empty()).select(TABLES["issues"].names),
        TABLES["issues"].frame(issues)])}


def _checked(component: Component, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A table of a source, checked: of the host's own grid, whose millions of rows it lays itself, the columns only."""
    return TABLES[name].check(frame, rows=name != "genotypes" or component.plugin not in BUILT_IN)


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
        yield {name: _checked(source, name, part[name]) if name in part else empty
               for name, empty in empty_tables().items()}


def _by_source(sources: Sequence[Component], kind: str, paths: Sequence[Path]) -> list[tuple[Component, list[Path]]]:
    chosen: dict[str, tuple[Component, list[Path]]] = {}
    fitting = [component for component in sources if component.made.kind == kind]
    for path in paths:
        source = _source_for(fitting, kind, path, sources)
        chosen.setdefault(source.name, (source, []))[1].append(path)
    return list(chosen.values())


def _reads(component: Component, path: Path) -> bool:
    # A folder is only for the sources that say they read one: others judge by the name or the first bytes.
    return (getattr(component.made, "folders", False) or not path.is_dir()) and bool(component.made.matches(path))


def _source_for(sources: Sequence[Component], kind: str, path: Path, others: Sequence[Component]) -> Component:
    """The source of a kind that reads a file; `others` are asked only to say what the file is instead."""
    fault = _FAULTS.get(kind, InputError)
    if not path.exists():
        raise fault("no such file", where=str(path))
    for component in sources:
        if _reads(component, path):
            return component
    for component in others:
        # One that reads anything tells nothing of what a file is.
        if component.made.kind != kind and not getattr(component.made, "anything", False) and _reads(component, path):
            raise fault(f"is {_WHAT[component.made.kind]}, not {_WHAT[kind]}", where=str(path),
                        hint=f"give it as {_ARGUMENT[component.made.kind]}")
    if path.is_dir():
        maps = sorted(path.glob("*.mapping.toml")) if kind == "history" else []
        raise fault("is a folder that no source reads", where=str(path),
                    hint=f"give {maps[0]}" if maps else "give the files in it")
    names = ", ".join(component.name for component in sources) or "none"
    what = "begins with blanks only" if _blank(path) else f"no {kind} source reads this file"
    hint = f"sources: {names}"
    if kind == "history" and path.name.lower().endswith(_TABLES):
        hint = ("a table is read by a mapping file, which is given in its place: pmed history --template "
                f"NAME.mapping.toml writes an example; {hint}")
    elif _encoded(path):
        hint = f"it is text in UTF-16: save it as UTF-8; {hint}"
    raise fault("is empty" if not path.stat().st_size else what, where=str(path), hint=hint)


def _encoded(path: Path) -> bool:
    """Whether a file begins with the mark of UTF-16."""
    with path.open("rb") as file:
        return file.read(2) in {b"\xff\xfe", b"\xfe\xff"}


def _blank(path: Path) -> bool:
    """Whether the first block holds no sign at all; one that is longer is not gone through for that."""
    with path.open("rb") as file:
        return not file.read(_BLOCK).strip()

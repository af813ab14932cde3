"""``pmed history``: patient records as tables, with every problem that was met.

=================  ===================================================================================================
patients, ...      each table of the record that has a row, as Parquet or CSV (lists joined by "; ")
issues             every problem: file, place, severity, what was done; always also there when it is empty
summary.json       how many of each, what the medicines were recognised by, and what the tables rest on
=================  ===================================================================================================

As Parquet the folder is itself a record: every command and function that takes records reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from .engine import Engine
from .errors import HistoryError, OptionError
from .files import whole_folder, write_parquet, write_whole
from .settings import Settings
from .sources.history_tables import FORMAT, SUMMARY, in_order
from .sources.tabular import ENDING, example

Progress = Callable[[str], None]

ISSUES = "issues"
_SHOWN = 12


@dataclass(frozen=True, repr=False)
class Histories:
    """The tables of the records, drugs and units understood, and what they rest on."""

    tables: Mapping[str, pl.DataFrame]
    provenance: Mapping[str, Any]

    @property
    def summary(self) -> dict[str, Any]:
        """Rows of each table, how medicines were recognised, and issues by severity and code."""
        medicines, issues = self.tables["medications"], self.tables[ISSUES]
        how = medicines.group_by(pl.col("matched_by").fill_null("not recognised")).len().sort("len", "matched_by",
                                                                                              descending=[True, False])
        told = issues.group_by("severity", "code").len().sort("len", "code", descending=[True, False])
        return {"rows": {name: frame.height for name, frame in self.tables.items()},
                "medicines": dict(how.iter_rows()), "issues": told.to_dicts()}

    def save(self, folder: str | Path) -> None:
        """Write the tables as Parquet into a new folder, which is itself a record that pmed reads.

        Raises:
            PmedError: `folder` is there already and is not empty, or cannot be written.
        """
        write_histories(self, Path(folder))

    def __str__(self) -> str:
        return "\n".join(_lines(self.summary))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from .notebook.display import histories

        return histories(self)


def read_histories(paths: Sequence[Path], *, index_date: str = "", settings: Settings | None = None,
                   progress: Progress = lambda _: None) -> Histories:
    """Read records of any kind that a source knows.

    Args:
        paths: Files and folders.
        index_date: ISO date of the question; empty takes the last entry of each record.
        settings: Settings, as for `pmed.run`.
        progress: Told what is being done.

    Raises:
        HistoryError: for files that cannot be used; one clear line.
    """
    engine = Engine.start(settings or Settings(), progress)
    read = engine.read([], paths, engine.request([], index_date=index_date), {})
    always = {ISSUES, "patients", "medications"}
    tables = {name: frame for name, frame in read.items() if frame.height or name in always}
    return Histories(tables, engine.provenance([], paths, {"index_date": index_date}))


def write_histories(found: Histories, folder: Path, kind: str = "parquet", *, strict: bool = False) -> None:
    """Write every table and a summary into a new folder.

    Raises:
        HistoryError: `strict`, and an issue is an error; nothing is written.
        PmedError: `folder` is there already and is not empty.
    """
    # What may be anybody's is told of everybody.
    errors = found.tables[ISSUES].filter(severity="error").unique(
        ["file", "place", "code", "text"], keep="first", maintain_order=True)
    if strict and errors.height:
        first = errors.row(0, named=True)
        many = f"{errors.height} errors; the first: " if errors.height > 1 else ""
        raise HistoryError(f"{many}{first['text']}",
                           where=f"{first['file']} {first['place'] or ''}".strip(),
                           hint="without --strict the rest of the record is read")
    with whole_folder(folder) as temporary:
        for name, frame in in_order(found.tables):
            _write(frame, temporary / f"{name}.{kind}")
        said = {"format": FORMAT, **found.summary, "provenance": found.provenance}
        (temporary / SUMMARY).write_bytes(
            msgspec.json.format(msgspec.json.encode(said, enc_hook=str), indent=1) + b"\n")


def write_template(path: Path) -> None:
    """Write an example of a mapping file, which says what the columns of plain tables are.

    Raises:
        PmedError: the file is there already, or its name would not be known for a mapping's.
    """
    if not path.name.endswith(ENDING):
        raise OptionError(f"the name of a mapping file ends in {ENDING}", where=str(path))
    if path.exists():
        raise OptionError("is there already", where=str(path), hint="choose another name")
    write_whole(path, example().encode())


def _write(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix == ".parquet":
        write_parquet(frame, path)
        return
    lists = [pl.col(name).list.join("; ") for name, kind in frame.schema.items() if kind == pl.List(pl.String())]
    frame.with_columns(lists).write_csv(path)


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """What a person at a terminal wants to know."""
    yield ", ".join(f"{count:,} {name}" for name, count in summary["rows"].items() if count and name != ISSUES)
    medicines = summary["medicines"]
    if medicines:
        yield "medicines recognised by " + ", ".join(f"{how}: {count:,}" for how, count in medicines.items())
    issues = summary["issues"]
    yield f"{sum(one['len'] for one in issues):,} issues" + (":" if issues else "")
    for one in issues[:_SHOWN]:
        yield f"  {one['len']:>7,}  {one['severity']:<8} {one['code']}"
    if len(issues) > _SHOWN:
        yield f"  and {len(issues) - _SHOWN} more kinds"

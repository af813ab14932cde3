"""The FHIR source: patient records as JSON bundles, single resources and NDJSON."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import polars as pl

from ..collecting import uncollected
from ..errors import HistoryError
from ..options import option
from ..processors import one_processor
from ..tables import TABLES, Tables
from ..types import ReadRequest, SourceKind
from .fhir_damaged import owned
from .fhir_files import inside, is_bundle, is_record
from .fhir_many import take_loose
from .fhir_parts import go_through, is_part, parted, pieces
from .fhir_reading import files_of, take_bundles
from .fhir_records import Records
from .fhir_resource import file_issue
from .fhir_shares import read_shared, read_shared_bundles
from .reasons import followed
from .record_dates import asked_day
from .recorded import Issue, tables_of

# Rows; so many are judged sooner by one processor, as to wake polars' threads on another takes longer (a pool has its
# processes, each on one).
_FEW = 200_000


@dataclass(frozen=True)
class FhirSource:
    """FHIR R4 records → the tables of the history; genotypes in them are outside calls.

    Bundles, single resources and NDJSON (Bulk Data), plain or gzipped; of folders, the files in them. R4B and R5 are
    read where they have the same shapes.
    """

    name: ClassVar[str] = "fhir"
    kind: ClassVar[SourceKind] = "history"
    folders: ClassVar[bool] = True
    processes: int = option(0, low=0, doc="Processes that read many records; 0 is as many as there are CPUs.")

    def matches(self, path: Path) -> bool:
        """A JSON or NDJSON file that begins like an object, or a folder with FHIR resources in such files."""
        if path.is_dir():
            return any(is_record(one, sure=True) for one in inside(path))
        return is_part(path) or is_record(path)

    def apart(self, path: Path) -> bool:
        """A bundle: it holds whole records and is read without other files."""
        return path.is_file() and is_bundle(path)

    def parted(self, paths: Sequence[Path], folder: Path, size: int) -> list[Path]:
        """NDJSON of more than `size` bytes in files of a folder that are read one by one; none where it is less."""
        return parted(paths, folder, size)

    def pieces(self, paths: Sequence[Path], folder: Path, size: int) -> list[Path]:
        """What `parted` has to go through, by as many processes as there are, each with `go_through`."""
        return pieces(paths, folder, size)

    def go_through(self, piece: Path) -> None:
        """Go through one of `pieces`, for `parted` to find it done."""
        go_through(piece)

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Read records of one or many patients; `request.index_date` is an ISO date or "".

        A resource that cannot be used is a row of ``issues``, as is a file of a folder; the rest of the record is kept.

        Raises:
            HistoryError: a file that is no FHIR, or a patient that cannot be used.
            OptionError: `request.index_date` is not a date.
        """
        index_date = asked_day(request.index_date)
        with uncollected():
            return _tables(_read(paths, self.processes), index_date)


def _tables(records: Records, index_date: date | None) -> dict[str, pl.DataFrame]:
    calls = TABLES["outside_calls"].frame(records.calls)
    if records.calls:
        calls = calls.unique(["patient_id", "gene", "diplotype"], keep="first", maintain_order=True)
    frames = {name: kept.frame() for name, kept in records.rows.items()}
    few = sum(frame.height for frame in frames.values()) <= _FEW and not multiprocessing.parent_process()
    with one_processor() if few else nullcontext():
        return _judged(records, frames, calls, index_date)


def _judged(records: Records, recorded: Tables, calls: pl.DataFrame,
            index_date: date | None) -> dict[str, pl.DataFrame]:
    frames, lost = followed(recorded)
    told = [*owned(records.issues, frames, records.damaged, records.bundles), *_halves(records.replaced, frames)]
    issues = pl.concat([TABLES["issues"].frame(told), *lost])
    return {**tables_of(frames, issues, index_date), "outside_calls": calls}


def _halves(replaced: Mapping[str, str], frames: Tables) -> Iterator[Issue]:
    """Whose record is not whole: part of it stands under an id that was replaced, and is another patient here."""
    if not replaced:
        return
    people = {name: (file, place) for name, file, place in frames["patients"].select(
        "patient_id", "file", "place").iter_rows()}
    full = {one for name, frame in frames.items() if name != "patients" for one in frame["patient_id"].unique()}
    for old, new in replaced.items():
        if old in full and new in people:
            file, place = people[new]
            yield {**file_issue(file, place, "warning", "merge-not-followed", "took the place of another record of the "
                                "same person: what stands in that one is another patient here"), "patient_id": new}


def _read(paths: Sequence[Path], processes: int) -> Records:
    """All rows and problems: of bundles one by one, then of all that is loose."""
    files = [*files_of(paths)]
    if shared := read_shared_bundles(files, processes):
        return shared
    records, faults = Records(), list[HistoryError]()
    loose = [*take_bundles(records, files, faults)]
    if loose:
        shared = None if records.rows["patients"] else read_shared(loose, processes)
        if shared:
            shared.issues[:0] = records.issues
            shared.damaged = records.damaged
            return shared
        take_loose(records, loose, records.meet_loose(loose))
    if faults and not records.rows["patients"]:
        raise faults[0]
    return records

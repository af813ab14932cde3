"""The source for plain tables (CSV, TSV, Excel, Parquet), told by a mapping file what their columns are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from ..errors import HistoryError
from ..tables import TABLES
from ..types import ReadRequest, SourceKind
from .lost_rows import settled
from .recorded import Issue, asked_day, tables_of

if TYPE_CHECKING:
    from .tabular_mapping import FileMap

ENDING = ".mapping.toml"
_PART = ".table-part"
_EXAMPLE = '''\
# Which column of which file is which field of a patient record. Give this file as the record:
#   pmed report genome.vcf.gz --history hospital.mapping.toml
# Its name must end in .mapping.toml. Files are looked for beside it: CSV, TSV, Excel (.xlsx, .xls, .ods) or Parquet.
# Tables: patients, conditions, medications, observations, allergies, procedures, encounters, immunizations,
# family_history. What no column and no constant fills stays unknown, as does an empty cell.

[[file]]
path = "patients.csv"
table = "patients"
date_format = "%d.%m.%Y"    # of all dates in this file; left out: YYYY-MM-DD, YYYY-MM or YYYY

[file.columns]              # field = "column"
patient_id = "id"
birth_date = "born"
sex = "sex"

[file.values.sex]           # what is in the cells = what it means; other values are reported and stay unknown
M = "male"
F = "female"

[[file]]
path = "medicines.csv"
table = "medications"
separator = ";"
decimal = ","

[file.columns]
patient_id = "id"
display = "medicine"
start = "from"
end = "to"
dose = "dose"
per_day = "times_a_day"     # how often the dose is taken each day; or in words, such as 1-0-1:
                            # sig = "directions"
status = "state"
reason = "indication"

[file.constants]            # the same for every row
dose_unit = "mg"
kind = "statement"          # order, statement, administration or dispense

[file.values.status]        # active, on-hold, completed, stopped, cancelled, entered-in-error or unknown
current = "active"
past = "stopped"

[[file]]
path = "labs.csv"           # a column a test
table = "observations"

[file.columns]
patient_id = "id"
start = "date"

[file.measurements.creatinine_umol]
code = "2160-0"             # LOINC, if no other system is named
unit = "umol/L"             # UCUM

[file.measurements.inr]
code = "6301-6"
unit = "1"

[[file]]
path = "diagnoses.csv"
table = "conditions"

[file.columns]
patient_id = "id"
code = "icd10"
start = "since"

[file.constants]
system = "http://hl7.org/fhir/sid/icd-10-cm"
'''


def example() -> str:
    """A mapping file to begin with."""
    return _EXAMPLE


@dataclass(frozen=True)
class TableSource:
    """CSV, TSV, Excel and Parquet files, as a mapping file says → the tables of a record and issues."""

    name: ClassVar[str] = "table"
    kind: ClassVar[SourceKind] = "history"

    def matches(self, path: Path) -> bool:
        """A mapping: its name ends in ``.mapping.toml``; or a part that `parted` made."""
        return path.name.lower().endswith((ENDING, _PART)) and path.is_file()

    def parted(self, paths: Sequence[Path], folder: Path, size: int) -> list[Path]:
        """Parts of tables whose rows are more than `size` bytes of NDJSON, in a folder; none where they are less."""
        from .tabular_parts import parted

        return parted([*_files(paths)], folder, size, _PART)

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Read the files that the mappings name; `request.index_date` is an ISO date or "".

        A cell that cannot be used is a row of ``issues``, and unknown; the rest of its row is kept.

        Raises:
            HistoryError: a mapping with faults, or a file that is no table, lacks a column or has no patient.
            OptionError: `request.index_date` is not a date.
        """
        from .tabular_fields import people, recorded
        from .tabular_mapping import missing_columns

        index_date = asked_day(request.index_date)
        issues: list[Issue] = []
        found: list[pl.DataFrame] = []
        parts: dict[str, list[pl.DataFrame]] = {}
        for path, mapped, cells in _cells(paths, issues, found):
            if faults := missing_columns(mapped, cells.columns):
                raise HistoryError("; ".join(faults), where=str(path), hint=_hint(path, mapped, cells))
            parts.setdefault(mapped.table, []).append(recorded(cells, mapped, path.name, found))
        frames = {name: pl.concat(made) for name, made in parts.items()}
        frames["patients"] = people(frames, found)
        if frames["patients"].is_empty() and not all(map(_is_part, paths)):
            raise HistoryError("no row names a patient", where=", ".join(map(str, paths)))
        told = pl.concat([TABLES["issues"].frame(issues), *found])
        # A part does not know everybody.
        whole = told if any(map(_is_part, paths)) else settled(told, frames["patients"]["patient_id"])
        return tables_of(frames, whole, index_date)


def _cells(paths: Sequence[Path], issues: list[Issue],
           found: list[pl.DataFrame]) -> Iterator[tuple[Path, FileMap, pl.DataFrame]]:
    """The cells of each file, or a part's; problems go to `issues`, and those that were found before to `found`."""
    from .tabular_cells import read_cells
    from .tabular_parts import cells_of

    for one in paths:
        if _is_part(one):
            yield from cells_of(one, found)
        else:
            yield from ((path, mapped, read_cells(path, mapped, issues)) for path, mapped in _files([one]))


def _is_part(path: Path) -> bool:
    return path.suffix == _PART


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, FileMap]]:
    from .tabular_mapping import read_mapping

    return ((path.parent / mapped.path, mapped) for path in paths for mapped in read_mapping(path))


def _hint(path: Path, mapped: FileMap, cells: pl.DataFrame) -> str:
    from .tabular_cells import EXCEL

    if path.name.lower().endswith(EXCEL):
        return "the first row that is not empty must have the names of the columns: take out what is above them"
    alone = len(cells.columns) == 2 and not mapped.separator
    return "the file has one column only: name its separator in the mapping" if alone else ""

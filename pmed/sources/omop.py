"""The OMOP CDM source: people and their history from a folder of tables, an SQLite file or a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from ..errors import HistoryError
from ..types import ReadRequest, SourceKind
from .recorded import asked_day, tables_of

if TYPE_CHECKING:
    from .omop_cdm import WholeStore

_SQLITE = (".db", ".sqlite", ".sqlite3")
_CONNECTION, PART = ".omop.toml", ".omop-part"


@dataclass(frozen=True)
class OmopSource:
    """OMOP CDM 5.3 and 5.4 → the history tables; a patient's id is the person_id."""

    name: ClassVar[str] = "omop"
    kind: ClassVar[SourceKind] = "history"
    folders: ClassVar[bool] = True

    def matches(self, path: Path) -> bool:
        """A folder with CDM tables, an SQLite file by its name, ``*.omop.toml``, or a part that `parted` made."""
        if path.is_dir():
            from .omop_cdm import CLINICAL
            from .omop_files import table_files

            return not {"person", *CLINICAL}.isdisjoint(table_files(path))
        return path.name.lower().endswith((_CONNECTION, PART)) or path.suffix.lower() in _SQLITE

    def parted(self, paths: Sequence[Path], folder: Path, size: int) -> list[Path]:
        """Parts of a CDM whose rows are more than `size` bytes of NDJSON, in a folder; none where they are less."""
        from .omop_parts import parted

        return parted(paths, folder, size, PART, _store)

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Read every person of each CDM.

        What cannot be used is a row of ``issues``, one a patient and kind of fault; the rest is kept.

        Raises:
            HistoryError: no CDM, a table without a needed column, a database that cannot be reached.
            OptionError: `request.index_date` is not a date.
        """
        index_date = asked_day(request.index_date)
        made = [_recorded(path) for path in paths]
        frames = {name: pl.concat([one[name] for one in made]) for name in made[0]}
        _must_differ(frames["patients"])
        return _with_daily_dose(tables_of(frames, frames.pop("issues"), index_date), frames["medications"])


def _recorded(path: Path) -> dict[str, pl.DataFrame]:
    from .omop_parts import PartStore
    from .omop_people import recorded_frames

    if path.suffix == PART:
        part = PartStore.of(path)
        frames = recorded_frames(part, part.vocabulary)
        return {**frames, "issues": part.told(frames["issues"])}
    with _store(path) as store:
        return recorded_frames(store)


@contextmanager
def _store(path: Path) -> Iterator[WholeStore]:
    from .omop_database import connection_file, sqlite_file
    from .omop_files import Folder

    if path.is_dir():
        yield Folder.of(path)
        return
    with (connection_file if path.name.lower().endswith(_CONNECTION) else sqlite_file)(path) as database:
        yield database


def _with_daily_dose(tables: dict[str, pl.DataFrame], recorded: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """A day's dose by the supply is known where that of one administration is not.

    The rows are still those recorded, in their order: OMOP marks none as entered in error.
    """
    medicines = tables["medications"].with_columns(pl.coalesce(recorded["daily_dose"], "daily_dose"))
    return {**tables, "medications": medicines}


def _must_differ(patients: pl.DataFrame) -> None:
    """A person_id means somebody within one CDM only."""
    double = patients.filter(pl.col("patient_id").is_duplicated())
    if double.height:
        raise HistoryError(f"person {double['patient_id'][0]} is also in {double['file'][0]}", where=double["file"][1],
                           hint="ids of two CDMs do not name the same people: read one at a time")

"""The mapping file of plain tables: which column of which file is which field. Read, and checked as a whole."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

import msgspec

from ..errors import HistoryError
from ..tables import TABLES
from .record_dates import is_date
from .recorded import COLUMNS

HINT = "an example is written by pmed history --template"
LOINC = "http://loinc.org"
MISSING = ("", "NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", "None", "?", ".")
NUMBERS = ("dose", "per_day", "value", "onset_age")
DATES = ("birth_date", "start", "end", "recorded")
SHORT_YEAR = "%y"  # of two figures
FLAGS = ("deceased", "ordered", "ended")
# What the reader fills in itself.
_OWN = ("file", "place", "source", "reason_link")


class Measurement(msgspec.Struct, forbid_unknown_fields=True):
    """A column of numbers that are one measurement: a laboratory table with a column a test."""

    unit: str
    code: str | None = None
    system: str = ""
    display: str = ""


class FileMap(msgspec.Struct, forbid_unknown_fields=True):
    """One file: its table, and the column (or the constant) of each field."""

    path: str
    table: str
    columns: dict[str, str]
    constants: dict[str, str | float | bool] = {}
    values: dict[str, dict[str, str]] = {}
    measurements: dict[str, Measurement] = {}
    date_format: str = ""
    decimal: str = "."
    separator: str = ""
    sheet: str = ""
    missing: tuple[str, ...] = MISSING


class _Mapping(msgspec.Struct, forbid_unknown_fields=True):
    file: list[FileMap]


def read_mapping(path: Path) -> list[FileMap]:
    """The files that a mapping names.

    Raises:
        HistoryError: not TOML, or not a mapping; every fault is named at once.
    """
    where = str(path)
    try:
        files = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Mapping).file
    except OSError as error:
        raise HistoryError(f"cannot be read: {error.strerror}", where=where) from error
    except UnicodeDecodeError as error:
        raise HistoryError("text that is not UTF-8", where=where, hint="save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise HistoryError(f"not TOML: {error}", where=where, hint=HINT) from error
    except msgspec.ValidationError as error:
        raise HistoryError(f"not a mapping: {error}", where=where, hint=HINT) from error
    faults = [f"file {number} ({one.path}): {fault}" for number, one in enumerate(files, 1) for fault in _faults(one)]
    if faults or not files:
        raise HistoryError("; ".join(faults) or "names no file", where=where, hint=HINT)
    return files


def fields_of(table: str) -> list[str]:
    """The fields of a table that a mapping may fill."""
    return [name for name in COLUMNS[table] if name not in _OWN]


def missing_columns(mapped: FileMap, columns: Iterable[str]) -> list[str]:
    """A fault for each column that the file does not have, or has twice."""
    known = list(columns)
    wanted = dict.fromkeys([*mapped.columns.values(), *mapped.measurements])
    absent = [f"no column {name!r}{_near(name, known)}" for name in wanted if name not in known]
    twice = [f"two columns {name!r}" for name in wanted if f"{name}_duplicated_0" in known]
    return absent + twice


def _faults(mapped: FileMap) -> Iterator[str]:
    if mapped.table not in COLUMNS:
        yield f"unknown table {mapped.table!r}{_near(mapped.table, COLUMNS)}; known: {', '.join(COLUMNS)}"
        return
    fields = fields_of(mapped.table)
    for name in dict.fromkeys([*mapped.columns, *mapped.constants, *mapped.values]):
        if name not in fields:
            yield f"unknown field {name!r} of {mapped.table}{_near(name, fields)}; known: {', '.join(fields)}"
    if "patient_id" not in mapped.columns:
        yield "no column for patient_id"
    yield from (f"{name!r} is both a column and a constant" for name in mapped.constants if name in mapped.columns)
    yield from (f"values for {name!r}, which has no column" for name in mapped.values if name not in mapped.columns)
    yield from _word_faults(mapped)
    yield from _measurement_faults(mapped)
    yield from _format_faults(mapped)


def _format_faults(mapped: FileMap) -> Iterator[str]:
    if mapped.decimal not in {".", ","}:
        yield "decimal must be '.' or ','"
    if SHORT_YEAR in mapped.date_format and "birth_date" in mapped.columns:
        yield f"date_format {mapped.date_format!r}: a year of two figures does not tell the century of a birth"
    if len(mapped.separator) > 1:
        yield "separator must be one character"


def _word_faults(mapped: FileMap) -> Iterator[str]:
    """Constants and values that a field does not know."""
    for name in [*mapped.constants, *mapped.values]:
        column = TABLES[mapped.table].columns.get(name)
        given = mapped.values[name].values() if name in mapped.values else [mapped.constants[name]]
        if column and column.values and (wrong := [one for one in given if one not in column.values]):
            yield f"{name} cannot be {wrong[0]!r}; known: {', '.join(column.values)}"
    for name, value in mapped.constants.items():
        if name in NUMBERS and (isinstance(value, bool) or not isinstance(value, float | int)):
            yield f"{name} must be a number"
        if name in FLAGS and not isinstance(value, bool):
            yield f"{name} must be true or false"
        if name in DATES and not (isinstance(value, str) and is_date(value)):
            yield f"{name} must be a date like \"2024-05-31\""


def _measurement_faults(mapped: FileMap) -> Iterator[str]:
    if mapped.measurements and mapped.table != "observations":
        yield f"measurements belong to observations, not to {mapped.table}"
    for name in ("code", "system", "display", "value", "unit", "value_text", "value_code"):
        if mapped.measurements and (name in mapped.columns or name in mapped.constants):
            yield f"{name!r} comes from the measurements; it cannot be a column or constant besides"


def _near(name: str, known: Iterable[str]) -> str:
    """Ask whether the user meant a name that is nearly this one."""
    lower = {one.lower().strip(): one for one in known}
    found = get_close_matches(name.lower().strip(), lower, n=1)
    return f" (did you mean {lower[found[0]]!r}?)" if found else ""

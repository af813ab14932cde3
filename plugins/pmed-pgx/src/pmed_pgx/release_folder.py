"""A knowledge release as a folder: its manifest and its tab-separated tables, read with the place of every fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
import polars as pl

from pmed.errors import InputError
from pmed.tables import Table

from .release_tables import CORE, FORMAT, RELEASE, Manifest

MANIFEST = "release.json"
# A file's second line is the first row.
FIRST_LINE = 2
Tables = Mapping[str, pl.DataFrame]


def manifest(folder: Traversable) -> Manifest:
    """The manifest of a release.

    Raises:
        InputError: where there is none, or it is not one of this format.
    """
    file = folder / MANIFEST
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except OSError as error:
        raise InputError("is no knowledge release: it has no release.json", where=str(folder),
                         hint="pmed knowledge import makes one") from error
    except msgspec.MsgspecError as error:
        raise InputError(f"not the manifest of a release: {error}", where=str(file)) from error
    if found.format != FORMAT:
        raise InputError(f"format is {found.format!r}, expected {FORMAT!r}", where=str(file))
    return found


def read_table(folder: Traversable, name: str) -> pl.DataFrame:
    """One table of a release as text columns; an empty field is null.

    Raises:
        InputError: where it is missing or its header is not the table's.
    """
    file, expected = folder / f"{name}.tsv", RELEASE[name].names if name in RELEASE else None
    try:
        frame = pl.read_csv(file.read_bytes(), separator="\t", infer_schema=False, quote_char=None, null_values="")
    except OSError as error:
        raise InputError("a knowledge release needs this file", where=str(file)) from error
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise InputError(f"not a tab-separated table: {str(error).splitlines()[0]}", where=str(file)) from error
    if expected is not None and frame.columns != expected:
        raise InputError(f"columns are {', '.join(frame.columns)}; expected {', '.join(expected)}",
                         where=f"{file} line 1")
    return frame


def read_release(folder: Traversable, more: Traversable | None = None) -> dict[str, pl.DataFrame]:
    """Every table of a release as text; one that `folder` has not is taken from `more`, or is empty.

    Raises:
        InputError: where a core table is missing, or a table is not what it should be.
    """
    manifest(folder)
    return {name: _read_or_empty(folder, more, name) for name in RELEASE}


def _read_or_empty(folder: Traversable, more: Traversable | None, name: str) -> pl.DataFrame:
    if name in CORE or (folder / f"{name}.tsv").is_file():
        return read_table(folder, name)
    if more is not None and (more / f"{name}.tsv").is_file():
        return read_table(more, name)
    return pl.DataFrame(schema=dict.fromkeys(RELEASE[name].names, pl.String()))


def type_faults(name: str, frame: pl.DataFrame) -> Iterator[str]:
    """Fields of a text table that are no value of their column, with file and line."""
    table = RELEASE[name]
    for column, about in table.columns.items():
        typed = frame[column].cast(about.dtype, strict=False)
        for row in (typed.is_null() & frame[column].is_not_null()).arg_true():
            yield f"{name}.tsv line {row + FIRST_LINE}: {column} is {frame[column][row]!r}, not a number"
        if not about.null:
            for row in frame[column].is_null().arg_true():
                yield f"{name}.tsv line {row + FIRST_LINE}: {column} is empty"
        if about.values:
            for row in (~frame[column].is_in(about.values)).arg_true():
                said = ", ".join(about.values)
                yield f"{name}.tsv line {row + FIRST_LINE}: {column} is {frame[column][row]!r}, expected one of {said}"
    yield from _key_faults(table, frame)


def _key_faults(table: Table, frame: pl.DataFrame) -> Iterator[str]:
    if table.key:
        for row in (~frame.select(pl.struct(table.key).is_first_distinct()).to_series()).arg_true():
            named = " ".join(filter(None, frame.select(table.key).row(row)))
            yield f"{table.name}.tsv line {row + FIRST_LINE}: {named} is there twice"


class Layered:
    """A user's release over the embedded one: files that the user's has not are the embedded ones."""

    def __init__(self, top: Path, base: Traversable) -> None:
        self.top = top
        self.base = base

    def __str__(self) -> str:
        return str(self.top)

    def iterdir(self) -> Iterator[Traversable]:
        """The user's files, then those embedded ones that stand in for missing ones."""
        own = {one.name: one for one in self.top.iterdir() if one.is_file()}
        yield from own.values()
        for file in self.base.iterdir():
            if file.name not in own and self.stands_in(file.name, own):
                yield file

    def __truediv__(self, name: str) -> Traversable:
        """The user's file of that name, or the embedded one."""
        own = self.top / name
        return own if own.is_file() or not self.stands_in(name, ()) else self.base / name

    @staticmethod
    def stands_in(name: str, own: Mapping[str, object] | tuple[str, ...]) -> bool:
        """Whether an embedded file may complete a user's release: never a core table, guidelines only as a whole."""
        if name.startswith("guideline-"):
            return not any(one.startswith("guideline-") for one in own)
        return name != MANIFEST and name.removesuffix(".tsv") not in CORE

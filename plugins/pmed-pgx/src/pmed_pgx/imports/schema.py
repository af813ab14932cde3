"""The tables of a knowledge release: their columns in order, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pmed.files import write_whole

from ..release_tables import CORE, RELEASE

Row = tuple[object, ...]

BUILT = (*CORE, "priorities")
OPTIONAL = ("synonyms", "guidance")
COLUMNS: Mapping[str, tuple[str, ...]] = {name: tuple(RELEASE[name].names) for name in BUILT}


def empty() -> dict[str, list[Row]]:
    """No rows yet, for every table."""
    return {name: [] for name in (*COLUMNS, *OPTIONAL)}


def write(folder: Path, tables: Mapping[str, Iterable[Row]]) -> None:
    """Write every table that the publisher fills as tab-separated text; None is an empty field."""
    for name in (*COLUMNS, *(one for one in OPTIONAL if tables.get(one))):
        lines = ["\t".join(RELEASE[name].names), *("\t".join(map(_text, row)) for row in tables[name])]
        write_whole(folder / f"{name}.tsv", ("\n".join(lines) + "\n").encode())


def _text(value: object) -> str:
    return "" if value is None else str(value)

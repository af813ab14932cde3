"""One sheet of a workbook → its cells, and in which row its header is."""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from ..compatibility import install_extra
from ..errors import HistoryError

_ABOVE = 100  # rows in which a header is looked for
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_CHUNK, _OVERLAP = 1 << 20, 256  # bytes read at once, and seen again with the next ones


def read_sheet(path: Path, sheet: str) -> tuple[pl.DataFrame, int, list[str]]:
    """The cells below the header, the row of the header, and the sheets that were not read though none was named.

    Raises:
        HistoryError: fastexcel is not installed, no workbook, or no such sheet.
    """
    try:
        import fastexcel
    except ImportError as error:
        raise HistoryError("Excel files need fastexcel, which is not installed", where=str(path),
                           hint=install_extra("records")) from error
    try:
        book = fastexcel.read_excel(path)
        names = book.sheet_names
        above = book.load_sheet(sheet or 0, header_row=None, skip_rows=0, n_rows=_ABOVE).to_polars()
        # All rows are looked at: of a column of numbers, a text further down would be lost without a word.
        frame = pl.read_excel(path, sheet_name=sheet or None, raise_if_empty=False, infer_schema_length=None,
                              drop_empty_rows=False)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        raise HistoryError(f"cannot be read as an Excel file{f', sheet {sheet!r}' if sheet else ''}",
                           where=str(path), hint="is the sheet named rightly?" if sheet else "") from error
    filled = above.select(pl.any_horizontal(pl.all().is_not_null())).to_series() if above.width else pl.Series([True])
    return frame, (filled.arg_max() or 0) + 1, [] if sheet else names[1:]


def merged_cells(path: Path, sheet: str, header: int) -> list[str]:
    """The merged cells below the header of a sheet: "A2:A5". Of these only the first has the value.

    Empty for formats other than .xlsx and .xlsm, where they are not looked for.
    """
    if not zipfile.is_zipfile(path):
        return []
    try:
        with zipfile.ZipFile(path) as book, book.open(_part_of(book, sheet)) as file:
            return [f"{left}{top}:{right}{bottom}" for left, top, right, bottom in _merged(file)
                    if int(bottom) > header]
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError):  # .ods; or what only a reader that forgives can read
        return []


def _part_of(book: zipfile.ZipFile, sheet: str) -> str:
    """The file of a workbook that holds a sheet, or the first one.

    Raises:
        KeyError: it is not laid out as .xlsx is.
    """
    sheets, links = (_tags(book.read(f"xl/{name}"), tag) for name, tag in (
        ("workbook.xml", "sheet"), ("_rels/workbook.xml.rels", "Relationship")))
    link = next((one.get("id") for one in sheets if sheet in {"", one.get("name")}), None)
    target = next((one.get("Target", "") for one in links if one.get("Id") == link), "")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _tags(text: bytes, tag: str) -> list[dict[str, str]]:
    """The attributes of each tag of a name, without their namespaces."""
    found = re.findall(rf"<(?:\w+:)?{tag}\s([^>]*)>", text.decode("utf-8", errors="replace"))
    return [{name: html.unescape(value) for name, value in re.findall(r'(?:\w+:)?(\w+)="([^"]*)"', one)}
            for one in found]


def _merged(file: IO[bytes]) -> Iterator[tuple[str, ...]]:
    """The corners of merged cells, in a sheet that may be larger than memory."""
    seen = dict[tuple[bytes, ...], None]()
    rest = b""
    while chunk := file.read(_CHUNK):
        text = rest + chunk
        seen |= dict.fromkeys(found.groups() for found in _MERGED.finditer(text))
        rest = text[-_OVERLAP:]
    return (tuple(part.decode() for part in one) for one in seen)

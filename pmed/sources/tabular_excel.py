"""One sheet of a workbook → its cells, and in which row its header is."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..compatibility import install_extra
from ..errors import HistoryError

_ABOVE = 100  # rows in which a header is looked for


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

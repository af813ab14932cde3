"""Numbers and dates as spreadsheets leave them: read as meant, or told and unknown, never as something else."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path

import polars as pl
import pytest

from pmed.errors import HistoryError
from pmed.sources.tabular import TableSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-01")
LABS = ('[[file]]\npath = "{}"\ntable = "observations"\n{}[file.columns]\npatient_id = "id"\nstart = "d"\n'
        '[file.measurements.v]\ncode = "2160-0"\nunit = "umol/L"\n')
DAY = dt.date(2023, 7, 16)
MEDICINES = ('[[file]]\npath = "m.csv"\ntable = "medications"\n{}[file.columns]\npatient_id = "id"\nstart = "d"\n'
             'end = "e"\n')


class Day(float):
    """A number that the workbook shows as a date."""


def workbook(rows: list[list[str | float]], *, since: int = 1900) -> bytes:
    """One sheet with text, numbers and dates, in the days of 1900 or of 1904."""
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    ns, rel = "http://schemas.openxmlformats.org", "officeDocument/2006/relationships"

    def cell(value: str | float) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c s="{int(isinstance(value, Day))}"><v>{float(value)}</v></c>'

    sheet = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    over = "".join(f'<Override PartName="/xl/{name}.xml" ContentType="{kinds}.{kind}+xml"/>' for name, kind in (
        ("workbook", "sheet.main"), ("styles", "styles"), ("s", "worksheet")))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{ns}/package/2006/content-types"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/>{over}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{ns}/package/2006/relationships"><Relationship Id="r" '
        f'Type="{ns}/{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{ns}/spreadsheetml/2006/main" xmlns:r="{ns}/{rel}"><workbookPr '
        f'date1904="{int(since == 1904)}"/><sheets><sheet name="One" sheetId="1" r:id="r"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{ns}/package/2006/relationships"><Relationship Id="r" '
        f'Type="{ns}/{rel}/worksheet" Target="s.xml"/><Relationship Id="q" Type="{ns}/{rel}/styles" '
        'Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{ns}/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>',
        "xl/s.xml": f'<worksheet xmlns="{ns}/spreadsheetml/2006/main"><sheetData>{sheet}</sheetData></worksheet>'}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def read(folder: Path, mapping: str, name: str, data: bytes) -> dict[str, pl.DataFrame]:
    (folder / name).write_bytes(data)
    (folder / "x.mapping.toml").write_text(mapping)
    return TableSource().read([folder / "x.mapping.toml"], REQUEST)


def told(tables: dict[str, pl.DataFrame], code: str) -> list[tuple[str, str]]:
    return tables["issues"].filter(code=code).select("place", "text").rows()


@pytest.mark.parametrize(("decimal", "cell", "value"), [
    (".", "88.5", 88.5), (".", "88,5", None), (".", "1,234", None), (".", "1.234", 1.234), (".", "1.234,5", None),
    (",", "88,5", 88.5), (",", "88.5", 88.5), (",", "1,234", 1.234), (",", "1.234", None), (",", "250.000", None),
    (",", "1.234,5", None), (",", "88", 88.0)])
def test_a_decimal_comma_in_a_csv(tmp_path: Path, decimal: str, cell: str, value: float | None) -> None:
    mapping = LABS.format("l.csv", f'decimal = "{decimal}"\nseparator = ";"\n')
    tables = read(tmp_path, mapping, "l.csv", f"id;d;v\nA;2024-01-01;{cell}\n".encode())
    assert tables["observations"].select("value", "value_text").rows() == [(value, None if value else cell)]
    said = told(tables, "bad-number")
    assert [place for place, _ in said] == ([] if value else ["line 2 column v"])
    if re.fullmatch(r"\d+,\d+", cell) and not value:
        assert 'say decimal = "," for this file in the mapping' in said[0][1]


@pytest.mark.parametrize("decimal", [".", ","])
def test_a_number_of_a_workbook_is_one_whatever_the_mapping_says(tmp_path: Path, decimal: str) -> None:
    data = workbook([["id", "d", "v"], ["A", "2024-01-01", 1.234], ["A", "2024-01-02", 250.0]])
    tables = read(tmp_path, LABS.format("l.xlsx", f'decimal = "{decimal}"\n'), "l.xlsx", data)
    assert tables["observations"]["value"].to_list() == [1.234, 250.0]
    assert told(tables, "bad-number") == []


def test_a_parquet_column_of_decimals_is_numbers(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["A"], "d": ["2024-01-01"], "v": ["1.234"]}).cast({"v": pl.Decimal(10, 3)})
    out = io.BytesIO()
    frame.write_parquet(out)
    tables = read(tmp_path, LABS.format("l.parquet", 'decimal = ","\n'), "l.parquet", out.getvalue())
    assert tables["observations"]["value"].to_list() == [1.234]


@pytest.mark.parametrize(("cell", "form", "since", "day"), [
    (Day(45123), "", 1900, DAY), (Day(45123), "%d.%m.%Y", 1900, DAY), (Day(45123.5), "", 1900, DAY),
    (Day(43661), "", 1904, DAY), (Day(0), "", 1900, None), (45123, "", 1900, None), (45123, "%d.%m.%Y", 1900, None),
    (45123.25, "", 1900, None), ("16.07.2023", "%d.%m.%Y", 1900, DAY), ("16.07.2023", "", 1900, None),
    ("2023-07-16", "", 1900, DAY), ("16.07.23", "%d.%m.%y", 1900, DAY), ("7/16/2023", "%m/%d/%Y", 1900, DAY),
    ("16/7/2023", "%m/%d/%Y", 1900, None)])
def test_dates_of_a_workbook(tmp_path: Path, cell: str | float, form: str, since: int, day: dt.date | None) -> None:
    data = workbook([["id", "d", "v"], ["A", cell, 88.0]], since=since)
    tables = read(tmp_path, LABS.format("l.xlsx", f'date_format = "{form}"\n'), "l.xlsx", data)
    assert tables["observations"]["start"].to_list() == [day]
    said = told(tables, "bad-date")
    assert [place for place, _ in said] == ([] if day else ["row 2 column d"])
    if not day and cell in {45123, 45123.25}:
        assert "a number of days, as Excel keeps dates" in said[0][1]
    if cell == "16.07.2023" and not day:
        assert 'date_format = "%d.%m.%Y" for this file' in said[0][1]


@pytest.mark.parametrize(("form", "start", "end", "active"), [
    ("%d%m%y", "10123", "", True),                      # 010123 with its zero gone, or 10.12.03: unknown, so begun
    ("%d%m%y", "010123", "311223", False),
    ("%d.%m.%y", "01.01.65", "", True),                 # 1965, not 2065: not "not begun yet"
    ("%d.%m.%y", "01.01.23", "31.12.27", True),
    ("%d.%m.%y", "01.01.23", "31.12.60", True),
    ("%d.%m.%y", "01.01.23", "31.12.23", False)])
def test_a_date_that_may_be_another_is_unknown(tmp_path: Path, form: str, start: str, end: str, active: bool) -> None:
    mapping = (MEDICINES + 'display = "m"\n[file.constants]\nstatus = "active"\n').format(f'date_format = "{form}"\n')
    tables = read(tmp_path, mapping, "m.csv", f"id,d,e,m\nA,{start},{end},warfarin\n".encode())
    assert tables["medications"]["active"].to_list() == [active]
    sure = {"01.01.23", "010123", "311223", "31.12.27", "31.12.23", ""}
    assert len(told(tables, "bad-date")) == len({start, end} - sure)


def test_a_birth_needs_its_century(tmp_path: Path) -> None:
    mapping = ('[[file]]\npath = "p.csv"\ntable = "patients"\ndate_format = "%d.%m.%y"\n[file.columns]\n'
               'patient_id = "id"\nbirth_date = "b"\n')
    with pytest.raises(HistoryError, match="a year of two figures does not tell the century of a birth"):
        read(tmp_path, mapping, "p.csv", b"id,b\nA,15.03.24\n")


def labs(folder: Path, rows: list[list[str | float]], more: str = "", change: bytes | None = None) -> pl.DataFrame:
    """Observations of a workbook; what was told stands in `TOLD`."""
    (folder / "l.xlsx").write_bytes(change or workbook(rows))
    (folder / "x.mapping.toml").write_text(LABS.format("l.xlsx", more))
    tables = TableSource().read([folder / "x.mapping.toml"], REQUEST)
    TOLD[:] = tables["issues"].filter(~pl.col("code").is_in(["no-age", "index-date"])).select("place", "code").rows()
    return tables["observations"].select("patient_id", "start", "value", "value_text")


TOLD: list[tuple[str, str]] = []
ON = Day(45123.0)
HEADER: list[str | float] = ["id", "d", "v"]


@pytest.mark.parametrize("many", [150, 1500])
@pytest.mark.parametrize(("late", "found", "code"), [
    (["p", ON, "&lt;5"], ("p", DAY, None, "<5"), "limit-not-value"), (["p", ON, "7,5"], ("p", DAY, None, "7,5"),
                                                                     "bad-number"),
    (["p", "2023-07-16", 81.0], ("p", DAY, 81, None), ""), (["A7", ON, 81.0], ("A7", DAY, 81, None), "")])
def test_a_text_far_down_a_column_of_numbers_is_not_lost(tmp_path: Path, many: int, late: list[str | float],
                                                         found: tuple[object, ...], code: str) -> None:
    first: list[str | float] = [1.0 if late[0] == "A7" else "p", ON, 80.0]
    rows = labs(tmp_path, [HEADER, *[first] * many, late])
    assert rows.height == many + 1
    assert found in rows.rows()
    assert ([(f"row {many + 2} column v", code)] if code else []) == TOLD


def test_rows_are_counted_as_in_the_workbook(tmp_path: Path) -> None:
    assert labs(tmp_path, [[], [], HEADER, ["p", ON, 80.0], [], ["p", ON, "x"]]).height == 2
    assert TOLD == [("row 6 column v", "bad-number")]


def test_what_stands_above_the_header_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="take out what is above them"):
        labs(tmp_path, [["Labs of ward 3"], HEADER, ["p", ON, 80.0]])


@pytest.mark.parametrize("name", ["Total", "SUMME", "Gesamt:", "Grand total", "Mittelwert"])
def test_a_row_of_totals_is_no_patient(tmp_path: Path, name: str) -> None:
    assert labs(tmp_path, [HEADER, ["p", ON, 80.0], [name, "", 80.0]]).height == 1
    assert TOLD == [("row 3 column id (Observation)", "totals-row")]


@pytest.mark.parametrize("name", ["Totali", "sum-1", "Meaney"])
def test_a_patient_may_be_called_nearly_so(tmp_path: Path, name: str) -> None:
    assert labs(tmp_path, [HEADER, [name, ON, 80.0]]).height == 1


def test_numbers_and_headers_as_text(tmp_path: Path) -> None:
    rows = labs(tmp_path, [["id ", " d", "v "], ["p", ON, "80.5"], ["p", ON, 90.0]])
    assert rows["value"].to_list() == [80.5, 90]


def two_sheets(rows: list[list[str | float]]) -> bytes:
    """A workbook whose second sheet is the same."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(rows))) as one, zipfile.ZipFile(out, "w") as two:
        for name in one.namelist():
            two.writestr(name, one.read(name).decode().replace(
                "</sheets>", '<sheet name="Two" sheetId="2" r:id="r"/></sheets>'))
    return out.getvalue()


def test_that_there_are_other_sheets_is_told(tmp_path: Path) -> None:
    whole = two_sheets([HEADER, ["p", ON, 80.0]])
    assert labs(tmp_path, [], change=whole).height == 1
    assert TOLD == [("", "other-sheets")]
    assert labs(tmp_path, [], 'sheet = "Two"\n', change=whole).height == 1
    assert not TOLD


def parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def merge(data: bytes, *cells: str) -> bytes:
    """The workbook with these cells merged."""
    out, tags = io.BytesIO(), "".join(f'<mergeCell ref="{one}"/>' for one in cells)
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            new.writestr(name, text.replace("</sheetData>", f"</sheetData><mergeCells>{tags}</mergeCells>")
                         if name == "xl/s.xml" else text)
    return out.getvalue()


@pytest.mark.parametrize(("cells", "told"), [
    ((), None), (("A1:C1",), None), (("A2:A3",), "A2:A3"), (("A1:A2", "B2:B3"), "A1:A2, B2:B3"),
    ([f"C{row}:C{row + 1}" for row in range(2, 10, 2)], "C2:C3, C4:C5, C6:C7 and 1 more")])
@pytest.mark.parametrize("chunk", [1 << 20, 300])
def test_merged_cells_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: tuple[str, ...],
                               told: str | None, chunk: int) -> None:
    monkeypatch.setattr("pmed.sources.tabular_excel._CHUNK", chunk)
    data = merge(workbook([["id", "d", "v"], ["A", Day(45123), 88.0], ["", Day(45123), 90.0]]), *cells)
    tables = read(tmp_path, LABS.format("l.xlsx", 'sheet = "One"\n'), "l.xlsx", data)
    found = tables["issues"].filter(pl.col("code") == "merged-cells")["text"].to_list()
    assert [text.partition(": of")[0] for text in found] == ([told] if told else [])
    assert "no-patient" in tables["issues"]["code"].to_list()


@pytest.mark.parametrize("kind", [pl.List(pl.Float64), pl.Struct({"a": pl.Float64}), pl.Array(pl.Float64, 1)])
def test_a_column_of_lists_is_refused(tmp_path: Path, kind: pl.DataType) -> None:
    value = {"a": 88.0} if isinstance(kind, pl.Struct) else [88.0]
    frame = pl.DataFrame({"id": ["A"], "d": ["2024-01-01"], "v": [value]}, schema_overrides={"v": kind})
    with pytest.raises(HistoryError, match="column v does not hold single values"):
        read(tmp_path, LABS.format("l.parquet", ""), "l.parquet", parquet(frame))


def test_an_instant_is_of_the_day_of_its_zone(tmp_path: Path) -> None:
    instant = pl.Series([dt.datetime(2024, 1, 1, 23, 30, tzinfo=dt.UTC)])
    frame = pl.DataFrame({"id": ["A"], "d": instant.dt.convert_time_zone("Europe/Berlin"), "v": [88.0]})
    tables = read(tmp_path, LABS.format("l.parquet", ""), "l.parquet", parquet(frame))
    assert tables["observations"]["start"].to_list() == [dt.date(2024, 1, 2)]
    assert "bad-date" not in tables["issues"]["code"].to_list()

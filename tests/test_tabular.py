"""Plain tables by a mapping file; the tables are written here, but for the real ones of the shared folder."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmed.errors import HistoryError
from pmed.plugins import Component
from pmed.sources.tabular import TableSource, example
from pmed.stages import read as reading
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-01")
FILES = {
    "patients.csv": "id,born,sex\nA1,15.03.1950,F\nA2,01.12.1961,M\n",
    "medicines.csv": "id;medicine;from;to;dose;times_a_day;state;indication\n"
                     "A1;metformin;2024-01-02;;0,5;2;current;type 2 diabetes\n"
                     "A2;clopidogrel;2023-01-01;2023-06-01;75;1;past;\n",
    "labs.csv": "id,date,creatinine_umol,inr\nA1,2024-05-01,88.5,\nA2,2024-05-02,<20,1.1\n",
    "diagnoses.csv": "id,icd10,since\nA1,I25.10,2020\n",
}
PATIENTS = '[[file]]\npath = "p.csv"\ntable = "patients"\n[file.columns]\npatient_id = "id"\nbirth_date = "born"\n'
LABS = '[[file]]\npath = "l.csv"\ntable = "observations"\n[file.columns]\npatient_id = "id"\nstart = "date"\n'
VALUE = 'value = "v"\ncode = "c"\nunit = "u"\n'


def read(folder: Path, mapping: str, files: dict[str, str | bytes]) -> dict[str, pl.DataFrame]:
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    path = folder / "x.mapping.toml"
    path.write_text(mapping, encoding="utf-8")
    assert TableSource().matches(path)
    return TableSource().read([path], REQUEST)


def issues(tables: dict[str, pl.DataFrame]) -> list[tuple[str, str]]:
    return tables["issues"].select("place", "code").rows()


def workbook(rows: list[list[str | float]]) -> bytes:
    """The smallest Excel file: one sheet with text and numbers."""
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    ns, rel = "http://schemas.openxmlformats.org", "officeDocument/2006/relationships"
    cell = lambda value: (f"<c><v>{value}</v></c>" if isinstance(value, int | float)
                          else f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>')
    sheet = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{ns}/package/2006/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
        f'"application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/><Override '
        f'PartName="/xl/s.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{ns}/package/2006/relationships"><Relationship Id="r" '
        f'Type="{ns}/{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{ns}/spreadsheetml/2006/main" xmlns:r="{ns}/{rel}"><sheets><sheet '
        'name="One" sheetId="1" r:id="r"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{ns}/package/2006/relationships"><Relationship Id="r" '
        f'Type="{ns}/{rel}/worksheet" Target="s.xml"/></Relationships>',
        "xl/s.xml": f'<worksheet xmlns="{ns}/spreadsheetml/2006/main"><sheetData>{sheet}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def test_the_example_reads_example_tables(tmp_path: Path) -> None:
    tables = read(tmp_path, example(), FILES)
    assert tables["patients"].select("patient_id", "birth_date", "sex").rows() == [
        ("A1", dt.date(1950, 3, 15), "female"), ("A2", dt.date(1961, 12, 1), "male")]
    assert tables["medications"].select("display", "start", "daily_dose", "dose_unit", "kind", "active").rows() == [
        ("metformin", dt.date(2024, 1, 2), 1.0, "mg", "statement", True),
        ("clopidogrel", dt.date(2023, 1, 1), 75.0, "mg", "statement", False)]
    assert tables["observations"].select("patient_id", "system", "code", "value", "unit", "value_text").rows() == [
        ("A1", "http://loinc.org", "2160-0", 88.5, "umol/L", None),
        ("A2", "http://loinc.org", "2160-0", None, "umol/L", "<20"),
        ("A2", "http://loinc.org", "6301-6", 1.1, "1", None)]
    assert tables["conditions"].select("code", "start", "active").rows() == [("I25.10", dt.date(2020, 1, 1), True)]
    assert tables["conditions"]["source"].to_list() == ["diagnoses.csv#line 2"]
    assert tables["medications"]["reason"].to_list() == ["type 2 diabetes", None]
    assert issues(tables) == [("line 3 column creatinine_umol", "limit-not-value"), ("line 2 start", "partial-date")]


def test_bad_cells_are_told_and_unknown(tmp_path: Path) -> None:
    tables = read(tmp_path, PATIENTS + 'sex = "s"\n[file.values.sex]\nM = "male"\n' + LABS + VALUE, {
        "p.csv": "id,born,s\nA,1950-02-30,M\nB,1950-02-03,x\nC,NA,\n",
        "l.csv": "id,date,v,c,u\nA,2024-01-01,five,1-1,mg\nA,tomorrow,nan,1-1,mg\n,2024-01-01,6,1-1,mg\n"
                 "A,2024-01-02,inf,1-1,mg\n../../x,2024-01-02,7,1-1,mg\nB,2024-01-03 10:00:00,8e0,1-1,mg\n"})
    assert tables["patients"].select("birth_date", "sex").rows() == [
        (None, "male"), (dt.date(1950, 2, 3), None), (None, None)]
    assert tables["observations"].select("patient_id", "start", "value", "value_text").rows() == [
        ("A", dt.date(2024, 1, 1), None, "five"), ("A", None, None, None), ("A", dt.date(2024, 1, 2), None, "inf"),
        ("B", dt.date(2024, 1, 3), 8, None)]
    assert sorted(issues(tables)) == sorted([
        ("line 2 column born", "bad-date"), ("line 3 column s", "unmapped-value"), ("line 2 column v", "bad-number"),
        ("line 5 column v", "bad-number"), ("line 3 column date", "bad-date"),
        ("line 4 column id (Observation)", "no-patient"),
        ("line 6 column id (Observation)", "bad-identifier"), ("line 2", "no-age"), ("line 4", "no-age")])
    assert not tables["issues"]["text"].str.contains("five|tomorrow|inf|1950").any()


@pytest.mark.parametrize(("mapping", "what"), [
    ("[[file", "not TOML"),
    ("", "not a mapping: .*`file`"),
    ("file = []", "names no file"),
    (PATIENTS.replace("table", "tabel"), "unknown field `tabel`"),
    (PATIENTS.replace("patients", "patient"), "unknown table 'patient' .did you mean 'patients'"),
    (PATIENTS.replace("birth_date", "birthdate"), "unknown field 'birthdate' of patients .did you mean 'birth_date'"),
    (PATIENTS.replace("patient_id", "sex"), "no column for patient_id"),
    (PATIENTS.replace('"born"', '"Borm"'), "no column 'Borm' .did you mean 'born'"),
    (PATIENTS.replace("p.csv", "q.csv"), "q.csv: no such file"),
    (PATIENTS + '[file.constants]\nbirth_date = "1950"', "both a column and a constant"),
    (PATIENTS + '[file.constants]\nsex = "f"', "sex cannot be 'f'; known: female"),
    (PATIENTS + '[file.values.sex]\nM = "male"', "values for 'sex', which has no column"),
    (PATIENTS + '[file.constants]\ndeceased = "no"', "deceased must be true or false"),
    (PATIENTS + '[file.measurements.born]\nunit = "a"', "measurements belong to observations"),
    (LABS + VALUE + '[file.measurements.v]\nunit = "a"', "'value' comes from the measurements"),
    (LABS + '[file.measurements.v]\ncode = "1-1"', "missing required field `unit`"),
    (LABS + '[file.constants]\nvalue = "five"', "value must be a number"),
])
def test_faults_of_a_mapping(tmp_path: Path, mapping: str, what: str) -> None:
    with pytest.raises(HistoryError, match=what):
        read(tmp_path, mapping, {"p.csv": "id,born\nA,1950-01-01\n", "l.csv": "id,date,v,c,u\n"})


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(HistoryError) as caught:
        read(tmp_path, PATIENTS.replace("birth_date", "birthdate") + LABS.replace("patient_id", "patientid"), {})
    assert all(word in str(caught.value) for word in ("birthdate", "patientid", "no column for patient_id"))


def test_a_wrong_separator_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="name its separator"):
        read(tmp_path, PATIENTS, {"p.csv": "id;born\nA;1950-01-01\n"})


@pytest.mark.parametrize(("content", "what"), [
    ("", "empty"), ("id,born\n", "no row names a patient"), ("id,id,born\nA,B,1950-01-01\n", "two columns"),
    ("id,born\nA,1950".encode("utf-16"), "UTF-16")])
def test_files_that_are_no_table(tmp_path: Path, content: str | bytes, what: str) -> None:
    with pytest.raises(HistoryError, match=what):
        read(tmp_path, PATIENTS, {"p.csv": content})


def test_a_row_with_too_many_cells_loses_only_itself(tmp_path: Path) -> None:
    tables = read(tmp_path, PATIENTS, {"p.csv": 'id,born\nA,1950-01-01\n"B\nb",x\nC,1,950-01-01\nD,1951-01-01\n'})
    assert tables["patients"]["patient_id"].to_list() == ["A", "D"]
    assert ("line 5", "bad-row") in issues(tables)


def test_a_row_with_too_few_cells_loses_only_itself(tmp_path: Path) -> None:
    rows = "A,1950-01-01,female\nB,male\n\nC,1951-01-01,\n"
    tables = read(tmp_path, PATIENTS + 'sex = "s"\n', {"p.csv": "id,born,s\n" + rows})
    assert tables["patients"].select("patient_id", "sex").rows() == [("A", "female"), ("C", None)]
    assert issues(tables) == [("line 3", "bad-row")]


@pytest.mark.parametrize(("form", "cell", "day"), [
    ("%d.%m.%Y", "31.12.30", None), ("%d.%m.%Y", "31.12.2030", "2030-12-31"), ("%d.%m.%y", "31.12.30", "2030-12-31"),
    ("%d.%m.%Y %H:%M", "31.12.30 10:00", None)])
def test_a_year_of_two_figures_is_no_year(tmp_path: Path, form: str, cell: str, day: str | None) -> None:
    drugs = (f'{PATIENTS}[[file]]\npath = "m.csv"\ntable = "medications"\ndate_format = "{form}"\n'
             '[file.columns]\npatient_id = "id"\ndisplay = "drug"\nend = "to"\nstatus = "s"\n')
    tables = read(tmp_path, drugs, {"p.csv": "id,born\nA,1950-01-01\n",
                                    "m.csv": f"id,drug,to,s\nA,warfarin,{cell},active\n"})
    assert tables["medications"]["end"].cast(pl.String).to_list() == [day]
    assert tables["medications"]["active"].to_list() == [True]
    assert issues(tables) == ([] if day else [("line 2 column to", "bad-date")])


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    tables = read(tmp_path, PATIENTS, {"p.csv": "id,born\nA,1950-01-01\n\n\nB,x\n"})
    assert tables["patients"]["patient_id"].to_list() == ["A", "B"]
    assert issues(tables) == [("line 5 column born", "bad-date"), ("line 5", "no-age")]


def test_a_quote_that_is_not_closed_is_told(tmp_path: Path) -> None:
    tables = read(tmp_path, PATIENTS, {"p.csv": 'id,born\nA,1950-01-01\nB,"1950\nC,1951-01-01\n'})
    assert tables["patients"]["patient_id"].to_list() == ["A"]
    assert issues(tables) == [("line 3", "cut-off")]


def test_what_follows_a_quote_that_is_not_closed_may_be_anybodys(tmp_path: Path) -> None:
    read(tmp_path, PATIENTS + LABS + VALUE, {
        "p.csv": "id,born\nA,1950-01-01\nB,1951-01-01\n",
        "l.csv": 'id,date,v,c,u\nA,2024-01-01,"5,1-1,mg\nB,,6,1-1,\n'})
    source = Component("table", TableSource(), "pmed.builtin", "-")
    tables = reading.read([source], "history", [tmp_path / "x.mapping.toml"], REQUEST)
    told = tables["issues"].filter(code="cut-off").select("place", "patient_id")
    assert told.rows() == [("line 2", "A"), ("line 2", "B")]


def test_lines_are_counted_across_line_breaks_in_cells(tmp_path: Path) -> None:
    tables = read(tmp_path, PATIENTS, {"p.csv": 'id,born,note\nA,1950-01-01,"a\nb"\nB,x,\n'})
    assert issues(tables) == [("line 4 column born", "bad-date"), ("line 4", "no-age")]


@pytest.mark.parametrize("row", ["A,1950-01-01,x", "A,1950-01-01,K\u00e4se"])
def test_names_of_columns_in_latin_1_are_read_and_told(tmp_path: Path, row: str) -> None:
    content = f"id,born,Gr\u00f6\u00dfe\n{row}\n".encode("latin-1")
    tables = read(tmp_path, PATIENTS + 'ancestry = "Gr\u00f6\u00dfe"\n', {"p.csv": content})
    assert tables["patients"]["ancestry"].to_list() == [row.rpartition(",")[2]]
    assert tables["issues"]["code"].to_list() == ["character-set"]


def test_latin_1_is_read_and_told(tmp_path: Path) -> None:
    content = "id,born,r\nA,1950-01-01,Käse\n".encode("latin-1")
    tables = read(tmp_path, PATIENTS + 'ancestry = "r"\n', {"p.csv": content})
    assert tables["patients"]["ancestry"].to_list() == ["Käse"]
    assert tables["issues"]["code"].to_list() == ["character-set"]


def test_patients_that_only_other_tables_name(tmp_path: Path) -> None:
    labs = {"l.csv": "id,date,v,c,u\nB,2024-01-01,5,1-1,mg\nB,2024-01-01,6,1-1,mg\n"}
    alone = read(tmp_path, LABS + VALUE, labs)
    assert alone["patients"]["patient_id"].to_list() == ["B"]
    assert issues(alone) == [("line 2", "no-age")]
    both = read(tmp_path, PATIENTS + LABS + VALUE, {**labs, "p.csv": "id,born\nA,1950-01-01\n"})
    assert both["patients"]["patient_id"].to_list() == ["A", "B"]
    assert issues(both) == [("line 2 column patient_id", "no-patient-row"), ("line 2", "no-age")]


def test_rows_of_one_patient_are_taken_together(tmp_path: Path) -> None:
    rows = "A,1950-01-01,male\nA,1950-01-01,female\nA,,\n"
    tables = read(tmp_path, PATIENTS + 'sex = "s"\n', {"p.csv": "id,born,s\n" + rows})
    assert tables["patients"].select("birth_date", "sex").rows() == [(dt.date(1950, 1, 1), None)]
    assert issues(tables) == [("line 2 column sex", "patient-conflict")]


def test_medicines_without_a_status_are_not_known_to_be_taken(tmp_path: Path) -> None:
    mapping = LABS.replace("observations", "medications") + 'display = "m"\n'
    tables = read(tmp_path, mapping, {"l.csv": "id,date,m\nA,2024-01-01,metformin\n"})
    assert tables["medications"]["active"].to_list() == [None]


def test_excel_and_parquet_are_read_as_csv_is(tmp_path: Path) -> None:
    text = "id,born,w\n7,1950-01-01,1.5\n8,1951-01-01,2\n"
    expected = read(tmp_path, PATIENTS, {"p.csv": text})
    rows: list[list[str | float]] = [["id", "born", "w"], [7, "1950-01-01", 1.5], [8, "1951-01-01", 2]]
    excel = read(tmp_path, PATIENTS.replace("p.csv", "p.xlsx"), {"p.xlsx": workbook(rows)})
    pl.DataFrame({"id": [7.0, 8.0], "born": [dt.date(1950, 1, 1), dt.date(1951, 1, 1)]}).write_parquet(
        tmp_path / "p.parquet")
    parquet = read(tmp_path, PATIENTS.replace("p.csv", "p.parquet"), {})
    for tables in (excel, parquet):
        assert tables["patients"].drop("source").equals(expected["patients"].drop("source"))
    assert excel["patients"]["source"].to_list() == ["p.xlsx#row 2", "p.xlsx#row 3"]


@pytest.mark.parametrize("name", ["p.xlsx", "p.parquet"])
def test_broken_excel_and_parquet(tmp_path: Path, name: str) -> None:
    with pytest.raises(HistoryError, match="cannot be read"):
        read(tmp_path, PATIENTS.replace("p.csv", name), {name: b"PK\x03\x04 no more"})


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    mapping = PATIENTS.replace("table =", 'sheet = "Two"\ntable =').replace("p.csv", "p.xlsx")
    with pytest.raises(HistoryError, match="sheet 'Two'"):
        read(tmp_path, mapping, {"p.xlsx": workbook([["id", "born"], ["A", "1950-01-01"]])})


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6) | st.sampled_from(
    ["5", "<5", "1e3", "NA", "2024-01-01", "2024-13-01", '"', 'a"b', "a,b"])


@settings(max_examples=60)
@given(order=st.permutations(range(5)), rows=st.lists(st.tuples(
    st.sampled_from(["A", "B", "", "x y"]), CELLS, CELLS, CELLS, CELLS), max_size=5))
def test_the_order_of_columns_does_not_matter(tmp_path_factory: pytest.TempPathFactory, order: list[int],
                                              rows: list[tuple[str, ...]]) -> None:
    made = []
    for turn in (range(5), order):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows(
            [row[place] for place in turn] for row in [("id", "date", "v", "c", "u"), *rows, ("Z", "", "1", "", "")])
        made.append(read(tmp_path_factory.mktemp("t"), LABS + VALUE, {"l.csv": out.getvalue()}))
    assert all(made[0][name].equals(made[1][name]) for name in made[0])
    assert made[0]["observations"].height == 1 + sum(row[0] in {"A", "B"} for row in rows)


@settings(max_examples=60)
@given(content=st.binary(max_size=40) | st.text('id,born\n"\rA1950-', max_size=40).map(str.encode))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    with contextlib.suppress(HistoryError):
        read(tmp_path_factory.mktemp("t"), PATIENTS, {"p.csv": b"id,born\nA,1950-01-01\n" + content})


def test_a_real_table(tmp_path: Path, shared: Path) -> None:
    """The ACTG 175 trial: wide, parted by blanks, with NA."""
    source = shared / "data/actg175/ACTG175.txt"
    mapping = f'''[[file]]
path = "{source.as_posix()}"
table = "observations"
separator = " "
[file.columns]
patient_id = "pidnum"
[file.measurements.wtkg]
code = "29463-7"
unit = "kg"
[file.measurements.cd496]
code = "24467-3"
unit = "/uL"
'''
    tables = read(tmp_path, mapping, {})
    lines = [line.split() for line in source.read_text().splitlines()]
    place = {name.strip('"'): index for index, name in enumerate(lines[0])}
    known = [float(line[place["cd496"]]) for line in lines[1:] if line[place["cd496"]] != "NA"]
    cells = tables["observations"].filter(code="24467-3")
    assert 0 < len(known) < len(lines) - 1
    assert cells["value"].to_list() == known
    assert tables["observations"].filter(code="29463-7").height == len(lines) - 1
    assert {*tables["issues"]["code"]} == {"no-age"}


def test_a_table_without_any_date_is_read(tmp_path: Path) -> None:
    """Polars 1.44 took a column of nothing for one row."""
    mapping = '[[file]]\npath = "l.csv"\ntable = "conditions"\n[file.columns]\npatient_id = "id"\nstart = "date"\n'
    (tmp_path / "x.mapping.toml").write_text(mapping)
    (tmp_path / "l.csv").write_text("id,date\np1,\np1,\np2,\n")
    tables = TableSource().read([tmp_path / "x.mapping.toml"], ReadRequest(TABLES["sites"].empty()))
    assert tables["patients"]["index_date"].to_list() == [None, None]

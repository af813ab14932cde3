"""Plain tables that are read part by part, each of some people, are what is read at once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed.cohort import run
from pmed.errors import HistoryError
from pmed.sources import row_parts
from pmed.sources.tabular import TableSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests.test_omop_parts import assert_same

REQUEST = ReadRequest(TABLES["sites"].empty())
PEOPLE = [f"p{number}" for number in range(9)]
PATIENTS = """
[[file]]
path = "people.{end}"
table = "patients"
[file.columns]
patient_id = "id"
birth_date = "born"
sex = "sex"
"""
OTHERS = """
[[file]]
path = "medicines.{end}"
table = "medications"
[file.columns]
patient_id = "id"
display = "medicine"
start = "from"
dose = "dose"
[file.constants]
dose_unit = "mg"
[[file]]
path = "labs.{end}"
table = "observations"
[file.columns]
patient_id = "id"
start = "date"
[file.measurements.inr]
code = "6301-6"
unit = "1"
[file.measurements.creatinine]
code = "2160-0"
unit = "umol/L"
"""
COLUMNS = {
    "people": {"id": "id", "born": "date", "sex": "sex"},
    "medicines": {"id": "id", "more": "text", "medicine": "text", "from": "date", "dose": "number"},
    "labs": {"id": "id", "date": "date", "inr": "number", "creatinine": "number"},
}
VALUES = {
    "id": st.sampled_from([*PEOPLE, *PEOPLE, "stranger", "", "no id!", '" p1 "']),
    "date": st.sampled_from(["2020-01-01", "2020-05", "", "never", "31.12.2020"]),
    "sex": st.sampled_from(["male", "female", "", "M"]),
    "text": st.sampled_from(["aspirin", "", '"a, b"', '"two\nlines"', "Müller"]),
    "number": st.sampled_from(["1", "2.5", "<3", "", "much", "1e2"]),
}


def lines_of(name: str) -> st.SearchStrategy[list[str]]:
    """Lines below the header; some are blank, too long or too short, and few end in a quote that is not closed."""
    line = st.tuples(*(VALUES[kind] for kind in COLUMNS[name].values())).map(",".join)
    odd = st.one_of(st.just(""), line.map(lambda text: text + ",1"), st.just("p1"), st.just('p2,"'))
    good = st.lists(line, min_size=4, max_size=12)
    return st.one_of(good, good, st.builds(lambda lines, other, place: [*lines[:place], other, *lines[place:]],
                                           good, odd, st.integers(0, 12)))


def files() -> st.SearchStrategy[dict[str, list[str]]]:
    return st.fixed_dictionaries({name: lines_of(name) for name in COLUMNS})


def write(folder: Path, given: dict[str, list[str]], mapping: str, *, encoding: str = "utf-8",
          end: str = "csv") -> Path:
    folder.mkdir(exist_ok=True)
    for name, lines in given.items():
        text = "\n".join([",".join(COLUMNS[name]), *lines, ""])
        (folder / f"{name}.csv").write_text(text, encoding=encoding)
    (path := folder / "x.mapping.toml").write_text(mapping.format(end=end), encoding="utf-8")
    return path


def read_parts(mapping: Path, target: Path, size: int) -> list[dict[str, pl.DataFrame]]:
    parts = TableSource().parted([mapping], target, size)
    assert all(TableSource().matches(one) for one in parts)
    return [TableSource().read([one], REQUEST) for one in parts]


@settings(max_examples=30, deadline=None)
@given(given=files(), known=st.booleans(), encoding=st.sampled_from(["utf-8", "utf-8", "latin-1"]),
       size=st.integers(3, 10), at_once=st.integers(1, 8))
def test_parts_are_the_whole(tmp_path_factory: pytest.TempPathFactory, given: dict[str, list[str]], known: bool,
                             encoding: str, size: int, at_once: int) -> None:
    given = {**given, "people": [*given["people"], *(f"{name},1950," for name in PEOPLE)],
             "medicines": [*given["medicines"], *(f"{name},,aspirin,2020," for name in PEOPLE)]}
    mapping = write(tmp_path_factory.mktemp("tables"), given, PATIENTS + OTHERS if known else OTHERS, encoding=encoding)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pmed.sources.row_parts.AT_ONCE", at_once)
        patched.setattr("pmed.sources.tabular_cells.AT_ONCE", at_once)
        parts = read_parts(mapping, tmp_path_factory.mktemp("parts"), size * row_parts.ROW_BYTES)
    if not parts:  # a quote that is not closed may swallow everybody
        assert any(line.endswith('"') for lines in given.values() for line in lines)
        return
    assert sum(len(part["patients"]) > 0 for part in parts) > 1
    assert_same(parts, TableSource().read([mapping], REQUEST))


@pytest.mark.parametrize("end", ["csv.gz", "parquet"])
def test_parts_of_packed_files_are_the_whole(tmp_path: Path, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = write(tmp_path, {"people": [f"{name},1950,male" for name in PEOPLE], "medicines": [
        f"{PEOPLE[one % 7]},,aspirin,2020-01-01,{one}" for one in range(40)], "labs": [
        f"{PEOPLE[one % 5]},2020-01-0{one % 9 + 1},{one},5.5" for one in range(40)]}, PATIENTS + OTHERS, end=end)
    for name in COLUMNS:
        rows = pl.read_csv(tmp_path / f"{name}.csv", try_parse_dates=True)
        if end == "parquet":
            rows.write_parquet(tmp_path / f"{name}.parquet")
        else:
            rows.write_csv(tmp_path / f"{name}.csv.gz", compression="gzip")
    monkeypatch.setattr("pmed.sources.row_parts.AT_ONCE", 7)
    parts = read_parts(mapping, tmp_path, 20 * row_parts.ROW_BYTES)
    assert len(parts) > 4
    assert_same(parts, TableSource().read([mapping], REQUEST))


def test_lines_are_counted_across_line_breaks_in_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = write(tmp_path, {"people": [], "labs": [], "medicines": [
        f'{name},"two\nlines",aspirin,2020-01-01,1' for name in PEOPLE]}, OTHERS)
    monkeypatch.setattr("pmed.sources.row_parts.AT_ONCE", 2)
    parts = read_parts(mapping, tmp_path, 4 * row_parts.ROW_BYTES)
    sources = {source for part in parts for source in part["medications"]["source"]}
    assert sources == {f"medicines.csv#line {number}" for number in range(2, 20, 2)}


def test_several_mappings_are_one_record(tmp_path: Path) -> None:
    given = {"people": [f"{name},1950,male" for name in PEOPLE], "labs": ["p1,2020-01-01,1,2"], "medicines": [
        f"{name},,aspirin,2020-01-01,1" for name in PEOPLE]}
    one, two = write(tmp_path / "a", given, PATIENTS), write(tmp_path / "b", given, OTHERS)
    parts = TableSource().parted([one, two], tmp_path, 5 * row_parts.ROW_BYTES)
    assert len(parts) > 3
    assert_same([TableSource().read([part], REQUEST) for part in parts], TableSource().read([one, two], REQUEST))
    assert_same([TableSource().read(parts, REQUEST)], TableSource().read([one, two], REQUEST))


def test_what_is_small_or_of_one_is_not_parted(tmp_path: Path) -> None:
    mapping = write(tmp_path, {"people": ["p1,1950,male"] * 9, "medicines": [], "labs": []}, PATIENTS + OTHERS)
    assert TableSource().parted([mapping], tmp_path, 100 * row_parts.ROW_BYTES) == []
    assert TableSource().parted([mapping], tmp_path, row_parts.ROW_BYTES) == []


def test_what_is_of_nobody_is_told_though_nobody_is_in_the_first_part(tmp_path: Path) -> None:
    given = {"people": [], "labs": ["p1,2020-01-01,1,2", "p1,too,short"], "medicines": [
        f"{name},,aspirin,2020-01-01,1" for name in ("p1", "p2", "no id!", "")]}
    mapping = write(tmp_path, given, OTHERS)
    parts = read_parts(mapping, tmp_path, 4)
    assert [len(part["patients"]) for part in parts] == [0, 1, 1]
    assert_same(parts, TableSource().read([mapping], REQUEST))
    assert sorted(parts[0]["issues"]["code"]) == ["bad-identifier", "bad-row", "no-patient"]


@pytest.mark.parametrize(("name", "text"), [("labs.csv", "id,when\np1,2020\n" * 30), ("labs.csv", None),
                                            ("labs.csv", "\ufeff".encode("utf-16").decode("latin-1") + "x" * 9)])
def test_files_that_cannot_be_read_are_told_by_who_reads_them(tmp_path: Path, name: str, text: str | None) -> None:
    mapping = write(tmp_path, {"people": [f"{name},1950,male" for name in PEOPLE], "medicines": [], "labs": []},
                    PATIENTS + OTHERS)
    (tmp_path / name).unlink()
    if text:
        (tmp_path / name).write_text(text, encoding="latin-1")
    with pytest.raises(HistoryError):
        TableSource().parted([mapping], tmp_path, 1)
    with pytest.raises(HistoryError, match=name) as raised:
        run([], [mapping], output=tmp_path / "out", jobs=1)
    with pytest.raises(HistoryError) as once:
        TableSource().read([mapping], REQUEST)
    assert str(raised.value) == str(once.value)


def test_a_cohort_reads_tables_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = write(tmp_path, {"people": [f"{name},1950,male" for name in PEOPLE], "labs": ["p1,2020-01-01,much,2"],
                               "medicines": [f"{name},,aspirin,2020-01-01,1" for name in PEOPLE]}, PATIENTS + OTHERS)
    made = []
    for size in (1 << 20, 1):
        monkeypatch.setattr("pmed.cohort.RECORD_BYTES", size)
        made.append(run([], [mapping], output=tmp_path / f"out{size}", jobs=1))
    whole, parts = made
    notes = [next((one.folder / "work" / "parts").rglob("done.json")).read_text() for one in made]
    assert [note.count(".table-part") > 1 for note in notes] == [False, True]
    assert whole.people == parts.people == len(PEOPLE)
    for name in ("people", "issues", "exposures", "suggestions"):
        assert_frame_equal(whole.table(name).collect(), parts.table(name).collect(), check_row_order=False)

"""An OMOP CDM that is read part by part, each of some people, is what is read at once."""

from __future__ import annotations

import random
import re
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pmed.cohort import run, staging
from pmed.errors import HistoryError, PmedError
from pmed.settings import Settings
from pmed.sources import row_parts
from pmed.sources.lost_rows import settled
from pmed.sources.omop import OmopSource
from pmed.sources.omop_cdm import CLINICAL, LAYOUTS
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests.test_cohort import tmpfs
from tests.test_omop_source import HEADS

REQUEST = ReadRequest(TABLES["sites"].empty())
READING = Settings().without(["pmed-pgx", "pmed-response", "pmed-risk"])  # where what is concluded is not looked at
SIZE = 4 * row_parts.ROW_BYTES  # four rows
CONCEPTS = ["1,warfarin 5 MG Oral Tablet,RxNorm,Clinical Drug,855332", "2,warfarin,RxNorm,Ingredient,11289",
            "3,Hypertensive disorder,SNOMED,Clinical Finding,38341003", "x,of no number,SNOMED,,1",
            "4,Coumadin,RxNorm,Branded Drug,855334", "6,milligram,UCUM,Unit,mg", "3,twice,SNOMED,,2"]
VOCABULARY = {
    "concept": ["concept_id,concept_name,vocabulary_id,concept_class_id,concept_code", *CONCEPTS],
    "concept_ancestor": ["ancestor_concept_id,descendant_concept_id", "2,4", "x,4", "x,1"],
    "drug_strength": ["drug_concept_id,ingredient_concept_id,amount_value,amount_unit_concept_id", "1,2,5,6",
                      "4,2,much,6", "1,2,little,6"],
}
IDS = st.sampled_from(["1", "2", "3", "4", "5.0", "6", "77", "88", "", "who"])
VALUES = {
    "a whole number": st.sampled_from(["0", "1", "3", "4", "4172703", "99", "", "x"]),
    "a number": st.sampled_from(["1", "5.5", "", "much", "-1"]),
    "a date": st.sampled_from(["2020-01-01", "20200203", "2020-05", "", "never"]),
    "text": st.sampled_from(["", "aspirin", '"a, b"', '"two\nlines"']),
}


def rows_of(table: str) -> st.SearchStrategy[list[str]]:
    """Lines of a table, the header first; some have a field too many."""
    columns = LAYOUTS[table].columns
    cells = [IDS if name == "person_id" else VALUES[kind] for name, kind in columns.items()]
    line = st.tuples(*cells).map(",".join)
    odd = st.one_of(line, line, line, line, line.map(lambda text: text + ",1"))
    return st.lists(odd, max_size=12).map(lambda lines: [",".join(columns), *lines])


def cdms() -> st.SearchStrategy[dict[str, list[str]]]:
    tables = {name: rows_of(name) for name in (*CLINICAL, "death")}
    people = rows_of("person").map(lambda lines: [*lines, *(f"{one},8507,1950" + "," * 5 for one in range(1, 13))])
    return st.fixed_dictionaries({"person": people}, optional=tables)


def write(folder: Path, tables: dict[str, list[str]]) -> Path:
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


@pytest.mark.parametrize("empty", [True, False])
def test_parts_tell_of_eras_as_the_whole_does(tmp_path: Path, empty: bool) -> None:
    people = [HEADS["person"], *(f"{one},8507,1950" + "," * 5 for one in range(1, 13))]
    measured = [HEADS["measurement"], *(f"{one},{one},5,2020-01-01" + "," * 8 for one in range(1, 13))]
    folder = write(tmp_path, {"person": people, "measurement": measured, "drug_era": ["person_id", "1"],
                              **({"drug_exposure": [HEADS["drug_exposure"]]} if empty else {})})
    whole, parts = OmopSource().read([folder], REQUEST), read_parts(folder, tmp_path)
    assert len(parts) > 1
    assert "drug-era-not-read" in whole["issues"]["code"]
    assert_same(parts, whole)


def read_parts(path: Path, target: Path, size: int = SIZE) -> list[dict[str, pl.DataFrame]]:
    parts = OmopSource().parted([path], target, size)
    assert all(OmopSource().matches(one) for one in parts)
    return [OmopSource().read([one], REQUEST) for one in parts]


def assert_same(parts: list[dict[str, pl.DataFrame]], whole: dict[str, pl.DataFrame]) -> None:
    """The rows of each patient in their order, and every issue once; which patient comes first is not told.

    Whose a row of the wrong width may be is told by who knows everybody.
    """
    for name, rows in whole.items():
        columns = rows.columns if name == "issues" else ["patient_id"]
        together = pl.concat([part[name] for part in parts])
        if name == "issues":
            together = settled(together, whole["patients"]["patient_id"])
        assert_frame_equal(*(one.sort(columns, maintain_order=True) for one in (together, rows)))


@settings(max_examples=25, deadline=None)
@given(tables=cdms(), words=st.booleans(), size=st.integers(SIZE, 10 * row_parts.ROW_BYTES))
def test_parts_are_the_whole(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, list[str]], words: bool,
                             size: int) -> None:
    target = tmp_path_factory.mktemp("parts")
    folder = write(tmp_path_factory.mktemp("cdm"), {**tables, **(VOCABULARY if words else {})})
    fault = ""
    try:
        whole = OmopSource().read([folder], REQUEST)
    except HistoryError as error:
        fault = str(error)
    if fault:
        with pytest.raises(HistoryError, match=re.escape(fault)):
            read_parts(folder, target, size)
        return
    parts = read_parts(folder, target, size)
    assert len(parts) > 1
    assert [len(part["patients"]) for part in parts].count(0) == 0
    assert_same(parts, whole)


@pytest.fixture(scope="module")
def sample(shared: Path) -> Path:
    return shared / "data/omop/synthea27nj"


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "sqlite"])
def test_parts_of_the_sample_are_the_whole(sample: Path, tmp_path: Path, kind: str) -> None:
    place = _as_kind(sample, tmp_path / "cdm", kind)
    (target := tmp_path / "parts").mkdir()
    parts = read_parts(place, target, 2000 * row_parts.ROW_BYTES)
    assert len(parts) > 5
    assert_same(parts, OmopSource().read([place], REQUEST))


def _as_kind(sample: Path, place: Path, kind: str) -> Path:
    if kind == "csv":
        return sample
    place.mkdir()
    for path in sample.glob("*.csv"):
        if path.stem.lower() not in LAYOUTS:
            continue
        rows = pl.read_csv(path, infer_schema_length=None)
        if kind == "csv.gz":
            rows.write_csv(place / f"{path.stem}.csv.gz", compression="gzip")
        elif kind == "parquet":
            rows.write_parquet(place / f"{path.stem}.parquet", row_group_size=500)
        else:
            pytest.importorskip("sqlalchemy")
            _into_sqlite(place / "cdm.sqlite", path.stem, rows)
    return place / "cdm.sqlite" if kind == "sqlite" else place


def _into_sqlite(path: Path, name: str, rows: pl.DataFrame) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute(f"CREATE TABLE {name} ({', '.join(rows.columns)})")
        database.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * rows.width)})", rows.iter_rows())
    database.close()


PEOPLE = ["person_id,gender_concept_id,year_of_birth", *(f"{one},8507,1950" for one in range(1, 13))]
SEEN = ["measurement_id,person_id,measurement_concept_id,measurement_date", *(
    f"{one},{one % 12 + 1},3,2020-01-01" for one in range(36))]


def test_what_is_small_is_not_parted(tmp_path: Path) -> None:
    write(tmp_path, {"person": PEOPLE})
    assert OmopSource().parted([tmp_path], tmp_path, 12 * row_parts.ROW_BYTES) == []
    assert [one.name for one in OmopSource().parted([tmp_path], tmp_path, 6 * row_parts.ROW_BYTES)] == [
        "00-00000.omop-part", "00-00001.omop-part"]


def test_two_cdms_are_parted_each_for_itself_unless_they_share_ids(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        write(folder, {"person": [PEOPLE[0], *(f"{one + 100 * number},8507,1950" for one in range(12))]})
    parts = OmopSource().parted(folders, tmp_path, SIZE)
    assert len(parts) == 6
    both = OmopSource().read(parts, REQUEST)
    assert_same([both], OmopSource().read(folders, REQUEST))
    write(folders[1], {"person": PEOPLE})
    assert OmopSource().parted(folders, tmp_path, SIZE) == []


def test_a_file_with_bad_lines_leaves_no_copy_behind(tmp_path: Path) -> None:
    write(tmp_path, {"person": PEOPLE, "measurement": [*SEEN, "1,2,3,2020-01-01,too,many"]})
    (target := tmp_path / "parts").mkdir()
    parts = read_parts(tmp_path, target)
    assert sum(part["issues"]["code"].to_list().count("bad-line") for part in parts) == 1
    assert {one.suffix for one in target.iterdir()} == {".rows", ".omop-part"}


def test_no_room_for_the_parts_is_one_clear_line_and_the_run_goes_on_when_there_is_room(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not be taken for records that cannot be parted, which would be read at once."""
    (folder := tmp_path / "cdm").mkdir()
    noted = [f"{number},{number % 12 + 1},3,2020-01-01,{random.Random(number).random()}" for number in range(20_000)]
    write(folder, {"person": PEOPLE, "observation": [
        "observation_id,person_id,observation_concept_id,observation_date,value_as_string", *noted]})
    monkeypatch.setattr("pmed.cohort.RECORD_BYTES", 1)
    with tmpfs(tmp_path / "disk", "200k") as disk:
        with pytest.raises(PmedError, match="cannot write: No space left on device") as raised:
            cohort(folder, disk / "out", READING)
        assert raised.value.where.endswith(".rows")
        subprocess.run(["mount", "-o", "remount,size=60m", str(disk)], check=True)
        assert cohort(folder, disk / "out", READING).people == 12


def test_asked_people_of_a_database_are_parted_alone(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    for name, lines in {"person": PEOPLE, "measurement": SEEN}.items():
        _into_sqlite(tmp_path / "cdm.sqlite", name, pl.read_csv("\n".join(lines).encode()))
    (path := tmp_path / "some.omop.toml").write_text(
        f'url = "sqlite:///{tmp_path}/cdm.sqlite"\npersons = [1, 2, 3, 4]\n')
    parts = read_parts(path, tmp_path, 8 * row_parts.ROW_BYTES)  # sixteen rows
    assert [part["patients"].height for part in parts] == [2, 2]
    assert_same(parts, OmopSource().read([path], REQUEST))


def cohort(folder: Path, output: Path, settings: Settings | None = None) -> Any:
    return run([], [folder], output=output, jobs=1, settings=settings)


def test_a_cohort_reads_a_cdm_part_by_part_and_forgets_the_parts(tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    (folder := tmp_path / "cdm").mkdir()
    write(folder, {"person": PEOPLE, "measurement": SEEN})
    made = []
    for size in (1 << 20, 1):
        monkeypatch.setattr("pmed.cohort.RECORD_BYTES", size)
        made.append(cohort(folder, tmp_path / f"out{size}"))
    whole, parts = made
    assert [_number_of_parts(one.folder) for one in made] == [0, 12]
    assert [{path.name for path in (one.folder / "work" / "parts").rglob("*") if path.is_file()} for one in made] == [
        {staging.DONE}, {staging.DONE}]
    assert whole.people == parts.people == 12
    for name in ("people", "issues", "suggestions"):
        assert_frame_equal(whole.table(name).collect(), parts.table(name).collect(), check_row_order=False)


def _number_of_parts(folder: Path) -> int:
    note = next((folder / "work" / "parts").rglob(staging.DONE))
    return note.read_text().count(".omop-part")


@pytest.mark.parametrize("step", ["parts", "sorting", "forgetting"])
def test_a_cohort_that_was_ended_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    (folder := tmp_path / "cdm").mkdir()
    write(folder, {"person": PEOPLE, "measurement": SEEN})
    monkeypatch.setattr("pmed.cohort.RECORD_BYTES", 1)
    whole = cohort(folder, tmp_path / "whole", READING)
    name = {"parts": "pmed.sources.omop_parts.write_part", "sorting": "pmed.cohort.staging.packed_tables",
            "forgetting": "pmed.cohort.staging.forget_parts"}[step]
    with monkeypatch.context() as patched:
        patched.setattr(name, _ended_after(2 if step != "forgetting" else 0, name))
        with pytest.raises(KeyboardInterrupt):
            cohort(folder, tmp_path / "ended", READING)
    ended = cohort(folder, tmp_path / "ended", READING)
    tables = sorted(one.relative_to(whole.folder) for one in whole.folder.rglob("*.parquet"))
    assert tables
    assert [(ended.folder / one).read_bytes() for one in tables] == [(whole.folder / one).read_bytes()
                                                                     for one in tables]


def _ended_after(calls: int, name: str) -> Any:
    module, _, function = name.rpartition(".")
    real, seen = getattr(__import__(module, fromlist=[function]), function), []

    def called(*given: Any, **named: Any) -> Any:
        seen.append(1)
        if len(seen) > calls:
            raise KeyboardInterrupt
        return real(*given, **named)

    return called


def test_people_whom_the_person_table_does_not_have_are_spread_and_add_nothing(tmp_path: Path) -> None:
    """They may be most of a table, of which nothing must be told beyond that they are not known."""
    drugs = [f"{one},{one + 100},4,2020-01-01" for one in range(24)]
    write(tmp_path, {"person": PEOPLE, "drug_exposure": [
        "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date", *drugs], **VOCABULARY})
    parts = read_parts(tmp_path, tmp_path, 9 * row_parts.ROW_BYTES)
    assert [part["issues"].filter(code="unknown-person").height for part in parts] == [6, 6, 6, 6]
    assert_same(parts, OmopSource().read([tmp_path], REQUEST))

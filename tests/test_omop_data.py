"""A real-shaped CDM of 28 people: plain SQL counts in SQLite and PostgreSQL, and the same tables from every store."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from pmed.sources import row_parts
from pmed.sources.omop import OmopSource
from pmed.sources.omop_cdm import LAYOUTS
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import omop_server
from tests.test_omop_parts import assert_same, read_parts

pytest.importorskip("sqlalchemy")
DAY = "2018-06-01"
# As one database counts, so does the other: each query is plain SQL for both.
COUNTS = {
    "patients": "SELECT person_id, count(*) FROM {s}person GROUP BY person_id",
    "medications": "SELECT person_id, count(*) FROM {s}drug_exposure GROUP BY person_id",
    "conditions": "SELECT person_id, count(*) FROM {s}condition_occurrence GROUP BY person_id",
    "procedures": "SELECT person_id, count(*) FROM {s}procedure_occurrence GROUP BY person_id",
    "encounters": "SELECT person_id, count(*) FROM {s}visit_occurrence GROUP BY person_id",
}
CODES = {
    "medications": "SELECT person_id, concept_code, concept_name, count(*) FROM {s}drug_exposure JOIN {s}concept "
                   "ON concept_id = drug_concept_id GROUP BY person_id, concept_code, concept_name",
    "conditions": "SELECT person_id, concept_code, concept_name, count(*) FROM {s}condition_occurrence "
                  "JOIN {s}concept ON concept_id = condition_concept_id "
                  "GROUP BY person_id, concept_code, concept_name",
}
# The source of this CDM writes the start as the end, and no supply, where the medicine was not stopped.
TAKEN = f"""SELECT drug_exposure_id FROM {{s}}drug_exposure WHERE drug_exposure_start_date <= '{DAY}'
    AND drug_exposure_end_date >= '{DAY}' AND (verbatim_end_date IS NOT NULL OR days_supply > 0)"""
MAYBE = f"""SELECT drug_exposure_id FROM {{s}}drug_exposure WHERE drug_exposure_start_date <= '{DAY}'
    AND verbatim_end_date IS NULL AND days_supply = 0"""
Ask = Callable[[str], list[tuple]]


def read(path: Path, day: str = DAY) -> dict[str, pl.DataFrame]:
    return OmopSource().read([path], ReadRequest(TABLES["sites"].empty(), index_date=day))


def without_place(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: frame.drop("source", "file", strict=False) for name, frame in tables.items()}


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data/omop/synthea27nj"


@pytest.fixture(scope="module")
def tables(folder: Path) -> dict[str, pl.DataFrame]:
    return read(folder)


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, Path]:
    return {path.stem.lower(): path for path in folder.glob("*.csv") if path.stem.lower() in LAYOUTS}


@pytest.fixture(scope="module")
def sqlite(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("omop") / "cdm.sqlite"
    with sqlite3.connect(path) as database:
        for table, source in files.items():
            with source.open(newline="", encoding="utf-8") as file:
                rows = csv.reader(file)
                columns = next(rows)
                database.execute(f"CREATE TABLE {table} ("
                                 + ", ".join(f"{one} {omop_server.kind(one)}" for one in columns) + ")")
                database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})",
                                     ([value or None for value in row] for row in rows))
    database.close()
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[omop_server.Server]:
    with omop_server.postgres() as running:
        yield running


@pytest.fixture(scope="module")
def connection_file(server: omop_server.Server, files: dict[str, Path],
                    tmp_path_factory: pytest.TempPathFactory) -> Path:
    omop_server.fill(server, files, "cdm")
    path = tmp_path_factory.mktemp("omop") / "hospital.omop.toml"
    path.write_text(f'url = "{server.url}"\npassword_env = "PMED_TEST_OMOP"\nschema = "cdm"\n')
    return path


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMED_TEST_OMOP", omop_server.PASSWORD)


def ask_sqlite(path: Path) -> Ask:
    def ask(query: str) -> list[tuple]:
        database = sqlite3.connect(path)
        found = database.execute(query.format(s="")).fetchall()
        database.close()
        return found
    return ask


def ask_postgres(server: omop_server.Server) -> Ask:
    def ask(query: str) -> list[tuple]:
        connection = server.connect()
        cursor = connection.cursor()
        cursor.execute(query.format(s="cdm."))
        found = [tuple(row) for row in cursor.fetchall()]
        connection.close()
        return found
    return ask


def must_count_alike(tables: dict[str, pl.DataFrame], ask: Ask) -> None:
    for name, query in COUNTS.items():
        found = tables[name].group_by("patient_id").len().rows()
        assert {(int(person), count) for person, count in found} == set(ask(query)), name
    for name, query in CODES.items():
        found = tables[name].group_by("patient_id", "code", "display").len().rows()
        assert {(int(person), *rest) for person, *rest in found} == set(ask(query)), name
    numbers = tables["medications"].with_columns(number=pl.col("source").str.extract(r"(\d+)$").cast(pl.Int64))
    assert set(numbers.filter("active")["number"]) == {row[0] for row in ask(TAKEN)} != set()
    assert set(numbers.filter(pl.col("active").is_null())["number"]) == {row[0] for row in ask(MAYBE)} != set()


def test_sqlite_counts(sqlite: Path) -> None:
    must_count_alike(read(sqlite), ask_sqlite(sqlite))


def test_postgres_counts(connection_file: Path, server: omop_server.Server, password: None) -> None:
    must_count_alike(read(connection_file), ask_postgres(server))


def test_folder_and_sqlite_are_the_same(tables: dict[str, pl.DataFrame], sqlite: Path) -> None:
    found = without_place(read(sqlite))
    for name, frame in without_place(tables).items():
        assert found[name].equals(frame), name


def test_folder_and_postgres_are_the_same(tables: dict[str, pl.DataFrame], connection_file: Path,
                                          password: None) -> None:
    found = without_place(read(connection_file))
    for name, frame in without_place(tables).items():
        assert found[name].equals(frame), name


def test_parquet_is_the_same(tables: dict[str, pl.DataFrame], files: dict[str, Path], tmp_path: Path) -> None:
    for name, path in files.items():
        pl.read_csv(path, try_parse_dates=True, infer_schema_length=None).write_parquet(tmp_path / f"{name}.parquet")
    found = without_place(read(tmp_path))
    for name, frame in without_place(tables).items():
        assert found[name].equals(frame), name


def test_some_people_of_postgres(connection_file: Path, tables: dict[str, pl.DataFrame], password: None,
                                 tmp_path: Path) -> None:
    some = tmp_path / "some.omop.toml"
    some.write_text(connection_file.read_text() + "persons = [7, 3]\n")
    found = without_place(read(some))
    wanted = pl.col("patient_id").is_in(["7", "3"])
    for name, frame in without_place(tables).items():
        if name != "issues":
            assert found[name].equals(frame.filter(wanted)), name


@pytest.mark.parametrize(("persons", "size", "least"), [("", 2000, 5), ("", 200, 25),
                                                       ("persons = [7, 3, 12, 5]\n", 200, 2)])
def test_postgres_in_parts_is_postgres_at_once(connection_file: Path, password: None, tmp_path: Path, persons: str,
                                               size: int, least: int) -> None:
    some = tmp_path / "some.omop.toml"
    some.write_text(connection_file.read_text() + persons)
    (target := tmp_path / "parts").mkdir()
    parts = read_parts(some, target, size * row_parts.ROW_BYTES)
    assert len(parts) >= least
    assert_same(parts, OmopSource().read([some], ReadRequest(TABLES["sites"].empty())))
    assert not any(omop_server.PASSWORD.encode() in one.read_bytes() for one in target.iterdir())


def test_wrong_password_is_not_told(connection_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pmed.errors import HistoryError

    monkeypatch.setenv("PMED_TEST_OMOP", "wrong-and-secret")
    with pytest.raises(HistoryError, match="cannot be reached: .*28P01") as caught:
        read(connection_file)
    assert "secret" not in str(caught.value)


def test_people(tables: dict[str, pl.DataFrame], files: dict[str, Path]) -> None:
    with files["person"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    sexes = {"8507": "male", "8532": "female"}
    expected = {(row["person_id"], row["birth_datetime"][:10], sexes[row["gender_concept_id"]]) for row in rows}
    found = tables["patients"].select("patient_id", pl.col("birth_date").cast(pl.String), "sex")
    assert set(found.rows()) == expected
    assert tables["patients"]["deceased"].sum() == 3
    assert set(tables["patients"]["deceased"]) == {True, None}
    assert set(tables["patients"]["ancestry"]) == {"White", "Asian", "Black or African American", "hawaiian", "other"}
    assert not any(row["person_source_value"] in str(tables["patients"].rows()) for row in rows)


def test_measurements(tables: dict[str, pl.DataFrame], files: dict[str, Path]) -> None:
    with files["measurement"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = sorted(float(row["value_as_number"]) for row in rows if row["value_as_number"])
    weights = tables["observations"].filter(pl.col("code") == "29463-7")
    assert sorted(tables["observations"]["value"].drop_nulls()) == expected
    assert set(weights["unit"]) == {"kg"}
    assert weights.height == sum(row["measurement_source_value"] == "29463-7" for row in rows)


def test_only_known_problems(tables: dict[str, pl.DataFrame]) -> None:
    assert set(tables["issues"]["code"]) == {"no-duration", "no-allergy-table", "deceased", "no-age"}
    assert tables["issues"].filter(pl.col("code") == "no-duration")["patient_id"].is_unique().all()
    unborn = tables["patients"].filter(pl.col("birth_date") > pl.col("index_date"))["patient_id"]
    assert set(tables["issues"].filter(pl.col("code") == "no-age")["patient_id"]) == set(unborn)

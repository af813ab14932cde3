"""Strength and dose of OMOP drug exposures: known where the unit is sure, else null."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pmed.normalise.drugs import add_ingredients
from pmed.sources.omop import OmopSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import omop_server

CONCEPTS = ["concept_id,concept_name,vocabulary_id,concept_class_id,concept_code",
            "1,warfarin sodium 5 MG Oral Tablet,RxNorm,Clinical Drug,855332",
            "2,heparin sodium 5000 UNT/ML Injection,RxNorm,Clinical Drug,1",
            "3,amlodipine / benazepril Oral Capsule,RxNorm,Clinical Drug,2",
            "4,Coumadin tablet,RxNorm,Branded Drug Form,3",
            "11,lot,UCUM,Unit,mg", "12,unit,UCUM,Unit,[U]", "13,ml,UCUM,Unit,mL"]
STRENGTHS = ["drug_concept_id,ingredient_concept_id,amount_value,amount_unit_concept_id,numerator_value,"
             "numerator_unit_concept_id,denominator_value,denominator_unit_concept_id,box_size,invalid_reason",
             "1,100,5,11,,,,,,", "2,101,,,10000,12,2,13,,", "3,102,5,11,,,,,,", "3,103,10,11,,,,,,",
             "4,100,3,11,,,,,,D"]
HEAD = ("drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,"
        "drug_type_concept_id,quantity,days_supply,sig,dose_unit_source_value")
ORDER, STATEMENT, GIVEN = 38000177, 44787730, 32818
FOUND = ("strength", "strength_unit", "dose", "dose_unit", "daily_dose")


def read(folder: Path, row: str, strengths: list[str] | None = STRENGTHS) -> dict[str, pl.DataFrame]:
    made = {"concept": CONCEPTS, "drug_strength": strengths, "drug_exposure": [HEAD, row],
            "person": ["person_id,gender_concept_id,year_of_birth", "1,8532,1950"]}
    for name, lines in made.items():
        if lines is not None:
            (folder / f"{name}.csv").write_text("\n".join([*lines, ""]))
    return OmopSource().read([folder], ReadRequest(TABLES["sites"].empty(), index_date="2020-06-15"))


def drug(concept: int = 1, kind: int = ORDER, quantity: object = "", days: object = "", sig: str = "",
         unit: str = "") -> str:
    return f"1,1,{concept},2020-06-01,2020-06-30,{kind},{quantity},{days},{sig},{unit}"


@pytest.mark.parametrize(("row", "found"), [
    (drug(quantity=60, days=30), (5, "mg", None, "mg", 10)),
    (drug(quantity=45, days=30), (5, "mg", None, "mg", 7.5)),
    (drug(quantity=1, days=30), (5, "mg", None, None, None)),  # one tablet or one pack
    (drug(quantity=1, days=1), (5, "mg", None, "mg", 5)),
    (drug(quantity=60), (5, "mg", None, None, None)),
    (drug(quantity=0, days=30), (5, "mg", None, None, None)),
    (drug(quantity=3000, days=30), (5, "mg", None, None, None)),  # beyond what anybody takes
    (drug(quantity=60, days=30, kind=STATEMENT), (5, "mg", None, None, None)),
    (drug(2, quantity=60, days=30), (5000, "U/mL", None, None, None)),  # no solid form
    (drug(3, quantity=60, days=30), (None, None, None, None, None)),  # two ingredients
    (drug(4, quantity=60, days=30), (None, None, None, None, None)),  # taken back by the vocabulary
    (drug(sig="Take 2 tablets by mouth twice  daily"), (5, "mg", 10, "mg", 20)),
    (drug(sig="1 tablet every 8 hours"), (5, "mg", 5, "mg", 15)),
    (drug(sig="take one tablet(s) 3 times a day."), (5, "mg", 5, "mg", 15)),
    (drug(sig="1 Tablette wöchentlich"), (5, "mg", 5, "mg", pytest.approx(5 / 7))),
    (drug(sig="half tablet daily", quantity=60, days=30), (5, "mg", 2.5, "mg", 2.5)),
    (drug(sig="take 2 tablets once"), (5, "mg", None, None, None)),
    (drug(sig="1 tablet daily as needed"), (5, "mg", 5, "mg", None)),
    (drug(sig="1 tablet daily for 3 days then 2"), (5, "mg", None, None, None)),
    (drug(kind=GIVEN, quantity=2, unit="TABLET"), (5, "mg", 10, "mg", None)),
    (drug(kind=GIVEN, quantity=7.5, unit="mg"), (5, "mg", 7.5, "mg", None)),
    (drug(2, GIVEN, quantity=3, unit="mL"), (5000, "U/mL", 3, "mL", None)),
    (drug(2, GIVEN, quantity=3, unit="tablet"), (5000, "U/mL", None, None, None)),
    (drug(kind=GIVEN, quantity=2), (5, "mg", None, None, None)),  # of what?
])
def test_strength_and_dose(tmp_path: Path, row: str, found: tuple[object, ...]) -> None:
    assert read(tmp_path, row)["medications"].select(FOUND).row(0) == found


@pytest.mark.parametrize("quantity", [-3, 3000])
def test_an_odd_quantity_is_told(tmp_path: Path, quantity: int) -> None:
    issues = read(tmp_path, drug(quantity=quantity, days=30))["issues"].filter(pl.col("code") == "bad-value")
    assert issues["text"][0].startswith("quantity is below 0")


def test_without_the_table_the_name_tells_the_strength(tmp_path: Path) -> None:
    medicines = read(tmp_path, drug(quantity=60, days=30), None)["medications"]
    assert medicines.select(FOUND).row(0) == (None, None, None, None, None)
    names = TABLES["drug_names"].frame([{"ingredient": "warfarin", "kind": "code", "name": "855332"}])
    named, _ = add_ingredients(medicines, names)
    assert named.select("strength", "strength_unit").row(0) == (5, "mg")


def test_the_vocabulary_goes_before_the_name(tmp_path: Path) -> None:
    medicines = read(tmp_path, drug(), [STRENGTHS[0], "1,100,4.6,11,,,,,,"])["medications"]
    names = TABLES["drug_names"].frame([{"ingredient": "warfarin", "kind": "code", "name": "855332"}])
    assert add_ingredients(medicines, names)[0].select("strength", "strength_unit").row(0) == (4.6, "mg")


def test_a_dose_stays_with_its_patient_and_medicine(tmp_path: Path) -> None:
    read(tmp_path, drug())
    people = ["person_id,gender_concept_id,year_of_birth", "2,8507,1960", "1,8532,1950"]
    (tmp_path / "person.csv").write_text("\n".join([*people, ""]))
    rows = [drug(quantity=60, days=30).replace("1,1,", "7,2,", 1), drug(quantity=30, days=30),
            drug(2).replace("1,1,", "9,1,", 1)]
    (tmp_path / "drug_exposure.csv").write_text("\n".join([HEAD, *rows, ""]))
    request = ReadRequest(TABLES["sites"].empty(), index_date="2020-06-15")
    found = OmopSource().read([tmp_path], request)["medications"].select("patient_id", "strength", "daily_dose")
    assert found.rows() == [("1", 5, 5), ("1", 5000, None), ("2", 5, 10)]


ROWS = (drug(quantity=45, days=30), drug(2, GIVEN, quantity=3, unit="mL"),
        drug(sig="Take 2 tablets by mouth twice daily"))


def in_sqlite(folder: Path) -> Path:
    path = folder / "cdm.sqlite"
    with sqlite3.connect(path) as database:
        for source in folder.glob("*.csv"):
            with source.open(newline="", encoding="utf-8") as file:
                columns, *rows = csv.reader(file)
            kinds = ", ".join(f"{one} {omop_server.kind(one)}" for one in columns)
            database.execute(f"CREATE TABLE {source.stem} ({kinds})")
            database.executemany(f"INSERT INTO {source.stem} VALUES ({', '.join('?' * len(columns))})",
                                 ([value or None for value in row] for row in rows))
    database.close()
    return path


def in_parquet(folder: Path) -> Path:
    made = folder / "parquet"
    made.mkdir()
    for source in folder.glob("*.csv"):
        rows = pl.read_csv(source, try_parse_dates=True, infer_schema_length=None)
        rows.write_parquet(made / f"{source.stem}.parquet")
    return made


@pytest.mark.parametrize("store", [in_sqlite, in_parquet])
@pytest.mark.parametrize("row", ROWS)
def test_every_store_tells_the_same(tmp_path: Path, store: Callable[[Path], Path], row: str) -> None:
    expected = read(tmp_path, row)["medications"].select(FOUND)
    assert None not in expected.select("strength", "dose_unit").row(0)
    assert again(store(tmp_path)).equals(expected)


def test_postgres_tells_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMED_TEST_OMOP", omop_server.PASSWORD)
    with omop_server.postgres() as server:
        for number, row in enumerate(ROWS):
            folder = tmp_path / f"cdm{number}"
            folder.mkdir()
            expected = read(folder, row)["medications"].select(FOUND)
            omop_server.fill(server, {path.stem: path for path in folder.glob("*.csv")}, f"cdm{number}")
            connection = folder / "one.omop.toml"
            connection.write_text(f'url = "{server.url}"\npassword_env = "PMED_TEST_OMOP"\nschema = "cdm{number}"\n')
            assert again(connection).equals(expected)


def again(path: Path) -> pl.DataFrame:
    request = ReadRequest(TABLES["sites"].empty(), index_date="2020-06-15")
    return OmopSource().read([path], request)["medications"].select(FOUND)


@pytest.mark.parametrize(("source", "daily", "told"), [
    ("warfarin 5 mg tab", 10, False), ("warfarin 5.0MG", 10, False), ("warfarin", 10, False), ("", 10, False),
    ("warfarin 2.5 mg tab", None, True), ("COUMADIN 1MG", None, True),
    # What names no strength, or more than one.
    ("warfarin 2.5 mg or 5 mg", 10, False), ("warfarin 2.5 mg/mL", 10, False), ("warfarin 2,5 mg", 10, False)])
@pytest.mark.parametrize("strengths", [STRENGTHS, None])
def test_another_strength_at_the_source(tmp_path: Path, source: str, daily: float | None, told: bool,
                                        strengths: list[str] | None) -> None:
    head = f"{HEAD},drug_source_value"
    row = drug(quantity=60, days=30) if strengths else drug(sig="take 2 tablets daily")
    made = {"concept": CONCEPTS, "drug_exposure": [head, f'{row},"{source}"'],
            "person": ["person_id,gender_concept_id,year_of_birth", "1,8532,1950"],
            **({"drug_strength": strengths} if strengths else {})}
    for name, lines in made.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([*lines, ""]))
    tables = OmopSource().read([tmp_path], ReadRequest(TABLES["sites"].empty(), index_date="2020-06-15"))
    found = tables["medications"]["daily_dose"].item()
    pieces = None if told or strengths else 2
    assert (found, "dose-conflict" in tables["issues"]["code"]) == (daily if strengths else pieces, told)

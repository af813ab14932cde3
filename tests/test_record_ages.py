"""A record that does not tell the age says so, whatever it was read from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pmed.features.history import HistoryFeatures
from pmed.render.view import age_at
from pmed.sources.hl7v2 import Hl7v2Source
from pmed.sources.omop import OmopSource
from pmed.sources.recorded import COLUMNS, make_tables
from pmed.sources.tabular import TableSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

DAY = date(2024, 6, 2)
NONE, LATE, OLD = "no date of birth: ", "the date of birth is after ", "the date of birth is 120 years or more "


def made(birth: str | None, day: date | None = DAY) -> dict[str, pl.DataFrame]:
    person = {"patient_id": "p", "file": "f", "place": "1", "source": "f#1", "birth_date": birth}
    return make_tables({"patients": [tuple(person.get(name) for name in COLUMNS["patients"])]}, [], day)


def told(tables: dict[str, pl.DataFrame]) -> list[tuple[str, str]]:
    rows = tables["issues"].filter(pl.col("code") == "no-age").select("severity", "patient_id", "text").rows()
    assert all(text.endswith("(kidney function, risk scores, checks by age) is not assessed") for _, _, text in rows)
    return [(f"{severity} {who}", text.partition("age stays")[0]) for severity, who, text in rows]


@pytest.mark.parametrize(("birth", "said", "age"), [
    ("1950-06-02", "", 74), ("2024-06-02", "", 0), ("1904-06-03", "", 119), (None, NONE, None),
    ("2024-06-03", LATE + "the index date: ", None), ("1904-06-02", OLD + "before the index date: ", None),
    ("1900-01-01", OLD + "before the index date: ", None), ("1904-02-29", OLD + "before the index date: ", None)])
def test_an_age_that_nobody_knows_is_told_and_not_used(birth: str | None, said: str, age: int | None) -> None:
    tables = made(birth)
    assert told(tables) == ([("warning p", said)] if said else [])
    found = HistoryFeatures().run(tables, ["age"])["features"]["age"][0]
    assert (found if found is None else int(found)) == age
    assert age_at(tables["patients"]["birth_date"][0], DAY) == age


def test_without_an_index_date_only_a_missing_birth_date_is_told() -> None:
    assert told(made("2090-01-01", None)) == []
    assert told(made(None, None)) == [("warning p", NONE)]


def hl7(folder: Path) -> dict[str, pl.DataFrame]:
    text = "MSH|^~\\&|LAB|HOSP|||20240601||ORU^R01|1|P|2.5\rPID|1||p||DOE^JANE|||F\r"
    text += "OBX|1|NM|2160-0^C^LN||1|mg/dL|||||F\r"
    (folder / "a.hl7").write_text(text)
    return Hl7v2Source().read([folder / "a.hl7"], ReadRequest(TABLES["sites"].empty()))


def table(folder: Path) -> dict[str, pl.DataFrame]:
    (folder / "p.csv").write_text("id,born\np,\n")
    mapping = '[[file]]\npath = "p.csv"\ntable = "patients"\n[file.columns]\npatient_id = "id"\nbirth_date = "born"\n'
    (folder / "p.mapping.toml").write_text(mapping)
    return TableSource().read([folder / "p.mapping.toml"], ReadRequest(TABLES["sites"].empty(), index_date=str(DAY)))


def omop(folder: Path) -> dict[str, pl.DataFrame]:
    (folder / "person.csv").write_text("person_id,gender_concept_id,year_of_birth\n1,8507,\n")
    return OmopSource().read([folder], ReadRequest(TABLES["sites"].empty(), index_date=str(DAY)))


@pytest.mark.parametrize(("read", "who"), [(hl7, "p"), (table, "p"), (omop, "1")])
def test_every_source_tells_it_once(tmp_path: Path, read: object, who: str) -> None:
    assert told(read(tmp_path)) == [(f"warning {who}", NONE)]

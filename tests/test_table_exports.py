"""CSV, TSV and Parquet of every table, and the OMOP rows."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from pmed.engine import run
from pmed.render.omop import MEASUREMENT, OBSERVATION, OmopExporter
from pmed.render.tables import CsvTables, ParquetTables, TsvTables, delimited, plain_cell
from pmed.result import Result
from pmed.sources.omop import OmopSource
from pmed.tables import TABLES
from pmed.types import ReadRequest
from tests import render_cases as cases
from tests.hostile import hostile

DEMO = Path(__file__).resolve().parents[1] / "pmed/demo"


def rows_of(data: bytes, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=separator))


@pytest.mark.parametrize("exporter", [CsvTables(), TsvTables(), ParquetTables()])
def test_every_table_is_there_with_the_provenance(exporter: Any) -> None:
    files = exporter.export(cases.full())
    ending = f".{exporter.name}"
    assert set(files) == {f"{name}{ending}" for name in TABLES} | {"provenance.json"}
    assert json.loads(files["provenance.json"])["pmed"] == "0.1.0"


def test_parquet_is_the_table_itself() -> None:
    files = ParquetTables().export(cases.full())
    for name, frame in cases.full().tables.items():
        assert_frame_equal(pl.read_parquet(io.BytesIO(files[f"{name}.parquet"])), frame)


def test_lists_are_json_and_unknown_is_not_empty_text() -> None:
    rows = cases.full_rows()
    rows["gene_results"][2]["phenotype"] = ""
    files = CsvTables().export(cases.result(rows))
    genes = rows_of(files["gene_results.csv"])
    assert json.loads(genes[1]["diplotypes"]) == ["*1/*4", "*1/*5"]
    assert json.loads(genes[1]["messages"]) == [{"code": "m", "text": "rs7 would decide."}]
    back = pl.read_csv(io.BytesIO(files["gene_results.csv"]), infer_schema=False)
    assert back["phenotype"].to_list() == ["Slow", "Usual", ""]
    assert back["activity_score"].to_list() == ["0.0", None, None]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1639 GG", "@sum", "\tx", "\rx", "'quoted"])
def test_no_cell_begins_like_a_formula(text: str) -> None:
    [row] = rows_of(delimited(pl.DataFrame({"a": [text], "b": [-1.5]}), ","))
    assert row["a"] == f"'{text}"
    assert plain_cell(row["a"]) == text
    assert row["b"] == "-1.5"


@settings(max_examples=100, deadline=None)
@given(words=hostile, more=hostile)
def test_hostile_cells_are_read_back(words: str, more: str) -> None:
    frame = pl.DataFrame({"a": [words], "b": [[more, words]], "c": [{"x": more}]})
    for separator in (",", "\t"):
        [row] = rows_of(delimited(frame, separator), separator)
        assert plain_cell(row["a"]) == words
        assert json.loads(row["b"]) == [more, words]
        assert json.loads(row["c"]) == {"x": more}
        assert not row["a"].startswith(("=", "+", "-", "@", "\t", "\r"))


def omop(result: Result) -> dict[str, list[dict[str, str]]]:
    files = OmopExporter().export(result)
    assert set(files) == {"person.csv", "measurement.csv", "observation.csv"}
    return {name.removesuffix(".csv"): rows_of(data) for name, data in files.items()}


def test_omop_rows_have_the_columns_of_the_model_and_no_made_up_concept() -> None:
    found = omop(cases.full())
    assert tuple(found["measurement"][0]) == MEASUREMENT
    assert tuple(found["observation"][0]) == OBSERVATION
    assert len(MEASUREMENT) == 23
    assert len(OBSERVATION) == 21
    concepts = {value for table in ("measurement", "observation") for row in found[table]
                for name, value in row.items() if name.endswith("concept_id")}
    assert concepts <= {"0", ""}
    [person] = found["person"]
    assert (person["person_source_value"], person["gender_concept_id"], person["year_of_birth"]) == (
        "ann", "8532", "1960")


@pytest.mark.parametrize(("sex", "concept"), [("male", "8507"), ("female", "8532"), ("other", "0"), (None, "0")])
def test_the_sexes_are_the_concepts_that_our_reader_knows(sex: str | None, concept: str) -> None:
    rows = cases.full_rows()
    rows["patients"][0]["sex"] = sex
    [person] = omop(cases.result(rows))["person"]
    assert (person["gender_concept_id"], person["gender_source_value"]) == (concept, sex or "")


def test_omop_says_what_is_open() -> None:
    found = omop(cases.full())
    told = {row["observation_source_value"]: row for row in found["observation"]}
    assert (told["ABC1 diplotype"]["value_as_string"], told["ABC1 diplotype"]["qualifier_source_value"]) == (
        "*2/*2", "called")
    assert (told["DEF2 diplotype"]["value_as_string"], told["DEF2 diplotype"]["value_source_value"]) == (
        "", "possible: *1/*4 or *1/*5 or others")
    assert told["GHI3 diplotype"]["qualifier_source_value"] == "no-data"
    assert told["ABC1 phenotype today"]["value_as_string"] == "Very slow"
    numbers = {row["measurement_source_value"]: row for row in found["measurement"]}
    assert (numbers["ten-year-luck"]["value_as_number"], numbers["ten-year-luck"]["unit_source_value"]) == (
        "12.34", "%")
    assert (numbers["weekly-dose"]["value_as_number"], numbers["weekly-dose"]["value_source_value"]) == (
        "", "not assessed")


def test_omop_says_what_rests_on_absent_sites() -> None:
    rows = cases.full_rows()
    rows["gene_results"][0]["messages"] = [{"code": "absent-as-ref", "text": "assumed"}]
    rows["gene_results"][1].update(status="called", diplotypes=["*1/*4"])  # but a key site is missing
    told = {row["observation_source_value"]: row for row in omop(cases.result(rows))["observation"]}
    assert told["ABC1 diplotype"]["qualifier_source_value"] == "called, absent sites taken as reference"
    assert told["DEF2 diplotype"]["qualifier_source_value"] == "incomplete"
    assert told["DEF2 diplotype"]["value_as_string"] == ""


def test_our_omop_reader_reads_a_demo_patient_back(tmp_path: Path) -> None:
    result = run([DEMO / "warfarin.vcf"], [DEMO / "warfarin.json"])
    for name, data in OmopExporter().export(result).items():
        (tmp_path / name).write_bytes(data)
    tables = OmopSource().read([tmp_path], ReadRequest(TABLES["sites"].empty()))
    assert tables["patients"]["birth_date"].to_list() == result.tables["patients"]["birth_date"].to_list()
    risks = tables["observations"].filter(pl.col("display") == "ascvd-10y-risk")
    wanted = result.tables["predictions"].filter(pl.col("target") == "ascvd-10y-risk")
    assert risks["value"].to_list() == [pytest.approx(wanted["value"][0])]


@settings(max_examples=40, deadline=None)
@given(words=hostile)
def test_hostile_text_survives_omop(words: str) -> None:
    rows = cases.full_rows()
    rows["gene_results"][0]["phenotype"] = words
    told = {row["observation_source_value"]: row for row in omop(cases.result(rows))["observation"]}
    assert told["ABC1 phenotype"]["value_as_string"] == words

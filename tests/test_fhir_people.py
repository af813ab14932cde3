"""What a Patient says of itself that leaves something in doubt: sex, merged records, death."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


def read(folder: Path, **said: Any) -> tuple[dict[str, Any], list[str]]:
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1950-07-03", **said}
    (folder / "b.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": person}] * 2}))
    tables = FhirSource().read([folder / "b.json"], ReadRequest(TABLES["sites"].empty(), index_date="2024-06-02"))
    warned = tables["issues"].filter(pl.col("severity") == "warning")
    assert warned["patient_id"].to_list() == ["p"] * warned.height
    return tables["patients"].row(0, named=True), warned["code"].to_list()


@pytest.mark.parametrize(("gender", "born", "sex", "told"), [
    ("male", "F", None, ["sex-conflict"]), ("female", "M", None, ["sex-conflict"]), ("female", "F", "female", []),
    ("male", "UNK", "male", []), ("other", "F", "other", []), ("unknown", "M", "unknown", []), (None, "F", None, []),
    ("male", ["F"], "male", []), ("male", None, "male", [])])
def test_where_gender_and_sex_at_birth_differ_sex_is_unknown(tmp_path: Path, gender: str | None, born: object,
                                                             sex: str | None, told: list[str]) -> None:
    person, warned = read(tmp_path, gender=gender, extension=[{"url": BIRTH_SEX, "valueCode": born}])
    assert (person["sex"], warned) == (sex, told)


@pytest.mark.parametrize(("said", "told"), [
    ({"valueCode": "248153007"}, ["sex-conflict"]), ({"valueCoding": {"code": "248153007"}}, ["sex-conflict"]),
    ({"valueCode": "M"}, ["sex-conflict"]), ({"valueCode": "248152002"}, []), ({"valueCode": "asked-declined"}, [])])
def test_so_it_is_by_the_newer_extension(tmp_path: Path, said: dict[str, Any], told: list[str]) -> None:
    newer = {"url": BIRTH_SEX.replace("birthsex", "sex"), **said}
    person, warned = read(tmp_path, gender="female", extension=[newer])
    assert (person["sex"], warned) == (None if told else "female", told)


@pytest.mark.parametrize(("link", "told"), [
    ([{"other": {"reference": "Patient/q"}, "type": "replaced-by"}], ["merge-not-followed"]),
    ([{"other": {"reference": "RelatedPerson/q"}, "type": "seealso"}], []), (5, []), ([5], []), ([], [])])
def test_a_record_that_another_has_replaced_is_told(tmp_path: Path, link: object, told: list[str]) -> None:
    assert read(tmp_path, link=link)[1] == told


@pytest.mark.parametrize(("dead", "told"), [
    ({"deceasedBoolean": True}, ["deceased"]), ({"deceasedDateTime": "2020"}, ["deceased"]),
    ({"deceasedBoolean": False}, []), ({}, [])])
def test_that_somebody_is_dead_is_told(tmp_path: Path, dead: dict[str, Any], told: list[str]) -> None:
    assert read(tmp_path, **dead)[1] == told

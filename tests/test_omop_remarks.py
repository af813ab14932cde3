"""OMOP: what the source wrote beside the concept speaks against it, and diagnoses that are only there as eras."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.test_omop_source import cdm, codes, drug, read, write


@pytest.mark.parametrize(("source", "active"), [
    ("COUMADIN 5 MG (STOPPED)", None), ("warfarin - on hold", None), ("Marcumar abgesetzt", None),
    ("COUMADIN 5 MG TAB", True)])
def test_a_remark_at_the_source_leaves_open_whether_it_is_taken(
        tmp_path: Path, source: str, active: bool | None) -> None:
    tables = read(cdm(tmp_path, drug_exposure=drug(source=source)))
    assert tables["medications"]["active"].to_list() == [active]
    assert ("remark-in-name" in codes(tables)) is (active is None)


@pytest.mark.parametrize(("source", "status", "verification"), [
    ("No hypertension", 0, "unconfirmed"), ("V.a. Hypertonie", 0, "unconfirmed"),
    ("rule out hypertension", 32893, "unconfirmed"),
    ("I10.9 V", 0, "unconfirmed"), ("I10.9 A", 32893, "unconfirmed"), ("I10.9 G", 32893, "confirmed"),
    ("I10", 32893, "confirmed"), ("hypertension", 0, None)])
def test_a_diagnosis_that_the_source_doubts_is_unconfirmed(
        tmp_path: Path, source: str, status: int, verification: str | None) -> None:
    tables = read(cdm(tmp_path, condition_occurrence=f"1,1,3,2019-01-01,,{status},{source},4"))
    assert tables["conditions"]["verification"].to_list() == [verification] * 2
    assert ("remark-in-name" in codes(tables)) is (verification == "unconfirmed")


def test_what_the_concepts_are_called_is_no_remark(tmp_path: Path) -> None:
    concepts = ["3,Suspected fetal abnormality,SNOMED,Clinical Finding,38341003",
                "4,Maternal care for suspected fetal abnormality,ICD10CM,Code,O35.9"]
    tables = read(cdm(tmp_path, concept=concepts, condition_occurrence="1,1,3,2019-01-01,,0,suspected abnormality,4"))
    assert tables["conditions"]["display"].to_list() == [
        "Suspected fetal abnormality", "Maternal care for suspected fetal abnormality"]


@pytest.mark.parametrize("left", ["condition_occurrence", "condition_era", "rows"])
def test_eras_of_conditions_are_told(tmp_path: Path, left: str) -> None:
    rows = ["1,1,3,2019-01-01,,0,I10,4"] if left == "rows" else []
    folder = cdm(tmp_path, condition_occurrence=rows)
    write(folder / "condition_era.csv", "condition_era_id,person_id,condition_concept_id,condition_era_start_date",
          "1,1,3,2020-01-01")
    if left == "condition_era":
        (folder / "condition_occurrence.csv").unlink()
    found = read(folder)["issues"].filter(pl.col("code") == "condition-era-not-read")
    assert found.height == (left != "rows")
    assert all("export condition_occurrence" in text for text in found["text"])

"""Genotypes that a record holds already enter as outside calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import pmed
from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest

LOINC = "http://loinc.org"
HGNC = {"system": "http://www.genenames.org", "code": "HGNC:2625", "display": "CYP2D6"}


def gene(concept: dict[str, Any]) -> dict[str, Any]:
    return {"code": {"coding": [{"system": LOINC, "code": "48018-6"}]}, "valueCodeableConcept": concept}


def genotype(text: str | None = "CYP2D6 *4/*4", code: str = "84413-4", **fields: Any) -> dict[str, Any]:
    value = {"valueCodeableConcept": {"text": text}} if text else {}
    return {"resourceType": "Observation", "id": "g", "status": "final", "subject": {"reference": "Patient/p1"},
            "code": {"coding": [{"system": LOINC, "code": code}]}, "effectiveDateTime": "2021-03-04",
            "component": [gene({"coding": [HGNC]})], **value} | fields


def record(path: Path, *resources: dict[str, Any]) -> Path:
    person = {"resourceType": "Patient", "id": "p1", "birthDate": "1950-07-03", "gender": "female"}
    entries = [{"resource": one} for one in (person, *resources)]
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}))
    return path


def read(path: Path, *resources: dict[str, Any]) -> dict[str, pl.DataFrame]:
    return FhirSource().read([record(path / "r.json", *resources)], ReadRequest(TABLES["sites"].empty()))


@pytest.mark.parametrize(("made", "expected"), [
    (genotype(), ("CYP2D6", "*4/*4")),
    (genotype("CYP2D6*4/CYP2D6*10"), ("CYP2D6", "*4/*10")),
    (genotype("*1 / *2x2"), ("CYP2D6", "*1/*2x2")),
    (genotype(component=[]), ("CYP2D6", "*4/*4")),
    (genotype(component=[gene({"text": "CYP2D6"})]), ("CYP2D6", "*4/*4")),
    (genotype(None, valueCodeableConcept={"coding": [{"code": "1", "display": "CYP2D6 *4/*4"}]}), ("CYP2D6", "*4/*4")),
    (genotype(None, valueString="*4/*4"), ("CYP2D6", "*4/*4")),
    (genotype("HLA-B*15:02/HLA-B*40:01", component=[]), ("HLA-B", "*15:02/*40:01")),
])
def test_genotypes(tmp_path: Path, made: dict[str, Any], expected: tuple[str, str]) -> None:
    tables = read(tmp_path, made)
    row = tables["outside_calls"].row(0, named=True)
    assert (row["gene"], row["diplotype"]) == expected
    assert (row["patient_id"], row["tool"], row["file"]) == ("p1", "FHIR record", "r.json")
    assert row["note"] == "Observation/g, 2021-03-04"
    assert "genotype-in-record" in tables["issues"]["code"].to_list()


@pytest.mark.parametrize(("made", "why"), [
    (genotype(code="84414-2"), "a haplotype alone"), (genotype(status="preliminary"), "its status is preliminary"),
    (genotype(status="cancelled"), "its status is cancelled"), (genotype(None), "it has no value"),
    (genotype(component=[gene({"coding": [HGNC]}), gene({"text": "CYP2C19"})]), "it names no gene, or more than one"),
    (genotype("*4/*4", component=[]), "it names no gene"),
    (genotype(component=[gene({"coding": [{"code": "HGNC:2625"}]})]), "it names no gene"),
])
def test_what_cannot_be_used_is_told(tmp_path: Path, made: dict[str, Any], why: str) -> None:
    tables = read(tmp_path, made)
    assert tables["outside_calls"].is_empty()
    told = tables["issues"].filter(pl.col("code") == "genotype-not-used")
    assert told["text"][0].startswith(why)


def test_other_observations_are_none(tmp_path: Path) -> None:
    tables = read(tmp_path, genotype(code="8480-6"))
    assert tables["outside_calls"].is_empty()
    assert "genotype-not-used" not in tables["issues"]["code"].to_list()


def gene_row(result: pmed.Result, name: str = "CYP2D6") -> dict[str, Any]:
    return result.tables["gene_results"].filter(pl.col("gene") == name).row(0, named=True)


def test_the_whole_way(tmp_path: Path) -> None:
    order = {"resourceType": "MedicationRequest", "id": "r", "status": "active", "intent": "order",
             "subject": {"reference": "Patient/p1"}, "authoredOn": "2024-01-01",
             "medicationCodeableConcept": {"text": "Codeine"}}
    unknown_gene = genotype("BRCA9 *1/*2", id="b", component=[])
    twice = genotype(id="again")
    result = pmed.run((), record(tmp_path / "r.json", genotype(), unknown_gene, twice, order))
    row = gene_row(result)
    assert (row["status"], row["diplotypes"], row["phenotype"]) == ("outside", ["*4/*4"], "Poor Metabolizer")
    assert any("FHIR record" in one["text"] and "r.json" in one["text"] for one in row["messages"])
    advice = result.tables["suggestions"].filter(pl.col("drug") == "codeine")
    assert advice["action"].to_list() == ["avoid"]


def test_two_that_differ_stay_two_possibilities(tmp_path: Path) -> None:
    result = pmed.run((), record(tmp_path / "r.json", genotype(), genotype("CYP2D6 *1/*1", id="other")))
    row = gene_row(result)
    assert row["phenotype"] is None
    assert set(row["possible_phenotypes"]) == {"Poor Metabolizer", "Normal Metabolizer"}


def test_a_diplotype_that_nobody_knows_is_no_result(tmp_path: Path) -> None:
    row = gene_row(pmed.run((), record(tmp_path / "r.json", genotype("CYP2D6 something odd"))))
    assert row["phenotype"] is None

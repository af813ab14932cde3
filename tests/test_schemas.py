"""The schemas in ``schemas/`` are those of the code, and what pmed writes fits them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import polars as pl
import pytest

from pmed import TABLES, Table, run
from pmed.cli import main
from pmed.demo import patients
from pmed.errors import OptionError
from pmed.render.json import JsonExporter
from pmed.schema import json_schemas, schema_text, schema_texts, write_schemas
from tests import render_cases

DRAFT = jsonschema.Draft202012Validator


def value_for(dtype: Any, values: tuple[str, ...] = ()) -> Any:
    """Some value of a polars type."""
    if isinstance(dtype, pl.List):
        return [value_for(dtype.inner)]
    if isinstance(dtype, pl.Struct):
        return {field.name: value_for(field.dtype) for field in dtype.fields}
    if dtype == pl.Boolean:
        return True
    if dtype == pl.Date:
        return date(2026, 1, 31)
    if dtype.is_numeric():
        return 1
    return values[-1] if values else "text"


def json_row(table: Table, **changed: Any) -> dict[str, Any]:
    """A row of a table with all columns filled, as it looks in JSON."""
    filled = {name: value_for(column.dtype, column.values) for name, column in table.columns.items()}
    row = table.frame([filled]).row(0, named=True) | changed
    made = json.loads(json.dumps(row, default=str))
    assert isinstance(made, dict)
    return made


def test_schemas_folder_is_fresh(root: Path) -> None:
    kept = {path.stem: path.read_text(encoding="utf-8") for path in (root / "schemas").glob("*.json")}
    made = schema_texts()
    stale = sorted(name for name in kept | made if kept.get(name) != made.get(name))
    assert not stale, f"schemas/ is stale ({', '.join(stale)}): run pmed schema -o schemas, and remove those not made"


def test_write_schemas_makes_the_folder_and_one_file_each(tmp_path: Path) -> None:
    written = write_schemas(tmp_path / "new")
    assert sorted(path.name for path in written) == sorted(f"{name}.json" for name in json_schemas())
    assert sorted(written) == sorted((tmp_path / "new").iterdir())


@pytest.mark.parametrize("name", json_schemas())
def test_schema_follows_the_draft(name: str) -> None:
    DRAFT.check_schema(json.loads(schema_text(name)))


@pytest.mark.parametrize("name", TABLES)
def test_full_and_sparse_rows_fit(name: str) -> None:
    table, schema = TABLES[name], DRAFT(json_schemas()[name])
    schema.validate(json_row(table))
    schema.validate(json_row(table, **{column: None for column, about in table.columns.items() if about.null}))
    schema.validate(json_row(table) | {"a-column-more": 1})


@pytest.mark.parametrize("name", TABLES)
def test_rows_that_are_not_the_table_are_refused(name: str) -> None:
    table, schema = TABLES[name], DRAFT(json_schemas()[name])
    row = json_row(table)
    for column, about in table.columns.items():
        assert not schema.is_valid({key: value for key, value in row.items() if key != column}), column
        assert schema.is_valid(row | {column: None}) is about.null, column
        assert not schema.is_valid(row | {column: {"neither": "type"}}), column
        assert not about.values or not schema.is_valid(row | {column: "none of these"}), column


def test_schema_carries_unit_key_and_type() -> None:
    schema = json_schemas()["gene_results"]
    assert schema["x-key"] == ["patient_id", "gene"]
    assert schema["properties"]["activity_score"]["x-unit"] == "1"
    assert schema["properties"]["diplotypes"]["x-dtype"] == "List(String)"


def test_format_answers_to_its_own_name_and_a_stranger_is_refused() -> None:
    assert schema_text("pmed/result/1") == schema_text("pmed-result-1")
    with pytest.raises(OptionError, match=r"no schema 'patient'.*patients"):
        schema_text("patient")


GENE: dict[str, Any] = {
    "status": "called", "diplotypes": ["*1/*2"], "phenotype": "Intermediate Metabolizer", "activity_score": None,
    "missing_sites": [], "messages": [{"code": "a", "text": "b"}], "one-more-key": 1}


def test_gene_results_format() -> None:
    schema = DRAFT(json_schemas()["pmed-gene-results-1"])
    whole = {"format": "pmed/gene-results/1", "samples": [{"sample": "S", "genes": {"G": GENE}}]}
    schema.validate(whole)
    assert not schema.is_valid(whole | {"format": "pmed/gene-results/2"})
    for wrong in ({"status": "maybe"}, {"activity_score": "1"}, {"diplotypes": "*1/*2"}, {"messages": ["text"]}):
        assert not schema.is_valid({**whole, "samples": [{"sample": "S", "genes": {"G": GENE | wrong}}]}), wrong


def patient(**suggestion: Any) -> dict[str, Any]:
    explanation = {"unit": "mg/week", "baseline": 30.0, "prediction": 28.5, "trace": ["step"],
                   "contributions": [{"feature": "age", "value": "70", "contribution": -1.5}]}
    said = {"drug": "d", "current": True, "action": "avoid", "urgency": "today", "strength": "strong", "text": "t",
            "dose_factor": None, "evidence": [{"source": "S", "citation": "PMID:1"}], "explanation": explanation,
            "alternatives": [{"drug": "e", "status": "fits", "reason": "r"}], "cautions": [{"code": "c", "text": "t"}]}
    return {"patient_id": "p", "suggestions": [said | suggestion],
            "predictions": [], "not_assessed": [], "failures": [],
            "genes": {"G": {"diplotypes": [], "phenotype": None, "present_phenotype": None, "because": []}}}


def test_result_format() -> None:
    schema = DRAFT(json_schemas()["pmed-result-1"])
    whole = {"format": "pmed/result/1", "patients": [patient(), patient(explanation=None)], "provenance": {}}
    schema.validate(whole)
    for wrong in ({"action": "hope"}, {"urgency": None}, {"dose_factor": "half"}, {"cautions": [{"code": "c"}]},
                  {"explanation": {"unit": "mg"}}, {"alternatives": [{"drug": "e", "status": "good", "reason": "r"}]}):
        assert not schema.is_valid({**whole, "patients": [patient(**wrong)]}), wrong


def check(name: str, written: bytes) -> None:
    DRAFT(json_schemas()[name]).validate(json.loads(written))


def test_what_the_json_exporter_writes_fits() -> None:
    check("pmed-result-1", JsonExporter().export(render_cases.result(render_cases.full_rows())))
    check("pmed-result-1", JsonExporter().export(render_cases.result({})))


@pytest.mark.parametrize("patient", patients(), ids=lambda patient: patient.name)
def test_what_demo_patients_get_fits(patient: Any) -> None:
    result = run([patient.genome], [patient.history])
    check("pmed-result-1", JsonExporter().export(result))
    for name, frame in result.tables.items():
        if name in TABLES:
            rows = json.loads(json.dumps(frame.to_dicts(), default=str))
            DRAFT({"type": "array", "items": json_schemas()[name]}).validate(rows)


def test_what_call_writes_fits(tmp_path: Path) -> None:
    out = tmp_path / "genes.json"
    with pytest.raises(SystemExit) as end:
        main(["call", str(patients()[0].genome), "--format", "json", "-o", str(out)])
    assert not end.value.code
    check("pmed-gene-results-1", out.read_bytes())

"""JSON Schemas (draft 2020-12) of the tables and of the two JSON formats that pmed writes.

Table schemas describe one row as an object. Annotations beyond the draft: ``x-dtype`` (polars type), ``x-unit`` (UCUM)
and ``x-key`` (columns that make a row unique). The formats allow further keys, so that later versions can add some.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from polars.datatypes import DataTypeClass

from .errors import OptionError, PmedError
from .files import write_whole
from .tables import ACTIONS, STRENGTHS, TABLES, URGENCIES, Column, Table

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
GENE_RESULTS = "pmed/gene-results/1"
RESULT = "pmed/result/1"


def json_schemas() -> dict[str, Schema]:
    """Every schema by name: the tables by theirs, the formats with dashes (``pmed-result-1``)."""
    tables = {name: table_schema(table) for name, table in TABLES.items()}
    formats = {GENE_RESULTS: gene_results_schema(), RESULT: result_schema()}
    return tables | {name.replace("/", "-"): schema for name, schema in formats.items()}


def schema_texts() -> dict[str, str]:
    """Every schema as indented JSON by name."""
    return {name: msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
            for name, schema in json_schemas().items()}


def schema_text(name: str) -> str:
    """One schema as indented JSON; a format also answers to its own name (``pmed/result/1``).

    Raises:
        OptionError: where there is none of that name.
    """
    texts = schema_texts()
    try:
        return texts[name.replace("/", "-")]
    except KeyError:
        raise OptionError(f"no schema {name!r}", hint=f"there are: {', '.join(texts)}") from None


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema as ``<name>.json`` into a folder, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PmedError(f"cannot be made: {error.strerror}", where=str(folder)) from error
    written = []
    for name, text in schema_texts().items():
        written.append(folder / f"{name}.json")
        write_whole(written[-1], text.encode())
    return written


def table_schema(table: Table) -> Schema:
    """Schema of one row of a table; columns beyond the table's own are allowed, as ``Table.check`` allows them."""
    properties = {name: column_schema(column) for name, column in table.columns.items()}
    key = {"x-key": list(table.key)} if table.key else {}
    return {**_head(table.name, table.doc), **_record(properties), **key}


def column_schema(column: Column) -> Schema:
    """Schema of one column: type, meaning, unit, allowed values; null only where the column may be null."""
    schema = _of(column.dtype)
    if column.values:
        schema["enum"] = list(column.values)
    schema = _or_null(schema) if column.null else schema
    unit = {"x-unit": column.unit} if column.unit else {}
    return {**schema, "description": column.doc, **unit, "x-dtype": str(column.dtype)}


def _of(dtype: pl.DataType) -> Schema:
    if isinstance(dtype, pl.List):
        return _array(_or_null(_of(_instance(dtype.inner))))
    if isinstance(dtype, pl.Struct):
        return _record({field.name: _or_null(_of(_instance(field.dtype))) for field in dtype.fields})
    if dtype == pl.Date:
        return {"type": "string", "format": "date"}
    names = {"integer": dtype.is_integer(), "number": dtype.is_float(), "boolean": dtype == pl.Boolean}
    return {"type": next((name for name, fits in names.items() if fits), "string")}


def _instance(dtype: pl.DataType | DataTypeClass) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype


def _head(title: str, description: str) -> Schema:
    return {"$schema": DRAFT, "title": title, "description": description}


def _record(properties: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {"type": "object", "properties": {**properties, **(optional or {})}, "required": list(properties)}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _by_name(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _one_of(values: tuple[str, ...]) -> Schema:
    return {"type": "string", "enum": list(values)}


def _or_null(schema: Schema) -> Schema:
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **values}


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
TEXTS = _array(TEXT)
MESSAGES = _array(_record({"code": TEXT, "text": TEXT}))


def gene_results_schema() -> Schema:
    """Schema of what ``pmed call --format json`` writes."""
    gene = _record({
        "status": _one_of(TABLES["gene_results"].columns["status"].values),
        "diplotypes": TEXTS,
        "phenotype": _or_null(TEXT),
        "activity_score": _or_null(NUMBER),
        "missing_sites": TEXTS,
        "messages": MESSAGES,
    })
    samples = _array(_record({"sample": TEXT, "genes": _by_name(gene)}))
    return {**_head(GENE_RESULTS, "Gene results of every sample, as ``pmed call --format json`` writes them."),
            **_record({"format": {"const": GENE_RESULTS}, "samples": samples})}


def result_schema() -> Schema:
    """Schema of what ``pmed report --json`` writes."""
    patient = _record({
        "patient_id": TEXT,
        "suggestions": _array(_suggestion()),
        "genes": _by_name(_gene()),
        "predictions": _array(_prediction()),
        "not_assessed": {"type": "array"},
        "failures": {"type": "array"},
    }, {"notices": MESSAGES})
    return {**_head(RESULT, "One run over one patient or many, as ``pmed report --json`` writes it."),
            **_record({"format": {"const": RESULT}, "patients": _array(patient), "provenance": {"type": "object"}})}


def _suggestion() -> Schema:
    evidence = _record({"source": TEXT, "citation": _or_null(TEXT)}, {"level": _or_null(TEXT), "url": _or_null(TEXT)})
    alternative = _record({"drug": TEXT, "status": _one_of(("fits", "caution", "ruled-out")), "reason": _or_null(TEXT)})
    return _record({
        "drug": TEXT,
        "current": FLAG,
        "action": _one_of(ACTIONS),
        "urgency": _one_of(URGENCIES),
        "strength": _one_of(STRENGTHS),
        "text": TEXT,
        "dose_factor": _or_null(NUMBER),
        "evidence": _array(evidence),
        "explanation": _or_null(_explanation()),
        "alternatives": _array(alternative),
        "cautions": MESSAGES,
    })


def _explanation() -> Schema:
    contribution = _record({"feature": TEXT, "value": _or_null(TEXT), "contribution": NUMBER})
    return _record({"unit": TEXT, "baseline": NUMBER, "prediction": NUMBER,
                    "contributions": _array(contribution), "trace": TEXTS})


def _gene() -> Schema:
    return _record({"diplotypes": TEXTS, "phenotype": _or_null(TEXT), "present_phenotype": _or_null(TEXT),
                    "because": TEXTS})


def _prediction() -> Schema:
    interval = _or_null({"type": "array", "items": _or_null(NUMBER), "minItems": 2, "maxItems": 2})
    status = _one_of(TABLES["predictions"].columns["status"].values)
    return _record({"predictor": TEXT, "target": TEXT, "value": _or_null(NUMBER), "unit": TEXT,
                    "interval": interval, "status": status})

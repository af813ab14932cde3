"""The result as rows of the OMOP Common Data Model 5.4, for research: person, measurement and observation.

Only concepts that are certain are used: the two sexes, as OMOP's own reader here knows them. Everything else has the
concept 0 ("no matching concept") and its words in the source columns, to be mapped by whoever knows the vocabulary.
``person_id`` counts the patients of this export; ``person_source_value`` is the patient_id by which to join.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from ..result import Result
from .facts import assumed, diplotype, others, possible
from .view import View, patient_views

PERSON = ("person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth", "birth_datetime",
          "race_concept_id", "ethnicity_concept_id", "location_id", "provider_id", "care_site_id",
          "person_source_value", "gender_source_value", "gender_source_concept_id", "race_source_value",
          "race_source_concept_id", "ethnicity_source_value", "ethnicity_source_concept_id")
MEASUREMENT = ("measurement_id", "person_id", "measurement_concept_id", "measurement_date", "measurement_datetime",
               "measurement_time", "measurement_type_concept_id", "operator_concept_id", "value_as_number",
               "value_as_concept_id", "unit_concept_id", "range_low", "range_high", "provider_id",
               "visit_occurrence_id", "visit_detail_id", "measurement_source_value", "measurement_source_concept_id",
               "unit_source_value", "unit_source_concept_id", "value_source_value", "measurement_event_id",
               "meas_event_field_concept_id")
OBSERVATION = ("observation_id", "person_id", "observation_concept_id", "observation_date", "observation_datetime",
               "observation_type_concept_id", "value_as_number", "value_as_string", "value_as_concept_id",
               "qualifier_concept_id", "unit_concept_id", "provider_id", "visit_occurrence_id", "visit_detail_id",
               "observation_source_value", "observation_source_concept_id", "unit_source_value",
               "qualifier_source_value", "value_source_value", "observation_event_id", "obs_event_field_concept_id")
GENDERS = {"male": 8507, "female": 8532}
Cells = dict[str, Any]


@dataclass(frozen=True)
class OmopExporter:
    """A folder with OMOP CDM 5.4 rows: person.csv, measurement.csv, observation.csv."""

    name: ClassVar[str] = "omop"
    suffix: ClassVar[str] = ""

    def export(self, result: Result) -> dict[str, bytes]:
        """File name → content."""
        people = list(enumerate(patient_views(result), start=1))
        numbers = [{**_base(number, view, result.provenance, "measurement"), **row}
                   for number, view in people for row in _measurements(view, result.provenance)]
        findings = [{**_base(number, view, result.provenance, "observation"), **row}
                    for number, view in people for row in _observations(view)]
        return {
            "person.csv": _csv(PERSON, [_person(number, view) for number, view in people]),
            "measurement.csv": _csv(MEASUREMENT, _numbered("measurement_id", numbers)),
            "observation.csv": _csv(OBSERVATION, _numbered("observation_id", findings))}


def _person(number: int, view: View) -> Cells:
    record: Mapping[str, Any] = view["record"] or {}
    born = record.get("birth_date")
    birth = {"year_of_birth": born.year, "month_of_birth": born.month, "day_of_birth": born.day} if born else {}
    return {"person_id": number, "gender_concept_id": GENDERS.get(record.get("sex") or "", 0), **birth,
            "race_concept_id": 0, "ethnicity_concept_id": 0, "person_source_value": view["patient_id"],
            "gender_source_value": record.get("sex"), "race_source_value": record.get("ancestry")}


def _base(number: int, view: View, provenance: Mapping[str, Any], table: str) -> Cells:
    """Who, when, and the concepts that nobody here knows; the day is the index date, else that of the run."""
    found = view["record"] and view["record"]["index_date"]
    day = found.isoformat() if found else str(provenance.get("created") or "")[:10]
    return {"person_id": number, f"{table}_date": day, f"{table}_concept_id": 0, f"{table}_type_concept_id": 0,
            f"{table}_source_concept_id": 0}


def _measurements(view: View, provenance: Mapping[str, Any]) -> Iterator[Cells]:
    """Activity scores, risks, doses; what was not assessed has no number and says so as its source value."""
    for gene, row in view["genes"].items():
        if row["activity_score"] is not None:
            yield _measurement(f"{gene} activity score", row["activity_score"], "")
    for row in others(view, provenance):
        known = row["value"] if row["status"] == "assessed" else None
        yield _measurement(row["target"], known, "" if row["unit"] == "1" else row["unit"])


def _measurement(what: str, value: float | None, unit: str) -> Cells:
    return {"value_as_number": value, "measurement_source_value": what, "unit_source_value": unit,
            "value_source_value": "not assessed" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")}


def _observations(view: View) -> Iterator[Cells]:
    """Diplotype and phenotypes of every gene; an open one has no value, and its state as the qualifier."""
    for gene, row in view["genes"].items():
        settled, may_be = diplotype(row), possible(row)
        state = _state(row)
        yield _observation(f"{gene} diplotype", settled, state, f"possible: {may_be}" if may_be else "")
        yield _observation(f"{gene} phenotype", row["phenotype"], state if row["phenotype"] else "unknown")
        if row["present_phenotype"] != row["phenotype"]:
            yield _observation(f"{gene} phenotype today", row["present_phenotype"], ", ".join(row["because"]))


def _state(row: View) -> str:
    if assumed(row):
        return f"{row['status']}, absent sites taken as reference"
    return "incomplete" if row["status"] == "called" and not diplotype(row) else str(row["status"])


def _observation(what: str, value: str | None, qualifier: str, else_source: str = "") -> Cells:
    return {"value_as_string": value, "observation_source_value": what, "qualifier_source_value": qualifier,
            "value_source_value": value or else_source}


def _numbered(name: str, rows: list[Cells]) -> list[Cells]:
    return [{name: number, **row} for number, row in enumerate(rows, start=1)]


def _csv(columns: tuple[str, ...], rows: list[Cells]) -> bytes:
    """Rows as CSV; what a row does not say is an empty cell."""
    cells = {name: [_cell(row.get(name)) for row in rows] for name in columns}
    return pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String())).write_csv().encode()


def _cell(value: object) -> str | None:
    return None if value in {None, ""} else str(value)

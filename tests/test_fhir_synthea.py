"""Forty real-shaped bundles against an independent count with the standard library's json."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pmed.sources.fhir import FhirSource
from pmed.tables import TABLES
from pmed.types import ReadRequest


@pytest.fixture(scope="module")
def files(shared: Path) -> list[Path]:
    return sorted((shared / "data/fhir/synthea").glob("*.json"))


@pytest.fixture(scope="module")
def tables(files: list[Path]) -> dict[str, pl.DataFrame]:
    return FhirSource().read(files, ReadRequest(TABLES["sites"].empty()))


@pytest.fixture(scope="module")
def resources(files: list[Path]) -> list[dict[str, Any]]:
    return [entry["resource"] for path in files for entry in json.loads(path.read_text("utf-8"))["entry"]]


def of(resources: list[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    return (one for one in resources if one["resourceType"] == kind)


def test_every_wanted_resource_is_there(tables: dict[str, pl.DataFrame], resources: list[dict[str, Any]]) -> None:
    count = Counter(one["resourceType"] for one in resources)
    panels = [len(one["component"]) for one in of(resources, "Observation") if "component" in one]
    assert tables["patients"].height == count["Patient"] == 40
    assert tables["conditions"].height == count["Condition"] == 318
    assert tables["medications"].height == count["MedicationRequest"] == 250
    assert tables["allergies"].height == count["AllergyIntolerance"] == 5
    assert tables["procedures"].height == count["Procedure"] == 497
    assert tables["encounters"].height == count["Encounter"] == 804
    assert tables["immunizations"].height == count["Immunization"] == 407
    by_type = Counter(tables["observations"]["source"].str.extract(r"#(\w+)/"))
    assert by_type["Observation"] == count["Observation"] - len(panels) + sum(panels) == 5520
    assert by_type["DiagnosticReport"] == count["DiagnosticReport"] == 381
    # Kinds of which these records hold none; fixtures of our own have them.
    assert not count.keys() & {"MedicationStatement", "MedicationAdministration", "MedicationDispense",
                               "FamilyMemberHistory"}
    assert tables["family_history"].is_empty()
    assert tables["outside_calls"].is_empty()


def test_dates_and_classes_of_events(tables: dict[str, pl.DataFrame], resources: list[dict[str, Any]]) -> None:
    visits = list(of(resources, "Encounter"))
    assert tables["encounters"]["class"].to_list() == [one["class"]["code"] for one in visits]
    assert tables["encounters"]["end"].cast(pl.String).to_list() == [one["period"]["end"][:10] for one in visits]
    done = list(of(resources, "Procedure"))
    assert tables["procedures"]["start"].cast(pl.String).to_list() == [
        one["performedPeriod"]["start"][:10] for one in done]
    assert tables["procedures"]["code"].to_list() == [one["code"]["coding"][0]["code"] for one in done]
    given = list(of(resources, "Immunization"))
    assert tables["immunizations"]["code"].to_list() == [one["vaccineCode"]["coding"][0]["code"] for one in given]


def test_active_medicines_and_conditions(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["medications"]["active"].sum() == 118
    assert tables["conditions"]["active"].sum() == 182


def test_nothing_was_lost(tables: dict[str, pl.DataFrame]) -> None:
    warned = tables["issues"].filter(pl.col("severity") != "info")
    assert set(warned["code"]) == {"deceased"}
    assert warned.height == tables["patients"]["deceased"].sum()
    assert set(tables["issues"]["code"]) == {"invisible-characters", "index-date", "deceased"}


def test_observation_values(tables: dict[str, pl.DataFrame], resources: list[dict[str, Any]]) -> None:
    parts = [part for one in of(resources, "Observation") for part in [one, *one.get("component", [])]]
    expected = [float(part["valueQuantity"]["value"]) for part in parts if "valueQuantity" in part]
    assert tables["observations"]["value"].drop_nulls().to_list() == expected


def test_patients(tables: dict[str, pl.DataFrame], resources: list[dict[str, Any]]) -> None:
    expected = [(one["id"], one["birthDate"], one["gender"], True if "deceasedDateTime" in one else None)
                for one in of(resources, "Patient")]
    found = tables["patients"].select("patient_id", pl.col("birth_date").cast(pl.String()), "sex", "deceased")
    assert found.rows() == expected
    assert tables["patients"]["ancestry"].null_count() == 0


def test_one_by_one_is_the_same_as_all_at_once(files: list[Path], tables: dict[str, pl.DataFrame]) -> None:
    one_by_one = [FhirSource().read([path], ReadRequest(TABLES["sites"].empty())) for path in files[:5]]
    for name in ("patients", "conditions", "medications", "observations", "allergies", "procedures", "encounters",
                 "immunizations"):
        alone = pl.concat([one[name] for one in one_by_one])
        assert alone.equals(tables[name].head(alone.height)), name


def test_no_character_is_invisible(tables: dict[str, pl.DataFrame]) -> None:
    shown = tables["observations"]["display"]
    assert not shown.str.contains(r"[\p{Cc}\p{Cf}]").any()

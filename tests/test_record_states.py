"""Statuses that are written otherwise: read as meant, or nothing is concluded from them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pmed.normalise.loinc import LOINC
from pmed.normalise.units import canonical_units
from pmed.sources.recorded import COLUMNS, make_tables


def read(name: str, *rows: dict[str, Any]) -> dict[str, pl.DataFrame]:
    origin = {"patient_id": "p1", "file": "f", "place": "line 2", "source": "f#line 2"}
    told = [tuple({**origin, "display": "x", **row}.get(column) for column in COLUMNS[name]) for row in rows]
    person = tuple({**origin, "birth_date": "1950-01-01"}.get(column) for column in COLUMNS["patients"])
    return make_tables({"patients": [person], name: told}, [], None)


@pytest.mark.parametrize(("status", "active", "told"), [
    ("active", True, False), ("ACTIVE", True, False), (" Active", True, False), ("stopped", False, False),
    ("On Hold", None, False), ("NOT_TAKEN", False, False), ("unknown", None, False), (None, None, False),
    ("current", None, True), ("aktiv", None, True), ("", None, True), ("1", None, True)])
def test_a_status_of_a_medicine(status: str | None, active: bool | None, told: bool) -> None:
    made = read("medications", {"status": status, "ordered": True, "kind": "order", "start": "2024-01-01"})
    assert made["medications"]["active"].to_list() == [active]
    found = made["issues"].filter(code="unknown-status")
    assert found.select("place", "patient_id").rows() == ([("line 2", "p1")] if told else [])


def test_what_was_entered_in_error_is_left_out_however_it_is_written() -> None:
    made = read("observations", *({"status": one, "value": 1.0} for one in (
        "Entered-In-Error", "entered in error", "ENTERED_IN_ERROR", "CANCELLED", "Final")))
    assert made["observations"]["status"].to_list() == ["cancelled", "final"]


@pytest.mark.parametrize(("states", "active"), [
    ({"status": "Resolved"}, False), ({"verification": "REFUTED"}, False), ({"status": "Active"}, True),
    ({"verification": "Confirmed"}, True)])
def test_a_diagnosis_that_is_over_or_refuted_however_it_is_written(states: dict[str, str], active: bool) -> None:
    assert read("conditions", {"start": "2020-01-01", **states})["conditions"]["active"].to_list() == [active]


@pytest.mark.parametrize(("status", "used"), [
    ("storniert", False), ("invalid", False), ("deleted", False), ("F", False), ("", False), ("Final", True),
    ("corrected", True), ("preliminary", True), ("unknown", True), (None, True)])
def test_a_value_with_a_status_that_is_not_known_is_not_used(status: str | None, used: bool) -> None:
    row = {"system": LOINC, "code": "2160-0", "value": 1.1, "unit": "mg/dL", "status": status, "start": "2024-01-01"}
    made = read("observations", row, row)
    done = canonical_units(made["observations"])[0]
    assert done["value"].to_list() == [1.1 if used else None] * 2
    assert done["canonical_code"].to_list() == ["2160-0"] * 2  # it was measured: an older value is not the latest
    assert made["issues"].filter(code="unknown-status").height == (not used)


@pytest.mark.parametrize(("states", "active", "verification", "told"), [
    ({"status": "inaktiv"}, None, None, 1), ({"status": "ruled out"}, None, None, 1), ({"status": ""}, None, None, 1),
    ({"verification": "V"}, True, "unconfirmed", 1), ({"verification": "Verdacht auf"}, True, "unconfirmed", 1),
    ({"verification": "unknown"}, True, "unconfirmed", 1), ({"verification": "Provisional"}, True, "provisional", 0),
    ({"status": "A", "verification": "suspected"}, None, "unconfirmed", 2), ({"status": "relapse"}, True, None, 0),
    ({"status": "Z", "verification": "refuted"}, False, "refuted", 1), ({}, True, None, 0)])
def test_a_diagnosis_with_a_word_that_is_not_known_is_not_sure(
        states: dict[str, str], active: bool | None, verification: str | None, told: int) -> None:
    made = read("conditions", {"start": "2020-01-01", **states})
    assert made["conditions"].select("active", "verification").row(0) == (active, verification)
    assert made["issues"].filter(code="unknown-status").height == told


@pytest.mark.parametrize(("start", "end", "active", "told"), [
    ("2024-01-01", "1900-01-01", True, True), ("2024-01-01", "2023-12-31", True, True),
    (None, "1900-01-01", True, True), (None, "1899-12-30", True, True), ("2024-01-01", "2024-01-01", False, False),
    ("2024-01", "2024", True, False),
    ("2024-01-01", "2024-02-01", False, False), (None, "2023-01-01", False, False), (None, None, True, False)])
@pytest.mark.parametrize("table", ["medications", "conditions"])
def test_an_end_that_is_none_ends_nothing(table: str, start: str | None, end: str | None, active: bool,
                                          told: bool) -> None:
    row = {"status": "active", "ordered": True, "kind": "statement", "start": start, "end": end}
    made = read(table, {name: value for name, value in row.items() if name in COLUMNS[table]},
                {"start": "2024-06-01", "status": "inactive"})
    assert made[table]["active"].to_list()[0] is active
    assert made["issues"].filter(code="end-before-start").height == told
    assert made[table]["end"][0] is None or not told


@pytest.mark.parametrize(("code", "system", "sure"), [
    ("J45.9V", "icd-10-gm", False), ("J45.9A", "icd-10", False), ("J45A", "icd-10-gm", False),
    ("J459V", "icd-10", False), ("J45.90 V", "icd-10-gm", False), ("J45.9G", "icd-10-gm", True),
    ("J45.9Z", "icd-10-gm", True),
    ("C81.0A", "icd-10-cm", True), ("S72.001A", "icd-10-cm", True), ("J45.9", "icd-10-gm", True)])
def test_the_german_letters_of_certainty(code: str, system: str, sure: bool) -> None:
    made = read("conditions", {"system": f"http://hl7.org/fhir/sid/{system}", "code": code, "start": "2020-01-01"})
    assert (made["conditions"]["verification"].to_list() == [None]) is sure

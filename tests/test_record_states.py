"""Statuses that are written otherwise: read as meant, or nothing is concluded from them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pmed.sources.recorded import COLUMNS, make_tables


def read(name: str, *rows: dict[str, Any]) -> dict[str, pl.DataFrame]:
    origin = {"patient_id": "p1", "file": "f", "place": "line 2", "source": "f#line 2"}
    told = [tuple({**origin, "display": "x", **row}.get(column) for column in COLUMNS[name]) for row in rows]
    person = tuple({**origin, "birth_date": "1950-01-01"}.get(column) for column in COLUMNS["patients"])
    return make_tables({"patients": [person], name: told}, [], None)


@pytest.mark.parametrize(("status", "active", "told"), [
    ("active", True, False), ("ACTIVE", True, False), (" Active", True, False), ("stopped", False, False),
    ("On Hold", False, False), ("NOT_TAKEN", False, False), ("unknown", None, False), (None, None, False),
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

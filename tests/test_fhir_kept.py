"""The rows of a read while they become many: any of them can be looked up again, packed or not."""

from __future__ import annotations

from typing import Any

import pytest

from pmed.sources import fhir_kept
from pmed.sources.fhir_kept import Kept
from pmed.sources.recorded import COLUMNS

NAME = "immunizations"


def row(number: int) -> tuple[Any, ...]:
    return tuple(f"{column} {number}" for column in COLUMNS[NAME])


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Nine rows: two frames of three, one that came as a frame, and two that are not packed yet."""
    monkeypatch.setattr(fhir_kept, "PACKED", 3)
    found, other = Kept(NAME), Kept(NAME)
    for number in range(6):
        found.add([row(number)])
    other.add([row(6)])
    found.add_frame(other.frame())
    found.add([row(7), row(8)])
    return found


@pytest.mark.parametrize(("start", "count"), [(0, 1), (1, 4), (2, 1), (5, 4), (6, 1), (7, 2), (8, 9), (0, 99)])
def test_rows_are_found_where_they_were_put(kept: Kept, start: int, count: int) -> None:
    assert list(kept.some(start, count)) == [row(number) for number in range(9)][start:start + count]


def test_all_rows_in_order(kept: Kept) -> None:
    assert kept.height == 9
    assert kept.frame().rows() == [row(number) for number in range(9)]
    assert list(kept.some(8, 2)) == [row(8)]  # as before, now that all are packed


def test_none_is_a_frame_with_all_columns() -> None:
    frame = Kept(NAME).frame()
    assert (frame.height, tuple(frame.columns)) == (0, COLUMNS[NAME])


def test_place_and_source_are_put_together(kept: Kept) -> None:
    """Of rows in a frame and of those that are cells still, beside rows that say both themselves."""
    said = row(0)[4:]
    for number in range(4):
        kept.add_said(("p", "f.json", f"entry[{number}]", "Immunization", f"i{number}"), [said])
    expected = [("p", "f.json", f"entry[{number}] Immunization/i{number}", f"f.json#Immunization/i{number}", *said)
                for number in range(4)]
    assert list(kept.some(9, 9)) == expected
    assert kept.frame().rows()[8:] == [row(8), *expected]

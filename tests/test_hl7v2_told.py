"""HL7 v2: what is no production message, and what a correction corrects."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pmed.normalise.units import canonical_units
from tests.test_hl7v2 import OBR, OBX, ORC, PID, RXE, codes, message, msh, read

OTHER = PID.replace("P1", "P2")


def of(kind: str, **said: str) -> str:
    """MSH of a message with that processing id."""
    return msh(**said).replace("|P|2.5.1", f"|{kind}|2.5.1")


@pytest.mark.parametrize("kind", ["T", "D", "t", "T^T"])
def test_messages_of_training_are_left_out(tmp_path: Path, kind: str) -> None:
    real = message(msh(), PID, OBR, OBX)
    tables = read(tmp_path, real + 2 * message(of(kind, number=2), PID, ORC, RXE) + message(of(kind), OTHER, ORC, RXE))
    assert tables["patients"]["patient_id"].to_list() == ["P1"]
    assert tables["medications"].is_empty()
    assert tables["issues"].select("place", "severity", "code", "patient_id").rows() == [
        ("message 2 MSH-11", "error", "training-message", "P1"),
        ("message 4 MSH-11", "error", "training-message", "P2")]


def test_where_all_are_of_training_they_are_read(tmp_path: Path) -> None:
    tables = read(tmp_path, message(of("T"), PID, ORC, RXE) + message(of("D", number=2), PID, OBR, OBX))
    assert (tables["medications"].height, tables["observations"].height) == (1, 1)
    assert tables["issues"].filter(pl.col("code") == "training-message").select("severity", "place").rows() == [
        ("warning", "message 1 MSH-11")]


def test_production_and_what_says_nothing_are_read(tmp_path: Path) -> None:
    tables = read(tmp_path, message(msh(), PID, OBR, OBX) + message(of("", number=2), PID, ORC, RXE))
    assert tables["medications"].height == 1
    assert "training-message" not in codes(tables)


def _series(*days: str) -> list[str]:
    return [OBX.replace("202405010830", f"{day}0830") for day in days]


@pytest.mark.parametrize("time", ["202404300830", "202405040900", ""])
def test_a_correction_at_another_time_leaves_unknown_what_it_may_correct(tmp_path: Path, time: str) -> None:
    fixed = OBX.replace("|1.2|", "|3.0|").replace("|F|", "|C|").replace("202405010830", time)
    obr = OBR.replace("|202405010800", "|") if not time else OBR
    tables = read(tmp_path, message(msh(), PID, obr, *_series("20240501", "20240502"))
                  + message(msh(time="20240505", number=2), PID, obr, fixed))
    rows = tables["observations"].sort("start", nulls_last=True).select("value", "value_text").rows()
    assert sorted(rows, key=str) == [(3.0, None), *[(None, "1.2 mg/dL (perhaps corrected)")] * 2]
    assert codes(tables) == ["corrected-series"]
    done = canonical_units(tables["observations"])[0]
    assert done["canonical_code"].to_list() == ["2160-0"] * 3  # it was measured, so an older value is not the latest


def test_as_many_corrections_as_results_replace_them(tmp_path: Path) -> None:
    fixed = [one.replace("|1.2|", "|3.0|").replace("|F|", "|C|") for one in _series("20240401", "20240402")]
    tables = read(tmp_path, message(msh(), PID, OBR, *_series("20240501", "20240502"))
                  + message(msh(time="20240505", number=2), PID, OBR, *fixed))
    assert tables["observations"]["value"].to_list() == [3.0, 3.0]
    assert codes(tables) == ["superseded"]


def test_a_time_with_seconds_is_the_same_time(tmp_path: Path) -> None:
    fixed = OBX.replace("|1.2|", "|3.0|").replace("202405010830", "20240501083000")
    tables = read(tmp_path, message(msh(), PID, OBR, OBX) + message(msh(time="20240505", number=2), PID, OBR, fixed))
    assert tables["observations"]["value"].to_list() == [3.0]

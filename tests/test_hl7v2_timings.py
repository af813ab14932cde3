"""How often an order of HL7 v2 is given: as needed, on a condition, and twice in one field leave it unknown."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pmed.sources.hl7v2 import Hl7v2Source
from pmed.tables import TABLES
from pmed.types import ReadRequest

REQUEST = ReadRequest(TABLES["sites"].empty(), index_date="2024-06-01")


def read(folder: Path, *segments: str) -> dict[str, pl.DataFrame]:
    head = (r"MSH|^~\&|A|B|C|D|20240501||RDE^O11|1|P|2.5.1", "PID|1||P1^^^HOSP^MR||DOE^JANE||19500315|F")
    (folder / "m.hl7").write_text("\r".join([*head, *segments, ""]))
    return Hl7v2Source().read([folder / "m.hl7"], REQUEST)


GIVEN = "RXE||^oxycodone|5||mg"


@pytest.mark.parametrize(("segments", "daily", "told"), [
    (("ORC|NW|1", "TQ1|1||Q4H||||20240501||R", GIVEN), 30, []),
    (("ORC|NW|1", "TQ1|1||Q4H||||20240501||PRN", GIVEN), None, ["timing-not-read"]),
    (("ORC|NW|1", "TQ1|1||Q4H||||20240501||R~PRN", GIVEN), None, ["timing-not-read"]),
    (("ORC|NW|1", "TQ1|1||Q4H||||20240501||X^as needed", GIVEN), None, ["timing-not-read"]),
    (("ORC|NW|1", "TQ1|1||Q4H||||20240501||R|PRN pain", GIVEN), None, ["timing-not-read"]),
    (("ORC|NW|1", "TQ1|1||Q4H||||20240501|||pulse < 60", GIVEN), None, ["timing-not-read"]),
    (("ORC|NW|1|||||^Q4H^^20240501^^PRN", GIVEN), None, ["timing-not-read"]),
    (("ORC|NW|1|||||^Q4H^^20240501^^R", GIVEN), 30, []),
    (("ORC|NW|1", "RXE|^Q4H^^20240501^^^pain|^oxycodone|5||mg"), None, ["timing-not-read"]),
    (("ORC|NW|1", "TQ1|1||||||20240501||PRN", GIVEN + "||^1 tablet every 4 hours"), None, ["timing-not-read"]),
    # Twice in one field: morning and night are two times a day.
    (("ORC|NW|1", "TQ1|1||QAM~QHS||||20240501", GIVEN), None, ["timing-not-read"]),
    # An amount at a time in the timing, too.
    (("ORC|NW|1", "TQ1|1|1|BID||||20240501", GIVEN), 10, []),
    (("ORC|NW|1", "TQ1|1|5&mg|BID||||20240501", GIVEN), 10, []),
    (("ORC|NW|1", "TQ1|1|2|BID||||20240501", GIVEN), None, ["dose-conflict"]),
    (("ORC|NW|1", "RXE|2&TAB^BID^^20240501|^oxycodone|5||mg"), None, ["dose-conflict"]),
])
def test_how_much_a_day(tmp_path: Path, segments: tuple[str, ...], daily: float | None, told: list[str]) -> None:
    tables = read(tmp_path, *segments)
    (row,) = tables["medications"].rows(named=True)
    assert (row["dose"], row["daily_dose"], row["active"]) == (5, daily, True)
    assert tables["issues"]["code"].to_list() == told


def course(folder: Path, *segments: str) -> tuple[str | None, bool | None]:
    (row,) = read(folder, *segments)["medications"].rows(named=True)
    return row["end"] and str(row["end"]), row["active"]


@pytest.mark.parametrize("pattern", ["ONCE", "1xONCE", "once", "STAT", "ONE TIME", "einmalig",
                                     "ONCE&Once&HL70335"])
@pytest.mark.parametrize("where", ["TQ1|1||{}||||20220501", "ORC-7", "RXE-1"])
def test_a_single_dose_is_over_on_its_day(tmp_path: Path, pattern: str, where: str) -> None:
    timed = {"ORC-7": (f"ORC|NW|1|||IP||^{pattern}^^20220501", GIVEN),
             "RXE-1": ("ORC|NW|1|||IP", f"RXE|^{pattern}^^20220501|^oxycodone|5||mg")}
    segments = timed.get(where) or ("ORC|NW|1|||IP", where.format(pattern), GIVEN)
    assert course(tmp_path, *segments) == ("2022-05-01", False)


@pytest.mark.parametrize(("segments", "end", "active"), [
    # On its day it is taken; of an unknown day it is not known.
    (("ORC|NW|1", "TQ1|1||ONCE||||20240601", GIVEN), "2024-06-01", True),
    (("ORC|NW|1", "TQ1|1||ONCE||||202405", GIVEN), None, True),
    (("ORC|NW|1", "TQ1|1||ONCE", GIVEN), None, True),
    (("ORC|NW|1|||||||20220501", "TQ1|1||ONCE", GIVEN), "2022-05-01", False),
    (("ORC|NW|1", "TQ1|1||STAT||||20220501|20220502", GIVEN), "2022-05-02", False),
    # Whatever speaks against a single dose.
    (("ORC|NW|1", "TQ1|1||ONCE||||20220501|20240801", GIVEN), "2024-08-01", True),
    (("ORC|NW|1", "TQ1|1||ONCE||||20220501|20220801", GIVEN), "2022-08-01", None),
    (("ORC|NW|1", "TQ1|1||ONCE||||20220501||PRN", GIVEN), None, True),
    (("ORC|NW|1", "TQ1|1||ONCE||||20220501|||||||5", GIVEN), None, True),
    (("ORC|NW|1", "TQ1|1||ONCE|||D7|20220501", GIVEN), None, True),
    (("ORC|NW|1", "TQ1|1||ONCE|||INDEF|20220501", GIVEN), None, True),
    (("ORC|NW|1|||||^BID", "TQ1|1||ONCE||||20220501", GIVEN), None, True),
    (("ORC|NW|1", "TQ1|1||ONCE||||20220501", GIVEN + "||^1 tablet daily"), None, True),
    (("ORC|NW|1", "TQ1|1||ONCE||||20220501", GIVEN + "|||||||3"), None, True),
    (("ORC|NW|1", "TQ1|1||ONCE||||20220501", "TQ1|2||BID||||20220502", GIVEN), None, True),
    # How long it is given; an order may be renewed then, so what follows is unknown.
    (("ORC|NW|1", "TQ1|1||BID|||D7|20240528", GIVEN), "2024-06-04", True),
    (("ORC|NW|1", "TQ1|1||BID|||W2|20240501", GIVEN), "2024-05-15", None),
    (("ORC|NW|1", "TQ1|1||BID|||L1|20240501", GIVEN), "2024-06-01", True),
    (("ORC|NW|1", "TQ1|1||BID|||7^d|20240501", GIVEN), "2024-05-08", None),
    (("ORC|NW|1|||||^BID^D7^20240501", GIVEN), "2024-05-08", None),
    (("ORC|NW|1|||||||20240501", "TQ1|1|||||D7", GIVEN), "2024-05-08", None),
    (("ORC|NW|1", "TQ1|1||BID|||D7|20240501|20240701", GIVEN), "2024-07-01", True),
    (("ORC|NW|1", "TQ1|1||BID|||D7", GIVEN), None, True),
    (("ORC|NW|1", "TQ1|1||BID|||L999|99991231", GIVEN), None, False),  # no such day
    (("ORC|NW|1", "TQ1|1||QW|||D1|20240501", GIVEN), None, True),
    (("ORC|NW|1", "TQ1|1||BID|||D30|20240101", GIVEN + "|||||||3"), None, True),
    *((("ORC|NW|1", f"TQ1|1||BID|||{other}|20220501", GIVEN), None, True)
      for other in ("M30", "H24", "INDEF", "X3", "T10", "D", "D0", "7", "7^mL", "D9999")),
])
def test_how_long_it_is_given(tmp_path: Path, segments: tuple[str, ...], end: str | None,
                              active: bool | None) -> None:
    assert course(tmp_path, *segments) == (end, active)


def changed(folder: Path, *changes: tuple[str, ...]) -> tuple[str | None, bool | None]:
    head = [r"MSH|^~\&|A|B|C|D|2024050{}||RDE^O11|{}|P|2.5.1", "PID|1||P1^^^HOSP^MR||DOE^JANE||19500315|F"]
    lines = [line.format(number, number) for number, segments in enumerate(changes, 1) for line in (*head, *segments)]
    (folder / "m.hl7").write_text("\r".join([*lines, ""]))
    (row,) = Hl7v2Source().read([folder / "m.hl7"], REQUEST)["medications"].rows(named=True)
    return row["end"] and str(row["end"]), row["active"]


FIRST = ("ORC|NW|1|||||||20240501", "TQ1|1||ONCE", GIVEN)


@pytest.mark.parametrize(("change", "end", "active"), [
    (("ORC|XO|1|||||||20240502", "TQ1|1||BID", GIVEN), None, True),
    (("ORC|XX|1|||||||20240502", GIVEN), "2024-05-01", False),
    # When it is told again is not when it was given.
    (("ORC|XX|1|||||||20240601", "TQ1|1||ONCE", GIVEN), "2024-05-01", False),
    (("ORC|HD|1",), "2024-05-01", False),
])
def test_a_single_dose_that_is_changed(tmp_path: Path, change: tuple[str, ...], end: str | None,
                              active: bool | None) -> None:
    assert changed(tmp_path, FIRST, change) == (end, active)


def test_a_change_is_no_new_start(tmp_path: Path) -> None:
    begin = ("ORC|NW|1|||||||20240501", GIVEN)
    lasting = ("ORC|XX|1|||||||20240503", "TQ1|1||BID|||D7", GIVEN)
    assert changed(tmp_path, begin, lasting) == ("2024-05-08", None)
    stopped = ("ORC|DC|1|||||||20240502",)
    assert changed(tmp_path, begin, stopped, lasting) == ("2024-05-10", None)


def test_an_empty_tq1_leaves_the_older_timing(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "ORC|NW|1|||||^BID^^20240501^20240520", "TQ1|1||||||||R", GIVEN)["medications"].rows(
        named=True)
    assert (row["daily_dose"], str(row["start"]), str(row["end"])) == (10, "2024-05-01", "2024-05-20")


def test_what_one_timing_leaves_out_the_other_says(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "ORC|NW|1|||ORDERED||10^BID^D4^^^R", "RXE|^^^20240501^^R|^oxycodone|5||mg")[
        "medications"].rows(named=True)
    assert (row["dose"], str(row["start"]), str(row["end"]), row["active"]) == (5, "2024-05-01", "2024-05-05", None)


def test_of_several_old_timings_the_first_end_is_not_the_last(tmp_path: Path) -> None:
    assert course(tmp_path, "ORC|NW|1|||||^BID^^20240501^20240507~^QD^^20240508", GIVEN) == (None, True)


@pytest.mark.parametrize("dose", ["0", "0.0", "-5"])
def test_a_dose_of_zero_is_none(tmp_path: Path, dose: str) -> None:
    tables = read(tmp_path, "ORC|NW|1", "TQ1|1||BID||||20240501", f"RXE||^oxycodone|{dose}||mg")
    (row,) = tables["medications"].rows(named=True)
    assert (row["dose"], row["daily_dose"], row["active"]) == (None, None, True)
    assert tables["issues"]["code"].to_list() == ["bad-value"]


@pytest.mark.parametrize("strength", ["100|units/mL", "50|mcg/hr", "0.1|%", "5|mg per mL"])
def test_a_concentration_is_no_content_of_a_piece(tmp_path: Path, strength: str) -> None:
    (row,) = read(tmp_path, "ORC|NW|1", "TQ1|1||BID||||20240501", "RXE||^one|1||EA" + "|" * 20 + strength)[
        "medications"].rows(named=True)
    assert (row["dose"], row["dose_unit"]) == (1, "EA")


def test_an_order_in_words(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "ORC|NW|1", "RXO||||||^aspirin 81 mg daily")["medications"].rows(named=True)
    assert (row["display"], row["active"]) == ("aspirin 81 mg daily", True)


DONE = "RXA|0|1|20240503100000|20240503100000|^oxycodone|5|mg" + "|" * 13 + "CP"


@pytest.mark.parametrize(("segments", "active"), [
    (("ORC|RE|1", GIVEN, DONE), None),
    (("ORC|RE|1", GIVEN, "RXD|1|^oxycodone|20240503|30"), None),
    (("ORC|RE|1|||IP", GIVEN, DONE), True),
    (("ORC|RE|1", GIVEN), True),
    (("ORC|NW|1", GIVEN, DONE), True),
])
def test_that_it_was_given_does_not_say_that_its_order_goes_on(tmp_path: Path, segments: tuple[str, ...],
                                                              active: bool | None) -> None:
    rows = read(tmp_path, *segments)["medications"].filter(pl.col("kind") == "order")
    assert rows["active"].to_list() == [active]


def test_what_is_charted_later_does_not_begin_an_order_again(tmp_path: Path) -> None:
    lines = [line for number, segments in enumerate(
        (("ORC|NW|1|||||||20240501", GIVEN), ("ORC|DC|1|||||||20240502",), ("ORC|RE|1", DONE)), 1)
        for line in (rf"MSH|^~\&|A|B|C|D|2024050{number}||RAS^O17|{number}|P|2.5.1", "PID|1||P1", *segments)]
    (tmp_path / "m.hl7").write_text("\r".join([*lines, ""]))
    rows = Hl7v2Source().read([tmp_path / "m.hl7"], REQUEST)["medications"]
    assert rows.filter(pl.col("kind") == "order")["active"].to_list() == [False]

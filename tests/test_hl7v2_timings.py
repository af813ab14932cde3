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

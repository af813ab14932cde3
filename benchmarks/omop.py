"""The case about OMOP: a folder of CSV tables into the tables of the history, beside polars reading the same files.

The files are those of the 28 people in ../shared, sixty times over, each time with other ids; made once and kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.genomes import FOLDER, HEAVY, OURS, Counts
from benchmarks.measure import ROOT, Case

PEOPLE_FROM = ROOT.parent / "shared" / "data" / "omop" / "synthea27nj"
CDM = FOLDER / "omop"
TIMES = 60
MOST = 8.0  # times the CPU of polars alone


def folder_of_tables(counts: Counts) -> list[Case]:
    """All tables that the source reads; the floor reads every column of them as text, and does no more."""
    rows, people = counts.get("rows", 0), counts.get("people", 0)
    floor = f"polars, read the OMOP tables x{TIMES}"
    return [Case(floor, (*OURS, "csv", str(CDM), str(rows)), items=rows, rounds=HEAVY),
            Case(f"pmed, OMOP to tables x{TIMES}", (*OURS, "omop", str(CDM), str(people)), floor, ratio=MOST,
                 apart=True, items=rows, rounds=HEAVY)]


def files() -> Counts | None:
    """Make the tables; None where the people are not here."""
    if not PEOPLE_FROM.is_dir():
        return None
    counts = CDM / "counts.json"
    if not counts.is_file():
        CDM.mkdir(parents=True, exist_ok=True)
        made = [_multiply(path) for path in sorted(PEOPLE_FROM.glob("*.csv"))]
        people = next(rows for name, rows in made if name == "person")
        counts.write_text(json.dumps({"rows": sum(rows for _, rows in made), "people": people}), encoding="utf-8")
    said: Counts = json.loads(counts.read_text(encoding="utf-8"))
    return said


def _multiply(path: Path) -> tuple[str, int]:
    """One table with every person so many times; vocabularies stay as they are."""
    import polars as pl

    from pmed.sources.omop_cdm import LAYOUTS
    name = path.stem.lower()
    if name not in LAYOUTS:
        return name, 0
    rows = pl.read_csv(path, infer_schema=False)
    if "person_id" in rows.columns:
        person = pl.col("person_id").cast(pl.Int64)
        rows = pl.concat([rows.with_columns(person_id=person + 1000 * time) for time in range(TIMES)])
        rows = rows.with_columns(pl.int_range(pl.len()).alias(key) for key in [rows.columns[0]] if key != "person_id")
    rows.write_csv(CDM / f"{name}.csv")
    return name, rows.height


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = ((folder_of_tables, files),)

"""The case about reports of a cohort: real records, each several times over, with real genomes, by two processes.

The records are those of the survey under other ids, made once and kept; the genomes are of as many people of the panel.
Two processes that take 0.2 CPU seconds a report write ten a second; the wall clock of a busy machine says less.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.genomes import FOLDER, OURS, PANEL_FROM, Counts
from benchmarks.measure import Case

COHORT = FOLDER / "batch"
PAIRS = COHORT / "pairs.tsv"
PEOPLE = 256
EACH = 0.2  # CPU seconds


def reports(counts: Counts) -> list[Case]:
    """All reports and the index, from the start of the plugins on; once, for it takes half a minute."""
    return [Case(f"pmed report, batch of {PEOPLE}", (*OURS, "batch", str(COHORT), str(PANEL_FROM), str(PEOPLE)),
                 each=EACH, megabytes=800, items=counts.get("people", PEOPLE), rounds=1)]


def files() -> Counts | None:
    """Make the records; None where those of the survey are not here."""
    from benchmarks.survey import RECORDS

    if not RECORDS.is_dir() or not PANEL_FROM.is_dir():
        return None
    if not PAIRS.is_file():
        make(COHORT, PEOPLE)
    return {"people": PEOPLE}


def make(folder: Path, number: int) -> None:
    """`number` records under ids of their own in ``records``, and ``pairs.tsv`` that links each with a person."""
    from benchmarks.survey import genome_files, people, record_files

    records, names = record_files(), people(genome_files(), number)
    (folder / "records").mkdir(parents=True, exist_ok=True)
    pairs = []
    for place, name in enumerate(names):
        text = records[place % len(records)].read_text(encoding="utf-8")
        patient = next(one["resource"]["id"] for one in json.loads(text)["entry"]
                       if one["resource"]["resourceType"] == "Patient")
        other = f"{place:05}{patient[5:]}"
        (folder / "records" / f"{place:05}.json").write_text(text.replace(patient, other), encoding="utf-8")
        pairs.append(f"{name}\t{other}\n")
    (folder / "pairs.tsv").write_text("".join(pairs), encoding="utf-8")


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = ((reports, files),)

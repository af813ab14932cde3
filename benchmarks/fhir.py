"""The cases about patient records: FHIR bundles into tables, beside parsing the same bytes alone.

The floor of 0.8 × the speed of orjson needs orjson (PEERS_PYTHON); where it is not, msgspec's parser without types
stands in for it, and the row says so by the name of what it is compared with.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.genomes import FOLDER, HEAVY, OURS, Counts, peer
from benchmarks.measure import ROOT, Case

BUNDLES = ROOT.parent / "shared" / "data" / "fhir" / "synthea"
RECORDS = FOLDER / "fhir"
TIMES = 4  # as many people as there are records, so that the start of polars counts for less
SPEED = 0.8  # of orjson's


def bundles(counts: Counts) -> list[Case]:
    """Records: only parsed, into tables, and validated by pydantic models."""
    folder, entries = str(RECORDS), str(counts.get("entries"))
    patients = str(counts.get("patients"))
    fast = peer("orjson, parse 160 records", "orjson", "parse-orjson", folder, entries, rounds=HEAVY)
    plain = Case("msgspec, parse 160 records", (*OURS, "parse", folder, entries), rounds=HEAVY)
    whole = "pmed, FHIR to tables"
    floor = plain.name if fast.missing else fast.name
    valid = peer("fhir.resources, validate 160 records", "fhir", "validate-fhir", folder, entries, floor=whole,
                 apart=True, rounds=1)
    return [fast, plain, Case(whole, (*OURS, "fhir", folder, patients), floor, ratio=1 / SPEED,
                              apart=True, rounds=HEAVY), valid]


def files() -> Counts | None:
    """Make the records, once, and say how much there is to find; None where the real ones are not here."""
    paths = sorted(BUNDLES.glob("*.json"))
    if not paths:
        return None
    RECORDS.mkdir(parents=True, exist_ok=True)
    kinds = [kind for path in paths for kind in _copied(path)]
    return {"entries": TIMES * len(kinds), "patients": TIMES * kinds.count("Patient")}


def _copied(path: Path) -> list[str]:
    """Write one record for several people, who differ by id only; the types of its resources."""
    text = path.read_text(encoding="utf-8")
    resources = [entry["resource"] for entry in json.loads(text)["entry"]]
    name = next(one["id"] for one in resources if one["resourceType"] == "Patient")
    for number in range(TIMES):
        (RECORDS / f"{number}-{path.name}").write_text(text.replace(name, f"{name[:-1]}{number}"), encoding="utf-8")
    return [one["resourceType"] for one in resources]


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = ((bundles, files),)

"""The cases about patient records: FHIR bundles into tables, beside parsing the same bytes alone.

The floor of 0.8 × the speed of orjson needs orjson (PEERS_PYTHON); where it is not, msgspec's parser without types
stands in for it, and the row says so by the name of what it is compared with.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.genomes import OURS, Counts, peer
from benchmarks.measure import ROOT, Case

BUNDLES = ROOT.parent / "shared" / "data" / "fhir" / "synthea"
SPEED = 0.8  # of orjson's


def bundles(counts: Counts) -> list[Case]:
    """Forty records: only parsed, into tables, and validated by pydantic models."""
    folder, entries = str(BUNDLES), str(counts.get("entries"))
    patients = str(counts.get("patients"))
    fast = peer("orjson, parse the 40 records", "orjson", "parse-orjson", folder, entries)
    plain = Case("msgspec, parse the 40 records", (*OURS, "parse", folder, entries))
    whole = "pmed, FHIR to tables"
    floor = plain.name if fast.missing else fast.name
    valid = peer("fhir.resources, validate the 40 records", "fhir", "validate-fhir", folder, entries, floor=whole,
                 apart=True, rounds=1)
    return [fast, plain, Case(whole, (*OURS, "fhir", folder, patients), floor, ratio=1 / SPEED, apart=True), valid]


def files() -> Counts | None:
    """How much there is to find; None where the records are not here."""
    paths = sorted(BUNDLES.glob("*.json"))
    if not paths:
        return None
    kinds = [entry["resource"]["resourceType"] for path in paths
             for entry in json.loads(Path(path).read_text(encoding="utf-8"))["entry"]]
    return {"entries": len(kinds), "patients": kinds.count("Patient")}


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = ((bundles, files),)

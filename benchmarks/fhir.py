"""The cases about patient records: FHIR bundles into tables, beside parsing the same bytes alone.

orjson and fhir.resources are installed into a venv of their own, once, beside the records. Where they cannot be,
msgspec's parser without types stands in for orjson, and the row says so by the name of what it is compared with.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.genomes import FOLDER, HEAVY, OURS, Counts, installed
from benchmarks.measure import ROOT, Case

BUNDLES = ROOT.parent / "shared" / "data" / "fhir" / "synthea"
RECORDS, PEER = FOLDER / "fhir", FOLDER / "fhir-peers"
PEER_NEEDS = ("orjson==3.*", "fhir.resources==8.*")
TIMES = 4  # as many people as there are records, so that the start of polars counts for less
SPEED = 0.8  # of orjson's
VALIDATION = 8  # times as fast as it


def bundles(counts: Counts) -> list[Case]:
    """Records: only parsed, into tables, and validated by pydantic models."""
    folder, entries = str(RECORDS), str(counts.get("entries"))
    patients = str(counts.get("patients"))
    missing, peers = counts.get("peers", ""), (str(PEER / "bin" / "python"), "-m", "benchmarks.peers")
    fast = Case("orjson, parse 160 records", (*peers, "parse-orjson", folder, entries), rounds=HEAVY, missing=missing)
    plain = Case("msgspec, parse 160 records", (*OURS, "parse", folder, entries), rounds=HEAVY)
    whole = "pmed, FHIR to tables"
    floor = plain.name if fast.missing else fast.name
    valid = Case("fhir.resources, validate 160 records", (*peers, "validate-fhir", folder, entries), rounds=1,
                 missing=missing)
    job = (*OURS, "fhir", folder, patients)
    return [fast, plain, Case(whole, job, floor, ratio=1 / SPEED, apart=True, rounds=HEAVY), valid,
            Case(f"{whole}, beside validation", job, valid.name, ratio=1 / VALIDATION, apart=True, rounds=HEAVY)]


def files() -> Counts | None:
    """Make the records, once, and say how much there is to find; None where the real ones are not here."""
    paths = sorted(BUNDLES.glob("*.json"))
    if not paths:
        return None
    RECORDS.mkdir(parents=True, exist_ok=True)
    kinds = [kind for path in paths for kind in _copied(path)]
    return {"entries": TIMES * len(kinds), "patients": TIMES * kinds.count("Patient")}


def files_and_peers() -> Counts | None:
    """The records, and the peers in a venv of their own; "peers" says why they are not there."""
    counts = files()
    return None if counts is None else {**counts, "peers": installed(PEER, PEER_NEEDS)}


def _copied(path: Path) -> list[str]:
    """Write one record for several people, who differ by id only; the types of its resources."""
    text = path.read_text(encoding="utf-8")
    resources = [entry["resource"] for entry in json.loads(text)["entry"]]
    name = next(one["id"] for one in resources if one["resourceType"] == "Patient")
    for number in range(TIMES):
        (RECORDS / f"{number}-{path.name}").write_text(text.replace(name, f"{name[:-1]}{number}"), encoding="utf-8")
    return [one["resourceType"] for one in resources]


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = ((bundles, files_and_peers),)

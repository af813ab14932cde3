"""The cases about patient records: FHIR bundles into tables, beside parsing the same bytes alone.

orjson and fhir.resources are installed into a venv of their own, once, beside the records. Where they cannot be,
msgspec's parser without types stands in for orjson, and the row says so by the name of what it is compared with.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.genomes import FOLDER, HEAVY, OURS, Counts, installed
from benchmarks.measure import ROOT, Case

BUNDLES = ROOT.parent / "shared" / "data" / "fhir" / "synthea"
RECORDS, LINES, PEER = FOLDER / "fhir", FOLDER / "ndjson", FOLDER / "fhir-peers"
PEER_NEEDS = ("orjson==3.*", "fhir.resources==8.*")
TIMES = 16  # as many people as there are records: of half as many, the start of polars and of the types is a twentieth
COPIES = 50  # of each record in the NDJSON files
SCALES = 1.7  # times as fast in two processes
SPEED = 0.8  # of orjson's
_ID = re.compile(r"\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8})[0-9a-f]{4}\b")
VALIDATION = 8  # times as fast as it


def bundles(counts: Counts) -> list[Case]:
    """Records: only parsed, into tables by one process and by two, and validated by pydantic models."""
    folder, entries = str(RECORDS), str(counts.get("entries"))
    patients = str(counts.get("patients"))
    missing, peers = counts.get("peers", ""), (str(PEER / "bin" / "python"), "-m", "benchmarks.peers")
    fast = Case("orjson, parse 640 records", (*peers, "parse-orjson", folder, entries), rounds=HEAVY, missing=missing)
    plain = Case("msgspec, parse 640 records", (*OURS, "parse", folder, entries), rounds=HEAVY)
    whole = "pmed, FHIR to tables"
    floor = plain.name if fast.missing else fast.name
    valid = Case("fhir.resources, validate 640 records", (*peers, "validate-fhir", folder, entries), rounds=1,
                 missing=missing)
    job = (*OURS, "fhir", folder, patients)
    alone, both = (Case(f"{whole}, {many} by the clock", (*OURS, "fhir_clock", folder, patients, str(number)),
                        rounds=HEAVY) for number, many in ((1, "one process"), (2, "two processes")))
    return [fast, plain, Case(whole, job, floor, ratio=1 / SPEED, apart=True, rounds=HEAVY), valid,
            Case(f"{whole}, beside validation", job, valid.name, ratio=1 / VALIDATION, apart=True, rounds=HEAVY),
            # As it is shipped: a process for each CPU, beside the one that the parser alone has.
            alone, replace(both, floor=floor, ratio=1 / SPEED, apart=True,
                           missing="" if (os.cpu_count() or 1) > 1 else "one CPU")]


def lines(counts: Counts) -> list[Case]:
    """Bulk Data by one process and by two; the work of two is that until the later one is done."""
    def job(many: int) -> tuple[str, ...]:
        return (*OURS, "ndjson", str(LINES), str(counts.get("patients")), str(many))
    alone = "pmed, NDJSON to tables, one process"
    return [Case(alone, job(1), rounds=HEAVY),
            Case("pmed, NDJSON to tables, two processes", job(2), alone, ratio=1 / SCALES, apart=True, rounds=HEAVY,
                 missing="" if (os.cpu_count() or 1) > 1 else "one CPU")]


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


def line_files() -> Counts | None:
    """Make NDJSON files, one a type, of all records with new ids, and say how many people are in them."""
    paths = sorted(BUNDLES.glob("*.json"))
    if not paths:
        return None
    LINES.mkdir(parents=True, exist_ok=True)
    whole: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]:
            whole[entry["resource"]["resourceType"]].append(json.dumps(entry["resource"], separators=(",", ":")))
    for kind, resources in whole.items():
        with (LINES / f"{kind}.ndjson").open("w", encoding="utf-8") as file:
            file.writelines(_ID.sub(rf"\g<1>{number:04x}", one) + "\n" for number in range(COPIES)
                            for one in resources)
    return {"patients": COPIES * len(paths)}


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = (
    (bundles, files_and_peers), (lines, line_files))

"""Results kept by commit, and ``docs/performance.md`` made of the newest.

    python -m benchmarks.run --only cohort --save benchmarks/results
    python -m benchmarks.performance > docs/performance.md
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import HEAD, ROOT

RESULTS = ROOT / "benchmarks" / "results"
# Partitions and bytes by measured rates; the price is of a rented core hour, which the reader can put in.
SIZES = (100_000, 1_000_000, 10_000_000)
PEOPLE_A_CHUNK, CORE_HOUR = 640, 0.05  # USD


def kept(folder: Path, lines: Sequence[Sequence[str]], rounds: int) -> Path:
    """Write a table as JSON, with the commit and the machine, over what is known of that commit; returns its file."""
    commit = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, capture_output=True, text=True,
                            check=True).stdout.strip()
    path = folder / f"{commit}.json"
    fresh = [dict(zip(("what", *HEAD[1:-1], "verdict"), line, strict=True)) for line in lines]
    names = {one["what"] for one in fresh}
    known = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []
    told = {"commit": commit, "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(), "rounds": rounds,
            "rows": [*fresh, *(one for one in known if one["what"] not in names)]}
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    return {"cpu": _model(), "cpus": os.cpu_count(), "memory_gb": round(memory, 1), "load": round(load, 1),
            "system": platform.platform(terse=True), "python": platform.python_version()}


def _model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
                platform.processor())


def newest() -> dict[str, Any]:
    """The results that were measured last."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")]
    return dict(max(found, key=lambda one: one["created"]))


def page(told: dict[str, Any]) -> str:
    """The documentation page."""
    about = told["machine"]
    head = ("what", "CPU s", "work s", "peak MB", "ms a person", "ratio", "limit", "verdict")
    rows = [(one["what"], one["CPU s"], one["work s"], one["peak MB"],
             f"{float(one['ns each']) / 1e6:.2f}" if one["ns each"] else "", one["ratio"], one["limit"], one["verdict"])
            for one in told["rows"]]
    return "\n".join([
        "# Performance of cohorts", "",
        "<!-- Made by python -m benchmarks.performance: do not edit. -->", "",
        f"Commit {told['commit']}, {told['created'][:10]}; {about['cpu']}, {about['cpus']} CPUs, "
        f"{about['memory_gb']} GB, Python {about['python']}; load {about['load']} when it ended, so CPU seconds count "
        f"and not the clock. {told['rounds']} rounds at most, medians.", "",
        "Work is the CPU time of all processes without the start of the first. A person's cost is work over people; "
        "the ratio is to the cost of a person in the smallest cohort of that kind.", "",
        *_table(head, rows), "", *_paper(rows)]) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]


def _paper(rows: Sequence[Sequence[str]]) -> list[str]:
    """More people than one machine holds, by the measured cost of a person in the largest cohort of each kind."""
    lines = []
    for words, kind in (("Genes", "the genes of"), ("Whole plan, no records", "the plan of")):
        mine = sorted((row for row in rows if kind in row[0] and "FHIR" not in row[0] and row[4]),
                      key=lambda row: float(row[2]))
        if mine:
            cost = float(mine[-1][4]) / 1e3
            lines += [(words, f"{people:,}", f"{-(-people // PEOPLE_A_CHUNK):,}", f"{people * cost / 3600:,.1f}",
                       f"{people * cost / 3600 / 64:,.2f}", f"{people * cost / 3600 * CORE_HOUR:,.2f}")
                      for people in SIZES]
    return ["## On paper: one million and ten million people", "",
            f"By the measured cost of a person (the largest cohort above), chunks of {PEOPLE_A_CHUNK}, and "
            f"{CORE_HOUR} USD a core hour. Nothing is shuffled: a task takes a chunk's own files and writes its own. "
            "Not in it: cutting a file of a million people into chunks, which one process does for each file (so give "
            "one file a chromosome), and start-up.", "",
            *_table(("what", "people", "tasks", "core hours", "hours on 64 cores", "USD"), lines)]


if __name__ == "__main__":
    print(page(newest()), end="")

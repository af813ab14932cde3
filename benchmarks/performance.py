"""Results kept by commit, and ``docs/performance.md`` made of the newest.

    python -m benchmarks.run --only cohort --save benchmarks/results
    python -m benchmarks.performance
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import ADDITIONS, HEAD, ROOT, pace
from pmed.cohort.plan import PEOPLE, PEOPLE_GENES

if TYPE_CHECKING:
    from pmed.plots import Picture

RESULTS = ROOT / "benchmarks" / "results"
PAGE, PICTURE = ROOT / "docs" / "performance.md", ROOT / "docs" / "images" / "cohort-cost.png"
KINDS = {"the genes of": "genes, from BCF", "the genes from the cache of": "genes, from the cache",
         "the plan of": "whole plan, no records", "on Spark, the genes of": "genes, on Spark"}
# Partitions and bytes by measured rates; the price is of a rented core hour, which the reader can put in.
SIZES = (100_000, 1_000_000, 10_000_000)
CORE_HOUR = 0.05  # USD


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
    """What the numbers were measured on, and how fast it was: the same work takes more CPU seconds beside others."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    return {"cpu": _model(), "cpus": os.cpu_count(), "memory_gb": round(memory, 1), "load": round(load, 1),
            "loop_s": round(pace(), 2), "system": platform.platform(terse=True), "python": platform.python_version()}


def _model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
                platform.processor())


def newest() -> dict[str, Any]:
    """The results that were measured last."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")]
    return dict(max(found, key=lambda one: one["created"]))


def shown(told: dict[str, Any]) -> list[tuple[str, ...]]:
    """The rows of the page's table, by kind and size."""
    rows = [(one["what"], one["CPU s"], one["work s"], one["peak MB"],
             f"{float(one['ns each']) / 1e6:.2f}" if one["ns each"] else "", one["ratio"], one["limit"], one["verdict"])
            for one in told["rows"] if "cohort" in one["what"]]
    return sorted(rows, key=lambda row: (row[0].rpartition(" of ")[0], float(row[2] or 0)))


def page(told: dict[str, Any]) -> str:
    """The documentation page."""
    about = told["machine"]
    head = ("what", "CPU s", "work s", "peak MB", "ms a person", "ratio", "limit", "verdict")
    rows = shown(told)
    return "\n".join([
        "# Performance of cohorts", "",
        "<!-- Made by python -m benchmarks.performance: do not edit. -->", "",
        f"Commit {told['commit']}, {told['created'][:10]}; {about['cpu']}, {about['cpus']} CPUs, "
        f"{about['memory_gb']} GB, Python {about['python']}; load {about['load']} when it ended, so CPU seconds count "
        f"and not the clock. {told['rounds']} rounds at most, medians." + _pace(about), "",
        "Work is the CPU time of all processes without the start of the first. A person's cost is work over people; "
        "the ratio is to the cost of a person in the smallest cohort of that kind." + _crowded(about), "",
        *_table(head, rows), "", f"![{picture(rows).alt}](images/{PICTURE.name})", "", *_paper(rows)]) + "\n"


def _pace(about: dict[str, Any]) -> str:
    """How fast the machine was; results from before this was measured do not say."""
    return f" {ADDITIONS:,} additions in a Python loop took {about['loop_s']} CPU s." if "loop_s" in about else ""


def _crowded(about: dict[str, Any]) -> str:
    """What a machine on which more than this ran makes of CPU seconds."""
    if about["load"] <= about["cpus"] + 1:
        return ""
    return (" More ran than there are CPUs: processes then push each other out of the caches, and the same work takes "
            "up to twice the CPU seconds of a quiet machine.")


def costs(rows: Sequence[Sequence[str]]) -> dict[str, list[tuple[int, float]]]:
    """For each kind of cohort its sizes with their seconds of work, smallest first."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        kind, _, size = row[0].removeprefix("pmed cohort, ").rpartition(" ")
        if kind in KINDS and row[2]:
            found.setdefault(kind, []).append((int(size.replace(",", "")), float(row[2])))
    return {kind: sorted(some) for kind, some in found.items()}


def picture(rows: Sequence[Sequence[str]]) -> Picture:
    """Seconds of work against people, both by powers of ten."""
    from pmed.plots import LIGHT, _figure, _legend

    figure, axes = _figure(LIGHT)
    told = []
    for place, (kind, some) in enumerate(costs(rows).items()):
        people, seconds = zip(*some, strict=True)
        axes.plot(people, seconds, marker="osD^"[place % 4], color=LIGHT.groups[place], label=KINDS[kind])
        told.append(f"{KINDS[kind]} {seconds[-1]:.0f} s for {people[-1]:,}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("people")
    axes.set_ylabel("CPU seconds")
    axes.set_title("What a cohort costs")
    _legend(axes, LIGHT)
    figure.alt = f"CPU seconds against people: {'; '.join(told)}."
    return figure


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]


def _paper(rows: Sequence[Sequence[str]]) -> list[str]:
    """More people than one machine holds, by the measured cost of a person in the largest cohort of each kind."""
    lines = []
    for kind, some in costs(rows).items():
        words, cost = KINDS[kind], some[-1][1] / some[-1][0]
        chunk = PEOPLE_GENES if "genes" in words else PEOPLE
        if "Spark" not in words:
            lines += [(words, f"{people:,}", f"{-(-people // chunk):,}", f"{people * cost / 3600:,.1f}",
                       f"{people * cost / 3600 / 64:,.2f}", f"{people * cost / 3600 * CORE_HOUR:,.2f}")
                      for people in SIZES]
    return ["## On paper: one million and ten million people", "",
            f"By the measured cost of a person (the largest cohort above), chunks of {PEOPLE} ({PEOPLE_GENES} for "
            f"genes alone), and {CORE_HOUR} USD a core hour. Nothing is shuffled: a task takes a chunk's own files and "
            "writes its own. Not in it: start-up, and cutting a file into chunks, which one process does for each file "
            "(25 s for a million people in one BCF).", "",
            *_table(("what", "people", "tasks", "core hours", "hours on 64 cores", "USD"), lines)]


if __name__ == "__main__":
    told = newest()
    PAGE.write_text(page(told), encoding="utf-8")
    picture(shown(told)).savefig(PICTURE)

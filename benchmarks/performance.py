"""Results kept by commit, and ``docs/performance.md`` made of them: of each case the newest there is.

    python -m benchmarks.run --only cohort --save benchmarks/results
    python -m benchmarks.performance

What is not measured each time (a million people, Spark) stays on the page from the commit that measured it last.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import biobank, pharmacogenes, scale, scores
from benchmarks.measure import ADDITIONS, HEAD, ROOT, Case, Cost, pace
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
# What cannot be run here, by its own documents.
PHARMCAT = (
    "PharmCAT, by [its documents](https://pharmcat.clinpgx.org/using/Runtime-Cost/), not measured here: 1.19 to 5.9 s "
    "a person on one processor (UK Biobank, 200,044 people), without its preprocessor (0.05 s and more); 15 to 16 "
    "hours for 98,622 people on 96 processors with everything (All of Us). It also says what follows for medicines: "
    "of ours, the whole plan is what to hold beside it.",)
# Bytes of a person: in the blocks that tasks read, and in the tables they write (the people of the panel, measured).
GENES_BYTES, PLAN_BYTES = (70, 200), (110, 910)


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


def newest(wanted: Collection[str]) -> list[dict[str, Any]]:
    """The results that have the newest measurement of a case that is wanted, with these cases alone; newest first."""
    found = sorted((json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")),
                   key=lambda one: str(one["created"]), reverse=True)
    return latest(found, wanted)


def names() -> set[str]:
    """The cases about cohorts."""
    return {case.name for group, _ in (*biobank.GROUPS, *scale.GROUPS) for case in group({})}


def straight(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """How far the sizes on the page are from a line: those of the commit with most of them.

    Two commits may be two machines, or sizes of a chunk, and make no line.
    """
    sized = [row for row in rows if row[0].startswith(biobank.LINE) and row[2]]
    [(commit, _)] = Counter(row[-1] for row in sized).most_common(1) or [("", 0)]
    mine = [row for row in sized if row[-1] == commit]
    cases = [Case(row[0], (), items=int(_people(row[0]))) for row in mine]
    costs = {row[0]: Cost(float(row[1]), float(row[3] or 0), float(row[2])) for row in mine}
    return [(what, "", "", "", f"{float(each) / 1e6:.2f}", ratio, limit, verdict, f"{commit}, its sizes")
            for what, *_, each, ratio, _, limit, verdict in biobank.linearity(cases, costs)]


def others() -> list[str]:
    """The cases with others' programs, and ours beside them."""
    return [case.name for group in (pharmacogenes.panel, scores.scores) for case in group({})]


def latest(found: Sequence[dict[str, Any]], wanted: Collection[str]) -> list[dict[str, Any]]:
    """Of results, newest first, those rows that are wanted and that none before them has; none without a row."""
    seen: set[str] = set()
    kept_of = []
    for told in found:
        # What was not measured, because something is missing there, is no newer result.
        rows = [one for one in told["rows"] if one["what"] in set(wanted) - seen and one["ns each"]]
        seen |= {one["what"] for one in rows}
        if rows:
            kept_of.append({**told, "rows": rows})
    return kept_of


def shown(results: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The rows of the page's table, by kind and size; the last column says of which commit."""
    rows = [(one["what"], one["CPU s"], one["work s"], one["peak MB"],
             f"{float(one['ns each']) / 1e6:.2f}" if one["ns each"] else "", one["ratio"], one["limit"],
             one["verdict"], told["commit"])
            for told in results for one in told["rows"]]
    return sorted(rows, key=lambda row: (row[0].partition(" of")[0], _people(row[0])))


def _people(name: str) -> float:
    """The number in the name of a case; what has none is about all sizes, and last."""
    return next((float(word.replace(",", "")) for word in name.split() if word[0].isdigit()), float("inf"))


def page(results: Sequence[dict[str, Any]], beside: Sequence[dict[str, Any]] = ()) -> str:
    """The documentation page: of cohorts, and of what was measured beside others."""
    head = ("what", "CPU s", "work s", "peak MB", "ms a person", "ratio", "limit", "verdict", "commit")
    rows, all_of = shown(results), {told["commit"]: told for told in (*results, *beside)}
    return "\n".join([
        "# Performance of cohorts", "",
        "<!-- Made by python -m benchmarks.performance: do not edit. -->", "",
        "Work is the CPU time of all processes without the start of the first (on Spark: nor that of its Java). A "
        "person's cost is work over people; the ratio is to the cost of a person in the cohort of 2,562 of that kind, "
        "and on Spark to the local engine's for as many.", "",
        *_table(head, [*rows, *straight(rows)]), "", f"![{picture(rows).alt}](images/{PICTURE.name})", "",
        *_beside(beside), "## How it was measured", "", "By commit:", "", *map(_measured, all_of.values()), "",
        *_paper(rows)]) + "\n"


def _beside(results: Sequence[dict[str, Any]]) -> list[str]:
    order = others()
    rows = sorted(((one["what"], one["CPU s"], one["peak MB"], _short(float(one["ns each"])), one["ratio"], one["to"],
                    one["limit"], told["commit"]) for told in results for one in told["rows"]),
                  key=lambda row: order.index(row[0]))
    return ["## Beside others", "",
            "One item is a gene of a person, or a weight of a score in a person; the ratio is of the cost of one where "
            "the two did not work on as many.", "",
            *_table(("what", "CPU s", "peak MB", "ns each", "ratio", "to", "limit", "commit"), rows), "", *PHARMCAT, ""]


def _measured(told: dict[str, Any]) -> str:
    about = told["machine"]
    return (f"- {told['commit']}, {told['created'][:10]}: {about['cpu']}, {about['cpus']} CPUs, "
            f"{about['memory_gb']} GB, Python {about['python']}; load {about['load']} when it ended, so CPU seconds "
            f"count and not the clock; {told['rounds']} rounds at most, medians." + _pace(about) + _crowded(about))


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
        taken, made = GENES_BYTES if "genes" in words else PLAN_BYTES
        if "Spark" not in words:
            lines += [(words, f"{people:,}", f"{-(-people // chunk):,}", _short(people * taken / 1e9),
                       _short(people * made / 1e9), "0", _short(people * cost / 3600),
                       _short(people * cost / 3600 / 64), _short(people * cost / 3600 * CORE_HOUR)) for people in SIZES]
    return ["## On paper: one million and ten million people", "",
            f"By the measured cost of a person (the largest cohort above), chunks of {PEOPLE} ({PEOPLE_GENES} for "
            f"genes alone), and {CORE_HOUR} USD a core hour. Read and written are the blocks that tasks read and the "
            "tables they write, a few GB at most. Nothing is shuffled: a task takes a chunk's own files and writes its "
            "own, and what goes through Spark are the names of its people and a note of some 60 bytes. Not in it: "
            "start-up, and cutting a file into chunks, which one process does for each file (25 s for a million people "
            "in one BCF).", "",
            *_table(("what", "people", "tasks", "GB read", "GB written", "GB shuffled", "core hours",
                     "hours on 64 cores", "USD"), lines)]


def _short(value: float) -> str:
    """Two figures that count.

    >>> _short(0.00123), _short(12.34), _short(1234)
    ('0.0012', '12', '1,234')
    """
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


if __name__ == "__main__":
    results = newest(names())
    PAGE.write_text(page(results, newest(others())), encoding="utf-8")
    picture(shown(results)).savefig(PICTURE)

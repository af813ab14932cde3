"""Commands run in turn, round after round, so that a busy machine slows all of them alike; and the table of what they
cost.

CPU time is user + system of the whole process, imports included. A command that ends its words on standard error with
``work SECONDS`` tells how much of that is left without the start of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HEAD = ("", "CPU s", "work s", "peak MB", "ns each", "ratio", "to", "limit", "")
MAXRSS_PER_MB = 1 << 20 if sys.platform == "darwin" else 1 << 10
ADDITIONS = 20_000_000
# Not for a new process: installed modules are compiled, and each would compile them again.
_NOT_OURS = "PYTHONDONTWRITEBYTECODE"
_WORK = re.compile(r"work ([0-9.]+)")


@dataclass(frozen=True)
class Case:
    """One command and what it may cost.

    Attributes:
        name: As the table has it.
        command: The program and its arguments.
        floor: Name of the case it is compared with.
        seconds: Most CPU seconds; 0 for no limit.
        megabytes: Most peak MB; 0 for no limit.
        ratio: Most times the CPU seconds of the floor; 0 for no limit.
        each: Most seconds of work for one item; 0 for no limit.
        apart: Compare the work, without the start of the process.
        items: Records or alleles that are read. Where the floor has them too, the ratio is of the cost of one.
        rounds: Run in so many rounds at most; 0 for all.
        missing: Why it cannot be run here; "" where it can.
        slow: It takes minutes, and is run only where that is asked for.
    """

    name: str
    command: Sequence[str]
    floor: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0
    ratio: float = 0.0
    each: float = 0.0
    apart: bool = False
    items: int = 0
    rounds: int = 0
    missing: str = ""
    slow: bool = False


@dataclass(frozen=True)
class Cost:
    """CPU seconds and peak resident memory of one process; `work` is its CPU seconds without its start, if told."""

    seconds: float
    megabytes: float
    work: float | None = None

    def counted(self, *, apart: bool) -> float:
        """The seconds that are compared; what does not tell its work has hardly a start."""
        return self.work if apart and self.work is not None else self.seconds


def measure(command: Sequence[str]) -> Cost:
    """Run a command to its end, in the project's folder.

    Raises:
        RuntimeError: where it fails, with what it said.
    """
    environment = {name: value for name, value in os.environ.items() if name != _NOT_OURS}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        last = (said.read().decode(errors="replace").strip().splitlines() or [""])[-1]
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {last}")
    work = _WORK.fullmatch(last)
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MAXRSS_PER_MB, float(work[1]) if work else None)


def measure_all(cases: Sequence[Case], rounds: int) -> dict[str, Cost | str]:
    """Median cost of each case over interleaved rounds, or why it could not be measured."""
    costs: dict[str, list[Cost]] = {case.name: [] for case in cases}
    failed = {case.name: case.missing for case in cases if case.missing}
    for turn in range(rounds):
        for case in cases:
            if case.name not in failed and turn < (case.rounds or rounds):
                try:
                    costs[case.name].append(measure(case.command))
                except (RuntimeError, OSError) as error:
                    failed[case.name] = f"FAILED {error}"
    return {name: failed.get(name) or median(found) for name, found in costs.items()}


def median(costs: Sequence[Cost]) -> Cost:
    """Medians of seconds, memory and work."""
    work = [cost.work for cost in costs if cost.work is not None]
    return Cost(statistics.median(cost.seconds for cost in costs), statistics.median(cost.megabytes for cost in costs),
                statistics.median(work) if work else None)


def chosen(cases: Sequence[Case], pattern: str) -> list[Case]:
    """The cases whose names match, upper or lower case, and those they are compared with."""
    by_name = {case.name: case for case in cases}
    names = {case.name for case in cases if re.search(pattern, case.name, re.IGNORECASE)}
    while more := {by_name[name].floor for name in names} & by_name.keys() - names:
        names |= more
    return [case for case in cases if case.name in names]


def times(case: Case, cases: Mapping[str, Case], costs: Mapping[str, Cost | str]) -> float | None:
    """How many times its floor a case costs, per item where both have items; None where one was not measured."""
    cost, floor = costs[case.name], costs.get(case.floor)
    if isinstance(cost, str) or not isinstance(floor, Cost):
        return None
    share = cases[case.floor].items / case.items if case.items and cases[case.floor].items else 1.0
    return cost.counted(apart=case.apart) / max(floor.counted(apart=case.apart), 1e-3) * share


def row(case: Case, cases: Mapping[str, Case], costs: Mapping[str, Cost | str]) -> tuple[str, ...]:
    """One line of the table, marked where a limit is passed."""
    cost, ratio = costs[case.name], times(case, cases, costs)
    if isinstance(cost, str):
        return (case.name, *[""] * (len(HEAD) - 2), cost)
    each = cost.counted(apart=True) / case.items * 1e9 if case.items else None
    limits = [f"{value:g} {unit}" for value, unit in (
        (case.ratio, "x"), (case.seconds, "s"), (case.megabytes, "MB"), (case.each * 1e3, "ms each")) if value]
    return (case.name, f"{cost.seconds:.3f}", _number(cost.work, 3), f"{cost.megabytes:.0f}", _number(each, 1),
            _number(ratio, 2), case.floor if ratio is not None else "", ", ".join(limits), _verdict(case, cost, ratio))


def _verdict(case: Case, cost: Cost, ratio: float | None) -> str:
    each = cost.counted(apart=True) / max(case.items, 1)
    limits = ((case.ratio, ratio), (case.seconds, cost.seconds), (case.megabytes, cost.megabytes), (case.each, each))
    asked = [(limit, value) for limit, value in limits if limit]
    if any(value is not None and value > limit for limit, value in asked):
        return "OVER THE LIMIT"
    if any(value is None for _, value in asked):
        return f"not compared: no {case.floor}"
    return "ok" if asked else ""


def _number(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"


def pace(additions: int = ADDITIONS) -> float:
    """CPU seconds that so many additions in the loop of a Python function take: how fast the machine is now."""
    began, total = time.process_time(), 0
    for number in range(additions):
        total += number
    return time.process_time() - began


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows in aligned columns."""
    lines = list(rows)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
                     for line in lines)


def folders(doc: str) -> argparse.Namespace:
    """What a generator of cohorts is given: `folder`, where all files of the benchmarks are, and `panel`."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("panel", type=Path)
    return parser.parse_args()


def make_once(folder: Path, wanted: Mapping[str, Any], make: Callable[[Path], Mapping[str, Any]]) -> None:
    """Make the files of a benchmark where they are not there, or are others: all of them or none.

    Args:
        folder: Where they will be; ``NAME.json`` in it says what is there.
        wanted: What they depend on: made again where the JSON says something else.
        make: Makes them in an empty folder; returns what more the JSON is to say.
    """
    if is_made(folder, wanted):
        return
    print(f"making files of the benchmarks, once: {folder}", flush=True)
    fresh = folder.with_name(f"{folder.name}.unfinished")
    for old in (folder, fresh):
        shutil.rmtree(old, ignore_errors=True)
    fresh.mkdir(parents=True)
    _said(fresh, folder.name).write_text(json.dumps({**wanted, **make(fresh)}), encoding="utf-8")
    fresh.rename(folder)


def is_made(folder: Path, wanted: Mapping[str, Any]) -> bool:
    """Whether the folder has the files that are wanted."""
    said = _said(folder, folder.name)
    return said.is_file() and wanted.items() <= json.loads(said.read_text(encoding="utf-8")).items()


def _said(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"

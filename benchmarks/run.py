"""What pmed costs, beside floors measured in the same run. Printed by ``make bench``; no test asserts on time.

Commands are run in turn, round after round, so that a busy machine slows all of them alike. CPU time is user + system
of the whole process, imports included; the table shows medians. Floors do the part of the work that nobody can avoid.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PANEL = ROOT.parent / "shared" / "data" / "1kgp" / "GRCh38"
GENES = ("CYP2C19", "CYP2C9", "VKORC1", "SLCO1B1", "CYP3A5")
PATIENT = "stent"
READ_THROUGH = "import sys, pysam\nfor f in sys.argv[1:]:\n    b = pysam.BGZFile(f)\n    while b.read(1 << 20): pass"
HEAD = ("", "CPU s", "peak MB", "ratio", "to", "limit", "")
MAXRSS_PER_MB = 1 << 20 if sys.platform == "darwin" else 1 << 10


@dataclass(frozen=True)
class Case:
    """One command. `floor` names the case it is compared with; limits are CPU seconds and peak MB, 0 for none."""

    name: str
    command: Sequence[str]
    floor: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0


@dataclass(frozen=True)
class Cost:
    """CPU seconds and peak resident memory of one process."""

    seconds: float
    megabytes: float


def measure(command: Sequence[str]) -> Cost:
    """Run a command to its end.

    Raises:
        RuntimeError: where it fails, with what it said.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"exit code {process.returncode}: {' '.join(last)}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MAXRSS_PER_MB)


def measure_all(cases: Sequence[Case], rounds: int) -> dict[str, Cost | str]:
    """Median cost of each case over interleaved rounds, or why it could not be measured."""
    costs: dict[str, list[Cost]] = {case.name: [] for case in cases}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for case in cases:
            if case.name not in failed:
                try:
                    costs[case.name].append(measure(case.command))
                except (RuntimeError, OSError) as error:
                    failed[case.name] = str(error)
    return {name: failed.get(name) or median(found) for name, found in costs.items()}


def median(costs: Sequence[Cost]) -> Cost:
    """Medians of seconds and of memory."""
    return Cost(statistics.median(cost.seconds for cost in costs), statistics.median(cost.megabytes for cost in costs))


def row(case: Case, costs: dict[str, Cost | str]) -> tuple[str, ...]:
    """One line of the table, marked where a limit is passed."""
    cost, floor = costs[case.name], costs.get(case.floor)
    if isinstance(cost, str):
        return (case.name, "-", "-", "", "", "", f"FAILED {cost}")
    ratio = f"{cost.seconds / max(floor.seconds, 1e-3):.1f}" if isinstance(floor, Cost) else ""
    limits = [f"{value:g} {unit}" for value, unit in ((case.seconds, "s"), (case.megabytes, "MB")) if value]
    over = (case.seconds and cost.seconds > case.seconds) or (case.megabytes and cost.megabytes > case.megabytes)
    verdict = "OVER THE LIMIT" if over else "ok" if limits else ""
    return (case.name, f"{cost.seconds:.2f}", f"{cost.megabytes:.0f}", ratio, case.floor if ratio else "",
            ", ".join(limits), verdict)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in aligned columns."""
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
                     for line in rows)


def start_up(pmed: str) -> list[Case]:
    """What it costs to say the version."""
    return [Case("python -c pass", (sys.executable, "-c", "pass")),
            Case("import polars", (sys.executable, "-c", "import polars"), "python -c pass"),
            Case("pmed --version", (pmed, "--version"), "import polars")]


def cohort(pmed: str, folder: Path) -> list[Case]:
    """Five genes of all people of the panel; the floor only inflates the same files."""
    files = [str(PANEL / f"{gene}.vcf.gz") for gene in GENES]
    return [Case("inflate the 5 files", (sys.executable, "-c", READ_THROUGH, *files)),
            Case("pmed call, 5 genes x 2,562",
                 (pmed, "call", *files, "--format", "json", "-o", str(folder / "call.json")),
                 "inflate the 5 files", seconds=3)]


def one_patient(pmed: str, folder: Path) -> list[Case]:
    """One embedded patient's report, HTML and JSON."""
    demo = ROOT / "pmed" / "demo" / PATIENT
    return [Case("pmed report, one patient", (pmed, "report", f"{demo}.vcf", "--history", f"{demo}.json",
                                              "-o", str(folder / "r.html"), "--json", str(folder / "r.json")),
                 "import polars", seconds=2, megabytes=400)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    pmed = str(Path(sys.executable).with_name("pmed"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        there = all((PANEL / f"{gene}.vcf.gz").is_file() for gene in GENES)
        cases = [*start_up(pmed), *(cohort(pmed, folder) if there else []), *one_patient(pmed, folder)]
        costs = measure_all(cases, rounds)
    print(f"medians of {rounds} interleaved rounds, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs")
    print(table([HEAD, *(row(case, costs) for case in cases)]))
    if not there:
        print("skipped: pmed call, 5 genes x 2,562 people (no ../shared with the 1000 Genomes files)")


if __name__ == "__main__":
    main()

"""What pmed costs, beside what others cost in the same run. Printed by ``make bench``; no test asserts on time.

    make bench
    make bench BENCH="--only index --rounds 3"
    make bench BENCH="--slow --save benchmarks/results"    # also what takes minutes; kept by commit
    make bench PEERS_PYTHON=peers/bin/python    # a venv of its own: pip install cyvcf2 polars-bio

bcftools is what most is compared with (Debian: apt-get install bcftools). What is not installed has a row that says so.
PyPGx, orjson and fhir.resources are installed for themselves. Files of about 600 MB are made once, in out/bench.

The first columns are the CPU seconds of the whole process, those of its work without the start of the process, and its
peak memory, all medians; then the nanoseconds of work for each record or allele, and the ratio to another line of the
table: of CPU seconds, or of work where the limit is set for that or the two did not read as much.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import batch, biobank, fhir, genomes, omop, pharmacogenes, scale, scores
from benchmarks.measure import ADDITIONS, HEAD, ROOT, Case, chosen, measure_all, pace, row, table
from benchmarks.performance import kept

PANEL = genomes.PANEL_FROM
GENES = ("CYP2C19", "CYP2C9", "VKORC1", "SLCO1B1", "CYP3A5")
PATIENT = "stent"
FULLEST = "warfarin"
QUESTIONS = 12
PAGES = 20
READ_THROUGH = "import sys, pysam\nfor f in sys.argv[1:]:\n    b = pysam.BGZFile(f)\n    while b.read(1 << 20): pass"
NO_PANEL = "no ../shared with the 1000 Genomes files"
NO_DATA = "no ../shared with their files"


def start_up(pmed: str) -> list[Case]:
    """What it costs to say the version."""
    return [Case("python -c pass", (sys.executable, "-c", "pass")),
            Case("import polars", (sys.executable, "-c", "import polars"), "python -c pass"),
            Case("pmed --version", (pmed, "--version"), "import polars")]


def calls(pmed: str, folder: Path) -> list[Case]:
    """Five genes of all people of the panel; the floor only inflates the same files."""
    files = [PANEL / f"{gene}.vcf.gz" for gene in GENES]
    missing = "" if all(file.is_file() for file in files) else NO_PANEL
    return [Case("inflate the 5 files", (sys.executable, "-c", READ_THROUGH, *map(str, files)), missing=missing),
            Case("pmed call, 5 genes x 2,562",
                 (pmed, "call", *map(str, files), "--format", "json", "-o", str(folder / "call.json")),
                 "inflate the 5 files", seconds=3, missing=missing)]


def one_patient(pmed: str, folder: Path) -> list[Case]:
    """One embedded patient's report, HTML and JSON."""
    demo = ROOT / "pmed" / "demo" / PATIENT
    return [Case("pmed report, one patient", (pmed, "report", f"{demo}.vcf", "--history", f"{demo}.json",
                                              "-o", str(folder / "r.html"), "--json", str(folder / "r.json")),
                 "import polars", seconds=2, megabytes=400)]


def what_if() -> list[Case]:
    """Questions about that patient, after the first: the work is of the questions alone."""
    return [Case("whole run, one patient (peer of what-if)",
                 (sys.executable, "-m", "benchmarks.jobs", "run", PATIENT, "4"), items=4),
            Case("what-if, one patient", (sys.executable, "-m", "benchmarks.jobs", "what_if", PATIENT, str(QUESTIONS)),
                 "whole run, one patient (peer of what-if)", each=0.1, items=QUESTIONS)]


def notebook() -> list[Case]:
    """The front door, an embedded patient's plan as a notebook shows it, and a page of 100,000 patients."""
    show = f"import pmed; pmed.demo({PATIENT!r})._repr_html_()"
    return [Case("notebook: import pmed", (sys.executable, "-c", "import pmed"), seconds=0.25),
            Case("notebook: demo to a displayed plan", (sys.executable, "-c", show), seconds=1.5),
            Case("notebook: demo of all patients, listed",
                 (sys.executable, "-c", "import pmed; pmed.demo()._repr_html_()")),
            Case("notebook: explorer, besides what-if", (sys.executable, "-m", "benchmarks.jobs", "explorer", PATIENT,
                                                         str(QUESTIONS)), each=0.2, items=QUESTIONS)]


def pages() -> list[Case]:
    """The clinician's page from the tables of the embedded patient with most to say; its view as JSON is the floor."""
    job = (sys.executable, "-m", "benchmarks.jobs")
    floor = "json.dumps of the report's view"
    return [Case(floor, (*job, "dumps", FULLEST, str(PAGES)), items=PAGES),
            Case("report from tables, the first", (*job, "page", FULLEST, "1", "first"), floor, apart=True, items=1),
            Case("report from tables, after the first", (*job, "page", FULLEST, str(PAGES)), floor, each=0.15,
                 apart=True, items=PAGES)]


def genome_cases(pattern: str, *, slow: bool = False) -> list[Case]:
    """The cases about reading genomes and calling genes. Files are made only for cases that are asked for."""
    cases: list[Case] = []
    for group, files in (*genomes.GROUPS, *pharmacogenes.GROUPS, *fhir.GROUPS, *omop.GROUPS,
                          *batch.GROUPS, *biobank.GROUPS, *scale.GROUPS, *scores.GROUPS):
        wanted = chosen([case for case in group({}) if slow or not case.slow], pattern)
        if not wanted:
            continue
        try:
            counts = files()
        except subprocess.CalledProcessError as error:
            print(f"skipped: {', '.join(case.name for case in wanted)} ({error.cmd[2]} ended with {error.returncode})")
            continue
        if counts is None:
            print(f"skipped: {', '.join(case.name for case in wanted)} ({NO_DATA})")
        else:
            cases += chosen(group(counts), pattern)
    return cases


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5,
                        help=f"rounds (5); what takes seconds is run {genomes.HEAVY} times at most")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only the lines that match, and their floors")
    parser.add_argument("--slow", action="store_true", help="also what takes minutes: a million people")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="also keep the table as JSON, by commit")
    asked = parser.parse_args()
    pmed = str(Path(sys.executable).with_name("pmed"))
    with tempfile.TemporaryDirectory() as name:
        own = [*start_up(pmed), *calls(pmed, Path(name)), *one_patient(pmed, Path(name)), *what_if(),
               *notebook(), *pages()]
        cases = [*chosen(own, asked.only), *genome_cases(asked.only, slow=asked.slow)]
        costs = measure_all(cases, asked.rounds)
    by_name = {case.name: case for case in cases}
    print(f"medians of {asked.rounds} interleaved rounds ({min(asked.rounds, genomes.HEAVY)} of what takes seconds), "
          f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs; {ADDITIONS:,} additions in a Python loop take "
          f"{pace():.2f} CPU s")
    lines = [*(row(case, by_name, costs) for case in cases), *biobank.linearity(cases, costs)]
    print(table([HEAD, *lines]))
    if asked.save:
        print(f"kept {kept(asked.save, lines, asked.rounds)}")


if __name__ == "__main__":
    main()

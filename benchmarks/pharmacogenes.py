"""The cases about calling genes: the panel, the same with more people, and PyPGx on a few of them.

The files are made by `make_pgx` and kept. PyPGx is installed into a venv of its own beside them; what it needs from its
bundle (structural variants, statistical phasing of unphased genomes) cannot be had and is left out: its row is of
phased small variants only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.genomes import FOLDER, HEAVY, OURS, PANEL_FROM, Counts, installed, made
from benchmarks.make_pgx import FEW, MULTIPLES, PEER_GENES, panel_genes
from benchmarks.measure import Case

PGX, PEER = FOLDER / "pgx", FOLDER / "pypgx"
PEER_NEEDS = ("pypgx==0.27.*", "pandas<3")  # its genotype caller breaks on the strings of pandas 3
CPU_A_PERSON = 0.002  # s
FLAT = 1500           # MB
MB_A_PERSON = 0.06    # what a person costs: the text of the records, and the results
PMED = str(Path(sys.executable).with_name("pmed"))
NOWHERE = "/dev/null"


def panel(counts: Counts) -> list[Case]:
    """All genes of the release that the panel has, all people, in one run, and PyPGx on a few of them.

    The cost of each is that of one gene of one person; the floor of `pmed call` only inflates the files.
    """
    paths = [str(PANEL_FROM / f"{name}.vcf.gz") for name in panel_genes(PANEL_FROM)]
    people, genes = (counts.get("panel", {}).get(name, 0) for name in ("people", "genes"))
    few, calls = str(PGX / "people-20"), FEW * len(PEER_GENES)
    floor, whole, some = "inflate the files of all genes", "pmed call, all genes x 2,562", "pmed call, 4 genes x 20"
    return [Case(floor, (*OURS, "inflate", *paths), rounds=HEAVY),
            Case(whole, (PMED, "call", *paths, "--format", "tsv", "-o", NOWHERE), floor,
                 seconds=CPU_A_PERSON * people, items=people * genes, rounds=HEAVY),
            Case(some, (*OURS, "genes", few, str(calls)), whole, apart=True, items=calls,
                 rounds=HEAVY),
            Case("PyPGx 0.27, 4 genes x 20 (phased import, no structural variants)",
                 (str(PEER / "bin" / "python"), "-m", "benchmarks.peers", "pypgx", few, str(calls)), some, apart=True,
                 items=calls, rounds=1, missing=counts.get("pypgx", ""))]


def growth(counts: Counts) -> list[Case]:
    """The sites of all genes, with more and more people: CPU time for each must not grow, and memory not at all."""
    def case(many: int) -> Case:
        name = f"cohort-{many}x"
        people = counts.get(name, {}).get("people", 0)
        return Case(f"pmed call, sites of all genes x {2562 * many:,}",
                    (PMED, "call", str(PGX / f"{name}.vcf.gz"), "--format", "tsv", "-o", NOWHERE), floor,
                    ratio=0 if many == 1 else 1.1, megabytes=FLAT, items=people, rounds=1 if many > 1 else HEAVY,
                    missing=_too_big(people))
    floor = "pmed call, sites of all genes x 2,562"
    return [case(many) for many in MULTIPLES]


def _too_big(people: int) -> str:
    """Why so many people would not fit into this machine; "" where they do. The machine is not to be brought down."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6
    needs = people * MB_A_PERSON
    return f"would take about {needs / 1e3:.0f} GB of memory, there are {there / 1e3:.0f}" if needs > there * .8 else ""


def files() -> Counts | None:
    """Make the cohorts; None where the panel is not here."""
    return made(PGX, "make_pgx", str(PANEL_FROM)) if (PANEL_FROM / "RYR1.vcf.gz").is_file() else None


def files_and_peer() -> Counts | None:
    """The cohorts, and PyPGx in a venv of its own; "pypgx" says why it is not there."""
    counts = files()
    return None if counts is None else {**counts, "pypgx": installed(PEER, PEER_NEEDS)}


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = (
    (panel, files_and_peer), (growth, files))

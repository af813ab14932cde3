"""One person to a million: the genes of cohorts of every size here, and of three sizes on Spark.

A million people take minutes: only with ``--slow``. pyspark is looked for in the Python that ``SPARK_PYTHON`` names
(``make .venv/spark`` installs it into that of `make`).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import biobank
from benchmarks.genomes import OURS, PANEL_FROM, Counts, has
from benchmarks.make_pgx import write_cohort
from benchmarks.measure import Case
from benchmarks.pharmacogenes import CPU_A_PERSON, FLAT, PGX

PANEL = 2562
FEW, MILLION, ON_SPARK = (1, 100, 1000), 1_000_000, (1, 4, 39)
ON_SPARK_MOST = 1.5  # times the work of the local engine, for 99,918 people
NO_SPARK = "no pyspark or no Java (make .venv/spark, .ci/java; SPARK_PYTHON names a Python that has it)"


def few(_: Counts) -> list[Case]:
    """What a small cohort costs: one chunk, so nearly all of it is the start."""
    return [_here(people, 3) for people in FEW]


def million(_: Counts) -> list[Case]:
    """A million people from one BCF."""
    return [_here(MILLION, 1, ratio=1.1, megabytes=FLAT, each=CPU_A_PERSON, slow=True)]


def on_spark(_: Counts) -> list[Case]:
    """The same as here, on two threads of Spark; the start of its Java is apart."""
    python = os.environ.get("SPARK_PYTHON") or sys.executable
    missing = "" if has(python, "pyspark") and shutil.which("java") else NO_SPARK
    return [Case(f"pmed cohort, on Spark, the genes of {PANEL * many:,}",
                 (python, *OURS[1:], "people", str(biobank.bcf(many)), str(PANEL * many), "genes", "spark"),
                 f"pmed cohort, the genes of {PANEL * many:,}", ratio=ON_SPARK_MOST if many == max(ON_SPARK) else 0,
                 apart=True, items=PANEL * many, rounds=1, missing=missing) for many in ON_SPARK]


def _here(people: int, rounds: int, **more: float | bool) -> Case:
    return Case(f"pmed cohort, the genes of {people:,}",
                (*OURS, "people", str(bcf(people)), str(people), "genes", "local"),
                f"pmed cohort, the genes of {PANEL:,}", apart=True, items=people, rounds=rounds,
                **more)  # type: ignore[arg-type]


def bcf(people: int) -> Path:
    """The cohort of so many people."""
    return PGX / f"people-{people}.bcf"


def few_files() -> Counts | None:
    """The small cohorts beside the others; None where the panel is not here."""
    return _files(FEW)


def million_files() -> Counts | None:
    """The million beside the others; None where the panel is not here."""
    return _files((MILLION,))


def _files(sizes: tuple[int, ...]) -> Counts | None:
    counts = biobank.files()
    for people in sizes if counts else ():
        if not bcf(people).is_file():
            text = bcf(people).with_suffix(".vcf.gz")
            write_cohort(text, PANEL_FROM, -(-people // PANEL), people)
            biobank.as_bcf(text, bcf(people))
            text.unlink()
    return counts


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = (
    (few, few_files), (million, million_files), (on_spark, biobank.files))

"""The cases about cohorts: the genes of up to 99,918 people from BCF and from the cache, and the whole plan with its
suggestions, without records and with those of `make_records` for everybody.

The genomes are those of `make_pgx`, as BCF. Work is the CPU seconds of all processes without the start of the first;
peak memory is that of the largest process.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pysam

from benchmarks.genomes import FOLDER, OURS, Counts
from benchmarks.make_records import samples, write, write_tables
from benchmarks.measure import Case, Cost
from benchmarks.pharmacogenes import CPU_A_PERSON, FLAT, PGX
from benchmarks.pharmacogenes import files as cohorts
from pmed.genomics.cache import write_cache

FULL_A_PERSON = 0.004  # CPU s: two cores then work out 500 people a second
PEOPLE_A_SECOND = 500  # by the clock, on two cores
CACHE_A_PERSON = 0.0004
GENES, CACHED, FULL, RECORDED = (1, 4, 16, 39), (1, 39), (1, 4), (1, 4)
MOST = 39  # times the people of the panel, who have their records as tables only
RECORDS = FOLDER / "records"
LINE, OFF = "pmed cohort, the genes of", 1.1
STRAIGHT = f"{LINE}: farthest from a straight line"
STRAIGHT_FROM = 1000  # people; fewer are one chunk


def genes(counts: Counts) -> list[Case]:
    """Genes of the release alone; the cost of a person must not grow with the cohort."""
    return _grown(counts, "genes", "the genes of", GENES, CPU_A_PERSON)


def linearity(cases: Sequence[Case], costs: Mapping[str, Cost | str]) -> list[tuple[str, ...]]:
    """A row that says how far the work of calling genes is from a straight line, where it was measured thrice or more.

    The line (work = start + people x each) is the one with the least relative squares.
    """
    mine = [(case.items, cost.counted(apart=True)) for case in cases if case.name.startswith(LINE)
            and case.items >= STRAIGHT_FROM and isinstance(cost := costs[case.name], Cost)]
    if len(mine) < 3:  # through two points there always is one
        return []
    people, work = np.array(mine, dtype=float).T
    start, each = np.linalg.lstsq(np.array([1 / work, people / work]).T, np.ones(len(mine)))[0]
    off = float(np.abs(work / (start + each * people) - 1).max())
    return [(STRAIGHT, "", "", "", f"{each * 1e9:.1f}", f"{1 + off:.2f}",
             f"{start:.1f} s + each", f"{OFF} x", "ok" if 1 + off <= OFF else "OVER THE LIMIT")]


def full(counts: Counts) -> list[Case]:
    """Genes, predictions and suggestions about every drug that any plugin knows, without explanations."""
    return _grown(counts, "full", "the plan of", FULL, FULL_A_PERSON)


def cached(counts: Counts) -> list[Case]:
    """The same genes from the files of `pmed import`."""
    return [replace(case, name=case.name.replace("genes of", "genes from the cache of"), ratio=0, floor="",
                    command=tuple(one.replace(".bcf", ".parquet") for one in case.command))
            for case in _grown(counts, "genes", "the genes of", CACHED, CACHE_A_PERSON)]


def with_records(_: Counts) -> list[Case]:
    """The whole plan of people of whom each has a record, as NDJSON of 160 kB: a third of it is to read those.

    The most people also by the clock: two processes, whose start does count; and that also of the tables that
    `pmed history` writes of the same records, and of ten times as many.
    """
    cases = []
    for many, number in ((many, 2562 * many) for many in RECORDED):
        records, pairs, tables = map(str, _records_of(many))
        given = (str(bcf(many)), str(number), "full", "local")
        cases.append(Case(f"pmed cohort, the plan of {number:,} with a record each",
                          (*OURS, "people", *given, records, pairs),
                          megabytes=FLAT, each=FULL_A_PERSON, items=number, rounds=1))
    _, most_pairs, most_tables = map(str, _records_of(MOST))
    each = ((many, records, pairs, "a record each"),
            (many, tables, pairs, "a record each, from the tables of pmed history"),
            (MOST, most_tables, most_pairs, "a record each, from the tables of pmed history"))
    return [*cases, *(Case(f"pmed cohort, the plan of {2562 * many:,} with {what}, by the clock of two cores",
                           (*OURS, "clock", str(bcf(many)), str(2562 * many), "full", "local", place, whose),
                           each=1 / PEOPLE_A_SECOND, items=2562 * many, rounds=1)
                      for many, place, whose, what in each)]


def _grown(counts: Counts, what: str, words: str, multiples: tuple[int, ...], each: float) -> list[Case]:
    floor = f"pmed cohort, {words} 2,562"
    return [Case(f"pmed cohort, {words} {2562 * many:,}",
                 (*OURS, "people", str(bcf(many)), str(2562 * many), what, "local"), floor,
                 ratio=1.1 if many > 1 else 0, apart=True, megabytes=FLAT, each=each,
                 items=counts.get(f"cohort-{many}x", {}).get("people", 2562 * many), rounds=1 if many > 4 else 3)
            for many in multiples]


def bcf(many: int) -> Path:
    """The cohort of so many times the people of the panel."""
    return PGX / f"cohort-{many}x.bcf"


def files() -> Counts | None:
    """The cohorts, as BCF too; None where the panel is not here."""
    counts = cohorts()
    for many in GENES if counts else ():
        if not bcf(many).is_file():
            as_bcf(PGX / f"cohort-{many}x.vcf.gz", bcf(many))
    for many in CACHED if counts else ():
        if not (kept := bcf(many).with_suffix(".parquet")).is_file():
            write_cache([bcf(many)], kept)
    return counts


def _records_of(many: int) -> tuple[Path, Path, Path]:
    """The records of so many times the people of the panel, whose they are, and the tables of the records."""
    place = RECORDS if many == 1 else RECORDS.with_name(f"records-{many}x")
    return place / "records", place / "pairs.tsv", place / "tables"


def record_files() -> Counts | None:
    """A record for each person of the cohorts; None where the panel or the bundles are not here."""
    from benchmarks.survey import RECORDS as BUNDLES

    if not BUNDLES.is_dir() or files() is None:
        return None
    for many in RECORDED:
        records, pairs, tables = _records_of(many)
        place = records.parent
        if not pairs.is_file():
            fresh = place.with_name(f"{place.name}.unfinished")
            shutil.rmtree(fresh, ignore_errors=True)
            write(fresh, sorted(BUNDLES.glob("*.json")), samples(bcf(many)))
            fresh.rename(place)
        if many == RECORDED[-1] and not tables.is_dir():
            # Not by this process: what it needs would count as the memory of those that it starts.
            subprocess.run([sys.executable, "-m", "pmed", "history", records, "-o", tables], check=True,
                           stdout=subprocess.DEVNULL)
    if not (place := _records_of(MOST)[1].parent).is_dir():
        fresh = place.with_name(f"{place.name}.unfinished")
        shutil.rmtree(fresh, ignore_errors=True)
        write_tables(_records_of(RECORDED[-1])[2], fresh, samples(bcf(MOST)))
        fresh.rename(place)
    return {"people": len(samples(bcf(1)))}


def as_bcf(source: Path, target: Path) -> None:
    """Write a VCF as BCF, record by record."""
    fresh = target.with_suffix(".unfinished")
    with pysam.VariantFile(str(source)) as given, pysam.VariantFile(str(fresh), "wb", header=given.header) as made:
        for record in given:
            made.write(record)
    fresh.rename(target)


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = (
    (genes, files), (cached, files), (full, files), (with_records, record_files))

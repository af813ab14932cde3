"""The cases about cohorts: the genes of up to 99,918 people from BCF, and the whole plan with its suggestions.

The genomes are those of `make_pgx`, as BCF. Work is the CPU seconds of all processes without the start of the first;
peak memory is that of the largest process.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pysam

from benchmarks import batch
from benchmarks.genomes import OURS, PANEL_FROM, Counts
from benchmarks.measure import Case
from benchmarks.pharmacogenes import CPU_A_PERSON, FLAT, PGX
from benchmarks.pharmacogenes import files as cohorts

FULL_A_PERSON = 0.004  # CPU s: two cores then work out 500 people a second
GENES, FULL = (1, 4, 16, 39), (1, 4)


def genes(counts: Counts) -> list[Case]:
    """Genes of the release alone; the cost of a person must not grow with the cohort."""
    return _grown(counts, "genes", "the genes of", GENES, CPU_A_PERSON)


def full(counts: Counts) -> list[Case]:
    """Genes, predictions and suggestions about every drug that any plugin knows, without explanations."""
    return _grown(counts, "full", "the plan of", FULL, FULL_A_PERSON)


def with_records(counts: Counts) -> list[Case]:
    """The whole plan with real records (FHIR bundles of 0.9 MB each): reading them is most of it."""
    number = str(counts.get("people", batch.PEOPLE))
    return [Case(f"pmed cohort, the plan of {number} with FHIR bundles",
                 (*OURS, "people", str(PANEL_FROM), number, "full", "local", str(batch.COHORT / "records"),
                  str(batch.PAIRS)), megabytes=FLAT, items=int(number), rounds=1)]


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
    return counts


def as_bcf(source: Path, target: Path) -> None:
    """Write a VCF as BCF, record by record."""
    fresh = target.with_suffix(".unfinished")
    with pysam.VariantFile(str(source)) as given, pysam.VariantFile(str(fresh), "wb", header=given.header) as made:
        for record in given:
            made.write(record)
    fresh.rename(target)


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = (
    (genes, files), (full, files), (with_records, batch.files))

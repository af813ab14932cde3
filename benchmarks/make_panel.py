"""Write the cohorts that the benchmarks read: three genes of the 1000 Genomes panel, and the same with more people.

    python -m benchmarks.make_panel out/bench ../shared/data/1kgp/GRCh38

One VCF for each multiple of the people. The added columns are the real ones in another order under new names, so that a
file of eight times the people does not pack better than eight files would.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pysam

from benchmarks.measure import folders, make_once

VERSION = 1
GENES = ("RYR1", "CYP2C19", "SLCO1B1")  # 11,056 records
ONE_GENE = "CYP2C19"
MULTIPLES = (1, 2, 4, 8)
SEED = 2_026
FIXED = 9  # columns before the samples
CELL = 4   # bytes of a diploid call of one-digit alleles, with the tab behind it


def read_lines(path: Path) -> tuple[list[bytes], list[bytes]]:
    """Header lines and records of a bgzipped VCF, without line ends."""
    with pysam.BGZFile(str(path)) as file:
        lines = file.read().splitlines()
    first = next(number for number, line in enumerate(lines) if not line.startswith(b"#"))
    return lines[:first], lines[first:]


def orders(people: int, multiple: int) -> np.ndarray:
    """Which person each column repeats: the people themselves, then one random order for each further time."""
    rng = np.random.default_rng(SEED)
    return np.concatenate([np.arange(people), *(rng.permutation(people) for _ in range(multiple - 1))])


def repeated(line: bytes, order: np.ndarray) -> bytes:
    """A record with its calls in the order given; every call must be three bytes wide.

    >>> repeated(b"\\t".join([b"."] * 9 + [b"0|1", b"1|1"]), np.array([0, 1, 1])).endswith(b"\\t0|1\\t1|1\\t1|1")
    True
    """
    *fixed, calls = line.split(b"\t", FIXED)
    ends = np.frombuffer(calls + b"\t", np.uint8) == ord("\t")
    if not (len(ends) % CELL == 0 and ends[CELL - 1::CELL].all() and ends.sum() == len(ends) // CELL):
        raise SystemExit(f"a call at {b':'.join(fixed[:2]).decode()} is not three bytes wide")
    cells = np.frombuffer(calls + b"\t", f"S{CELL}")
    return b"\t".join([*fixed, cells[order].tobytes()[:-1]])


def heads(headers: Sequence[Sequence[bytes]], multiple: int) -> Iterator[bytes]:
    """The header of the joined files, with new names for the people added."""
    # Each file names its own contig only; everything else they say alike.
    yield from dict.fromkeys(line for lines in headers for line in lines[:-1])
    columns = headers[0][-1]
    *fixed, names = columns.split(b"\t", FIXED)
    added = (b"%s_%d" % (name, turn) for turn in range(1, multiple) for name in names.split(b"\t"))
    yield b"\t".join([*fixed, names, *added])


def write(path: Path, panel: Path, genes: Sequence[str], multiple: int) -> dict[str, int]:
    """One cohort; returns its records and people."""
    files = [read_lines(panel / f"{gene}.vcf.gz") for gene in genes]
    records = [line for _, lines in files for line in lines]
    people = files[0][0][-1].count(b"\t") - FIXED + 1
    order = orders(people, multiple)
    with pysam.BGZFile(str(path), "wb") as out:
        for line in (*heads([lines for lines, _ in files], multiple), *(repeated(line, order) for line in records)):
            out.write(line + b"\n")
    return {"records": len(records), "people": people * multiple}


def make(folder: Path, panel: Path) -> dict[str, Any]:
    """All cohorts into an empty `folder`; returns the records and people of each."""
    wanted = {f"people-{multiple}x": (GENES, multiple) for multiple in MULTIPLES} | {"gene": ((ONE_GENE,), 1)}
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        jobs = {name: pool.submit(write, folder / f"{name}.vcf.gz", panel, *what) for name, what in wanted.items()}
        return {name: job.result() for name, job in jobs.items()}


def main() -> None:
    """Make the cohorts where they are not there."""
    asked = folders(__doc__)
    make_once(asked.folder / "panel", {"version": VERSION}, partial(make, panel=asked.panel))


if __name__ == "__main__":
    main()

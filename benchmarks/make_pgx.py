"""Write the cohorts that the benchmarks of gene calling read, from the 1000 Genomes panel.

    python -m benchmarks.make_pgx out/bench ../shared/data/1kgp/GRCh38

``cohort-Nx.vcf.gz`` holds the records at the sites of the release for N times the people. The added people are made of
two haplotypes of the panel, drawn anew for each gene; where a gene's calls are not all phased and diploid (chromosome
X), whole calls are drawn. ``people-20`` are all records of a few genes of the first people, for peers.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pysam

from benchmarks.make_panel import CELL, FIXED, SEED, heads, read_lines
from benchmarks.measure import folders, make_once
from pmed_pgx.knowledge import Gene, genes

VERSION = 2
MULTIPLES = (1, 4, 16, 39)  # 39 are 99,918 people
FEW = 20
PEER_GENES = ("CYP2C19", "CYP2C9", "CYP3A5", "TPMT")


def panel_genes(panel: Path) -> list[str]:
    """Genes of the release of which the panel has a file."""
    return [name for name in genes() if (panel / f"{name}.vcf.gz").is_file()]


def at_sites(gene: Gene, lines: Iterable[bytes]) -> Iterator[bytes]:
    """Records whose REF reaches a site of the gene, or the base before it (where indels are written)."""
    wanted = np.array(sorted({pos for site in (*gene.sites, *gene.extras) for pos, _, _ in site.rows("GRCh38")}))
    for line in lines:
        _, pos, _, ref, _ = line.split(b"\t", 4)
        after = np.searchsorted(wanted, int(pos))
        if after < len(wanted) and wanted[after] <= int(pos) + len(ref):
            yield line


def drawn(calls: bytes, draw: npt.NDArray[np.int64]) -> bytes:
    """Calls of the people and of those added; `draw` says whose first and second haplotypes each added person has.

    >>> drawn(b"0|1\\t1|0", np.array([[0, 1], [1, 1]]))
    b'0|1\\t1|0\\t0|0\\t1|0'
    >>> drawn(b"0\\t1|0", np.array([[1, 0]]))
    b'0\\t1|0\\t1|0'
    """
    text = np.frombuffer(calls + b"\t", np.uint8)
    ends = text == ord("\t")
    if len(text) % CELL == 0 and ends[CELL - 1::CELL].all() and ends.sum() == len(text) // CELL:
        cells = text.reshape(-1, CELL)
        added = cells[draw[:, 0]].copy()
        added[:, 2] = cells[draw[:, 1], 2]
        return (cells.tobytes() + added.tobytes())[:-1]
    whole = np.array(calls.split(b"\t"))
    return b"\t".join([calls, *whole[draw[:, 0]].tolist()])


def first(calls: bytes, people: int) -> bytes:
    """Calls of the first people, where there are more.

    >>> first(b"0|1\\t1|0\\t0|0", 2)
    b'0|1\\t1|0'
    """
    return b"\t".join(calls.split(b"\t", people)[:people])


def write_cohort(path: Path, panel: Path, multiple: int, most: int = 0) -> dict[str, int]:
    """One cohort, of the first `most` people if that is said; returns its records and people.

    A record is written and forgotten, so that memory is that of one: a million people are 4 MB.
    """
    names, rng = panel_genes(panel), np.random.default_rng(SEED)
    files = [read_lines(panel / f"{name}.vcf.gz") for name in names]
    people = files[0][0][-1].count(b"\t") - FIXED + 1
    everybody = most or people * multiple
    records = 0
    with pysam.BGZFile(str(path), "wb") as out:
        *meta, columns = heads([header for header, _ in files], multiple)
        for line in (*meta, b"\t".join(columns.split(b"\t")[:FIXED + everybody])):
            out.write(line + b"\n")
        for name, (_, lines) in zip(names, files, strict=True):
            draw = rng.integers(people, size=(max(everybody - people, 0), 2))
            for line in at_sites(genes()[name], lines):
                *fixed, calls = line.split(b"\t", FIXED)
                out.write(b"\t".join([*fixed, drawn(calls, draw) if len(draw) else first(calls, everybody)]) + b"\n")
                records += 1
    return {"records": records, "people": everybody}


def write_few(folder: Path, panel: Path, names: Sequence[str]) -> dict[str, int]:
    """All records of some genes of the first people, indexed: one file a gene."""
    folder.mkdir()
    for name in names:
        path = folder / f"{name}.vcf.gz"
        header, lines = read_lines(panel / f"{name}.vcf.gz")
        with pysam.BGZFile(str(path), "wb") as out:
            for line in header[:-1]:
                out.write(line + b"\n")
            for line in (header[-1], *lines):
                out.write(b"\t".join(line.split(b"\t", FIXED + FEW)[:FIXED + FEW]) + b"\n")
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return {"genes": len(names), "people": FEW}


def make(folder: Path, panel: Path) -> dict[str, Any]:
    """All cohorts into an empty `folder`; returns the records and people of each."""
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        jobs = {f"cohort-{many}x": pool.submit(write_cohort, folder / f"cohort-{many}x.vcf.gz", panel, many)
                for many in sorted(MULTIPLES, reverse=True)}
        jobs["people-20"] = pool.submit(write_few, folder / "people-20", panel, PEER_GENES)
        said = {name: job.result() for name, job in jobs.items()}
    said["panel"] = {"people": said["cohort-1x"]["people"], "genes": len(panel_genes(panel))}
    return said


def main() -> None:
    """Make the cohorts where they are not there."""
    asked = folders(__doc__)
    make_once(asked.folder / "pgx", {"version": VERSION}, partial(make, panel=asked.panel))


if __name__ == "__main__":
    main()

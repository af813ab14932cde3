"""Write what the benchmark of polygenic scores reads: a cohort of 2,562 people, and scoring files of all its records.

    python -m benchmarks.make_scores out/bench ../shared/data/1kgp/GRCh38

The records are real lines of the 1000 Genomes panel, again and again at new places, until there are as many as wanted.
``PMED_BENCH_WEIGHTS`` makes fewer than a million, for a quick look.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import pysam

from benchmarks.make_panel import CELL, FIXED, GENES, read_lines
from benchmarks.measure import folders, make_once

VERSION = 2
WEIGHTS, SCORES, SEED = 1_000_000, 10, 2_026
PLAIN = (b"A", b"C", b"G", b"T")
PAIRS = ({b"A", b"T"}, {b"C", b"G"})
SPACE = 100  # bases from one record to the next


def wanted() -> int:
    """How many weights, and records."""
    return int(os.environ.get("PMED_BENCH_WEIGHTS") or WEIGHTS)


def usable(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """REF, ALT and the calls of a record that every scoring program takes."""
    fields = line.split(b"\t", FIXED)
    ref, alt = fields[3:5]
    if ref not in PLAIN or alt not in PLAIN or {ref, alt} in PAIRS or b"." in fields[FIXED]:
        return None
    return ref, alt, fields[FIXED]


def records(lines: Sequence[bytes], many: int) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    """Position, REF, ALT and calls of `many` records; each time round, the people stand in another order."""
    some = [one for one in map(usable, lines) if one]
    rng = np.random.default_rng(SEED)
    cells = [np.frombuffer(calls + b"\t", f"S{CELL}") for _, _, calls in some]
    for number in range(many):
        if not (place := number % len(some)):
            order = rng.permutation(len(cells[0]))
        yield (number + 1) * SPACE, *some[place][:2], cells[place][order].tobytes()[:-1]


def make(folder: Path, panel: Path) -> dict[str, int]:
    """All files into an empty `folder`; returns the records and people."""
    files = [read_lines(panel / f"{gene}.vcf.gz") for gene in GENES]
    columns = files[0][0][-1]
    many, rng = wanted(), np.random.default_rng(SEED)
    head = b"\n".join([b"##fileformat=VCFv4.2", b"##reference=GRCh38", b"##contig=<ID=chr1,length=248956422>",
                       b'##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">', columns])
    weights = rng.normal(0, 1e-3, (many, SCORES))
    lines = [line for _, some in files for line in some]
    with ExitStack() as stack:
        out = stack.enter_context(pysam.BGZFile(str(folder / "cohort.vcf.gz"), "wb"))
        peer = stack.enter_context((folder / "plink.tsv").open("w"))
        scores = [stack.enter_context((folder / f"PGS{number:06}.txt").open("w")) for number in range(1, SCORES + 1)]
        for number, score in enumerate(scores, 1):
            score.write(f"#pgs_id=PGS{number:06}\n#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\t"
                        "other_allele\teffect_weight\n")
        out.write(head + b"\n")
        for row, (pos, ref, alt, calls) in enumerate(records(lines, many)):
            name, effect, other = f"1:{pos}", alt.decode(), ref.decode()
            out.write(b"\t".join([b"chr1", b"%d" % pos, name.encode(), ref, alt, b".", b"PASS", b".", b"GT", calls])
                      + b"\n")
            peer.write(f"{name}\t{effect}\t{weights[row, 0]:.8f}\n")
            for score, weight in zip(scores, weights[row], strict=True):
                score.write(f"1\t{pos}\t{effect}\t{other}\t{weight:.8f}\n")
    return {"people": columns.count(b"\t") - FIXED + 1}


def main() -> None:
    """Make the files where they are not there, or are of another size."""
    asked = folders(__doc__)
    make_once(asked.folder / "scores", {"version": VERSION, "records": wanted()}, partial(make, panel=asked.panel))


if __name__ == "__main__":
    main()

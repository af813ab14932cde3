"""The cases about polygenic scores: a million weights of 2,562 people, beside Debian's ``plink2 --score``.

Both read the same VCF (BGZF). plink2 sums its own format, so that its reading of the VCF counts too: one command does
both. It drops nothing and looks at no strand; names tell it the variants. What it costs where the VCF was read before
is a line without a limit: pmed has no such format.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.genomes import FOLDER, HEAVY, PANEL_FROM, Counts, made
from benchmarks.make_scores import SCORES
from benchmarks.measure import Case

MADE = FOLDER / "scores"
OWN = MADE / "own"
NO_PLINK = "plink2 not installed (Debian: apt-get install plink2)"
MEGABYTES = 1024


def scores(counts: Counts) -> list[Case]:
    """One score beside the peer, and ten in one pass beside one."""
    items = counts.get("records", 0) * counts.get("people", 0)
    program = shutil.which("plink2")
    genome, floor, one = MADE / "cohort.vcf.gz", "scores: plink2 --vcf --score", "scores: pmed score, one"

    def ours(name: str, many: int, **more: object) -> Case:
        files = [word for number in range(1, many + 1) for word in ("--scorefile", str(MADE / f"PGS{number:06}.txt"))]
        command = (str(Path(sys.executable).with_name("pmed")), "score", str(genome), *files, "-o",
                   str(MADE / f"{many}.out.tsv"))
        return Case(name, command, megabytes=MEGABYTES, items=items, rounds=HEAVY, **more)  # type: ignore[arg-type]
    peer = (program or "plink2", "--vcf", str(genome), "--score", str(MADE / "plink.tsv"), "1", "2", "3",
            "cols=+scoresums", "--threads", "1", "--memory", str(MEGABYTES), "--out", str(MADE / "plink"))
    again = (program or "plink2", "--pfile", str(OWN), *peer[3:])
    return [Case(floor, peer, items=items, rounds=HEAVY, missing="" if program else NO_PLINK),
            Case("scores: plink2 --pfile --score", again, floor=floor, items=items, rounds=HEAVY,
                 missing="" if program else NO_PLINK),
            ours(one, 1, floor=floor, ratio=1.5),
            ours(f"scores: pmed score, {SCORES} at once", SCORES, floor=one, ratio=2)]


def files() -> Counts | None:
    """Make the cohort, and plink2's own files of it; None where the panel is not here."""
    if not (PANEL_FROM / "RYR1.vcf.gz").is_file():
        return None
    counts = made(MADE, "make_scores", str(PANEL_FROM))
    if (program := shutil.which("plink2")) and not OWN.with_suffix(".pvar").is_file():
        subprocess.run((program, "--vcf", str(MADE / "cohort.vcf.gz"), "--make-pgen", "--out", str(OWN)), check=True,
                       stdout=subprocess.DEVNULL)
    return counts


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = ((scores, files),)

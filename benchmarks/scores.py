"""The cases about polygenic scores: a million weights of 2,562 people, beside Debian's ``plink2 --score``.

plink2 sums its own format, so that its reading of the VCF counts too: one command does both. It drops nothing and looks
at no strand; names tell it the variants.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.genomes import FOLDER, HEAVY, PANEL_FROM, Counts, made
from benchmarks.make_scores import SCORES
from benchmarks.measure import Case

MADE = FOLDER / "scores"
NO_PLINK = "plink2 not installed (Debian: apt-get install plink2)"
MEGABYTES = 1024


def scores(counts: Counts) -> list[Case]:
    """One score beside the peer, and ten in one pass beside one."""
    items = counts.get("records", 0) * counts.get("people", 0)
    program = shutil.which("plink2")
    genome, floor, one = MADE / "cohort.vcf.gz", "plink2 --vcf --score", "pmed score, one"

    def ours(name: str, many: int, **more: object) -> Case:
        files = [word for number in range(1, many + 1) for word in ("--scorefile", str(MADE / f"PGS{number:06}.txt"))]
        command = (str(Path(sys.executable).with_name("pmed")), "score", str(genome), *files, "-o",
                   str(MADE / f"{many}.out.tsv"))
        return Case(name, command, megabytes=MEGABYTES, items=items, rounds=HEAVY, **more)  # type: ignore[arg-type]
    peer = (program or "plink2", "--vcf", str(genome), "--score", str(MADE / "plink.tsv"), "1", "2", "3",
            "cols=+scoresums", "--threads", "1", "--memory", str(MEGABYTES), "--out", str(MADE / "plink"))
    return [Case(floor, peer, items=items, rounds=HEAVY, missing="" if program else NO_PLINK),
            ours(one, 1, floor=floor, ratio=1.5), ours(f"pmed score, {SCORES} at once", SCORES, floor=one, ratio=2)]


def files() -> Counts | None:
    """Make the cohort; None where the panel is not here."""
    return made(MADE, "make_scores", str(PANEL_FROM)) if (PANEL_FROM / "RYR1.vcf.gz").is_file() else None


GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = ((scores, files),)

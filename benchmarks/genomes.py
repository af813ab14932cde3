"""The cases about reading genomes: a whole genome with and without an index, and cohorts, beside what others need.

The files are made by `make_genome` and `make_panel` and kept. cyvcf2 and polars-bio are looked for in the Python that
``PEERS_PYTHON`` names: polars-bio needs an older polars than pmed, and neither is a dependency of pmed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, Case

FOLDER = ROOT / "out" / "bench"
GENOME, PANEL = FOLDER / "genome", FOLDER / "panel"
PANEL_FROM = ROOT.parent / "shared" / "data" / "1kgp" / "GRCh38"
QUERY = "%CHROM\\t%POS\\t%REF\\t%ALT[\\t%GT]\\n"
HEAVY = 3  # rounds of what takes seconds
OURS = (sys.executable, "-m", "benchmarks.jobs")
NO_BCFTOOLS = "bcftools not installed (Debian: apt-get install bcftools)"
Counts = Mapping[str, Any]


def peers_python() -> str:
    """The Python that has the libraries which are no dependency of pmed."""
    return os.environ.get("PEERS_PYTHON") or sys.executable


@cache
def has(python: str, module: str) -> bool:
    """Whether a Python has a module; it is not imported."""
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
    try:
        return subprocess.run((python, "-c", code, module), check=False).returncode == 0
    except OSError:
        return False


def bcftools(name: str, *arguments: str, items: int = 0, rounds: int = HEAVY) -> Case:
    """A case of bcftools, which all others are compared with."""
    program = shutil.which("bcftools")
    return Case(name, (program or "bcftools", *arguments), items=items, rounds=rounds,
                missing="" if program else NO_BCFTOOLS)


def peer(name: str, module: str, job: str, *arguments: str, **more: Any) -> Case:
    """A case of a Python library: pmed's own Python where it has it, else the peers'."""
    python = next((python for python in (sys.executable, peers_python()) if has(python, module)), "")
    missing = "" if python else f"{module.replace('_', '-')} not installed (PEERS_PYTHON names a Python that has it)"
    return Case(name, (python, "-m", "benchmarks.peers", job, *arguments), missing=missing, **more)


def installed(folder: Path, needs: tuple[str, ...]) -> str:
    """Install peers into a venv of their own, once; why they cannot be, or ""."""
    done, python = folder / "installed.json", folder / "bin" / "python"
    if done.is_file() and json.loads(done.read_text(encoding="utf-8")) == list(needs):
        return ""
    print(f"installing {', '.join(needs)}, once: {folder}", flush=True)
    for command in ((sys.executable, "-m", "venv", "--clear", str(folder)),
                    (str(python), "-m", "pip", "install", "--quiet", *needs)):
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        if ended.returncode:
            return f"cannot be installed: {(ended.stderr.strip().splitlines() or ['?'])[-1]}"
    done.write_text(json.dumps(needs), encoding="utf-8")
    return ""


def indexed(counts: Counts) -> list[Case]:
    """All needed sites of a whole genome, through its index."""
    genome, regions, found = str(GENOME / "genome.vcf.gz"), str(GENOME / "regions.bed"), str(counts.get("in_regions"))
    floor = "bcftools query -R, index"
    return [bcftools(floor, "query", "-R", regions, "-f", QUERY, genome, rounds=0),
            Case("pmed, needed sites, index",
                 (*OURS, "sites", genome, str(GENOME / "sites.parquet"), str(counts.get("planted"))), floor,
                 ratio=1.5, apart=True),
            peer("pysam, regions, index", "pysam", "regions-pysam", genome, regions, found, floor=floor, apart=True),
            peer("cyvcf2, regions, index", "cyvcf2", "regions-cyvcf2", genome, regions, found, floor=floor,
                 apart=True)]


def unindexed(counts: Counts) -> list[Case]:
    """The same genome without an index: all of it, and the needed sites only."""
    genome, records, floor = str(GENOME / "bare" / "genome.vcf.gz"), counts.get("records", 0), "bcftools view, genome"
    return [bcftools(floor, "view", "-Ou", genome, items=records),
            Case("pmed, full scan, genome", (*OURS, "scan", genome, str(records)), floor, ratio=0.85, items=records,
                 rounds=HEAVY),
            Case("pmed, needed sites, genome, no index",
                 (*OURS, "sites", genome, str(GENOME / "sites.parquet"), str(counts.get("planted"))), floor,
                 megabytes=400, items=records, rounds=HEAVY),
            *scans(counts, floor)]


def scans(counts: Counts, floor: str) -> list[Case]:
    """Full scans by others. They would take minutes for all of it: chromosome 1 tells what a record costs them."""
    part, records = str(GENOME / "chr1.vcf.gz"), counts.get("chr1", 0)
    libraries = (("polars-bio", "polars_bio"), ("scikit-allel", "allel"), ("pysam", "pysam"), ("cyvcf2", "cyvcf2"))
    return [peer(f"{name}, full scan, chr1", module, f"scan-{module.replace('_', '-')}", part, str(records),
                 floor=floor, apart=True, items=records, rounds=HEAVY) for name, module in libraries]


def cohorts(counts: Counts) -> list[Case]:
    """Three genes of 2,562 people to alleles and phase, the same with more people, and one gene by others."""
    def size(name: str) -> int:
        return 2 * counts[name]["records"] * counts[name]["people"] if name in counts else 0

    def ours(name: str, file: str, **more: Any) -> Case:
        return Case(name, (*OURS, "cohort", str(PANEL / f"{file}.vcf.gz"), str(size(file))), items=size(file),
                    rounds=HEAVY, **more)
    floor, whole = "bcftools view, 3 genes", "pmed, 3 genes x 2,562"
    more = [ours(f"pmed, 3 genes x {2562 * many:,}", f"people-{many}x", floor=whole, ratio=1.1, apart=True)
            for many in (2, 4, 8)]
    libraries = (("cyvcf2", "cyvcf2"), ("scikit-allel (no phase)", "allel"), ("pysam", "pysam"))
    gene, found = str(PANEL / "gene.vcf.gz"), size("gene")
    others = [peer(f"{name}, 1 gene x 2,562", module, f"cohort-{module}", gene, str(found), floor=floor, apart=True,
                   items=found, rounds=HEAVY) for name, module in libraries]
    return [bcftools(floor, "view", "-Ou", str(PANEL / "people-1x.vcf.gz"), items=size("people-1x")),
            ours(whole, "people-1x", floor=floor, ratio=0.9), *more, *others]


def made(folder: Path, module: str, *arguments: str) -> Counts:
    """What the generator has put there, after it was run: it does nothing where all is there."""
    subprocess.run((sys.executable, "-m", f"benchmarks.{module}", str(FOLDER), *arguments), cwd=ROOT, check=True)
    said: Counts = json.loads((folder / f"{folder.name}.json").read_text(encoding="utf-8"))
    return said


def genome_files() -> Counts:
    """Make the whole genome."""
    return made(GENOME, "make_genome")


def panel_files() -> Counts | None:
    """Make the cohorts; None where the panel is not here."""
    return made(PANEL, "make_panel", str(PANEL_FROM)) if (PANEL_FROM / "RYR1.vcf.gz").is_file() else None


# Cases, and what makes their files; without the files they have the same names.
GROUPS: tuple[tuple[Callable[[Counts], list[Case]], Callable[[], Counts | None]], ...] = (
    (indexed, genome_files), (unindexed, genome_files), (cohorts, panel_files))

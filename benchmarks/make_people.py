"""Write the genomes of as many people as wanted, from the 1000 Genomes panel, as BCF and as pmed's cache.

    python -m benchmarks.make_people out/people ../shared/data/1kgp/GRCh38 1000000

They are those of `make_pgx`: the people of the panel, then people of two of its haplotypes, drawn anew for each gene,
at the sites of the release. Memory is that of one record. `make_records` gives them records (``--genome``).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.biobank import as_bcf
from benchmarks.make_panel import FIXED, read_lines
from benchmarks.make_pgx import panel_genes, write_cohort
from pmed.genomics.cache import write_cache


def write(folder: Path, panel: Path, people: int) -> dict[str, int]:
    """``genomes.bcf`` and ``genomes.parquet`` of so many people, at least those of the panel; what is in them."""
    real = read_lines(panel / f"{panel_genes(panel)[0]}.vcf.gz")[0][-1].count(b"\t") - FIXED + 1
    if people < real:
        raise SystemExit(f"the panel itself has {real} people")
    folder.mkdir(parents=True)
    text, genomes = folder / "genomes.vcf.gz", folder / "genomes.bcf"
    said = write_cohort(text, panel, -(-people // real), people)
    as_bcf(text, genomes)
    text.unlink()
    write_cache([genomes], folder / "genomes.parquet")
    return said


def main() -> None:
    """Write the genomes of a cohort."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("panel", type=Path)
    parser.add_argument("people", type=int)
    asked = parser.parse_args()
    print(json.dumps(write(asked.folder, asked.panel, asked.people)))


if __name__ == "__main__":
    main()

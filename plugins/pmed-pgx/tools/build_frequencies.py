"""Allele frequencies of the 1000 Genomes panel by super-population, added to published ones (run by hand).

    python build_frequencies.py PANEL_FOLDER PSAM [-o frequencies.tsv]

PANEL_FOLDER holds a VCF a gene (high-coverage panel, GRCh38); PSAM gives each person's super-population. A gene counts
in a super-population only where nearly everybody has one diplotype that rests on no missing key site: leaving out
the rest would bend the frequencies. CYP2D6 is left out, because copy number is not in the panel. Published rows
are kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

import pmed
from pmed_pgx.knowledge import genes, natural
from pmed_pgx.release_tables import RELEASE

COMPUTED = "1000 Genomes high coverage, computed"
RESOLVED = 0.99
# Copy number is not in the panel.
LEFT_OUT = ("CYP2D6",)
KEY = ("gene", "population")


def people(psam: Path) -> pl.DataFrame:
    """``sample`` and ``population`` (super-population) of the panel."""
    read = pl.read_csv(psam, separator="\t", infer_schema=False)
    return read.select(pl.col("#IID").alias("sample"), pl.col("SuperPop").alias("population"))


def counted(called: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Gene, allele, population, frequency and number of chromosomes, of pairs of named alleles that are certain."""
    pairs = [gene.name for gene in genes().values() if gene.kind == "diplotype" and gene.ploidy == "autosome"]
    rows = called.join(groups, on="sample").filter(pl.col("gene").is_in(pairs), ~pl.col("gene").is_in(LEFT_OUT))
    sure = (pl.col("status") == "called") & pl.col("complete") & (pl.col("diplotypes").list.len() == 1)
    enough = sure.mean().over(KEY) >= RESOLVED
    alleles = rows.filter(enough).filter(sure).with_columns(n=2 * pl.len().over(KEY)).select(
        *KEY, "n", pl.col("diplotypes").list.first().str.split("/").alias("allele")).explode(
            "allele", empty_as_null=False)
    shares = alleles.group_by("gene", "allele", "population").agg(count=pl.len(), n=pl.col("n").first())
    return shares.with_columns(frequency=(pl.col("count") / pl.col("n")).round(6))


def main() -> None:
    """Call the panel, count, and write the table with the published rows before the computed ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panel", type=Path)
    parser.add_argument("psam", type=Path)
    default = Path(__file__).parents[1] / "src" / "pmed_pgx" / "data" / "frequencies.tsv"
    parser.add_argument("-o", "--output", type=Path, default=default)
    given = parser.parse_args()
    called = pmed.call(sorted(given.panel.glob("*.vcf.gz"))).tables["gene_results"]
    samples = called if "sample" in called.columns else called.rename({"patient_id": "sample"})
    made = counted(samples, people(given.psam)).with_columns(source=pl.lit(COMPUTED))
    computed = sorted(made.select(RELEASE["frequencies"].names).iter_rows(),
                      key=lambda row: (row[0], natural(row[1]), row[2]))
    published = [line for line in given.output.read_text("utf-8").splitlines() if not line.endswith(COMPUTED)]
    lines = [*published, *("\t".join(map(str, row)) for row in computed)]
    given.output.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""Genotype grids made by hand: sample → site name → genotype in bases. Tests ask for them as fixtures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest

from pmed.tables import TABLES
from pmed_pgx.caller import PgxCaller
from pmed_pgx.knowledge import Gene, Site, genes

Genotypes = Mapping[str, str]

# Everything *1 on GRCh38: REF but for rs3758581, where the reference allele CYP2C19*38 differs from *1.
NORMAL = {"rs3758581": "G/G"}


# Genes whose sites a made person has; those of the others are absent. All of them would make each test slow.
READ = ("CYP2B6", "CYP2C19", "CYP2C9", "CYP3A5", "CYP4F2", "SLCO1B1", "TPMT", "VKORC1")


def all_sites() -> list[tuple[Gene, Site]]:
    return [(gene, site) for gene in genes().values() if gene.name in READ for site in (*gene.sites, *gene.extras)]


def reference(**changed: str) -> dict[str, str]:
    """Every site of the release homozygous REF but for `changed`."""
    plain = {site.name: f"{site.alleles[0]}/{site.alleles[0]}" for _, site in all_sites()}
    return {**plain, **NORMAL, **changed}


def tables(people: Mapping[str, Genotypes], *, build: str = "GRCh38",
           absent: str = "absent") -> dict[str, pl.DataFrame]:
    """``samples`` and ``genotypes`` of those people; "A|G" is phased, "A|G:7" has PS 7, "./." "A/." "A" as they say.

    A site that a person lacks is `absent`; "filtered" is a filtered call.
    """
    rows = sorted(((gene.chrom, *row, site) for gene, site in all_sites() for row in site.rows(build)),
                  key=lambda row: row[:4])
    cells = [{"sample": name, "chrom": chrom, "pos": pos, "ref": ref, "alt": alt,
              **cell(calls.get(site.name), ref, alt, absent)}
             for chrom, pos, ref, alt, site in rows for name, calls in people.items()]
    samples = [{"sample": name, "patient_id": name, "source": "made", "build": build} for name in people]
    return {"samples": TABLES["samples"].frame(samples), "genotypes": TABLES["genotypes"].frame(cells)}


def cell(call: str | None, ref: str, alt: str, absent: str) -> dict[str, object]:
    """One row of the grid from a genotype in bases."""
    if call is None or call in {"absent", "filtered"}:
        state = call or absent
        guessed = {"allele_1": 0, "allele_2": 0, "ploidy": 2} if state == "assumed-reference" else {}
        return {"state": state, **guessed}
    genotype, _, phase_set = call.partition(":")
    phased = "|" in genotype
    bases = genotype.replace("|", "/").split("/")
    codes = [None if base == "." else {ref: 0, alt: 1}.get(base, 2) for base in bases]
    blanks = bases.count(".")
    state = "called" if not blanks else "half-call" if blanks < len(bases) else "no-call"
    return {"allele_1": codes[0], "allele_2": codes[1] if len(codes) > 1 else None, "ploidy": len(codes),
            "phased": phased, "phase_set": int(phase_set) if phase_set else None, "state": state}


@pytest.fixture(scope="session")
def make() -> Callable[..., dict[str, pl.DataFrame]]:
    """People in bases → ``samples`` and ``genotypes``; see `tables`."""
    return tables


@pytest.fixture(scope="session")
def plain() -> Callable[..., dict[str, str]]:
    """One person, *1/*1 everywhere but for the sites named; see `reference`."""
    return reference


@pytest.fixture(scope="session")
def call_one() -> Callable[..., dict[str, Any]]:
    """One person's ``gene_results`` rows by gene."""
    def called(calls: Genotypes, *, build: str = "GRCh38", absent: str = "absent", **options: Any) -> dict[str, Any]:
        made = PgxCaller(**options).run(tables({"someone": calls}, build=build, absent=absent), ())["gene_results"]
        return {row["gene"]: row for row in made.iter_rows(named=True)}
    return called

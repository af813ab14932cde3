"""The embedded knowledge release: what is known of each gene, as facts with their sources.

The tables in ``data/`` are made by ``tools/build_release.py``; positions are 1-based on GRCh38, with the GRCh37
position and reference base where they are published. Adding a gene adds rows, never code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed import Release
from pmed.tables import TABLES

VERSION = "2025.11.2"
DATE = "2025-11-05"
NORMAL, NO_FUNCTION = "Normal function", "No function"
# How functions begin that are as good as the reference's.
UNHARMED = ("Normal", "Class IV", "Favorable", "ivacaftor non-responsive")

Bools = npt.NDArray[np.bool_]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Site:
    """One defining position; ``alleles`` are REF and ALTs on GRCh38, forward strand.

    ``pos37`` and ``ref37`` are position and REF on GRCh37, None where they are not published. ``role`` is "defining",
    "required" (without it the gene is not called) or "extra" (part of no allele, but read by advice).
    """

    name: str
    pos: int
    alleles: tuple[str, ...]
    pos37: int | None
    ref37: str | None
    role: str = "defining"

    def rows(self, build: str) -> list[tuple[int, str, str]]:
        """(position, REF, ALT) of each ALT on `build`; none where the position is not known there."""
        if build == "GRCh38":
            return [(self.pos, self.alleles[0], alt) for alt in self.alleles[1:]]
        if self.pos37 is None or self.ref37 is None:
            return []
        # REF and ALT may be swapped between the builds (rs3758581, rs776746): the bases stay, their roles do not.
        return [(self.pos37, self.ref37, base) for base in self.alleles if base != self.ref37]


@dataclass(frozen=True)
class Gene:
    """One gene: its sites, its named alleles and the rules from allele functions to phenotype.

    ``allowed[a, p, c]`` says whether allele `a` may carry base `c` of site `p`; ``defined[a, p]`` whether the
    definition of `a` names site `p` at all. ``kind`` is "diplotype" (pairs of named alleles), "variants" (lists of
    them, with the phenotype of the lowest function on each strand) or "status" (known from outside calls only, no
    sites). ``ploidy`` is "autosome", "X" or "MT". ``undocumented`` says what a base that no definition knows does to
    the call: "refuse" it or count as "reference". ``extras`` are sites beside the gene's alleles that advice reads.
    ``priorities`` are the sets of unphased diplotypes that a published order decides, with the one to take.
    """

    name: str
    chrom: str
    sites: tuple[Site, ...]
    alleles: tuple[str, ...]
    allowed: Bools
    defined: Bools
    core: Mapping[str, str]
    functions: Mapping[str, str]
    activities: Mapping[str, float]
    by: str
    rules: Mapping[Pair, tuple[str, float | None]]
    key_sites: Mapping[int, tuple[str, ...]]
    source: str
    ploidy: str = "autosome"
    kind: str = "diplotype"
    undocumented: str = "refuse"
    extras: tuple[Site, ...] = ()
    priorities: Mapping[frozenset[str], str] = field(default_factory=dict)
    wobble: Bools = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wobble", self.defined & (self.allowed.sum(axis=2) > 1))


@cache
def natural(name: str) -> tuple[object, ...]:
    """Sort key: numbers by value, ``Reference`` before everything."""
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
    return (name != "Reference", *parts)


def folder() -> Traversable:
    """Where the release's files are."""
    return files("pmed_pgx") / "data"


@cache
def table(name: str) -> pl.DataFrame:
    """One table of the release as text columns; an empty field is null."""
    return pl.read_csv((folder() / f"{name}.tsv").read_bytes(), separator="\t", infer_schema=False, quote_char=None,
                       null_values="")


@cache
def genes() -> dict[str, Gene]:
    """Every gene of the release, by symbol, in alphabetical order."""
    return {row["gene"]: _gene(row) for row in table("genes").iter_rows(named=True)}


def _of(name: str, gene: str) -> pl.DataFrame:
    return table(name).filter(gene=gene)


def _gene(row: dict[str, str]) -> Gene:
    name, read = row["gene"], tuple(_site(site) for site in _of("sites", row["gene"]).iter_rows(named=True))
    sites = tuple(site for site in read if site.role != "extra")
    alleles = _of("alleles", name)
    defined_by = _definitions(name)
    names = tuple(defined_by)
    allowed, defined = _bases(sites, defined_by, row["reference_allele"])
    functions = dict(alleles.drop_nulls("function").select("allele", "function").iter_rows())
    tier1 = set(alleles.filter(tier1="1")["allele"])
    by, rules = _rules(name)
    core = dict(alleles.select("allele", "core").iter_rows())
    return Gene(name, row["chrom"], sites, names, allowed, defined, core, functions, _activities(alleles), by, rules,
                _key_sites(names, allowed, defined, functions, tier1), row["source"], row["ploidy"], row["kind"],
                row["undocumented"], tuple(site for site in read if site.role == "extra"), _priorities(name))


def _priorities(gene: str) -> dict[frozenset[str], str]:
    rows = _of("priorities", gene).select("among", "pick").iter_rows()
    return {frozenset(among.split("|")): pick for among, pick in rows}


def _site(row: dict[str, str | None]) -> Site:
    pos37 = row["pos37"]
    alleles = (str(row["ref"]), *str(row["alts"]).split("|"))
    return Site(str(row["site"]), int(str(row["pos"])), alleles, int(pos37) if pos37 else None, row["ref37"],
                str(row["role"]))


def _definitions(gene: str) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for allele, site, bases in _of("definitions", gene).select("allele", "site", "bases").iter_rows():
        found.setdefault(allele, {})[site] = bases.split("|")
    return found


def _bases(sites: tuple[Site, ...], alleles: dict[str, dict[str, list[str]]], reference: str) -> tuple[Bools, Bools]:
    """Which bases each allele may carry; a site that an allele does not name has the reference allele's base."""
    shape = len(alleles), len(sites), max((len(site.alleles) for site in sites), default=2)
    allowed, defined = np.zeros(shape, dtype=bool), np.zeros(shape[:2], dtype=bool)
    place = {site.name: p for p, site in enumerate(sites)}
    for p, site in enumerate(sites):
        # A wobble in the reference allele stands for the file's REF, not for either base (rule 3).
        blank = alleles[reference][site.name]
        allowed[:, p, site.alleles.index(blank[0]) if len(blank) == 1 else 0] = True
    for a, named in enumerate(alleles.values()):
        for p, bases in ((place[name], bases) for name, bases in named.items() if name in place):
            defined[a, p], allowed[a, p] = True, False
            allowed[a, p, [sites[p].alleles.index(base) for base in bases]] = True
    return allowed, defined


def _activities(alleles: pl.DataFrame) -> dict[str, float]:
    return {name: float(value) for name, value in alleles.select("allele", "activity").drop_nulls().iter_rows()}


def _rules(gene: str) -> tuple[str, dict[Pair, tuple[str, float | None]]]:
    rows = _of("phenotypes", gene)
    rules = {_pair(r["first"], r["second"]): (r["phenotype"], float(r["activity_score"]) if r["activity_score"] else None)
             for r in rows.iter_rows(named=True)}
    return (rows["by"][0] if rows.height else "function"), rules


def _pair(*keys: str | None) -> Pair:
    """A rule's key: functions or activity values in order; a single allele has an empty first one."""
    first, second = sorted(f"{float(key):g}" if key and key[0].isdigit() else key or "" for key in keys)
    return first, second


def _key_sites(names: tuple[str, ...], allowed: Bools, defined: Bools, functions: dict[str, str],
               tier1: set[str]) -> dict[int, tuple[str, ...]]:
    """Sites that tell a tier-1 allele from every allele of normal function, with those tier-1 alleles.

    A wobble decides nothing, and a base that a normal allele carries too (rs3758581 G) says nothing of harm.
    """
    normal = [a for a, name in enumerate(names) if functions.get(name, "").startswith(UNHARMED)]
    found: dict[int, list[str]] = {}
    for a in (names.index(name) for name in sorted(tier1 & set(names), key=natural)):
        for p in np.flatnonzero(defined[a] & ~(allowed[a] & allowed[normal].any(axis=0)).any(axis=1)):
            found.setdefault(int(p), []).append(names[a])
    return {p: tuple(found[p]) for p in sorted(found)}


def sites_table() -> pl.DataFrame:
    """The ``sites`` table of all genes on both builds (1-based, forward strand)."""
    rows = [{"build": build, "chrom": gene.chrom, "pos": pos, "ref": ref, "alt": alt, "site": site.name}
            for gene in genes().values() for site in (*gene.sites, *gene.extras) for build in ("GRCh38", "GRCh37")
            for pos, ref, alt in site.rows(build)]
    return TABLES["sites"].frame(rows)


@cache
def digest() -> str:
    """sha256 over the names and contents of the release's files."""
    total = hashlib.sha256()
    for file in sorted((one for one in folder().iterdir() if one.is_file()), key=lambda one: one.name):
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def release() -> Release:
    """The release as the host records it in every result."""
    names = table("drug_names").select(TABLES["drug_names"].names)
    return Release(name="pmed-pgx-embedded", version=VERSION, date=DATE,
                   licence="CC0-1.0 (CPIC), CC-BY-SA-4.0 (ClinPGx)",
                   source="CPIC and ClinPGx facts: definitions, functions, phenotypes; guideline advice in our words",
                   sha256=digest(), tables={"drug_names": names})

"""From the tables of a release to its genes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from .model import UNHARMED, Bools, Gene, Pair, Site, natural

Rows = dict[str, list[tuple[Any, ...]]]


def assemble(read: Callable[[str], pl.DataFrame]) -> dict[str, Gene]:
    """Every gene of a release, by symbol, in the order of its table; `read` gives a table of text by name."""
    rows = {name: _by_gene(read(name).select(columns)) for name, columns in {
        "sites": ("gene", "site", "role", "pos", "ref", "alts", "pos37", "ref37"),
        "alleles": ("gene", "allele", "core", "function", "activity", "tier1"),
        "definitions": ("gene", "allele", "site", "bases"),
        "phenotypes": ("gene", "by", "first", "second", "phenotype", "activity_score"),
        "priorities": ("gene", "among", "pick")}.items()}
    return {row["gene"]: _gene(row, {name: found.get(row["gene"], []) for name, found in rows.items()})
            for row in read("genes").iter_rows(named=True)}


def _by_gene(frame: pl.DataFrame) -> Rows:
    """Rows without their first field, by it: one pass for all genes."""
    found: Rows = {}
    for gene, *fields in frame.iter_rows():
        found.setdefault(gene, []).append(tuple(fields))
    return found


def _gene(row: Mapping[str, str], rows: Rows) -> Gene:
    read = tuple(_site(fields) for fields in rows["sites"])
    sites = tuple(site for site in read if site.role != "extra")
    defined_by: dict[str, dict[str, list[str]]] = {}
    for allele, site, bases in rows["definitions"]:
        defined_by.setdefault(allele, {})[site] = bases.split("|")
    names, alleles = tuple(defined_by), rows["alleles"]
    allowed, defined = _bases(sites, defined_by, row["reference_allele"])
    functions = {name: function for name, _, function, *_ in alleles if function is not None}
    tier1 = {name for name, *_, first in alleles if first == "1"}
    by, rules = _rules(rows["phenotypes"])
    return Gene(row["gene"], row["chrom"], sites, names, allowed, defined, {name: core for name, core, *_ in alleles},
                functions, {name: float(value) for name, _, _, value, _ in alleles if value is not None}, by, rules,
                _key_sites(names, allowed, defined, functions, tier1), row["source"], row["ploidy"], row["kind"],
                row["undocumented"], tuple(site for site in read if site.role == "extra"),
                {frozenset(among.split("|")): pick for among, pick in rows["priorities"]})


def _site(fields: tuple[Any, ...]) -> Site:
    name, role, pos, ref, alts, pos37, ref37 = fields
    return Site(name, int(pos), (ref, *alts.split("|")), int(pos37) if pos37 else None, ref37, role)


def _bases(sites: tuple[Site, ...], alleles: dict[str, dict[str, list[str]]], reference: str) -> tuple[Bools, Bools]:
    """Which bases each allele may carry; a site that an allele does not name has the reference allele's base."""
    shape = len(alleles), len(sites), max((len(site.alleles) for site in sites), default=2)
    allowed, defined = np.zeros(shape, dtype=bool), np.zeros(shape[:2], dtype=bool)
    place = {site.name: p for p, site in enumerate(sites)}
    codes = [{base: code for code, base in enumerate(site.alleles)} for site in sites]
    for site, bases in alleles.get(reference, {}).items():
        # A wobble in the reference allele stands for the file's REF, not for either base (rule 3).
        allowed[:, place[site], codes[place[site]][bases[0]] if len(bases) == 1 else 0] = True
    carried = [(a, place[site], codes[place[site]][base]) for a, named in enumerate(alleles.values())
               for site, bases in named.items() for base in bases]
    if carried:
        a, p, c = np.array(carried).T
        defined[a, p] = True
        allowed[a, p] = False
        allowed[a, p, c] = True
    return allowed, defined


def _rules(rows: list[tuple[Any, ...]]) -> tuple[str, dict[Pair, tuple[str, float | None]]]:
    rules = {_pair(first, second): (phenotype, float(score) if score else None)
             for _, first, second, phenotype, score in rows}
    return (rows[0][0] if rows else "function"), rules


def _pair(*keys: str | None) -> Pair:
    """A rule's key: functions or activity values in order; a single allele has an empty first one."""
    first, second = sorted(f"{float(key):g}" if key and key[0].isdigit() else key or "" for key in keys)
    return first, second


def _key_sites(names: tuple[str, ...], allowed: Bools, defined: Bools, functions: dict[str, str],
               tier1: set[str]) -> dict[int, tuple[str, ...]]:
    """Sites that tell a tier-1 allele from every allele of normal function, with those tier-1 alleles.

    A wobble decides nothing, and a base that a normal allele carries too (rs3758581 G) says nothing of harm.
    """
    number = {name: a for a, name in enumerate(names)}
    harmless = allowed[[a for a, name in enumerate(names) if functions.get(name, "").startswith(UNHARMED)]].any(axis=0)
    found: dict[int, list[str]] = {}
    for name in sorted(tier1 & set(names), key=natural):
        own = allowed[number[name]]
        for p in np.flatnonzero(defined[number[name]] & ~(own & harmless).any(axis=1)).tolist():
            found.setdefault(p, []).append(name)
    return {p: tuple(found[p]) for p in sorted(found)}

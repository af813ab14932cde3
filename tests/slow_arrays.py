"""The slow, obvious reader of consumer arrays: it says of each site what its cell of ``genotypes`` has to be.

It shares no code with pmed and knows one diploid contig and sites in minimal form only. Each row has an opinion of each
site: the two alleles, "missing" (it was not called), "doubt" (what it shows makes no sense), or none. A doubt makes a
site unknown; else all rows that saw alleles must agree.
"""

from __future__ import annotations

from typing import NamedTuple

PAIRS = {"A": "T", "T": "A", "C": "G", "G": "C"}
ABSENT, UNKNOWN, OPEN = "absent", "unknown", "open"


class Site(NamedTuple):
    pos: int
    ref: str
    alt: str
    name: str

    @property
    def is_base(self) -> bool:
        return len(self.ref) == 1 and len(self.alt) == 1


class Row(NamedTuple):
    name: str
    pos: int
    seen: str  # one or two of ACGTDI-


def cells(rows: list[Row], sites: list[Site]) -> dict[Site, object]:
    """By site: (allele, allele) as numbers of ``genotypes``, ABSENT, UNKNOWN, or OPEN where the rules say nothing."""
    turned = any(looks_turned(row, sites) for row in rows)
    doubts, told, missing = set(), {}, set()
    for row in rows:
        opinion, about = opinion_of(row, sites, turned=turned)
        for site in about:
            if opinion == "doubt":
                doubts.add(site)
            elif opinion == "missing":
                missing.add(site)
            else:
                told.setdefault(site, []).append(opinion)
    return {site: cell(site, doubts, told.get(site, []), missing, rows) for site in sites}


def cell(site: Site, doubts: set[Site], told: list[str], missing: set[Site], rows: list[Row]) -> object:
    if site in doubts:
        return UNKNOWN
    if told:
        if any("-" in one for one in told):
            return OPEN if len(told) > 1 else (None, number(site, told[0].replace("-", "")))
        if len({tuple(sorted(one)) for one in map(tuple, told)}) > 1:
            return UNKNOWN
        return tuple(sorted(number(site, one) for one in told[0]))
    near = any(site.pos - 1 <= row.pos <= site.pos + max(len(site.ref), 2) for row in rows)
    return UNKNOWN if near or site in missing else ABSENT


def number(site: Site, allele: str) -> int:
    """0, 1 or 2; of an insertion or deletion, D is the shorter and I the longer allele."""
    if site.is_base:
        return {site.ref: 0, site.alt: 1}.get(allele, 2)
    return int((allele == "I") == (len(site.alt) > len(site.ref)))


def opinion_of(row: Row, sites: list[Site], *, turned: bool) -> tuple[object, list[Site]]:
    """What a row says, and the sites it is about."""
    bases = [site for site in sites if site.is_base and site.pos == row.pos]
    others = [site for site in sites if not site.is_base and (
        site.pos in (row.pos, row.pos - 1)
        or (site.name == row.name and site.pos <= row.pos < site.pos + max(len(site.ref), 2)))]
    letters = set(row.seen) - {"-"}
    if not letters:
        return "missing", bases + others
    if letters <= set("ACGT"):
        if not bases:
            return "doubt", [site for site in others if site.name == row.name]
        return ("doubt" if senseless(row, bases, sites, turned=turned) else row.seen), bases
    if letters <= set("DI"):
        events = {(site.pos, site.ref, site.alt) for site in others}
        if not others:
            return "doubt", [site for site in bases if site.name == row.name]
        bad = len(events) > 1 or len(others[0].ref) == len(others[0].alt) or len(row.seen) == 1
        return ("doubt" if bad else row.seen), others
    return "doubt", bases + others


def senseless(row: Row, bases: list[Site], sites: list[Site], *, turned: bool) -> bool:
    """A row of bases that cannot be believed: see `pmed.genomics.arrays`."""
    known = {bases[0].ref} | {site.alt for site in bases}
    letters = set(row.seen) - {"-"}
    fits_both = {PAIRS[base] for base in letters} <= known
    longer = any(not site.is_base and len(site.ref) == len(site.alt) and site.pos == row.pos for site in sites)
    return (not letters <= known or len(row.seen) == 1 or (turned and fits_both)
            or (longer and letters != {bases[0].ref}))


def looks_turned(row: Row, sites: list[Site]) -> bool:
    bases = [site for site in sites if site.is_base and site.pos == row.pos]
    letters = set(row.seen) - {"-"}
    if not bases or not letters or not letters <= set("ACGT"):
        return False
    known = {bases[0].ref} | {site.alt for site in bases}
    return not letters <= known and {PAIRS[base] for base in letters} <= known

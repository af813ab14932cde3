"""Alleles as text: minimal form, contig names, and the sites a run asks for.

A variant can be written with any amount of shared sequence around it. Two spellings are the same event
when they trim to the same minimal form (VCF 4.3 specification, section 1.6.1: REF and ALT are padded with
the base before). Shifting an indel through a repeat needs the reference sequence and is not done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import polars as pl

SITE_KEY = ("chrom", "pos", "ref", "alt")
_BASES = re.compile(r"[ACGTN]+")


class Event(NamedTuple):
    """One change of sequence: 1-based position, bases before, bases after."""

    pos: int
    ref: str
    alt: str


class Site(NamedTuple):
    """One row of a ``sites`` table, and the same change in minimal form."""

    chrom: str
    pos: int
    ref: str
    alt: str
    name: str
    event: Event


def trim(pos: int, ref: str, alt: str) -> Event:
    """Minimal form: the common end is cut, then the common start, one base of each is kept.

    >>> trim(100, "CAT", "CATAT")
    Event(pos=100, ref='C', alt='CAT')
    >>> trim(98, "TTA", "TTG")
    Event(pos=100, ref='A', alt='G')
    """
    end = 0
    while end < min(len(ref), len(alt)) - 1 and ref[-1 - end] == alt[-1 - end]:
        end += 1
    ref, alt = ref[: len(ref) - end], alt[: len(alt) - end]
    start = 0
    while start < min(len(ref), len(alt)) - 1 and ref[start] == alt[start]:
        start += 1
    return Event(pos + start, ref[start:], alt[start:])


def is_sequence(allele: str) -> bool:
    """Whether an allele is plain bases: not ``.``, ``*``, symbolic or a breakend."""
    return _BASES.fullmatch(allele) is not None


def with_chr(contig: str) -> str:
    """Contig name with the 'chr' prefix, whatever the file calls it (``10``, ``Chr10``; ``MT`` is ``chrM``)."""
    bare = contig[3:] if contig[:3].lower() == "chr" else contig
    return "chrM" if bare in ("M", "MT") else f"chr{bare}"


@dataclass(frozen=True)
class Sites:
    """The sites of one build, sorted by chrom, pos, ref, alt."""

    build: str
    rows: tuple[Site, ...]

    @classmethod
    def of(cls, table: pl.DataFrame, build: str) -> Sites:
        """The rows of a ``sites`` table for `build`."""
        rows = table.filter(pl.col("build") == build).unique(SITE_KEY, keep="first").sort(SITE_KEY)
        return cls(build, tuple(_site(*row) for row in rows.select(*SITE_KEY, "site").iter_rows()))

    @cached_property
    def at(self) -> dict[str, dict[int, tuple[int, ...]]]:
        """Site numbers by contig and position; a padded site stands at its minimal position too."""
        found: dict[str, dict[int, tuple[int, ...]]] = {}
        for number, site in enumerate(self.rows):
            here = found.setdefault(with_chr(site.chrom), {})
            for pos in {site.pos, site.event.pos}:
                here[pos] = (*here.get(pos, ()), number)
        return found


def positions(sites: Iterable[Sites]) -> dict[str, list[int]]:
    """Sorted positions by contig over all `sites`: what has to be read."""
    found: dict[str, set[int]] = {}
    for one in sites:
        for chrom, here in one.at.items():
            found.setdefault(chrom, set()).update(here)
    return {chrom: sorted(here) for chrom, here in found.items()}


def _site(chrom: str, pos: int, ref: str, alt: str, name: str) -> Site:
    return Site(chrom, pos, ref, alt, name, trim(pos, ref.upper(), alt.upper()))

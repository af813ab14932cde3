"""Alleles as text: minimal form, contig names, and the sites a run asks for.

A variant can be written with any amount of shared sequence around it. Two spellings are the same event
when they trim to the same minimal form (VCF 4.3 specification, section 1.6.1: REF and ALT are padded with
the base before). An indel in a repeat can also stand further right: it is moved left as far as the reference bases
are known, which are those of the two REFs, or any where a reference sequence is given.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple, Protocol

import polars as pl

from ..repeats import unless_repeated
from .contigs import chromosome

# How far to the right of a site its own insertion or deletion may be written, where nobody knows the bases between: the
# repeats of the known sites are shorter (UGT1A1's TA repeat, rs3064744, has 15 bases).
REPEAT = 50
SITE_KEY = ("chrom", "pos", "ref", "alt")
_BASES = re.compile(r"[ACGTN]+")


class Event(NamedTuple):
    """One change of sequence: 1-based position, bases before, bases after."""

    pos: int
    ref: str
    alt: str

    @property
    def is_indel(self) -> bool:
        """A pure insertion or deletion: nothing is left of one allele beside the base before."""
        return len(self.ref) != len(self.alt) and min(len(self.ref), len(self.alt)) == 1 and self.ref[0] == self.alt[0]

    @property
    def change(self) -> tuple[int, str, bool]:
        """Of an insertion or deletion: first base after the anchor, the bases, and whether they are inserted."""
        inserted = len(self.alt) > 1
        return self.pos + 1, (self.alt if inserted else self.ref)[1:], inserted


class Written(Protocol):
    """Anything with a position and the reference bases from there on."""

    @property
    def pos(self) -> int: ...  # noqa: D102

    @property
    def ref(self) -> str: ...  # noqa: D102


class Bases(Protocol):
    """A reference sequence."""

    def base(self, chrom: str, pos: int) -> str:
        """The base at a 1-based position in upper case, "" where it is not known."""
        ...


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
    """A chromosome's name with the 'chr' prefix, whatever the file calls it; any other contig as it is.

    >>> with_chr("10"), with_chr("MT"), with_chr("NC_000010.10"), with_chr("hs37d5")
    ('chr10', 'chrM', 'chr10', 'hs37d5')
    """
    return chromosome(contig)


@dataclass(frozen=True)
class Sites:
    """The sites of one build, sorted by chrom, pos, ref, alt; `reference` knows the bases between them, if given."""

    build: str
    rows: tuple[Site, ...]
    reference: Bases | None = None

    @classmethod
    def of(cls, table: pl.DataFrame, build: str, reference: Bases | None = None) -> Sites:
        """The rows of a ``sites`` table for `build`."""
        rows = (table.lazy().filter(pl.col("build") == build).unique(SITE_KEY, keep="first")
                .sort(SITE_KEY).select(*SITE_KEY, "site").collect())
        return cls(build, tuple(_site(*row) for row in rows.iter_rows()), reference)

    @cached_property
    def _spans(self) -> dict[str, tuple[list[tuple[int, int, int]], int]]:
        """By contig: (first, last, number) of each site in order, and the longest span."""
        found: dict[str, list[tuple[int, int, int]]] = {}
        for number, site in enumerate(self.rows):
            found.setdefault(with_chr(site.chrom), []).append((*self._span(site), number))
        return {chrom: (sorted(spans), max(last - first for first, last, _ in spans)) for chrom, spans in found.items()}

    def _span(self, site: Site) -> tuple[int, int]:
        """First and last position that a record of the site's change may touch: an indel may be moved."""
        first, last = site.pos, site.pos + len(site.ref) - 1
        if site.event.is_indel:
            base_at = self.base_at(site.chrom, site)
            # One more at each end: a record that adjoins tells the bases there.
            first = min(first, leftmost(site.event, base_at).pos) - 1
            last = max(last, rightmost(site.event, base_at), last + REPEAT if self.reference is None else 0) + 1
        return first, last

    @cached_property
    def spans(self) -> dict[str, list[tuple[int, int]]]:
        """(first, last) position of each site by contig, in order: what has to be read."""
        return {chrom: [span[:2] for span in spans] for chrom, (spans, _) in self._spans.items()}

    def touching(self, chrom: str, first: int, last: int) -> list[int]:
        """Numbers of the sites with a position from `first` to `last`."""
        spans, longest = self._spans.get(chrom, ([], 0))
        start = bisect_left(spans, (first - longest, 0, 0))
        stop = bisect_left(spans, (last + 1, 0, 0))
        return sorted(number for _, end, number in spans[start:stop] if end >= first)

    def base_at(self, chrom: str, *alleles: Written) -> Callable[[int], str]:
        """The reference base at a position, "" where nobody knows it: by `reference`, else by REF of `alleles`."""
        if self.reference is not None:
            return partial(self.reference.base, with_chr(chrom))
        known = {one.pos + i: base for one in alleles for i, base in enumerate(one.ref.upper()) if base != "N"}
        return lambda pos: known.get(pos, "")


# A cohort asks for the same ones chunk by chunk.
@unless_repeated
def sites_of(table: pl.DataFrame, build: str) -> Sites:
    """The rows of a ``sites`` table for `build`."""
    return Sites.of(table, build)


def positions(sites: Iterable[Sites]) -> dict[str, list[int]]:
    """Sorted positions by contig over all `sites`: what has to be read."""
    found: dict[str, set[int]] = {}
    for one in sites:
        for chrom, spans in one.spans.items():
            found.setdefault(chrom, set()).update(pos for first, last in spans for pos in range(first, last + 1))
    return {chrom: sorted(here) for chrom, here in found.items()}


def leftmost(event: Event, base_at: Callable[[int], str]) -> Event:
    """An insertion or deletion moved left as far as the bases are known (Tan et al. 2015, PMID:25701572).

    The anchor base before it is written N, so that two spellings of one event are equal. Other events stay.

    >>> leftmost(Event(103, "TAT", "T"), {100: "C", 101: "A", 102: "T"}.get)
    Event(pos=100, ref='NAT', alt='N')
    """
    if not event.is_indel:
        return event
    start, bases, inserted = event.change
    while (before := base_at(start - 1)) and before == bases[-1]:
        start, bases = start - 1, before + bases[:-1]
    return Event(start - 1, "N", "N" + bases) if inserted else Event(start - 1, "N" + bases, "N")


def rightmost(event: Event, base_at: Callable[[int], str]) -> int:
    """The last position at which an insertion or deletion may be anchored, as far as the bases are known."""
    start, bases, inserted = event.change
    after = start if inserted else start + len(bases)
    while (base := base_at(after)) and base == bases[0]:
        after, bases = after + 1, bases[1:] + base
    return after - 1 if inserted else after - len(bases) - 1


def may_be_moved(one: Event, site: Event, base_at: Callable[[int], str]) -> bool:
    """Whether an insertion or deletion may be a change of the site's own repeat, written further right.

    Both as `leftmost` leaves them: it is so where the unit is the same and the base that would tell is not known.

    >>> may_be_moved(Event(114, "N", "NTA"), Event(100, "NAT", "N"), lambda pos: "")
    True
    """
    if not (one.is_indel and site.is_indel) or not 0 < one.pos - site.pos <= REPEAT or base_at(one.pos):
        return False
    mine, theirs = (_unit(event.change[1]) for event in (one, site))
    return len(mine) == len(theirs) and mine in theirs * 2


def _unit(bases: str) -> str:
    """The shortest text of which the bases are repeats."""
    return bases[:(bases * 2).index(bases, 1)]


def _site(chrom: str, pos: int, ref: str, alt: str, name: str) -> Site:
    return Site(chrom, pos, ref, alt, name, trim(pos, ref.upper(), alt.upper()))

"""Which record says something of which site.

==========  ==================================================================================================
exact       an ALT of the record trims to the site's own change: that ALT is 1, other ALTs are 2, REF is 0
covering    no such ALT, but the record stands at the site's position, its REF agrees and covers the site's
            minimal REF: 0 is REF there, every ALT is 2
sibling     it stands there and agrees, but covers too little to vouch for REF; it is exact for another ALT of
            the same site, so a strand that carries that ALT carries 2 here
blocking    the site was looked at but nothing can be said of it: the record is an upstream one that reaches over
            the site, or covers it in part. It only keeps absence from being taken for reference
mismatch    it stands there and its REF contradicts the site's: it is discarded with an issue
==========  ==================================================================================================
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .alleles import Site, Sites, is_sequence, trim
from .builds import Evidence
from .records import Record

INFORMING = ("exact", "covering")


@dataclass(frozen=True)
class Link:
    """One record's word on one site; `codes` by the record's allele number, unknown (-1) last."""

    site: int
    record: int
    kind: str
    codes: NDArray[np.int8]


def link(records: Sequence[Record], sites: Sites) -> list[Link]:
    """All links between records and sites, in the order of the records."""
    links = [_link(record, number, sites.rows[site], site)
             for number, record in enumerate(records) for site in _touched(record, sites)]
    exact = {(one.record, _place(sites.rows[one.site])) for one in links if one.kind == "exact"}
    return [one if one.kind != "partial" else _settle(one, (one.record, _place(sites.rows[one.site])) in exact)
            for one in links]


def evidence(records: Sequence[Record], sites: Sites) -> Evidence:
    """How well the records fit these sites; see ``Evidence``."""
    links = link(records, sites)
    matches = {one.record for one in links
               if one.kind == "exact" or _same_name(records[one.record], sites.rows[one.site])}
    return Evidence(len(matches), len({one.record for one in links if one.kind == "mismatch"} - matches))


def _touched(record: Record, sites: Sites) -> Iterator[int]:
    """Numbers of the sites at positions the record's REF covers, each once."""
    here = sites.at.get(record.chrom, {})
    if len(record.ref) == 1:
        yield from here.get(record.pos, ())
        return
    order = sorted(here)
    covered = order[bisect_left(order, record.pos):bisect_right(order, record.end)]
    yield from dict.fromkeys(site for pos in covered for site in here[pos])


def _link(record: Record, number: int, site: Site, index: int) -> Link:
    own = [is_sequence(alt) and trim(record.pos, record.ref, alt) == site.event for alt in record.alts]
    codes = np.array([0, *(1 if same else 2 for same in own), -1], np.int8)
    return Link(index, number, _kind(record, site, exact=any(own)), codes)


def _kind(record: Record, site: Site, *, exact: bool) -> str:
    refs = [ref for pos, ref in ((site.pos, site.ref.upper()), site.event[:2]) if pos == record.pos]
    if any(not (ref.startswith(record.ref) or record.ref.startswith(ref)) for ref in refs):
        return "mismatch"
    if exact:
        return "exact"
    if not refs:
        return "blocking"
    covers = record.end >= site.event.pos + len(site.event.ref) - 1
    return "covering" if covers else "partial"


def _settle(one: Link, sibling: bool) -> Link:
    return Link(one.site, one.record, "sibling" if sibling else "blocking", one.codes)


def _place(site: Site) -> tuple[str, int, str]:
    return site.chrom, site.pos, site.ref


def _same_name(record: Record, site: Site) -> bool:
    return site.name in record.ids and record.pos == site.pos and record.ref == site.ref.upper()

"""What one record says of one site: for each of its alleles REF, the site's own ALT, or something else there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .alleles import Event, Site, Sites, is_sequence, trim
from .records import Record

REF, ALT, OTHER, UNKNOWN = 0, 1, 2, -1


class Said(NamedTuple):
    """A record that informs a site.

    `codes` has one entry for REF and each ALT of the record; `direct` when the record has the site's own change.
    """

    site: int
    codes: tuple[int, ...]
    direct: bool


class Contradiction(NamedTuple):
    """A record at a site's position whose REF is not the site's."""

    site: int


class Reaching(NamedTuple):
    """An upstream record whose REF spans a site: it does not inform the site, but absence is not reference there."""

    site: int
    codes: tuple[int, ...]


Heard = Said | Contradiction | Reaching


def matched(record: Record, sites: Sites) -> Iterator[Heard]:
    """What `record` says of each site its REF span touches.

    A record informs a site when one of its ALTs is the same event after trimming, or when it stands at the site's
    position with a REF that covers the site's REF. An allele elsewhere in a long record leaves the site REF; any
    change that touches the site's own bases is OTHER. A record at the site's position that covers only part of its
    REF cannot vouch for REF, yet a change that touches the site is OTHER (``C>CAT`` beside ``CAT>C``, rs3064744).
    """
    events = [_event(record, alt) for alt in record.alts]
    for number in _candidates(record, sites):
        site = sites.rows[number]
        own = [event is not None and event == site.event for event in events]
        yield _heard(number, record, site, own, _codes(events, site, own))


def _heard(number: int, record: Record, site: Site, own: list[bool], codes: tuple[int, ...]) -> Heard:
    here = [ref for pos, ref in {(site.pos, site.ref.upper()), site.event[:2]} if pos == record.pos]
    if any(not (record.ref.startswith(ref) or ref.startswith(record.ref)) for ref in here):
        return Contradiction(number)
    if any(own):
        return Said(number, codes, direct=True)
    if not here:
        return Reaching(number, codes)
    covers = record.end >= site.event.pos + len(site.event.ref) - 1
    return Said(number, codes if covers else tuple(UNKNOWN if c == REF else c for c in codes), direct=False)


def _candidates(record: Record, sites: Sites) -> list[int]:
    here = sites.at.get(record.chrom, {})
    return sorted({number for pos in range(record.pos, record.end + 1) for number in here.get(pos, ())})


def _event(record: Record, alt: str) -> Event | None:
    return trim(record.pos, record.ref, alt) if is_sequence(alt) and is_sequence(record.ref) else None


def _codes(events: list[Event | None], site: Site, own: list[bool]) -> tuple[int, ...]:
    return (REF, *(ALT if mine else OTHER if event is None or touches(event, site.event) else REF
                   for event, mine in zip(events, own, strict=True)))


def touches(one: Event, two: Event) -> bool:
    """Whether two changes cannot both be written on the same bases.

    >>> touches(Event(100, "CT", "C"), Event(100, "C", "A"))    # a deletion leaves its first base as it is
    False
    >>> touches(Event(100, "C", "G"), Event(100, "C", "A"))
    True
    """
    (first, last), (start, end) = _changed(one), _changed(two)
    if first > last and start > end:
        return first == start
    return max(first, start) <= min(last, end) or _inserts(first, last, start, end) or _inserts(start, end, first, last)


def _inserts(point: int, before: int, start: int, end: int) -> bool:
    """An insertion between `before` and `point` lies in, or right before, the bases start to end."""
    return point > before and start <= point <= end


def _changed(event: Event) -> tuple[int, int]:
    """First and last base that the change replaces; an insertion has its last before its first."""
    anchored = event.ref[0] == event.alt[0]
    return event.pos + anchored, event.pos + len(event.ref) - 1

"""What one record says of one site: for each of its alleles REF, the site's own ALT, or something else there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .alleles import Event, Site, Sites, is_sequence, leftmost, may_be_moved, trim
from .records import ANY_OTHER, Record
from .syntax import is_alt, is_base_text

REF, ALT, OTHER, UNKNOWN = 0, 1, 2, -1
_GONE, _UNSURE, _MORE = "gone", "unsure", "more"
# What symbolic alleles (VCF 4.5, section 1.4.5) leave of a base that they go over; of any other nobody knows. ``<CN0>``
# to ``<CN9>`` are the copies on one strand, as 1000 Genomes writes them.
_FATES = {"<DEL": _GONE, "<DUP": _MORE, "<INS": "", "<INV": "", "<BND": "", "<TRA": "", "<CTX": ""}
SPANNED = "<*:DEL>"  # what older versions of GATK write for ``*``
_COPIES = re.compile(r"<CN(\d+)>")


class Said(NamedTuple):
    """A record that informs a site.

    `codes` has one entry for REF and each ALT of the record, `changes` what tells one OTHER from another; `direct`
    when the record has the site's own change.
    `part` are the first and last position of the site's REF that the record covers, where that is not all of it:
    such a record cannot vouch for REF alone.
    """

    site: int
    codes: tuple[int, ...]
    changes: tuple[object, ...]
    direct: bool
    part: tuple[int, int] | None = None

    @property
    def alone(self) -> tuple[int, ...]:
        """The codes, as far as this record alone can tell."""
        return self.codes if self.part is None else tuple(UNKNOWN if code == REF else code for code in self.codes)


class Contradiction(NamedTuple):
    """A record at a site's position whose REF is not the site's."""

    site: int


class Reaching(NamedTuple):
    """A record that reaches a site without informing it; absence is not reference there.

    Each 0 or 1 for each allele: `gone` are those that leave another base or none at the site (a deletion from further
    up), `unsure` those of which nobody knows what they leave there (a copy number, ``*`` over several bases), `more`
    those that add copies of it. One that is `moved` stands behind the site, and may be the site's own change.
    """

    site: int
    codes: tuple[int, ...]
    gone: tuple[int, ...]
    unsure: tuple[int, ...]
    more: tuple[int, ...]
    moved: bool = False


Heard = Said | Contradiction | Reaching


def matched(record: Record, sites: Sites) -> Iterator[Heard]:
    """What `record` says of each site that it reaches.

    A record informs a site when one of its ALTs is the same event, however it is padded and, for an indel in a repeat,
    wherever it is placed; or when it stands at the site's position, or is a block of reference over it. An allele
    elsewhere in a long record leaves the site REF; any change that touches the site's own bases is OTHER. A record
    that covers only a part of the site's REF cannot vouch for REF, yet a change that touches the site is OTHER
    (``C>CAT`` beside ``CAT>C``, rs3064744).
    """
    for number in sites.touching(record.chrom, record.pos, record.last):
        site = sites.rows[number]
        # Only beside another indel does it matter where in its repeat one stands: a base elsewhere is not touched.
        base_at = sites.base_at(record.chrom, site, record) if site.event.is_indel else _unmoved
        events = [_event(record, alt, base_at) for alt in record.alts]
        event = leftmost(site.event, base_at)
        heard = _heard(number, record, site, event, events) or _moved(number, event, events, base_at)
        if heard is not None:
            yield heard


def _unmoved(_: int) -> str:
    """No base is known, so that nothing is moved."""
    return ""


def _heard(number: int, record: Record, site: Site, event: Event, events: list[Event | None]) -> Heard | None:
    """What one record says of one site; None where it ends before the site's own bases, or begins behind them."""
    if not _agree(record, site):
        return Contradiction(number)
    codes = (REF, *(_code(one, event, site, record, alt) for one, alt in zip(events, record.alts, strict=True)))
    changes = (None, *(_change(one, site, record, alt) for one, alt in zip(events, record.alts, strict=True)))
    if ALT in codes:
        return Said(number, codes, changes, direct=True)
    moved_here = any(one is not None and one.pos == event.pos for one in events)
    first, last = site.event.pos, site.event.pos + len(site.event.ref) - 1
    covered = max(first, record.pos), min(last, record.last if record.is_reference else record.end)
    named_here = record.is_reference or (record.pos in (site.pos, site.event.pos) and not record.is_segment)
    if not moved_here and (not named_here or covered[0] > covered[1]):
        overlaps = record.pos <= last and record.last >= first
        return _reaching(number, record, codes, events) if overlaps else None
    return Said(number, codes, changes, direct=False, part=None if covered == (first, last) else covered)


def _agree(record: Record, site: Site) -> bool:
    """Whether the two REFs have the same bases where they overlap; N may be any."""
    first, last = max(record.pos, site.pos), min(record.end, site.pos + len(site.ref) - 1)
    one, two = (each.ref.upper()[first - each.pos:last + 1 - each.pos] for each in (record, site))
    return is_base_text(record.ref) and (
        first > last or one == two or all(a == b or "N" in (a, b) for a, b in zip(one, two, strict=True)))


def _event(record: Record, alt: str, base_at: Callable[[int], str]) -> Event | None:
    if not (is_sequence(alt) and is_sequence(record.ref)):
        return None
    return leftmost(trim(record.pos, record.ref, alt), base_at)


def _code(one: Event | None, event: Event, site: Site, record: Record, alt: str) -> int:
    """REF, ALT, OTHER or UNKNOWN for one ALT of a record."""
    if one is None:
        return UNKNOWN if not is_alt(alt) else REF if _is_beside(site, record, alt) else OTHER
    if one == event:
        return ALT
    if "N" in alt and touches(one, event):
        return UNKNOWN
    if (place := _place(site, record, alt)) is not None:
        return REF if alt[place] == record.ref[place] else ALT if alt[place] == site.event.alt else OTHER
    return OTHER if touches(one, event) else REF


def _is_beside(site: Site, record: Record, alt: str) -> bool:
    """Whether a symbolic change begins behind the site: POS is the base before it (VCF 4.3, section 1.6.1).

    Right behind a longer site it does not count as beside: in a repeat it may be the site's own deletion, put right.
    """
    structural = alt.startswith("<") and alt not in (*ANY_OTHER, SPANNED)
    start, ref, to = site.event
    return structural and (start + len(ref) <= record.pos or (start == record.pos and len(ref) == len(to) == 1))


def _moved(number: int, event: Event, events: list[Event | None], base_at: Callable[[int], str]) -> Reaching | None:
    """A record behind a site of which nobody knows whether its change is one of the site's own repeat."""
    moved = (0, *(int(one is not None and may_be_moved(one, event, base_at)) for one in events))
    if not any(moved):
        return None
    nothing = (0,) * len(moved)
    return Reaching(number, tuple(UNKNOWN if one else REF for one in moved), nothing, moved, nothing, moved=True)


def _reaching(number: int, record: Record, codes: tuple[int, ...], events: list[Event | None]) -> Reaching:
    """What becomes of the site's base with each allele; one that does not touch it leaves it there."""
    fates = ["", *("" if code == REF else _fate(one, alt)
                   for code, one, alt in zip(codes[1:], events, record.alts, strict=True))]
    gone, unsure, more = (tuple(int(fate == name) for fate in fates) for name in (_GONE, _UNSURE, _MORE))
    return Reaching(number, codes, gone, unsure, more)


def _fate(event: Event | None, alt: str) -> str:
    """Of an insertion or inversion the base stays, and a translocation has its place at POS alone."""
    if event is not None:
        return "" if event.is_indel and event.change[2] else _GONE if is_base_text(alt) and "N" not in alt else _UNSURE
    if copies := _COPIES.match(alt):
        return _GONE if copies[1] == "0" else _MORE if copies[1] != "1" else ""
    return next((fate for start, fate in _FATES.items() if alt.startswith(start)), _UNSURE)


def _change(one: Event | None, site: Site, record: Record, alt: str) -> object:
    """What tells the change of one ALT from others at the site."""
    place = _place(site, record, alt)
    return (record.pos, alt) if one is None else one if place is None else (site.event.pos, alt[place])


def _place(site: Site, record: Record, alt: str) -> int | None:
    """Index of a one-base site in alleles of equal length: of several bases changed at once each counts by itself."""
    place = site.event.pos - record.pos
    single = len(site.event.ref) == len(site.event.alt) == 1
    return place if single and is_base_text(alt) and len(alt) == len(record.ref) and 0 <= place < len(alt) else None


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

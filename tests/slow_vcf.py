"""The slow, obvious VCF reader: one sample, one record, one site at a time. It shares no code with pmed.

It reads *valid* text only, and says of each site and sample what its cell of ``genotypes`` has to be:

1. A change is what is left when the shared end, then the shared start (up to one base) are cut. An insertion or
   deletion is then put as far left as the bases that are known (REF of the site and of the record) leave it the same,
   where the site is one.
2. A record *names* a site when one of its ALTs is the site's change; for a site of one base, also when it changes as
   many bases as it has and among them that one. It stands *beside* a site when it, or one of its changes, starts where
   the site or its change does, or when it is a reference block over it; it *reaches* a site when it only goes over it.
   A REF that is not the site's where both have bases is *refused*. A record that does not cover the site's REF cannot
   vouch for REF, except that several such records together can, if they are reference all.
3. A record of reference (no ALT but ``<NON_REF>`` or ``<*>``) vouches from POS to its end, or END or LEN. A call of
   nothing but REF on no reads (DP or MIN_DP 0) or of GQ 0 is unknown.
4. A call that fails a filter, and names the site or changes it, makes the cell filtered, whatever others say. Where a
   record names the site, what those beside it say of REF does not count. The records are then laid on each other in
   every way, turned around where phase does not forbid it, such that a strand carries one change at most and no record
   says REF where its own change is. No such way is a contradiction; of several ways to different cells only the allele
   that they share is known.
"""

from __future__ import annotations

import itertools
import re
from math import log10
from typing import Any, NamedTuple

REF, OWN, OTHER = 0, 1, 2
STATES = ("called", "half-call", "no-call", "filtered", "absent")
OPEN = None  # a cell that the rules leave open
ANY_OTHER = {"<NON_REF>", "<*>"}
REPEAT = 50  # so far to the right of a site its own insertion or deletion may be written
MOST = 3  # of more records (or as many, not all phased) phase may be given up where one could still see it


class Site(NamedTuple):
    """A site asked for: contig with 'chr', 1-based position, alleles."""

    chrom: str
    pos: int
    ref: str
    alt: str


class Record(NamedTuple):
    """One line, split."""

    chrom: str
    pos: int
    ref: str
    alts: list[str]
    filter: str | None
    info: dict[str, str]
    keys: list[str]
    cells: list[str]


class Change(NamedTuple):
    """The bases removed from `pos` on, and those put there; not `plain`: an ALT that is no sequence."""

    pos: int
    removed: str
    added: str
    plain: bool = True


THE_SITE_S = Change(0, "", "the site's own")


class Call(NamedTuple):
    """One sample of one record; alleles are numbers, None unknown."""

    alleles: list[int | None]
    phased: bool
    phase_set: int | None
    dp: int | None
    gq: int | None
    failed: bool
    ploidy: int | None


class Said(NamedTuple):
    """What one record says of one site for one sample.

    A strand is None (unknown), "REF", or the change that it carries.
    """

    names: bool
    strands: list[Any]
    call: Call
    state: str
    filter: str | None
    knows: set[Change]


ALL = ("alleles", "ploidy", "phased", "phase_set", "dp", "gq", "filter", "state")
STRANDS = ("alleles", "ploidy", "phased", "state")


class Cell(NamedTuple):
    """A row of ``genotypes``.

    `told` are the columns that the rules settle; `ordered` says whether the strands have an order, None that they have
    one which need not be seen (several records).
    """

    alleles: tuple[int | None, int | None]
    ploidy: int | None
    phased: bool
    phase_set: int | None
    dp: int | None
    gq: int | None
    filter: str | None
    state: str
    ordered: bool | None = True
    told: tuple[str, ...] = ALL

    def differs(self, row: dict[str, Any]) -> list[str]:
        """The columns in which a row of ``genotypes`` is another one."""
        theirs = {**row, "alleles": (row["allele_1"], row["allele_2"])}
        mine = self._asdict()
        if not self.ordered and not (self.ordered is None and row["phased"]):
            mine["alleles"], theirs["alleles"] = (sorted(one["alleles"], key=str) for one in (mine, theirs))
        return [f"{name}: {theirs[name]}, expected {mine[name]}" for name in self.told if theirs[name] != mine[name]]


ABSENT = Cell(alleles=(None, None), ploidy=None, phased=False, phase_set=None, dp=None, gq=None, filter=None,
              state="absent")
ASSUMED = ABSENT._replace(state="assumed-reference")


def parse(text: str) -> tuple[list[str], list[Record]]:
    """Sample names and records of a valid VCF text."""
    names: list[str] = []
    records = []
    for line in text.splitlines():
        columns = line.split("\t")
        if columns[0] == "#CHROM":
            names = columns[9:]
        elif line and not line.startswith("#"):
            records.append(_record(columns))
    return names, records


def _record(columns: list[str]) -> Record:
    chrom, pos, _, ref, alts, _, flt, info = columns[:8]
    pairs = dict(pair.partition("=")[::2] for pair in info.split(";"))
    return Record(contig(chrom), int(pos), ref.upper(), [] if alts == "." else alts.upper().split(","),
                  None if flt == "." else flt, pairs, columns[8].split(":") if len(columns) > 8 else [], columns[9:])


def contig(name: str) -> str:
    """``10``, ``Chr10`` and ``chr10`` are one contig; so are ``MT`` and ``chrM``. Other names stay as they are."""
    bare = re.sub("^chr", "", name, flags=re.IGNORECASE)
    if bare in {"M", "MT"}:
        return "chrM"
    return "chr" + bare if bare in {*map(str, range(1, 23)), "X", "Y"} else name


def call_of(record: Record, column: int) -> Call:
    """The call of one sample; what the cell leaves out is unknown, and so is a call on no evidence."""
    values = dict(zip(record.keys, record.cells[column].split(":"), strict=False))
    text = values.get("GT", ".")
    marks = re.findall(r"[/|]", text)
    alleles = [None if part == "." else int(part) for part in re.split(r"[/|]", text.lstrip("/|"))]
    depths = [depth for key in ("DP", "MIN_DP") if (depth := _whole(values, key)) is not None]
    dp, gq = min(depths, default=None), _whole(values, "GQ")
    if gq is None:
        gq = _sure(values, alleles)
    ploidy = None if alleles == [None] else len(alleles)
    copies = sum(allele is not None for allele in alleles[:2])
    if (dp is not None and dp < copies) or (gq is not None and gq <= 3):
        alleles = [None] * len(alleles)
    return Call(alleles, len(alleles) > 1 and set(marks) == {"|"}, _whole(values, "PS"), dp, gq,
                values.get("FT", ".") not in {".", "", "PASS"}, ploidy)


def _sure(values: dict[str, str], alleles: list[int | None]) -> int | None:
    """What GP, DS, PL or GL make of a call without GQ, in phred; the first of them that tells."""
    known = [allele for allele in alleles if allele is not None]
    if len(known) < len(alleles) or len(known) > 2:
        return None
    place = max(known) * (max(known) + 1) // 2 + min(known) if len(known) == 2 else known[0]
    found = [_by_posterior(_floats(values.get("GP", "")), place), _by_dosage(values.get("DS", ""), known),
             _by_likelihood([-one for one in _floats(values.get("PL", ""))], place),
             _by_likelihood([10 * one for one in _floats(values.get("GL", ""))], place)]
    told = next((one for one in found if one is not None), None)
    return None if told is None else int(min(max(told, 0), 99) + 1e-6)


def _floats(text: str) -> list[float]:
    return [float(part) for part in text.split(",") if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", part)]


def _phred(error: float) -> float:
    return -10 * log10(min(max(error, 1e-12), 1))


def _by_posterior(each: list[float], place: int) -> float | None:
    sound = bool(each) and abs(sum(each) - 1) <= 0.05 and min(each) >= 0 and place < len(each)
    return _phred(1 - each[place]) if sound else None


def _by_dosage(text: str, known: list[int]) -> float | None:
    dosage = _floats(text)
    return _phred(abs(dosage[0] - sum(allele > 0 for allele in known))) if len(dosage) == 1 else None


def _by_likelihood(each: list[float], place: int) -> float | None:
    """By how many phred the call is likelier than the next; nothing where none of them is likely."""
    if len(each) < 2 or place >= len(each) or max(each) < -5:
        return None
    best, second = sorted(each, reverse=True)[:2]
    return each[place] - (second if each[place] == best else best)


def _whole(values: dict[str, str], key: str) -> int | None:
    text = values.get(key, ".")
    return int(text) if text.isdigit() else None


def is_bases(allele: str) -> bool:
    """Whether an allele is plain sequence."""
    return allele != "" and set(allele) <= set("ACGTN")


def trimmed(pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """The change without what REF and ALT share."""
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


def change(one: tuple[int, str, str], known: dict[int, str]) -> Change:
    """First base, bases removed, bases put in; an insertion or deletion stands as far left as `known` bases allow."""
    pos, ref, alt = trimmed(*one)
    if ref[0] != alt[0]:
        return Change(pos, ref, alt)
    first = Change(pos + 1, ref[1:], alt[1:])
    if not known:
        return first
    start = pos
    while start in known:
        start -= 1
    run = "".join(known[at] for at in range(start + 1, pos + len(ref)))
    places = [Change(at, first.removed and run[at - start - 1:][:len(first.removed)],
                     first.added and applied(first, start, run)[at - start - 1:][:len(first.added)])
              for at in range(start + 1, pos + 2)]
    return next(place for place in places if applied(place, start, run) == applied(first, start, run))


def applied(one: Change, start: int, run: str) -> str:
    """The bases after `start` with a change made."""
    at = one.pos - start - 1
    return run[:at] + one.added + run[at + len(one.removed):]


def footprint(one: Change) -> tuple[set[int], int | None]:
    """The bases that a change replaces, and the base that an insertion stands before."""
    bases = set(range(one.pos, one.pos + len(one.removed)))
    return bases, None if bases else one.pos


def meets(one: Change, two: Change) -> bool:
    """Whether two changes cannot both be on one strand; nothing fits beside what is not plain sequence."""
    if not one.plain or not two.plain:
        return True
    (bases, before), (others, next_to) = footprint(one), footprint(two)
    return bool(bases & others) or before in others or next_to in bases or (before is not None and before == next_to)


def bases_of(*written: tuple[int, str]) -> dict[int, str]:
    """The reference bases that some (position, REF) tell."""
    return {pos + i: base for pos, ref in written for i, base in enumerate(ref) if base != "N"}


def own_change(record: Record, site: Site) -> Change:
    """The site's change, where the record's REF helps to place it."""
    return change(site[1:], bases_of((record.pos, record.ref), (site.pos, site.ref)))


def alt_change(record: Record, site: Site, alt: str) -> Change:
    """What one ALT changes; at a site of one base, only what becomes of that base."""
    if not is_bases(alt) or not is_bases(record.ref):
        return Change(record.pos, "", alt, plain=False)
    pos, ref, to = trimmed(*site[1:])
    at = pos - record.pos
    if len(ref) == len(to) == 1 and len(record.ref) == len(alt) and 0 <= at < len(alt):
        return Change(pos, record.ref[at], alt[at])
    return placed(record, site, alt)


def placed(record: Record, site: Site, alt: str) -> Change:
    """All that one ALT changes; it is moved only beside a site that can be moved."""
    own = change(site[1:], {})
    known = bases_of((record.pos, record.ref), (site.pos, site.ref)) if "" in {own.removed, own.added} else {}
    return change((record.pos, record.ref, alt), known)


def starts(one: Change) -> int:
    """Where a change is written: an insertion or deletion at the base before it."""
    return one.pos - 1 if one.plain and "" in {one.removed, one.added} else one.pos


def last(record: Record) -> int:
    """The last base of which a record speaks: of a symbolic ALT, or none, INFO may tell."""
    end = record.pos + len(record.ref) - 1
    if record.alts and not any(alt.startswith("<") for alt in record.alts):
        return end
    if record.info.get("END", "").isdigit():
        return max(end, int(record.info["END"]))
    lengths = record.info.get("SVLEN", "0").split(",")
    return max(end, record.pos + max(abs(int(length)) for length in lengths))


def is_reference(record: Record) -> bool:
    """It has no change of its own to tell, as the blocks of a gVCF."""
    return set(record.alts) <= ANY_OTHER


def anchored(site: Site, alt: str, pos: int) -> bool:
    """Whether a structural change begins behind a site: it is written after it, or at its one base."""
    start, ref, to = trimmed(*site[1:])
    behind = start + len(ref) <= pos or (start == pos and len(ref) == len(to) == 1)
    return alt.startswith("<") and alt not in ANY_OTHER and behind


def relation(record: Record, site: Site) -> str:
    """How a record stands to a site: names, beside, reaches, refused or nothing."""
    start, ref, _ = trimmed(*site[1:])
    own = own_change(record, site)
    first, end = reach(site)
    if record.chrom != contig(site.chrom) or last(record) < first or record.pos > end:
        return "nothing"
    one, two = bases_of((record.pos, record.ref)), bases_of((site.pos, site.ref))
    if any(one[at] != two[at] for at in one.keys() & two.keys()):
        return "refused"
    if any(alt_change(record, site, alt) == own for alt in record.alts):
        return "names"
    here = is_bases(record.ref) and any(starts(placed(record, site, alt)) == starts(own)
                                        for alt in record.alts if is_bases(alt))
    if here or (covers(record, site) and (is_reference(record) or record.pos in {site.pos, start})):
        return "beside"
    here = range(start, start + len(ref))
    return "reaches" if any(record.pos <= at <= last(record) for at in here) else "nothing"


def reach(site: Site) -> tuple[int, int]:
    """First and last position that a record about the site may touch: an insertion or deletion may be moved."""
    start, end = site.pos, site.pos + len(site.ref) - 1
    first = change(site[1:], bases_of((site.pos, site.ref)))
    if "" not in {first.removed, first.added}:
        return start, end
    moved = [at for at in range(start, end + 2)
             if applied(first, start - 1, site.ref) == applied(_at(first, at, site), start - 1, site.ref)]
    # The base before it, and one more: a record that adjoins tells how far it may be moved.
    return min(start, first.pos - 1) - 1, max(end, *moved, end + 1)


def _at(one: Change, at: int, site: Site) -> Change:
    """An insertion or deletion as it would be written further right."""
    offset = at - site.pos
    if one.removed:
        return Change(at, site.ref[offset:offset + len(one.removed)], "")
    return Change(at, "", applied(one, site.pos - 1, site.ref)[offset:offset + len(one.added)])


def covers(record: Record, site: Site) -> set[int]:
    """The site's own bases that a record speaks of."""
    pos, ref, _ = trimmed(*site[1:])
    end = last(record) if is_reference(record) else record.pos + len(record.ref) - 1
    return {at for at in range(pos, pos + len(ref)) if record.pos <= at <= end}


def vouches(record: Record, site: Site) -> bool:
    """Whether the record goes over all of the site's own bases."""
    return len(covers(record, site)) == len(trimmed(*site[1:])[1]) or relation(record, site) == "names"


def strand(record: Record, site: Site, allele: int | None, *, alone: bool = True) -> Any:
    """What one allele of a record says of a strand at the site; "?" where there is no such allele."""
    if allele is None:
        return None
    if allele > len(record.alts):
        return "?"
    if allele > 0:
        what, own = alt_change(record, site, record.alts[allele - 1]), own_change(record, site)
        if what == own:
            return THE_SITE_S
        if what.removed != what.added and meets(what, own) and not anchored(site, what.added, record.pos):
            return what
    return "REF" if vouches(record, site) or not alone else None


def said(record: Record, site: Site, column: int, *, alone: bool = True) -> Said:
    """What a record says of a site for one sample; not `alone`, others vouch for what it does not cover."""
    call = call_of(record, column)
    strands = [strand(record, site, allele, alone=alone) for allele in call.alleles]
    known = sum(one is not None for one in strands)
    state = "no-call"
    if len(strands) <= 2 and known:
        state = "called" if known == len(strands) else "half-call"
    if state == "no-call" and not vouches(record, site):
        state = "absent"
    elif record.filter not in {None, "PASS"} or call.failed:
        state = "filtered"
    names = relation(record, site) == "names"
    knows = {one for number in range(1, len(record.alts) + 1)
             if isinstance(one := strand(record, site, number, alone=alone), Change)}
    return Said(names, strands, call, state, record.filter, knows)


def _of_one(record: Record, column: int) -> Record:
    """The record with the length that it has for one sample (LEN, VCF 4.5) as its END."""
    values = dict(zip(record.keys, record.cells[column].split(":"), strict=False))
    length = _whole(values, "LEN")
    return record if length is None else record._replace(info={**record.info, "END": str(record.pos + length - 1)})


def cell(records: list[Record], site: Site, column: int, *, absent_as_ref: bool = False) -> Cell | None:
    """One cell of ``genotypes``, or `OPEN`."""
    records = [_of_one(record, column) for record in records]
    here = [record for record in records if relation(record, site) in {"names", "beside"}]
    heard = [said(record, site, column) for record in here]
    if any(_is_open(one) for one in heard):
        return OPEN
    heard += _spliced([record for record in here if not vouches(record, site)], site, column)
    found = _joined([one for one in heard if one.state != "absent"])
    if found and len(heard) > 1 and found.state in {"no-call", "filtered"}:
        found = found._replace(told=("alleles", "phased", "state"))
    if found is ABSENT:
        return _assumed(records, site, column) if absent_as_ref else ABSENT
    if absent_as_ref and found and found.state == "half-call" and any(not vouches(record, site) for record in here):
        return OPEN  # what the record does not cover may be absent, and so reference
    return _without_deleted(records, site, column, found) if found else OPEN


def _without_deleted(records: list[Record], site: Site, column: int, found: Cell) -> Cell | None:
    """REF becomes another allele where a deletion from further up leaves no base; what does not allow it is unknown."""
    reaching = [record for record in records if relation(record, site) == "reaches"]
    gone = [(record, strands) for record in reaching
            if any(strands := [takes_away(record, site, allele) for allele in call_of(record, column).alleles])]
    unsure = [record for record in reaching
              if any(is_unsure(record, site, allele) for allele in call_of(record, column).alleles)]
    unsure += [record for record in records
               if any(may_be_the_site_s(record, site, allele) for allele in call_of(record, column).alleles)]
    if unsure:
        return OPEN if gone else _without_unsure(unsure, column, found)
    if any(len(strands) > 2 for _, strands in gone):
        return OPEN
    if any(call_of(record, column).failed or record.filter not in {None, "PASS"} for record, _ in gone):
        return found._replace(alleles=(None, None), phased=False, state="filtered", told=("alleles", "phased", "state"))
    if not gone or found.state in {"no-call", "filtered"}:
        return found
    if len(gone) > 1 or len(gone[0][1]) != (found.ploidy or 0):
        return OPEN
    return _laid_under(found, gone[0][1], call_of(gone[0][0], column))


def _without_unsure(unsure: list[Record], column: int, found: Cell) -> Cell | None:
    """Unknown, unless the site's own record shows another allele."""
    bare = found._replace(alleles=(None, None), phased=False, told=("alleles", "phased", "state"))
    if any(len(call_of(record, column).alleles) > 2 for record in unsure):
        return OPEN
    if any(call_of(record, column).failed or record.filter not in {None, "PASS"} for record in unsure):
        return bare._replace(state="filtered")
    called = found.state in {"called", "half-call"}
    return bare._replace(state="no-call") if called and OTHER not in found.alleles else found


def _laid_under(found: Cell, lost: list[bool], deletion: Call) -> Cell:
    """A cell whose base is gone on one or two strands, in the order of the deletion's own call."""
    codes = list(found.alleles[:len(lost)])
    missing = sum(lost) - codes.count(OTHER)
    if missing <= 0:
        return found
    in_place = found.phased and deletion.phased and deletion.phase_set == found.phase_set
    taken = in_place and any(code == OWN and gone for code, gone in zip(codes, lost, strict=True))
    if found.state == "half-call" or codes.count(REF) < missing or taken:
        return found._replace(alleles=(None, None), state="no-call", told=("alleles", "state"))
    if in_place:
        codes = [OTHER if gone else code for code, gone in zip(codes, lost, strict=True)]
    else:
        for _ in range(missing):
            codes[codes.index(REF)] = OTHER
    first, second = [*codes, None][:2]
    changed = found._replace(alleles=(first, second), ordered=found.ordered if in_place else False)
    # Which of two REF strands is gone, nobody knows without phase.
    return changed if in_place or REF not in codes else changed._replace(phased=False, told=STRANDS)


def takes_away(record: Record, site: Site, allele: int | None) -> bool:
    """Whether an allele leaves another base, or none, at the site; an insertion leaves it."""
    if not allele:
        return False
    alt = record.alts[allele - 1]
    what = alt_change(record, site, alt)
    replaces = what.plain and what.removed not in {"", what.added}
    return (replaces or alt.startswith("<DEL")) and meets(what, own_change(record, site))


def is_unsure(record: Record, site: Site, allele: int | None) -> bool:
    """Whether nobody knows what an allele leaves at the site: ``*`` over several bases, a breakend there, ``<*>``."""
    alt = record.alts[allele - 1] if allele else ""
    known = is_bases(alt) or not alt or alt.startswith(("<DEL", "<INS")) or anchored(site, alt, record.pos)
    return not known


def may_be_the_site_s(record: Record, site: Site, allele: int | None) -> bool:
    """Whether an insertion or deletion behind the site may be in its repeat: the bases between are not all known."""
    alt = record.alts[allele - 1] if allele and allele <= len(record.alts) else ""
    if not is_bases(alt) or relation(record, site) != "nothing" or record.chrom != contig(site.chrom):
        return False
    known = bases_of((record.pos, record.ref), (site.pos, site.ref))
    what, own = placed(record, site, alt), own_change(record, site)
    if any("" not in {one.removed, one.added} for one in (what, own)):
        return False
    one, two = (_unit(each.removed or each.added) for each in (what, own))
    same = any(one == two[turn:] + two[:turn] for turn in range(len(two)))
    return same and 0 < what.pos - own.pos <= REPEAT and what.pos - 1 not in known


def _unit(bases: str) -> str:
    """The shortest text of which the bases are repeats."""
    return next(bases[:size] for size in range(1, len(bases) + 1) if bases[:size] * (len(bases) // size) == bases)


def _spliced(parts: list[Record], site: Site, column: int) -> list[Said]:
    """Records that cover the site only together, all reference but one at most: that, of the least depth, quality."""
    pos, ref, _ = trimmed(*site[1:])
    if set().union(*(covers(record, site) for record in parts)) != set(range(pos, pos + len(ref))):
        return []
    heard = [said(record, site, column, alone=False) for record in parts]
    changed = [one for one in heard if set(one.strands) != {"REF"}]
    if any(one.state != "called" for one in heard) or len(changed) > 1:
        return []
    if changed and len({one.call.ploidy for one in heard}) > 1:
        return []
    dps, gqs = ([getattr(one.call, name) for one in heard] for name in ("dp", "gq"))
    call = heard[0].call._replace(dp=None if None in dps else min(dps), gq=None if None in gqs else min(gqs))
    lead = (changed or heard)[0]
    return [lead._replace(call=lead.call._replace(dp=call.dp, gq=call.gq))]


def _is_open(one: Said) -> bool:
    """A call that failed where the record says nothing of the site, or one of an allele that is not there."""
    return (one.state == "absent" and one.call.failed) or "?" in one.strands


def _assumed(records: list[Record], site: Site, column: int) -> Cell | None:
    """Reference if the contig has records, and none of them may hide something else at the site."""
    here = [record for record in records if record.chrom == contig(site.chrom)]
    harmful = [record for record in here if not _harmless(record, site, column)]
    if not here or any(covers(record, site) or relation(record, site) != "beside" for record in harmful):
        return ABSENT
    padding = [record for record in here if relation(record, site) == "nothing"
               and record.pos <= site.pos + len(site.ref) and last(record) >= site.pos]
    # Next to the change, in the site's padding, or shorter than other people's block: it may count as looked at.
    return OPEN if harmful or padding or any("LEN" in record.keys for record in here) else assumed(contig(site.chrom))


def assumed(chrom: str) -> Cell:
    """Reference by assumption: one mitochondrion, two of the others; of X and Y it is not known how many."""
    ploidy = {"chrX": None, "chrY": None, "chrM": 1}.get(chrom, 2)
    return ASSUMED._replace(alleles=(0, 0 if ploidy == 2 else None), ploidy=ploidy)


def _harmless(record: Record, site: Site, column: int) -> bool:
    call = call_of(record, column)
    if relation(record, site) in {"nothing", "refused"}:
        near = [number + 1 for number in range(len(record.alts)) if may_be_the_site_s(record, site, number + 1)]
        passed = call.alleles if not call.failed and record.filter in {None, "PASS"} else [None]
        open_ended = near and any(allele is None or allele in near for allele in passed)
        return relation(record, site) == "nothing" and not open_ended
    failed = call.failed or record.filter not in {None, "PASS"}
    changed = any(strand(record, site, allele) not in {None, "REF"} for allele in call.alleles)
    return not (failed or changed or None in call.alleles or len(call.alleles) > 2)


def _joined(heard: list[Said]) -> Cell | None:
    """All that the records say of a site, as one cell."""
    failed = [one for one in heard if one.state == "filtered" and (one.names or changes(one))]
    if any(len(one.strands) > 2 and not one.names for one in failed):
        return OPEN
    if failed or not heard:
        return _bare(failed[0], "filtered", alone=len(heard) == 1) if failed else ABSENT
    told = heard
    if any(one.names for one in heard):
        told = [one if one.names else one._replace(strands=[None if part == "REF" else part for part in one.strands])
                for one in heard if one.names or changes(one)]
    usable = [one for one in told if one.state in {"called", "half-call"}]
    if not usable:
        worst = min(told, key=lambda one: STATES.index(one.state))
        return _bare(worst, worst.state, alone=len(heard) == 1)
    if len({one.call.ploidy for one in told} - {None}) > 1 or (told is not heard and _at_odds(heard)):
        return OPEN
    found = _laid(usable)
    if found and len(heard) > 1:
        # Several records: numbers may come of any, and that the strands are in order need not be seen.
        told = {*STRANDS} & {*found.told} - ({"phased"} if found.phased else set())
        found = found._replace(told=tuple(sorted(told)), ordered=None if found.phased else found.ordered)
    return found


def _at_odds(heard: list[Said]) -> bool:
    """Whether two records beside the site know a change and give it to other numbers of strands."""
    beside = [one for one in heard if not one.names and one.state in {"called", "half-call"}]
    return any(one.strands.count(what) != two.strands.count(what) for one, two in itertools.combinations(beside, 2)
               for what in one.knows & two.knows)


def changes(one: Said) -> set[Change]:
    """The changes that a call carries."""
    return {part for part in one.strands if isinstance(part, Change)}


def _laid(usable: list[Said]) -> Cell | None:
    """Calls laid on each other in every way that makes sense; in phase where a phased call leaves only one."""
    if len(usable) > MOST or (len(usable) == MOST and len({one.call.phased for one in usable}) > 1):
        return OPEN
    orders = [placements(usable, one) for one in usable if one.call.phased]
    for codes in orders:
        if len(codes) == 1:
            found = _coded(usable[0], *codes, phased=True)
            return found if len(usable) == 1 else found._replace(ordered=None, told=("alleles", "ploidy", "state"))
    found = placements(usable, usable[0])
    if len(usable) > 1:
        found = {tuple(sorted(codes, key=str)) for codes in found}
    if len(found) != 1:
        return _shared(usable[0], found) if len(usable) == 2 and found else OPEN if found else _clash(usable[0])
    return _coded(usable[0], *found, phased=False)._replace(ordered=len(usable) == 1)


def placements(usable: list[Said], fixed: Said) -> set[tuple[int | None, ...]]:
    """The cells that come of all ways to turn the calls around, except one."""
    found = set()
    for turns in itertools.product((False, True), repeat=len(usable)):
        placed = list(zip(usable, turns, strict=True))
        split = any(one[1] != two[1] and in_phase(one[0], two[0]) for one, two in itertools.combinations(placed, 2))
        if split or any(turn and one is fixed for one, turn in placed):
            continue
        rows = [one.strands[::-1] if turn else one.strands for one, turn in placed]
        strands = [_one_strand(parts, usable) for parts in zip(*rows, strict=True)]
        if "clash" not in strands:
            found.add(tuple(code(one) for one in strands))
    return found


def in_phase(one: Said, two: Said) -> bool:
    """Whether the strands of two records can be compared."""
    return one.call.phased and two.call.phased and one.call.phase_set == two.call.phase_set


def _one_strand(parts: tuple[Any, ...], usable: list[Said]) -> Any:
    """The change that records put on one strand, if none of them rules it out; else REF, if any says so."""
    there = {part for part in parts if isinstance(part, Change)}
    if len(there) > 1 or any(part == "REF" and there & one.knows for part, one in zip(parts, usable, strict=True)):
        return "clash"
    return there.pop() if there else "REF" if "REF" in parts else None


def _shared(base: Said, found: set[tuple[int | None, ...]]) -> Cell:
    """Only the allele that all ways have, a change before REF."""
    common = set.intersection(*(set(codes) for codes in found)) - {None}
    found = _coded(base, (None, max(common, default=None)), phased=False)
    return found._replace(ordered=False, told=("alleles", "ploidy", "state"))


def _coded(base: Said, codes: tuple[int | None, ...], *, phased: bool) -> Cell:
    known = sum(one is not None for one in codes)
    state = "called" if known == len(codes) else "half-call" if known else "no-call"
    first, second = [*codes, None][:2]
    return _cell(base, (first, second), state)._replace(phased=phased and known > 0)


def code(strand: Any) -> int | None:
    """A strand as a number of ``genotypes``."""
    if strand is None or strand == "REF":
        return None if strand is None else REF
    return OWN if strand is THE_SITE_S else OTHER


def _bare(base: Said, state: str, *, alone: bool) -> Cell:
    found = _cell(base, (None, None), state)
    return found if alone else found._replace(told=("alleles", "phased", "state"))


def _clash(base: Said) -> Cell:
    return _bare(base, "no-call", alone=False)._replace(phased=False)


def _cell(base: Said, alleles: tuple[int | None, int | None], state: str) -> Cell:
    call = base.call
    known = state in {"called", "half-call"}
    phased = call.phased and known
    told = ALL if known else tuple(name for name in ALL if name != "phase_set")
    return Cell(alleles, call.ploidy, phased, call.phase_set, call.dp, call.gq, base.filter, state, told=told)

"""Structural changes that records tell of, and where they break a sequence: between known sites, too.

A base change that no site knows changes no known allele. A breakpoint, an insertion or a lost stretch inside a gene may
end the gene all the same, and its bases then still look like reference. So records with a symbolic ALT or a breakend
(VCF 4.5, sections 1.4.5 and 5) are read in a wide neighbourhood of the known sites, and are told as stretches; whose
genes they are in, others know. An inversion or translocation breaks the sequence at its ends alone: what lies
wholly between them is whole.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .alleles import with_chr
from .calls import NONE, Calls

Bools = NDArray[np.bool_]
Stretches = Mapping[str, Sequence[tuple[int, int]]]

BROKEN, LOST, UNSURE, MORE, SEGMENT = "broken", "lost", "unsure", "more", "segment"
# The known sites of a gene are nearer than this to its ends: DPYD and ABCG2 reach 40 kb beyond their last one.
AROUND = 50_000
# An ALT that is neither bases, ``*``, nor "any other"; single breakends (``A.``) too.
_SUSPECT = r"<[^*Nn]|<[Nn](?!ON_REF>|on_ref>)|[\[\]]|(?:^|,)\.[^,]|[^,]\.(?:,|$)"
SUSPECT, SUSPECT_TEXT = re.compile(_SUSPECT.encode()), r"<[^*Nn]|<[Nn][^Oo]|[\[\]]|(^|,)\.[^,]|[^,]\.(,|$)"
_MATE = re.compile(r"[\[\]](.+):(\d{1,18})[\[\]]")
_COPIES = re.compile(r"<CN(\d+)>")
_KINDS = {"<DEL": LOST, "<DUP": MORE, "<INV": BROKEN, "<INS": BROKEN, "<BND": BROKEN, "<TRA": BROKEN, "<CTX": BROKEN}
_ELSEWHERE = re.compile(rb"<(?:BND|TRA|CTX)[^<>,]*>", re.IGNORECASE)
_CHR2 = re.compile(rb"(?:^|;)CHR2=([^;\t]+)")
_POS2 = tuple(re.compile(rb"(?:^|;)" + key + rb"=(\d{1,18})") for key in (b"POS2", b"END2", b"END"))
_NOBODYS = -2
_TOLD = ("MATEID", "CHR2", "BND", "TRA", "CTX")


class Break(NamedTuple):
    """Of one ALT (1 is the first): what it does, and from where to where (1-based); two for a change with two ends."""

    allele: int
    kind: str
    chrom: str
    first: int
    last: int


def is_suspect(alt: bytes, form: bytes = b"") -> bool:
    """Whether a record of that ALT and FORMAT may be a structural change, or a stretch with a number of copies (CN)."""
    return SUSPECT.search(alt) is not None or (alt == b"." and b"CN" in form and b"CN" in form.split(b":"))


def with_mate(alt: bytes, info: bytes) -> bytes:
    """An ALT column in which a translocation whose other end is in INFO is written as a breakend.

    Delly and Sniffles give it as CHR2 with POS2 or END, GATK-SV with END2; of those the first there is counts.

    >>> with_mate(b"<TRA>", b"CHR2=chr22;END=42126499")
    b'N]chr22:42126499]'
    """
    if b"CHR2=" not in info or not (chrom := _CHR2.search(info)):
        return alt
    at = next((found[1] for key in _POS2 if (found := key.search(info))), b"")
    mate = b"N]" + chrom[1] + b":" + at + b"]"
    return _ELSEWHERE.sub(lambda _: mate, alt) if at else alt


def breaks(chrom: str, pos: int, last: int, alts: Sequence[str], form: str = "") -> Iterator[Break]:
    """The breaks of each structural ALT of a record from `pos` to `last`; ALTs in upper case.

    A stretch without ALT whose FORMAT has a number of copies (CN) is one of allele -2, which nobody has.

    A symbolic change begins behind POS (VCF 4.5, section 1.6.1), so both bases beside a breakpoint are named.

    >>> list(breaks("chr1", 100, 100, ["N[chr22:42126499["]))
    [Break(1, 'broken', 'chr1', 100, 101), Break(1, 'broken', 'chr22', 42126498, 42126499)]
    """
    if not alts and last > pos and "CN" in form.split(":"):
        yield Break(_NOBODYS, SEGMENT, chrom, pos, last)
    for allele, alt in enumerate(alts, 1):
        if mate := _MATE.search(alt):
            where, at = with_chr(mate[1]), int(mate[2])
            yield Break(allele, BROKEN, chrom, *_sides(pos, forward=not alt.startswith(("[", "]"))))
            yield Break(allele, BROKEN, where, *_sides(at, forward="]" in alt))
        elif alt.startswith("<") and not alt.startswith("<*") and alt != "<NON_REF>":
            yield from _symbolic(allele, alt, chrom, pos, last)
        elif len(alt) > 1 and (alt[0] == "." or alt[-1] == "."):
            yield Break(allele, BROKEN, chrom, *_sides(pos, forward=alt[-1] == "."))


def _sides(pos: int, *, forward: bool) -> tuple[int, int]:
    """The two bases of which a breakend parts one: the sequence up to POS goes on elsewhere, or that from POS on."""
    return (pos, pos + 1) if forward else (pos - 1, pos)


def _symbolic(allele: int, alt: str, chrom: str, pos: int, last: int) -> Iterator[Break]:
    kind = next((kind for start, kind in _KINDS.items() if alt.startswith(start)), UNSURE)
    if copies := _COPIES.match(alt):
        if copies[1] == "1":
            return
        kind = LOST if copies[1] == "0" else MORE
    if kind != BROKEN:
        yield Break(allele, kind, chrom, min(pos + 1, last), last)
        return
    yield Break(allele, kind, chrom, pos, pos + 1)
    if alt.startswith("<INV") and last > pos:
        yield Break(allele, kind, chrom, last, last + 1)


def neighbourhoods(wanted: Mapping[str, Sequence[int]]) -> dict[str, list[tuple[int, int]]]:
    """Stretches of `AROUND` bases to both sides of sorted positions, by contig, merged."""
    found: dict[str, list[tuple[int, int]]] = {}
    for chrom, here in wanted.items():
        places = np.array(here, dtype=np.int64)
        if not len(places):
            continue
        gaps = np.flatnonzero(np.diff(places) > 2 * AROUND)
        firsts, lasts = places[[0, *(gaps + 1)]], places[[*gaps, len(places) - 1]]
        found[chrom] = [(max(1, int(first) - AROUND), int(last) + AROUND)
                        for first, last in zip(firsts, lasts, strict=True)]
    return found


def overlaps(some: Iterable[Break], near: Stretches) -> bool:
    """Whether one of the breaks is in one of the stretches."""
    return any(meets(near.get(one.chrom, ()), one.first, one.last) for one in some)


def meets(here: Sequence[tuple[int, int]], first: int, last: int) -> bool:
    """Whether `first` to `last` is in one of the stretches of a contig, in order and apart."""
    place = bisect_right(here, last, key=lambda one: one[0]) - 1
    return place >= 0 and here[place][1] >= first


def may_be_elsewhere(meta: Iterable[tuple[str, str]]) -> bool:
    """Whether a header declares breakends or translocations: a record elsewhere may have its mate near a site."""
    return any(key in ("INFO", "ALT") and re.search(rf"\bID=({'|'.join(_TOLD)})\b", value) for key, value in meta)


def carried(some: Sequence[Break], calls: Calls, usual: int) -> Iterator[tuple[Break, str, Bools]]:
    """Each break, "structural" or "more-copies", and the samples that have it.

    Where CN is given it decides for what changes copies, as in `rows.spanning`; `usual` are those of the sex that has
    fewest.
    """
    copies = np.full(len(calls.ploidy), NONE) if calls.copies is None else calls.copies
    told, silent = copies != NONE, (calls.alleles == NONE).all(axis=1)
    for one in some:
        mine = (calls.alleles == one.allele).any(axis=1)
        if one.kind == BROKEN:
            yield one, "structural", mine
            continue
        yield one, "more-copies", (mine & (one.kind == MORE)) | (told & (copies > 2))
        if one.kind == SEGMENT:
            yield one, "structural", told & (copies < usual)
        elif one.kind != MORE:
            yield one, "structural", np.where(told, mine & (copies < 2) | silent & (copies < usual), mine)


def in_frame(frame: pl.DataFrame) -> Iterator[tuple[int, list[Break]]]:
    """(row, its breaks) of the structural changes in a frame of chrom, pos, last, alt and format, as of `scan`."""
    alts = frame["alt"]
    rows = ((alts.str.len_bytes() > 1) & (alts != "<NON_REF>")).fill_null(value=False).arg_true()
    odd = rows.filter(alts[rows].str.contains(SUSPECT_TEXT)).to_list()
    if alts.null_count():
        odd += (alts.is_null() & frame["format"].str.contains("CN", literal=True)).arg_true().to_list()
    found = frame.select("chrom", "pos", "last", "alt", "format")[sorted(odd)].iter_rows()
    for row, (chrom, pos, last, alt, form) in zip(sorted(odd), found, strict=True):
        yield row, list(breaks(chrom, pos, last, alt.split(",") if alt else (), form))


def structural_rows(found: Iterable[tuple[Break, str, Bools]], samples: Sequence[str]) -> Iterator[dict[str, Any]]:
    """``coverage`` rows of the breaks that somebody has."""
    for one, kind, who in found:
        for i in map(int, np.flatnonzero(who)):
            yield {"sample": samples[i], "chrom": one.chrom, "start": one.first, "end": one.last, "kind": kind}

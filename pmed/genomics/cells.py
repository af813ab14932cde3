"""The sample cells of many records at once, out of the bytes of one text.

Where fields begin and end is found for all cells of one FORMAT together; a field is then read for all of them. What is
written in an unusual way (more than two alleles, an allele of two digits, a quality with a fraction) is left to
`calls.decode`, which tests hold equal to this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .blocks import Bools, Bytes, Ints, numbers
from .calls import NONE, Calls
from .genotypes import short
from .reads import Reads, judged
from .support import counted
from .sureness import JUDGED, KEYS

_COLON, _DOT, _COMMA, _ZERO = b":.,0"
_MOST = 2**31 - 1
_ROOM = b"\n" + bytes(15)  # windows may reach over the end
_PASS = b"PASS"
_MOST_SEEN = 6  # genotypes of three alleles: of more their likelihoods are read one by one
_LEFT = {"LEN", "CN", "LAA", "LA", "LAD", "LPL", "RD", "HDS"}


class Span(NamedTuple):
    """(cells,) where one field begins and ends; both 0 where a cell does not have it."""

    begin: Ints
    end: Ints


@dataclass(frozen=True)
class Cells:
    """The cells of one FORMAT.

    Attributes:
        data: The bytes of all cells, of other FORMATs too.
        whole: Where the cells are.
        colons: Offsets of all colons in `data`, and one more entry so that there always is a last one.
        first: (cells,) index of each cell's first colon.
        count: (cells,) colons in each cell.
        keys: The FORMAT.
    """

    data: Bytes
    whole: Span
    colons: Ints
    first: Ints
    count: Ints
    keys: Sequence[str]

    def _field(self, key: str) -> Span | None:
        """Where the field of a key is; None where there is none."""
        if key not in self.keys:
            return None
        place = self.keys.index(key)
        begin = self.whole.begin if place == 0 else self.colons.take(self.first + (place - 1), mode="clip") + 1
        if int(self.count.min(initial=place + 1)) > place:
            return Span(begin, self.colons.take(self.first + place, mode="clip"))
        end = np.where(self.count > place, self.colons.take(self.first + place, mode="clip"), self.whole.end)
        there = self.count >= place
        return Span(np.where(there, begin, 0), np.where(there, end, 0))

    def calls(self) -> tuple[Calls, Bools]:
        """The calls of all cells, and (cells,) those that `calls.decode` has to read."""
        odd = self.count >= len(self.keys)
        if not _LEFT.isdisjoint(self.keys) or ("AD" not in self.keys and counted(self.keys)):
            odd |= True
        found: dict[str, Ints] = {}
        for key in ("PS", "DP", "MIN_DP", "GQ", "RGQ", "GQX"):
            found[key] = self._numbers(key, odd)
        dp, least, gq = found["DP"], found["MIN_DP"], found["GQ"]
        if "MIN_DP" in self.keys:
            dp = np.where(least == NONE, dp, np.where(dp == NONE, least, np.minimum(dp, least)))
        if "RGQ" in self.keys:
            gq = np.where(gq == NONE, found["RGQ"], gq)
        if "GQX" in self.keys:
            gq = np.where(gq == NONE, found["GQX"], gq)
        genotypes = self._genotypes(odd)
        if not set(KEYS).isdisjoint(self.keys):
            odd |= gq == NONE
        if not set(JUDGED).isdisjoint(self.keys):
            odd |= self._perhaps_unlikely(*genotypes[:2])
        if "AD" in self.keys:
            odd |= self._against(*genotypes[:2], found["DP"])
        return Calls(*genotypes, found["PS"], dp, gq, self._failed()), odd

    def _perhaps_unlikely(self, alleles: Ints, ploidy: Ints) -> Bools:
        """(cells,) calls whose own PL is not seen to be 0; the others may be contradicted by their likelihoods."""
        span, more = self._field("PL"), not {"GP", "PP", "DS"}.isdisjoint(self.keys)
        if span is None:
            return np.asarray(ploidy > 0)
        missing = (span.end == span.begin) | (self.data[span.begin] == _DOT)
        low, high = np.sort(alleles, axis=1).T
        place = np.where(ploidy == 2, high * (high + 1) // 2 + low, high)
        sure, begin = (place == 0) & self._is_zero(span.begin, span.end), span.begin.copy()
        for number in range(1, _MOST_SEEN):
            some = np.flatnonzero(place >= number)
            begin[some] = self._behind_comma(begin[some])
            here = some[place[some] == number]
            sure[here] = self._is_zero(begin[here], span.end[here]) & (self.data[begin[here] - 1] == _COMMA)
        return np.asarray((ploidy > 0) & ~sure & ~(missing & (not more)))

    def _is_zero(self, begin: Ints, end: Ints) -> Bools:
        """Whether just a 0 is written there, before a comma or the end of the field."""
        last = (begin + 1 == end) | (self.data[begin + 1] == _COMMA)
        return np.asarray((begin < end) & (self.data[begin] == _ZERO) & last)

    def _behind_comma(self, begin: Ints) -> Ints:
        """Where the next number begins, if this one has not more than five digits; else somewhere inside of it."""
        found = begin + 5
        for width in (4, 3, 2, 1):
            found = np.where(self.data.take(begin + width, mode="clip") == _COMMA, begin + width, found)
        return np.minimum(found + 1, len(self.data) - 2)

    def _against(self, alleles: Ints, ploidy: Ints, depth: Ints) -> Bools:
        """(cells,) calls that their reads contradict: a caller writes few, and these are read whole."""
        span = self._field("AD")
        assert span is not None  # noqa: S101 - the key is there
        commas = np.flatnonzero(self.data == _COMMA)
        before = np.searchsorted(commas, span.begin)
        more = np.searchsorted(commas, span.end) - before
        start = np.cumsum(more + 1) - (more + 1)  # of each cell's numbers, of which it has one more than commas
        cell = np.repeat(np.arange(len(more)), more + 1)
        place = np.arange(len(cell)) - start[cell]
        edges = np.append(commas, 0)
        begins = np.where(place == 0, span.begin[cell], edges.take(before[cell] + place - 1, mode="clip") + 1)
        ends = np.where(place == more[cell], span.end[cell], edges.take(before[cell] + place, mode="clip"))
        counts = numbers(self.data, begins, ends)
        first, second = (np.where((one < 0) | (one > more), NONE, counts.take(start + one, mode="clip"))
                         for one in alleles.T)
        total = np.add.reduceat(np.maximum(counts, 0), start) if len(start) else start
        return judged(alleles, ploidy, Reads(first, second, total, depth))[1]

    def _numbers(self, key: str, odd: Bools) -> Ints:
        """A field of whole numbers, -1 where there is none; marks cells where something else stands."""
        span = self._field(key)
        if span is None:
            return np.full(len(self.count), NONE)
        values = numbers(self.data, *span)
        none = values == NONE
        if none.any():
            width = span.end - span.begin
            odd |= none & (width > 0) & ~((width == 1) & (self.data[span.begin] == _DOT))
        return np.minimum(values, _MOST, out=values)

    def _genotypes(self, odd: Bools) -> tuple[Ints, Ints, Bools]:
        """Alleles, ploidy, phase of ``0/1``, ``0|1``, ``0`` and ``.``; marks cells with any other GT, or none."""
        span, many = self._field("GT"), len(self.count)
        if span is None:
            odd |= True
            return np.full((many, 2), NONE), np.zeros(many, np.int64), np.zeros(many, bool)
        found, good = short(self.data, span.begin[:, None])
        odd |= ~(good & (span.end > span.begin))
        return found.alleles[:, 0], found.ploidy[:, 0], found.phased[:, 0]  # type: ignore[return-value]

    def _failed(self) -> Bools:
        """(cells,) FT is neither ``PASS`` nor ``.`` nor empty."""
        span = self._field("FT")
        if span is None:
            return np.zeros(len(self.count), dtype=bool)
        width, data = span.end - span.begin, self.data
        passed = (width == 0) | ((width == 1) & (data[span.begin] == _DOT))
        whole = width == len(_PASS)
        for place, byte in enumerate(_PASS):
            whole &= data[span.begin + place] == byte
        return np.asarray(~(passed | whole))


def cell_calls(text: bytes, widths: Ints, forms: Sequence[str], form: Ints) -> tuple[Calls, Bools]:
    """The calls of cells, and (cells,) those that `calls.decode` has to read.

    Args:
        text: One cell a line, the last without a line end; ASCII.
        widths: (cells,) bytes of each.
        forms: Distinct FORMATs.
        form: (cells,) which of them each cell is of.
    """
    data = np.frombuffer(text + _ROOM, dtype=np.uint8)
    end = np.cumsum(widths + 1) - 1
    whole, colons = Span(end - widths, end), np.append(np.flatnonzero(data == _COLON), 0)
    keys = [one.split(":") for one in forms]
    first = _first_colons(whole, colons, np.array([len(one) - 1 for one in keys])[form])
    count, first = np.diff(first), first[:-1]
    if len(keys) == 1:
        return Cells(data, whole, colons, first, count, keys[0]).calls()
    parts, order = [], []
    for number, one in enumerate(keys):
        rows = np.flatnonzero(form == number)
        mine = Span(whole.begin[rows], whole.end[rows])
        parts.append(Cells(data, mine, colons, first[rows], count[rows], one).calls())
        order.append(rows)
    back = np.empty(len(widths), dtype=np.int64)
    back[np.concatenate(order)] = np.arange(len(widths))
    return joined([calls for calls, _ in parts], back), np.concatenate([odd for _, odd in parts])[back]


def _first_colons(whole: Span, colons: Ints, expected: Ints) -> Ints:
    """(cells + 1,) index of each cell's first colon, and the number of all; `expected` are the colons of FORMAT."""
    guess, many = np.append(0, np.cumsum(expected)), len(colons) - 1
    if guess[-1] == many:  # as a rule nothing was left out at the end of a cell
        some = slice(None) if expected.all() else np.flatnonzero(expected)
        begins, ends = colons[guess[:-1][some]], colons[guess[1:][some] - 1]
        if (begins >= whole.begin[some]).all() and (ends < whole.end[some]).all():
            return guess
    return np.append(np.searchsorted(colons[:-1], whole.begin), many)


def joined(parts: Sequence[Calls], order: Ints) -> Calls:
    """Calls one after the other, then put in another order."""
    names = [name for name, values in vars(parts[0]).items() if values is not None]
    return Calls(**{name: np.concatenate([getattr(one, name) for one in parts])[order] for name in names})


def side_by_side(columns: Sequence[Calls]) -> dict[str, NDArray[np.generic]]:
    """Calls of the samples one by one as arrays of (records, samples), by field; alleles have a third axis."""
    names = [name for name, values in vars(columns[0]).items() if values is not None]
    if len(columns) == 1:
        return {name: getattr(columns[0], name)[:, None] for name in names}
    return {name: np.stack([getattr(calls, name) for calls in columns], axis=1) for name in names}

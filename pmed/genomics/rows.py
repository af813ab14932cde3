"""What one record says of one site over samples, and how what several records say is put together.

An allele is REF (0), the site's own ALT (1), another change (2 and more, each change of a site with a number of its
own), or unknown (-1). The records of a split multi-allelic each tell of their own changes: 0 there means "not one of
mine", and yields to a change that another record names. Two changes never fit on one strand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pmed.tables import STATES

from .calls import NONE, Calls

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
CALLED, HALF_CALL, NO_CALL, FILTERED, ABSENT, ASSUMED = range(len(STATES))
REF, ALT = 0, 1


@dataclass
class Row:
    """One site over samples, as columns of ``genotypes``; -1 is null.

    `knows` is the set of changes that the records name, as bits: a 0 beside them says that they are not there.
    `doubt` marks calls that failed a filter and would have changed the site.
    """

    alleles: NDArray[np.int8]
    ploidy: NDArray[np.int16]
    phased: Bools
    phase_set: Ints
    dp: NDArray[np.int32]
    gq: NDArray[np.int32]
    state: NDArray[np.int8]
    source_row: Ints
    filter: NDArray[np.int32]
    knows: Ints
    doubt: Bools

    @classmethod
    def absent(cls, samples: int) -> Row:
        """Nothing is known of anybody."""
        def all_of(value: int, kind: Any) -> NDArray[Any]:
            return np.full(samples, value, dtype=kind)

        return cls(np.full((samples, 2), NONE, dtype=np.int8), all_of(NONE, np.int16), all_of(0, np.bool_),
                   all_of(NONE, np.int64), all_of(NONE, np.int32), all_of(NONE, np.int32), all_of(ABSENT, np.int8),
                   all_of(NONE, np.int64), all_of(NONE, np.int32), all_of(0, np.int64), all_of(0, np.bool_))

    @classmethod
    def of(cls, calls: Calls, codes: Sequence[int], number: int, *, filtered: bool, filter_code: int,
           direct: bool) -> Row:
        """The calls of one record, its alleles turned into the site's by `codes` (one for REF and each ALT)."""
        table = np.array([*codes, NONE], dtype=np.int8)  # the last entry answers for allele -1
        alleles = table[calls.alleles]
        state = _states(alleles, calls.ploidy)
        if codes[0] == NONE:  # the record cannot vouch for REF: where it says nothing, it is not there
            state[state == NO_CALL] = ABSENT
        failed = (calls.failed | filtered) & (state != ABSENT)
        doubt = failed & (direct | (alleles > REF).any(axis=1))
        state[failed] = FILTERED
        known = state <= HALF_CALL
        many = len(state)
        return cls(np.where(known[:, None], alleles, NONE).astype(np.int8),
                   np.where(calls.ploidy > 0, calls.ploidy, NONE).astype(np.int16), calls.phased & known,
                   calls.phase_set.copy(), calls.dp.astype(np.int32), calls.gq.astype(np.int32), state,
                   np.full(many, number), np.full(many, filter_code, dtype=np.int32),
                   np.where(known, sum({1 << code for code in codes if code > REF}), 0), doubt)

    def at(self, where: NDArray[Any]) -> Row:
        """The samples at `where`, copied."""
        return Row(*(getattr(self, one.name)[where] for one in fields(Row)))

    def put(self, where: Ints, other: Row) -> None:
        """Write `other` to the samples at `where`."""
        for one in fields(Row):
            getattr(self, one.name)[where] = getattr(other, one.name)

    def leave_out(self, where: Bools) -> None:
        """Make it absent: the record does not reach so far for them."""
        samples = np.flatnonzero(where)
        self.put(samples, Row.absent(len(samples)))

    def forget(self, where: Bools) -> None:
        """Make what was contradicted unknown."""
        self.alleles[where] = NONE
        self.state[where] = NO_CALL
        self.phased[where] = False

    def withhold(self) -> None:
        """Make calls unknown of which something failed a filter: no other record or file overrules it."""
        where = self.doubt & (self.state != ABSENT)
        self.alleles[where], self.state[where], self.phased[where] = NONE, FILTERED, False

    def blank(self) -> None:
        """Leave nothing beside an absence: what was said of it was said of something else."""
        where = self.state == ABSENT
        for name in ("ploidy", "phase_set", "dp", "gq", "source_row", "filter"):
            getattr(self, name)[where] = NONE

    def assume(self, who: Bools, ploidy: int) -> None:
        """Make reference of what is absent; only where the ploidy is 2 are there known to be two copies."""
        where = who & (self.state == ABSENT)
        self.alleles[where, :2 if ploidy == 2 else 1] = REF
        self.ploidy[where], self.state[where] = ploidy, ASSUMED

    def fill(self, who: Bools, whole: Row) -> None:
        """Make whole calls of half calls that had reference left open, where that is all that `whole` adds to them."""
        alike = (np.sort(self.alleles, axis=1)[:, 1] == np.sort(whole.alleles, axis=1)[:, 1])
        where = who & (self.state == HALF_CALL) & (whole.state == CALLED) & (whole.alleles == REF).any(axis=1) & alike
        self.alleles[where], self.phased[where], self.state[where] = whole.alleles[where], whole.phased[where], ASSUMED

    def changes_only(self) -> Row:
        """The same without what it says of REF."""
        alleles = np.where(self.alleles == REF, NONE, self.alleles).astype(np.int8)
        nothing = (alleles == NONE).all(axis=1) & ~self.doubt
        return replace(self, alleles=alleles, state=np.where(nothing, ABSENT, self.state).astype(np.int8))


@dataclass(frozen=True)
class SharedRow:
    """A row in which samples that are alike share an entry: `of` says which each has; None: each has its own."""

    row: Row
    of: NDArray[np.uint8] | None = None

    @property
    def whole(self) -> Row:
        """One entry a sample."""
        return self.row if self.of is None else self.row.at(self.of)


def _states(alleles: NDArray[np.int8], ploidy: NDArray[np.int64]) -> NDArray[np.int8]:
    """Called, half-call or no-call; more than two alleles cannot be told and are no call."""
    known = (alleles != NONE).sum(axis=1)
    whole = (known > 0) & (known == ploidy)
    return np.where(whole, CALLED, np.where((known == 1) & (ploidy == 2), HALF_CALL, NO_CALL)).astype(np.int8)


def joined(direct: Sequence[Row], beside: Sequence[Row], samples: int) -> tuple[Row, Bools]:
    """One row from all records of a file at one site, and the samples of which two records contradict each other.

    `direct` records have the site's own ALT, `beside` records others at its position. What these say of REF counts
    only where no record has the site's own ALT: such a record may be refused for good reason.
    """
    row, clash = _together(direct, samples)
    if beside:
        others, more = _together(beside, samples)
        row, bad = merged(row, others.changes_only() if direct else others)
        clash = clash | more | bad
    row.forget(clash)
    return row, clash


@dataclass(frozen=True)
class Gone:
    """(samples, 2) strands on which a deletion from further up leaves no base at the site."""

    strands: Bools
    phased: Bools
    phase_set: Ints

    @classmethod
    def of(cls, calls: Calls, gone: Sequence[int]) -> Gone:
        """The strands of a record whose allele `gone` says so."""
        return cls(np.array([*gone, 0], dtype=bool)[calls.alleles], calls.phased, calls.phase_set)

    def but(self, who: Bools) -> Gone:
        """The same without some samples."""
        return replace(self, strands=self.strands & ~who[:, None])


def spanning(calls: Calls, unsure: Sequence[int], more: Sequence[int], *, diploid: bool) -> tuple[Bools, Bools]:
    """The samples in whom a record that goes over a site leaves its copies unknown, and those with more than two.

    `unsure` and `more` are 0 or 1 for each allele. Where CN is given it decides: two copies or more hold all bases that
    a caller saw, and fewer than usual count where no genotype is given. No genotype and no CN say nothing, as in a file
    that never looked for such changes.
    """
    carried, added = (np.asarray(np.array([*one, 0], dtype=bool)[calls.alleles].any(axis=1)) for one in (unsure, more))
    if calls.copies is None:
        return carried, added
    usual, told = 2 if diploid else 1, calls.copies != NONE
    fewer = (calls.alleles == NONE).all(axis=1) & (calls.copies < usual)
    lost = np.where(told, carried & (calls.copies < 2) | fewer, carried)
    return np.asarray(lost), np.asarray(added | (calls.copies > 2))


def deleted(row: Row, gone: Gone) -> Bools:
    """Make REF of `row` into another allele where the base is gone; the samples of whom that makes no sense.

    A record of the site that shows the deletion itself (``*``) needs no help. Without phase any REF strand will do.
    """
    missing = gone.strands.sum(axis=1) - (row.alleles > ALT).sum(axis=1)
    affected = (row.state <= HALF_CALL) & (missing > 0)
    fixed = row.phased & gone.phased & (row.phase_set == gone.phase_set)
    refs = (row.alleles == REF).sum(axis=1)
    bad = affected & np.where(fixed, (gone.strands & (row.alleles == ALT)).any(axis=1), refs < missing)
    bad |= affected & (row.state == HALF_CALL)
    take = (row.alleles == REF) & (gone.strands | ~fixed[:, None])
    take[:, 0] &= ~((missing == 1) & take[:, 1])
    row.alleles[take & (affected & ~bad)[:, None]] = ALT + 1
    row.phased[affected & ~fixed] = False
    return np.asarray(bad)


def _together(rows: Sequence[Row], samples: int) -> tuple[Row, Bools]:
    row, clash = rows[0] if rows else Row.absent(samples), np.zeros(samples, dtype=bool)
    for one in rows[1:]:
        row, bad = merged(row, one)
        clash |= bad
    return row, clash


def reached(parts: Sequence[tuple[tuple[int, int], Row]], first: int, last: int) -> bool:
    """Whether records that each cover a part of a site's REF cover all of it together."""
    known = first - 1
    for (start, end), _ in sorted(parts, key=lambda one: one[0]):
        known = max(known, end) if start <= known + 1 else known
    return known >= last


def spliced(rows: Sequence[Row], samples: int) -> Row:
    """One row from records that together cover a site's REF (a record and gVCF blocks behind it).

    It is told of those who are reference in every part but one at most: where that has changes, its other strand is
    reference, too. Depth and quality are the least; of all others nothing is said.
    """
    changed = np.stack([(row.alleles > REF).any(axis=1) for row in rows])
    called = np.stack([row.state == CALLED for row in rows]).all(axis=0)
    alike = np.stack([row.ploidy == rows[0].ploidy for row in rows]).all(axis=0)
    whole = np.flatnonzero(called & (changed.sum(axis=0) <= 1) & (alike | ~changed.any(axis=0)))
    lead, row = changed.argmax(axis=0)[whole], Row.absent(samples)
    if not len(whole):
        return row
    one = Row(**{each.name: np.stack([getattr(part, each.name)[whole] for part in rows])[lead, np.arange(len(whole))]
                 for each in fields(Row)})
    one.dp, one.gq = (np.min([getattr(each, name)[whole] for each in rows], axis=0) for name in ("dp", "gq"))
    row.put(whole, one)
    return row


def merged(one: Row, two: Row) -> tuple[Row, Bools]:
    """What two rows say together, and the samples of whom no way to lay one on the other makes sense.

    Strands are compared as they stand where both are phased in one phase set; otherwise the second may be turned
    round. Where both ways make sense and differ, only what they share is known.
    """
    if not (one.knows.any() or one.doubt.any()) and (one.state == ABSENT).all():
        return two, np.zeros(len(two.state), dtype=bool)
    diploid = (one.ploidy == 2) & (two.ploidy == 2)
    fixed = one.phased & two.phased & (one.phase_set == two.phase_set)
    straight, bad = _laid(one, two, two.alleles)
    turned, worse = _laid(one, two, two.alleles[:, ::-1])
    worse |= fixed | ~diploid
    bad |= _copies_differ(one, two)
    same = (np.sort(straight, axis=1) == np.sort(turned, axis=1)).all(axis=1)
    alleles = np.where((bad & ~worse)[:, None], turned, straight)
    open_ended = ~bad & ~worse & ~same
    alleles[open_ended] = _shared(straight[open_ended], turned[open_ended])
    first = one.state <= two.state
    row = _chosen(one, two, first)
    row.alleles, row.knows, row.doubt = alleles, one.knows | two.knows, one.doubt | two.doubt
    row.ploidy = np.where(one.ploidy == NONE, two.ploidy, one.ploidy)
    known = (alleles != NONE).any(axis=1)
    row.state = np.where(known, _states(alleles, row.ploidy.astype(np.int64)), row.state).astype(np.int8)
    as_one, as_two = ((alleles == each.alleles).all(axis=1) for each in (one, two))
    row.phased = known & np.where(as_one, one.phased, np.where(as_two, two.phased, fixed))
    row.phase_set = np.where(as_one, one.phase_set, np.where(as_two, two.phase_set, row.phase_set))
    return row, bad & worse


def _chosen(one: Row, two: Row, first: Bools) -> Row:
    """Column by column of the row that knows more: a call before a half call before a refusal before nothing."""
    def choose(name: str) -> NDArray[Any]:
        mine, theirs = getattr(one, name), getattr(two, name)
        return np.asarray(np.where(first[:, None] if mine.ndim > 1 else first, mine, theirs))

    return Row(**{each.name: choose(each.name) for each in fields(Row)})


def _laid(one: Row, two: Row, theirs: NDArray[np.int8]) -> tuple[NDArray[np.int8], Bools]:
    """(samples, 2) strands with `theirs` laid on those of `one`, and the samples for whom that makes no sense."""
    mine = one.alleles
    both = np.where(mine == NONE, theirs, np.where(theirs == NONE, mine, np.maximum(mine, theirs)))
    two_changes = (mine > REF) & (theirs > REF) & (mine != theirs)
    denied = (mine == REF) & (theirs > REF) & _knows(one, theirs) | (theirs == REF) & (mine > REF) & _knows(two, mine)
    return both, (two_changes | denied).any(axis=1)


def _knows(row: Row, alleles: NDArray[np.int8]) -> Bools:
    return np.asarray((row.knows[:, None] >> np.maximum(alleles, 0)) & 1, dtype=bool)


def _copies_differ(one: Row, two: Row) -> Bools:
    """Both know alleles, of another number of copies; one copy is no contradiction to two of the same."""
    known = (one.alleles[:, 0] != NONE) & (two.alleles[:, 0] != NONE) & (one.ploidy != two.ploidy)
    alike = (one.alleles[:, 0] == two.alleles[:, 0]) & np.logical_and.reduce(
        [(row.ploidy == 1) | (row.alleles[:, 0] == row.alleles[:, 1]) for row in (one, two)])
    return np.asarray(known & ~alike)


def _shared(one: NDArray[np.int8], two: NDArray[np.int8]) -> NDArray[np.int8]:
    """(samples, 2) the one allele that both pairs have, a change before REF, and an unknown one."""
    one = np.sort(one, axis=1)
    high, low = ((one[:, i:i + 1] == two).any(axis=1) for i in (1, 0))
    allele = np.where(high, one[:, 1], np.where(low, one[:, 0], NONE))
    return np.stack([np.full(len(one), NONE), allele], axis=1).astype(np.int8)

"""What the rows of a consumer array say of the sites of one build, as records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pmed.errors import GenomeError

from .alleles import Event, Site, Sites
from .matching import OTHER, REF, Said, matched
from .ploidy import copies
from .records import Record
from .syntax import Fault

_COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}
_BASES, _LENGTHS, _MISSING = frozenset("ACGT"), frozenset("DI"), frozenset("-0")
_HAPLOID = ("y", "mt")


class Probe(NamedTuple):
    """One row: where it is written, its name, where it stands (1-based), and the alleles seen, "" where not called."""

    path: str
    line: int
    number: int
    name: str
    chrom: str
    pos: int
    seen: tuple[str, ...]

    @classmethod
    def of(cls, genotype: str, *, path: str, line: int, number: int, name: str, chrom: str, pos: int) -> Probe:
        """Read a genotype, two letters or one; those of two columns are divided by ``/``.

        Raises:
            GenomeError: other letters than A, C, G, T, D, I, and ``-`` or ``0`` for an allele that was not called.
        """
        letters = genotype.upper().split("/") if "/" in genotype else list(genotype.upper())
        if len(letters) not in (1, 2) or not set(letters) <= _BASES | _LENGTHS | _MISSING:
            raise GenomeError(f"the genotype {genotype!r} cannot be read", where=f"{path} line {line}",
                              hint="two of A, C, G, T, D, I are expected, or -- for none")
        seen = tuple("" if letter in _MISSING else letter for letter in letters)
        return cls(path, line, number, name, chrom, pos, seen)

    @property
    def known(self) -> frozenset[str]:
        """The alleles that were seen."""
        return frozenset(self.seen) - {""}

    def record(self, event: Event, alts: Sequence[str], seen: Iterable[str]) -> Record:
        """The row as a record; `seen` are REF, one of `alts` or "", copy by copy."""
        numbers = {"": ".", **{allele: str(number) for number, allele in enumerate((event.ref, *alts))}}
        return Record(self.number, f"{self.path} line {self.line}", self.chrom, event.pos, (self.name,), event.ref,
                      tuple(alts), None, "GT", "/".join(numbers[one] for one in seen).encode(),
                      event.pos + len(event.ref) - 1)


class _Answer(NamedTuple):
    """A row that tells something: its record, and whether it would fit the other strand as well."""

    probe: Probe
    record: Record
    about: tuple[int, ...]
    either_strand: bool = False


def is_base(site: Site) -> bool:
    """Whether the change is one base for another."""
    return len(site.event.ref) == len(site.event.alt) == 1


def places(site: Site) -> range:
    """The positions at which a row of the site's name may stand: for an insertion or deletion customs differ."""
    first, ref = site.event.pos, site.event.ref
    return range(first, first + 1) if is_base(site) else range(min(site.pos, first), first + max(len(ref), 2))


@dataclass
class Probes:
    """Rows of one file, taken one by one and settled together."""

    sites: Sites
    faults: list[Fault] = field(default_factory=list)
    _answers: list[_Answer] = field(default_factory=list)
    _unknown: list[tuple[Probe, tuple[int, ...]]] = field(default_factory=list)
    _tested: set[int] = field(default_factory=set)
    _doubted: set[int] = field(default_factory=set)
    _turned: bool = False

    def take(self, probe: Probe) -> None:
        """Note what one row says."""
        bases, others = self._standing(probe)
        if not probe.known:
            self._note(probe, (*bases, *others))
        elif probe.known <= _BASES:
            self._take_bases(probe, bases, self._named(probe, others))
        elif probe.known <= _LENGTHS:
            self._take_lengths(probe, others, self._named(probe, bases))
        else:
            self._leave(probe, (*bases, *others), "array-allele", "a base and I or D in one genotype")

    def settled(self) -> list[Record]:
        """The records of all rows.

        A site of which one row makes no sense is unknown, whatever another row says. Where a record would say reference
        of a site that its row does not test, and no row does, a record without a call silences it.
        """
        heard = [(answer, self._heard(answer.record)) for answer in self._answers]
        believed = [(answer, said) for answer, said in heard if self._believed(answer, said)]
        used: list[_Answer] = []
        silenced: dict[int, Probe] = {}
        for answer, said in believed:
            if self._doubted.isdisjoint(answer.about):
                used.append(answer)
                self._tested.update(one.site for one in said if one.direct)
                silenced |= {one.site: answer.probe for one in said if not one.direct and one.alone[0] == REF}
            else:
                self._note(answer.probe, answer.about)
        self._tell_untested(used)
        unknown = [*self._unknown, *((probe, (site,)) for site, probe in silenced.items() if site not in self._tested)]
        return [*(answer.record for answer in used),
                *(record for probe, about in unknown for record in self._blank(probe, about))]

    def _heard(self, record: Record) -> list[Said]:
        return [one for one in matched(record, self.sites) if isinstance(one, Said)]

    def _believed(self, answer: _Answer, heard: Iterable[Said]) -> bool:
        """Whether a row can be taken as it is; once a row looks like the other strand, one that fits both cannot."""
        seen = _called(answer.record)
        longer = [one.site for one in heard if not one.direct and any(one.codes[allele] == OTHER for allele in seen)]
        if answer.either_strand and self._turned:
            self._leave(answer.probe, answer.about, "array-strand", "another row looks like the other strand, and this "
                                                                    "one would fit both")
        elif longer:
            self._leave(answer.probe, (*answer.about, *longer), "array-allele", "it may be a part of the longer change")
        else:
            return True
        return False

    def _tell_untested(self, answers: Iterable[_Answer]) -> None:
        """A row tests one of several changes known at a position, and where it shows REF nobody can tell which."""
        found = [answer.probe.line for answer in answers
                 if len(answer.record.alts) > 1 and set(_called(answer.record)) == {REF}]
        if found:
            text = f"reference at {len(found)} positions with several known changes, of which an array tests one"
            self.faults.append(Fault(f"line {found[0]}", "array-untested", text + ": the others are not ruled out"))

    def _standing(self, probe: Probe) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers of the sites that a row may be about: those of one base, and all others."""
        near = [(number, self.sites.rows[number]) for number in self.sites.touching(probe.chrom, probe.pos, probe.pos)]
        bases = tuple(number for number, site in near if is_base(site) and site.event.pos == probe.pos)
        others = tuple(number for number, site in near if not is_base(site) and (
            site.event.pos in (probe.pos, probe.pos - 1) or (site.name == probe.name and probe.pos in places(site))))
        return bases, others

    def _named(self, probe: Probe, numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple(number for number in numbers if self.sites.rows[number].name == probe.name)

    def _take_bases(self, probe: Probe, bases: tuple[int, ...], named: tuple[int, ...]) -> None:
        if not bases:
            self._leave(probe, named, "array-allele", "another kind of change is known there")
            return
        event = self.sites.rows[bases[0]].event
        alts = sorted({self.sites.rows[number].event.alt for number in bases})
        known, turned = {event.ref, *alts}, {_COMPLEMENT[base] for base in probe.known}
        seen = self._counted(probe)
        if not probe.known <= known:
            self._turned |= turned <= known
            self._leave(probe, bases, "array-strand" if turned <= known else "array-allele",
                        f"{' and '.join(sorted(known))} are known there"
                        + (": it looks like the other strand" if turned <= known else ""))
        elif seen is None:
            self._leave(probe, bases, "array-copies", "another number of copies is expected there")
        else:
            self._answers.append(_Answer(probe, probe.record(event, alts, seen), bases, turned <= known))

    def _take_lengths(self, probe: Probe, others: tuple[int, ...], named: tuple[int, ...]) -> None:
        events = {self.sites.rows[number].event for number in others}
        seen = self._counted(probe)
        if len(events) != 1 or len((event := next(iter(events))).ref) == len(event.alt):
            text = "several insertions or deletions are known there" if len(events) > 1 else \
                "no insertion or deletion is known there"
            self._leave(probe, others or named, "array-indel", text)
        elif seen is None:
            self._leave(probe, others, "array-copies", "another number of copies is expected there")
        else:
            shorter, longer = sorted((event.ref, event.alt), key=len)
            alleles = {"": "", "D": shorter, "I": longer}
            record = probe.record(event, [event.alt], [alleles[one] for one in seen])
            self._answers.append(_Answer(probe, record, others))

    def _counted(self, probe: Probe) -> tuple[str, ...] | None:
        """The alleles copy by copy; one is written twice for one copy. None where they cannot be told."""
        kind, seen = copies(self.sites.build, probe.chrom, probe.pos), probe.seen
        if kind == "diploid":
            return seen if len(seen) == 2 else None
        if kind in _HAPLOID and all(seen):
            return seen[:1] if len(probe.known) == 1 else None
        return seen

    def _leave(self, probe: Probe, about: tuple[int, ...], code: str, why: str) -> None:
        """The sites stay unknown, and it is said why."""
        if about:
            self._note(probe, about)
            self._doubted.update(about)
            shown = "".join(one or "-" for one in probe.seen)
            names = ", ".join(dict.fromkeys(self.sites.rows[number].name for number in about))
            self.faults.append(Fault(f"line {probe.line}", code, f"{shown} at {names}: {why}; it was not called"))

    def _note(self, probe: Probe, about: tuple[int, ...]) -> None:
        """A row that calls none of these sites."""
        self._unknown.append((probe, about))
        self._tested.update(about)

    def _blank(self, probe: Probe, about: Iterable[int]) -> list[Record]:
        """Records that name the sites' own changes and call none of them."""
        alts: dict[tuple[int, str], list[str]] = {}
        for number in about:
            pos, ref, alt = self.sites.rows[number].event
            alts.setdefault((pos, ref), []).append(alt)
        return [probe.record(Event(pos, ref, ""), sorted(set(here)), ("", "")) for (pos, ref), here in alts.items()]


def _called(record: Record) -> list[int]:
    """The alleles of a record's one genotype."""
    return [int(one) for one in bytes(record.calls).split(b"/") if one != b"."]  # type: ignore[arg-type]

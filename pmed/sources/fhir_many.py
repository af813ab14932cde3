"""Many resources → rows. Nearly all are as they should be, and are taken in without a detour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from .fhir_bundle import Reading
from .fhir_decoded import Decoded
from .fhir_genes import GENOTYPE, HAPLOTYPE
from .fhir_lines import LineReading
from .fhir_records import ROWS, WHOSE, Records, Scope
from .fhir_resource import FIRST, Note, Resource
from .fhir_rows import LOINC, UCUM, observation_rows, state, when
from .fhir_types import Observation
from .fhir_wanted import TABLE, WANTED
from .recorded import COLUMNS, Row

_GENES = (GENOTYPE, HAPLOTYPE)
_UCUM = (UCUM, None)
# In what is said of a resource, which begins with the system of its code.
_DISPLAY = COLUMNS["conditions"].index("display") - COLUMNS["conditions"].index("system")
_Said = Callable[[Any, Scope, list[Note]], Sequence[Row]]


def take_all(records: Records, pieces: Iterable[Sequence[Resource]], scope: Scope) -> None:
    """Take in all of them that are neither patient nor medicine."""
    for piece in pieces:
        if isinstance(piece, Decoded):
            _take_decoded(records, piece, scope)
        else:
            for resource in piece:
                if resource.kind not in FIRST:
                    records.take(resource, scope)


def take_loose(records: Records, parts: Iterable[Reading | LineReading], scope: Scope) -> None:
    """Take all in, file after file."""
    for part in parts:
        take_all(records, part.pieces(), scope)
        records.issues += part.issues


class _Kind:
    """The resources of one type while many are taken in: what is said of them, whose they are and where rows go."""

    __slots__ = ("_kept", "_name", "_seen", "kind", "records", "said", "whose")

    def __init__(self, records: Records, kind: str) -> None:
        self.records, self.kind, self._kept = records, kind, records.rows[TABLE[kind]]
        self.whose: Callable[[Any], Any] = attrgetter(WHOSE[kind])
        self.said: _Said = _observed if kind == "Observation" else ROWS[kind]
        self._name, self._seen = "", dict[str, int]()  # of the last patient

    def add(self, name: str, number: str, where: Row, said: Sequence[Row]) -> bool:
        """Add the rows of a resource; False where it was met before."""
        kept = self._kept
        height = kept.height
        if name != self._name:
            self._name, self._seen = name, self.records.seen[name, self.kind]
        if self._seen.setdefault(number, height) != height:
            return False
        kept.add_said(where, said)
        return True


def _take_decoded(records: Records, many: Decoded, scope: Scope) -> None:
    """As `Records.take` does with each of them; what is odd in any way is left to it."""
    kinds = records.kinds = records.kinds or {WANTED[kind]: _Kind(records, kind) for kind in TABLE}
    people, file, notes = scope.people, many.file, list[Note]()
    for index, (spot, found) in enumerate(zip(many.spots, many.found, strict=False)):
        kind = kinds.get(type(found))
        if kind is None:  # it is a patient or a medicine
            continue
        link, number = kind.whose(found), found.id
        if link and number and (name := people.get(link.reference)):
            said = kind.said(found, scope, notes)
            if said and not notes and (said[0][_DISPLAY] is not None and (len(said) == 1 or _is_plain(said))):
                what = f"{kind.kind}/{number}"
                if kind.add(name, number, (name, file, f"{spot} {what}", f"{file}#{what}"), said):
                    continue
            notes.clear()
        records.take(many[index], scope)


def _is_plain(said: Sequence[Row]) -> bool:
    """Whether each row says what it is."""
    return all(row[_DISPLAY] is not None for row in said)


def _observed(found: Observation, _scope: Scope, notes: list[Note]) -> Sequence[Row]:
    """What an observation says; nothing where it may be a genotype, which is more than a row."""
    concept, amount = found.code, found.value_quantity
    codings = concept.coding if concept else []
    if concept and amount and len(codings) == 1 and amount.comparator is None and not found.component:
        coding = codings[0]
        if coding.system == LOINC and coding.code not in _GENES:  # most of a large record, hence without a call more
            return ((LOINC, coding.code, coding.display or concept.text, found.effective_date_time or when(found),
                     found.issued, found.status, amount.value,
                     amount.code if amount.code and amount.system in _UCUM else amount.unit, None, None,
                     state(found.interpretation[0]) if found.interpretation else None),)
    return () if any(one.code in _GENES for one in codings) else observation_rows(found, notes)

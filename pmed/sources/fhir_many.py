"""Many resources → rows. Nearly all are as they should be, and are taken in without a detour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from ..normalise.loinc import LOINC
from .fhir_bundle import Reading
from .fhir_decoded import Decoded
from .fhir_genes import GENOTYPE, HAPLOTYPE
from .fhir_lines import LineReading
from .fhir_records import ROWS, WHOSE, Records, Scope
from .fhir_resource import FIRST, Note, Resource
from .fhir_rows import UCUM, observation_rows, state, when
from .fhir_types import Observation
from .fhir_wanted import TABLE, WANTED
from .recorded import COLUMNS, Row

_GENES = (GENOTYPE, HAPLOTYPE)
_UCUM = (UCUM, None)
# In what is said of a resource, which begins with the system of its code.
_DISPLAY = COLUMNS["conditions"].index("display") - COLUMNS["conditions"].index("system")
# None where only `Records.take` can tell.
_Said = Callable[[Any, Scope, list[Note]], Sequence[Row] | None]


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

    __slots__ = ("_name", "_seen", "kept", "kind", "records", "said", "whose")

    def __init__(self, records: Records, kind: str) -> None:
        self.records, self.kind, self.kept = records, kind, records.rows[TABLE[kind]]
        self.whose: Callable[[Any], Any] = attrgetter(WHOSE[kind])
        self.said: _Said = _observed if kind == "Observation" else ROWS[kind]
        self._name, self._seen = "", dict[str, int]()  # of the last patient

    def seen(self, name: str) -> dict[str, int]:
        """Those of a patient that were met: id → where the rows begin."""
        if name != self._name:
            self._name, self._seen = name, self.records.seen[name, self.kind]
        return self._seen


def _take_decoded(records: Records, many: Decoded, scope: Scope) -> None:
    """As `Records.take` does with each of them; what is odd in any way is left to it."""
    kinds = records.kinds = records.kinds or {WANTED[kind]: _Kind(records, kind) for kind in TABLE}
    people, file, spots, notes = scope.people, many.file, many.spots, list[Note]()
    for index, found in enumerate(many.found):
        kind = kinds.get(type(found))
        if kind is None:  # a patient, a medicine, or what is passed over
            continue
        link, number = kind.whose(found), found.id
        if link and number and (name := people.get(link.reference)):
            said = kind.said(found, scope, notes)
            if said is not None and not notes and _is_plain(said):
                height = kind.kept.height
                if not said:  # a goal that is told in words only
                    continue
                if kind.seen(name).setdefault(number, height) == height:
                    kind.kept.add_said((name, file, spots[index], kind.kind, number), said)
                    continue
            notes.clear()
        records.take(many[index], scope)


def _is_plain(said: Sequence[Row]) -> bool:
    """Whether each row says what it is."""
    return all(row[_DISPLAY] is not None for row in said) if len(said) != 1 else said[0][_DISPLAY] is not None


def _observed(found: Observation, _scope: Scope, notes: list[Note]) -> Sequence[Row] | None:
    """What an observation says; None where it may be a genotype, which is more than a row.

    Most of a large record are measurements that are as most are: of them without more ado.
    """
    concept, amount = found.code, found.value_quantity
    if concept is None or amount is None or amount.comparator is not None or found.component or found.focus \
            or len(concept.coding) != 1 or (coding := concept.coding[0]).system != LOINC or coding.code in _GENES:
        codings = concept.coding if concept else []
        return None if any(one.code in _GENES for one in codings) else observation_rows(found, notes)
    return ((LOINC, coding.code, coding.display or concept.text, found.effective_date_time or when(found), found.issued,
             found.status, amount.value, amount.code if amount.code and amount.system in _UCUM else amount.unit, None,
             None, state(found.interpretation[0]) if found.interpretation else None),)

"""Many resources → rows. Most of a large record are single measured amounts, which are taken in without a detour."""

from __future__ import annotations

from collections.abc import Iterable

from .fhir_bundle import Reading, Resource
from .fhir_genes import GENOTYPE, HAPLOTYPE
from .fhir_lines import LineReading
from .fhir_records import Records, Scope
from .fhir_rows import LOINC, UCUM, state
from .fhir_types import Observation
from .recorded import Row

_KIND = "Observation"
_GENES = (GENOTYPE, HAPLOTYPE)


def take_all(records: Records, resources: Iterable[Resource], scope: Scope) -> None:
    """Take each of them in, as `Records.take` does."""
    people, kept, known = scope.people, records.rows["observations"], ("", dict[str, int]())
    for resource in resources:
        found = resource.found
        if type(found) is Observation and resource.id and (row := _plain(resource, found)):
            name = people.get(found.subject.reference or "") if found.subject else None
            if name:
                if name != known[0]:
                    known = name, records.seen[name, _KIND]
                if known[1].setdefault(resource.id, kept.height) == kept.height:
                    kept.add_one((name, *row))
                    continue
        records.take(resource, scope)


def take_loose(records: Records, parts: Iterable[Reading | LineReading], scope: Scope) -> None:
    """Take all in that is neither patient nor medicine, file after file."""
    for part in parts:
        take_all(records, part.others(), scope)
        records.issues += part.issues


def _plain(resource: Resource, found: Observation) -> Row | None:
    """What `observation_rows` makes of one measured amount with one LOINC code, but for whose it is."""
    amount, concept = found.value_quantity, found.code
    if not amount or amount.comparator is not None or found.component or not concept or len(concept.coding) != 1:
        return None
    coding = concept.coding[0]
    if coding.system != LOINC or coding.code in _GENES or not (display := coding.display or concept.text):
        return None
    start = found.effective_date_time or found.effective_instant
    if start is None:
        start = found.effective_period.start if found.effective_period else found.issued
    file, what = resource.file, f"{_KIND}/{resource.id}"
    return (file, f"{resource.spot} {what}" if resource.spot else what, f"{file}#{what}", LOINC, coding.code, display,
            start, found.issued, found.status, amount.value,
            amount.code if amount.code and amount.system in (UCUM, None) else amount.unit, None, None,
            state(found.interpretation[0]) if found.interpretation else None)

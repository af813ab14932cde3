"""Many resources of one file, decoded in one pass: all entries of a bundle, or many lines of NDJSON.

Nearly all files are as they should be. What is wrong with the others, and where, is told by going through them resource
by resource (see `fhir_bundle` and `fhir_lines`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Container, Iterator, Sequence, Set
from functools import cache
from itertools import compress, count
from typing import Any, overload

from .fhir_resource import FIRST, UNREADABLE, Resource
from .fhir_types import Medication, Patient
from .fhir_wanted import PASSED_OVER, WANTED, whole_bundles, whole_lines


def _beginning(kind: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"(' + kind
                      + rb')"\s*,\s*"id"\s*:\s*"([A-Za-z0-9._-]*)"\s*[,}]')


# How nearly all resources begin: type and id are known without reading the rest of them.
BEGIN = _beginning(b"[A-Za-z]+")
KEPT = {*WANTED, *FIRST}
_KINDS = {known: kind for kind, known in WANTED.items()} | {Patient: "Patient", Medication: "Medication"}
_FIRST = {Patient, Medication}
_SPOTS: list[str] = []  # "entry[0]" and on: what places are called is the same in all bundles


class Decoded(Sequence[Resource]):
    """The resources, in order, what is passed over among them; a wanted one is a `Resource` only when one asks for it.

    Attributes:
        file: The name of the file.
        spots: Where in the file each is; there may be more.
        found: What each was decoded as.
        urls: The full URL of each that has one.
    """

    def __init__(self, file: str, spots: Sequence[str], found: Sequence[Any], urls: Sequence[str | None]) -> None:
        self.file, self.spots, self.found, self.urls = file, spots, found, urls
        self._numbers: dict[str | None, int] | None = None  # full URL → which one it is, of all types

    def __len__(self) -> int:
        return len(self.found)

    @overload
    def __getitem__(self, index: int) -> Resource: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Resource]: ...
    def __getitem__(self, index: int | slice) -> Resource | Sequence[Resource]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        found = self.found[index]
        return Resource(self.file, self.spots[index], _KINDS[type(found)], found.id or "", self.urls[index] or "", b"",
                        found)

    def first(self) -> Iterator[Resource]:
        """Patients and medicines: what others refer to."""
        return (self[index] for index in self._of(_FIRST))

    def named(self, url: str, kinds: Container[str]) -> str | None:
        """Type and id of the one with a full URL; None where it is of another type, and where `by_url` has to tell."""
        if self._numbers is None:
            self._numbers = dict(zip(self.urls, count(), strict=False))
        index = self._numbers.get(url) if url else None
        if index is None:
            return None
        found = self.found[index]
        kind = _KINDS.get(type(found))
        return f"{kind}/{found.id}" if kind in kinds and found.id else None

    def by_url(self, kinds: Container[str]) -> dict[str, int]:
        """Full URL → which one it is, of those of some types."""
        urls = self.urls
        return {url: index for index in self._of({known for known, kind in _KINDS.items() if kind in kinds})
                if (url := urls[index])}

    def _of(self, kinds: Set[type]) -> Iterator[int]:
        """Which of them are of some types: a record holds thousands, hence without a loop of Python's."""
        return compress(count(), map(kinds.__contains__, map(type, self.found)))

    def has_first(self) -> bool:
        """Whether any is a patient or a medicine."""
        return not _FIRST.isdisjoint(map(type, self.found))


def whole_bundle(content: bytes) -> Any:
    """A bundle in which all is as it should be, with all resources decoded; else None."""
    try:
        bundle = whole_bundles().decode(content)
    except UNREADABLE:
        return None
    return bundle if bundle.resource_type == "Bundle" else None


def entries(bundle: Any, file: str) -> Decoded:
    """Every wanted entry's resource of a whole bundle."""
    if len(_SPOTS) < len(bundle.entry):  # in one step, as other threads may read, too
        _SPOTS[:] = [f"entry[{number}]" for number in range(2 * len(bundle.entry))]
    return Decoded(file, _SPOTS, [one.resource for one in bundle.entry], [one.full_url for one in bundle.entry])


def is_passed_over(block: bytes) -> bool:
    """Whether all lines begin as resources of one type that is passed over: claims are half of many an export."""
    begin = BEGIN.match(block)
    return begin is not None and begin[1].decode() in PASSED_OVER and all(map(
        _begin_of(begin[1]).match, io.BytesIO(block)))


@cache
def _begin_of(kind: bytes) -> re.Pattern[bytes]:
    return _beginning(kind)


def decoded_lines(file: str, number: int, lines: int, block: bytes) -> Decoded | None:
    """The resources of so many lines, decoded in one pass; `number` is the first line's.

    None where anything is not as it should be, and where what is not wanted is sooner passed over line by line.
    """
    begin = BEGIN.match(block)
    if begin is None or begin[1].decode() not in KEPT:
        return None
    try:
        found = whole_lines().decode_lines(block)
    except UNREADABLE:
        return None
    if len(found) != lines:  # an empty line has a number too
        return None
    return Decoded(file, [f"line {spot}" for spot in range(number, number + len(found))], found, [None] * len(found))

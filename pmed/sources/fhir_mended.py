"""Numbers that a FHIR resource has as JSON strings ("5.4"): read where they are plainly numbers, else kept in words.

A resource that were left out for it would leave an older measurement as the latest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

NUMBER_AS_TEXT = "number-as-text"
_WANTED = re.compile(r"Expected `(float|int)(?: \| null)?`, got `str`")
_STEP = re.compile(r"\.([A-Za-z]+)|\[(?:\.\.\.|\d+)\]")
# A decimal as FHIR has it: a comma may part thousands.
_NUMBER = {"float": re.compile(r"\s*[+-]?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?\s*"),
           "int": re.compile(r"\s*[+-]?(?:0|[1-9]\d{0,8})\s*")}
_QUANTITY = "valueQuantity"


def with_numbers(raw: bytes | msgspec.Raw, what: str, path: str) -> tuple[bytes, str] | None:
    """The resource with the numbers at a path as numbers, and what is told of it; None where that is not the fault.

    What a measurement's quantity has that is no number becomes its text.
    """
    wanted = _WANTED.search(what)
    if wanted is None:
        return None
    resource, steps = msgspec.json.decode(raw), [one[1] for one in _STEP.finditer(path)]
    places = [(parent, key) for parent, key in _places(resource, steps) if isinstance(parent[key], str)]
    if not places:
        return None
    plain = all(_NUMBER[wanted[1]].fullmatch(parent[key]) for parent, key in places)
    if plain:
        for parent, key in places:
            parent[key] = float(parent[key]) if wanted[1] == "float" else int(parent[key])
        return msgspec.json.encode(resource), "a number written as text; it is used as the number it plainly is"
    if steps[-2:] != [_QUANTITY, "value"]:
        return None
    for owner, _ in _places(resource, steps[:-1]):
        _in_words(owner)
    return msgspec.json.encode(resource), "text where a number belongs; the value stays unknown"


def _places(found: Any, steps: list[str | None]) -> Iterator[tuple[Any, str]]:
    """Objects, and the key in each, that steps of keys and of all elements of a list lead to."""
    step, *rest = steps
    if step is None:
        for one in found if isinstance(found, list) else ():
            yield from _places(one, rest)
    elif isinstance(found, dict) and step in found:
        if rest:
            yield from _places(found[step], rest)
        else:
            yield found, step


def _in_words(owner: dict[str, Any]) -> None:
    """Put a quantity that has no number into words: it was measured all the same."""
    quantity = owner.get(_QUANTITY)
    if not isinstance(quantity, dict) or not isinstance(quantity.get("value"), str):
        return
    said = [quantity["value"], quantity.get("unit") or quantity.get("code")]
    del owner[_QUANTITY]
    owner.setdefault("valueString", " ".join(one.strip() for one in said if isinstance(one, str)))

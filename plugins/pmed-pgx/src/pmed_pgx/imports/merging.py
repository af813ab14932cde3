"""Variants of one position under one REF, so that each position is one site."""

from __future__ import annotations

from collections.abc import Iterable

Variant = tuple[int, str, str]


def under_one_ref(variants: Iterable[Variant]) -> dict[Variant, Variant]:
    """Each variant → the same change with the longest REF of its position; REFs there begin alike.

    >>> under_one_ref([(5, "C", "CAT"), (5, "CAT", "C")])
    {(5, 'C', 'CAT'): (5, 'CAT', 'CATAT'), (5, 'CAT', 'C'): (5, 'CAT', 'C')}
    """
    found, longest = list(variants), dict[int, str]()
    for pos, ref, _ in found:
        longest[pos] = max(longest.get(pos, ""), ref, key=len)
    return {(pos, ref, alt): (pos, longest[pos], alt + longest[pos][len(ref):]) for pos, ref, alt in found}

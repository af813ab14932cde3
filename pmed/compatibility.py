"""Whether a plugin was made for this pmed: what its package requires, and the version of the hooks it was written for.

Only what a ``Requires-Dist`` of pmed says in practice is understood: releases of numbers, compared by ``>= > <= <
== != ~=``, with ``.*`` behind ``==`` and ``!=``. What is not understood is not taken for granted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from .errors import PluginError

_CLAUSE: Final = re.compile(r"(~=|==|!=|<=|>=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?")
_REQUIREMENT: Final = re.compile(r"pmed(?![\w.-])\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?", re.IGNORECASE)


def must_fit(requires: Iterable[str] | None, version: str) -> None:
    """Refuse a package that requires another pmed.

    Raises:
        PluginError: saying what it requires and what there is.
    """
    for wanted in _wanted(requires or ()):
        clauses = [clause.strip() for clause in wanted.split(",") if clause.strip()]
        for clause in clauses:
            if not (found := _CLAUSE.fullmatch(clause)):
                raise PluginError(f"its requirement of pmed cannot be understood: {wanted!r}",
                                  hint="write it as pmed>=0.1,<0.2")
            if not _holds(found[1], found[2], bool(found[3]), version):
                raise PluginError(f"is made for pmed {wanted}, and this is {version}",
                                  hint="install a version of it for this pmed, or switch it off with --disable")


def must_know_api(plugin: Any, api: int) -> None:
    """Refuse a plugin that says by ``PMED_API`` that it was written for other hooks.

    Raises:
        PluginError: saying for which, and which there are.
    """
    wanted = getattr(plugin, "PMED_API", api)
    if wanted != api:
        raise PluginError(f"is written for version {wanted!r} of the hooks, and this pmed has version {api}",
                          hint="install a version of it for this pmed, or switch it off with --disable")


def _wanted(requires: Iterable[str]) -> Iterator[str]:
    for line in requires:
        found = _REQUIREMENT.fullmatch(line.strip())
        if found and "extra" not in (found[2] or ""):
            yield found[1].strip()


def _holds(sign: str, wanted: str, prefix: bool, version: str) -> bool:
    there, asked = _numbers(version), _numbers(wanted)
    if prefix:
        same = there[:len(asked)] == asked
        return same if sign == "==" else not same
    if sign == "~=":
        return _padded(there, asked) and there[:len(asked) - 1] == asked[:-1]
    a, b = _even(there, asked)
    return {"==": a == b, "!=": a != b, "<=": a <= b, ">=": a >= b, "<": a < b, ">": a > b}[sign]


def _padded(there: tuple[int, ...], asked: tuple[int, ...]) -> bool:
    a, b = _even(there, asked)
    return a >= b


def _even(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    length = max(len(one), len(other))
    return one + (0,) * (length - len(one)), other + (0,) * (length - len(other))


def _numbers(version: str) -> tuple[int, ...]:
    """The release of a version: 0.1.0rc1 and 0.1.0.dev2 are 0.1.0."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else (0,)


def install_extra(extra: str) -> str:
    """The hint where a library of one of pmed's extras is not there.

    >>> install_extra("lab")
    "install pmed's extra: pip install 'pmed[lab]', or pip install -e '.[lab]' in a copy of its source"
    """
    return f"install pmed's extra: pip install 'pmed[{extra}]', or pip install -e '.[{extra}]' in a copy of its source"

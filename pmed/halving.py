"""Where a component fails for a few patients, the rows of the others, and failures that name the few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from .errors import TableError
from .plugins import Failure, Plugins

_MOST_FAILED = 8  # patients of a run for whom a component may fail before all its rows are given up
#: Asks the component about some patients; where it fails, notes the failure and gives None (`Plugins.attempt`).
Asking = Callable[[pl.DataFrame], pl.DataFrame | None]


def rows_of_others(plugins: Plugins, asking: Asking, people: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows of those for whom a component does not fail that has failed for all of them together, just now.

    Nobody's where it fails for all, for many, or for no patient alone, so that it cannot be told whom it is about, and
    where it breaks its promises for some.

    Args:
        plugins: The last failure noted is that of all.
        asking: Asks about some rows of `people`.
        people: A row a patient.
    """
    before = len(plugins.failures) - 1
    found = _in_halves(plugins, asking, people) if people.height > 1 and _raised(plugins.failures[-1]) else None
    if found is None:
        del plugins.failures[before + 1:]
        return []
    parts, whose = found
    plugins.failures[before:] = [replace(failure, patients=tuple(mine)) for failure, mine in whose.items()]
    return parts


def _in_halves(plugins: Plugins, asking: Asking,
               people: pl.DataFrame) -> tuple[list[pl.DataFrame], dict[Failure, list[str]]] | None:
    """Rows of those for whom it does not fail, and of each failure the patients; None where it is to be given up.

    Each patient for whom it fails costs two runs a halving.
    """
    parts: list[pl.DataFrame] = []
    whose: dict[Failure, list[str]] = defaultdict(list)
    waiting, runs = _halves(people), 2 * _MOST_FAILED * people.height.bit_length()
    while waiting and runs and sum(map(len, whose.values())) <= _MOST_FAILED:
        some, runs = waiting.pop(), runs - 1
        rows = asking(some)
        if rows is not None:
            parts.append(rows)
            continue
        failure = plugins.failures.pop()
        if not _raised(failure):
            return None
        if some.height == 1:
            whose[failure].append(some["patient_id"][0])
        else:
            waiting += _halves(some)
    return (parts, whose) if parts and whose and not waiting else None


def _raised(failure: Failure) -> bool:
    """Whether it failed, and not what it returned: who gives wrong rows for one is not believed of another."""
    return failure.error != TableError.__name__


def _halves(people: pl.DataFrame) -> list[pl.DataFrame]:
    """The first half last, to be taken first."""
    half = people.height // 2
    return [people[half:], people[:half]]

"""Tables as they are handed on: some made late, and copies that a component may keep or spoil."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import polars as pl

from .tables import Tables


class LateTables(Mapping[str, pl.DataFrame]):
    """Tables of which some, `late`, are made by one call when one of them is looked at."""

    def __init__(self, made: Tables, late: tuple[str, ...], make: Callable[[], Tables]) -> None:
        """`make` gives all that are `late`; it is called at each look, so it should remember."""
        self._made, self._late, self._make = dict(made), late, make

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self._make()[name] if name in self._late else self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._made or name in self._late

    def __iter__(self) -> Iterator[str]:
        yield from self._made
        yield from self._late

    def __len__(self) -> int:
        return len(self._made) + len(self._late)


class _Copies(Mapping[str, pl.DataFrame]):
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self._tables[name].clone()

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


def copies(tables: Tables) -> Tables:
    """The same tables for a component to keep or spoil: frames share their data, and what is changed is a copy."""
    return _Copies(tables)

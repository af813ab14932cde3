"""An OMOP CDM in parts of some people each, whose rows are kept as the store gave them.

What the vocabulary says of the concepts that anybody has is found once, and is the same for all parts. The first part
tells what is wrong with whole tables and with rows that are of nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from ..tables import TABLES
from .omop_cdm import (
    CLINICAL,
    ERAS,
    LAYOUTS,
    Keep,
    Layout,
    WholeStore,
    given_and_wrong,
    must_have_needed,
    nothing_right,
    typed,
)
from .omop_people import Vocabulary, empty_table, people_of, vocabulary_of
from .row_parts import PART, ROW_BYTES, Part, Rows, Run, many_parts, new_rows, read_part, rows_of, write_part

_CONCEPTS, _CONTENTS, _ISSUES = "concepts", "contents", "issues"  # what is kept beside the tables of the CDM


class _About(msgspec.Struct, frozen=True):
    """Where the rows came from: the store, and of each of its tables the file and the columns."""

    where: str
    places: dict[str, str]
    columns: dict[str, list[str]]
    first: bool


@dataclass(frozen=True)
class PartStore:
    """The people of one part, as a store; `first`: it tells what is of nobody, too."""

    path: Path
    part: Part
    about: _About
    whole: bool = False

    @classmethod
    def of(cls, path: Path) -> PartStore:
        """The part in a file."""
        part = read_part(path)
        return cls(path, part, msgspec.json.decode(part.about, type=_About))

    @property
    def where(self) -> str:
        """Where the whole CDM is."""
        return self.about.where

    @property
    def issues(self) -> list[pl.DataFrame]:
        """Those of whole tables."""
        return [self._frame(_ISSUES)] if self.about.first else []

    @property
    def vocabulary(self) -> Vocabulary:
        """What was found for all parts."""
        return self._frame(_CONCEPTS), self._frame(_CONTENTS)

    def place(self, table: str) -> str:
        """The file that the table's rows are from."""
        return self.about.places.get(table, self.where)

    def columns(self, table: str) -> list[str] | None:
        """The columns of a table; None where there was no such table."""
        return self.about.columns.get(table)

    def read(self, table: str, columns: Sequence[str], keep: Keep | None = None) -> pl.DataFrame:  # noqa: ARG002
        """The columns of the part's rows; those of a vocabulary, which `keep` is about, are not in a part."""
        return self._frame(table).select(columns)

    def told(self, issues: pl.DataFrame) -> pl.DataFrame:
        """The issues that are the part's to tell."""
        return issues if self.about.first else issues.filter(pl.col("patient_id").is_not_null())

    def _frame(self, name: str) -> pl.DataFrame:
        return rows_of(self.path, self.part, name)


def parted(paths: Sequence[Path], folder: Path, size: int, suffix: str,
           opened: Callable[[Path], AbstractContextManager[WholeStore]]) -> list[Path]:
    """Write parts of people with about `size` bytes, as NDJSON would have; none where there are not so many rows.

    Raises:
        HistoryError: a CDM that cannot be read, as reading it would say.
        PmedError: there is no room for the rows.
    """
    heights = []
    for path in paths:
        with opened(path) as store:
            for name in _tables(store):
                must_have_needed(store, name)
            heights.append(sum(map(store.height, _tables(store))))
    if sum(heights) * ROW_BYTES <= size:
        return []
    made: list[Path] = []
    seen = pl.Series(dtype=pl.Int64)
    for number, (path, height) in enumerate(zip(paths, heights, strict=True)):
        with opened(path) as store:
            people = people_of(store, [])["person_id"].unique(maintain_order=True)
            store.issues.clear()  # the table is gone through once more
            if people.is_in(seen.implode()).any():  # who reads them at once says so
                return []
            seen = pl.concat([seen, people])
            many = max(1, min(many_parts(height, size), len(people)))
            made += _parted(store, people, folder / f"{number:02}", suffix, many)
    return made if len(made) > 1 else []


def _tables(store: WholeStore) -> list[str]:
    """The tables with people's rows that are there."""
    return [name for name in ("person", *CLINICAL, "death") if store.columns(name) is not None]


def _parted(store: WholeStore, people: pl.Series, stem: Path, suffix: str, many: int) -> list[Path]:
    """The parts of one CDM: the files' names begin with the stem's."""
    tables = _tables(store)
    place = pl.DataFrame({"person_id": people, PART: pl.int_range(len(people), eager=True) * many // len(people)})
    kept = stem.with_name(f"{stem.name}.rows")
    with new_rows(kept) as rows:
        learnt = [_Table(store, name, place, many) for name in tables]
        runs = {one.name: one.spread(rows, stem.parent) for one in learnt}
        issues: list[pl.DataFrame] = []
        words = _vocabulary(store, learnt, rows, issues)
        issues += [empty_table(store, one.name) for one in learnt if not one.rows and one.name in CLINICAL]
        shared = {**words, _ISSUES: [rows.put(pl.concat([TABLES["issues"].empty(), *store.issues, *issues]))]}
    eras: dict[str, list[str]] = {name: [] for name in ERAS.values() if store.columns(name) is not None}
    abouts = (_About(store.where, {name: store.place(name) for name in [*tables, *eras]},
                     {**{one.name: one.columns for one in learnt}, **eras}, first=not number) for number in range(many))
    return [write_part(stem.with_name(f"{stem.name}-{number:05}{suffix}"), kept,
                       {**shared, **{name: mine[number] for name, mine in runs.items()}}, about)
            for number, about in enumerate(abouts)]


def _vocabulary(store: WholeStore, tables: Sequence[_Table], rows: Rows,
                issues: list[pl.DataFrame]) -> dict[str, list[Run]]:
    """What the vocabulary says of the concepts of all people."""
    ids = pl.DataFrame({"concept_id": sorted({one for table in tables for one in table.concepts})},
                       schema={"concept_id": pl.Int64})
    drugs = pl.DataFrame({"drug_concept_id": sorted({one for table in tables for one in table.drugs})},
                         schema={"drug_concept_id": pl.Int64})
    found = vocabulary_of(store, [ids], drugs, issues)
    return {name: [rows.put(frame)] for name, frame in zip((_CONCEPTS, _CONTENTS), found, strict=True)}


@dataclass
class _Table:
    """One table, and what is learnt of it while it is gone through.

    Attributes:
        store: Where it is.
        name: Of the table.
        place: `person_id` and `PART` of everybody.
        many: Parts.
        rows: How many there are.
        concepts: Those that somebody has.
        drugs: Those of them that are drugs taken.
        doubted: Needed columns without any right value so far, and whether they have others.
    """

    store: WholeStore
    name: str
    place: pl.DataFrame
    many: int
    rows: int = 0
    concepts: set[int] = field(default_factory=set)
    drugs: set[int] = field(default_factory=set)
    doubted: dict[str, bool] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """What is read of it."""
        return LAYOUTS[self.name]

    @property
    def columns(self) -> list[str]:
        """The columns that are read."""
        there = self.store.columns(self.name) or []
        return [name for name in self.layout.columns if name in there]

    def spread(self, rows: Rows, scratch: Path) -> list[list[Run]]:
        """Put the rows of each part into the file.

        Raises:
            HistoryError: a needed column is missing, or holds nothing of its kind.
        """
        def take(batches: Iterator[pl.DataFrame]) -> list[list[Run]]:
            self.rows, self.doubted = 0, dict.fromkeys(self.layout.needed, False)
            self.concepts, self.drugs = set(), set()
            return rows.spread(map(self._placed, batches), self.many)

        runs = self.store.through(self.name, self.columns, take, scratch)
        if wrong := [name for name, others in self.doubted.items() if others]:
            raise nothing_right(self.store, self.name, wrong[0])
        return runs

    def _placed(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Some rows with their parts: of people that are known to nobody all are together, of nobody in the first."""
        read = raw.select(typed(raw, name, self.layout.columns[name]).alias(name) for name in raw.columns
                          if name in self.doubted or name.endswith(("person_id", "concept_id")))
        self._doubt(raw, read)
        known = read.join(self.place, on="person_id", how="left", maintain_order="left")
        theirs = known.filter(pl.col(PART).is_not_null())
        for name in theirs.columns:
            if name.endswith("concept_id"):
                met = {*theirs[name].drop_nulls().unique()}
                self.concepts |= met
                self.drugs |= met if name == "drug_concept_id" else set()
        self.rows += raw.height
        return raw.with_columns(known.select(
            pl.coalesce(PART, pl.col("person_id") % self.many, 0).cast(pl.Int64).alias(PART)))

    def _doubt(self, raw: pl.DataFrame, read: pl.DataFrame) -> None:
        for name in [*self.doubted]:
            given, wrong = given_and_wrong(raw[name], read[name], self.layout.columns[name])
            self.doubted[name] |= given.any()
            if given.sum() > wrong.sum():
                del self.doubted[name]

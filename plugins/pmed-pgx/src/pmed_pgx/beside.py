"""What a medicine would do to those that are taken, which its own rows and checks do not say.

An interaction is often told at one of its two drugs only: that simvastatin must go with clarithromycin is a check of
simvastatin. So each medicine that is taken is judged again, as if the other one were taken, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

import polars as pl

from pmed.tables import Tables

from .cases import REMEMBERED, Cases, numbered
from .checks import covered, reads
from .ended import ended
from .guidelines import Known
from .knowledge import table
from .medicines import MODIFIERS, TAKING, now_taken, of_class
from .outcomes import Outcome, outcome
from .phenoconversion import COMING, DOUBT, PERHAPS, TAKEN, Acting, parsed, written

_ALREADY = {TAKEN: "it is taken already", COMING: "it is ordered already", PERHAPS: "it is perhaps taken already"}


class Company(NamedTuple):
    """Beside what a candidate would be taken: its own `state` where it is taken, and the cases that it touches.

    And what is `gone` since nobody knows when.
    """

    state: str | None = None
    cases: tuple[int, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def already(self) -> list[str]:
        """That the candidate is taken, in words."""
        return [_ALREADY[self.state]] if self.state else []


ALONE = Company()


@dataclass(frozen=True)
class Taken:
    """What each patient takes, or may take: number (of the patient), drug, state, case; drugs that rows are about.

    Attributes:
        rows: That table.
        gone: Number of a patient → what `ended` since nobody knows when.
    """

    rows: pl.DataFrame
    gone: Mapping[int, tuple[str, ...]]

    @classmethod
    def of(cls, tables: Tables, cases: Cases) -> Taken:
        """What the records say."""
        gone: dict[int, tuple[str, ...]] = {}
        over = ended(tables)
        for number, name in zip(numbered(over["patient_id"], cases.patients.to_list()), over["gone"], strict=True):
            gone[int(number)] = (*gone.get(int(number), ()), name)
        return cls(cases.placed(now_taken(tables)).sort("number", "drug").select(
            "number", "drug", pl.col("state").cast(pl.String), "case"), gone)

    @cached_property
    def each(self) -> Mapping[int, Mapping[str, tuple[str, int]]]:
        """Patient → drug → state and case, to look into one by one."""
        found: dict[int, dict[str, tuple[str, int]]] = {}
        for number, drug, state, case in self.rows.iter_rows():
            found.setdefault(number, {})[drug] = state, case
        return found

    def company(self, number: int, drug: str, other: str) -> Company:
        """Of a candidate `other` in place of a `drug`; only what is gone where that is not taken."""
        mine, gone = self.each.get(number, {}), self.gone.get(number, ())
        if drug not in mine:
            return Company(gone=gone) if gone else ALONE
        state = mine[other][0] if other in mine else None
        return Company(state, tuple(case for name, (_, case) in mine.items()
                                    if name != drug and other in _touching().get(name, ())), gone)

    def companies(self, offers: pl.DataFrame) -> list[Company]:
        """The same of each row of `offers` (number, drug, other)."""
        found = offers.select("number", "drug", "other").with_row_index("_row")
        current = found.join(self.rows.select("number", "drug"), on=["number", "drug"], how="semi")
        beside = current.join(self.rows.rename({"drug": "one"}), on="number").sort("_row", "one")
        states = dict(beside.filter(pl.col("one") == pl.col("other")).select("_row", "state").iter_rows())
        touched = beside.filter(pl.col("one") != pl.col("drug")).join(_touched(), on=["one", "other"], how="semi")
        cases = dict(touched.group_by("_row").agg(pl.col("case").sort_by("one")).iter_rows())
        listed = [ALONE] * offers.height
        for row in current["_row"].to_list():
            listed[row] = Company(states.get(row), tuple(cases.get(row, ())))
        for row, number in found.filter(pl.col("number").is_in([*self.gone]))["_row", "number"].iter_rows():
            listed[row] = listed[row]._replace(gone=self.gone[number])
        return listed


@cache
def _touching() -> Mapping[str, frozenset[str]]:
    """Drug → the medicines whose being taken changes what its rows and checks look at."""
    acting: dict[str, set[str]] = {}
    for gene, drug in table("modifiers").select("gene", "drug").iter_rows():
        acting.setdefault(gene, set()).add(drug)
    found = {name: {one for feature in reads(drug) for one in _named_by(feature, acting)} - {name}
             for name, drug in covered().items()}
    return {name: frozenset(others) for name, others in found.items() if others}


def _named_by(feature: str, acting: Mapping[str, set[str]]) -> set[str] | frozenset[str]:
    if feature.startswith(TAKING):
        return of_class(feature.removeprefix(TAKING))
    return acting.get(feature.removeprefix(MODIFIERS), frozenset()) if feature.startswith(MODIFIERS) else frozenset()


@cache
def _touched() -> pl.DataFrame:
    """`_touching` as a table: one, other."""
    rows = [(name, other) for name, others in _touching().items() for other in others]
    return pl.DataFrame(rows, schema={"one": pl.String, "other": pl.String}, orient="row")


@lru_cache(maxsize=REMEMBERED)
def medicines_in(one: Outcome) -> frozenset[str]:
    """The medicines of the patient that the drug's rows and checks look at."""
    return frozenset(entry.partition(DOUBT)[0] for name, value in one.given.items()
                     if value and name.startswith((MODIFIERS, TAKING)) for entry in value.split(";"))


def outcome_without(one: Outcome, drug: str) -> Outcome:
    """The outcome if a medicine were not taken."""
    # Most look at none that is taken, and are not worth a place among those remembered.
    return _without(one, drug) if drug in medicines_in(one) else one


@lru_cache(maxsize=REMEMBERED)
def _without(one: Outcome, drug: str) -> Outcome:
    return outcome(one.drug, without(one.given, drug))


@lru_cache(maxsize=REMEMBERED)
def outcome_with(one: Outcome, drug: str) -> Outcome:
    """The outcome if another medicine were taken, too."""
    return outcome(one.drug, taking_too(one.given, drug))


def without(given: Known, drug: str) -> dict[str, Any]:
    """The features of a patient who does not take `drug`."""
    return {name: _left(value, drug) if value and name.startswith((MODIFIERS, TAKING)) else value
            for name, value in given.items()}


def _left(text: str, drug: str) -> str:
    return ";".join(entry for entry in text.split(";") if entry.partition(DOUBT)[0] != drug)


def taking_too(given: Known, drug: str) -> dict[str, Any]:
    """The features of a patient who takes `drug`, too, at a dose by which it need not act on an enzyme that asks one.

    >>> taking_too({"taking:nsaid": "ibuprofen", "taking:ssri": "", "age": 50.0}, "naproxen")
    {'taking:nsaid': 'ibuprofen;naproxen', 'taking:ssri': '', 'age': 50.0}
    """
    found = dict(given)
    for name, value in given.items():
        if name.startswith(TAKING) and drug in of_class(name.removeprefix(TAKING)):
            found[name] = ";".join(sorted([*filter(None, _left(value or "", drug).split(";")), drug]))
        elif name.startswith(MODIFIERS) and (mine := _acts(drug).get(name.removeprefix(MODIFIERS))):
            others = [one for one in parsed(value) if one.drug != drug]
            found[name] = ";".join(sorted(map(written, (*others, *mine))))
    return found


@cache
def _acts(drug: str) -> Mapping[str, Sequence[Acting]]:
    """Gene → how a medicine acts on its product at any dose."""
    found: dict[str, list[Acting]] = {}
    rows = table("modifiers").filter(pl.col("drug") == drug, pl.col("from_dose").is_null())
    for gene, kind, strength in rows.select("gene", "kind", "strength").iter_rows():
        found.setdefault(gene, []).append(Acting(drug, kind, strength, TAKEN))
    return found

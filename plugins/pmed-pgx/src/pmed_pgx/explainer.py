"""Explainer: exact Shapley values of the concern level, also where some inputs are unknown or several are possible.

The value of a coalition is the concern that is certain for a hybrid: the patient's own inputs (unknown ones too) inside
the coalition, the reference patient's outside. A hybrid that the rows leave open counts as no concern, so an unknown
input never explains any. (Shapley 1953; the baseline form of Sundararajan & Najmi 2020, arXiv:1908.08474.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import factorial, isnan
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pmed.types import Predictor

from .cases import FEW, REMEMBERED, Cases, columns
from .checks import LATER, REFERENCE, acting_on, covered, genes_of, is_allergy, is_list, listing
from .guidelines import DAYS, PHENOTYPE, SCORE, Drug, Known, Row
from .medicines import ALLERGIES, MODIFIERS
from .outcomes import Outcome, certain
from .phenoconversion import BY_SCORE, COMING, FACTORS

METHOD = "exact Shapley values against a stated reference patient; what is unknown adds no concern"
_TOLD = {"case": pl.Int64(), "feature": pl.String(), "value": pl.String(), "reference": pl.String(),
         "contribution": pl.Float64(), "baseline": pl.Float64(), "prediction": pl.Float64()}
_EXPLAINED = {**dict.fromkeys(("patient_id", "target", "unit"), pl.String()),
              **{name: dtype for name, dtype in _TOLD.items() if name != "case"}, "method": pl.String()}
ON, _ALLERGY, TOGETHER = "on:", "allergy:", "other medicines"
MOST = 12  # players, of which every mixture is worked out
NORMAL_SCORE = 2.0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GuidelineExplainer:
    """Exact Shapley values over the inputs of a drug's rows, worked out once for each distinct case."""

    name: ClassVar[str] = "guideline-shapley"

    def explain(self, predictor: Predictor, features: pl.DataFrame,  # noqa: ARG002 - the hook's signature
                predictions: pl.DataFrame) -> pl.DataFrame:
        """``explanations`` rows (without ``predictor``) for every row of `predictions`."""
        asked = [covered()[name] for name in predictions["target"].unique(maintain_order=True)]
        cases = Cases.read(features, asked)
        if features.height <= FEW:
            return _of_few(cases, features, predictions)
        rows = cases.rows().rename({"drug": "target"}).join(
            predictions.select("patient_id", "target", "unit"), on=["patient_id", "target"], maintain_order="left")
        told = [(case, *one) for case in rows["case"].unique().to_list() for one in _told(cases.outcomes[case])]
        said = pl.DataFrame(told, schema=_TOLD, orient="row")
        numbers = _numbers(features, said["feature"].unique().to_list())
        made = rows.join(said, on="case", maintain_order="left_right").join(
            numbers, on=["patient_id", "feature"], how="left", maintain_order="left")
        value = pl.coalesce("_number", "value")
        return made.drop("case").with_columns(value=value, method=pl.lit(METHOD)).drop("_number")


def _of_few(cases: Cases, features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """The same rows of few people, one by one: for them joins take longer than looking."""
    units = {(patient, target): unit for patient, target, unit in
             predictions[["patient_id", "target", "unit"]].iter_rows()}
    mine = [(patient, cases.outcomes[case]) for patient, row in zip(
        cases.patients.to_list(), cases.of.tolist(), strict=True) for case in row]
    told = [(patient, one.drug.name, units[patient, one.drug.name], _told(one)) for patient, one in mine
            if (patient, one.drug.name) in units]
    numbers = _own_numbers(features, dict.fromkeys(row[0] for *_, rows in told for row in rows))
    return pl.DataFrame(
        [(patient, target, unit, feature, numbers.get((patient, feature), value), *others, METHOD)
         for patient, target, unit, rows in told for feature, value, *others in rows],
        schema=_EXPLAINED, orient="row")


def _own_numbers(features: pl.DataFrame, names: Iterable[str]) -> dict[tuple[str, str], str]:
    """The same as `_numbers`, by patient and feature."""
    known = set(features.columns)
    asked = [name for name in names if name in known and not name.startswith((SCORE, PHENOTYPE))]
    found = {(patient, name): value for patient, *values in features[["patient_id", *asked]].iter_rows()
             for name, value in zip(asked, values, strict=True)
             if isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)}
    return dict(zip(found, _as_numbers(pl.Series(found.values(), dtype=pl.Float64)), strict=True))


def _as_numbers(values: pl.Series) -> pl.Series:
    return values.round(1).cast(pl.String).str.strip_suffix(".0")


@dataclass(frozen=True)
class Game:
    """Who takes part in the concern of one case: inputs that differ from the reference patient's, and medicines.

    ``drug`` has only those checks that hold. ``players`` are features; a medicine or an allergen is one player, in
    however many places it acts.
    """

    drug: Drug
    given: Known
    reference: Known

    @cached_property
    def lists(self) -> dict[str, list[str]]:
        """Feature with a list of names → the players in it."""
        checked = {name for row in self.drug.checks for name in row.when if is_list(name)}
        found: dict[str, dict[str, None]] = {}
        for name in sorted(checked):
            kind, feature = (_ALLERGY, ALLERGIES) if is_allergy(name) else (ON, name.removeprefix(LATER))
            named = listing(name, self.given, self.drug.name) or []
            found.setdefault(feature, {}).update(dict.fromkeys(f"{kind}{one}" for one in named))
        later = any(name.startswith((f"{LATER}{PHENOTYPE}", f"{LATER}{SCORE}"))
                    for row in self.drug.checks for name in row.when)
        for gene in genes_of(self.drug):
            found[f"{MODIFIERS}{gene}"] = dict.fromkeys(
                f"{ON}{one.drug}" for one in acting_on(self.drug, gene, self.given)
                if FACTORS[one.strength] < 1 and (later or one.state != COMING))
        return {name: [*players] for name, players in found.items() if players}

    @cached_property
    def players(self) -> tuple[str, ...]:
        """The features that take part; beyond `MOST` of them the medicines are one player."""
        checked = [name.removeprefix(LATER) for row in self.drug.checks for name in row.when if not is_list(name)]
        own = [name for name in dict.fromkeys((*self.drug.inputs, *checked))
               if self.given.get(name) != self.reference.get(name)]
        named = list(dict.fromkeys(one for players in self.lists.values() for one in players))
        return (*own, *named) if len(own) + len(named) <= MOST else (*own, TOGETHER)

    def hybrid(self, inside: Sequence[str]) -> dict[str, Any]:
        """The features of a mixture: the patient's for the players `inside`, the reference patient's elsewhere.

        A list of medicines with no player in it is the patient's own: none of them is taken by either.
        """
        mixed = dict(self.outside)
        mixed.update({name: self.given[name] for name, players in self.governed.items()
                      if not players.isdisjoint(inside)})
        for name, players in self.lists.items():
            there = {one for one in players if one in inside or TOGETHER in inside}
            entries = (self.given[name] or "").split(";")
            mixed[name] = ";".join(entry for entry in entries if _player(name, entry) in there)
        return mixed

    @cached_property
    def outside(self) -> Known:
        """The features of the mixture without any player."""
        return {name: (self.given if is_list(name) and name not in self.lists else self.reference).get(name)
                for name in self.given}

    @cached_property
    def governed(self) -> Mapping[str, frozenset[str]]:
        """Feature → the players any of which makes it the patient's own: itself, and for some scores the phenotype."""
        own = {name: frozenset((name, self._gene_of(name))).intersection(self.players) for name in self.given}
        return {name: players for name, players in own.items() if players}

    def _gene_of(self, score: str) -> str:
        """A score that no row reads goes with its gene's phenotype."""
        gene = score.removeprefix(SCORE)
        return f"{PHENOTYPE}{gene}" if score != gene and score not in self.drug.inputs else score


def _player(feature: str, entry: str) -> str:
    return f"{_ALLERGY}{entry}" if feature == ALLERGIES else f"{ON}{entry.partition('|')[0]}"


def game(one: Outcome) -> Game:
    """The game of one case; only the checks that hold take part."""
    drug = _checked(one.drug, one.checks)
    blank = dict.fromkeys(one.given)
    scores = {f"{SCORE}{gene}": NORMAL_SCORE for gene in genes_of(drug) if gene in BY_SCORE}
    known = {name: value for name, value in REFERENCE.items() if name in one.given}
    new = {name: 0.0 for name in one.given if name.startswith(DAYS)}
    return Game(drug, one.given, {**blank, **scores, **known, **new, **one.drug.inputs})


@lru_cache(maxsize=REMEMBERED)
def medicines_of(one: Outcome) -> tuple[str, ...]:
    """The other medicines taken that take part."""
    return tuple(dict.fromkeys(player.removeprefix(ON) for players in game(one).lists.values() for player in players
                               if player.startswith(ON)))


# Kept, as is what is worked out of a drug (`reads`, `genes_of`): most patients have the same checks, or none.
@lru_cache(maxsize=REMEMBERED)
def _checked(drug: Drug, checks: tuple[Row, ...]) -> Drug:
    return replace(drug, checks=checks)


def attributed(played: Game) -> tuple[float, float, dict[str, float]]:
    """Concern of the reference patient, concern of this one, and what each player adds."""
    own = played.players
    inside = [[name for rank, name in enumerate(own) if mixed >> rank & 1] for mixed in range(1 << len(own))]
    worth = [certain(played.drug, played.hybrid(names)) for names in inside]
    added = weights(len(own)) @ np.array(worth)
    return worth[0], worth[-1], dict(zip(own, added.tolist(), strict=True))


@lru_cache(maxsize=16)
def weights(n: int) -> Floats:
    """Matrix (n × 2^n): row i times the coalition values is input i's Shapley value; bit i of a column is input i.

    >>> weights(1).tolist()
    [[-1.0, 1.0]]
    """
    coalitions = np.arange(1 << n)
    size = np.array([int(one).bit_count() for one in coalitions])
    gain = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)] + [0.0])
    inside = (coalitions[None, :] >> np.arange(n)[:, None]) & 1
    return np.asarray(np.where(inside == 1, gain[size - 1], -gain[size]), dtype=np.float64)


@lru_cache(maxsize=REMEMBERED)
def _told(one: Outcome) -> list[tuple[Any, ...]]:
    """One row an input of the guideline's rows, and one for everything else that takes part."""
    played = game(one)
    baseline, total, added = attributed(played)
    named = dict.fromkeys((*one.drug.inputs, *played.players))
    return [(name, _value(played, name), as_text(played.reference.get(name, _absent(name))), added.get(name, 0.0),
             baseline, total) for name in named]


def _absent(name: str) -> bool | None:
    return False if name.startswith((ON, _ALLERGY)) else None


def _value(played: Game, name: str) -> str | None:
    return "yes" if name.startswith((ON, _ALLERGY)) or name == TOGETHER else as_text(played.given.get(name))


def as_text(value: Any) -> str | None:
    """An input's value as a person would write it.

    >>> as_text(True), as_text(1.0), as_text("Poor Metabolizer"), as_text(None)
    ('yes', '1', 'Poor Metabolizer', None)
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else value


def _numbers(features: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The patients' own numbers, where the cases know only between which bounds they lie."""
    asked = columns(features, (name for name in names if not name.startswith((SCORE, PHENOTYPE))))
    texts = [_as_numbers(one.cast(pl.Float64)) for one in asked.values() if one.dtype.is_numeric()]
    wide = pl.DataFrame([features["patient_id"], *texts])
    return wide.unpivot(index="patient_id", variable_name="feature", value_name="_number").cast(
        {"_number": pl.String}).drop_nulls("_number")

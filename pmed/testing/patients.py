"""Patients to try a predictor on: its reference patients, changed one input at a time, and its own examples."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Final

import polars as pl

from ..errors import InputError
from ..flow import inputs
from ..plugins import BUILT_IN, Component, Plugins
from ..spelling import Names, written
from ..stages.predict import checked, whole
from ..types import Predictor
from .subject import NotRun, names_there_are

MOST: Final = 12
DTYPES: Final = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String()}
#: By the prefix of a feature: values that a genome can have.
GENETIC: Final[Mapping[str, tuple[Any, ...]]] = {
    "genotype:": ("A/A", "A/C", "A/G", "A/T", "C/C", "C/G", "C/T", "G/G", "G/T", "T/T"),
    "diplotype:": ("*1/*1", "*1/*2", "*1/*3", "*2/*2", "*2/*3", "*3/*3"),
    "phenotype:": ("Normal Metabolizer", "Intermediate Metabolizer", "Poor Metabolizer", "Ultrarapid Metabolizer"),
    "phenotypes:": ("Normal Metabolizer", "Intermediate Metabolizer", "Poor Metabolizer", "Ultrarapid Metabolizer"),
    "activity-score:": (0.0, 0.5, 1.0, 1.5, 2.0, 3.0),
    "dosage:": (0.0, 1.0, 2.0),
    "status:": ("positive", "negative"),
}
Row = Mapping[str, Any]


def is_genetic(name: str) -> bool:
    """Whether a feature comes from a genome."""
    return name.startswith(tuple(GENETIC))


@dataclass(frozen=True)
class Case:
    """A predictor with the patients it is tried on."""

    component: Component
    plugins: Plugins

    @property
    def predictor(self) -> Predictor:
        """The predictor that is checked."""
        made: Predictor = self.component.made
        return made

    @cached_property
    def has_own_explainer(self) -> bool:
        """Whether an installed plugin explains it, and not pmed's exact explainer, which takes 12 inputs."""
        offers = [impl.function(self.predictor) for owner, impl in self.plugins.implementations("choose_explainer")
                  if owner.plugin not in BUILT_IN]
        return any(offer is not None for offer in offers)

    @cached_property
    def names(self) -> list[str]:
        """All declared inputs."""
        return inputs(self.predictor)

    @cached_property
    def reference(self) -> dict[str, Any]:
        """The reference patients of all targets as one; the first that knows an input says its value."""
        known: dict[str, Any] = {}
        for target in self.predictor.gives:
            for name, value in self.predictor.reference(target).items():
                known[name] = value if known.get(name) is None else known[name]
        return known

    @property
    def base(self) -> dict[str, Any]:
        """The reference patient, with what is needed besides: the first simple values that can be assessed.

        Raises:
            NotRun: where there is none.
        """
        if self.fault:
            raise NotRun("can_be_tried comes first")
        return self._tried[0]

    @property
    def fault(self) -> str:
        """Why the predictor cannot be tried on anybody; empty where it can."""
        return self._tried[1]

    @cached_property
    def _tried(self) -> tuple[dict[str, Any], str]:
        """The `base`, and the `fault` if that is not assessed."""
        try:
            reference = {name: self.reference.get(name) for name in self.names}
            examples = [{**reference, **row} for row in self.own_examples()]
        except Exception as error:  # whatever a stranger's method raises is what is told
            return {}, f"`reference` or `examples` fails: {self._told(error)}"
        if examples:
            return examples[0], self._why_not(examples[0])
        open_names = [name for name in self.predictor.needs if reference[name] is None]
        row, why = reference, ""
        for values in product((False, 50.0, "no"), repeat=min(len(open_names), 4)):
            row = {**reference, **dict(zip(open_names, values, strict=False))}
            if not (why := self._why_not(row)):
                return row, ""
        besides = f"; or `examples()`, for what is needed besides: {', '.join(open_names)}" if open_names else ""
        return row, why + besides

    @cached_property
    def there(self) -> Names:
        """The features that there are, with the steps that give them."""
        return names_there_are(self.plugins)

    def genetic_values(self, name: str) -> tuple[Any, ...]:
        """What a genome can say of a feature, written as the step that gives it does."""
        values = next(values for prefix, values in GENETIC.items() if name.startswith(prefix))
        told = []
        for value in values:
            with suppress(InputError):  # another site's allele
                told.append(written(self.there.steps, name, value))
        return tuple(dict.fromkeys(told))

    def own_examples(self) -> Sequence[Row]:
        """What the predictor itself offers to be tried on."""
        return list(getattr(self.component.made, "examples", list)())

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Features of up to a dozen patients; the first can be assessed."""
        base = self.base
        rows: list[Row] = [base, *({**base, **row} for row in self.own_examples())]
        rows += [{**base, name: value} for name, value in self._changes(base)]
        step = max(1, len(rows) // MOST)
        return self.table([rows[0], *rows[1::step]][:MOST])

    def table(self, rows: Sequence[Row]) -> pl.DataFrame:
        """Features of these patients, typed as the reference patient is; an input that nobody has is without a type."""
        columns = {name: [row.get(name) for row in rows] for name in self.names}
        return pl.DataFrame([pl.Series("patient_id", [f"p{rank:03}" for rank in range(len(rows))], pl.String),
                             *(_series(name, values, self.base_type(name)) for name, values in columns.items())])

    def base_type(self, name: str) -> Any:
        """The reference patient's value, which says the type."""
        return self.reference.get(name)

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Checked predictions in a fixed order.

        Raises:
            Broken: where they break a promise.
        """
        return tidy(checked(self.predictor, frame))

    def _changes(self, base: Row) -> Iterator[tuple[str, Any]]:
        for name, value in base.items():
            if isinstance(value, bool):
                yield name, not value
            elif isinstance(value, int | float) and not is_genetic(name):
                yield from ((name, value * 1.05), (name, value * 0.95))
            elif is_genetic(name):
                yield from ((name, other) for other in self.genetic_values(name)[:3])

    def _why_not(self, row: Row) -> str:
        """Why nothing is assessed of this patient; empty where something is."""
        try:
            said = whole(self.predictor.predict(self.table([row])))
            if (said["status"] == "assessed").any():
                return ""
            reason = str(said["reason"].drop_nulls().first())
        except Exception as error:  # perhaps a value of the wrong type; the next is tried, and the last is told
            return f"predict() fails: {self._told(error)}"
        return f"the reference patient is not assessed: {reason}; give `reference` values that can be"

    def _told(self, error: Exception) -> str:
        """The error and where in the plugin's own file it came up."""
        file = str(getattr(sys.modules.get(type(self.predictor).__module__), "__file__", ""))
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        place = f" [{Path(file).name}:{lines[-1]}]" if file and lines else ""
        return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def tidy(rows: pl.DataFrame) -> pl.DataFrame:
    """Predictions sorted by patient and target."""
    return rows.sort("patient_id", "target")


def _series(name: str, values: Sequence[Any], example: Any) -> pl.Series:
    known = [value for value in [example, *values] if value is not None]
    if not known:
        return pl.Series(name, values, dtype=pl.Null)
    kind = type(known[0])
    return pl.Series(name, values, dtype=DTYPES[float if kind is int else kind], strict=False)

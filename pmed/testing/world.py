"""A run to try components in: the embedded, invented patients and the plugin's own examples, with hostile text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import polars as pl

from ..demo import patients
from ..engine import Engine
from ..flow import gives, is_pattern
from ..plugins import Component
from ..result import Result
from ..stages import features as feature_stage
from ..tables import TABLES
from .patients import Case
from .predictor_checks import HOSTILE
from .subject import Subject, must

_PEOPLE: Final = 2
#: Text columns that come from a record and reach a report.
_RECORDED: Final = dict.fromkeys(("medications", "conditions", "observations", "allergies"), "display")


@dataclass(frozen=True)
class World:
    """One plugin beside the host's own, and what two invented patients' files say."""

    subject: Subject

    @cached_property
    def engine(self) -> Engine:
        """The components of the host and of the plugin."""
        return Engine.using(self.subject.plugins)

    @cached_property
    def cases(self) -> list[Case]:
        """The plugin's predictors with the patients they are tried on."""
        return [Case(one, self.subject.plugins) for one in self.mine(self.engine.predictors)]

    def mine(self, components: Sequence[Component]) -> list[Component]:
        """Those that the plugin brings."""
        return [one for one in components if one.plugin == self.subject.name]

    @cached_property
    def read(self) -> dict[str, pl.DataFrame]:
        """The tables after reading: genomes and records of the two."""
        people = patients()[:_PEOPLE]
        request = self.engine.request([*self.engine.steps, *self.engine.predictors])
        return self.engine.read([one.genome for one in people], [one.history for one in people], request, {})

    @cached_property
    def wanted(self) -> list[str]:
        """Features that the plugin's steps give: by name, or by pattern where its own predictors ask for them."""
        named = {name for step in self.mine(self.engine.steps) for name in step.made.gives}
        asked = {name for case in self.cases for name in case.names}
        plain = {name for name in named if not is_pattern(name)}
        steps = [step.made for step in self.mine(self.engine.steps)]
        return sorted((plain | {name for name in asked if any(gives(step, name) for step in steps)}) - {*TABLES})

    def steps(self, tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """Tables and features after all feature steps.

        Raises:
            Broken: where a step of the plugin fails.
        """
        before = len(self.subject.failures)
        made = feature_stage.run_steps(self.subject.plugins, self.engine.steps, tables, self.wanted)
        self.must_be_well(before)
        return made

    def must_be_well(self, before: int) -> None:
        """Fail where the plugin has more failures than `before`."""
        new = self.subject.failures[before:]
        must(not new, "; ".join(map(str, new)))

    def conclude(self, tables: Mapping[str, pl.DataFrame]) -> Result:
        """A whole result of tables that were read."""
        made = self.engine.conclude(tables)
        return Result(made, (), self.engine.provenance([], [], {}))

    @cached_property
    def result(self) -> Result:
        """A whole result of the two."""
        return self.conclude(self.read)

    @cached_property
    def hostile(self) -> Result:
        """The same where texts of the record hold markup."""
        return replace(self.result, tables={name: _spoilt(name, frame) for name, frame in self.result.tables.items()})

    @cached_property
    def nobody(self) -> Result:
        """A result without patients."""
        return Result({name: frame.clear() for name, frame in self.result.tables.items()}, (), self.result.provenance)

    def advised(self) -> dict[str, pl.DataFrame]:
        """Tables of the patients that the plugin's predictors are tried on, with what these say of them."""
        made: dict[str, pl.DataFrame] = {name: frame.clear() for name, frame in self.result.tables.items()}
        frames = [_renamed(case.frame, case.component.name) for case in self.cases]
        said = [case.predict(frame) for case, frame in zip(self.cases, frames, strict=True)]
        nothing = TABLES["predictions"].empty()
        made["predictions"] = pl.concat([nothing, *(one.select(nothing.columns) for one in said)])
        made["features"] = pl.concat([TABLES["features"].empty(), *frames], how="diagonal_relaxed")
        made["patients"] = TABLES["patients"].frame(made["features"].select("patient_id").iter_rows(named=True))
        return made


def _renamed(frame: pl.DataFrame, predictor: str) -> pl.DataFrame:
    return frame.with_columns(patient_id=pl.format("{}-{}", pl.lit(predictor), "patient_id"))


def of_patient(tables: Mapping[str, pl.DataFrame], patient: str) -> dict[str, pl.DataFrame]:
    """The rows of one patient."""
    samples = tables["samples"].filter(patient_id=patient).select("sample")
    return {name: _mine(frame, patient, samples) for name, frame in tables.items()}


def _mine(frame: pl.DataFrame, patient: str, samples: pl.DataFrame) -> pl.DataFrame:
    if "patient_id" in frame.columns:
        return frame.filter(pl.col("patient_id") == patient)
    if "sample" in frame.columns:
        return frame.join(samples, on="sample", how="semi", maintain_order="left")
    return frame


def _spoilt(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    column = _RECORDED.get(name)
    return frame.with_columns(pl.lit(HOSTILE).alias(column)) if column else frame


def shown(value: Any) -> str:
    """Bytes or files of an export as one text."""
    parts = value.values() if isinstance(value, Mapping) else [value]
    return "\n".join(part.decode("utf-8", "replace") for part in parts)

"""The parts of a result that a person looks at one by one: the plan, a suggestion, a gene, quality, plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, overload

import polars as pl

from ..errors import ResultError
from ..render.view import View, displays, patient_views
from ..tables import TABLES
from . import display

if TYPE_CHECKING:
    from ..result import Result

STATES = ("called", "half-call", "no-call", "filtered", "absent", "assumed-reference")


@dataclass(frozen=True, repr=False)
class Suggestion:
    """What to do about one drug for one patient, with its main explanation.

    Attributes:
        patient_id: Whose.
        row: The row of ``suggestions``, its lists filled, with the main ``explanation`` or None.
        displays: What the record calls its observation codes.
    """

    patient_id: str
    row: View
    displays: Mapping[str, str]

    @property
    def drug(self) -> str:
        """RxNorm ingredient name in lower case."""
        return str(self.row["drug"])

    @property
    def action(self) -> str:
        """What to do: avoid, alternative, adjust, monitor, test, standard or not-assessed."""
        return str(self.row["action"])

    @property
    def text(self) -> str:
        """The advice."""
        return str(self.row["text"])

    @property
    def sentence(self) -> str:
        """The main explanation in a sentence; "" where there is none."""
        return str((self.row["explanation"] or {}).get("sentence") or "")

    def __repr__(self) -> str:
        said = f"{self.drug}: {self.action} ({self.row['urgency']}) – {self.text}"
        return f"{said}\n  {self.sentence}" if self.sentence else said

    def _repr_html_(self) -> str:
        return display.suggestion(self.row, self.displays)


@dataclass(frozen=True, repr=False)
class Plan(Sequence[Suggestion]):
    """All suggestions of a result, most pressing first; also by the name of the drug."""

    suggestions: tuple[Suggestion, ...]

    @classmethod
    def of(cls, result: Result) -> Plan:
        """The plan of a result, patient by patient."""
        shown = displays(result)
        return cls(tuple(Suggestion(view["patient_id"], row, shown) for view in patient_views(result)
                         for row in view["suggestions"]))

    @property
    def current(self) -> Plan:
        """What is about medicines that are taken now."""
        return Plan(tuple(one for one in self.suggestions if one.row["current"]))

    @overload
    def __getitem__(self, which: int | str) -> Suggestion: ...
    @overload
    def __getitem__(self, which: slice) -> Plan: ...

    def __getitem__(self, which: int | str | slice) -> Suggestion | Plan:
        """A suggestion by its place or its drug, or a part of the plan.

        Raises:
            ResultError: where nothing is said of the drug, or several patients are meant.
        """
        if isinstance(which, slice):
            return Plan(self.suggestions[which])
        if isinstance(which, int):
            return self.suggestions[which]
        found = [one for one in self.suggestions if one.drug == which.lower()]
        if not found:
            near = get_close_matches(which.lower(), self._ipython_key_completions_(), 1)
            raise ResultError(f"no suggestion about {which!r}", hint=f"did you mean {near[0]!r}?" if near else
                              "the names are RxNorm ingredients; see result.suggestions")
        if len(found) > 1:
            raise ResultError(f"{len(found)} suggestions about {which!r}",
                              hint="take the result of one patient, with for_patient")
        return found[0]

    def _ipython_key_completions_(self) -> list[str]:
        """What the Tab key offers after ``plan["``."""
        return sorted({one.drug for one in self.suggestions})

    def __len__(self) -> int:
        return len(self.suggestions)

    def __iter__(self) -> Iterator[Suggestion]:
        return iter(self.suggestions)

    def __repr__(self) -> str:
        taken = self.current.suggestions
        others = len(self) - len(taken)
        and_others = f"{others} medicines that are not known to be taken"
        return "\n".join([*map(repr, taken), f"and {and_others}" if len(taken) else and_others])

    def _repr_html_(self) -> str:
        return display.plan(self)


@dataclass(frozen=True, repr=False)
class GeneResult:
    """What a genome, and the medicines taken, make of one gene.

    Attributes:
        patient_id: Whose.
        gene: HGNC symbol.
        row: The row of ``gene_results``, its lists filled, with the phenotype of today.
    """

    patient_id: str
    gene: str
    row: View

    @classmethod
    def of(cls, result: Result, gene: str) -> GeneResult:
        """The one patient's result of a gene.

        Raises:
            ResultError: where there is none, or there are several patients.
        """
        views = list(patient_views(result))
        found = [(view["patient_id"], view["genes"][gene]) for view in views if gene in view["genes"]]
        if not found:
            near = get_close_matches(gene.upper(), {name for view in views for name in view["genes"]}, 1)
            raise ResultError(f"no result of {gene!r}", hint=f"did you mean {near[0]!r}?" if near else
                              "the genes are in result.tables['gene_results']")
        if len(found) > 1:
            raise ResultError(f"{len(found)} results of {gene!r}", hint="name the patient_id")
        return cls(found[0][0], gene, found[0][1])

    def __repr__(self) -> str:
        called = " or ".join(self.row["diplotypes"]) or "no diplotype"
        sure = "" if self.row["complete"] else ", incomplete"  # the diplotype is what fits as far as was read
        said = f"{self.gene} {called}: {self.row['phenotype'] or 'unknown'} ({self.row['status']}{sure})"
        return f"{said}; today {self.row['present_phenotype'] or 'unknown'}" if self.row["acting"] else said

    def _repr_html_(self) -> str:
        return display.gene(self.gene, self.row)


@dataclass(frozen=True, repr=False)
class Quality:
    """How well genomes were read: sites by state for each sample, and the issues.

    Attributes:
        sites: One row a sample: sample, patient_id, build, build_from, sex, sites, and how many of each state.
        issues: The ``issues`` table.
    """

    sites: pl.DataFrame
    issues: pl.DataFrame

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame]) -> Quality:
        """Count the states of ``genotypes``."""
        states = tables.get("genotypes", TABLES["genotypes"].empty()).group_by("sample").agg(
            pl.len().alias("sites"), *((pl.col("state") == name).sum().alias(name) for name in STATES))
        samples = tables["samples"].select("sample", "patient_id", "build", "build_from",
                                           *(["sex"] if "sex" in tables["samples"].columns else []))
        counted = samples.join(states, on="sample", how="left", maintain_order="left").fill_null(0)
        return cls(counted, tables["issues"])

    def __repr__(self) -> str:
        lines = [f"{row['sample']} ({row['build'] or 'build unknown'}): {row['called']} of {row['sites']} sites called"
                 for row in self.sites.iter_rows(named=True)]
        return "\n".join([*lines, f"{self.issues.height} issues"])

    def _repr_html_(self) -> str:
        return display.quality(self)


@dataclass(frozen=True, repr=False)
class PluginList:
    """Installed plugins, what they bring, and what is wrong with them.

    Attributes:
        described: As ``pmed plugins list --json`` has it.
    """

    described: Mapping[str, Any]

    @property
    def frame(self) -> pl.DataFrame:
        """One row a component: plugin, version, kind, name, summary."""
        rows = [(plugin, about["version"], kind, name, one["summary"])
                for plugin, about in self.described["plugins"].items()
                for kind, components in about["components"].items() for name, one in components.items()]
        return pl.DataFrame(rows, schema=["plugin", "version", "kind", "name", "summary"], orient="row")

    def __repr__(self) -> str:
        from ..listing import plugins_as_text

        return plugins_as_text(self.described)

    def _repr_html_(self) -> str:
        return display.plugin_list(self.described)

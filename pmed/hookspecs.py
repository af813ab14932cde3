"""Every way to extend pmed: one function per extension point.

Registration hooks return classes (or, for knowledge, releases); the host builds the components with
validated options, calls each plugin by itself and records a failure instead of stopping. Hook order has no
meaning except in ``choose_explainer``. In the examples ``hookimpl`` is ``pmed.hookimpl``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click
    import polars as pl

    from .modelling import Trainable
    from .tables import Tables
    from .types import Adviser, Explainer, Exporter, FeatureStep, Predictor, Release, Scorer, Section, Source

#: Version of the hooks: raised when one goes or changes. A plugin may say by ``PMED_API`` for which it was written.
API = 1

hookspec = pluggy.HookspecMarker("pmed")
hookimpl = pluggy.HookimplMarker("pmed")


@hookspec
def register_sources() -> Iterable[type[Source]]:  # type: ignore[empty-body]
    """Return source classes, asked once when a run starts.

    >>> @hookimpl
    ... def register_sources():
    ...     return [MyGenomeFormat]
    """


@hookspec
def register_knowledge() -> Iterable[Release]:  # type: ignore[empty-body]
    """Return knowledge releases: facts with version, licence and hash; results carry them.

    A release may bring a ``drug_names`` table, which the drug normaliser reads, and ``drug_classes``, by which the
    list of all medicines is sorted.

    >>> @hookimpl
    ... def register_knowledge():
    ...     return [Release("my-facts", "1.0", "2026-01-31", "CC0-1.0", "PMID:1", sha256="0" * 64)]
    """


@hookspec
def register_features() -> Iterable[type[FeatureStep]]:  # type: ignore[empty-body]
    """Return feature steps; the host orders them by what they need and give.

    >>> @hookimpl
    ... def register_features():
    ...     return [BodyMassIndex]
    """


@hookspec
def register_predictors() -> Iterable[type[Predictor]]:  # type: ignore[empty-body]
    """Return predictor classes.

    >>> @hookimpl
    ... def register_predictors():
    ...     return [MyRisk]
    """


@hookspec
def register_models() -> Iterable[type[Trainable]]:  # type: ignore[empty-body]
    """Return models that can be trained and judged by ``pmed model``; a predictor may use what they ship.

    >>> @hookimpl
    ... def register_models():
    ...     return [MyModel]
    """


@hookspec
def register_scorers() -> Iterable[type[Scorer]]:  # type: ignore[empty-body]
    """Return scorers, which add up scoring files over whole genomes for ``pmed.score``; no report asks for them.

    >>> @hookimpl
    ... def register_scorers():
    ...     return [MyScores]
    """


@hookspec(firstresult=True)
def choose_explainer(predictor: Predictor) -> Explainer | None:
    """Return an explainer for this predictor, or None to pass; the host's exact one comes last.

    >>> @hookimpl
    ... def choose_explainer(predictor):
    ...     return TreeExplainer() if predictor.name == "my-trees" else None
    """


@hookspec
def register_advisers() -> Iterable[type[Adviser]]:  # type: ignore[empty-body]
    """Return adviser classes, which turn predictions into suggestions.

    >>> @hookimpl
    ... def register_advisers():
    ...     return [MyAdviser]
    """


@hookspec
def check_suggestions(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame | None:
    """Return cautions (patient_id, drug, code, text) to add; nothing can be removed.

    >>> @hookimpl
    ... def check_suggestions(suggestions, tables):
    ...     return suggestions.select("patient_id", "drug", code=pl.lit("my-check"), text=pl.lit("Look twice."))
    """


@hookspec
def register_sections() -> Iterable[type[Section]]:  # type: ignore[empty-body]
    """Return section classes, each a box of its own in the HTML report.

    >>> @hookimpl
    ... def register_sections():
    ...     return [MySection]
    """


@hookspec
def register_exporters() -> Iterable[type[Exporter]]:  # type: ignore[empty-body]
    """Return exporter classes, each one output format.

    >>> @hookimpl
    ... def register_exporters():
    ...     return [MyFormat]
    """


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the ``pmed`` command line.

    >>> @hookimpl
    ... def register_commands(cli):
    ...     cli.command("hello")(lambda: None)
    """

"""Pharmacogenomics for pmed: star alleles, phenotypes, guideline advice.

The genotypes of the defining sites become diplotypes (``matcher``), these become functions, activity scores and
phenotypes (``phenotype``), and the guideline row that leads says what to do with a drug (``guidelines``, ``outcomes``,
``predictor``, ``adviser``). All facts are rows of the embedded release in ``data/`` (``knowledge``): a gene or a drug
more is rows more, never code. What was not looked at is never read as normal: a result that rests on a missing key site
is shown, but gives no feature and no advice other than to test.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pmed import Release, hookimpl

from .caller import PgxCaller
from .findings import FindingFeatures
from .knowledge import folder, release
from .medicines import PresentPhenotypes
from .outside import OutsideCalls

folder()  # a release of the user's own is refused here, before anything else is done

#: Checks of ``pmed.testing`` that this package is meant to fail, and why.
EXPECTED_FAILURES = {
    "pgx-guidelines.reference_is_declared":
        "A drug that only checks are about has no inputs of its own: its explainer takes as players what holds for the "
        "patient."}

if TYPE_CHECKING:
    import click

    from pmed.types import Explainer, FeatureStep, Predictor, Source

    from .adviser import GuidelineAdviser
    from .predictor import GuidelinePredictor


@hookimpl
def register_knowledge() -> Iterable[Release]:
    """The embedded release: alleles, phenotypes, guideline rows, drug names."""
    return [release()]


@hookimpl
def register_sources() -> Iterable[type[Source]]:
    """Gene results of other tools."""
    return [OutsideCalls]


@hookimpl
def register_features() -> Iterable[type[FeatureStep]]:
    """Diplotypes, phenotypes, activity scores and genotypes; those of today; indications on record."""
    return [PgxCaller, PresentPhenotypes, FindingFeatures]


@hookimpl
def register_predictors() -> Iterable[type[GuidelinePredictor]]:
    """Concern level of each covered drug; its rows and checks are read when it is asked for, which calls never do."""
    from .predictor import GuidelinePredictor

    return [GuidelinePredictor]


@hookimpl
def choose_explainer(predictor: Predictor) -> Explainer | None:
    """Shapley values that stand unknown inputs, for our own predictor."""
    from .explainer import GuidelineExplainer
    from .predictor import GuidelinePredictor

    return GuidelineExplainer() if predictor.name == GuidelinePredictor.name else None


@hookimpl
def register_advisers() -> Iterable[type[GuidelineAdviser]]:
    """Suggestions from the guideline rows and checks."""
    from .adviser import GuidelineAdviser

    return [GuidelineAdviser]


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``pmed call``, ``pmed frequencies``, ``pmed genes``, ``pmed knowledge`` and ``pmed drugs``."""
    from .commands import call
    from .counting import count
    from .knowledge_commands import knowledge
    from .listing import list_drugs, list_genes

    for command in (call, count, list_genes, list_drugs, knowledge):
        cli.add_command(command)

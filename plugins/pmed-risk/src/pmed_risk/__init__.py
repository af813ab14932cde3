"""Clinical risk equations and polygenic scores for pmed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pmed import Release, Tables, hookimpl

from . import organ_scores, point_scores, risk_scores
from .ascvd import AscvdRisk
from .cautions import cautions
from .dialysis import Dialysis
from .history import RiskHistory
from .knowledge import release
from .prevent_score import Prevent
from .readmission_score import Readmission, ReadmissionExplainer
from .score import Score
from .stroke import StrokeRisk

if TYPE_CHECKING:
    import click
    import polars as pl

    from pmed.types import Predictor

    from .pgs import PolygenicScores
    from .readmission import ReadmissionModel

#: Checks of ``pmed.testing`` that this package is meant to fail, and why.
EXPECTED_FAILURES = {
    "readmission-30d.explanation_is_of_declared_inputs": "The groups of diagnoses are one input to a reader: their "
                                                         "contributions are shown as one sum."}


@hookimpl
def register_knowledge() -> Iterable[Release]:
    """Code sets, drug names and coefficients."""
    return [release()]


@hookimpl
def register_features() -> Iterable[type[RiskHistory | Dialysis]]:
    """The inputs of the equations from the patient record."""
    return [RiskHistory, Dialysis]


@hookimpl
def register_predictors() -> Iterable[type[AscvdRisk | StrokeRisk | Score | Readmission]]:
    """Ten-year risks, points for stroke and bleeding, kidney and liver function, readmission."""
    return [AscvdRisk, StrokeRisk, Prevent, *risk_scores.SCORES, *organ_scores.SCORES, *point_scores.SCORES,
            Readmission]


@hookimpl
def register_models() -> Iterable[type[ReadmissionModel]]:
    """The learned model."""
    from .readmission import ReadmissionModel

    return [ReadmissionModel]


@hookimpl
def register_scorers() -> Iterable[type[PolygenicScores]]:
    """Polygenic scores."""
    from .pgs import PolygenicScores

    return [PolygenicScores]


@hookimpl
def choose_explainer(predictor: Predictor) -> ReadmissionExplainer | None:
    """TreeSHAP for the learned model."""
    return ReadmissionExplainer() if isinstance(predictor, Readmission) else None


@hookimpl
def check_suggestions(suggestions: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Cautions beside medicines that let bleed, where HAS-BLED or MELD is high."""
    return cautions(suggestions, tables)


@hookimpl
def register_commands(cli: click.Group) -> None:
    """``pmed score`` and ``pmed ancestry``."""
    from .pgs.ancestry import ancestry
    from .pgs.command import score

    cli.add_command(score)
    cli.add_command(ancestry)

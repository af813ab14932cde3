"""Treatment response for pmed: warfarin dose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pmed import Release, hookimpl

from .advice import WarfarinAdvice
from .dose_explainer import DoseExplainer
from .dose_model import WarfarinModel
from .knowledge import release
from .warfarin import WarfarinDose

if TYPE_CHECKING:
    from pmed.types import Predictor

#: Checks of ``pmed.testing`` that this package is meant to fail, and why.
EXPECTED_FAILURES = {
    "warfarin-dose.explanation_is_of_declared_inputs": "Medicines of one group are one input to a reader: the inducers "
                                                       "and the statins are shown as one contribution each."}


@hookimpl
def register_knowledge() -> Iterable[Release]:
    """Coefficients and drug names."""
    return [release()]


@hookimpl
def register_predictors() -> Iterable[type[WarfarinDose]]:
    """Weekly warfarin dose."""
    return [WarfarinDose]


@hookimpl
def register_advisers() -> Iterable[type[WarfarinAdvice]]:
    """What that dose means for warfarin."""
    return [WarfarinAdvice]


@hookimpl
def register_models() -> Iterable[type[WarfarinModel]]:
    """The learned half of that dose."""
    return [WarfarinModel]


@hookimpl
def choose_explainer(predictor: Predictor) -> DoseExplainer | None:
    """Exact bars over what differs from the reference patient."""
    return DoseExplainer() if isinstance(predictor, WarfarinDose) else None

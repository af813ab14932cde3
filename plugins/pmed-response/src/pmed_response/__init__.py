"""Treatment response for pmed: warfarin dose; for research, what the treatments of a trial did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pmed import Release, hookimpl

from .advice import WarfarinAdvice
from .dose_explainer import DoseExplainer
from .knowledge import release
from .nrti import NrtiExplainer, NrtiResponse
from .nrti_advice import NrtiAdvice
from .warfarin import WarfarinDose

if TYPE_CHECKING:
    from pmed.types import Predictor

    from .dose_model import WarfarinModel
    from .nrti_model import NrtiModel

#: Checks of ``pmed.testing`` that this package is meant to fail, and why.
EXPECTED_FAILURES = {
    "warfarin-dose.explanation_is_of_declared_inputs": "Medicines of one group are one input to a reader: the inducers "
                                                       "and the statins are shown as one contribution each."}


@hookimpl
def register_knowledge() -> Iterable[Release]:
    """Coefficients and drug names."""
    return [release()]


@hookimpl
def register_predictors() -> Iterable[type[WarfarinDose | NrtiResponse]]:
    """Weekly warfarin dose; the effect of a trial's best treatment, for research."""
    return [WarfarinDose, NrtiResponse]


@hookimpl
def register_advisers() -> Iterable[type[WarfarinAdvice | NrtiAdvice]]:
    """What that dose means for warfarin, and what the trial says of zidovudine."""
    return [WarfarinAdvice, NrtiAdvice]


@hookimpl
def register_models() -> Iterable[type[WarfarinModel | NrtiModel]]:
    """The learned half of that dose, and the effects of the trial's treatments."""
    from .dose_model import WarfarinModel
    from .nrti_model import NrtiModel

    return [WarfarinModel, NrtiModel]


@hookimpl
def choose_explainer(predictor: Predictor) -> DoseExplainer | NrtiExplainer | None:
    """Exact bars over what differs from the reference patient; SHAP of an effect."""
    if isinstance(predictor, NrtiResponse):
        return NrtiExplainer()
    return DoseExplainer() if isinstance(predictor, WarfarinDose) else None

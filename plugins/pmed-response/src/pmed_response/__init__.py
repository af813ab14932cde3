"""Treatment response for pmed: warfarin dose."""

from __future__ import annotations

from collections.abc import Iterable

from pmed import Release, hookimpl

from .advice import WarfarinAdvice
from .knowledge import release
from .warfarin import WarfarinDose


@hookimpl
def register_knowledge() -> Iterable[Release]:
    """Coefficients and drug names."""
    return [release()]


@hookimpl
def register_predictors() -> Iterable[type[WarfarinDose]]:
    """Weekly warfarin dose by the IWPC equation."""
    return [WarfarinDose]


@hookimpl
def register_advisers() -> Iterable[type[WarfarinAdvice]]:
    """What that dose means for warfarin."""
    return [WarfarinAdvice]

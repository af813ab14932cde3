"""pmed: genome + patient history in, explained and cited treatment suggestions out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cohort import Cohort
    from .engine import call, calls, run
    from .errors import PmedError
    from .hookspecs import hookimpl
    from .options import option
    from .result import Result
    from .settings import Settings, load_settings
    from .tables import TABLES, Column, Table, Tables
    from .types import (
        Adviser,
        Card,
        Explainer,
        Explanation,
        Exporter,
        FeatureStep,
        Predictor,
        ReadRequest,
        Release,
        Section,
        Source,
    )

__version__ = "0.1.0"

__all__ = [
    "TABLES",
    "Adviser",
    "Card",
    "Cohort",
    "Column",
    "Explainer",
    "Explanation",
    "Exporter",
    "FeatureStep",
    "PmedError",
    "Predictor",
    "ReadRequest",
    "Release",
    "Result",
    "Section",
    "Settings",
    "Source",
    "Table",
    "Tables",
    "call",
    "calls",
    "hookimpl",
    "load_settings",
    "option",
    "run",
]

_HOME = {
    "cohort": ("Cohort",),
    "engine": ("call", "calls", "run"),
    "errors": ("PmedError",),
    "hookspecs": ("hookimpl",),
    "options": ("option",),
    "result": ("Result",),
    "settings": ("Settings", "load_settings"),
    "tables": ("TABLES", "Column", "Table", "Tables"),
    "types": ("Adviser", "Card", "Explainer", "Explanation", "Exporter", "FeatureStep", "Predictor", "ReadRequest",
              "Release", "Section", "Source"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``pmed --version`` does not load polars (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'pmed' has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted([*__all__, "__version__"])

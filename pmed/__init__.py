"""pmed: genome + patient history in, explained and cited treatment suggestions out."""

from __future__ import annotations

from .engine import call, run
from .errors import PmedError
from .hookspecs import hookimpl
from .options import option
from .result import Result
from .settings import Settings, load_settings
from .tables import TABLES, Column, Table, Tables
from .types import Adviser, Card, Explainer, Explanation, Exporter, FeatureStep, Predictor, ReadRequest, Release, Source

__version__ = "0.1.0"

__all__ = [
    "TABLES",
    "Adviser",
    "Card",
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
    "Settings",
    "Source",
    "Table",
    "Tables",
    "call",
    "hookimpl",
    "load_settings",
    "option",
    "run",
]

"""pmed: genome + patient history in, explained and cited treatment suggestions out."""

from __future__ import annotations

from .errors import PmedError
from .hookspecs import hookimpl
from .options import option
from .tables import TABLES, Column, Table, Tables
from .types import Card, Explanation, Release

__version__ = "0.1.0"

__all__ = [
    "TABLES",
    "Card",
    "Column",
    "Explanation",
    "PmedError",
    "Release",
    "Table",
    "Tables",
    "hookimpl",
    "option",
]

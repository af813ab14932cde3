"""pmed: genome + patient history in, explained and cited treatment suggestions out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lately import late

if TYPE_CHECKING:
    from .cohort import Cohort
    from .engine import call, calls, run
    from .errors import PmedError
    from .hookspecs import hookimpl
    from .notebook.front import Genomes, demo, demo_files, evaluate, plugins, read_genome, read_history, score, train
    from .notebook.parts import GeneResult, Plan, PluginList, Quality, Suggestion
    from .notebook.progress import progress_bar
    from .options import option
    from .records import Histories
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
        Scored,
        Scorer,
        Section,
        Source,
    )
    from .whatif import WhatIf

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
    "GeneResult",
    "Genomes",
    "Histories",
    "Plan",
    "PluginList",
    "PmedError",
    "Predictor",
    "Quality",
    "ReadRequest",
    "Release",
    "Result",
    "Scored",
    "Scorer",
    "Section",
    "Settings",
    "Source",
    "Suggestion",
    "Table",
    "Tables",
    "WhatIf",
    "call",
    "calls",
    "demo",
    "demo_files",
    "evaluate",
    "hookimpl",
    "load_settings",
    "option",
    "plugins",
    "progress_bar",
    "read_genome",
    "read_history",
    "run",
    "score",
    "train",
]

# So that ``pmed --version`` does not load polars.
__getattr__ = late(__name__, {
    "cohort": ("Cohort",),
    "engine": ("call", "calls", "run"),
    "errors": ("PmedError",),
    "hookspecs": ("hookimpl",),
    "notebook.front": ("Genomes", "demo", "demo_files", "evaluate", "plugins", "read_genome", "read_history", "score",
                       "train"),
    "notebook.parts": ("GeneResult", "Plan", "PluginList", "Quality", "Suggestion"),
    "notebook.progress": ("progress_bar",),
    "options": ("option",),
    "records": ("Histories",),
    "result": ("Result",),
    "settings": ("Settings", "load_settings"),
    "tables": ("TABLES", "Column", "Table", "Tables"),
    "types": ("Adviser", "Card", "Explainer", "Explanation", "Exporter", "FeatureStep", "Predictor", "ReadRequest",
              "Release", "Scored", "Scorer", "Section", "Source"),
    "whatif": ("WhatIf",),
})


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted([*__all__, "__version__"])

"""What counts as a source, and whether the guideline rows of a release cite one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources.abc import Traversable

# Sources that are no PMID or DOI: publishers' tables and versions, accession numbers, vocabularies, labels.
KNOWN_SOURCE = re.compile(r"PMID:? ?\d{6,9}|10\.\d{4,9}/\S+|ClinPGx (\d{4}-\d{2}-\d{2}|PA\d+)|\bCPIC tables\b|"
                          r"PharmVar[ -]v?\d|ClinPGx frequency table|RxNorm|\blabel\b|"
                          r"1000 Genomes high coverage, computed|\bNC_\d{6}\.\d+\b|\bENSG\d{11}\b")


def guideline_faults(folder: Traversable) -> Iterator[str]:
    """Guideline files that are no TOML, and citations that are no PMID and no DOI, one line each."""
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.startswith("guideline-") and file.name.endswith(".toml"):
            try:
                cited = list(_citations(tomllib.loads(file.read_text("utf-8"))))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                yield f"{file.name}: not a TOML file: {error}"
                continue
            if not cited:
                yield f"{file.name}: no citation"
            strange = [one for one in cited if not KNOWN_SOURCE.search(one)]
            yield from (f"{file.name}: citation {one!r} is no PMID and no DOI" for one in strange)


def _citations(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "citation":
                yield str(value)
            else:
                yield from _citations(value)
    elif isinstance(part, list):
        for one in part:
            yield from _citations(one)

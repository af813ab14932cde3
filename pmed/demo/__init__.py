"""Four invented patients: a small genome and a record each, so that the main job can be tried anywhere.

Nobody was sequenced or treated: the genotypes and records were written for the demo and are labelled synthetic.
Genomes are GRCh38; they run through the same engine as every other input.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

TITLES = {
    "stent": "Clopidogrel after a coronary stent",
    "warfarin": "Warfarin and amiodarone for atrial fibrillation",
    "partial": "A patient for whom much cannot be assessed",
    "transplant": "Tacrolimus after a kidney transplant",
}


@dataclass(frozen=True)
class DemoPatient:
    """An invented patient and the files that describe them."""

    name: str
    title: str
    genome: Path
    history: Path


def patients() -> list[DemoPatient]:
    """The invented patients, in the order of the demo."""
    folder = Path(str(files(__name__)))
    return [DemoPatient(name, title, folder / f"{name}.vcf", folder / f"{name}.json") for name, title in TITLES.items()]

"""Train ``readmission-30d`` and put model and card into this package: ``python train_readmission.py DATA``."""

from __future__ import annotations

import sys
from pathlib import Path

from pmed.modelling import save_model
from pmed_risk.readmission import SHIPPED, ReadmissionModel


def main(data: str) -> None:
    """Learn from `data`, a file in the layout of the UCI data set, and write the package's model."""
    made = ReadmissionModel()
    save_model(made.train(made.read(Path(data))), SHIPPED)


if __name__ == "__main__":
    main(*sys.argv[1:])

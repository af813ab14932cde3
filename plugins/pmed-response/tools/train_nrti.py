"""Train ``hiv-nrti-response`` and put model and card into this package: ``python train_nrti.py DATA [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from pmed.modelling import save_model
from pmed_response.nrti_model import SHIPPED, NrtiModel


def main(data: str, folder: str = str(SHIPPED)) -> None:
    """Learn from `data`, a file in the published layout, and write the package's model."""
    made = NrtiModel()
    save_model(made.train(made.read(Path(data))), Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])

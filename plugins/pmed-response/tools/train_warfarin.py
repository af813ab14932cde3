"""Train ``warfarin-dose`` and put model and card into this package: ``python train_warfarin.py DATA [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from pmed.modelling import save_model
from pmed_response.dose_model import SHIPPED, WarfarinModel


def main(data: str, folder: str = str(SHIPPED)) -> None:
    """Learn from `data`, a file in the layout of the IWPC data, and write the package's model."""
    made = WarfarinModel()
    save_model(made.train(made.read(Path(data))), Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])

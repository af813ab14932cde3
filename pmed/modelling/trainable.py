"""What a plugin registers so that ``pmed model`` can train, judge and describe its model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from .cohort import Cohort
from .modelfile import Model


@runtime_checkable
class Trainable(Protocol):
    """A model that can be learned again. A frozen dataclass: its fields are its options."""

    name: ClassVar[str]

    def read(self, path: Path) -> Cohort:
        """The cohort of a data file, in the layout in which its data are published.

        Raises:
            InputError: in one line, where the file is something else.
        """
        ...

    def train(self, cohort: Cohort) -> Model:
        """Learn from a cohort; the model's card says how good it is on rows that it did not see."""
        ...

    def evaluate(self, model: Model, cohort: Cohort) -> Mapping[str, Any]:
        """Metrics (plain values) of a model on a cohort, which is taken to be of other patients."""
        ...

    def shipped(self) -> Path | None:
        """Folder of the model that the plugin brings, if any."""
        ...

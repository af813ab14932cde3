"""What a plugin registers so that ``pmed model`` can train, judge and describe its model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from ..errors import OptionError, PluginError
from .cohort import Cohort
from .modelfile import Model


@runtime_checkable
class Trainable(Protocol):
    """A model that can be learned again. A frozen dataclass: its fields are its options.

    Optional: `learns_from_features`, true where `train` learns from ``cohort.features`` and no other column, so that
    some can be left out.
    """

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


def learned(made: Trainable, cohort: Cohort, without: Collection[str] = ()) -> Model:
    """The model of a cohort, of which the features `without` are left out; its card says so.

    Raises:
        OptionError: a model that does not say by `learns_from_features` that it learns from no other columns.
        InputError: for a name that is no feature.
        PluginError: a model that learned from what was left out.
    """
    if not without:
        return made.train(cohort)
    if not getattr(made, "learns_from_features", False):
        raise OptionError(f"{made.name} learns from columns of its own choice: none can be left out", where="--without",
                          hint="a model says by learns_from_features = True that it learns from Cohort.features only")
    model = made.train(cohort.without(without))
    if kept := sorted({*without} & {*model.encoding().names}):
        raise PluginError(f"learned from {kept[0]}, which was to be left out", where=made.name)
    said = f"Learned without {', '.join(sorted({*without}))}, which the model of that name has."
    return replace(model, card=replace(model.card, limits=(*model.card.limits, said)))

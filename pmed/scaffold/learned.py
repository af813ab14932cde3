"""A learned model as a package of its own: the job behind ``pmed model export``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from typing import Any, Final

from ..errors import InputError, OptionError
from ..files import whole_folder
from ..modelling import MAIN, Model, save_model
from . import fill_in, must_be_name

#: Task → kind of predictor; what a survival model gives (a log hazard ratio) is nobody's clinical unit.
_KINDS: Final = {"binary": "risk", "regression": "treatment-response"}
_WIDTH: Final = 100


@dataclass(frozen=True)
class Shown:
    """How the model's number is told.

    Attributes:
        unit: Clinical unit; of a chance always per cent.
        low: Smallest value that can be.
        high: Largest.
        scale: From the model's number to the unit.
    """

    unit: str
    low: float
    high: float
    scale: float = 1.0


def export_model(model: Model, folder: Path, name: str, unit: str = "",
                 limits: tuple[float, float] | None = None) -> list[Path]:
    """Write a package that can be installed: the model's files, a predictor that reads them, and tests.

    Args:
        model: Has trees; its features become the predictor's inputs.
        folder: Where; must not be there yet.
        name: Of the package, its entry point, the predictor and its target.
        unit: Of a model of a number.
        limits: Smallest and largest value that such a model may give.

    Raises:
        InputError: for a model that cannot stand alone.
        OptionError: for a name that cannot be a package's, or where unit and limits are wanted or not.
        PmedError: where the folder is there already.
    """
    must_be_name(name)
    _must_stand_alone(model)
    told = _told(model, unit, limits)
    known = {"dependency": "lightgbm>=4.6,<5", **_described(model, told)}
    texts = {path: fill_in(template, name, _KINDS[model.task], **known) for path, template in _files(name).items()}
    with whole_folder(folder) as made:
        for path, text in texts.items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text, encoding="utf-8")
        saved = [str(one.relative_to(made)) for one in save_model(model, made / _module(name) / "model")]
    return [folder / path for path in (*texts, *saved)]


def _files(name: str) -> dict[str, str]:
    module = _module(name)
    return {"pyproject.toml": "pyproject.toml.j2", "README.md": "model/README.md.j2",
            f"{module}/__init__.py": "model/predictor.py.j2", f"tests/test_{module}.py": "model/test.py.j2",
            ".github/workflows/test.yml": "ci.yml.j2"}


def _module(name: str) -> str:
    return name.replace("-", "_")


def _must_stand_alone(model: Model) -> None:
    if MAIN not in model.trees:
        raise InputError("has no trees: the code of its plugin predicts", where=model.name,
                         hint="install that plugin where the model is wanted")
    if model.task not in _KINDS:
        raise InputError("is a survival model, whose log hazard ratio is no prediction for a patient", where=model.name,
                         hint="learn the outcome by period (person_periods) as a binary model")


def _told(model: Model, unit: str, limits: tuple[float, float] | None) -> Shown:
    if model.task == "binary":
        if unit or limits:
            raise OptionError("gives a chance, which is told in per cent", where=model.name,
                              hint="leave out --unit and --range")
        return Shown("%", 0.0, 100.0, 100.0)
    if not unit or not limits or not limits[0] < limits[1]:
        raise OptionError("gives a number whose unit and limits the model does not know", where=model.name,
                          hint="give --unit UNIT --range LOW HIGH")
    return Shown(unit, *limits)


def _described(model: Model, told: Shown) -> dict[str, Any]:
    """What the templates need, as literals of Python where it comes from the model."""
    columns = model.trees[MAIN].encoding.columns
    reference = {one.name: _usual(one.levels, one.shares, one.mean) for one in columns}
    card = model.card
    described = {
        "version": card.version, "summary": card.summary, "intended_use": card.intended_use,
        "limits": " ".join(card.limits),
        "populations": f"{card.data}: {card.n:,} rows of {card.patients:,} patients, {card.dates}.",
        "references": card.references or ("card.md of the package",), "range": (told.low, told.high)}
    return {"unit": _literal(told.unit), "scale": told.scale, "reference": _literal(reference, 0),
            "needs": _literal(tuple(one.name for one in columns if one.missing == 0), 0),
            "card": {name: _literal(value) for name, value in described.items()},
            "usual": repr(told.scale * float(model.predict(_frame(reference))[0]))}


def _usual(levels: tuple[str, ...], shares: tuple[float, ...], mean: float) -> float | str:
    return levels[shares.index(max(shares))] if levels else mean


def _frame(reference: dict[str, Any]) -> Any:
    import polars as pl

    return pl.DataFrame({name: [value] for name, value in reference.items()})


def _literal(value: Any, indent: int = 12) -> str:
    """A literal of Python in lines that fit, whatever is in it."""
    return pformat(value, width=_WIDTH, sort_dicts=False).replace("\n", "\n" + " " * indent)

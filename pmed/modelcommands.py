"""``pmed model``: train, judge and describe the models that plugins register, and make plugins of trained ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .errors import InputError, OptionError
from .settings import Settings
from .terminal import finish

if TYPE_CHECKING:
    from .modelling import Model, Trainable

READABLE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def model() -> None:
    """Learned models: train them, judge them on other data, show their card, make plugins of them."""


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--json", "as_json", is_flag=True, help="As JSON.")(command)
    return click.argument("name")(command)


@model.command()
@_shared
@click.option("--data", required=True, type=READABLE, help="Data file, in the layout in which it is published.")
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder for the model and its card.")
@click.option("--without", multiple=True, metavar="COLUMN", help="Feature that is not learned from; repeatable.")
@click.pass_obj
def train(settings: Settings, *, name: str, data: Path, output: Path, without: tuple[str, ...], as_json: bool) -> None:
    """Learn the model NAME from data."""
    from .modelling import save_model
    from .modelling.trainable import learned

    made = find_trainable(name, settings)
    model = learned(made, made.read(data), without)
    written = save_model(model, output)
    _show(model.card.to_json() if as_json else {**_flat(model)}, as_json=as_json)
    finish((), written)


@model.command()
@_shared
@click.option("--data", required=True, type=READABLE, help="Data file of other people, in the same layout.")
@click.option("--model", "folder", type=FOLDER, help="The model's folder (default: the one that is shipped).")
@click.pass_obj
def evaluate(settings: Settings, *, name: str, data: Path, folder: Path | None, as_json: bool) -> None:
    """How good the model NAME is on data of people that it did not learn from."""
    made = find_trainable(name, settings)
    used = loaded(made, folder)
    found = {"model": name, "version": used.card.version, "data": str(data), **made.evaluate(used, made.read(data))}
    _show(found, as_json=as_json)


@model.command()
@_shared
@click.option("--data", type=READABLE, help="Also say how this data differs from what the model learned from.")
@click.option("--model", "folder", type=FOLDER, help="The model's folder (default: the one that is shipped).")
@click.pass_obj
def card(settings: Settings, *, name: str, data: Path | None, folder: Path | None, as_json: bool) -> None:
    """The card of the model NAME: from whom it was learned, how good it is, where it does not hold."""
    made = find_trainable(name, settings)
    used = loaded(made, folder)
    moved = _drift(made, used, data) if data else []
    if as_json:
        _show({**used.card.to_json(), **({"drift": moved} if data else {})}, as_json=True)
        return
    click.echo(used.card.to_markdown(), nl=False)
    for one in moved:
        click.echo(f"{'! ' if one['drifted'] else '  '}{one['feature']}: shift {one['shift']:.2f}, outside "
                   f"{one['outside']:.1%}, missing {one['missing_then']:.1%} then, {one['missing_now']:.1%} now")


@model.command()
@click.argument("which", metavar="NAME_OR_DIR")
@click.option("-o", "--output", required=True, type=FOLDER, help="New folder for the package.")
@click.option("--name", help="Of the package and its predictor (default: the model's name and -model).")
@click.option("--unit", default="", help="Of a model of a number: its clinical unit.")
@click.option("--range", "limits", type=(float, float), help="Of a model of a number: smallest and largest value.")
@click.pass_obj
def export(settings: Settings, *, which: str, output: Path, name: str | None, unit: str,
           limits: tuple[float, float] | None) -> None:
    """A trained model (in DIR, or the one that NAME ships) as a plugin package that pip installs."""
    from .modelling import load_model
    from .scaffold.learned import export_model

    folder = Path(which)
    chosen = load_model(folder) if folder.is_dir() else loaded(find_trainable(which, settings), None)
    package = name or f"{chosen.name}-model"
    finish((), export_model(chosen, output, package, unit, limits))
    click.echo(f"next: pip install {output} && pmed plugins check {package}")


def find_trainable(name: str, settings: Settings) -> Trainable:
    """A registered model, with the options of the settings.

    Raises:
        OptionError: where no installed plugin brings one of that name.
    """
    from .plugins import Plugins

    plugins = Plugins.ready(settings)
    known = {component.name: component.made for component in plugins.components("register_models")}
    if name not in known:
        near = get_close_matches(name, known, 1)
        raise OptionError(f"no model {name!r}", hint=f"did you mean {near[0]!r}?" if near else
                          f"there are: {', '.join(sorted(known)) or 'none'}")
    found: Trainable = known[name]
    return found


def loaded(made: Trainable, folder: Path | None) -> Model:
    """The model in a folder, else the one that the plugin ships.

    Raises:
        InputError: where there is none, or it is another model's.
    """
    from .modelling import load_model

    place = folder or made.shipped()
    if place is None:
        raise InputError("is not shipped trained", where=made.name, hint="train it, and give its folder with --model")
    found = load_model(place)
    if found.name != made.name:
        raise InputError(f"holds the model {found.name!r}, not {made.name!r}", where=str(place))
    return found


def _drift(made: Trainable, used: Model, data: Path) -> list[dict[str, Any]]:
    from .modelling import drift

    return drift(used.encoding(), made.read(data).frame).to_dicts()


def _flat(learned: Model) -> dict[str, Any]:
    return {"model": learned.name, **{f"{place}: {name}": value for place, values in learned.card.metrics.items()
                                      for name, value in values.items()}}


def _show(found: Mapping[str, Any], *, as_json: bool) -> None:
    """All of it as JSON, or the numbers as lines."""
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False))
        return
    for name, value in found.items():
        if isinstance(value, int | float | str):
            click.echo(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
    for warning in found.get("warnings", ()):
        click.echo(f"warning: {warning}")

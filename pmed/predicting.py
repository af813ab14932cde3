"""One predictor on inputs from a file, without a record: the job behind ``pmed predict``.

A predictor may say by which names it takes inputs (``accepts``), how it reads them (``read_input``) and under which
names it gives its results (``result``). Of one that does not, the inputs are its features and the results its targets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from .errors import InputError, OptionError, PluginError
from .flow import inputs
from .plugins import Plugins
from .settings import Settings
from .spelling import written
from .stages.predict import checked, feature_frame
from .types import Predictor

Item = Mapping[str, Any]
#: Of a whole number; a value of medicine has less.
_DIGITS = 18
_SHOWN = {bool: "true or false", float: "a number", str: "a text"}
_DTYPES = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String()}


def predict_file(name: str, path: Path, settings: Settings) -> list[dict[str, Any]]:
    """Results for a JSON list of input objects, in their order.

    Raises:
        OptionError: where no installed predictor has that name.
        InputError: where the file is no such list, or an input has no such name or type; it names file and item.
    """
    plugins = Plugins.ready(settings)
    predictor, steps = find(name, plugins), [one.made for one in plugins.components("register_features")]
    return predict(predictor, read_items(path), where=str(path), steps=steps)


def results_text(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as JSON, indented."""
    return json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def find(name: str, plugins: Plugins) -> Predictor:
    """A predictor of these plugins."""
    known = {component.name: component.made for component in plugins.components("register_predictors")}
    if name not in known:
        near = get_close_matches(name, known, 1)
        raise OptionError(f"no predictor {name!r}", hint=f"did you mean {near[0]}?" if near else
                          f"there are: {', '.join(sorted(known))}")
    found: Predictor = known[name]
    return found


def read_items(path: Path) -> list[Item]:
    """The objects of a JSON list.

    Raises:
        InputError: where the file cannot be read or is something else.
    """
    try:
        items = json.loads(path.read_bytes(), parse_constant=_no_number, parse_int=_whole)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}", where=str(path), hint="give a list of input objects") from error
    if not isinstance(items, list):
        raise InputError(f"must be a list of input objects. Got {_kind(items)}", where=str(path),
                         hint="put [ ] around a single object")
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise InputError(f"must be an object of inputs. Got {_kind(item)}", where=f"{path}: item {number}",
                             hint='like {"age": 60}')
    return items


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"{text[:8]}... is no number that can be computed with")
    return int(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def predict(predictor: Predictor, items: Sequence[Item], where: str = "",
            steps: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Results of a predictor for objects of inputs, in their order; what `steps` give is read as they write it.

    Raises:
        InputError: naming item and input that cannot be read.
        PluginError: where the predictor fails.
    """
    if not items:
        return []
    read = [_features(predictor, item, f"{where}: item {number}", steps) for number, item in enumerate(items, 1)]
    ids = [str(number) for number in range(len(items))]
    columns = [pl.Series(name, [one.get(name) for one in read], dtype=dtype)
               for name, dtype in _types(predictor, read).items()]
    features = pl.DataFrame([pl.Series("patient_id", ids, dtype=pl.String), *columns])
    try:
        rows = checked(predictor, feature_frame(predictor, features))
    except Exception as error:  # a plugin may raise anything; whose fault it is must be said in one line
        raise PluginError(f"failed: {type(error).__name__}: {error}", where=predictor.name) from error
    by_item: dict[str, list[dict[str, Any]]] = {one: [] for one in ids}
    for row in rows.iter_rows(named=True):
        by_item[row["patient_id"]].append(row)
    named = getattr(predictor, "result", _result)
    return [named(item, by_item[one]) for one, item in zip(ids, items, strict=True)]


def _features(predictor: Predictor, item: Item, where: str, steps: Sequence[Any]) -> Mapping[str, Any]:
    """What an item says, as features."""
    accepted = getattr(predictor, "accepts", None) or inputs(predictor)
    for name in item:
        if name not in accepted:
            near = get_close_matches(name, accepted, 1)
            raise InputError(f"{predictor.name} has no input {name!r}", where=where, hint=f"did you mean {near[0]!r}?"
                             if near else f"it has: {', '.join(accepted)}")
    try:
        reader: Callable[[Item], Item] = getattr(predictor, "read_input", partial(_plain, predictor))
        return {name: written(steps, name, value) for name, value in reader(item).items()}
    except InputError as error:
        raise InputError(error.message, where=f"{where}: {error.where}", hint=error.hint) from error


def _plain(predictor: Predictor, item: Item) -> Item:
    """Inputs that are features: each of the type that the predictor's reference patient shows."""
    examples = _examples(predictor)
    for name, given in item.items():
        wanted = type(examples.get(name, given))
        if given is not None and not _fits(given, wanted):
            raise InputError(f"must be {_SHOWN.get(_sort(wanted), 'one value')}. Got {given!r}", where=name,
                             hint="leave out what is not known")
    return item


def _examples(predictor: Predictor) -> dict[str, Any]:
    """A value of each feature, to tell its type by; the reference patient may leave some unknown."""
    return {name: value for target in predictor.gives for name, value in predictor.reference(target).items()
            if value is not None}


def _sort(kind: type) -> type:
    return float if kind is int else kind


def _fits(given: Any, wanted: type) -> bool:
    return _sort(type(given)) is _sort(wanted) and type(given) in (bool, int, float, str)


def _types(predictor: Predictor, read: Sequence[Item]) -> dict[str, pl.DataType]:
    """Every feature of the predictor with its type: as the reference patient shows it, else as the first item does."""
    examples = _examples(predictor)
    types: dict[str, pl.DataType] = {}
    for name in dict.fromkeys([*inputs(predictor), *(name for one in read for name in one)]):
        given = [one[name] for one in read if one.get(name) is not None]
        example = examples.get(name, given[0] if given else "")
        types[name] = _DTYPES[_sort(type(example))]
    return types


def _result(item: Item, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: ARG001 - as a plugin's own has it
    """Value by target; the worst status, every reason, and the words for values that have some."""
    reasons = list(dict.fromkeys(row["reason"] for row in rows if row["reason"]))
    silent = [row["status"] for row in rows if row["status"] != "assessed"]
    labels = {row["target"]: row["label"] for row in rows if row["label"]}
    return {**{row["target"]: row["value"] for row in rows}, **({"labels": labels} if labels else {}),
            "status": silent[0] if silent else "assessed", "reason": "; ".join(reasons) or None}

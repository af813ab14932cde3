"""A learned model and its files: LightGBM texts, a manifest with their sha256, and the card. Never pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import InputError
from ..files import write_all
from .calibration import Calibration, calibration_from
from .card import ModelCard, card_from
from .cohort import Floats, Task
from .conformal import Conformal, conformal_from
from .encoding import Encoding, encoding_from
from .training import Trees

FORMAT = "pmed/model/1"
MANIFEST = "manifest.json"
CARD = "card.md"
MAIN = "main"


@dataclass(frozen=True)
class Model:
    """All that is needed to predict.

    Attributes:
        name: Its name.
        task: Kind of the outcome.
        trees: By name; ``main`` makes the prediction, others what a model needs besides (quantiles, members). None
            where the model's own code predicts, from `extra`.
        card: What a reader must know.
        calibration: From the sum of the trees to a probability.
        conformal: By name, margins for intervals.
        extra: Further plain values (JSON) that the model's own code reads: coefficients, groups.
    """

    name: str
    task: Task
    trees: Mapping[str, Trees] = field(repr=False)
    card: ModelCard = field(repr=False)
    calibration: Calibration | None = None
    conformal: Mapping[str, Conformal] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def encoding(self) -> Encoding:
        """What was seen of each feature in training; a model without trees keeps it as ``features`` of `extra`."""
        kept = next((one.encoding for one in self.trees.values()), None)
        return kept or encoding_from(self.extra["features"])

    def raw(self, frame: pl.DataFrame) -> Floats:
        """Sum of the main trees."""
        return self.trees[MAIN].raw(frame)

    def predict(self, frame: pl.DataFrame) -> Floats:
        """Probability, value, or log hazard ratio of each row."""
        raw = self.raw(frame)
        return raw if self.calibration is None else self.calibration.apply(raw)

    def _repr_html_(self) -> str:
        return self.card._repr_html_()


def save_model(model: Model, folder: Path) -> list[Path]:
    """Write the model's files, all or none; the same model gives the same bytes.

    Raises:
        PmedError: where the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {file: text.encode() for name, trees in model.trees.items()
             for file, text in zip(_files(name, trees), trees.texts, strict=True)}
    plain: dict[str, Any] = {
        "format": FORMAT, "name": model.name, "task": model.task,
        "trees": {name: {"files": {file: _sha256(texts[file]) for file in _files(name, trees)},
                         "rounds": trees.rounds, "features": trees.encoding.to_json()}
                  for name, trees in model.trees.items()},
        "calibration": model.calibration.to_json() if model.calibration else None,
        "conformal": {name: one.to_json() for name, one in model.conformal.items()},
        "extra": dict(model.extra), "card": model.card.to_json()}
    plain["sha256"] = _own_hash(plain)
    files = {**texts, MANIFEST: (_dumped(plain) + "\n").encode(), CARD: model.card.to_markdown().encode()}
    write_all({folder / name: data for name, data in files.items()})
    return [folder / name for name in files]


def load_model(folder: Path) -> Model:
    """Read a model's files.

    Raises:
        InputError: where they cannot be read, are something else, or do not have the hash that the manifest says.
    """
    plain = read_manifest(folder)
    try:
        trees = {name: _trees(folder, one) for name, one in plain["trees"].items()}
        return Model(plain["name"], plain["task"], trees, card_from(plain["card"]),
                     calibration_from(plain["calibration"]),
                     {name: conformal_from(one) for name, one in plain["conformal"].items()}, plain["extra"])
    except (KeyError, TypeError) as error:
        raise InputError(f"is no manifest of this version: {error}", where=str(folder / MANIFEST)) from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest alone, checked against its own hash.

    Raises:
        InputError: where it cannot be read, is something else, or was changed.
    """
    path = folder / MANIFEST
    try:
        plain = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), hint="give a model's folder") from error
    except ValueError as error:
        raise InputError(f"is not JSON: {error}", where=str(path)) from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise InputError(f"is not a manifest of {FORMAT}", where=str(path))
    if plain.get("sha256") != _own_hash(plain):
        raise InputError("its contents do not have the hash it states: it was changed or damaged", where=str(path),
                         hint="train the model again or get a clean copy")
    return plain


def _files(name: str, trees: Trees) -> list[str]:
    return [f"{name}.txt", *(f"{name}-{number}.txt" for number in range(2, len(trees.texts) + 1))]


def _trees(folder: Path, one: Mapping[str, Any]) -> Trees:
    first, *more = [_text(folder, file, digest) for file, digest in one["files"].items()]
    return Trees(first, encoding_from(one["features"]), one["rounds"], tuple(more))


def _text(folder: Path, file: str, digest: str) -> str:
    path = folder / file
    if path.parent != folder:
        raise InputError("names a file outside its folder", where=str(folder / MANIFEST))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if _sha256(data) != digest:
        raise InputError("does not have the hash that the manifest states: it was changed or damaged", where=str(path),
                         hint="train the model again or get a clean copy")
    return str(data, "utf-8")


def _own_hash(plain: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in plain.items() if name != "sha256"}
    return _sha256(_dumped(rest).encode())


def _dumped(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""What a result rests on: inputs, versions, knowledge, predictors, settings."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from .files import sha256
from .plugins import Component, Plugins

_MUCH = 1 << 26  # bytes of all inputs, of which threads read less sooner one by one
LIBRARIES = ("polars", "numpy", "pysam", "pluggy")
DISCLAIMER = (
    "pmed is research and decision-support software. It is not a medical device. "
    "A qualified clinician decides, with the whole patient in view."
)


def describe_run(plugins: Plugins, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Versions, settings and the moment of the run."""
    return {
        "pmed": metadata.version("pmed"),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "plugins": dict(plugins.versions),
        "settings": dict(settings),
        "disclaimer": DISCLAIMER,
    }


def describe_inputs(genome: Iterable[Path], history: Iterable[Path],
                    outside: Iterable[Path] = ()) -> list[dict[str, Any]]:
    """Name, size in bytes and sha256 of each input file; of a folder, each file in it."""
    kinds = (("genome", genome), ("history", history), ("outside-calls", outside))
    files = [(kind, name, path) for kind, paths in kinds for given in paths for name, path in _files(given)]
    sizes = [path.stat().st_size for _, _, path in files]
    digests = _digests([path for _, _, path in files], much=sum(sizes) > _MUCH)
    return [{"kind": kind, "file": name, "bytes": size, "sha256": digest}
            for (kind, name, _), size, digest in zip(files, sizes, digests, strict=True)]


def _digests(paths: Sequence[Path], *, much: bool) -> list[str]:
    """The sha256 of each; of `much` those of several at a time."""
    if not much:
        return [*map(sha256, paths)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return [*threads.map(sha256, paths)]


def _files(path: Path) -> list[tuple[str, Path]]:
    if not path.is_dir():
        return [(path.name, path)]
    inside = (one for one in sorted(path.rglob("*")) if one.is_file())
    return [(f"{path.name}/{one.relative_to(path).as_posix()}", one) for one in inside]


def describe_knowledge(releases: Sequence[Component]) -> list[dict[str, Any]]:
    """Each knowledge release without its tables."""
    return [{"plugin": component.plugin, **{field.name: getattr(component.made, field.name)
             for field in fields(component.made) if field.name != "tables"}} for component in releases]


def describe_predictors(predictors: Sequence[Component]) -> dict[str, Any]:
    """Each predictor's card, kind, plugin and options by its name."""
    return {component.name: {
        "kind": component.made.kind, "plugin": component.plugin, "plugin_version": component.version,
        "gives": list(component.made.gives), "card": asdict(component.made.card),
        "options": asdict(component.made)} for component in predictors}

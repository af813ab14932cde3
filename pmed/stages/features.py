"""Feature steps: run in the order of what they need and give, each isolated from the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import polars as pl

from ..errors import FlowError, TableError
from ..flow import cycle, gives, is_pattern, one_fits, order
from ..handover import copies
from ..plugins import Component, Plugins
from ..tables import TABLES, Tables


def sites(plugins: Plugins, components: Iterable[Component]) -> pl.DataFrame:
    """All genome positions that components ask for, each once."""
    asked = [TABLES["sites"].empty()]
    for component in components:
        if hasattr(component.made, "sites"):
            frame = plugins.attempt(component, "sites", _sites, component.made)
            asked += [] if frame is None else [frame.select(asked[0].columns)]
    return pl.concat(asked).unique(TABLES["sites"].key, keep="first", maintain_order=True)


@dataclass(frozen=True)
class Before:
    """What an earlier run over other input made, and which of its input tables are `changed` since."""

    tables: Tables
    changed: frozenset[str]


def run_steps(plugins: Plugins, components: Sequence[Component], tables: Tables, wanted: Iterable[str],
              before: Before | None = None) -> dict[str, pl.DataFrame]:
    """Run all steps and return `tables` with their tables and the wide ``features`` table added.

    A step that raises, gives what it did not declare, or gives a table or feature that is already there, loses
    what it gave, and the failure is recorded. With `before`, a step that needs nothing changed is not run again: what
    it made then stands.
    """
    owner = {component.name: component for component in components}
    made: dict[str, pl.DataFrame] = {**tables, "features": patient_spine(tables)}
    steps = _ordered(plugins, components)
    # What a step needs is made as what a predictor asks for is: nobody else may ask for it.
    needed = {name for step in steps for name in step.needs if not is_pattern(name)}
    names, changed = tuple(sorted({*wanted, *needed})), set(before.changed if before else ())
    for step in steps:
        asked = _asked(tuple(step.gives), names)
        if before and not any(fnmatchcase(name, need) for need in step.needs for name in changed):
            made.update(_again(step, asked, made, before.tables))
            continue
        made.update(plugins.attempt(owner[step.name], "features", _run, step, asked, made) or {})
        changed.update(step.gives)
    return made


@lru_cache(maxsize=64)
def _asked(given: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """The features of those `names` that a step with these `gives` makes."""
    return tuple(name for name in names if one_fits(given, name) and name not in TABLES)


def _again(step: Any, asked: Sequence[str], made: Tables, before: Tables) -> dict[str, pl.DataFrame]:
    """What a step gave before."""
    out = {name: frame for name, frame in before.items() if gives(step, name) and name not in made}
    known = set(before["features"].columns)
    features = before["features"][["patient_id", *(name for name in asked if name in known)]]
    return {**out, "features": _beside(made["features"], features)}


def _ordered(plugins: Plugins, components: Sequence[Component]) -> list[Any]:
    """Steps in order; those that need each other cannot run, and only those."""
    try:
        return order([component.made for component in components])
    except FlowError as error:
        stuck = cycle([component.made for component in components])
        for component in components:
            if component.name in stuck:
                plugins.fail(component, "features", error)
        return _ordered(plugins, [component for component in components if component.name not in stuck])


def patient_spine(tables: Tables) -> pl.DataFrame:
    """One row a patient, with a record or with a genome, in sorted order."""
    both = pl.concat([tables[name].select("patient_id") for name in ("patients", "samples")])
    return both.unique().sort("patient_id")


def _sites(made: Any) -> pl.DataFrame:
    found = TABLES["sites"].check(made.sites())
    if (~found["ref"].str.contains("^[ACGTN]+$") | ~found["alt"].str.contains("^[ACGTN]+$")).any():
        raise TableError("sites.ref and sites.alt must be bases (ACGTN)")
    return found


def _run(step: Any, asked: Sequence[str], made: Tables) -> dict[str, pl.DataFrame]:
    out = dict(step.run(copies(made), list(asked)))
    features = out.pop("features", None)
    for name, frame in out.items():
        _must_declare(step, name, taken=name in made)
        out[name] = TABLES[name].check(frame) if name in TABLES else _own_table(name, frame)
    columns = [name for name in asked if name not in out]  # a table of the step's own is no feature
    if features is not None and columns:
        out["features"] = _widen(step, made["features"], features[["patient_id", *columns]])
    return out


def _must_declare(step: Any, name: str, *, taken: bool) -> None:
    if not gives(step, name):
        raise TableError(f"gave {name!r}, which it does not declare in `gives`")
    if taken:
        raise TableError(f"gave {name!r}, which is there already")


def _own_table(name: str, frame: Any) -> pl.DataFrame:
    """A table that only plugins know: any frame, as long as patients can be told apart in it."""
    if not isinstance(frame, pl.DataFrame):
        raise TableError(f"{name!r} is a {type(frame).__name__}, expected a polars DataFrame")
    if frame.schema.get("patient_id", pl.String()) != pl.String():
        raise TableError(f"{name}.patient_id is {frame.schema['patient_id']}, expected String")
    return frame


def _widen(step: Any, before: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    checked = TABLES["features"].check(new)
    known = set(before.columns) - {"patient_id"}
    if clash := [name for name in checked.columns if name in known]:
        raise TableError(f"{step.name}: feature {clash[0]!r} is given by another step already")
    return _beside(before, checked)


def _beside(before: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The columns of both, one row a patient of `before`; of `new` each patient has at most one."""
    if before["patient_id"].equals(new["patient_id"]):
        return before.hstack([one for one in new.get_columns() if one.name != "patient_id"])
    return before.join(new, on="patient_id", how="left", maintain_order="left")

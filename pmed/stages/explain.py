"""Every assessed prediction gets an additive explanation and a trace, checked before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import inf
from typing import Any

import polars as pl

from ..components import must_be_instance
from ..errors import TableError
from ..halving import rows_of_others
from ..plugins import BUILT_IN, Component, Plugins
from ..tables import FEW, TABLES

GIVES = ("explanations", "traces")
TOLERANCE = 1e-6
KEY = ("patient_id", "predictor", "target")
Asking = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame | None]


def explain(plugins: Plugins, components: Sequence[Component], frames: dict[str, pl.DataFrame],
            predictions: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the tables of `GIVES`; `frames` holds each predictor's own feature frame by its name."""
    parts = {name: [TABLES[name].empty()] for name in GIVES}
    if not components:  # to part the predictions of a cohort takes its time, too
        return {name: TABLES[name].empty() for name in GIVES}
    assessed = predictions.filter(pl.col("status") == "assessed").partition_by("predictor", as_dict=True)
    for component in components:
        rows = assessed.get((component.name,))
        if rows is None:
            continue
        frame = frames[component.name]
        parts["explanations"] += _explanations(plugins, component, frame, rows)
        parts["traces"] += _traces(plugins, component, frame, rows)
    return {name: pl.concat(frames) for name, frames in parts.items()}


def _explanations(plugins: Plugins, component: Component, features: pl.DataFrame,
                  rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Ask each explainer on offer, installed plugins before the host, until one explains all rows.

    Where none does, the rows of those patients for whom the last one does not fail. What a plugin's explainer does
    wrong is that plugin's failure; where the host's fails, the predictor is to blame.
    """
    asking: Asking | None = None
    for owner, explainer in _offers(plugins, component.made):
        blamed = component if owner.plugin in BUILT_IN else owner
        asking = _asking(plugins, blamed, "explanations", partial(_explain, explainer, component.made))
        made = asking(features, rows)
        if made is not None:
            return [made]
    return [] if asking is None else _of_others(plugins, asking, features, rows)


def _traces(plugins: Plugins, component: Component, features: pl.DataFrame, rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The steps to each prediction, of those patients for whom the predictor does not fail to tell them."""
    asking = _asking(plugins, component, "traces", partial(_trace, component.made))
    made = asking(features, rows)
    return _of_others(plugins, asking, features, rows) if made is None else [made]


def _asking(plugins: Plugins, blamed: Component, stage: str,
            call: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]) -> Asking:
    """Make the call with features and rows; where it fails, note who is to blame."""
    return lambda features, rows: plugins.attempt(blamed, stage, call, features, rows)


def _of_others(plugins: Plugins, asking: Asking, features: pl.DataFrame, rows: pl.DataFrame) -> list[pl.DataFrame]:
    def about(some: pl.DataFrame) -> pl.DataFrame | None:
        return asking(*(frame.join(some, on="patient_id", how="semi", maintain_order="left")
                        for frame in (features, rows)))

    return rows_of_others(plugins, about, rows[["patient_id"]].unique(maintain_order=True))


def _offers(plugins: Plugins, predictor: Any) -> Iterator[tuple[Component, Any]]:
    for owner, impl in reversed(list(plugins.implementations("choose_explainer"))):
        offered = plugins.attempt(owner, "choose_explainer", _offered, impl.function, predictor)
        if offered is not None:
            yield owner, offered


def _offered(choose: Any, predictor: Any) -> Any:
    explainer = choose(predictor)
    must_be_instance("choose_explainer", explainer)
    return explainer


def _explain(explainer: Any, predictor: Any, features: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    made = explainer.explain(predictor, features.clone(), rows.clone())
    if not isinstance(made, pl.DataFrame):
        raise TableError(f"explain() must return a polars DataFrame. Got {type(made).__name__}")
    table = TABLES["explanations"]
    checked = table.check(made.with_columns(predictor=pl.lit(predictor.name)))[table.names]
    _must_add_up(checked, rows)
    return checked


def _must_add_up(explanations: pl.DataFrame, rows: pl.DataFrame) -> None:
    if explanations.height <= FEW and _adds_up(explanations, rows):
        return
    sums = explanations.group_by(KEY).agg(pl.col("baseline").first() + pl.col("contribution").sum())
    both = rows.join(sums, on=KEY, how="left")
    if both["baseline"].null_count():
        raise TableError(f"{both.filter(pl.col('baseline').is_null())['target'][0]} was left unexplained")
    off = both.filter((pl.col("baseline") - pl.col("value")).abs() > TOLERANCE)
    if off.height:
        target, total, value = off.select("target", "baseline", "value").row(0)
        raise TableError(f"explanation of {target} adds up to {total}, the prediction is {value}")


def _adds_up(explanations: pl.DataFrame, rows: pl.DataFrame) -> bool:
    """Whether every prediction of a few is what its baseline and contributions come to."""
    sums: dict[tuple[str, ...], float] = {}
    for *key, baseline, contribution in explanations[[*KEY, "baseline", "contribution"]].iter_rows():
        one = tuple(key)
        sums[one] = sums.get(one, baseline) + contribution
    return all(abs(sums.get((patient, predictor, target), inf) - value) <= TOLERANCE
               for patient, predictor, target, value in rows[[*KEY, "value"]].iter_rows())


def _trace(predictor: Any, features: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    table = TABLES["traces"]
    if not hasattr(predictor, "trace"):
        return table.empty()
    made = predictor.trace(features.clone(), rows.clone()).with_columns(predictor=pl.lit(predictor.name))
    checked, keys = table.check(made)[table.names], rows[list(KEY)]
    if checked.height <= FEW and not {*checked[list(KEY)].iter_rows()} - {*keys.iter_rows()}:
        return checked  # nobody is spoken of whom the rows are not about
    return checked.join(keys, on=KEY, how="semi")

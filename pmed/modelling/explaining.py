"""TreeSHAP as ``explanations`` rows, in the unit of the prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from .attribution import contributions
from .cohort import Floats
from .modelfile import MAIN, Model

METHOD = "TreeSHAP against the average of the training rows"
IN_POINTS = METHOD + "; log odds shared out in proportion to the points that they move"


def tree_explanations(model: Model, frame: pl.DataFrame, shown: Mapping[str, str], *, scale: float = 1.0,
                      told: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Rows of ``explanations`` (without ``predictor``) for each row of `frame`, which has ``patient_id``.

    A calibrated model adds up in log odds. Each contribution is given its share of the difference between prediction
    and baseline in the unit of the prediction, in proportion to its log odds; so the rows add up there too.

    Args:
        model: Its main trees are explained.
        frame: Features, one row a patient.
        shown: Feature of the model → name under which it is shown; those of one name are added up.
        scale: From the model's unit to that of the prediction: 100 for per cent.
        told: Name → text of the value, by the column of `frame` that holds it; default: the column of that name.
    """
    values, baselines = contributions(model.trees[MAIN], frame)
    raw = values.sum(axis=1) + baselines
    start, end = (scale * _in_unit(model, one) for one in (baselines, raw))
    in_unit = values * _slope(raw - baselines, end - start)[:, None]
    names = list(dict.fromkeys(shown[name] for name in model.trees[MAIN].encoding.names))
    parts = [_rows(frame, name, _added(model, in_unit, shown, name), (told or {}).get(name, name)) for name in names]
    method = METHOD if model.calibration is None else IN_POINTS
    many = len(names)
    return pl.concat(parts).with_columns(
        reference=pl.lit(None, dtype=pl.String), baseline=pl.Series(np.tile(start, many), dtype=pl.Float64),
        prediction=pl.Series(np.tile(end, many), dtype=pl.Float64), method=pl.lit(method))


def _in_unit(model: Model, raw: Floats) -> Floats:
    return raw if model.calibration is None else model.calibration.apply(raw)


def _slope(moved: Floats, wanted: Floats) -> Floats:
    still = np.abs(moved) < 1e-12
    return np.where(still, 0.0, wanted / np.where(still, 1.0, moved))


def _added(model: Model, values: Floats, shown: Mapping[str, str], name: str) -> Floats:
    mine = [place for place, one in enumerate(model.trees[MAIN].encoding.names) if shown[one] == name]
    return np.asarray(values[:, mine].sum(axis=1), dtype=np.float64)


def _rows(frame: pl.DataFrame, name: str, contribution: Floats, column: str) -> pl.DataFrame:
    value = frame[column].cast(pl.String).str.strip_suffix(".0") if column in frame.columns else pl.lit(None, pl.String)
    return frame.select("patient_id", feature=pl.lit(name), value=value,
                        contribution=pl.Series(contribution, dtype=pl.Float64))

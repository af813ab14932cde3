"""Features in, predictions out. A predictor's rows are checked before anyone else sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import numpy as np
import polars as pl

from ..errors import TableError
from ..flow import gives, inputs
from ..halving import rows_of_others
from ..measured import HEIGHT, WEIGHT, outdated
from ..normalise.drugs import name_of_medicine, unrecognised
from ..plugins import Component, Plugins
from ..repeats import unless_repeated
from ..tables import FEW, TABLES, Tables, distinct
from ..types import Predictor

ON = "on:"
_MEASURES = {WEIGHT: "weight", HEIGHT: "height"}
_UNITS = {WEIGHT: "kg", HEIGHT: "cm"}
_MEASURED = r"\bneeds [^;]*\b(?:weight|height)\b"
_KEY = ("patient_id", "predictor", "target")
_ROW = "_row"
_COLUMNS = ("pmed.verdicts.predictions makes them all; `status` is assessed, not-assessed or not-applicable, "
            "and the last two have a `reason` and no `value`")


def feature_frame(predictor: Predictor, features: pl.DataFrame, known: Set[str] | None = None) -> pl.DataFrame:
    """Just the declared columns; one that no plugin gives is null for everybody.

    `known` are the columns of `features`, for those who ask for many predictors: to list a thousand takes its time.
    """
    names, known = inputs(predictor), set(features.columns) if known is None else known
    # Columns are picked by name: a selection of a thousand expressions takes longer than the predictor.
    given = features[["patient_id", *(name for name in names if name in known)]]
    nobody = pl.Series([None] * features.height, dtype=pl.Null())
    absent = [nobody.alias(name) for name in names if name not in known]
    return given.hstack(absent)[["patient_id", *names]] if absent else given


def feature_frames(predictors: Iterable[Component], features: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The `feature_frame` of each predictor, by its name."""
    known = frozenset(features.columns)
    return {one.name: feature_frame(one.made, features, known) for one in predictors}


def predict(plugins: Plugins, components: Sequence[Component], frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """All predictors' rows as one ``predictions`` table; `frames` holds each one's `feature_frame` by its name."""
    parts = [TABLES["predictions"].empty()]
    for component in components:
        parts += _rows(plugins, component, frames[component.name])
    # In one piece: each look for some rows among several pieces takes as long as putting them together.
    return pl.concat(parts, rechunk=True)


def _rows(plugins: Plugins, component: Component, frame: pl.DataFrame) -> list[pl.DataFrame]:
    """A predictor's rows; where it fails for a few patients, those of the others, and failures that name the few."""
    def asking(some: pl.DataFrame) -> pl.DataFrame | None:
        return plugins.attempt(component, "predict", checked, component.made, some)

    rows = asking(frame)
    return rows_of_others(plugins, asking, frame) if rows is None else [rows]


def named_medicines(rows: pl.DataFrame, predictors: Sequence[Component], steps: Sequence[Component],
                    tables: Tables) -> pl.DataFrame:
    """`rows` of ``predictions``; where nobody knows whether a medicine is taken, the reason says why.

    Medicines of the record were not recognised, or none is listed: who reads that can mend it. `tables` are those after
    the feature `steps`.
    """
    why = _unsettled(tables)
    silent = rows.filter(status="not-assessed")
    if why.is_empty() or silent.is_empty():
        return rows
    asked = [_asked(one, steps, silent, tables["features"]) for one in predictors]
    unknown = pl.concat([rows.select(_KEY).clear(), *asked]).join(why, on="patient_id")
    joined = rows.join(unknown, on=_KEY, how="left", maintain_order="left")
    reason = pl.concat_str("reason", "_why", separator="; ", ignore_nulls=True)
    return joined.with_columns(reason=pl.when(pl.col("_why").is_null()).then("reason").otherwise(reason)).drop("_why")


def aged_measures(rows: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """`rows` of ``predictions``; where a height or weight is needed and there is one too old to count, the reason says.

    `tables` are those after the feature steps.
    """
    # Reasons are few and long: each is looked at once.
    reasons = rows["reason"].unique().drop_nulls()
    naming = reasons.filter(reasons.str.contains(_MEASURED)).implode()
    lacking = rows.with_row_index(_ROW).filter(pl.col("status") == "not-assessed", pl.col("reason").is_in(naming))
    old = outdated(tables, _MEASURES) if lacking.height else None
    if old is None or old.is_empty():
        return rows
    name = pl.col("code").replace_strict(_MEASURES)
    number = pl.col("value").round(1).cast(pl.String).str.strip_suffix(".0")
    said = old.with_columns(_name=name, _old=pl.format("the last {} ({} {}, of {} days ago) is too old to count", name,
                                                       number, pl.col("code").replace_strict(_UNITS), "ago"))
    pairs = lacking.select(_ROW, "patient_id", "reason").join(said, on="patient_id", maintain_order="left")
    needed = pl.col("reason").str.contains(pl.format(r"\bneeds (?:[^;]*, )?{}\b", "_name"))
    told = pairs.filter(needed).group_by(_ROW, "reason", maintain_order=True).agg(_old=pl.col("_old").str.join("; "))
    whole = told.select(pl.concat_str("reason", "_old", separator="; ")).to_series()
    return rows.with_columns(rows["reason"].scatter(told[_ROW], whole))


def _asked(predictor: Component, steps: Sequence[Component], silent: pl.DataFrame, features: pl.DataFrame
           ) -> pl.DataFrame:
    """The key of rows that lack a medicine: what rests on it is unknown and needed, or the reason names it."""
    blank = []
    for name in inputs(predictor.made):
        behind = [one for one in _medicines_behind(name, steps) if one in features.columns]
        if behind and name in features.columns:
            needed = pl.lit(name in predictor.made.needs)
            named = pl.col("_reason").str.contains(name.removeprefix(ON), literal=True)
            blank.append(pl.col(name).is_null() & pl.any_horizontal(pl.col(behind).is_null()) & (needed | named))
    mine = silent.filter(predictor=predictor.name).select(*_KEY, _reason="reason")
    if not blank or mine.is_empty():
        return mine.select(_KEY).clear()
    return mine.join(features, on="patient_id").filter(pl.any_horizontal(blank)).select(_KEY)


def _medicines_behind(name: str, steps: Sequence[Component]) -> list[str]:
    """The features about medicines that a feature is, or is made of: ``on:``, and a step's ``of_medicines``."""
    if name.startswith(ON) or any(name in getattr(step.made, "of_medicines", ()) for step in steps):
        return [name]
    return [need for step in steps if gives(step.made, name) for need in step.made.needs if need.startswith(ON)]


def _unsettled(tables: Tables) -> pl.DataFrame:
    """patient_id and _why, of whose record does not settle which medicines are taken."""
    drugs, patients = (tables.get(name, TABLES[name].empty()) for name in ("medications", "patients"))
    return _unsettled_of(drugs, patients[["patient_id"]])


# A question seldom changes either.
@unless_repeated
def _unsettled_of(drugs: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    unread = drugs.filter(unrecognised(drugs)).group_by("patient_id", maintain_order=True).agg(
        _why=pl.lit("medicines not recognised: ") + name_of_medicine().unique(maintain_order=True).str.join(", "))
    nothing = patients.join(drugs, on="patient_id", how="anti").select(
        "patient_id", _why=pl.lit("the record lists no medicines"))
    return pl.concat([unread, nothing])


def checked(predictor: Predictor, features: pl.DataFrame) -> pl.DataFrame:
    """The rows of one predictor for its `feature_frame`, which keep what every predictor promises.

    Raises:
        TableError: where they do not.
    """
    out = whole(predictor.predict(features.clone()))
    named = out.with_columns(predictor=pl.lit(predictor.name))
    regular = _is_regular(out, predictor, features["patient_id"])
    rows = TABLES["predictions"].check(named, keys=not regular)[TABLES["predictions"].names]
    if not regular:
        _must_cover(predictor, rows, features)
    _must_be_sound(predictor, rows)
    return rows


def whole(out: object) -> pl.DataFrame:
    """What ``predict`` returned, if it is a frame with every column of predictions.

    Raises:
        TableError: naming what is missing, and what makes it.
    """
    if not isinstance(out, pl.DataFrame):
        raise TableError(f"predict() must return a polars DataFrame. Got {type(out).__name__}")
    if missing := [name for name in TABLES["predictions"].names if name not in {"predictor", *out.columns}]:
        raise TableError(f"predict() left out {'; '.join(f'predictions.{one} is missing' for one in missing)}",
                         hint=_COLUMNS)
    return out


def _is_regular(rows: pl.DataFrame, predictor: Predictor, patients: pl.Series) -> bool:
    """Whether the rows are the same targets of one patient after the other, each there once, as they mostly are.

    In a cohort that is seen in a tenth of the time that looking for keys takes.
    """
    many = len(predictor.gives)
    if rows.height <= FEW or rows.height != len(patients) * many:
        return False
    first = rows["target"].head(many)
    at = np.arange(rows.height)
    return (set(first) == set(predictor.gives) and rows["patient_id"].equals(patients.gather(at // many))
            and rows["target"].equals(first.gather(at % many)))


def _must_cover(predictor: Predictor, rows: pl.DataFrame, features: pl.DataFrame) -> None:
    if strange := distinct(rows["target"]) - set(predictor.gives):
        raise TableError(f"predicted {sorted(strange)[0]!r}, which it does not declare in `gives`")
    expected = features.height * len(predictor.gives)
    if rows.height != expected or distinct(rows["patient_id"]) - set(features["patient_id"]):
        raise TableError(f"gave {rows.height} rows, expected {expected}: one for each patient and target")


def _must_be_sound(predictor: Predictor, rows: pl.DataFrame) -> None:
    assessed = pl.col("status") == "assessed"
    low, high = predictor.card.range
    each = rows[["status", "value", "reason"]].iter_rows() if rows.height <= FEW else None
    if each and all(_is_sound(status, value, reason, low, high) for status, value, reason in each):
        return
    wild = assessed & ~pl.col("value").is_between(low, high).fill_null(value=False)
    mute = ~assessed & (pl.col("value").is_not_null() | pl.col("reason").is_null())
    bad = rows.filter(wild)
    if bad.height:
        raise TableError(f"{bad['target'][0]} is {bad['value'][0]}, outside the card's range [{low}, {high}]")
    silent = rows.filter(mute)
    if silent.height:
        raise TableError(f"{silent['target'][0]} is not-assessed but has a value or no reason")


def _is_sound(status: str, value: float | None, reason: str | None, low: float, high: float) -> bool:
    """The same of one row."""
    if status == "assessed":
        return value is not None and low <= value <= high
    return value is None and reason is not None

"""Cautions beside advice that rests on medicines of which too little is known.

Which predictions weigh what else is taken their predictors' reference patients say: there need be no explanation. An
adviser that knows better tells it itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .flow import inputs
from .normalise.drugs import name_of_medicine, unrecognised
from .old_entries import doubt, old_drugs
from .plugins import Component, Plugins
from .tables import TABLES, Tables

CAUTION = ("patient_id", "drug", "code", "text")
ON, UNREAD = "on:", "unread-medicine"
_NONE = pl.DataFrame(schema=dict.fromkeys(CAUTION, pl.String()))


def of_medicines(plugins: Plugins, suggestions: pl.DataFrame, tables: Tables,
                 predictors: Sequence[Component]) -> pl.DataFrame:
    """All of them, a row each with the columns of `CAUTION`."""
    drugs = tables.get("medications", TABLES["medications"].empty())
    unread = drugs.filter(unrecognised(drugs)).group_by("patient_id").agg(
        names=name_of_medicine().unique(maintain_order=True).str.join(", "))
    old = old_drugs(drugs, tables.get("patients", TABLES["patients"].empty()))
    if unread.is_empty() and old.is_empty():
        return _NONE.clone()
    weighing = [one for one in predictors if any(name.startswith(ON) for name in inputs(one.made))]
    assessed = tables["predictions"].filter(
        pl.col("predictor").is_in([one.name for one in weighing]), pl.col("status") == "assessed").select(
        "patient_id", "predictor", "target")
    weighed = _weighed(plugins, weighing, assessed)
    return pl.concat([_unread(suggestions, assessed, weighed, unread), _old(suggestions, assessed, weighed, old)])


def _weighed(plugins: Plugins, predictors: Sequence[Component], assessed: pl.DataFrame) -> pl.DataFrame:
    """predictor, target, on: each medicine that a prediction among those `assessed` depends on."""
    asked = assessed.select("predictor", "target").unique(maintain_order=True)
    made = {one.name: one for one in predictors}
    found: list[tuple[str, str, str]] = []
    for predictor, target in asked.iter_rows():
        one = made[predictor]
        given = plugins.attempt(one, "reference", one.made.reference, target) or ()
        found += [(predictor, target, name.removeprefix(ON)) for name in given if name.startswith(ON)]
    return pl.DataFrame(found, schema=dict.fromkeys(("predictor", "target", "on"), pl.String()), orient="row")


def _unread(advice: pl.DataFrame, assessed: pl.DataFrame, weighed: pl.DataFrame, unread: pl.DataFrame) -> pl.DataFrame:
    """Where the patient takes a medicine that no vocabulary knows; not where the advice says so itself."""
    mine = assessed.join(weighed.select("predictor", "target").unique(), on=["predictor", "target"]).join(
        unread, on="patient_id")
    hits = _resting_on(advice, mine).join(_told(advice, unread), on=["patient_id", "drug"], how="anti",
                                          maintain_order="left")
    return hits.select("patient_id", "drug", code=pl.lit(UNREAD), text=pl.format(
        "Not recognised, so an interaction with it was not weighed: {}.", "names")).unique(maintain_order=True)


def _old(advice: pl.DataFrame, assessed: pl.DataFrame, weighed: pl.DataFrame, old: pl.DataFrame) -> pl.DataFrame:
    """Where the advice is about, or rests on, a medicine that only entries of years ago have as taken."""
    mine = assessed.join(weighed, on=["predictor", "target"]).join(
        old, left_on=["patient_id", "on"], right_on=["patient_id", "drug"])
    own = advice.filter("current").select("patient_id", "drug", on="drug").join(
        old, on=["patient_id", "drug"], maintain_order="left")
    hits = pl.concat([own, _resting_on(advice, mine).select(own.columns)]).unique(maintain_order=True)
    return hits.select("patient_id", "drug", said=doubt("on")).unnest("said")


def _told(advice: pl.DataFrame, unread: pl.DataFrame) -> pl.DataFrame:
    """patient_id, drug of the advice to patients with `unread` medicines that says so itself."""
    said = advice.select("patient_id", "drug", "cautions").join(unread, on="patient_id", how="semi")
    codes = pl.col("cautions").list.eval(pl.element().struct.field("code") == UNREAD)
    return said.filter(codes.list.any()).select("patient_id", "drug")


def _resting_on(advice: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """patient_id, drug and the other columns of the `predictions` that advice rests on, in the order of the advice."""
    each = advice.select("patient_id", "drug", "explained_by").join(
        predictions, on="patient_id", how="semi", maintain_order="left").explode(
        "explained_by", empty_as_null=True, keep_nulls=True).unnest("explained_by")
    return each.join(predictions, on=["patient_id", "predictor", "target"], maintain_order="left")

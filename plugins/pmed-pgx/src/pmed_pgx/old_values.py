"""Cautions about measurements that are not weighed, beside the medicines taken for which they would be.

A check does not know of an INR of last year, nor of one that is only known to be above 8. Whoever takes warfarin is
told of it where it would have been a cause for alarm, or where a check asks for what follows from it (kidney function):
nobody else is, or all would be.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from pmed.measured import WEIGHT, beyond, outdated, unit_of
from pmed.tables import TABLES, Tables

from .cases import Cases
from .checks import covered
from .guidelines import LATEST, Range
from .wording import LABS, asked_for

KEY = ["patient_id", "drug"]
OLD_VALUE, LIMIT_VALUE = "old-value", "limit-value"
# What is derived from a measurement, which checks ask for
_DERIVED = {"egfr": ("2160-0",), "creatinine-clearance": ("2160-0", WEIGHT), "weight": (WEIGHT,)}
_CAUTIONS = TABLES["suggestions"].columns["cautions"].dtype
_NONE = pl.DataFrame(schema={**dict.fromkeys(KEY, pl.String()), "old_values": _CAUTIONS, "too_old": pl.String(),
                             "remeasure": pl.List(pl.String())})


def old_values(taken: pl.DataFrame, cases: Cases, tables: Tables) -> pl.DataFrame:
    """patient_id, drug, old_values (cautions); too_old (in words) and remeasure (features), of what would be alarming.

    `taken` has a row a patient and drug.
    """
    codes = [*_alarms()["code"].unique(maintain_order=True), *(code for each in _DERIVED.values() for code in each)]
    mine = taken.select(KEY)
    old, limits = (one.join(mine, on="patient_id") for one in (outdated(tables, codes), beyond(tables, codes)))
    if old.is_empty() and limits.is_empty():
        return _NONE
    alarming = old.join(_alarms(), on=["drug", "code"]).filter(
        pl.col("value") >= pl.col("low"), pl.col("value") < pl.col("high"))
    derived = old.join(_asked(old.select(KEY).unique(maintain_order=True), cases), on=[*KEY, "code"])
    # Whatever the limit is: above it there may be what alarms at the top, below it what does at the bottom.
    above = pl.col("said").str.starts_with(">")
    open_ = limits.join(_alarms(), on=["drug", "code"]).filter(
        (above & pl.col("high").is_infinite()) | (~above & (pl.col("low") <= 0)))
    told = pl.concat([one.select(*KEY, "code", caution=pl.lit(caution), text=text, alarm=pl.lit(alarm))
                      for one, caution, text, alarm in (
        (alarming, OLD_VALUE, _text(), True), (derived, OLD_VALUE, _text(), False),
        (open_, LIMIT_VALUE, _limit_text(), True))]).unique([*KEY, "code"], keep="first", maintain_order=True)
    said, alarm = pl.struct(code="caution", text="text"), pl.col("alarm")
    named = _name().filter(alarm).str.join(" and ")
    return told.sort(*KEY, "code").group_by(KEY, maintain_order=True).agg(
        old_values=said, too_old=pl.when(alarm.any()).then(named),
        remeasure=(pl.lit(LATEST) + pl.col("code")).filter(alarm)).cast({"old_values": _CAUTIONS})


def _text() -> pl.Expr:
    units = {code: f" {unit_of(code)}" if unit_of(code) else "" for code in LABS}
    number = pl.col("value").round(2).cast(pl.String).str.strip_suffix(".0")
    return pl.format("{} of {} days ago ({}{}) is too old to count: measure it anew", _name(), "ago", number,
                     pl.col("code").replace_strict(units, default=""))


def _limit_text() -> pl.Expr:
    unit = pl.format(" {}", pl.col("unit").replace("1", None)).fill_null("")
    return pl.format("{} of {} days ago ({}{}) is beyond a limit and was not weighed: look at it", _name(), "ago",
                     "said", unit)


def _name() -> pl.Expr:
    return pl.col("code").replace(LABS)


@cache
def _alarms() -> pl.DataFrame:
    """drug, code, low, high: between which bounds a measurement speaks against a drug, or for less of it."""
    spans = [(drug.name, name.removeprefix(LATEST), one.low, one.high) for drug in covered().values()
             for row in drug.checks for name, wanted in row.when.items() if name.startswith(LATEST)
             for one in wanted if isinstance(one, Range)]
    return pl.DataFrame(spans, orient="row", schema={"drug": pl.String(), "code": pl.String(), "low": pl.Float64(),
                                                     "high": pl.Float64()})


def _asked(taken: pl.DataFrame, cases: Cases) -> pl.DataFrame:
    """patient_id, drug, code: measurements from which follows what a check of a drug that is taken asks for."""
    known = cases.placed(taken)
    found = [(case, code) for case in known["case"].unique().to_list() for name in asked_for(cases.outcomes[case])
             for code in _DERIVED.get(name, ())]
    codes = pl.DataFrame(found, orient="row", schema={"case": pl.Int64(), "code": pl.String()})
    return known.join(codes, on="case").select(*KEY, "code")

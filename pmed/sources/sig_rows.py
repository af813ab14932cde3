"""Directions written as text ("sig") → dose and times a day of recorded medicines, where nothing else tells them.

What is recorded in fields of its own goes before the text; where the two contradict each other, neither is used. A
medicine whose name or directions speak of weeks is never one of each day by fields that say so: that is the slip that
kills with methotrexate.
"""

from __future__ import annotations

import polars as pl

from ..masses import dose_unit, milligrams
from ..normalise.pieces import PIECE_UNIT
from ..normalise.sig_words import LESS_THAN_DAILY
from ..normalise.sigs import COUNT, PIECE, read_sig

Told = tuple[pl.DataFrame, str]  # rows, and what is told of them
_READ = {"_amount": pl.Float64(), "_unit": pl.String(), "_often": pl.Float64(), "_daily": pl.Float64(),
         "_needed": pl.Boolean()}
_ALIKE = 0.01  # a month has 30 days or 30.4
# An administration tells what was given, not how it goes on.
_GIVEN = pl.col("kind").eq_missing("administration")


def with_sigs(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Told]]:
    """Medications as recorded with `dose`, `dose_unit`, `per_day` and, in `sig_daily`, the amount a day of a scheme."""
    rows = rows.with_columns(dose_unit(pl.col("dose_unit")))
    said = rows["sig"].drop_nulls().unique()
    if said.is_empty():
        return _never_weekly(rows.with_columns(sig_daily=pl.lit(None, pl.Float64)))
    read = [read_sig(text) for text in said]
    meant = pl.DataFrame([(one.amount, one.unit, one.per_day, one.daily, one.as_needed) for one in read],
                         orient="row", schema=_READ).with_columns(sig=said)
    both = rows.join(meant, on="sig", how="left", maintain_order="left").with_columns(
        pl.when(~_GIVEN).then(pl.col(name)).alias(name) for name in _READ)
    agreed, told = _agreed(_in_recorded_unit(both))
    filled = agreed.with_columns(
        dose=pl.coalesce("dose", "_amount"), per_day=pl.coalesce("per_day", _fitting_times()), sig_daily=_scheme(),
        dose_unit=_unit())
    made, weekly = _never_weekly(filled.drop(_READ))
    return made, [*told, *weekly]


def _agreed(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Told]]:
    """Nothing of what fields and text say differently; nor, of what is taken as needed, how often."""
    times, amounts = _differ(pl.col("per_day"), pl.col("_often")), _other_amount()
    wrong = rows.select(times=times, amounts=amounts, needed=pl.col("_needed").fill_null(value=False)
                        & pl.col("per_day").is_not_null())
    told = [(rows.filter(wrong["times"]), "how often it is taken differs between the fields and the text of the "
             "directions; it stays unknown"),
            (rows.filter(wrong["amounts"]), "the dose differs between the fields and the text of the directions; it "
             "stays unknown"),
            (rows.filter(wrong["needed"]), "the text of the directions says as needed, fields say how often; how much "
             "a day stays unknown")]
    often, dose = wrong["times"] | wrong["needed"], wrong["amounts"]
    return rows.with_columns(
        pl.when(~often).then(pl.col(name)).alias(name) for name in ("per_day", "_often", "_daily")).with_columns(
        pl.when(~dose).then(pl.col(name)).alias(name)
        for name in ("dose", "dose_unit", "_amount", "_unit", "_daily")), told


def _in_recorded_unit(rows: pl.DataFrame) -> pl.DataFrame:
    """A scheme without a unit counts pieces where a field says so; in another unit than a field's it is not read."""
    bare, unit = pl.col("dose").is_null() & pl.col("_unit").is_not_null(), pl.col("dose_unit")
    pieces, known = unit.str.contains(PIECE_UNIT), unit.is_not_null()
    other = bare & known & ~(pieces & pl.col("_unit").is_in([COUNT, PIECE])) & (unit != pl.col("_unit"))
    said = pl.when(bare & pieces & (pl.col("_unit") == COUNT)).then(pl.lit(PIECE)).otherwise("_unit").alias("_unit")
    lost = [pl.when(~other.fill_null(value=False)).then(pl.col(name)).alias(name) for name in ("_amount", "_daily")]
    return rows.with_columns(said, *lost)


def _fitting_times() -> pl.Expr:
    """How often by the text, where that is how often the recorded dose is taken: not where it counts other amounts."""
    fits = pl.col("dose").is_null() | (pl.col("_amount").is_null() & pl.col("_daily").is_null()) | (
        pl.col("_amount") == 1) | (pl.col("_unit") == pl.col("dose_unit"))
    return pl.when(fits).then("_often")


def _unit() -> pl.Expr:
    """The unit of what is filled in; that of a recorded dose where it has none and the text has the same number."""
    told = pl.col("_amount").is_not_null() | pl.col("_daily").is_not_null()
    same = pl.col("dose_unit").is_null() & (pl.col("dose") == pl.col("_amount"))
    return pl.when((pl.col("dose").is_null() & told) | same).then("_unit").otherwise("dose_unit")


def _other_amount() -> pl.Expr:
    """Whether the recorded dose is another amount than that of the text: in one unit, or both masses."""
    dose, amount, unit = pl.col("dose"), pl.col("_amount"), pl.col("dose_unit")
    alike = (unit.is_null() | (unit == pl.col("_unit"))).fill_null(value=True)
    in_mass = _differ(dose * milligrams(unit), amount * milligrams(pl.col("_unit")))
    return (_differ(dose, amount) & alike) | in_mass


def _differ(recorded: pl.Expr, text: pl.Expr) -> pl.Expr:
    return ((recorded - text).abs() > _ALIKE * text).fill_null(value=False)


def _scheme() -> pl.Expr:
    """What a scheme of unequal amounts (1-0-2) comes to a day, where no field tells a dose."""
    unequal = pl.col("dose").is_null() & pl.col("_amount").is_null() & pl.col("per_day").is_null()
    return pl.when(unequal).then("_daily")


def _never_weekly(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Told]]:
    """How often stays unknown where it is once a day or more and the text or the name speaks of weeks."""
    weekly = pl.any_horizontal(pl.col("sig", "display").str.to_lowercase().str.contains(
        LESS_THAN_DAILY).fill_null(value=False))
    daily = ((pl.col("per_day") >= 1).fill_null(value=False) | pl.col("sig_daily").is_not_null()) & weekly & ~_GIVEN
    wrong = rows.select(daily)[:, 0]
    if not wrong.any():
        return rows, []
    told = (rows.filter(wrong), "the text or the name speaks of weeks, but it would be taken daily; how much a day "
            "stays unknown")
    return rows.with_columns(pl.when(~wrong).then(pl.col(name)).alias(name)
                             for name in ("per_day", "sig_daily")), [told]

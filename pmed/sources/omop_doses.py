"""OMOP drug exposures → strength and dose: by the vocabulary's ``drug_strength`` and what the row itself says.

What ``quantity`` counts is not fixed: pieces of a solid form handed out, an amount given, a pack. So it is used where
its unit is sure, and all else stays unknown (https://ohdsi.github.io/CommonDataModel/cdm54.html, drug_exposure and
drug_strength).
"""

from __future__ import annotations

import polars as pl

from ..masses import DOSE_UNITS
from ..normalise.sigs import PIECE, read_sig
from .omop_cdm import Store, load, told
from .omop_concepts import concepts_of

# OMOP's units of drug_strength, for a CDM without its vocabulary; the codes of others come from the concept table.
_UNITS = {8576: "mg", 9655: "ug", 8504: "g", 8510: "U", 8718: "[IU]", 9551: "meq", 9573: "mmol", 8587: "mL", 8505: "h",
          8519: "L", 45744809: "{actuat}"}
_SPELLED = {"[U]": "U", "[iU]": "[IU]"}
_UNIT_COLUMNS = ("amount_unit_concept_id", "numerator_unit_concept_id", "denominator_unit_concept_id")
_NONE = {"drug_concept_id": pl.Int64, "strength": pl.Float64, "strength_unit": pl.String, "boxed": pl.Boolean}

# Only of forms that are swallowed one by one is a day's dose the number of pieces: an ampoule may be used in part.
_SOLID = r"(?i)\b(?:tablets?|capsules?|caplets?|pills?|lozenges?)\b"
_PACK = r"(?i)\bpack\b|^\{"
_PIECE = r"tab(?:let)?s?|cap(?:sule)?s?|caplets?|pills?|lozenges?"
_SLOWEST, _FASTEST = 1 / 30, 40.0  # pieces a day: once a month, and more than anybody takes of one medicine


def strengths(store: Store, drugs: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """`drug_concept_id`, `strength`, `strength_unit` and `boxed` of drugs of one ingredient, by ``drug_strength``.

    The table is optional; without it nothing is known. A row that the vocabulary took back counts for nothing.
    """
    ids = drugs["drug_concept_id"].drop_nulls().unique().sort().to_list()
    rows = load(store, "drug_strength", issues, ("drug_concept_id", [one for one in ids if one]))
    if rows is None:
        return pl.DataFrame(schema=_NONE)
    valid = rows.filter(pl.col("invalid_reason").is_null())
    single = valid.filter(pl.col("drug_concept_id").is_unique())
    units = _units(store, single)
    amount, top, bottom = (pl.col(name).replace_strict(units, default=None, return_dtype=pl.String)
                           for name in _UNIT_COLUMNS)
    per_volume = pl.col("numerator_value") / pl.col("denominator_value").fill_null(1.0)
    told_once = pl.col("amount_value").is_null() != pl.col("numerator_value").is_null()
    known = single.filter(told_once).select(
        "drug_concept_id", strength=pl.coalesce("amount_value", per_volume),
        strength_unit=pl.coalesce(pl.when(pl.col("amount_value").is_not_null()).then(amount),
                                  pl.format("{}/{}", top, bottom)),
        boxed=pl.col("box_size").is_not_null())
    return known.filter(pl.col("strength_unit").is_not_null() & (pl.col("strength") > 0)
                        & pl.col("strength").is_finite())


def _units(store: Store, rows: pl.DataFrame) -> dict[int, str]:
    """UCUM codes of the units, by concept."""
    ids = pl.concat([rows[name] for name in _UNIT_COLUMNS]).drop_nulls().unique().sort().to_list()
    found = concepts_of(store, ids, []).filter(pl.col("system") == "http://unitsofmeasure.org")
    named = dict(found.select("concept_id", pl.col("code").replace(_SPELLED)).drop_nulls().iter_rows())
    return {**_UNITS, **named}


def with_doses(rows: pl.DataFrame, issues: list[pl.DataFrame]) -> pl.DataFrame:
    """Drug exposures with `dose`, `dose_unit`, `per_day` and `daily_dose`; null where the row does not tell them.

    `rows` have `display`, `kind`, `strength`, `strength_unit` and `boxed`. A day's dose comes from the sig, else from
    quantity × strength / days of supply of what was ordered or handed out in pieces.
    """
    solid = (pl.col("display").str.contains(_SOLID) & ~pl.col("display").str.contains(_PACK)
             & ~pl.col("strength_unit").str.contains("/") & ~pl.col("boxed")).fill_null(value=False)
    read = _with_sigs(rows).with_columns(_given_unit().alias("_unit"))
    pieces = read.with_columns(_solid=solid, _given=pl.col("kind").eq_missing("administration"))
    dosed = pieces.with_columns(dose=_dose(), dose_unit=_dose_unit(), per_day=pl.col("_often"))
    whole = dosed.with_columns(daily_dose=pl.coalesce(pl.col("dose") * pl.col("per_day"), _by_supply()),
                               dose_unit=pl.coalesce("dose_unit", pl.when(_by_supply().is_not_null()).then(
                                   "strength_unit")))
    _report_odd(whole, issues)
    return whole.drop("_count", "_often", "_unit", "_solid", "_given")


def _dose() -> pl.Expr:
    """The amount at a time: pieces of the sig × strength; of a medicine given, the quantity in the unit it is in."""
    quantity = pl.when(pl.col("quantity") > 0).then("quantity")
    given = pl.when(pl.col("_unit") == "piece").then(
        pl.when("_solid").then(quantity * pl.col("strength"))).when(pl.col("_unit").is_not_null()).then(quantity)
    return pl.when("_given").then(given).when("_solid").then(pl.col("_count") * pl.col("strength"))


def _dose_unit() -> pl.Expr:
    amount = pl.when(pl.col("_given") & (pl.col("_unit") != "piece")).then("_unit").otherwise("strength_unit")
    return pl.when(_dose().is_not_null()).then(amount)


def _by_supply() -> pl.Expr:
    """Pieces × strength / days; a quantity of 1 for several days is as likely one pack."""
    quantity, days = pl.col("quantity"), pl.col("days_supply")
    sure = pl.col("_solid") & pl.col("kind").is_in(["order", "dispense"]) & (days >= 1) & (
        (quantity > 1) | ((quantity == 1) & (days == 1)))
    return pl.when(sure & (quantity / days).is_between(_SLOWEST, _FASTEST)).then(
        quantity * pl.col("strength") / days)


def _report_odd(rows: pl.DataFrame, issues: list[pl.DataFrame]) -> None:
    """A quantity below zero or beyond what anybody takes is a slip of the pen, or counts something else."""
    odd = (pl.col("quantity") < 0) | (pl.col("_solid") & (pl.col("days_supply") >= 1)
                                      & (pl.col("quantity") / pl.col("days_supply") > _FASTEST))
    issues.append(told(rows.filter(odd), "warning", "bad-value",
                       f"quantity is below 0 or more than {_FASTEST:g} pieces a day; it is not used"))


def _with_sigs(rows: pl.DataFrame) -> pl.DataFrame:
    """Pieces at a time and times a day, as the sig says; every distinct one is read once."""
    said = rows["sig"].cast(pl.String).drop_nulls().unique()
    read = [read_sig(text) for text in said]
    meant = pl.DataFrame([(one.amount if one.unit == PIECE else None, one.per_day) for one in read], orient="row",
                         schema={"_count": pl.Float64(), "_often": pl.Float64()}).with_columns(sig=said)
    return rows.with_columns(pl.col("sig").cast(pl.String)).join(meant, on="sig", how="left", maintain_order="left")


def _given_unit() -> pl.Expr:
    """What quantity is in, where the source says so: UCUM, or "piece"."""
    word = pl.col("dose_unit_source_value").str.to_lowercase().str.strip_chars()
    return pl.when(word.str.contains(rf"^(?:{_PIECE})$")).then(pl.lit("piece")).otherwise(
        word.replace_strict(DOSE_UNITS, default=None, return_dtype=pl.String))

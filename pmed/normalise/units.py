"""Measurements in one unit per quantity, so that 180 cm, 1.8 m and 71 inches are the same height.

``canonical = factor × recorded + offset``. A unit that neither the table nor UCUM has is never guessed: the value
becomes unknown, and the recorded number is kept as text.

The spelling of a unit is forgiven in one place (`unit_words`): case, blanks, brackets, µ for u. That is safe because
each quantity has its own few units: G/L is 10*9/L of platelets and g/L of protein.

A value that no living person has is a slip of the pen or of the unit: it is reported and not used (`PLAUSIBLE`).

Sources: UCUM (units; inch and pound are exact); molar masses in g/mol: cholesterol 386.65, glucose 180.16,
creatinine 113.12, bilirubin 584.66, urea nitrogen 28.01, calcium 40.08, magnesium 24.305, triglyceride 885.7 (mean),
haemoglobin 16114 (of one chain with its iron, as laboratories count); 1 µkat = 60 U; HbA1c: NGSP % = 0.09148 × IFCC
mmol/mol + 2.152 (Hoelzel et al., Clin Chem 2004;50:166-74); LOINC for the codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import polars as pl

from ..plans import as_written
from ..tables import TABLES
from . import ucum
from .loinc import LOINC
from .plausible import PLAUSIBLE, limit
from .unit_words import spell

Factor = tuple[float, float]

# Units that laboratories use are in this table, with what no UCUM library knows: mmol/L → mg/dL takes a molar mass.
# Others are left to a library (`ucum`), but for the quantities of `_OWN_ONLY`.
# quantity → unit → (factor, offset) into the quantity's canonical unit, which comes first
UNITS: Mapping[str, Mapping[str, Factor]] = {
    "length": {"cm": (1, 0), "m": (100, 0), "mm": (0.1, 0), "[in_i]": (2.54, 0), "[in_us]": (2.54, 0),
               "[ft_i]": (30.48, 0), "in": (2.54, 0), "inch": (2.54, 0), "inches": (2.54, 0), "cms": (1, 0),
               "centimeter": (1, 0), "centimeters": (1, 0), "meter": (100, 0), "meters": (100, 0)},
    "body-mass": {"kg": (1, 0), "g": (0.001, 0), "[lb_av]": (0.45359237, 0), "[oz_av]": (0.028349523125, 0),
                  **dict.fromkeys(("lb", "lbs", "pound", "pounds"), (0.45359237, 0.0)),
                  **dict.fromkeys(("oz", "ounce", "ounces"), (0.028349523125, 0.0)),
                  **dict.fromkeys(("kgs", "kilogram", "kilograms"), (1.0, 0.0)),
                  **dict.fromkeys(("gram", "grams"), (0.001, 0.0))},
    "mass-per-area": {"kg/m2": (1, 0), "kg/(m2)": (1, 0), "kg/sqm": (1, 0)},
    "pressure": {"mm[Hg]": (1, 0), "mm(Hg)": (1, 0), "mm/Hg": (1, 0), "kPa": (7.50062, 0)},
    "temperature": {**dict.fromkeys(("Cel", "°C", "C", "degC", "Celsius"), (1.0, 0.0)),
                    **dict.fromkeys(("[degF]", "°F", "F", "Fahrenheit"), (5 / 9, -160 / 9))},
    "rate": dict.fromkeys(("/min", "{beats}/min", "bpm", "beat/min", "beats/minute", "beats per minute", "/minute"),
                          (1.0, 0.0)),
    "fraction": {"%": (1, 0), "percent": (1, 0), "L/L": (100, 0)},
    # By its LOINC name it is of all haemoglobin; what JDS counts is another %.
    "hba1c": {**dict.fromkeys(("%", "%{HbA1c}", "%{Hb}", "%{Hgb}", "%{A1c}", "%{NGSP}", "%(NGSP)", "%{DCCT}", "%(DCCT)",
                               "% of Hgb", "% of total Hb", "% of total Hgb", "% of total hemoglobin", "percent"),
                              (1.0, 0.0)),
              "mmol/mol": (0.09148, 2.152), "mmol/mol{Hb}": (0.09148, 2.152)},
    "cholesterol": {"mg/dL": (1, 0), "mmol/L": (38.665, 0), "g/L": (100, 0)},
    "triglyceride": {"mg/dL": (1, 0), "mmol/L": (88.57, 0), "g/L": (100, 0)},
    "glucose": {"mg/dL": (1, 0), "mmol/L": (18.016, 0), "g/L": (100, 0)},
    "creatinine": {"mg/dL": (1, 0), "umol/L": (0.011312, 0), "mmol/L": (11.312, 0), "mg/L": (0.1, 0)},
    "bilirubin": {"mg/dL": (1, 0), "umol/L": (0.058466, 0), "mg/L": (0.1, 0)},
    "urea-nitrogen": {"mg/dL": (1, 0), "mmol/L": (2.801, 0)},
    "calcium": {"mg/dL": (1, 0), "mmol/L": (4.008, 0)},
    "magnesium": {"mg/dL": (1, 0), "mmol/L": (2.4305, 0), "meq/L": (1.21525, 0)},
    "salt": {"mmol/L": (1, 0), "meq/L": (1, 0), "mval/L": (1, 0)},
    "protein": {"g/dL": (1, 0), "g/L": (0.1, 0)},
    "haemoglobin": {"g/dL": (1, 0), "g/L": (0.1, 0), "mmol/L": (1.6114, 0)},
    "c-reactive-protein": {"mg/L": (1, 0), "mg/dL": (10, 0)},
    "enzyme": {**dict.fromkeys(("U/L", "[IU]/L", "unit/L", "units/L", "unit(s)/L"), (1.0, 0.0)), "ukat/L": (60, 0)},
    # As large laboratories of the US, of Germany and of India (a lakh is 100,000) write them, too.
    "cells": {**dict.fromkeys(("10*3/uL", "10*9/L", "K/uL", "G/L", "10*3/mm3", "10*6/mL", "Thousand/uL", "Thousand/mm3",
                               "thou/uL", "thou/mm3", "thous/uL", "th/uL", "1000/uL", "1000/mm3", "K/mm3", "Tsd/uL",
                               "Tsd./uL", "/nL", "Gpt/L", "Giga/L", "E9/L", "E3/uL"), (1.0, 0.0)),
              "/uL": (0.001, 0), "/mm3": (0.001, 0), "lakh/mm3": (100, 0), "lakhs/mm3": (100, 0)},
    "clearance": {"mL/min/{1.73_m2}": (1, 0), "mL/s/{1.73_m2}": (60, 0),
                  # Every code of this quantity is by its LOINC name "/1.73 sq M": the unit left that out.
                  "mL/min": (1, 0)},
    "duration": {**dict.fromkeys(("ms", "msec", "msecs", "milliseconds"), (1.0, 0.0)),
                 **dict.fromkeys(("s", "sec", "secs", "seconds"), (1000.0, 0.0))},
    "pack-years": {"{PackYears}": (1, 0), "{Pack-years}": (1, 0), "py": (1, 0)},
    "ratio": {"1": (1, 0), "{INR}": (1, 0), "{ratio}": (1, 0)},
}
# The meaning is not in the dimension: an INR is no Quick's percentage, HbA1c has two scales, a clearance is per area.
_OWN_ONLY = ("ratio", "fraction", "hba1c", "pack-years", "clearance")
# Of these a number without a unit says all there is to say.
_UNITLESS = ("ratio",)
_ROUNDING = 1e-9

# canonical LOINC → (quantity, other LOINC codes of the same measurement). Mass and substance concentration of one
# analyte are one row each in LOINC and the same measurement here; whole blood and serum are not.
_MEASURED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "8302-2": ("length", ("3137-7", "8308-9")),
    "29463-7": ("body-mass", ("3141-9", "8350-1", "8351-9")),
    "39156-5": ("mass-per-area", ()),
    "8480-6": ("pressure", ()), "8462-4": ("pressure", ()),
    "8310-5": ("temperature", ("8331-1",)),
    "8867-4": ("rate", ()),
    "2093-3": ("cholesterol", ("14647-2",)),
    "2085-9": ("cholesterol", ("14646-4",)),
    "2089-1": ("cholesterol", ("22748-8",)), "13457-7": ("cholesterol", ("39469-2",)), "18262-6": ("cholesterol", ()),
    "2571-8": ("triglyceride", ("14927-8",)),
    "2345-7": ("glucose", ("14749-6",)), "2339-0": ("glucose", ()),
    "4548-4": ("hba1c", ("17856-6", "59261-8")),
    "2160-0": ("creatinine", ("14682-9", "77140-2")), "38483-4": ("creatinine", ("59826-8",)),
    # MDRD, CKD-EPI 2009, CKD-EPI 2021, MDRD of one method; any equation, CKD-EPI 2021 with cystatin C; four by race
    "33914-3": ("clearance", ()), "62238-1": ("clearance", ()), "98979-8": ("clearance", ()),
    "77147-7": ("clearance", ()), "69405-9": ("clearance", ()), "98980-6": ("clearance", ()),
    "48642-3": ("clearance", ()), "48643-1": ("clearance", ()),
    "88293-6": ("clearance", ()), "88294-4": ("clearance", ()),
    "1975-2": ("bilirubin", ("14631-6",)), "42719-5": ("bilirubin", ()),
    "3094-0": ("urea-nitrogen", ("14937-7",)), "6299-2": ("urea-nitrogen", ()),
    "17861-6": ("calcium", ("2000-8",)), "49765-1": ("calcium", ()),
    "19123-9": ("magnesium", ("2601-3",)),
    "2951-2": ("salt", ("77139-4",)), "2947-0": ("salt", ()), "2823-3": ("salt", ("77142-8",)), "6298-4": ("salt", ()),
    "2075-0": ("salt", ()), "2069-3": ("salt", ()), "14334-7": ("salt", ()),
    "1751-7": ("protein", ("61151-7", "61152-5")),
    "718-7": ("haemoglobin", ("20509-6", "59260-0")),
    "1988-5": ("c-reactive-protein", ()), "30522-7": ("c-reactive-protein", ()),
    "1742-6": ("enzyme", ("1743-4", "1744-2")), "1920-8": ("enzyme", ("30239-8",)), "6768-6": ("enzyme", ()),
    "777-3": ("cells", ("26515-7", "778-1")), "6690-2": ("cells", ("26464-8",)),
    "8634-8": ("duration", ()), "8636-3": ("duration", ()),
    "8664-5": ("pack-years", ()),
    "6301-6": ("ratio", ("38875-1",)), "34714-6": ("ratio", ("46418-0",)),
    "10230-1": ("fraction", ()), "4544-3": ("fraction", ("20570-8",)),
}
# recorded LOINC → (LOINC whose canonical unit it is given in, quantity)
CODES: Mapping[str, tuple[str, str]] = {
    code: (target, quantity) for target, (quantity, others) in _MEASURED.items() for code in (target, *others)}

_MET = ("canonical_code", "unit")
_BEYOND = r"^\s*[<>\u2264\u2265]"
# A result that was sent as words: "2.4 mg/dL", or "2.4" where the unit is recorded beside it.
_IN_WORDS = r"^\s*(\d+(?:\.\d+)?)\s*([^\d\s].*?)?\s*$"
# "1.234" of a text may be a thousand and more, as Germany writes it.
_THOUSANDS = r"^\s*[1-9]\d{0,2}(?:\.\d{3})+(?:\D|$)"
# Code system of what a measurement is meant to become, and how its codes begin: GOAL and the measurement's LOINC code.
GOALS, GOAL = "urn:pmed:goal", "goal:"


def canonical_unit(quantity: str) -> str:
    """The unit in which pmed computes with a quantity of ``UNITS``."""
    return next(iter(UNITS[quantity]))


def to_unit(value: pl.Expr, unit: pl.Expr, wanted: str, quantity: str) -> pl.Expr:
    """Convert `value`, recorded in `unit`, into `wanted`; null where the unit is not known.

    `quantity` is a key of ``UNITS``: mg/dL of cholesterol and of glucose are different amounts of substance.

    >>> frame = pl.DataFrame({"value": [5.2, 201.0, 5.2], "unit": ["mmol/l", "MG/DL", "?"]})
    >>> cholesterol = to_unit(pl.col("value"), pl.col("unit"), "mg/dL", "cholesterol")
    >>> frame.select(cholesterol.round(1))["value"].to_list()
    [201.1, 201.0, None]
    """
    units = UNITS[quantity]
    factor, offset = units[wanted]
    of = pl.lit(quantity)
    return (value * _look_up(unit, of, 0) + _look_up(unit, of, 1) - offset) / factor


def differ(code: pl.Expr, one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two units of a measurement, by its LOINC code, are both known and not the same; null where not known.

    >>> frame = pl.DataFrame({"code": ["29463-7"] * 3, "one": ["kg"] * 3, "other": ["KG", "lbs", "?"]})
    >>> frame.select(differ(*map(pl.col, frame.columns)))["code"].to_list()
    [False, True, None]
    """
    quantity = code.replace_strict({code: pair[1] for code, pair in CODES.items()}, default=None,
                                   return_dtype=pl.String())
    there = one.is_not_null() & other.is_not_null()
    apart = [(_look_up(one, quantity, part) - _look_up(other, quantity, part)).abs() > _ROUNDING for part in (0, 1)]
    return pl.when(there).then(apart[0] | apart[1]).alias("code")


def canonical_units(observations: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring an ``observations`` table into canonical units; return it with the ``issues`` met.

    The extra column ``canonical_code`` is the LOINC code under which `value` is in the canonical unit of `CODES`, of a
    goal with `GOAL` before it;
    null where the code has no canonical unit (value and unit stay as recorded). A value that is not plausible, or whose
    unit is not known, becomes null and moves to `value_text`. It has the code all the same, as a limit ("> 9") and any
    other text with a figure in it has: that was measured, too, and an older value is not the latest. A text that is one
    number and a unit of that measurement ("2.4 mg/dL") is read.
    Running it twice changes nothing.
    """
    if observations.is_empty():  # no record: nothing is worth making the look-ups for
        return observations.with_columns(canonical_code=pl.lit(None, dtype=pl.String)), TABLES["issues"].empty()
    before = pl.col("canonical_code") if "canonical_code" in observations.columns else pl.lit(None, pl.String())
    known = _with_numbers(observations.with_columns(_code_and_quantity(), _before=before))
    by_table = _by_table(known)
    converted = _with_library(by_table.lazy(), _by_library(by_table)).with_columns(
        plausible=_plausible()).pipe(as_written)
    recorded = pl.col("quantity").is_not_null() & pl.col("value").is_not_null()
    unread, odd = recorded & pl.col("converted").is_null(), recorded & ~pl.col("plausible")
    usable, in_words = pl.col("plausible"), _is_in_words()
    done = converted.lazy().with_columns(
        value=pl.when(pl.col("quantity").is_null()).then("value").when(usable).then("converted"),
        unit=pl.when(usable).then(_canonical_unit()).otherwise("unit"),
        value_text=pl.when(unread | odd).then(pl.format("{} {}", "value", pl.col("unit").fill_null("(no unit)")))
        .otherwise("value_text"),
        canonical_code=pl.when(recorded | in_words | _is_limit() | pl.col("_before").is_not_null()).then(
            "canonical_code"))
    columns = dict.fromkeys([*observations.columns, "canonical_code"])
    return done.select(*columns).pipe(as_written), _issues(
        converted.filter(unread), converted.filter(odd), converted.filter(in_words))


def _with_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the number and unit of results that were sent as words, where these say one and no more."""
    text = pl.col("value_text")
    said = _is_in_words() & text.str.contains(_IN_WORDS) & ~text.str.contains(_THOUSANDS)
    if not rows.select(said.any()).item():
        return rows
    number, unit = (text.str.extract(_IN_WORDS, part) for part in (1, 2))
    # Two units that are not the same leave the number unread; one that is not known is told as of any other value.
    same = unit.is_null() | pl.col("unit").is_null() | (spell(unit) == spell(pl.col("unit")))
    of = pl.coalesce(unit, "unit")
    read = said & same & _look_up(of, pl.col("quantity"), 0).is_not_null()
    return rows.with_columns(value=pl.when(read).then(number.cast(pl.Float64, strict=False)).otherwise("value"),
                             unit=pl.when(read).then(of).otherwise("unit"),
                             value_text=pl.when(~read.fill_null(value=False)).then(text))


def _is_in_words() -> pl.Expr:
    """Whether a row of ``observations`` has a figure in its text only; goals and limits are none."""
    figure = pl.col("value_text").str.contains(r"\d") & ~pl.col("value_text").str.contains(_BEYOND)
    measured = pl.col("quantity").is_not_null() & ~pl.col("code").str.starts_with(GOAL)
    return pl.col("value").is_null() & pl.col("_before").is_null() & (figure & measured).fill_null(value=False)


def _is_limit() -> pl.Expr:
    """Whether a row of ``observations`` says only that the value is beyond a limit of measurement; goals are none."""
    beyond = pl.col("value_text").str.contains(_BEYOND) & ~pl.col("code").str.starts_with(GOAL)
    return pl.col("value").is_null() & beyond.fill_null(value=False)


def _issues(unread: pl.DataFrame, odd: pl.DataFrame, in_words: pl.DataFrame) -> pl.DataFrame:
    if unread.is_empty() and odd.is_empty() and in_words.is_empty():
        return TABLES["issues"].empty()
    return pl.concat([_unknown_unit(unread), _implausible(odd), _no_library(unread), _unread_text(in_words)])


def _spelled(units: Iterable[str]) -> list[str]:
    return pl.DataFrame({"unit": list(units)}, {"unit": pl.String}).select(spell(pl.col("unit"))).to_series().to_list()


@cache
def _factors(part: int) -> Mapping[str, float]:
    """Quantity and spelled unit → factor (0) or offset (1)."""
    pairs = [(quantity, unit, pair[part]) for quantity, units in UNITS.items() for unit, pair in units.items()]
    spelled = _spelled(unit for _, unit, _ in pairs)
    return {**{f"{quantity} {unit}": float(one) for (quantity, _, one), unit in zip(pairs, spelled, strict=True)},
            **{f"{quantity} ": (1.0, 0.0)[part] for quantity in _UNITLESS}}


@cache
def _code_and_quantity() -> list[pl.Expr]:
    return [_looked_up("canonical_code", 0), _looked_up("quantity", 1)]


def _look_up(unit: pl.Expr, quantity: pl.Expr, part: int) -> pl.Expr:
    key = pl.concat_str(quantity, pl.lit(" "), spell(unit.fill_null("")))
    return key.replace_strict(_factors(part), default=None, return_dtype=pl.Float64())


def _looked_up(name: str, part: int) -> pl.Expr:
    """Look up the recorded LOINC code, where it is one, or that of a goal, which stays a goal's."""
    pairs = {code: pair[part] for code, pair in CODES.items()}
    goals = {f"{GOAL}{code}": found if part else f"{GOAL}{found}" for code, found in pairs.items()}
    measured, aimed_at = (pl.col("code").replace_strict(some, default=None, return_dtype=pl.String())
                          for some in (pairs, goals))
    return pl.when(pl.col("system") == LOINC).then(measured).when(pl.col("system") == GOALS).then(aimed_at).alias(name)


def _by_table(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the value `converted` into their quantity's canonical unit, and with the range that is plausible.

    What depends on the code and the spelling of the unit alone is looked up once for each that is met.
    """
    met = rows.select(*_MET, "quantity").drop_nulls("quantity").unique(maintain_order=True)
    known = met.lazy().select(*_MET, *_known())
    value = (pl.col("value") * pl.col("_factor") + pl.col("_offset") - pl.col("_own_offset")) / pl.col("_own_factor")
    return rows.lazy().join(known, on=_MET, how="left", nulls_equal=True, maintain_order="left").with_columns(
        converted=value).drop("_factor", "_offset", "_own_factor", "_own_offset").pipe(as_written)


@cache
def _known() -> list[pl.Expr]:
    """What a code, its quantity and a unit settle.

    Factor and offset beside those of the canonical unit, see `to_unit`; and the least and most that are plausible,
    `as_recorded` in the recorded unit or else in the canonical one.
    """
    quantity, unit, measured, spelled = pl.col("quantity"), pl.col("unit"), _measurement(), spell(pl.col("unit"))
    own = [quantity.replace_strict({one: float(units[canonical_unit(one)][part]) for one, units in UNITS.items()},
                                   return_dtype=pl.Float64()) for part in (0, 1)]
    least, most = limit(measured, spelled, 0), limit(measured, spelled, 1)
    return [_look_up(unit, quantity, 0).alias("_factor"), _look_up(unit, quantity, 1).alias("_offset"),
            own[0].alias("_own_factor"), own[1].alias("_own_offset"),
            pl.coalesce(least, limit(measured, None, 0)).alias("least"),
            pl.coalesce(most, limit(measured, None, 1)).alias("most"), least.is_not_null().alias("as_recorded")]


def _unread(rows: pl.DataFrame) -> pl.DataFrame:
    """Distinct quantities and units that the table does not know and a library may."""
    asked = pl.col("value").is_not_null() & pl.col("converted").is_null() & pl.col("unit").is_not_null()
    return rows.filter(asked & ~pl.col("quantity").is_in(_OWN_ONLY)).select("quantity", "unit").unique()


def _by_library(rows: pl.DataFrame) -> pl.DataFrame:
    """`quantity`, `unit`, `factor` and `offset` of units that only the library knows; most records have none."""
    pairs = _unread(rows).rows()
    found = [(quantity, unit, *pair) for quantity, unit in pairs
             if ucum.is_installed() and (pair := ucum.factor(unit, canonical_unit(quantity)))]
    return pl.DataFrame(found, {"quantity": pl.String, "unit": pl.String, "factor": pl.Float64, "offset": pl.Float64},
                        orient="row")


def _with_library(rows: pl.LazyFrame, more: pl.DataFrame) -> pl.LazyFrame:
    """`rows` with what the library converted, too."""
    if more.is_empty():
        return rows
    by_library = pl.col("value") * pl.col("factor") + pl.col("offset")
    return rows.join(more.lazy(), on=["quantity", "unit"], how="left", maintain_order="left").with_columns(
        converted=pl.coalesce("converted", by_library))


def _measurement() -> pl.Expr:
    """The canonical code, of a goal that of its measurement."""
    return pl.col("canonical_code").str.strip_prefix(GOAL)


@cache
def _plausible() -> pl.Expr:
    """Within the range of the living; null where there is no converted value. Not a number is not plausible."""
    compared = pl.when(pl.col("as_recorded") & pl.col("converted").is_not_null()).then("value").otherwise("converted")
    return (compared >= pl.col("least")) & (compared <= pl.col("most")) & compared.is_finite()


@cache
def _canonical_unit() -> pl.Expr:
    names = {quantity: canonical_unit(quantity) for quantity in UNITS}
    return pl.col("quantity").replace_strict(names, default=None, return_dtype=pl.String())


def _unknown_unit(rows: pl.DataFrame) -> pl.DataFrame:
    return _report(rows, "unknown-unit", pl.format(
        "{} of LOINC {}: the unit is not known here, the value is not used", pl.col("unit").fill_null("no unit"),
        "code"))


def _unread_text(rows: pl.DataFrame) -> pl.DataFrame:
    return _report(rows, "value-in-words", pl.format(
        "LOINC {}: the result is a text that is not one number with a unit known here; it was measured, and the value "
        "stays unknown", "code"))


def _no_library(rows: pl.DataFrame) -> pl.DataFrame:
    """One row where a library might have known a unit and is not there."""
    missed = rows.filter(pl.struct("quantity", "unit").is_in(_unread(rows).select(pl.struct(pl.all())).to_series()
                                                             .implode()))
    text = ("a unit that is not in pmed's table was met and the UCUM library is not installed: install pmed with its "
            "records extra")
    return _report(missed.head(0 if ucum.is_installed() else 1), "no-unit-library", pl.lit(text))


def _implausible(rows: pl.DataFrame) -> pl.DataFrame:
    names = {code: name for code, (name, _, _) in PLAUSIBLE.items()}
    unit = pl.when("as_recorded").then("unit").otherwise(_canonical_unit())
    return _report(rows, "implausible-value", pl.format(
        "{} {} {}: outside {} to {} {}, not used",
        _measurement().replace_strict(names, default=None, return_dtype=pl.String()), "value",
        pl.col("unit").fill_null("(no unit)"),
        *(end.cast(pl.String).str.replace(r"\.0$", "") for end in (pl.col("least"), pl.col("most"))), unit))


def _report(rows: pl.DataFrame, code: str, text: pl.Expr) -> pl.DataFrame:
    """One ``issues`` row for each value that is not used."""
    origin = pl.col("source").fill_null("unknown").str.splitn("#", 2).struct
    return rows.lazy().select(
        file=origin.field("field_0"), place=origin.field("field_1"), severity=pl.lit("warning"), code=pl.lit(code),
        text=text, patient_id="patient_id").cast(
        {name: column.dtype for name, column in TABLES["issues"].columns.items()}).collect()

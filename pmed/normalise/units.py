"""Measurements in one unit per quantity, so that 180 cm, 1.8 m and 71 inches are the same height.

``canonical = factor × recorded + offset``. A unit that is not in the table is never guessed: the value becomes
unknown, and the recorded number is kept as text.

Sources: UCUM (units; inch and pound are exact); molar masses in g/mol: cholesterol 386.65, glucose 180.16,
creatinine 113.12, bilirubin 584.66, urea nitrogen 28.01, calcium 40.08, triglyceride 885.7 (mean); HbA1c: NGSP % =
0.09148 × IFCC mmol/mol + 2.152 (Hoelzel et al., Clin Chem 2004;50:166-74); LOINC for the codes.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..tables import TABLES

Factor = tuple[float, float]

# quantity → unit → (factor, offset) into the quantity's canonical unit, which comes first
UNITS: Mapping[str, Mapping[str, Factor]] = {
    "length": {"cm": (1, 0), "m": (100, 0), "mm": (0.1, 0), "[in_i]": (2.54, 0), "[in_us]": (2.54, 0),
               "[ft_i]": (30.48, 0), "in": (2.54, 0), "inches": (2.54, 0)},
    "body-mass": {"kg": (1, 0), "g": (0.001, 0), "[lb_av]": (0.45359237, 0), "[oz_av]": (0.028349523125, 0),
                  "lb": (0.45359237, 0), "lbs": (0.45359237, 0)},
    "mass-per-area": {"kg/m2": (1, 0)},
    "pressure": {"mm[Hg]": (1, 0), "mmHg": (1, 0), "mm Hg": (1, 0), "kPa": (7.50062, 0)},
    "temperature": {"Cel": (1, 0), "[degF]": (5 / 9, -160 / 9)},
    "rate": {"/min": (1, 0), "{beats}/min": (1, 0), "{Beats}/min": (1, 0)},
    "fraction": {"%": (1, 0)},
    "hba1c": {"%": (1, 0), "%{HbA1c}": (1, 0), "mmol/mol": (0.09148, 2.152)},
    "cholesterol": {"mg/dL": (1, 0), "mmol/L": (38.665, 0), "g/L": (100, 0)},
    "triglyceride": {"mg/dL": (1, 0), "mmol/L": (88.57, 0), "g/L": (100, 0)},
    "glucose": {"mg/dL": (1, 0), "mmol/L": (18.016, 0), "g/L": (100, 0)},
    "creatinine": {"mg/dL": (1, 0), "umol/L": (0.011312, 0), "µmol/L": (0.011312, 0), "mmol/L": (11.312, 0),
                   "mg/L": (0.1, 0)},
    "bilirubin": {"mg/dL": (1, 0), "umol/L": (0.058466, 0), "µmol/L": (0.058466, 0)},
    "urea-nitrogen": {"mg/dL": (1, 0), "mmol/L": (2.801, 0)},
    "calcium": {"mg/dL": (1, 0), "mmol/L": (4.008, 0)},
    "salt": {"mmol/L": (1, 0), "meq/L": (1, 0)},
    "protein": {"g/dL": (1, 0), "g/L": (0.1, 0)},
    "enzyme": {"U/L": (1, 0), "[IU]/L": (1, 0), "IU/L": (1, 0)},
    "cells": {"10*3/uL": (1, 0), "10*9/L": (1, 0), "K/uL": (1, 0)},
    "clearance": {"mL/min/{1.73_m2}": (1, 0), "mL/min/1.73m2": (1, 0), "mL/min/1.73.m2": (1, 0)},
    "ratio": {"1": (1, 0), "{INR}": (1, 0), "{ratio}": (1, 0)},
}

# recorded LOINC → (LOINC whose canonical unit it is given in, quantity). Mass and substance concentration of one
# analyte are one row each in LOINC and the same measurement here.
CODES: Mapping[str, tuple[str, str]] = {
    "8302-2": ("8302-2", "length"), "3137-7": ("8302-2", "length"),
    "29463-7": ("29463-7", "body-mass"), "3141-9": ("29463-7", "body-mass"),
    "39156-5": ("39156-5", "mass-per-area"),
    "8480-6": ("8480-6", "pressure"), "8462-4": ("8462-4", "pressure"),
    "8310-5": ("8310-5", "temperature"), "8331-1": ("8310-5", "temperature"),
    "8867-4": ("8867-4", "rate"),
    "2093-3": ("2093-3", "cholesterol"), "14647-2": ("2093-3", "cholesterol"),
    "2085-9": ("2085-9", "cholesterol"), "14646-4": ("2085-9", "cholesterol"),
    "2089-1": ("2089-1", "cholesterol"), "13457-7": ("13457-7", "cholesterol"), "18262-6": ("18262-6", "cholesterol"),
    "2571-8": ("2571-8", "triglyceride"), "14927-8": ("2571-8", "triglyceride"),
    "2345-7": ("2345-7", "glucose"), "14749-6": ("2345-7", "glucose"), "2339-0": ("2339-0", "glucose"),
    "4548-4": ("4548-4", "hba1c"), "17856-6": ("4548-4", "hba1c"), "59261-8": ("4548-4", "hba1c"),
    "2160-0": ("2160-0", "creatinine"), "14682-9": ("2160-0", "creatinine"), "38483-4": ("38483-4", "creatinine"),
    "33914-3": ("33914-3", "clearance"), "62238-1": ("62238-1", "clearance"), "98979-8": ("98979-8", "clearance"),
    "1975-2": ("1975-2", "bilirubin"), "14631-6": ("1975-2", "bilirubin"),
    "3094-0": ("3094-0", "urea-nitrogen"), "14937-7": ("3094-0", "urea-nitrogen"),
    "6299-2": ("6299-2", "urea-nitrogen"),
    "17861-6": ("17861-6", "calcium"), "2000-8": ("17861-6", "calcium"),
    "2951-2": ("2951-2", "salt"), "2823-3": ("2823-3", "salt"), "2075-0": ("2075-0", "salt"),
    "1751-7": ("1751-7", "protein"), "718-7": ("718-7", "protein"),
    "1742-6": ("1742-6", "enzyme"), "1920-8": ("1920-8", "enzyme"), "6768-6": ("6768-6", "enzyme"),
    "777-3": ("777-3", "cells"), "6690-2": ("6690-2", "cells"),
    "6301-6": ("6301-6", "ratio"), "34714-6": ("34714-6", "ratio"),
    "10230-1": ("10230-1", "fraction"), "4544-3": ("4544-3", "fraction"),
}

LOINC = "http://loinc.org"


def canonical_unit(quantity: str) -> str:
    """The unit in which pmed computes with a quantity of ``UNITS``."""
    return next(iter(UNITS[quantity]))


def to_unit(value: pl.Expr, unit: pl.Expr, wanted: str, quantity: str) -> pl.Expr:
    """Convert `value`, recorded in `unit`, into `wanted`; null where the unit is not known.

    `quantity` is a key of ``UNITS``: mg/dL of cholesterol and of glucose are different amounts of substance.

    >>> frame = pl.DataFrame({"value": [5.2, 201.0, 5.2], "unit": ["mmol/L", "mg/dL", "?"]})
    >>> cholesterol = to_unit(pl.col("value"), pl.col("unit"), "mg/dL", "cholesterol")
    >>> frame.select(cholesterol.round(1))["value"].to_list()
    [201.1, 201.0, None]
    """
    units = UNITS[quantity]
    factor, offset = units[wanted]
    return (value * _look_up(unit, units, 0) + _look_up(unit, units, 1) - offset) / factor


def canonical_units(observations: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring an ``observations`` table into canonical units; return it with the ``issues`` met.

    The extra column ``canonical_code`` is the LOINC code under which `value` is in the canonical unit of `CODES`;
    null where the code has no canonical unit (value and unit stay as recorded) or the unit is not known (the value
    becomes null and moves to `value_text`). Running it twice changes nothing.
    """
    known = observations.with_columns(_looked_up("canonical_code", 0), _looked_up("quantity", 1))
    converted = known.with_columns(converted=_by_quantity())
    lost = pl.col("quantity").is_not_null() & pl.col("value").is_not_null() & pl.col("converted").is_null()
    done = converted.with_columns(
        value=pl.when(pl.col("quantity").is_null()).then("value").otherwise("converted"),
        unit=pl.when(pl.col("converted").is_not_null()).then(_canonical_unit()).otherwise("unit"),
        value_text=pl.when(lost).then(pl.format("{} {}", "value", pl.col("unit").fill_null("(no unit)")))
        .otherwise("value_text"),
        canonical_code=pl.when(pl.col("converted").is_not_null()).then("canonical_code"))
    return done.select(*observations.columns, *{"canonical_code"} - {*observations.columns}), _issues(
        converted.filter(lost))


def _look_up(unit: pl.Expr, units: Mapping[str, Factor], part: int) -> pl.Expr:
    return unit.replace_strict({name: float(pair[part]) for name, pair in units.items()}, default=None,
                               return_dtype=pl.Float64())


def _looked_up(name: str, part: int) -> pl.Expr:
    """Look up the recorded LOINC code, where it is one."""
    found = pl.col("code").replace_strict({code: pair[part] for code, pair in CODES.items()}, default=None,
                                          return_dtype=pl.String())
    return pl.when(pl.col("system") == LOINC).then(found).alias(name)


def _by_quantity() -> pl.Expr:
    """The value in the canonical unit of its row's quantity."""
    choices = (pl.when(pl.col("quantity") == quantity).then(
        to_unit(pl.col("value"), pl.col("unit"), canonical_unit(quantity), quantity)) for quantity in UNITS)
    return pl.coalesce(*choices)


def _canonical_unit() -> pl.Expr:
    names = {quantity: canonical_unit(quantity) for quantity in UNITS}
    return pl.col("quantity").replace_strict(names, default=None, return_dtype=pl.String())


def _issues(lost: pl.DataFrame) -> pl.DataFrame:
    """One row for each value whose unit is not known."""
    origin = pl.col("source").fill_null("unknown").str.splitn("#", 2).struct
    return lost.select(
        file=origin.field("field_0"), place=origin.field("field_1"), severity=pl.lit("warning"),
        code=pl.lit("unknown-unit"),
        text=pl.format("{} of LOINC {}: the unit is not known here, the value is not used",
                       pl.col("unit").fill_null("no unit"), "code"),
        patient_id="patient_id").cast({name: column.dtype for name, column in TABLES["issues"].columns.items()})

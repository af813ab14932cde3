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
    "protein": {"g/dL": (1, 0), "g/L": (0.1, 0), "mg/dL": (0.001, 0)},
    "enzyme": {"U/L": (1, 0), "[IU]/L": (1, 0), "IU/L": (1, 0), "ukat/L": (60, 0), "nkat/L": (0.06, 0)},
    "cells": {"10*3/uL": (1, 0), "10*9/L": (1, 0), "K/uL": (1, 0), "G/L": (1, 0), "/uL": (0.001, 0),
              "10*3/mm3": (1, 0), "10*6/L": (0.001, 0)},
    "haemoglobin": {"g/dL": (1, 0), "g/L": (0.1, 0), "mmol/L": (1.6114, 0)},
    "magnesium": {"mg/dL": (1, 0), "mmol/L": (2.4305, 0), "meq/L": (1.21525, 0)},
    "time": {"ms": (1, 0), "s": (1000, 0)},
    "pack-years": {"{PackYears}": (1, 0), "{pack}.a": (1, 0), "{pack-years}": (1, 0), "{Pack}/a": (1, 0), "a": (1, 0)},
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
    "48642-3": ("48642-3", "clearance"), "48643-1": ("48643-1", "clearance"), "77147-7": ("77147-7", "clearance"),
    "88293-6": ("88293-6", "clearance"), "88294-4": ("88294-4", "clearance"),
    "1975-2": ("1975-2", "bilirubin"), "14631-6": ("1975-2", "bilirubin"),
    "3094-0": ("3094-0", "urea-nitrogen"), "14937-7": ("3094-0", "urea-nitrogen"),
    "6299-2": ("6299-2", "urea-nitrogen"),
    "17861-6": ("17861-6", "calcium"), "2000-8": ("17861-6", "calcium"),
    "2951-2": ("2951-2", "salt"), "2823-3": ("2823-3", "salt"), "2075-0": ("2075-0", "salt"),
    "1751-7": ("1751-7", "protein"), "61151-7": ("1751-7", "protein"),
    "718-7": ("718-7", "haemoglobin"), "30313-1": ("718-7", "haemoglobin"), "59260-0": ("718-7", "haemoglobin"),
    "19123-9": ("19123-9", "magnesium"), "2601-3": ("19123-9", "magnesium"),
    "8636-3": ("8636-3", "time"), "8634-8": ("8634-8", "time"), "8664-5": ("8664-5", "pack-years"),
    "1742-6": ("1742-6", "enzyme"), "1920-8": ("1920-8", "enzyme"), "6768-6": ("6768-6", "enzyme"),
    "777-3": ("777-3", "cells"), "6690-2": ("6690-2", "cells"),
    "6301-6": ("6301-6", "ratio"), "34714-6": ("34714-6", "ratio"),
    "10230-1": ("10230-1", "fraction"), "4544-3": ("4544-3", "fraction"),
}

# Units as they are written besides UCUM's way, for every quantity. A converter of all of UCUM would be a heavy library
# that still needs each quantity's molar mass from here, so the few units of these quantities are written out.
SPELLINGS: Mapping[str, str] = {
    "mg/dl": "mg/dL", "MG/DL": "mg/dL", "mg/100mL": "mg/dL", "g/dl": "g/dL", "G/DL": "g/dL", "g/l": "g/L",
    "mmol/l": "mmol/L", "MMOL/L": "mmol/L", "umol/l": "umol/L", "µmol/l": "umol/L", "μmol/L": "umol/L",
    "μmol/l": "umol/L", "UMOL/L": "umol/L", "mEq/L": "meq/L", "meq/l": "meq/L", "MEQ/L": "meq/L", "u/L": "U/L",
    "U/l": "U/L", "IU/l": "IU/L", "µkat/L": "ukat/L", "KG": "kg", "Kg": "kg", "CM": "cm", "mmhg": "mm[Hg]",
    "MMHG": "mm[Hg]", "10^9/L": "10*9/L", "10e9/L": "10*9/L", "x10*9/L": "10*9/L", "10^3/uL": "10*3/uL",
    "x10E3/uL": "10*3/uL", "bpm": "/min", "beats/min": "/min", "°C": "Cel", "msec": "ms",
    "mL/min/1.73 m2": "mL/min/{1.73_m2}", "ml/min/1.73m2": "mL/min/{1.73_m2}", "mL/min/1.73m*2": "mL/min/{1.73_m2}"}

LOINC = "http://loinc.org"

# Of a value outside of this, in the canonical unit, something is wrong: a slip of the pen, or another unit than is
# written. Wider than any reference range; what a living person can have is inside.
PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "8302-2": (20, 260), "29463-7": (0.3, 650), "39156-5": (5, 200), "8480-6": (30, 350), "8462-4": (10, 250),
    "8310-5": (20, 46), "8867-4": (10, 400), "2093-3": (20, 2000), "2085-9": (1, 300), "2089-1": (1, 1500),
    "13457-7": (1, 1500), "18262-6": (1, 1500), "2571-8": (5, 20000), "2345-7": (5, 3000), "2339-0": (5, 3000),
    "4548-4": (2, 25), "2160-0": (0.05, 40), "38483-4": (0.05, 40), "33914-3": (0, 250), "62238-1": (0, 250),
    "98979-8": (0, 250), "1975-2": (0.01, 100), "3094-0": (0.5, 400), "6299-2": (0.5, 400), "17861-6": (2, 25),
    "2951-2": (80, 220), "2823-3": (1, 12), "1751-7": (0.3, 8), "718-7": (1, 30), "1742-6": (0.5, 50000),
    "1920-8": (0.5, 50000), "6768-6": (1, 20000), "777-3": (0, 5000), "6690-2": (0, 1000), "6301-6": (0.5, 30),
    "34714-6": (0.5, 30), "19123-9": (0.2, 15), "8636-3": (200, 800), "8634-8": (150, 800), "8664-5": (0, 400),
    "10230-1": (5, 95), "4544-3": (5, 80)}


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
    null where the code has no canonical unit (value and unit stay as recorded), the unit is not known, or the value is
    none that a person can have (`PLAUSIBLE`); the value then becomes null and moves to `value_text`. Running it twice
    changes nothing.
    """
    known = observations.with_columns(_looked_up("canonical_code", 0), _looked_up("quantity", 1))
    converted = known.with_columns(converted=_by_quantity())
    lost = pl.col("quantity").is_not_null() & pl.col("value").is_not_null() & pl.col("converted").is_null()
    odd = _implausible()
    good = pl.col("converted").is_not_null() & ~odd
    done = converted.with_columns(
        value=pl.when(pl.col("quantity").is_null()).then("value").when(good).then("converted"),
        unit=pl.when(good).then(_canonical_unit()).otherwise("unit"),
        value_text=pl.when(lost | odd).then(pl.format("{} {}", "value", pl.col("unit").fill_null("(no unit)")))
        .otherwise("value_text"),
        canonical_code=pl.when(good).then("canonical_code"))
    return done.select(*observations.columns, *{"canonical_code"} - {*observations.columns}), pl.concat([
        _issues(converted.filter(lost), "unknown-unit", pl.format(
            "{} of LOINC {}: the unit is not known here, the value is not used", pl.col("unit").fill_null("no unit"),
            "code")),
        _issues(converted.filter(odd), "implausible-value", pl.format(
            "LOINC {}: a value that nobody can have in its unit ({}) is not used", "code", pl.col("unit")))])


def _implausible() -> pl.Expr:
    """The converted value is outside of what is possible."""
    low, high = (pl.col("canonical_code").replace_strict({code: float(ends[at]) for code, ends in PLAUSIBLE.items()},
                                                         default=None, return_dtype=pl.Float64()) for at in (0, 1))
    return ~pl.col("converted").is_between(low, high).fill_null(value=True)


def _look_up(unit: pl.Expr, units: Mapping[str, Factor], part: int) -> pl.Expr:
    factors = {name: float(pair[part]) for name, pair in units.items()}
    return unit.replace(SPELLINGS).replace_strict(factors, default=None, return_dtype=pl.Float64())


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


def _issues(lost: pl.DataFrame, code: str, text: pl.Expr) -> pl.DataFrame:
    """One row for each value that is not used."""
    origin = pl.col("source").fill_null("unknown").str.splitn("#", 2).struct
    made = lost.select(file=origin.field("field_0"), place=origin.field("field_1"), severity=pl.lit("warning"),
                       code=pl.lit(code), text=text, patient_id="patient_id")
    return made.cast({name: column.dtype for name, column in TABLES["issues"].columns.items()})
